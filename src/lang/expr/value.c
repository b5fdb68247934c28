/* Values: making them and looking into them. None of it changes a value. */
#include "lang/expr/value.h"

#include "lang/expr/number.h"

#include <math.h>
#include <strings.h>

struct value value_null(struct span span)
{
	return (struct value){ .kind = VALUE_NULL, .span = span };
}

struct value value_unknown(struct span span)
{
	return (struct value){ .kind = VALUE_UNKNOWN, .span = span };
}

struct value value_bool(bool b, struct span span)
{
	return (struct value){ .kind = VALUE_BOOL, .span = span, .boolean = b };
}

struct value value_string(struct str s, struct span span)
{
	return (struct value){ .kind = VALUE_STRING, .span = span, .string = s };
}

struct value value_cstring(struct arena *a, const char *s, struct span span)
{
	return value_string(arena_str(a, str_from(s)), span);
}

struct value value_i64(struct arena *a, int64_t n, struct span span)
{
	struct number *num = number_new_bits(a, NUMBER_BITS_COUNT);

	mpfr_set_si(num->v, n, MPFR_RNDN);
	return (struct value){ .kind = VALUE_NUMBER, .span = span, .number = num };
}

bool value_number_parse(struct arena *a, struct str text, struct span span, struct value *ret)
{
	const struct number *num = number_parse(a, text);

	if (!num)
		return false;
	*ret = (struct value){ .kind = VALUE_NUMBER, .span = span, .number = num };
	return true;
}

struct value value_seq_make(struct arena *a, enum value_kind kind, const struct value *v, size_t n,
			    struct span span)
{
	struct value_seq *seq = arena_alloc(a, sizeof(*seq) + n * sizeof(*v));

	seq->n = n;
	if (n)
		memcpy(seq->v, v, n * sizeof(*v));
	return (struct value){ .kind = kind, .span = span, .seq = seq };
}

struct value value_attrs_make(struct arena *a, enum value_kind kind, const struct value_attr *v,
			      size_t n, struct span span)
{
	struct value_attrs *attrs = arena_alloc(a, sizeof(*attrs) + n * sizeof(*v));

	attrs->n = n;
	if (n)
		memcpy(attrs->v, v, n * sizeof(*v));
	return (struct value){ .kind = kind, .span = span, .attrs = attrs };
}

size_t value_len(struct value v)
{
	if (value_is_seq(v))
		return v.seq->n;
	if (value_is_attrs(v))
		return v.attrs->n;
	return v.kind == VALUE_STRING ? v.string.n : 0;
}

const struct value_attr *value_attr_find(struct value v, const char *key)
{
	if (!value_is_attrs(v))
		return NULL;
	for (size_t i = 0; i < v.attrs->n; i++)
		if (str_eqs(v.attrs->v[i].key, key))
			return &v.attrs->v[i];
	return NULL;
}

const struct value_attr *value_attr_find_fold(struct value v, const char *key)
{
	const struct value_attr *exact = value_attr_find(v, key);

	if (exact || !value_is_attrs(v))
		return exact;
	for (size_t i = 0; i < v.attrs->n; i++)
		if (str_ieqs(v.attrs->v[i].key, key))
			return &v.attrs->v[i];
	return NULL;
}

bool value_as_i64(struct value v, int64_t *ret)
{
	if (v.kind != VALUE_NUMBER || !mpfr_integer_p(v.number->v) ||
	    !mpfr_fits_slong_p(v.number->v, MPFR_RNDN))
		return false;
	*ret = mpfr_get_si(v.number->v, MPFR_RNDN);
	return true;
}

bool value_as_double(struct value v, double *ret)
{
	if (v.kind != VALUE_NUMBER)
		return false;
	*ret = mpfr_get_d(v.number->v, MPFR_RNDN);
	return isfinite(*ret);
}

struct str value_number_text(struct arena *a, struct value v)
{
	return v.kind == VALUE_NUMBER ? number_text(a, v.number) : (struct str){ "", 0 };
}

static bool attrs_equal(struct value a, struct value b)
{
	if (a.attrs->n != b.attrs->n)
		return false;
	for (size_t i = 0; i < a.attrs->n; i++) {
		const struct value_attr *x = &a.attrs->v[i], *y = NULL;

		/* Nearly always in the same order; a search else. */
		if (str_eq(b.attrs->v[i].key, x->key))
			y = &b.attrs->v[i];
		for (size_t j = 0; !y && j < b.attrs->n; j++)
			if (str_eq(b.attrs->v[j].key, x->key))
				y = &b.attrs->v[j];
		if (!y || !value_equal(x->value, y->value))
			return false;
	}
	return true;
}

bool value_equal(struct value a, struct value b)
{
	if (a.kind != b.kind)
		return false;
	switch (a.kind) {
	case VALUE_NULL:
	case VALUE_UNKNOWN:
		return true;
	case VALUE_BOOL:
		return a.boolean == b.boolean;
	case VALUE_NUMBER:
		return number_equal(a.number, b.number);
	case VALUE_STRING:
		return str_eq(a.string, b.string);
	case VALUE_LIST:
	case VALUE_SET:
	case VALUE_TUPLE:
		if (a.seq->n != b.seq->n)
			return false;
		for (size_t i = 0; i < a.seq->n; i++)
			if (!value_equal(a.seq->v[i], b.seq->v[i]))
				return false;
		return true;
	case VALUE_MAP:
	case VALUE_OBJECT:
		return attrs_equal(a, b);
	}
	return false;
}

const char *value_kind_phrase(struct value v)
{
	if (value_is_seq(v))
		return "a list";
	if (value_is_attrs(v))
		return "an object";
	switch (v.kind) {
	case VALUE_BOOL:
		return "true or false";
	case VALUE_NUMBER:
		return "a number";
	case VALUE_STRING:
		return "text";
	default:
		return "nothing (null)";
	}
}

/* True if pred holds for v or for anything in it. */
static bool any(struct value v, bool (*pred)(struct value v))
{
	if (pred(v))
		return true;
	if (value_is_seq(v))
		for (size_t i = 0; i < v.seq->n; i++)
			if (any(v.seq->v[i], pred))
				return true;
	if (value_is_attrs(v))
		for (size_t i = 0; i < v.attrs->n; i++)
			if (any(v.attrs->v[i].value, pred))
				return true;
	return false;
}

static bool is_unknown(struct value v)
{
	return v.kind == VALUE_UNKNOWN;
}

static bool is_sensitive(struct value v)
{
	return v.sensitive;
}

bool value_has_unknown(struct value v)
{
	return any(v, is_unknown);
}

bool value_has_sensitive(struct value v)
{
	return any(v, is_sensitive);
}
