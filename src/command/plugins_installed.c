/* plugins installed: the paths of plugin programs on this machine. */
#include "command/plugins_common.h"
#include "command/ui.h"

static int run(const struct invocation *in)
{
	AUTO(plugin_files) struct plugin_files files = { 0 };

	if (plugins_list(in, NULL, NULL, &files) < 0)
		return 1;
	for (size_t i = 0; i < files.v.n; i++)
		ui_message(in, str_from(files.v.v[i].path));
	return 0;
}

const struct command command_plugins_installed = {
	.name = "installed",
	.parent = "plugins",
	.summary = "List the plugins on this machine",
	.description = "Prints the path of each plugin binary for this system whose checksum is "
		       "correct, from the plugin directory (PACKER_PLUGIN_PATH, else plugins in "
		       "Packer's configuration directory). Built-in plugins are not listed.",
	.raw = true,
	.packer = true,
	.run = run,
};
