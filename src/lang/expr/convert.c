/* Conversion of values to types. Whether there is a way at all is decided by the types alone, first
 * (convertible.c); then the value goes that way, and only texts that are no number or bool and
 * elements that have no common type stop it. */
#include "lang/expr/inner.h"
#include "lang/expr/refine.h"

static bool has_optional(const struct type *t)
{
	if (t->elem)
		return has_optional(t->elem);
	for (size_t i = 0; i < t->n; i++)
		if (t->kind == TYPE_TUPLE ? has_optional(t->elems[i])
					  : t->attrs[i].optional || has_optional(t->attrs[i].type))
			return true;
	return false;
}

/* A constraint as a value's type: an attribute that may be left out is there, if only as null. */
static const struct type *as_value_type(struct arena *a, const struct type *t)
{
	struct type *ret;

	if (!has_optional(t))
		return t;
	ret = arena_new_obj(a, struct type);
	*ret = *t;
	if (t->elem) {
		ret->elem = as_value_type(a, t->elem);
	} else if (t->kind == TYPE_TUPLE) {
		const struct type **elems = arena_new_array(a, const struct type *, t->n);

		for (size_t i = 0; i < t->n; i++)
			elems[i] = as_value_type(a, t->elems[i]);
		ret->elems = elems;
	} else {
		struct type_attr *attrs = arena_new_array(a, struct type_attr, t->n);

		for (size_t i = 0; i < t->n; i++)
			attrs[i] = (struct type_attr){.name = t->attrs[i].name,
						      .type = as_value_type(a, t->attrs[i].type)};
		ret->attrs = attrs;
	}
	return ret;
}

/* What a null or unknown value of type `in` is of once it is taken for `out`: the parts of `out`
 * that are any are told by `in`. */
static const struct type *fill_any(struct arena *a, const struct type *in, const struct type *out)
{
	struct type *t;

	if (in->kind == TYPE_ANY || !type_has_any(out))
		return out;
	if (out->kind == TYPE_ANY)
		return in;
	t = arena_new_obj(a, struct type);
	*t = *out;
	if (out->elem) {
		const struct type *elem = in->elem;

		if (!elem && in->n)
			elem = type_unify_by(a, type_parts(a, in), in->n, true);
		t->elem = elem ? fill_any(a, elem, out->elem) : out->elem;
	} else if (out->kind == TYPE_TUPLE && in->kind == TYPE_TUPLE && in->n == out->n) {
		const struct type **elems = arena_new_array(a, const struct type *, t->n);

		for (size_t i = 0; i < t->n; i++)
			elems[i] = fill_any(a, in->elems[i], out->elems[i]);
		t->elems = elems;
	} else if (out->kind == TYPE_OBJECT) {
		struct type_attr *attrs = arena_new_array(a, struct type_attr, t->n);

		for (size_t i = 0; i < t->n; i++) {
			const struct type_attr *have = type_attr_find(in, out->attrs[i].name);
			const struct type *from = have			 ? have->type
						  : in->kind == TYPE_MAP ? in->elem
									 : &type_any;

			attrs[i] = out->attrs[i];
			attrs[i].type = fill_any(a, from, out->attrs[i].type);
		}
		t->attrs = attrs;
	}
	return t;
}

static int convert(struct arena *a, struct value v, const struct type *want, struct value *ret,
		   struct err *err);

static int convert_string(struct arena *a, struct value v, const struct type *want,
			  struct value *ret, struct err *err)
{
	bool is_true = str_eqs(v.string, "true") || str_eqs(v.string, "1");

	if (want->kind == TYPE_NUMBER) {
		const struct number *n = number_parse_text(a, v.string);

		if (!n)
			return err_set(err, ERR_INVALID,
				       "expected a number, and this text is none");
		*ret = (struct value){.kind = VALUE_NUMBER, .span = v.span, .number = n};
		return 0;
	}
	if (is_true || str_eqs(v.string, "false") || str_eqs(v.string, "0")) {
		*ret = value_bool(is_true, v.span);
		return 0;
	}
	if (str_ieqs(v.string, "true") || str_ieqs(v.string, "false"))
		return err_set(err, ERR_INVALID,
			       "expected a bool, which as text is written \"%s\", in small letters",
			       str_ieqs(v.string, "true") ? "true" : "false");
	return err_set(err, ERR_INVALID,
		       "expected a bool, and this text is neither \"true\" nor \"false\"");
}

static int convert_primitive(struct arena *a, struct value v, const struct type *want,
			     struct value *ret, struct err *err)
{
	if (v.kind == VALUE_STRING)
		return convert_string(a, v, want, ret, err);
	if (v.kind == VALUE_BOOL)
		*ret = value_string(v.boolean ? STR("true") : STR("false"), v.span);
	else
		*ret = value_string(number_text(a, v.number), v.span);
	return 0;
}

static struct str place(struct arena *a, struct value v, size_t i)
{
	if (value_is_seq(v))
		return str_from(arena_printf(a, "element %zu", i));
	return str_from(arena_printf(a, "%s \"" STR_FMT "\"",
				     v.kind == VALUE_MAP ? "element" : "attribute",
				     STR_ARG(v.attrs->v[i].key)));
}

static struct value part(struct value v, size_t i)
{
	return value_is_seq(v) ? v.seq->v[i] : v.attrs->v[i].value;
}

static int convert_part(struct arena *a, struct value v, size_t i, const struct type *want,
			struct value *ret, struct err *err)
{
	struct value have = part(v, i);

	if (convert(a, have, want, ret, err) < 0) {
		struct str where = place(a, v, i);

		return err_prefix(err, STR_FMT, STR_ARG(where));
	}
	return 0;
}

/* Elements of no common type but any: nulls and unknowns take the one type of the others. */
static int agree(const struct type *const *types, struct value *v, size_t n,
		 const struct type **ret, struct err *err)
{
	const struct type *one = &type_any;

	for (size_t i = 0; i < n; i++) {
		if (types[i]->kind == TYPE_ANY)
			continue;
		if (one->kind != TYPE_ANY && !type_equal(one, types[i]))
			return err_set(err, ERR_INVALID, "the elements have no type in common");
		one = types[i];
	}
	for (size_t i = 0; i < n; i++)
		if (types[i]->kind == TYPE_ANY && one->kind != TYPE_ANY)
			v[i].type = one;
	*ret = one;
	return 0;
}

/* Elements that were converted to a type with an any in it may still differ: they get what they
 * have in common, but for those of a set, which must be of one type already. */
static int level(struct arena *a, bool set, const struct type *elem, struct value *v, size_t n,
		 const struct type **ret, struct err *err)
{
	const struct type **types, *common;
	bool same = true;

	*ret = elem;
	if (!n || !type_has_any(elem))
		return 0;
	types = arena_new_array(a, const struct type *, n);
	for (size_t i = 0; i < n; i++) {
		types[i] = type_of(a, v[i]);
		same &= type_equal(types[i], types[0]);
	}
	if (!same && elem->kind == TYPE_ANY)
		return agree(types, v, n, ret, err);
	common = same ? types[0] : set ? NULL : type_unify_by(a, types, n, true);
	if (!common)
		return err_set(err, ERR_INVALID, "the elements have no type in common");
	for (size_t i = 0; !same && i < n; i++)
		if (convert(a, v[i], common, &v[i], err) < 0)
			return -1;
	*ret = common;
	return 0;
}

static int to_collection(struct arena *a, struct value v, const struct type *want,
			 struct value *ret, struct err *err)
{
	size_t n = value_len(v);
	struct value *items = arena_new_array(a, struct value, n);
	const struct type *elem = want->elem;
	struct value_attr *attrs;

	if (elem->kind == TYPE_ANY && (v.kind == VALUE_TUPLE || v.kind == VALUE_OBJECT))
		elem = type_element_target(a, type_of(a, v), elem, true);
	else if (elem->kind == TYPE_ANY)
		elem = type_of(a, v)->elem;
	if (!elem)
		return err_set(err, ERR_INVALID, "the elements have no type in common");
	if (v.kind == VALUE_SET && want->kind == TYPE_LIST && n > 1 && value_has_unknown(v)) {
		/* How many there are is not known: an element may turn out to be another one. */
		*ret = value_unknown_of(type_list(a, type_of(a, v)->elem), v.span);
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		if (convert_part(a, v, i, elem, &items[i], err) < 0)
			return -1;
	elem = as_value_type(a, elem);
	if (level(a, want->kind == TYPE_SET, elem, items, n, &elem, err) < 0)
		return -1;
	if (want->kind == TYPE_LIST) {
		*ret = value_list(a, elem, items, n, v.span);
		return 0;
	}
	if (want->kind == TYPE_SET) {
		*ret = value_set(a, elem, items, n, v.span);
		return 0;
	}
	attrs = arena_new_array(a, struct value_attr, n);
	for (size_t i = 0; i < n; i++) {
		attrs[i] = v.attrs->v[i];
		attrs[i].value = items[i];
	}
	*ret = value_map(a, elem, attrs, n, v.span);
	return 0;
}

static int to_tuple(struct arena *a, struct value v, const struct type *want, struct value *ret,
		    struct err *err)
{
	struct value *items = arena_new_array(a, struct value, want->n);

	for (size_t i = 0; i < want->n; i++)
		if (convert_part(a, v, i, want->elems[i], &items[i], err) < 0)
			return -1;
	*ret = value_seq_make(a, VALUE_TUPLE, items, want->n, v.span);
	return 0;
}

static int to_object(struct arena *a, struct value v, const struct type *want, struct value *ret,
		     struct err *err)
{
	struct value_attr *attrs = arena_new_array(a, struct value_attr, want->n);

	for (size_t i = 0; i < want->n; i++) {
		const struct type_attr *w = &want->attrs[i];
		const struct value_attr *have = value_attr_get(v, w->name);

		attrs[i].key = w->name;
		if (!have && !w->optional)
			return err_set(err, ERR_INVALID, "attribute \"" STR_FMT "\" is missing",
				       STR_ARG(w->name));
		if (!have) {
			attrs[i].value = value_null_of(as_value_type(a, w->type), v.span);
			continue;
		}
		attrs[i].key_span = have->key_span;
		if (convert_part(a, v, (size_t)(have - v.attrs->v), w->type, &attrs[i].value,
				 err) < 0)
			return -1;
	}
	*ret = value_object(a, attrs, want->n, v.span);
	return 0;
}

/* An unknown value as one of another type: how many elements it has is known as before, but that
 * those of a set may turn out to be the same. */
static struct value unknown_as(struct arena *a, struct value v, const struct type *in,
			       const struct type *t)
{
	struct refinement have = value_range(v),
			  r = {.not_null = have.not_null, .len_max = REFINE_LEN_ANY};
	bool parts = in->kind == TYPE_TUPLE || in->kind == TYPE_OBJECT;
	struct value ret = value_unknown_of(t, v.span);

	if (t->elem && (in->elem || parts)) {
		r.len_min = parts ? in->n : have.len_min;
		r.len_max = parts ? in->n : have.len_max;
		if (t->kind == TYPE_SET)
			r.len_min = MIN(r.len_min, 1);
	}
	return value_refine(a, ret, &r);
}

/* Marks are left on the parts; the one on v itself is the caller's. */
static int convert_unmarked(struct arena *a, struct value v, const struct type *want,
			    struct value *ret, struct err *err)
{
	const struct type *in;
	struct str why;

	if (want->kind == TYPE_ANY) {
		*ret = v;
		return 0;
	}
	in = type_of(a, v);
	if (type_equal(in, want)) {
		*ret = v;
		return 0;
	}
	if (!type_convertible(a, in, want, true)) {
		why = type_mismatch(a, in, want);
		return err_set(err, ERR_INVALID, STR_FMT, STR_ARG(why));
	}
	if (v.kind == VALUE_UNKNOWN) {
		*ret = unknown_as(a, v, in, fill_any(a, in, as_value_type(a, want)));
		return 0;
	}
	if (v.kind == VALUE_NULL) {
		*ret = v;
		ret->type = fill_any(a, in, as_value_type(a, want));
		return 0;
	}
	switch (want->kind) {
	case TYPE_TUPLE:
		return to_tuple(a, v, want, ret, err);
	case TYPE_OBJECT:
		return to_object(a, v, want, ret, err);
	case TYPE_LIST:
	case TYPE_SET:
	case TYPE_MAP:
		return to_collection(a, v, want, ret, err);
	default:
		return convert_primitive(a, v, want, ret, err);
	}
}

static int convert(struct arena *a, struct value v, const struct type *want, struct value *ret,
		   struct err *err)
{
	bool marked = v.sensitive;
	struct value out;

	v.sensitive = false;
	if (convert_unmarked(a, v, want, &out, err) < 0)
		return -1;
	*ret = value_mark(out, marked);
	return 0;
}

static bool has_defaults(const struct type *t)
{
	if (t->elem)
		return has_defaults(t->elem);
	for (size_t i = 0; i < t->n; i++)
		if (t->kind == TYPE_TUPLE ? has_defaults(t->elems[i])
					  : t->attrs[i].def || has_defaults(t->attrs[i].type))
			return true;
	return false;
}

/* v with what optional(…, DEFAULT) gives for attributes that are absent or null, before any
 * conversion. */
static struct value with_defaults(struct arena *a, struct value v, const struct type *want)
{
	struct value_attr *attrs;
	size_t n;

	if (v.kind == VALUE_NULL || v.kind == VALUE_UNKNOWN || !has_defaults(want))
		return v;
	if (value_is_seq(v)) {
		struct value *items = arena_new_array(a, struct value, v.seq->n), ret;
		bool tuple = want->kind == TYPE_TUPLE;

		if (!want->elem && !tuple)
			return v;
		for (size_t i = 0; i < v.seq->n; i++)
			items[i] = tuple && i >= want->n
				       ? v.seq->v[i]
				       : with_defaults(a, v.seq->v[i],
						       tuple ? want->elems[i] : want->elem);
		/* A list's elements may be of several types now: the conversion finds what they
		 * have in common. */
		ret = value_seq_make(a, VALUE_TUPLE, items, v.seq->n, v.span);
		return value_mark(ret, v.sensitive);
	}
	if (!value_is_attrs(v) || (!want->elem && want->kind != TYPE_OBJECT))
		return v;
	attrs = arena_new_array(a, struct value_attr, v.attrs->n + want->n);
	for (n = 0; n < v.attrs->n; n++) {
		const struct type_attr *w = type_attr_find(want, v.attrs->v[n].key);

		attrs[n] = v.attrs->v[n];
		if (w && w->def && attrs[n].value.kind == VALUE_NULL)
			attrs[n].value = *w->def;
		if (w || want->elem)
			attrs[n].value = with_defaults(a, attrs[n].value, w ? w->type : want->elem);
	}
	for (size_t i = 0; i < want->n; i++)
		if (want->kind == TYPE_OBJECT && want->attrs[i].def &&
		    !value_attr_get(v, want->attrs[i].name))
			attrs[n++] = (struct value_attr){
			    .key = want->attrs[i].name,
			    .value = with_defaults(a, *want->attrs[i].def, want->attrs[i].type),
			};
	return value_mark(value_object(a, attrs, n, v.span), v.sensitive);
}

int value_convert(struct arena *a, struct value v, const struct type *want, struct value *ret,
		  struct err *err)
{
	return convert(a, with_defaults(a, v, want), want, ret, err);
}
