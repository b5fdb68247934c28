/* Which versions the program speaks for. */
#ifndef INGOT_COMMAND_VERSION_H
#define INGOT_COMMAND_VERSION_H

#include "base/base.h"

/* The Packer that ingot stands in for; packer_version and min_packer_version see it. */
#define VERSION_PACKER "1.16.0"

/* Prints under the name the program is called by; returns the exit code. */
int version_print(bool as_packer, bool machine_readable);

#endif
