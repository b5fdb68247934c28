/* validate: reads a template as build does, and runs nothing. */
#include "command/command.h"
#include "command/template_flags.h"
#include "command/ui.h"

static struct redact *secrets_of(const struct plan *p)
{
	struct redact *r = redact_new();

	for (size_t i = 0; i < p->nsecrets; i++)
		redact_add(r, str_from(p->secrets[i]));
	return r;
}

static bool lenient(const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].lenient)
			return true;
	return false;
}

static int run(const struct invocation *in)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(err) struct err err = ERR_INIT;
	AUTO(plan) struct plan *plan = NULL;
	AUTO(redact) struct redact *secrets = NULL;
	struct template_args args = {
		.syntax_only = flags_bool(in->flags, "syntax-only"),
		.run_data = flags_bool(in->flags, "evaluate-datasources"),
		.sequential = flags_bool(in->flags, "use-sequential-evaluation"),
		.warn_undeclared = !flags_bool(in->flags, "no-warn-undeclared-var"),
		.strict = flags_bool(in->flags, "strict"),
	};
	int rc;

	template_args_from(in, a, &args);
	rc = template_load(&args, &plan, &err);
	secrets = secrets_of(plan);
	ui_diags(in, &plan->diags, DIAG_WARNING, secrets);
	if (err_any(&err))
		ui_error(in, "%s", err.msg);
	if (rc < 0 || plan->diags.errors)
		return 1;
	if (flags_bool(in->flags, "strict") && lenient(&plan->diags)) {
		ui_error(in,
			 "Not valid with -strict: Packer would refuse what the warnings above "
			 "name.");
		return 1;
	}
	ui_say(in, args.syntax_only ? "Syntax-only check passed. Everything looks okay."
				    : "The configuration is valid.");
	return 0;
}

static const struct flag flags[] = {
	{ "syntax-only", FLAG_BOOL,
	  .doc = "Check only the syntax and structure, not variables and options." },
	{ "no-warn-undeclared-var", FLAG_BOOL,
	  .doc = "Do not warn about variables in variable files that the template does not "
		 "declare." },
	{ "strict", FLAG_BOOL,
	  .doc = "Fail where ingot only warns but Packer would refuse." },
	{ "evaluate-datasources", FLAG_BOOL,
	  .doc = "Read the data sources too; otherwise their values are unknown." },
	{ "ignore-prerelease-plugins", FLAG_BOOL,
	  .doc = "Accepted for compatibility; has no effect, as there are no plugins to choose "
		 "from." },
	{ "use-sequential-evaluation", FLAG_BOOL,
	  .doc = "Evaluate data sources one at a time instead of in parallel." },
};

const struct command command_validate = {
	.name = "validate",
	.arguments = "[options] TEMPLATE",
	.summary = "Check a template",
	.description = "Checks a template, its variables and the options of all selected builds, "
		       "and shows every error with its file, line and column. It uses neither "
		       "network nor account unless -evaluate-datasources is given.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.more_flags = template_flags,
	.nmore_flags = NTEMPLATE_FLAGS,
	.min_args = 1,
	.max_args = 1,
	.packer = true,
	.run = run,
};
