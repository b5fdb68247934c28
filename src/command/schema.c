/* schema: JSON Schema of templates and of a component's options, for editors and pipelines. */
#include "command/command.h"
#include "command/components.h"
#include "command/ui.h"

#include "base/str.h"
#include "template/schema.h"

/* Data sources are "data" in templates. */
static const char *word_of(const struct component *c)
{
	return streq(c->kind, "data source") ? "data" : c->kind;
}

/* How many components have that name, a type or KIND.TYPE; *ret: the last of them. */
static size_t find(const struct component_list *list, const char *name,
		   const struct component **ret)
{
	size_t found = 0;

	for (size_t i = 0; i < list->rows.n; i++) {
		const struct component *c = &list->rows.v[i];
		auto_free char *full = xasprintf("%s.%s", word_of(c), c->type);

		if (!streq(name, full) && !streq(name, c->type))
			continue;
		*ret = c;
		found++;
	}
	return found;
}

static const char *nearest(const struct component_list *list, const char *name)
{
	auto_free const char **types = xcalloc(list->rows.n, sizeof(*types));

	for (size_t i = 0; i < list->rows.n; i++)
		types[i] = list->rows.v[i].type;
	return str_nearest(name, types, list->rows.n);
}

static int print_component(const struct invocation *in, const char *name, struct buf *out)
{
	AUTO(component_list) struct component_list list;
	const struct component *c = NULL;
	const char *near;
	size_t found;

	components_list(&list);
	found = find(&list, name, &c);
	if (found == 1) {
		component_write_schema(c->spec, word_of(c), out);
		return 0;
	}
	near = nearest(&list, name);
	if (found)
		ui_error(in, "There are %zu components named '%s'; say which one, as in '%s.%s'.",
			 found, name, word_of(c), name);
	else if (near)
		ui_error(in, "There is no component '%s'; did you mean '%s'?", name, near);
	else
		ui_error(in, "There is no component '%s'. `%s docs` lists them all.", name,
			 in->program);
	return 1;
}

static int run(const struct invocation *in)
{
	AUTO(buf) struct buf out = BUF_INIT;

	if (in->nargs && flags_bool(in->flags, "legacy")) {
		ui_error(in,
			 "-legacy prints the schema of a whole template: remove it, or the "
			 "argument '%s'.",
			 in->args[0]);
		return 1;
	}
	if (in->nargs && print_component(in, in->args[0], &out))
		return 1;
	if (!in->nargs)
		template_write_schema(&components,
				      flags_bool(in->flags, "legacy") ? SCHEMA_LEGACY : SCHEMA_HCL,
				      &out);
	ui_write(buf_str(&out));
	return 0;
}

static void complete(struct buf *out)
{
	AUTO(component_list) struct component_list list;

	components_list(&list);
	for (size_t i = 0; i < list.rows.n; i++)
		buf_printf(out, " %s", list.rows.v[i].type);
}

static const struct flag flags[] = {
	{ .name = "legacy",
	  .type = FLAG_BOOL,
	  .doc = "Print the schema of legacy JSON templates instead of .pkr.json files." },
};

const struct command command_schema = {
	.name = "schema",
	.arguments = "[options] [COMPONENT]",
	.summary = "Print the JSON Schema of templates or components",
	.description = "Without an argument, it prints the schema of .pkr.json files or, with "
		       "-legacy, of legacy JSON templates. With one, it prints the schema of "
		       "that component's options. If several components share the name, write "
		       "builder.NAME, provisioner.NAME, post-processor.NAME or data.NAME.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.max_args = 1,
	.complete = complete,
	.run = run,
};
