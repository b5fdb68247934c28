/* Refinements of unknown values: merging them, and what they leave no doubt of. */
#include "lang/expr/refine.h"

#include "lang/expr/inner.h"
#include "lang/expr/text.h"

#include "base/cluster.h"

const struct number *refine_count(struct arena *a, size_t n)
{
	struct number *ret = number_new_bits(a, NUMBER_BITS_COUNT);

	mpfr_set_si(ret->v, (long)MIN(n, (size_t)INT64_MAX), MPFR_RNDN);
	return ret;
}

/* A list of unknown elements, an empty collection, a set of one element; v where only its length is
 * known. */
static struct value of_length(struct arena *a, struct value v, size_t n)
{
	const struct type *elem = v.type->elem;
	struct value *items;

	if (v.type->kind == TYPE_MAP)
		return n ? v : value_mark(value_map(a, elem, NULL, 0, v.span), v.sensitive);
	if (v.type->kind == TYPE_SET && n > 1)
		return v;
	items = arena_new_array(a, struct value, n);
	for (size_t i = 0; i < n; i++)
		items[i] = value_unknown_of(elem, v.span);
	return value_mark(v.type->kind == TYPE_SET ? value_set(a, elem, items, n, v.span)
						   : value_list(a, elem, items, n, v.span),
			  v.sensitive);
}

struct value value_refine(struct arena *a, struct value v, const struct refinement *more)
{
	struct refinement *r;

	if (v.kind != VALUE_UNKNOWN || !v.type)
		return v;
	r = arena_new_obj(a, struct refinement);
	*r = v.refined ? *v.refined : (struct refinement){.len_max = REFINE_LEN_ANY};
	r->not_null |= more->not_null;
	if (more->prefix.n > r->prefix.n)
		r->prefix = more->prefix;
	if (more->min && (!r->min || mpfr_cmp(more->min->v, r->min->v) > 0))
		r->min = more->min;
	if (more->max && (!r->max || mpfr_cmp(more->max->v, r->max->v) < 0))
		r->max = more->max;
	r->len_min = MAX(r->len_min, more->len_min);
	r->len_max = MIN(r->len_max, more->len_max);
	v.refined = r;
	if (!r->not_null)
		return v;
	if (v.type->kind == TYPE_NUMBER && r->min && r->max && number_equal(r->min, r->max))
		return (struct value){.kind = VALUE_NUMBER,
				      .sensitive = v.sensitive,
				      .span = v.span,
				      .number = r->min};
	return v.type->elem && r->len_min == r->len_max ? of_length(a, v, r->len_min) : v;
}

struct value value_not_null(struct arena *a, struct value v)
{
	return value_refine(a, v, &(struct refinement){REFINE_NOT_NULL});
}

struct refinement value_range(struct value v)
{
	struct refinement r = {REFINE_NOT_NULL};

	switch (v.kind) {
	case VALUE_UNKNOWN:
		r.not_null = false;
		return v.refined ? *v.refined : r;
	case VALUE_NULL:
		r.not_null = false;
		break;
	case VALUE_STRING:
		r.prefix = v.string;
		break;
	case VALUE_NUMBER:
		r.min = r.max = v.number;
		break;
	case VALUE_LIST:
	case VALUE_MAP:
		r.len_min = r.len_max = value_len(v);
		break;
	case VALUE_SET: /* unknown elements may turn out to be the same */
		if (v.seq->n < 2 || !value_has_unknown(v))
			r.len_min = r.len_max = v.seq->n;
		break;
	default:
		break;
	}
	return r;
}

struct str refine_safe_prefix(struct arena *a, struct str s)
{
	struct str text = text_nfc(a, s);
	size_t last = 0;

	for (size_t i = 0, n; i < text.n; i += n) {
		n = str_cluster(text, i);
		last = i;
	}
	if (text.n - last == 1 && text.p[last] &&
	    strchr("-_:;/\\,.(){}[]|?!~ \t@#$%^&*+\"'", text.p[last]))
		return text;
	text.n = last;
	return text;
}
