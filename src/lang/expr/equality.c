/* Equality of values, which unknown ones may leave open: null is equal to null of any type, so that
 * it waits for what an unknown becomes, unless that is known not to be null. */
#include "lang/expr/inner.h"
#include "lang/expr/refine.h"

/* Whether a value of type t could be one of type `want`, where its unknown parts may become
 * anything. */
static bool could_be(const struct type *t, const struct type *want)
{
	if (t->kind == TYPE_ANY || want->kind == TYPE_ANY)
		return true;
	if (t->kind != want->kind || t->n != want->n)
		return false;
	if (t->elem)
		return could_be(t->elem, want->elem);
	for (size_t i = 0; i < t->n; i++) {
		if (t->kind == TYPE_TUPLE && !could_be(t->elems[i], want->elems[i]))
			return false;
		if (t->kind == TYPE_OBJECT && (!str_eq(t->attrs[i].name, want->attrs[i].name) ||
					       !could_be(t->attrs[i].type, want->attrs[i].type)))
			return false;
	}
	return true;
}

static enum equality same_parts(struct arena *a, struct value x, struct value y)
{
	size_t n = value_len(x);
	enum equality ret = EQUAL_YES, one;

	if (n != value_len(y))
		return EQUAL_NO;
	if (value_is_seq(x)) { /* in their order, up to the first that decides or is not known */
		for (size_t i = 0; i < n && ret == EQUAL_YES; i++)
			ret = value_same(a, x.seq->v[i], y.seq->v[i]);
		return ret;
	}
	for (size_t i = 0; i < n && ret != EQUAL_NO; i++) {
		const struct value_attr *other = value_attr_get(y, x.attrs->v[i].key);

		one = other ? value_same(a, x.attrs->v[i].value, other->value) : EQUAL_NO;
		ret = one == EQUAL_YES ? ret : one;
	}
	return ret;
}

/* Sets wait for unknown elements; one with something unknown in it is in no other set. */
static enum equality same_sets(struct arena *a, struct value x, struct value y)
{
	for (size_t i = 0; i < x.seq->n; i++)
		if (x.seq->v[i].kind == VALUE_UNKNOWN)
			return EQUAL_OPEN;
	for (size_t i = 0; i < y.seq->n; i++)
		if (y.seq->v[i].kind == VALUE_UNKNOWN)
			return EQUAL_OPEN;
	if (value_has_unknown(x) || value_has_unknown(y))
		return EQUAL_NO;
	return same_parts(a, x, y);
}

static bool has_untyped_unknown(struct value v)
{
	if (v.kind == VALUE_UNKNOWN)
		return !v.type || type_has_any(v.type);
	if (value_is_seq(v))
		for (size_t i = 0; i < v.seq->n; i++)
			if (has_untyped_unknown(v.seq->v[i]))
				return true;
	if (value_is_attrs(v))
		for (size_t i = 0; i < v.attrs->n; i++)
			if (has_untyped_unknown(v.attrs->v[i].value))
				return true;
	return false;
}

/* Whether what is known of an unknown value leaves room for that known one of its type. */
static bool has_room(struct value unknown, struct value v)
{
	struct refinement r = value_range(unknown), have = value_range(v);

	if (v.kind == VALUE_STRING)
		return v.string.n >= r.prefix.n &&
		       str_eq((struct str){v.string.p, r.prefix.n}, r.prefix);
	if (v.kind == VALUE_NUMBER && mpfr_inf_p(v.number->v) && unknown.refined &&
	    !(mpfr_sgn(v.number->v) < 0 ? r.min : r.max))
		return false;
	if (v.kind == VALUE_NUMBER)
		return !(r.min && mpfr_cmp(v.number->v, r.min->v) < 0) &&
		       !(r.max && mpfr_cmp(v.number->v, r.max->v) > 0);
	return have.len_max >= r.len_min && have.len_min <= r.len_max;
}

enum equality value_same(struct arena *a, struct value x, struct value y)
{
	bool primitive = x.kind == VALUE_BOOL || x.kind == VALUE_NUMBER || x.kind == VALUE_STRING;
	bool x_open = x.kind == VALUE_UNKNOWN, y_open = y.kind == VALUE_UNKNOWN;
	const struct type *tx, *ty;

	if (x.kind == VALUE_NULL || y.kind == VALUE_NULL) {
		if (x_open || y_open)
			return value_range(x_open ? x : y).not_null ? EQUAL_NO : EQUAL_OPEN;
		return x.kind == y.kind ? EQUAL_YES : EQUAL_NO;
	}
	if (primitive && !y_open)
		return value_equal(x, y) ? EQUAL_YES : EQUAL_NO;
	if (x_open && y_open)
		return EQUAL_OPEN;
	tx = type_of(a, x);
	ty = type_of(a, y);
	if (has_untyped_unknown(x) || has_untyped_unknown(y))
		return could_be(tx, ty) ? EQUAL_OPEN : EQUAL_NO;
	if (!type_equal(tx, ty))
		return EQUAL_NO;
	if (x_open || y_open)
		return has_room(x_open ? x : y, x_open ? y : x) ? EQUAL_OPEN : EQUAL_NO;
	return x.kind == VALUE_SET ? same_sets(a, x, y) : same_parts(a, x, y);
}
