/* Types: the constants, what a value is of, comparison, and names for messages. */
#include "lang/expr/type.h"

#include "base/buf.h"

const struct type type_any = {.kind = TYPE_ANY};
const struct type type_bool = {.kind = TYPE_BOOL};
const struct type type_number = {.kind = TYPE_NUMBER};
const struct type type_string = {.kind = TYPE_STRING};
const struct type type_list_any = {.kind = TYPE_LIST, .elem = &type_any};
const struct type type_list_string = {.kind = TYPE_LIST, .elem = &type_string};
const struct type type_list_number = {.kind = TYPE_LIST, .elem = &type_number};
const struct type type_list_bool = {.kind = TYPE_LIST, .elem = &type_bool};
const struct type type_list_list_any = {.kind = TYPE_LIST, .elem = &type_list_any};
const struct type type_set_any = {.kind = TYPE_SET, .elem = &type_any};
const struct type type_set_string = {.kind = TYPE_SET, .elem = &type_string};
const struct type type_map_any = {.kind = TYPE_MAP, .elem = &type_any};
const struct type type_map_string = {.kind = TYPE_MAP, .elem = &type_string};

static const struct type type_empty_tuple = {.kind = TYPE_TUPLE};
static const struct type type_empty_object = {.kind = TYPE_OBJECT};

static const struct type *collection(struct arena *a, enum type_kind kind, const struct type *elem)
{
	struct type *t = arena_new_obj(a, struct type);

	*t = (struct type){.kind = kind, .elem = elem};
	return t;
}

const struct type *type_list(struct arena *a, const struct type *elem)
{
	return collection(a, TYPE_LIST, elem);
}

const struct type *type_set(struct arena *a, const struct type *elem)
{
	return collection(a, TYPE_SET, elem);
}

const struct type *type_map(struct arena *a, const struct type *elem)
{
	return collection(a, TYPE_MAP, elem);
}

const struct type *type_tuple(struct arena *a, const struct type *const *elems, size_t n)
{
	struct type *t = arena_new_obj(a, struct type);

	*t = (struct type){.kind = TYPE_TUPLE, .elems = elems, .n = n};
	return t;
}

static const struct type *tuple_of(struct arena *a, const struct value_seq *seq)
{
	const struct type **elems;

	if (!seq->n)
		return &type_empty_tuple;
	elems = arena_new_array(a, const struct type *, seq->n);
	for (size_t i = 0; i < seq->n; i++)
		elems[i] = type_of(a, seq->v[i]);
	return type_tuple(a, elems, seq->n);
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const struct type_attr *)x)->name, ((const struct type_attr *)y)->name);
}

const struct type *type_object(struct arena *a, struct type_attr *attrs, size_t n)
{
	struct type *t = arena_new_obj(a, struct type);

	for (size_t i = 1; i < n; i++) {
		if (str_cmp(attrs[i - 1].name, attrs[i].name) > 0) {
			qsort(attrs, n, sizeof(*attrs), by_name);
			break;
		}
	}
	*t = (struct type){.kind = TYPE_OBJECT, .attrs = attrs, .n = n};
	return t;
}

static const struct type *object_of(struct arena *a, const struct value_attrs *attrs)
{
	struct type_attr *v;

	if (!attrs->n)
		return &type_empty_object;
	v = arena_new_array(a, struct type_attr, attrs->n);
	for (size_t i = 0; i < attrs->n; i++)
		v[i] = (struct type_attr){ .name = attrs->v[i].key,
					   .type = type_of(a, attrs->v[i].value) };
	return type_object(a, v, attrs->n);
}

/* That of the first element whose type is known. */
static const struct type *element_type(struct arena *a, struct value v)
{
	size_t n = value_len(v);

	for (size_t i = 0; i < n; i++) {
		const struct type *t =
		    type_of(a, v.kind == VALUE_MAP ? v.attrs->v[i].value : v.seq->v[i]);

		if (t->kind != TYPE_ANY)
			return t;
	}
	return &type_any;
}

const struct type *type_of(struct arena *a, struct value v)
{
	switch (v.kind) {
	case VALUE_NULL:
	case VALUE_UNKNOWN:
		return v.type ? v.type : &type_any;
	case VALUE_BOOL:
		return &type_bool;
	case VALUE_NUMBER:
		return &type_number;
	case VALUE_STRING:
		return &type_string;
	case VALUE_LIST:
		return v.type ? v.type : type_list(a, element_type(a, v));
	case VALUE_SET:
		return v.type ? v.type : type_set(a, element_type(a, v));
	case VALUE_MAP:
		return v.type ? v.type : type_map(a, element_type(a, v));
	case VALUE_TUPLE:
		return tuple_of(a, v.seq);
	case VALUE_OBJECT:
		return object_of(a, v.attrs);
	}
	return &type_any;
}

/* Whether an attribute may be left out says nothing of the values, so it is no part of the
 * comparison. */
bool type_equal(const struct type *x, const struct type *y)
{
	if (x == y)
		return true;
	if (x->kind != y->kind || x->n != y->n)
		return false;
	if (x->elem)
		return type_equal(x->elem, y->elem);
	for (size_t i = 0; i < x->n; i++) {
		if (x->kind == TYPE_TUPLE && !type_equal(x->elems[i], y->elems[i]))
			return false;
		if (x->kind == TYPE_OBJECT && (!str_eq(x->attrs[i].name, y->attrs[i].name) ||
					       !type_equal(x->attrs[i].type, y->attrs[i].type)))
			return false;
	}
	return true;
}

bool type_is_primitive(const struct type *t)
{
	return t->kind == TYPE_BOOL || t->kind == TYPE_NUMBER || t->kind == TYPE_STRING;
}

static const char *const kind_names[] = {
    [TYPE_ANY] = "any",	      [TYPE_BOOL] = "bool",   [TYPE_NUMBER] = "number",
    [TYPE_STRING] = "string", [TYPE_LIST] = "list",   [TYPE_SET] = "set",
    [TYPE_MAP] = "map",	      [TYPE_TUPLE] = "tuple", [TYPE_OBJECT] = "object",
};

static void write_text(struct buf *out, const struct type *t)
{
	buf_adds(out, kind_names[t->kind]);
	if (t->elem) {
		buf_addc(out, '(');
		write_text(out, t->elem);
		buf_addc(out, ')');
	}
	if (t->kind != TYPE_TUPLE && t->kind != TYPE_OBJECT)
		return;
	buf_adds(out, t->kind == TYPE_TUPLE ? "([" : "({");
	for (size_t i = 0; i < t->n; i++) {
		buf_adds(out, i ? ", " : "");
		if (t->kind == TYPE_TUPLE) {
			write_text(out, t->elems[i]);
			continue;
		}
		buf_add_str(out, t->attrs[i].name);
		buf_adds(out, t->attrs[i].optional ? "=optional(" : "=");
		write_text(out, t->attrs[i].type);
		buf_adds(out, t->attrs[i].optional ? ")" : "");
	}
	buf_adds(out, t->kind == TYPE_TUPLE ? "])" : "})");
}

struct str type_text(struct arena *a, const struct type *t)
{
	AUTO(buf) struct buf out = BUF_INIT;

	write_text(&out, t);
	return arena_str(a, buf_str(&out));
}

static void write_phrase(struct buf *out, const struct type *t)
{
	if (t->kind == TYPE_ANY) {
		buf_adds(out, "any type");
		return;
	}
	buf_adds(out, kind_names[t->kind]);
	if (!t->elem)
		return;
	buf_adds(out, " of ");
	if (t->elem->kind == TYPE_ANY)
		buf_adds(out, "any one type");
	else
		write_phrase(out, t->elem);
}

struct str type_phrase(struct arena *a, const struct type *t)
{
	AUTO(buf) struct buf out = BUF_INIT;

	write_phrase(&out, t);
	return arena_str(a, buf_str(&out));
}
