/* init: makes sure that what a template requires is there. */
#include "command/plugins_common.h"
#include "command/template_flags.h"
#include "command/ui.h"

#include "base/str.h"

static int check_one(const struct invocation *in, const struct required_plugin *p)
{
	bool upgrade = flags_bool(in->flags, "upgrade");

	if (!p->builtin) {
		ui_error(in,
			 "%s: the plugin %s is not built in, and ingot cannot run plugins yet.",
			 p->name, p->source);
		return -1;
	}
	ui_say(in, "%s: %s is built in%s", p->name, p->source,
	       upgrade ? "; a newer one comes with a newer ingot" : "");
	return 0;
}

static int run(const struct invocation *in)
{
	AUTO(arena) struct arena *a = arena_new();
	struct required_plugin *plugins;
	size_t n;
	int code = 0;

	if (plugins_of_template(in, a, &plugins, &n) < 0)
		return 1;
	for (size_t i = 0; i < n; i++)
		if (check_one(in, &plugins[i]) < 0)
			code = 1;
	if (!n)
		ui_say(in, "%s requires no plugins: there is nothing to do.", in->args[0]);
	return code;
}

static const struct flag flags[] = {
	{ "upgrade", FLAG_BOOL, .doc = "Also say where newer versions come from." },
	{ "force", FLAG_BOOL,
	  .doc = "Accepted for compatibility; built-in plugins are never reinstalled." },
};

const struct command command_init = {
	.name = "init",
	.arguments = "[options] TEMPLATE",
	.summary = "Check that the plugins required by a template are available",
	.description =
		"Reads the required_plugins blocks of an HCL2 template. The amazon plugin is "
		"built in and satisfies any version constraint, without a download. Any other "
		"plugin is an error until ingot can run plugins.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.more_flags = template_flags,
	.nmore_flags = NTEMPLATE_FLAGS,
	.more_hidden = true,
	.min_args = 1,
	.max_args = 1,
	.packer = true,
	.run = run,
};
