/* plugins install: says what is built in. */
#include "command/plugins_common.h"
#include "command/template_flags.h"
#include "command/ui.h"

#include "base/str.h"
#include "template/plugin_source.h"

static int run(const struct invocation *in)
{
	const char *source = in->args[0], *version = in->nargs > 1 ? in->args[1] : NULL;
	const char *path = flags_string(in->flags, "path");

	if (path && version) {
		ui_error(in, "-path installs the version in that file: remove the argument %s.",
			 version);
		return 1;
	}
	if (plugins_check_arguments(in, source, version) < 0)
		return 1;
	if (!plugin_is_builtin(source) || path) {
		ui_error(in, "%s%s was not installed: ingot cannot run plugins yet.",
			 path ? "Error: " : "", path ? path : source);
		return 1;
	}
	ui_say(in, "%s is built in: there is nothing to install%s.", source,
	       flags_bool(in->flags, "force") ? ", and nothing for -force to replace" : "");
	return 0;
}

static const struct flag flags[] = {
	{ "path", FLAG_STRING, "path", .doc = "Plugin binary to install." },
	{ "force", FLAG_BOOL, .doc = "Reinstall a plugin that is already installed." },
};

const struct command command_plugins_install = {
	.name = "install",
	.parent = "plugins",
	.arguments = "[OPTIONS...] <plugin> [<version constraint>]",
	.summary = "Install a plugin",
	.description = "The amazon plugin is built in, so there is nothing to install, whatever "
		       "version is asked for. Other plugins are refused until ingot can run them.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.more_flags = template_flags,
	.nmore_flags = NTEMPLATE_FLAGS,
	.more_hidden = true,
	.min_args = 1,
	.max_args = 2,
	.packer = true,
	.run = run,
};
