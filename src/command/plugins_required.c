/* plugins required: the plugins that a template asks for, and where they are. */
#include "command/plugins_common.h"
#include "command/template_flags.h"
#include "command/ui.h"

#include "lang/expr/gotext.h"

static int say_one(const struct invocation *in, const struct required_plugin *p)
{
	AUTO(plugin_files) struct plugin_files files = { 0 };
	AUTO(buf) struct buf line = BUF_INIT;

	if (plugins_list(in, p->source, p->version, &files) < 0)
		return -1;
	buf_printf(&line, "%s %s ", p->name, p->source);
	gotext_quote(&line, str_from(p->version ? p->version : ""), false);
	if (p->builtin)
		buf_adds(&line, " (built in)");
	for (size_t i = files.v.n; i-- > 0;)
		buf_printf(&line, " %s", files.v.v[i].path);
	ui_message(in, buf_str(&line));
	return 0;
}

static int run(const struct invocation *in)
{
	AUTO(arena) struct arena *a = arena_new();
	struct required_plugin *plugins;
	size_t n;

	if (plugins_of_template(in, a, &plugins, &n) < 0)
		return 1;
	for (size_t i = 0; i < n; i++)
		if (say_one(in, &plugins[i]) < 0)
			return 1;
	if (!n)
		ui_say(in, "%s requires no plugins.", in->args[0]);
	return 0;
}

const struct command command_plugins_required = {
	.name = "required",
	.parent = "plugins",
	.arguments = "<path>",
	.summary = "List the plugins that a template requires",
	.description =
		"Prints a line for each plugin in the required_plugins blocks: its name in the "
		"template, its source, the version constraint, and the paths of the binaries on "
		"this machine that match.",
	.more_flags = template_flags,
	.nmore_flags = NTEMPLATE_FLAGS,
	.more_hidden = true,
	.min_args = 1,
	.max_args = 1,
	.packer = true,
	.run = run,
};
