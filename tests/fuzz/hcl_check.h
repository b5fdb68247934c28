/* What the fuzz targets of HCL check of any tree: places lie inside the text, and the tree can be
 * walked. */
#ifndef INGOT_TESTS_HCL_CHECK_H
#define INGOT_TESTS_HCL_CHECK_H

#include "lang/hcl/hcl.h"

static void check_span(struct span s)
{
	if (s.src && (s.from > s.to || s.to > s.src->text.n))
		abort();
}

static void check_diags(const struct diags *d, size_t result_errors)
{
	for (size_t i = 0; i < d->n; i++)
		check_span(d->v[i].span);
	if ((d->errors > 0) != (result_errors > 0))
		abort();
}

static void check_reference(void *data, const struct hcl_expr *ref)
{
	struct str names[4];

	check_span(ref->span);
	*(size_t *)data += hcl_traversal_names(ref, names, ARRAY_LEN(names));
}

static void check_expr(const struct hcl_expr *x)
{
	size_t names = 0;

	check_span(x->span);
	hcl_each_reference(x, check_reference, &names);
	hcl_keyword(x);
}

static const char *const check_labels[] = { "x", "y", NULL };
static const struct hcl_schema_attr check_attrs[] = { { "a", true }, { "b", false } };
static const struct hcl_schema_block check_blocks[] = { { "c", NULL }, { "d", check_labels } };
static const struct hcl_schema check_schema UNUSED = {
	.attrs = check_attrs, .nattrs = 2, .blocks = check_blocks, .nblocks = 2, .open = true,
};

static UNUSED void check_body(struct arena *a, const struct hcl_body *body, struct diags *d,
			      unsigned depth)
{
	struct hcl_content c;

	check_span(body->span);
	check_span(body->end);
	hcl_attributes(a, body, d, &c);
	for (size_t i = 0; i < c.nattrs; i++)
		check_expr(c.attrs[i].expr);
	hcl_content(a, body, &check_schema, d, &c);
	for (size_t i = 0; i < c.nattrs; i++) {
		check_expr(c.attrs[i].expr);
		hcl_as_native(a, c.attrs[i].expr, d);
	}
	for (size_t i = 0; i < c.nblocks && depth < 8; i++)
		check_body(a, c.blocks[i].body, d, depth + 1);
}

#endif
