/* fix: a legacy template as this version wants it, on standard output. The text is data: byte for
 * byte as the reference writes it, with an empty line at its end. */
#include "command/command.h"
#include "command/legacy_text.h"
#include "command/template_flags.h"
#include "command/ui.h"

#include "template/upgrade/fix.h"

static int fail_with(const struct invocation *in, const struct diags *d, const struct err *err)
{
	ui_diags(in, d, DIAG_ERROR, NULL);
	if (err_any(err))
		ui_error(in, "%s", err->msg);
	return 1;
}

static int run(const struct invocation *in)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf text = BUF_INIT, fixed = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct source *src;
	struct diags d;

	diags_init(&d, a);
	if (legacy_text_read(in->args[0], &text, &err) < 0)
		return fail_with(in, &d, &err);
	src = source_new(a, in->args[0], arena_str(a, buf_str(&text)));
	if (template_fix(a, src, &d, &fixed, &err) < 0)
		return fail_with(in, &d, &err);
	ui_say(in, "%s", buf_cstr(&fixed));
	if (!flags_bool(in->flags, "validate"))
		return 0;
	src = source_new(a, "the fixed template", arena_str(a, buf_str(&fixed)));
	if (template_fix_check(a, src, &d) < 0)
		return fail_with(in, &d, &err);
	return 0;
}

static const struct flag flags[] = {
	{ "validate", FLAG_BOOL, .def = "true",
	  .doc = "Do not check the fixed template, only print it." },
};

const struct command command_fix = {
	.name = "fix",
	.arguments = "[options] TEMPLATE",
	.summary = "Update the old names in a JSON template",
	.description = "Prints a legacy JSON template with outdated component and option names "
		       "replaced by the current ones. The file itself is not changed.",
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
