/* inspect: what stands in a template. The output is data that scripts read: byte for byte the
 * reference's. */
#include "command/command.h"
#include "command/template_flags.h"
#include "command/ui.h"

struct listing {
	const struct invocation *in;
	struct outline *o;
	const struct redact *secrets;
	struct arena *arena;
};

/* The text without the secrets that stand in it. */
static const char *shown(const struct listing *l, const char *text)
{
	AUTO(buf) struct buf out = BUF_INIT;

	redact_text(l->secrets, str_from(text), &out);
	return arena_strdup(l->arena, buf_cstr(&out));
}

static const char *shown_default(const struct listing *l, const struct outline_variable *v)
{
	const struct outline *o = l->o;

	/* The reference compares values, not names: so another variable of the same default is
	 * hidden too. */
	for (size_t i = 0; i < o->nvariables; i++)
		if (o->variables[i].sensitive &&
		    streq(o->variables[i].def ? o->variables[i].def : "", v->def ? v->def : ""))
			return REDACT_MARK;
	return shown(l, v->def ? v->def : "");
}

static int compare_variables(const void *a, const void *b)
{
	return strcmp(((const struct outline_variable *)a)->name,
		      ((const struct outline_variable *)b)->name);
}

static int compare_builders(const void *a, const void *b)
{
	return strcmp(((const struct outline_builder *)a)->name,
		      ((const struct outline_builder *)b)->name);
}

static void say_required(const struct listing *l)
{
	const struct invocation *in = l->in;
	const struct outline *o = l->o;
	bool header = false;

	for (size_t i = 0; i < o->nvariables; i++) {
		const struct outline_variable *v = &o->variables[i];

		if (v->def)
			continue;
		if (!header)
			ui_say(in, "Required variables:\n");
		header = true;
		ui_machine(in, NULL, "template-variable", shown(l, v->name),
			   shown_default(l, v), "1", NULL);
		ui_say(in, "  %s", shown(l, v->name));
	}
	if (header)
		ui_say(in, "%s", "");
}

static void say_variables(const struct listing *l)
{
	const struct invocation *in = l->in;
	struct outline *o = l->o;
	size_t width = 0;

	if (!o->nvariables) {
		ui_say(in, "Variables:\n");
		ui_say(in, "  <No variables>");
		return;
	}
	say_required(l);
	ui_say(in, "Optional variables and their defaults:\n");
	qsort(o->variables, o->nvariables, sizeof(*o->variables), compare_variables);
	for (size_t i = 0; i < o->nvariables; i++)
		width = MAX(width, strlen(o->variables[i].name));
	for (size_t i = 0; i < o->nvariables; i++) {
		const struct outline_variable *v = &o->variables[i];

		if (!v->def)
			continue;
		ui_machine(in, NULL, "template-variable", shown(l, v->name),
			   shown_default(l, v), "0", NULL);
		ui_say(in, "  %s%*s = %s", shown(l, v->name), (int)(width - strlen(v->name)),
		       "", shown_default(l, v));
	}
}

static void say_builders(const struct listing *l)
{
	const struct invocation *in = l->in;
	struct outline *o = l->o;
	size_t width = 0;

	ui_say(in, "Builders:\n");
	if (!o->nbuilders)
		ui_say(in, "  <No builders>");
	qsort(o->builders, o->nbuilders, sizeof(*o->builders), compare_builders);
	for (size_t i = 0; i < o->nbuilders; i++)
		width = MAX(width, strlen(o->builders[i].name));
	for (size_t i = 0; i < o->nbuilders; i++) {
		const struct outline_builder *b = &o->builders[i];
		bool named = !streq(b->name, b->type);

		ui_machine(in, NULL, "template-builder", shown(l, b->name), b->type, NULL);
		ui_say(in, "  %s%*s%s%s%s", shown(l, b->name),
		       (int)(width - strlen(b->name)), "", named ? " (" : "",
		       named ? b->type : "", named ? ")" : "");
	}
}

static void say_outline(const struct listing *l)
{
	const struct invocation *in = l->in;
	struct outline *o = l->o;

	ui_say(in, "Packer Inspect: JSON mode");
	if (o->description && *o->description) {
		ui_say(in, "Description:\n");
		ui_say(in, "%s\n", shown(l, o->description));
	}
	say_variables(l);
	ui_say(in, "%s", "");
	say_builders(l);
	ui_say(in, "%s", "");
	ui_say(in, "Provisioners:\n");
	if (!o->nprovisioners)
		ui_say(in, "  <No provisioners>");
	for (size_t i = 0; i < o->nprovisioners; i++) {
		const char *type = shown(l, o->provisioners[i]);

		ui_machine(in, NULL, "template-provisioner", type, NULL);
		ui_say(in, "  %s", type);
	}
	ui_say(in, "\n"
		   "Note: If your build names contain user variables or template\n"
		   "functions such as 'timestamp', these are processed at build time,\n"
		   "and therefore only show in their raw form here.");
}

static void say_json(const struct invocation *in, struct outline *o, struct arena *a)
{
	AUTO(redact) struct redact *secrets = redact_new();

	for (size_t i = 0; i < o->nsecrets; i++)
		redact_add(secrets, str_from(o->secrets[i]));
	say_outline(&(struct listing){ in, o, secrets, a });
}

static int run(const struct invocation *in)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(err) struct err err = ERR_INIT;
	struct template_args args = {
		.run_data = true,
		.sequential = flags_bool(in->flags, "use-sequential-evaluation"),
	};
	struct outline o;
	struct diags d;
	int rc;

	diags_init(&d, a);
	template_args_from(in, a, &args);
	if (in->nargs > 1) /* the reference falls back to its default template */
		args.path = NULL;
	rc = template_outline(&args, a, &d, &o, &err);
	if (rc < 0)
		ui_diags(in, &d, DIAG_ERROR, NULL);
	if (err_any(&err))
		ui_error(in, "%s", err.msg);
	if (rc < 0)
		return 1;
	if (o.listed_values) {
		ui_say(in, "Packer Inspect: HCL2 mode\n");
		ui_say(in, "%s", o.listed_values);
		ui_say(in, "%s", o.listed_builds);
	} else {
		say_json(in, &o, a);
	}
	return 0;
}

static const struct flag flags[] = {
	{ "use-sequential-evaluation", FLAG_BOOL,
	  .doc = "Evaluate data sources one at a time instead of in parallel." },
};

const struct command command_inspect = {
	.name = "inspect",
	.arguments = "TEMPLATE",
	.summary = "Show the contents of a template",
	.description =
		"Lists the variables, builds and provisioners of a template. A JSON template is "
		"shown as written; an HCL2 template is shown with its values, for which its data "
		"sources are read. Without a template, or with two, it shows an empty one.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.more_flags = template_flags,
	.nmore_flags = NTEMPLATE_FLAGS,
	.min_args = 0,
	.max_args = -1,
	.packer = true,
	.run = run,
};
