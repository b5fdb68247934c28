/* The flags that all commands reading a template share. */
#ifndef INGOT_COMMAND_TEMPLATE_FLAGS_H
#define INGOT_COMMAND_TEMPLATE_FLAGS_H

#include "command/command.h"
#include "template/plan.h"

enum { NTEMPLATE_FLAGS = 6 };
extern const struct flag template_flags[NTEMPLATE_FLAGS];

/* Fills in path, config_type, vars, var_files, only, except and registry; what it points to lives
 * in the arena and in the invocation. path: the first argument, or NULL without one. */
void template_args_from(const struct invocation *in, struct arena *a, struct template_args *ret);

#endif
