/* plugins: the group of commands around plugins, and what they share with init. */
#include "command/plugins_common.h"
#include "command/template_flags.h"
#include "command/ui.h"

#include "base/os.h"
#include "template/plugin_source.h"
#include "template/version.h"

int plugins_of_template(const struct invocation *in, struct arena *a, struct required_plugin **ret,
			size_t *ret_n)
{
	struct template_args args = { 0 };
	struct diags d;
	int rc;

	diags_init(&d, a);
	template_args_from(in, a, &args);
	if (args.path && !streq(args.path, "-") && !os_exists(args.path)) {
		ui_error(in, "%s%s: no such file or directory",
			 template_is_hcl(&args) ? "Error: " : "", args.path);
		return -1;
	}
	if (!template_is_hcl(&args)) {
		ui_error(in,
			 "Error: \"%s\" is a JSON template, which cannot require plugins\n\nThis "
			 "command is for HCL2 templates. The amazon plugin is built in.",
			 in->args[0]);
		return -1;
	}
	rc = template_plugins(&args, a, &d, ret, ret_n);
	ui_diags(in, &d, DIAG_WARNING, NULL);
	return rc < 0 || d.errors ? -1 : 0;
}

int plugins_list(const struct invocation *in, const char *source, const char *constraints,
		 struct plugin_files *ret)
{
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *dir = NULL;

	if (plugin_directory(&dir, &err) == 0 &&
	    plugin_list(dir, source, constraints, ret, &err) == 0)
		return 0;
	ui_error(in, "%s", err.msg);
	return -1;
}

int plugins_check_arguments(const struct invocation *in, const char *source, const char *version)
{
	const char *problem = plugin_source_problem(source);
	bool fits, pre;

	if (problem) {
		ui_error(in,
			 "\"%s\" is not a plugin source: %s, as in "
			 "\"github.com/hashicorp/amazon\".",
			 source, problem);
		return -1;
	}
	if (version && !version_satisfies(STR("1.0.0"), str_from(version), &fits, &pre)) {
		ui_error(in,
			 "%s is not a version constraint, such as \"1.2.3\" or \">= 1.2, < 2\".",
			 version);
		return -1;
	}
	return 0;
}

const struct command command_plugins = {
	.name = "plugins",
	.arguments = "<subcommand> [options] [args]",
	.summary = "Manage plugins",
	.description = "The amazon plugin is built in. These commands show which plugins a "
		       "template requires and which are installed on this machine; ingot cannot "
		       "run them yet.",
	.max_args = -1,
	.packer = true,
};
