/* Operators. Numbers are reckoned with the precision of the finer operand. */
#include "lang/expr/evaluate.h"

#include "lang/expr/refine.h"

#define SPINE_MAX 8	       /* operators in a row that need no memory of their own */
#define EXPONENT_MAX (1 << 20) /* bits: a number beyond has 300,000 digits, which nobody means */

static const char *const signs[] = {
    [HCL_OP_OR] = "||", [HCL_OP_AND] = "&&", [HCL_OP_EQ] = "==", [HCL_OP_NE] = "!=",
    [HCL_OP_LT] = "<",	[HCL_OP_LE] = "<=",  [HCL_OP_GT] = ">",	 [HCL_OP_GE] = ">=",
    [HCL_OP_ADD] = "+", [HCL_OP_SUB] = "-",  [HCL_OP_MUL] = "*", [HCL_OP_DIV] = "/",
    [HCL_OP_MOD] = "%", [HCL_OP_NOT] = "!",  [HCL_OP_NEG] = "-",
};

static bool is_arithmetic(enum hcl_op op)
{
	return op == HCL_OP_NEG || (op >= HCL_OP_ADD && op <= HCL_OP_MOD);
}

static const struct type *result_type(enum hcl_op op)
{
	return is_arithmetic(op) ? &type_number : &type_bool;
}

/* What the operator takes; any: (un)equality. */
static const struct type *operand_type(enum hcl_op op)
{
	if (op == HCL_OP_EQ || op == HCL_OP_NE)
		return &type_any;
	return op == HCL_OP_AND || op == HCL_OP_OR || op == HCL_OP_NOT ? &type_bool : &type_number;
}

static struct value unknown_result(struct eval *e, const struct hcl_expr *x)
{
	return value_not_null(e->arena, value_unknown_of(result_type(x->op.op), x->span));
}

static struct value equality(struct eval *e, const struct hcl_expr *x, struct value left,
			     struct value right)
{
	bool marked = value_has_sensitive(left) || value_has_sensitive(right);
	enum equality equal = value_same(e->arena, left, right);
	struct value ret;

	if (equal == EQUAL_OPEN)
		ret = unknown_result(e, x);
	else
		ret = value_bool((equal == EQUAL_YES) == (x->op.op == HCL_OP_EQ), x->span);
	return value_mark(ret, marked);
}

static struct value failed(struct eval *e, const struct hcl_expr *x, const char *why)
{
	diag_detail(e->diags,
		    eval_error(e, x->span, NULL, x, "%s has no result here", signs[x->op.op]), "%s",
		    why);
	return value_unknown_of(result_type(x->op.op), x->span);
}

/* The product to 512 bits, or to as many as it and its factors need. */
static struct number *multiply(struct arena *a, const struct number *x, const struct number *y)
{
	struct number *wide = number_new(a), *ret;
	mpfr_prec_t bits = MAX(mpfr_get_prec(x->v), mpfr_get_prec(y->v));

	mpfr_mul(wide->v, x->v, y->v, MPFR_RNDN);
	if (mpfr_regular_p(wide->v))
		bits = MAX(bits, mpfr_min_prec(wide->v));
	if (bits >= NUMBER_BITS)
		return wide;
	ret = number_new_bits(a, bits);
	mpfr_set(ret->v, wide->v, MPFR_RNDN);
	return ret;
}

/* x less y times the whole part of x / y, each step rounded to the precision of x. */
static const struct number *remainder_of(struct arena *a, const struct number *x,
					 const struct number *y)
{
	mpfr_prec_t bits = mpfr_get_prec(x->v);
	struct number *quotient, *ret;

	if (mpfr_zero_p(y->v))
		return x;
	quotient = number_new_bits(a, MAX(bits, mpfr_get_prec(y->v)));
	ret = number_new_bits(a, bits);
	mpfr_div(quotient->v, x->v, y->v, MPFR_RNDN);
	mpfr_trunc(quotient->v, quotient->v);
	mpfr_set(ret->v, quotient->v, MPFR_RNDN);
	mpfr_mul(ret->v, y->v, ret->v, MPFR_RNDN);
	mpfr_sub(ret->v, x->v, ret->v, MPFR_RNDN);
	return ret;
}

static struct value arithmetic(struct eval *e, const struct hcl_expr *x, const struct number *l,
			       const struct number *r)
{
	struct number *n = number_new_bits(e->arena, MAX(mpfr_get_prec(l->v), mpfr_get_prec(r->v)));
	const struct number *ret = n;

	switch (x->op.op) {
	case HCL_OP_ADD:
		mpfr_add(n->v, l->v, r->v, MPFR_RNDN);
		break;
	case HCL_OP_SUB:
		mpfr_sub(n->v, l->v, r->v, MPFR_RNDN);
		break;
	case HCL_OP_MUL:
		ret = multiply(e->arena, l, r);
		break;
	case HCL_OP_DIV:
		mpfr_div(n->v, l->v, r->v, MPFR_RNDN);
		break;
	default:
		if (mpfr_inf_p(l->v) || mpfr_inf_p(r->v))
			return failed(e, x, "There is no remainder with infinity.");
		ret = remainder_of(e->arena, l, r);
		break;
	}
	if (mpfr_nan_p(ret->v))
		return failed(e, x,
			      x->op.op == HCL_OP_DIV
				  ? "Zero by zero, and infinity by infinity, have no quotient."
			      : x->op.op == HCL_OP_MUL ? "Zero times infinity has no value."
						       : "Infinity less infinity has no value.");
	if (mpfr_regular_p(ret->v) &&
	    (mpfr_get_exp(ret->v) > EXPONENT_MAX || mpfr_get_exp(ret->v) < -EXPONENT_MAX))
		return failed(e, x, "The number would have more than 300,000 digits.");
	return (struct value){.kind = VALUE_NUMBER, .span = x->span, .number = ret};
}

/* l < r, of numbers that may be unknown but for their bounds. */
static enum equality is_less(struct value l, struct value r)
{
	struct refinement x = value_range(l), y = value_range(r);

	if (l.kind == VALUE_NUMBER && r.kind == VALUE_NUMBER)
		return mpfr_cmp(l.number->v, r.number->v) < 0 ? EQUAL_YES : EQUAL_NO;
	if (x.max && y.min && mpfr_cmp(x.max->v, y.min->v) < 0)
		return EQUAL_YES;
	return x.min && y.max && mpfr_cmp(x.min->v, y.max->v) > 0 ? EQUAL_NO : EQUAL_OPEN;
}

static struct value comparison(struct eval *e, const struct hcl_expr *x, struct value l,
			       struct value r)
{
	bool swap = x->op.op == HCL_OP_GT || x->op.op == HCL_OP_GE;
	enum equality ret = swap ? is_less(r, l) : is_less(l, r);

	if (ret != EQUAL_YES && (x->op.op == HCL_OP_LE || x->op.op == HCL_OP_GE)) {
		enum equality same = value_same(e->arena, l, r);

		if (same == EQUAL_YES || ret == EQUAL_NO)
			ret = same;
	}
	return ret == EQUAL_OPEN ? unknown_result(e, x) : value_bool(ret == EQUAL_YES, x->span);
}

/* One operand in the operator's type; false: it does not fit, which is reported. */
static bool operand(struct eval *e, const struct hcl_expr *x, const struct hcl_expr *side,
		    struct value *v)
{
	const struct type *want = operand_type(x->op.op);
	AUTO(err) struct err err = ERR_INIT;

	if (value_convert(e->arena, *v, want, v, &err) == 0)
		return true;
	diag_detail(
	    e->diags,
	    eval_error(e, side->span, x, side, "%s cannot take this operand", signs[x->op.op]),
	    "%s", eval_sentence(e, err.msg));
	return false;
}

/* && and ||: whichever side decides, decides alone, and what is wrong with the other side does not
 * matter. A null counts as false until it has to be reckoned with. (Facts: the reference.) Returns
 * whether it is decided. */
static bool short_circuit(struct eval *e, const struct hcl_expr *x, struct value l, struct value r,
			  struct diags *dl, struct diags *dr, struct value *ret)
{
	bool decisive = x->op.op == HCL_OP_OR;
	bool lk = l.kind != VALUE_UNKNOWN, rk = r.kind != VALUE_UNKNOWN;
	bool lt = l.kind == VALUE_BOOL && l.boolean, rt = r.kind == VALUE_BOOL && r.boolean;

	*ret = unknown_result(e, x);
	if (!lk && !rk) {
		if (dl->errors)
			return false;
		diags_add(e->diags, dl, NULL);
		return true;
	}
	if (lk && lt == decisive) {
		*ret = value_bool(decisive, x->span);
		diags_add(e->diags, dl, NULL);
		return true;
	}
	if (rk && rt == decisive) {
		*ret = value_bool(decisive, x->span);
		diags_add(e->diags, dr, NULL);
		return true;
	}
	if (!lk || !rk) {
		diags_add(e->diags, lk ? dr : dl, NULL);
		return true;
	}
	return false;
}

/* x of the values of its operands, with the mistakes of evaluating them. */
static struct value binary(struct eval *e, const struct hcl_expr *x, struct value l,
			   struct diags *dl, struct value r, struct diags *dr)
{
	bool logic = x->op.op == HCL_OP_AND || x->op.op == HCL_OP_OR, marked;
	size_t errors = e->diags->errors;
	bool fits = operand(e, x, x->op.left, &l);
	struct value ret;

	fits &= operand(e, x, x->op.right, &r);
	marked = l.sensitive || r.sensitive;
	if (fits && logic && short_circuit(e, x, l, r, dl, dr, &ret))
		return value_mark(ret, marked);
	diags_add(e->diags, dl, NULL);
	diags_add(e->diags, dr, NULL);
	if (e->diags->errors > errors)
		return value_mark(value_unknown_of(result_type(x->op.op), x->span), marked);
	if (x->op.op == HCL_OP_EQ || x->op.op == HCL_OP_NE)
		return value_mark(equality(e, x, l, r), marked);
	if (l.kind == VALUE_NULL || r.kind == VALUE_NULL)
		return value_mark(failed(e, x,
					 l.kind == VALUE_NULL ? "Its left operand is null."
							      : "Its right operand is null."),
				  marked);
	if (!is_arithmetic(x->op.op) && !logic)
		ret = comparison(e, x, l, r);
	else if (l.kind == VALUE_UNKNOWN || r.kind == VALUE_UNKNOWN)
		ret = unknown_result(e, x);
	else if (logic)
		ret = value_bool(x->op.op == HCL_OP_AND ? l.boolean && r.boolean
							: l.boolean || r.boolean,
				 x->span);
	else
		ret = arithmetic(e, x, l.number, r.number);
	return value_mark(ret, marked);
}

/* a + b + c + … leans to the left, and may be long: its operators are walked in a loop, innermost
 * first. */
struct value eval_binary(struct eval *e, const struct hcl_expr *x)
{
	const struct hcl_expr *few[SPINE_MAX], **spine = few, *leaf = x;
	struct diags *dl = arena_new_obj(e->arena, struct diags),
		     *dr = arena_new_obj(e->arena, struct diags);
	struct diags *was = e->diags;
	size_t n = 0;
	struct value v;

	for (; leaf->kind == HCL_BINARY; leaf = leaf->op.left)
		n++;
	if (n > SPINE_MAX)
		spine = arena_new_array(e->arena, const struct hcl_expr *, n);
	for (leaf = x, n = 0; leaf->kind == HCL_BINARY; leaf = leaf->op.left)
		spine[n++] = leaf;
	v = eval_apart(e, leaf, dl);
	while (n-- > 0) {
		struct value r = eval_apart(e, spine[n]->op.right, dr);
		struct diags *out = was;

		if (n) { /* its mistakes are those of a left operand */
			out = arena_new_obj(e->arena, struct diags);
			diags_init(out, e->arena);
		}
		e->diags = out;
		v = binary(e, spine[n], v, dl, r, dr);
		e->diags = was;
		dl = out;
	}
	return v;
}

struct value eval_unary(struct eval *e, const struct hcl_expr *x)
{
	size_t errors = e->diags->errors;
	struct value v = eval_any(e, x->op.right), ret;
	struct number *n;

	if (!operand(e, x, x->op.right, &v) || e->diags->errors > errors)
		return value_mark(value_unknown_of(result_type(x->op.op), x->span), v.sensitive);
	if (v.kind == VALUE_NULL)
		return failed(e, x, "Its operand is null.");
	if (v.kind == VALUE_UNKNOWN) {
		ret = unknown_result(e, x);
	} else if (x->op.op == HCL_OP_NOT) {
		ret = value_bool(!v.boolean, x->span);
	} else {
		n = number_new_bits(e->arena, mpfr_get_prec(v.number->v));
		mpfr_neg(n->v, v.number->v, MPFR_RNDN);
		ret = (struct value){.kind = VALUE_NUMBER, .span = x->span, .number = n};
	}
	return value_mark(ret, v.sensitive);
}
