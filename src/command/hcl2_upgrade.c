/* hcl2_upgrade: writes a legacy JSON template as HCL2 to a file. As scripts know it, the file is
 * made first, so that one is there (empty) also after a failure. */
#include "command/command.h"
#include "command/components.h"
#include "command/legacy_text.h"
#include "command/template_flags.h"
#include "command/ui.h"

#include "base/os.h"
#include "template/upgrade/upgrade.h"

static int make_file(const char *path, struct str text, struct err *err)
{
	const char *slash = strrchr(path, '/');
	auto_free char *dir =
		slash && slash != path ? xstrndup(path, (size_t)(slash - path)) : NULL;

	if (dir && os_mkdir_all(dir, 0755, err) < 0)
		return -1;
	return os_write_file(path, text.p, text.n, 0644, err);
}

static int upgrade(const struct invocation *in, const char *output, struct err *err)
{
	struct upgrade_args args = { .registry = &components,
				     .annotate = flags_bool(in->flags, "with-annotations") };
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf text = BUF_INIT, hcl = BUF_INIT;
	struct diags d;
	int rc;

	diags_init(&d, a);
	if (make_file(output, STR(""), err) < 0 || legacy_text_read(in->args[0], &text, err) < 0)
		return -1;
	rc = template_upgrade(a, source_new(a, in->args[0], arena_str(a, buf_str(&text))), &args,
			      &d, &hcl);
	ui_diags(in, &d, DIAG_WARNING, NULL);
	if (rc < 0)
		return err_set(err, ERR_INVALID, "%s is left empty: %s is not a JSON template",
			       output, in->args[0]);
	if (make_file(output, buf_str(&hcl), err) < 0)
		return -1;
	ui_say(in, "Wrote %s%s", output, d.errors ? ", which has errors (see above)" : "");
	return d.errors ? 1 : 0;
}

static int run(const struct invocation *in)
{
	const char *given = flags_string(in->flags, "output-file");
	auto_free char *output =
		given && *given ? xstrdup(given) : xasprintf("%s.pkr.hcl", in->args[0]);
	AUTO(err) struct err err = ERR_INIT;
	int code = upgrade(in, output, &err);

	if (code >= 0)
		return code;
	ui_error(in, "%s", err.msg);
	return 1;
}

static const struct flag flags[] = {
	{ "output-file", FLAG_STRING, "path",
	  .doc = "File to write. Default: TEMPLATE.pkr.hcl." },
	{ "with-annotations", FLAG_BOOL, .doc = "Add comments that explain the blocks." },
};

const struct command command_hcl2_upgrade = {
	.name = "hcl2_upgrade",
	.arguments = "[options] TEMPLATE",
	.summary = "Convert a JSON template to HCL2",
	.description = "Converts a legacy JSON template to an HCL2 template that builds the same "
		       "images: builders become sources, variables that call functions become "
		       "locals, AMI filters and secrets become data sources. Text that cannot be "
		       "converted is kept, with a warning.",
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
