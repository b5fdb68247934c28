/* Loops: for expressions and splats. */
#include "lang/expr/evaluate.h"
#include "lang/expr/refine.h"

#include "base/vec.h"

#define DOUBLES_MAX 10 /* keys given twice that are told of one loop */
#define MISTAKES_MAX 3 /* mistakes after which the other elements are not looked at */

/* The i-th element of a collection with its key (ret_key may be NULL); a set's elements are their
 * own keys. */
static void element(struct eval *e, struct value coll, size_t i, struct value *ret_key,
		    struct value *ret_value)
{
	*ret_value = value_is_attrs(coll) ? coll.attrs->v[i].value : coll.seq->v[i];
	if (!ret_key)
		return;
	if (value_is_attrs(coll))
		*ret_key = value_string(coll.attrs->v[i].key, coll.span);
	else
		*ret_key = coll.kind == VALUE_SET ? *ret_value
						  : value_i64(e->arena, (int64_t)i, coll.span);
}

struct item {
	struct str key; /* of an object's */
	struct value value;
	size_t at;
};

struct loop {
	struct eval *e;
	const struct hcl_expr *x;
	VEC(struct item) items;
	bool known, marked;
};

/* Whether the element comes in: 1 or 0; -1: nobody can say (then l->known is off). */
static int condition(struct loop *l)
{
	const struct hcl_expr *x = l->x;
	AUTO(err) struct err err = ERR_INIT;
	struct value v = eval_any(l->e, x->loop.cond);

	if (v.kind == VALUE_NULL) {
		if (l->known)
			diag_detail(l->e->diags,
				    eval_error(l->e, x->loop.cond->span, x, x->loop.cond,
					       "The condition of this for is null"),
				    "What stands after \"if\" must be true or false.");
		l->known = false;
		return -1;
	}
	l->marked |= v.sensitive;
	if (value_convert(l->e->arena, v, &type_bool, &v, &err) < 0) {
		if (l->known)
			diag_detail(
			    l->e->diags,
			    eval_error(l->e, x->loop.cond->span, x, x->loop.cond,
				       "The condition of this for is neither true nor false"),
			    "What stands after \"if\": %s.", err.msg);
		l->known = false;
		return -1;
	}
	if (v.kind == VALUE_UNKNOWN) {
		l->known = false;
		return -1;
	}
	return v.boolean;
}

/* The key of an object's element; false: it could not be had. */
static bool loop_key(struct loop *l, struct str *ret)
{
	const struct hcl_expr *x = l->x;
	AUTO(err) struct err err = ERR_INIT;
	size_t errors = l->e->diags->errors;
	struct value v = eval_any(l->e, x->loop.key);

	l->marked |= v.sensitive;
	if (v.kind == VALUE_NULL) {
		if (l->known)
			diag_detail(
			    l->e->diags,
			    eval_error(l->e, x->loop.key->span, x, x->loop.key, "Null is no key"),
			    "The keys of the object that this for makes are texts.");
		l->known = false;
		return false;
	}
	if (l->e->diags->errors > errors || v.kind == VALUE_UNKNOWN) {
		l->known = false;
		return false;
	}
	if (value_convert(l->e->arena, v, &type_string, &v, &err) < 0) {
		if (l->known)
			diag_detail(l->e->diags,
				    eval_error(l->e, x->loop.key->span, x, x->loop.key,
					       "This value cannot be a key"),
				    "%s", eval_sentence(l->e, err.msg));
		l->known = false;
		return false;
	}
	*ret = v.string;
	return true;
}

/* The scope of one pass; names[2] are the caller's. */
static struct eval_scope scope_of(const struct loop *l, struct value_attr *names, struct value key,
				  struct value value)
{
	bool both = l->x->loop.key_name.n;

	names[0] = (struct value_attr){ .key = l->x->loop.key_name, .value = key };
	names[1] = (struct value_attr){ .key = l->x->loop.value_name, .value = value };
	return (struct eval_scope){ .up = l->e->scope,
				    .v = both ? names : names + 1,
				    .n = both ? 2 : 1 };
}

static void one_pass(struct loop *l, struct value key, struct value value)
{
	const struct hcl_expr *x = l->x;
	struct value_attr names[2];
	struct eval_scope scope = scope_of(l, names, key, value);
	struct item item = { .at = l->items.n };

	l->e->scope = &scope;
	if ((!x->loop.cond || condition(l) == 1) && (!x->loop.key || loop_key(l, &item.key))) {
		item.value = eval_any(l->e, x->loop.value);
		vec_push(&l->items, item);
	}
	l->e->scope = scope.up;
}

static int items_cmp(const void *p, const void *q)
{
	const struct item *x = p, *y = q;
	int cmp = str_cmp(x->key, y->key);

	return cmp ? cmp : (x->at > y->at) - (x->at < y->at);
}

static struct value make_tuple(struct loop *l, size_t from, size_t to)
{
	struct value *v = arena_new_array(l->e->arena, struct value, to - from);

	for (size_t i = from; i < to; i++)
		v[i - from] = l->items.v[i].value;
	return value_seq_make(l->e->arena, VALUE_TUPLE, v, to - from, l->x->span);
}

static void tell_double(struct loop *l, struct str key)
{
	if (l->marked)
		key = STR("(sensitive)");
	diag_detail(l->e->diags,
		    eval_error(l->e, l->x->loop.key->span, l->x, NULL,
			       "Two elements of this for have the key \"" STR_FMT "\"",
			       STR_ARG(key)),
		    "Keys of an object are unique. With ... after the value, each key gets a list "
		    "of its values.");
}

static struct value make_object(struct loop *l)
{
	struct value_attr *attrs = arena_new_array(l->e->arena, struct value_attr, l->items.n);
	size_t n = 0, doubles = 0;

	if (l->items.n)
		qsort(l->items.v, l->items.n, sizeof(*l->items.v), items_cmp);
	for (size_t i = 0, next; i < l->items.n; i = next) {
		for (next = i + 1;
		     next < l->items.n && str_eq(l->items.v[next].key, l->items.v[i].key);)
			next++;
		if (next > i + 1 && !l->x->loop.group && doubles++ < DOUBLES_MAX)
			tell_double(l, l->items.v[i].key);
		attrs[n++] = (struct value_attr){
		    .key = l->items.v[i].key,
		    .value = l->x->loop.group ? make_tuple(l, i, next) : l->items.v[i].value,
		};
	}
	return value_object(l->e->arena, attrs, n, l->x->span);
}

/* The condition with nothing known of the element: a mistake in it is told once, not for each. */
static bool condition_is_sound(struct loop *l)
{
	struct value any = value_unknown(l->x->span);
	struct value_attr names[2];
	struct eval_scope scope = scope_of(l, names, any, any);
	size_t errors = l->e->diags->errors;

	l->e->scope = &scope;
	condition(l);
	l->e->scope = scope.up;
	l->known = true;
	return l->e->diags->errors == errors;
}

static struct value not_iterable(struct eval *e, const struct hcl_expr *x, struct value coll,
				 const struct type *t)
{
	struct str phrase = type_phrase(e->arena, t);

	if (coll.kind == VALUE_NULL)
		diag_detail(e->diags,
			    eval_error(e, x->loop.coll->span, x, x->loop.coll,
				       "A for cannot go through null"),
			    "What stands after \"in\" must be a list, set, tuple, map or object.");
	else
		diag_detail(e->diags,
			    eval_error(e, x->loop.coll->span, x, x->loop.coll,
				       "A for cannot go through this value"),
			    "What stands after \"in\" must be a list, set, tuple, map or object, "
			    "and this is " STR_FMT ".",
			    STR_ARG(phrase));
	return value_unknown(x->span);
}

struct value eval_for(struct eval *e, const struct hcl_expr *x)
{
	struct loop l = {.e = e, .x = x, .known = true};
	struct value coll = eval_any(e, x->loop.coll), ret;
	const struct type *t = type_of(e->arena, coll);
	size_t n, errors = e->diags->errors;

	if (coll.kind == VALUE_NULL)
		return not_iterable(e, x, coll, t);
	l.marked = coll.sensitive;
	if (t->kind == TYPE_ANY)
		ret = value_mark(value_unknown(x->span), l.marked);
	else if (type_is_primitive(t))
		return not_iterable(e, x, coll, t);
	else if ((x->loop.cond && !condition_is_sound(&l)) || coll.kind == VALUE_UNKNOWN)
		ret = value_mark(value_unknown(x->span), l.marked);
	else {
		n = value_len(coll);
		for (size_t i = 0;
		     i < n && !e->exhausted && e->diags->errors - errors < MISTAKES_MAX; i++) {
			struct value key = {0}, value;

			element(e, coll, i, x->loop.key_name.n ? &key : NULL, &value);
			one_pass(&l, key, value);
		}
		if (!l.known || e->exhausted)
			ret = value_unknown(x->span);
		else
			ret = x->loop.key ? make_object(&l) : make_tuple(&l, 0, l.items.n);
		ret = value_mark(ret, l.marked);
		vec_release(&l.items);
	}
	return x->loop.join ? eval_join(e, x, ret) : ret;
}

/* The part after the star, of one item. */
static struct value each(struct eval *e, const struct hcl_expr *x, struct value item)
{
	struct value_attr name = {.key = STR(""), .value = item};
	struct eval_scope scope = {.up = e->scope, .v = &name, .n = 1};
	struct value v;

	e->scope = &scope;
	v = eval_any(e, x->splat.each);
	e->scope = scope.up;
	return v;
}

/* What a splat of a value of type t is of: a list of what each element gives, or a tuple. */
static const struct type *splat_type(struct eval *e, const struct hcl_expr *x, const struct type *t)
{
	const struct type **elems;

	if (t->elem)
		return type_list(e->arena,
				 type_of(e->arena, each(e, x, value_unknown_of(t->elem, x->span))));
	elems = arena_new_array(e->arena, const struct type *, t->n);
	for (size_t i = 0; i < t->n; i++)
		elems[i] = type_of(e->arena, each(e, x, value_unknown_of(t->elems[i], x->span)));
	return type_tuple(e->arena, elems, t->n);
}

/* Elements of one type make a list; of several, nothing. */
static struct value splat_list(struct eval *e, const struct hcl_expr *x, struct value v,
			       const struct type *t, struct value *items, size_t n)
{
	const struct type *elem = &type_any;

	if (!n)
		return value_list(e->arena, splat_type(e, x, t)->elem, NULL, 0, x->span);
	for (size_t i = 0; i < n; i++) {
		const struct type *have = type_of(e->arena, items[i]);

		if (elem->kind == TYPE_ANY)
			elem = have;
		else if (have->kind != TYPE_ANY && !type_equal(elem, have)) {
			diag_detail(e->diags,
				    eval_error(e, x->splat.each->span, x, NULL,
					       "The elements of this splat are of several types"),
				    "A list has elements of one type. A for expression makes a "
				    "tuple of them.");
			return value_unknown(x->span);
		}
	}
	return value_mark(value_list(e->arena, elem, items, n, x->span), v.sensitive);
}

/* Of a splat with mistakes the type is told all the same, for what it stands in; they are reported
 * already. */
static struct value broken_splat(struct eval *e, const struct hcl_expr *x, struct value v,
				 const struct type *t)
{
	struct diags *was = e->diags, again;
	struct value ret;

	diags_init(&again, e->arena);
	e->diags = &again;
	ret = value_unknown_of(splat_type(e, x, t), x->span);
	e->diags = was;
	return value_mark(ret, v.sensitive);
}

/* As long as what it goes through. */
static struct value unknown_splat(struct eval *e, const struct hcl_expr *x, struct value v,
				  const struct type *t)
{
	struct refinement r = value_range(v);

	r.not_null = true;
	return value_refine(e->arena, value_unknown_of(splat_type(e, x, t), x->span), &r);
}

struct value eval_splat(struct eval *e, const struct hcl_expr *x)
{
	size_t errors = e->diags->errors, n;
	struct value v = eval_any(e, x->splat.target), *items;
	const struct type *t = type_of(e->arena, v);
	bool sequence = t->kind == TYPE_TUPLE || t->kind == TYPE_LIST || t->kind == TYPE_SET;
	bool maybe_null = v.kind == VALUE_UNKNOWN && !sequence && !value_range(v).not_null;

	if (e->diags->errors > errors)
		return value_unknown(x->span);
	if (v.kind == VALUE_NULL && !sequence)
		return value_mark(value_seq_make(e->arena, VALUE_TUPLE, NULL, 0, x->span),
				  v.sensitive);
	if (v.kind == VALUE_NULL) {
		diag_detail(
		    e->diags,
		    eval_error(e, x->splat.target->span, x, x->splat.target, "A splat of null"),
		    "This is a list, set or tuple that is null: it has no elements to go through.");
		return value_unknown(x->span);
	}
	if (t->kind == TYPE_ANY)
		return value_mark(value_unknown(x->span), v.sensitive);
	if (!sequence) { /* a value alone is taken for a tuple of it */
		v = value_mark(value_seq_make(e->arena, VALUE_TUPLE, &v, 1, x->span), v.sensitive);
		t = type_of(e->arena, v);
	}
	if (v.kind == VALUE_UNKNOWN)
		return value_mark(unknown_splat(e, x, v, t), v.sensitive);
	n = v.seq->n;
	items = arena_new_array(e->arena, struct value, n);
	for (size_t i = 0; i < n && !e->exhausted && e->diags->errors - errors < MISTAKES_MAX; i++)
		items[i] = each(e, x, v.seq->v[i]);
	if (maybe_null || e->exhausted)
		return value_mark(value_unknown(x->span), v.sensitive);
	if (e->diags->errors > errors)
		return broken_splat(e, x, v, t);
	if (t->kind == TYPE_LIST || t->kind == TYPE_SET)
		return splat_list(e, x, v, t, items, n);
	return value_mark(value_seq_make(e->arena, VALUE_TUPLE, items, n, x->span), v.sensitive);
}
