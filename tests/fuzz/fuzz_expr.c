/* HCL expressions: parsed, evaluated with values of every kind in scope, written as HCL and read
 * back. */
#include "lang/expr/eval.h"
#include "lang/expr/print.h"
#include "lang/hcl/hcl.h"

#define STEPS 20000 /* enough for any case, and soon over */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct span none;

static size_t fill_scope(struct arena *a, struct value_attr *v)
{
	struct value ab[2] = {value_string(STR("b"), none), value_string(STR("a"), none)};
	struct value_attr xy[2] = {{.key = STR("x"), .value = ab[0]},
				   {.key = STR("y"), .value = value_i64(a, 2, none)}};
	const struct value_attr all[] = {
	    {.key = STR("u"), .value = value_unknown(none)},
	    {.key = STR("us"), .value = value_unknown_of(&type_string, none)},
	    {.key = STR("ul"), .value = value_unknown_of(&type_list_string, none)},
	    {.key = STR("s"), .value = value_mark(ab[0], true)},
	    {.key = STR("l"), .value = value_list(a, NULL, ab, 2, none)},
	    {.key = STR("st"), .value = value_set(a, NULL, ab, 2, none)},
	    {.key = STR("m"), .value = value_map(a, NULL, xy, 1, none)},
	    {.key = STR("o"), .value = value_object(a, xy, 2, none)},
	    {.key = STR("ns"), .value = value_null_of(&type_string, none)},
	};

	memcpy(v, all, sizeof(all));
	return ARRAY_LEN(all);
}

/* Functions that depend on nothing but their arguments, and are soon done. */
static const struct func_group *const *pure_groups(void)
{
	static const struct func_group *groups[64];

	if (!groups[0])
		for (size_t i = 0, n = 0; func_groups[i]; i++)
			if (!streq(func_groups[i]->name, "Files and paths") &&
			    !streq(func_groups[i]->name, "Hash and crypto") &&
			    n < ARRAY_LEN(groups) - 1)
				groups[n++] = func_groups[i];
	return groups;
}

static int evaluate(struct arena *a, struct str text, const struct eval_scope *scope,
		    struct diags *d, struct value *ret)
{
	struct eval e = {.arena = a,
			 .diags = d,
			 .scope = scope,
			 .funcs = pure_groups(),
			 .steps = EVAL_STEPS_MAX - STEPS};
	struct hcl_expr *x;

	diags_init(d, a);
	if (hcl_parse_expr(a, source_new(a, "fuzz", text), d, &x) < 0)
		return -1;
	return eval_expr(&e, x, ret);
}

static void check_places(const struct diags *d, size_t n)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].span.from > d->v[i].span.to || d->v[i].span.to > n)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(arena) struct arena *a = arena_new();
	struct value_attr names[16];
	struct eval_scope scope = {.v = names, .n = fill_scope(a, names)};
	struct value v, back, same;
	AUTO(buf) struct buf out = BUF_INIT, shown = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct diags d;

	if (evaluate(a, (struct str){(const char *)data, n}, &scope, &d, &v) < 0) {
		if (!d.errors)
			abort();
		check_places(&d, n);
		diags_render(&d, &out);
		return 0;
	}
	value_write_shown(&shown, v, NULL);
	if (value_has_unknown(v) || value_has_sensitive(v) ||
	    value_write_jsonencode(&shown, v, &err) < 0)
		return 0;
	value_write_hcl(&out, v);
	if (evaluate(a, buf_str(&out), NULL, &d, &back) < 0 ||
	    value_convert(a, back, type_of(a, v), &same, &err) < 0 || !value_equal(v, same))
		abort();
	return 0;
}
