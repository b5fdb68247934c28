/* Printing which versions the program speaks for. */
#ifndef INGOT_COMMAND_VERSION_H
#define INGOT_COMMAND_VERSION_H

#include "base/base.h"
#include "template/version.h"

/* Prints under the name the program is called by; returns the exit code. */
int version_print(bool as_packer, bool machine_readable);

#endif
