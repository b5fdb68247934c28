/* What init and the plugins commands share. */
#ifndef INGOT_COMMAND_PLUGINS_COMMON_H
#define INGOT_COMMAND_PLUGINS_COMMON_H

#include "command/command.h"

#include "base/arena.h"
#include "plugin/installed.h"
#include "template/plan.h"

/* The plugins that the template of the command line requires. 0; or -1 with the mistakes said. */
int plugins_of_template(const struct invocation *in, struct arena *a, struct required_plugin **ret,
			size_t *ret_n) MUST_USE;
/* Installed ones of a source (NULL: all) that fit the constraints (NULL: any). 0; or -1 with the
 * reason said. */
int plugins_list(const struct invocation *in, const char *source, const char *constraints,
		 struct plugin_files *ret) MUST_USE;
/* Checks SOURCE and VERSION of a command line (version may be NULL). 0; or -1 with what is wrong
 * said. */
int plugins_check_arguments(const struct invocation *in, const char *source,
			    const char *version) MUST_USE;

#endif
