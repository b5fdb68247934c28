/* Which backends there are, and the choice among them. */
#ifndef INGOT_CLOUD_BACKENDS_H
#define INGOT_CLOUD_BACKENDS_H

#include "cloud/backend.h"

/* "auto" (the container backend where it can work, else qemu), or a name. Errors say what is
 * missing. */
int backends_choose(const char *name, const struct backend_ops **ret, struct err *err) MUST_USE;

#endif
