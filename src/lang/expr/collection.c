/* Makers of lists, sets, maps and objects, and the marks on values and in them. */
#include "lang/expr/gotext.h"
#include "lang/expr/inner.h"
#include "lang/expr/number.h"

struct value value_null_of(const struct type *t, struct span span)
{
	return (struct value){
	    .kind = VALUE_NULL, .type = t && t->kind != TYPE_ANY ? t : NULL, .span = span};
}

struct value value_unknown_of(const struct type *t, struct span span)
{
	return (struct value){
	    .kind = VALUE_UNKNOWN, .type = t && t->kind != TYPE_ANY ? t : NULL, .span = span};
}

/* An element type that says nothing is read off the elements. */
static const struct type *elem_or(struct arena *a, const struct type *elem, const struct value *v,
				  size_t n, size_t stride)
{
	if (elem && elem->kind != TYPE_ANY)
		return elem;
	for (size_t i = 0; i < n; i++) {
		const struct type *t =
		    type_of(a, *(const struct value *)((const char *)v + i * stride));

		if (t->kind != TYPE_ANY)
			return t;
	}
	return &type_any;
}

struct value value_list(struct arena *a, const struct type *elem, const struct value *v, size_t n,
			struct span span)
{
	struct value ret = value_seq_make(a, VALUE_LIST, v, n, span);

	ret.type = type_list(a, elem_or(a, elem, v, n, sizeof(*v)));
	return ret;
}

static int by_key(const void *x, const void *y)
{
	return str_cmp(((const struct value_attr *)x)->key, ((const struct value_attr *)y)->key);
}

static struct value sorted_attrs(struct arena *a, enum value_kind kind, const struct value_attr *v,
				 size_t n, struct span span)
{
	struct value ret = value_attrs_make(a, kind, v, n, span);
	struct value_attr *own = (struct value_attr *)ret.attrs->v; /* not seen by anybody yet */

	for (size_t i = 1; i < n; i++)
		if (str_cmp(own[i - 1].key, own[i].key) > 0) {
			qsort(own, n, sizeof(*own), by_key);
			break;
		}
	return ret;
}

struct value value_map(struct arena *a, const struct type *elem, const struct value_attr *v,
		       size_t n, struct span span)
{
	struct value ret = sorted_attrs(a, VALUE_MAP, v, n, span);

	ret.type = type_map(a, elem_or(a, elem, n ? &v->value : NULL, n, sizeof(*v)));
	return ret;
}

struct value value_object(struct arena *a, const struct value_attr *v, size_t n, struct span span)
{
	return sorted_attrs(a, VALUE_OBJECT, v, n, span);
}

/* An attribute and where it stood. */
struct placed_attr {
	const struct value_attr *attr;
	size_t at;
};

static int by_key_and_place(const void *x, const void *y)
{
	const struct placed_attr *a = x, *b = y;
	int d = str_cmp(a->attr->key, b->attr->key);

	return d ? d : (a->at > b->at) - (a->at < b->at);
}

struct value value_object_last(struct arena *a, const struct value_attr *v, size_t n,
			       struct span span)
{
	auto_free struct placed_attr *m = xcalloc(n + 1, sizeof(*m));
	auto_free struct value_attr *out = xcalloc(n + 1, sizeof(*out));
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		m[i] = (struct placed_attr){&v[i], i};
	qsort(m, n, sizeof(*m), by_key_and_place);
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || !str_eq(m[i].attr->key, m[i + 1].attr->key))
			out[kept++] = *m[i].attr;
	return value_object(a, out, kept, span);
}

const struct value_attr *value_attr_get(struct value v, struct str key)
{
	size_t low = 0, high;

	if (!value_is_attrs(v))
		return NULL;
	for (high = v.attrs->n; low < high;) {
		size_t mid = (low + high) / 2;
		int cmp = str_cmp(v.attrs->v[mid].key, key);

		if (cmp == 0)
			return &v.attrs->v[mid];
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

void set_key_write(struct buf *out, struct value v)
{
	char text[64];

	switch (v.kind) {
	case VALUE_UNKNOWN:
		buf_addc(out, '?');
		break;
	case VALUE_NULL:
		buf_addc(out, '~');
		break;
	case VALUE_NUMBER:
		if (mpfr_inf_p(v.number->v))
			buf_adds(out, mpfr_sgn(v.number->v) < 0 ? "-Inf" : "+Inf");
		else
			buf_add(out, text,
				(size_t)mpfr_snprintf(text, sizeof(text), "%.10Rg", v.number->v));
		break;
	case VALUE_BOOL:
		buf_addc(out, v.boolean ? 'T' : 'F');
		break;
	case VALUE_STRING:
		gotext_quote(out, v.string, false);
		break;
	case VALUE_LIST:
	case VALUE_SET:
	case VALUE_TUPLE:
		buf_addc(out, v.kind == VALUE_TUPLE ? '<' : '[');
		for (size_t i = 0; i < v.seq->n; i++) {
			set_key_write(out, v.seq->v[i]);
			buf_addc(out, ';');
		}
		buf_addc(out, v.kind == VALUE_TUPLE ? '>' : ']');
		break;
	case VALUE_MAP:
	case VALUE_OBJECT:
		buf_addc(out, v.kind == VALUE_OBJECT ? '<' : '{');
		for (size_t i = 0; i < v.attrs->n; i++) {
			if (v.kind == VALUE_MAP) {
				gotext_quote(out, v.attrs->v[i].key, false);
				buf_addc(out, ':');
			}
			set_key_write(out, v.attrs->v[i].value);
			buf_addc(out, ';');
		}
		buf_addc(out, v.kind == VALUE_OBJECT ? '>' : '}');
		break;
	}
}

struct member {
	struct value value;
	struct str key; /* of structural values */
	size_t at;	/* keeps the sort stable */
};

static int rank(struct value v)
{
	return v.kind == VALUE_NULL ? 2 : v.kind == VALUE_UNKNOWN;
}

/* The order in which a set gives its members; 0: nothing but their place among those given orders
 * them. */
static int members_order(const struct member *x, const struct member *y)
{
	int cmp = rank(x->value) - rank(y->value);

	if (cmp != 0 || x->value.kind != y->value.kind)
		return cmp;
	switch (x->value.kind) {
	case VALUE_STRING:
		return str_cmp(x->value.string, y->value.string);
	case VALUE_BOOL:
		return x->value.boolean - y->value.boolean;
	case VALUE_NUMBER:
		return mpfr_cmp(x->value.number->v, y->value.number->v);
	default:
		return str_cmp(x->key, y->key);
	}
}

static int members_cmp(const void *p, const void *q)
{
	const struct member *x = p, *y = q;
	int cmp = members_order(x, y);

	if (cmp == 0 && x->value.kind == VALUE_NUMBER && y->value.kind == VALUE_NUMBER) /* -0, 0 */
		cmp = (mpfr_signbit(y->value.number->v) != 0) -
		      (mpfr_signbit(x->value.number->v) != 0);
	return cmp ? cmp : (x->at > y->at) - (x->at < y->at);
}

/* Sorted members without doubles. What has an unknown part is no double of anything: it may become
 * anything. */
static size_t members_distinct(const struct member *m, size_t n, struct value *ret)
{
	size_t kept = 0, group_kept = 0, group = 0;

	for (size_t i = 0; i < n; i++) {
		bool found = false;

		if (i && members_order(&m[group], &m[i]) != 0) {
			group = i;
			group_kept = kept;
		}
		if (!value_has_unknown(m[i].value))
			for (size_t j = group_kept; !found && j < kept; j++)
				found = value_equal(ret[j], m[i].value) &&
					(ret[j].kind != VALUE_NUMBER ||
					 mpfr_signbit(ret[j].number->v) ==
					     mpfr_signbit(m[i].value.number->v));
		if (!found)
			ret[kept++] = m[i].value;
	}
	return kept;
}

struct value value_set(struct arena *a, const struct type *elem, const struct value *v, size_t n,
		       struct span span)
{
	AUTO(buf) struct buf keys = BUF_INIT;
	struct member *m = xcalloc(n + 1, sizeof(*m));
	struct value *kept = arena_new_array(a, struct value, n);
	size_t nkept, *from = xcalloc(n + 1, sizeof(*from));
	bool marked = false;
	struct value ret;

	for (size_t i = 0; i < n; i++) {
		bool one = false;

		m[i] = (struct member){.value = value_unmark_deep(a, v[i], &one), .at = i};
		marked |= one;
		from[i] = keys.n;
		if (value_is_seq(m[i].value) || value_is_attrs(m[i].value))
			set_key_write(&keys, m[i].value);
		m[i].key.n = keys.n - from[i];
	}
	for (size_t i = 0; i < n; i++) /* the buffer has stopped moving */
		m[i].key.p = buf_cstr(&keys) + from[i];
	free(from);
	qsort(m, n, sizeof(*m), members_cmp);
	nkept = members_distinct(m, n, kept);
	free(m);
	ret = value_seq_make(a, VALUE_SET, kept, nkept, span);
	ret.type = type_set(a, elem_or(a, elem, kept, nkept, sizeof(*kept)));
	return value_mark(ret, marked);
}

struct value value_mark(struct value v, bool sensitive)
{
	v.sensitive |= sensitive;
	return v;
}

static struct value unmark(struct arena *a, struct value v)
{
	v.sensitive = false;
	if (value_is_seq(v)) {
		struct value_seq *seq = arena_alloc(a, sizeof(*seq) + v.seq->n * sizeof(seq->v[0]));

		seq->n = v.seq->n;
		for (size_t i = 0; i < seq->n; i++)
			seq->v[i] = unmark(a, v.seq->v[i]);
		v.seq = seq;
	} else if (value_is_attrs(v)) {
		struct value_attrs *attrs =
		    arena_alloc(a, sizeof(*attrs) + v.attrs->n * sizeof(attrs->v[0]));

		attrs->n = v.attrs->n;
		for (size_t i = 0; i < attrs->n; i++) {
			attrs->v[i] = v.attrs->v[i];
			attrs->v[i].value = unmark(a, v.attrs->v[i].value);
		}
		v.attrs = attrs;
	}
	return v;
}

struct value value_unmark_deep(struct arena *a, struct value v, bool *ret_marked)
{
	bool marked = value_has_sensitive(v);

	if (ret_marked)
		*ret_marked = marked;
	return marked ? unmark(a, v) : v;
}
