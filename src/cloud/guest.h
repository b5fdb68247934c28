/* The small static program that is embedded in ingot and runs inside instances: pid 1 where the
 * image has no init, key injection from IMDS, the user-data runner, and the yum/dnf front of the
 * amzn stand-in.
 */
#ifndef INGOT_CLOUD_GUEST_H
#define INGOT_CLOUD_GUEST_H

#include "base/err.h"

/* A sealed read-only memfd of the program; the caller closes. */
int guest_program(int *ret_fd, struct err *err) MUST_USE;

#endif
