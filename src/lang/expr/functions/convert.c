/* try, can and convert: they get their arguments unevaluated. */
#include "lang/expr/evaluate.h"
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"

/* Evaluates with the mistakes kept apart. False if there are any, or if the evaluation must come to
 * an end, which nobody catches: its error goes where it belongs. */
static bool attempt(struct func_call *c, const struct hcl_expr *x, struct diags *d,
		    struct value *ret)
{
	struct eval apart = *c->eval;
	bool good;

	diags_init(d, c->arena);
	apart.diags = d;
	good = eval_expr(&apart, x, ret) == 0 && !d->errors;
	c->eval->steps = apart.steps;
	c->eval->exhausted = apart.exhausted;
	if (apart.exhausted)
		diags_add(c->eval->diags, d, NULL);
	return good;
}

/* One line for each mistake. */
static void tell(struct buf *out, const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diag *g = &d->v[i];

		if (g->severity != DIAG_ERROR)
			continue;
		buf_printf(out, "\n- %s", g->summary);
		if (g->span.src) {
			struct position at = source_position(g->span.src, g->span.from);

			buf_printf(out, " (%s:%u:%u)", g->span.src->name, at.line, at.column_chars);
		}
		if (g->detail)
			buf_printf(out, ". %s", g->detail);
	}
}

static int fn_try(struct func_call *c, const struct value *args UNUSED, size_t nargs UNUSED,
		  struct value *ret, struct err *err)
{
	AUTO(buf) struct buf mistakes = BUF_INIT;

	if (!c->nexprs)
		return err_set(err, ERR_INVALID, "at least one expression is needed");
	for (size_t i = 0; i < c->nexprs; i++) {
		struct diags d;

		if (!attempt(c, c->exprs[i], &d, ret)) {
			if (c->eval->exhausted)
				return -1;
			tell(&mistakes, &d);
			continue;
		}
		/* what becomes known may turn out to be a mistake yet */
		if (value_has_unknown(*ret))
			*ret = arg_marked(value_unknown_of(&type_any, c->span),
					  value_has_sensitive(*ret));
		return 0;
	}
	return err_set(err, ERR_INVALID, "none of the expressions can be evaluated:%s",
		       buf_cstr(&mistakes));
}

static int fn_can(struct func_call *c, const struct value *args UNUSED, size_t nargs UNUSED,
		  struct value *ret, struct err *err UNUSED)
{
	struct value v;
	struct diags d;

	if (!attempt(c, c->exprs[0], &d, &v)) {
		if (c->eval->exhausted)
			return -1;
		*ret = value_bool(false, c->span);
		return 0;
	}
	*ret = value_has_unknown(v) ? value_unknown_of(&type_bool, c->span)
				    : value_bool(true, c->span);
	return 0;
}

/* An error of an argument is reported where it is: -1 with err left empty. */
static int fn_convert(struct func_call *c, const struct value *args UNUSED, size_t nargs UNUSED,
		      struct value *ret, struct err *err)
{
	const struct type *want;
	struct value v, first;
	int failed;

	failed = eval_expr(c->eval, c->exprs[0], &v) < 0;
	if (eval_type_plain(c->eval, c->exprs[1], &want) < 0 || failed)
		return -1;
	c->bad_arg = 0;
	if (v.kind == VALUE_UNKNOWN) /* what was known of it is not kept */
		v.refined = NULL;
	/* Twice, as the reference does it: an optional attribute that is left out is one that the
	 * resulting type asks for. */
	if (value_convert(c->arena, v, want, &first, err) < 0)
		return -1;
	return value_convert(c->arena, v, type_of(c->arena, first), ret, err);
}

static const struct func_param can_params[] = { { "expression", &type_any } };
static const struct func_param convert_params[] = { { "value", &type_any }, { "type", &type_any } };
static const struct func_param try_params[] = { { "expressions", &type_any } };

static const struct func_example can_examples[] = { { "can({ a = 1 }.a)", "true" },
						    { "can(regex(\"^z\", \"abc\"))", "false" } };
static const struct func_example convert_examples[] = {
	{ "convert(\"5\", number)", "5" },
	{ "convert([\"1\", 2], list(number))", "[1,2]" },
	{ "convert({ a = 1 }, map(string))", "{\"a\":\"1\"}" }
};
static const struct func_example try_examples[] = { { "try({ a = 1 }.b, \"none\")", "\"none\"" },
						    { "try(convert(\"x\", number), 0)", "0" } };

static const struct func rows[] = {
	{ "can", can_params, 1, FUNC_LAZY, &type_bool, fn_can,
	  .doc = "Whether an expression can be evaluated without an error.",
	  FUNC_EXAMPLES(can_examples) },
	{ "convert", convert_params, 2, FUNC_LAZY, &type_any, fn_convert,
	  .doc = "The value as one of a type, which is written as for a variable: `number`, "
		 "`list(string)`, `object({ a = bool })`… An error where that is not possible.",
	  FUNC_EXAMPLES(convert_examples) },
	{ "try", try_params, 1, FUNC_VARIADIC | FUNC_LAZY, &type_any, fn_try,
	  .doc = "The value of the first expression that can be evaluated without an error.",
	  FUNC_EXAMPLES(try_examples) },
};

const struct func_group func_group_convert = { "Types and errors", rows, ARRAY_LEN(rows) };
