/* -var, -var-file, -only, -except, -config-type: rows and their way into struct template_args. */
#include "command/template_flags.h"

#include "command/components.h"

#include "base/str.h"

static const char *const config_types[] = { "json", "hcl2", NULL };

const struct flag template_flags[NTEMPLATE_FLAGS] = {
	{ "var", FLAG_PAIR, "name=value",
	  .doc = "Set a template variable. May be repeated." },
	{ "var-file", FLAG_REPEAT, "path",
	  .doc = "Read variables from a file. May be repeated; later files win over earlier "
		 "ones, and -var over files." },
	{ "only", FLAG_LIST, "a,b", .doc = "Run only the builds with these names." },
	{ "except", FLAG_LIST, "a,b",
	  .doc = "Skip the builds and post-processors with these names." },
	{ "config-type", FLAG_STRING, "json|hcl2", .choices = config_types,
	  .doc = "Language of the template, where its file name does not tell." },
	{ "machine-readable", FLAG_BOOL,
	  .doc = "Print machine-readable output. Unlike other flags, it may stand anywhere." },
};

static char **list_or_null(const struct flags *f, const char *name)
{
	char *const *list = flags_list(f, name);

	return *list ? (char **)list : NULL;
}

static size_t list_len(char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

void template_args_from(const struct invocation *in, struct arena *a, struct template_args *ret)
{
	char *const *vars = flags_list(in->flags, "var");
	char *const *files = flags_list(in->flags, "var-file");

	/* Without a path, and for an empty one, the reference has a default template. */
	ret->path = in->nargs && *in->args[0] ? in->args[0] : NULL;
	ret->config_type = flags_string(in->flags, "config-type");
	ret->nvars = list_len(vars);
	ret->vars = arena_alloc(a, sizeof(*ret->vars) * (ret->nvars + 1));
	for (size_t i = 0; i < ret->nvars; i++) {
		const char *eq = strchr(vars[i], '=');

		ret->vars[i].name = arena_strndup(a, vars[i], (size_t)(eq - vars[i]));
		ret->vars[i].value = arena_strdup(a, eq + 1);
	}
	ret->var_files = (char **)files;
	ret->nvar_files = list_len(files);
	ret->only = list_or_null(in->flags, "only");
	ret->except = list_or_null(in->flags, "except");
	ret->registry = &components;
}
