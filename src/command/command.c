/* The table of commands. A new command is its own file and one line here. */
#include "command/command.h"

#include "base/str.h"

/* Sorted; what belongs to a group comes after it. */
#define COMMANDS(ROW) \
	ROW(build) \
	ROW(cloud) \
	ROW(cloud_down) \
	ROW(cloud_env) \
	ROW(cloud_faults) \
	ROW(cloud_images) \
	ROW(cloud_import) \
	ROW(cloud_log) \
	ROW(cloud_reset) \
	ROW(cloud_status) \
	ROW(cloud_up) \
	ROW(completion) \
	ROW(console) \
	ROW(docs) \
	ROW(fix) \
	ROW(fmt) \
	ROW(hcl2_upgrade) \
	ROW(init) \
	ROW(inspect) \
	ROW(man) \
	ROW(plugins) \
	ROW(plugins_install) \
	ROW(plugins_installed) \
	ROW(plugins_remove) \
	ROW(plugins_required) \
	ROW(schema) \
	ROW(sweep) \
	ROW(validate) \
	ROW(version)

#define DECLARE(name) extern const struct command command_##name;
COMMANDS(DECLARE)
#undef DECLARE

#define ENTRY(name) &command_##name,
const struct command *const commands[] = { COMMANDS(ENTRY) NULL };
#undef ENTRY

const struct command *command_find(const char *parent, const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (streq((*c)->name, name) && streq((*c)->parent, parent))
			return *c;
	return NULL;
}
