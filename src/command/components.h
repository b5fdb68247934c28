/* The components that the program has: what the front ends look types up in. */
#ifndef INGOT_COMMAND_COMPONENTS_H
#define INGOT_COMMAND_COMPONENTS_H

#include "engine/registry.h"

extern const struct registry components;
extern const struct registry
	components_local; /* for a rehearsal: nothing in it reads a real account */

#endif
