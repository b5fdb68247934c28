/* fix: a legacy template as this version wants it, on standard output. The text is data: byte for
 * byte as the reference writes it, with an empty line at its end. */
#include "command/command.h"
#include "command/template_flags.h"
#include "command/ui.h"

#include "base/os.h"
#include "lang/jsontext/jsontext.h"
#include "template/fix.h"

#include <unistd.h>

static int fail_with(const struct invocation *in, const struct diags *d, const struct err *err)
{
	for (size_t i = 0; i < d->n; i++) {
		AUTO(buf) struct buf text = BUF_INIT;

		if (d->v[i].severity != DIAG_ERROR)
			continue;
		diag_render(&d->v[i], &text);
		ui_error(in, "%s", buf_cstr(&text));
	}
	if (err_any(err))
		ui_error(in, "%s", err->msg);
	return 1;
}

static int read_template(const char *path, struct buf *ret, struct err *err)
{
	if (streq(path, "-"))
		return os_read_fd(STDIN_FILENO, "standard input", JSONTEXT_SIZE_MAX, ret, err);
	if (ends_with(path, ".pkr.hcl") || ends_with(path, ".pkr.json") || os_is_dir(path))
		return err_set(err, ERR_INVALID,
			       "%s: fix is for legacy JSON templates, not for HCL2", path);
	return os_read_file(path, JSONTEXT_SIZE_MAX, ret, err);
}

static int run(const struct invocation *in)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf text = BUF_INIT, fixed = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct source *src;
	struct diags d;

	diags_init(&d, a);
	if (read_template(in->args[0], &text, &err) < 0)
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
	  .doc = "Check the form of the fixed template; -validate=false only prints it." },
};

const struct command command_fix = {
	.name = "fix",
	.arguments = "[options] TEMPLATE",
	.summary = "Bring an old JSON template up to date",
	.description = "Reads a legacy JSON template and prints it with old names of types and "
		       "options replaced by "
		       "those of today. The file itself is not changed.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.more_flags = template_flags,
	.nmore_flags = NTEMPLATE_FLAGS,
	.min_args = 1,
	.max_args = 1,
	.packer = true,
	.run = run,
};
