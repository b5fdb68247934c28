/* plugins remove: takes plugin programs off this machine, by source or by path. */
#include "command/plugins_common.h"
#include "command/ui.h"

#include "base/str.h"
#include "template/plugin_source.h"

static int remove_one(const struct invocation *in, const char *path)
{
	AUTO(err) struct err err = ERR_INIT;

	if (plugin_remove(path, &err) < 0) {
		ui_error(in, "%s", err.msg);
		return -1;
	}
	ui_say(in, "%s", path);
	return 0;
}

/* Nothing outside of the plugin directory is removed. */
static int remove_path(const struct invocation *in, const char *path)
{
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *dir = NULL, *inside = NULL;

	if (in->nargs > 1) {
		ui_error(in, "%s: a path already names one version: remove the argument %s.", path,
			 in->args[1]);
		return 1;
	}
	if (plugin_directory(&dir, &err) < 0) {
		ui_error(in, "%s", err.msg);
		return 1;
	}
	inside = xasprintf("%s/", dir);
	if (!starts_with(path, inside) || strstr(path, "/../")) {
		ui_error(in, "Error: %s was not removed: it is not in the plugin directory %s",
			 path, dir);
		return 1;
	}
	return remove_one(in, path) < 0 ? 1 : 0;
}

static int remove_source(const struct invocation *in, const char *source, const char *version)
{
	AUTO(plugin_files) struct plugin_files files = { 0 };
	int code = 0;

	if (plugins_check_arguments(in, source, version) < 0 ||
	    plugins_list(in, source, version, &files) < 0)
		return 1;
	for (size_t i = 0; i < files.v.n; i++)
		if (remove_one(in, files.v.v[i].path) < 0)
			code = 1;
	if (files.v.n)
		return code;
	ui_error(in, "There is no plugin %s%s%s on this machine%s.", source, version ? " " : "",
		 version ? version : "",
		 plugin_is_builtin(source) ? "; the built-in one cannot be removed" : "");
	return 1;
}

static int run(const struct invocation *in)
{
	if (in->args[0][0] == '/')
		return remove_path(in, in->args[0]);
	return remove_source(in, in->args[0], in->nargs > 1 ? in->args[1] : NULL);
}

const struct command command_plugins_remove = {
	.name = "remove",
	.parent = "plugins",
	.arguments = "<plugin> [<version constraint>]",
	.summary = "Remove plugins from this machine",
	.description = "Removes the plugin binaries of a source, all of them or those that match "
		       "a version constraint, or the one at an absolute path. Prints the path of "
		       "each.",
	.min_args = 1,
	.max_args = 2,
	.packer = true,
	.run = run,
};
