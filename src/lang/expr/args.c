/* What the functions' C bodies share: errors that name an argument, whole numbers. */
#include "lang/expr/args.h"

#include "lang/expr/inner.h"

int arg_error(struct func_call *c, int arg, struct err *err, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	c->bad_arg = arg;
	return err_set(err, ERR_INVALID, "%s", text);
}

int arg_int(struct func_call *c, const struct value *args, int i, int64_t *ret, struct err *err)
{
	if (value_as_i64(args[i], ret))
		return 0;
	return arg_error(c, i, err, "a whole number between %lld and %lld is needed",
			 (long long)INT64_MIN, (long long)INT64_MAX);
}

const char *arg_type(struct func_call *c, struct value v)
{
	return arena_str(c->arena, type_phrase(c->arena, type_of(c->arena, v))).p;
}

bool args_unknown(const struct value *args, size_t nargs)
{
	for (size_t i = 0; i < nargs; i++)
		if (args[i].kind == VALUE_UNKNOWN)
			return true;
	return false;
}

struct value args_wait(struct func_call *c, const struct value *args, size_t nargs,
		       const struct type *type)
{
	struct value v = value_unknown_of(type, c->span);

	for (size_t i = 0; i < nargs; i++)
		v = arg_marked(v, args[i].sensitive);
	return v;
}

const struct type *arg_elem_type(struct func_call *c, struct value v)
{
	const struct type *t = type_of(c->arena, v);

	return t->elem ? t->elem : &type_any;
}

static enum equality both(enum equality so_far, enum equality next)
{
	if (so_far == EQUAL_NO || next == EQUAL_NO)
		return EQUAL_NO;
	return so_far == EQUAL_OPEN ? so_far : next;
}

static enum equality seqs_equal(struct arena *a, struct value x, struct value y)
{
	enum equality all = EQUAL_YES;

	if (x.kind == VALUE_SET && (value_has_unknown(x) || value_has_unknown(y)))
		return EQUAL_OPEN; /* what becomes known may be there already */
	if (x.seq->n != y.seq->n)
		return EQUAL_NO;
	for (size_t i = 0; i < x.seq->n && all != EQUAL_NO; i++)
		all = both(all, args_equal(a, x.seq->v[i], y.seq->v[i]));
	return all;
}

static enum equality attrs_equal(struct arena *a, struct value x, struct value y)
{
	enum equality all = EQUAL_YES;

	if (x.attrs->n != y.attrs->n)
		return EQUAL_NO;
	for (size_t i = 0; i < x.attrs->n && all != EQUAL_NO; i++) { /* both sorted by key */
		if (!str_eq(x.attrs->v[i].key, y.attrs->v[i].key))
			return EQUAL_NO;
		all = both(all, args_equal(a, x.attrs->v[i].value, y.attrs->v[i].value));
	}
	return all;
}

enum equality args_equal(struct arena *a, struct value x, struct value y)
{
	if (x.kind == VALUE_UNKNOWN || y.kind == VALUE_UNKNOWN) {
		const struct type *tx = type_of(a, x), *ty = type_of(a, y);

		/* Null is equal to null of any type, so that a null waits for what the other
		 * becomes. */
		if (x.kind == y.kind || x.kind == VALUE_NULL || y.kind == VALUE_NULL)
			return EQUAL_OPEN;
		return type_has_any(x.kind == VALUE_UNKNOWN ? tx : ty) || type_equal(tx, ty)
			       ? EQUAL_OPEN
			       : EQUAL_NO;
	}
	if (x.kind != y.kind)
		return EQUAL_NO;
	if ((x.kind == VALUE_LIST || x.kind == VALUE_SET || x.kind == VALUE_MAP) &&
	    !value_has_unknown(x) && !value_has_unknown(y) &&
	    !type_equal(type_of(a, x), type_of(a, y)))
		return EQUAL_NO;
	if (value_is_seq(x))
		return seqs_equal(a, x, y);
	if (value_is_attrs(x))
		return attrs_equal(a, x, y);
	return value_equal(x, y) ? EQUAL_YES : EQUAL_NO;
}
