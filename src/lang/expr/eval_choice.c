/* The conditional: both results are evaluated, for their common type; the mistakes of the one that
 * is not taken do not count. */
#include "lang/expr/evaluate.h"
#include "lang/expr/refine.h"

/* How the types of the two results differ, for the message. */
static const char *difference(struct arena *a, const struct type *yes, const struct type *no)
{
	struct str y = type_phrase(a, yes), n = type_phrase(a, no);

	if (yes->kind == TYPE_OBJECT && no->kind == TYPE_OBJECT) {
		for (size_t i = 0; i < yes->n; i++) {
			const struct type_attr *other = type_attr_find(no, yes->attrs[i].name);

			if (!other)
				return arena_printf(
				    a, "only the first has the attribute \"" STR_FMT "\"",
				    STR_ARG(yes->attrs[i].name));
			if (!type_equal(yes->attrs[i].type, other->type))
				return arena_printf(a, "attribute \"" STR_FMT "\": %s",
						    STR_ARG(other->name),
						    difference(a, yes->attrs[i].type, other->type));
		}
		for (size_t i = 0; i < no->n; i++)
			if (!type_attr_find(yes, no->attrs[i].name))
				return arena_printf(
				    a, "only the second has the attribute \"" STR_FMT "\"",
				    STR_ARG(no->attrs[i].name));
	}
	if (yes->kind == TYPE_TUPLE && no->kind == TYPE_TUPLE) {
		if (yes->n != no->n)
			return arena_printf(a, "the first has %zu elements, the second %zu", yes->n,
					    no->n);
		for (size_t i = 0; i < yes->n; i++)
			if (!type_equal(yes->elems[i], no->elems[i]))
				return arena_printf(a, "element %zu: %s", i,
						    difference(a, yes->elems[i], no->elems[i]));
	}
	if (yes->elem && yes->kind == no->kind &&
	    (yes->elem->kind == TYPE_OBJECT || yes->elem->kind == TYPE_TUPLE))
		return arena_printf(a, "their elements: %s", difference(a, yes->elem, no->elem));
	return arena_printf(a, "the first is " STR_FMT ", the second " STR_FMT, STR_ARG(y),
			    STR_ARG(n));
}

static bool is_plain_null(struct value v)
{
	return v.kind == VALUE_NULL && !v.type && !v.sensitive;
}

/* The type of the result, which both sides can have; NULL: there is none. */
static const struct type *common_type(struct eval *e, struct value yes, struct value no)
{
	const struct type *types[2] = {type_of(e->arena, yes), type_of(e->arena, no)};

	if (is_plain_null(yes))
		return types[1];
	if (is_plain_null(no))
		return types[0];
	if (types[0]->kind == TYPE_ANY || types[1]->kind == TYPE_ANY)
		return &type_any;
	return type_unify(e->arena, types, 2);
}

/* The condition as true (1) or false (0); -1: not known; -2: it is none, which is reported. */
static int condition(struct eval *e, const struct hcl_expr *x, struct value *v)
{
	AUTO(err) struct err err = ERR_INIT;

	if (v->kind == VALUE_NULL) {
		diag_detail(
		    e->diags,
		    eval_error(e, x->choice.cond->span, x, x->choice.cond, "The condition is null"),
		    "It must be true or false.");
		return -2;
	}
	if (v->kind == VALUE_UNKNOWN)
		return -1;
	if (value_convert(e->arena, *v, &type_bool, v, &err) < 0) {
		diag_detail(e->diags,
			    eval_error(e, x->choice.cond->span, x, x->choice.cond,
				       "The condition is neither true nor false"),
			    "%s", eval_sentence(e, err.msg));
		return -2;
	}
	return v->boolean;
}

/* An unknown result, with what is known of both that it may be. */
static struct value either(struct arena *a, struct value yes, struct value no, struct value ret)
{
	struct refinement y = value_range(yes), n = value_range(no),
			  r = {.not_null = y.not_null && n.not_null, .len_max = REFINE_LEN_ANY};
	const struct type *ty = type_of(a, yes), *tn = type_of(a, no);

	if (ty->kind == TYPE_NUMBER && tn->kind == TYPE_NUMBER) {
		if (y.min && n.min)
			r.min = mpfr_cmp(y.min->v, n.min->v) < 0 ? y.min : n.min;
		if (y.max && n.max)
			r.max = mpfr_cmp(y.max->v, n.max->v) > 0 ? y.max : n.max;
	} else if (ty->elem && type_equal(ty, tn)) {
		r.len_min = MIN(y.len_min, n.len_min);
		r.len_max = MAX(y.len_max, n.len_max);
	}
	return value_refine(a, ret, &r);
}

struct value eval_conditional(struct eval *e, const struct hcl_expr *x)
{
	AUTO(err) struct err err = ERR_INIT;
	struct diags dyes, dno;
	struct value yes = eval_apart(e, x->choice.yes, &dyes),
		     no = eval_apart(e, x->choice.no, &dno), cond, ret;
	const struct type *t = common_type(e, yes, no);
	const struct hcl_expr *taken;
	bool marked;
	int way;

	if (!t) {
		struct span both = {x->choice.yes->span.src,
				    MIN(x->choice.yes->span.from, x->choice.no->span.from),
				    MAX(x->choice.yes->span.to, x->choice.no->span.to)};

		diag_detail(
		    e->diags,
		    eval_error(e, both, x, NULL, "The two results of ? : have no type in common"),
		    "Whatever the condition is, the result has one type: %s.",
		    difference(e->arena, type_of(e->arena, yes), type_of(e->arena, no)));
		return value_unknown(x->span);
	}
	cond = eval_any(e, x->choice.cond);
	marked = cond.sensitive || yes.sensitive || no.sensitive;
	way = condition(e, x, &cond);
	if (way == -1 && yes.kind == VALUE_NULL && no.kind == VALUE_NULL)
		return value_mark(value_null_of(t, x->span), marked);
	if (way == -1)
		return value_mark(either(e->arena, yes, no, value_unknown_of(t, x->span)), marked);
	if (way < 0)
		return value_mark(value_unknown_of(t, x->span), marked);
	diags_add(e->diags, way ? &dyes : &dno, NULL);
	taken = way ? x->choice.yes : x->choice.no;
	if (value_convert(e->arena, way ? yes : no, t, &ret, &err) < 0) {
		diag_detail(
		    e->diags,
		    eval_error(e, taken->span, x, taken, "This result does not fit the other one"),
		    "%s", eval_sentence(e, err.msg));
		ret = value_unknown_of(t, x->span);
	}
	return value_mark(ret, marked);
}
