/* schema: JSON Schema of templates and of a component's options, for editors and pipelines. */
#include "command/command.h"
#include "command/components.h"
#include "command/ui.h"

#include "base/str.h"
#include "template/schema.h"

#define KINDS(DO) \
	DO("builder", components.builders) \
	DO("provisioner", components.provisioners) \
	DO("post-processor", components.postprocessors) \
	DO("data", components.datasources)

struct found {
	size_t n;
	const char *kind; /* of the last */
	const struct spec *spec;
};

/* Components of that type, or KIND.TYPE. */
static struct found find(const char *name)
{
	struct found f = { 0 };

#define LOOK(kind_, list) \
	for (size_t i = 0; (list)[i]; i++) { \
		auto_free char *full = xasprintf("%s.%s", kind_, (list)[i]->type); \
\
		if (streq(name, full) || streq(name, (list)[i]->type)) \
			f = (struct found){ f.n + 1, kind_, (list)[i]->spec }; \
	}
	KINDS(LOOK)
	return f;
}

static const char *nearest(const char *name)
{
	const char *all[256];
	size_t n = 0;

#define ADD(kind_, list) \
	for (size_t i = 0; (list)[i] && n < ARRAY_LEN(all); i++) \
		all[n++] = (list)[i]->type;
	KINDS(ADD)
	return str_nearest(name, all, n);
}

static int print_component(const struct invocation *in, const char *name, struct buf *out)
{
	struct found f = find(name);
	const char *near;

	if (f.n == 1) {
		component_write_schema(f.spec, f.kind, out);
		return 0;
	}
	near = nearest(name);
	if (f.n > 1)
		ui_error(in, "There are %zu components named '%s'; say which one, as in "
			     "'%s.%s'.", f.n, name,
			 f.kind, name);
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
		ui_error(in, "-legacy prints the schema of a whole template: remove it, or the "
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
#define WORD(kind_, list) \
	for (size_t i = 0; (list)[i]; i++) \
		buf_printf(out, " %s", (list)[i]->type);
	KINDS(WORD)
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
