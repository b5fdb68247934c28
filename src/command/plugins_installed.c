/* plugins installed: the paths of plugin programs on this machine. */
#include "command/plugins_common.h"
#include "command/ui.h"

static int run(const struct invocation *in)
{
	AUTO(plugin_files) struct plugin_files files = { 0 };

	if (plugins_list(in, NULL, NULL, &files) < 0)
		return 1;
	for (size_t i = 0; i < files.v.n; i++)
		ui_say(in, "%s", files.v.v[i].path);
	return 0;
}

const struct command command_plugins_installed = {
	.name = "installed",
	.parent = "plugins",
	.summary = "List the plugins on this machine",
	.description = "Prints the path of each plugin program for this system in the directory of "
		       "plugins (PACKER_PLUGIN_PATH, or plugins in the directory of Packer's "
		       "settings) whose checksum is right. What is built in is not among them.",
	.max_args = -1,
	.packer = true,
	.run = run,
};
