/* Old templates made new: hcl2_upgrade gives HCL that can be read where it found no mistake, and
 * what fix has written has nothing left to fix. */
#include "components.h"

#include "lang/hcl/format.h"
#include "lang/hcl/hcl.h"
#include "template/upgrade/fix.h"
#include "template/upgrade/upgrade.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void upgrade(struct arena *a, struct str text)
{
	const struct upgrade_args args = { .registry = &registry, .annotate = text.n & 1 };
	AUTO(buf) struct buf out = BUF_INIT, formatted = BUF_INIT;
	struct hcl_body *body;
	struct diags d, mistakes;

	diags_init(&d, a);
	diags_init(&mistakes, a);
	if (template_upgrade(a, source_new(a, "t", text), &args, &d, &out) < 0) {
		if (!d.errors)
			abort();
		return;
	}
	if (d.errors)
		return;
	if (hcl_parse(a, source_new(a, "new", buf_str(&out)), &mistakes, &body) < 0)
		abort();
	hcl_format(buf_str(&out), &formatted);
	if (!str_eq(buf_str(&out), buf_str(&formatted)))
		abort(); /* it is laid out */
}

static void fix(struct arena *a, struct str text)
{
	AUTO(buf) struct buf once = BUF_INIT, twice = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct diags d;

	diags_init(&d, a);
	if (template_fix(a, source_new(a, "t", text), &d, &once, &err) < 0) {
		if (!d.errors && !err_any(&err))
			abort();
		return;
	}
	if (template_fix(a, source_new(a, "once", buf_str(&once)), &d, &twice, &err) < 0 ||
	    !str_eq(buf_str(&once), buf_str(&twice)))
		abort();
	if (template_fix_check(a, source_new(a, "once", buf_str(&once)), &d) < 0 && !d.errors)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(arena) struct arena *a = arena_new();
	struct str text = { (const char *)data, n };

	upgrade(a, text);
	fix(a, text);
	return 0;
}
