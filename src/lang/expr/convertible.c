/* Whether values of one type can become values of another, and why not. */
#include "lang/expr/inner.h"

#define MISMATCH_NAMES 10 /* missing attributes that a message lists */

const struct type_attr *type_attr_find(const struct type *t, struct str name)
{
	size_t low = 0, high = t->kind == TYPE_OBJECT ? t->n : 0;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int cmp = str_cmp(t->attrs[mid].name, name);

		if (cmp == 0)
			return &t->attrs[mid];
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

bool type_has_any(const struct type *t)
{
	if (t->kind == TYPE_ANY)
		return true;
	if (t->elem)
		return type_has_any(t->elem);
	for (size_t i = 0; i < t->n; i++)
		if (type_has_any(t->kind == TYPE_TUPLE ? t->elems[i] : t->attrs[i].type))
			return true;
	return false;
}

const struct type **type_parts(struct arena *a, const struct type *t)
{
	const struct type **ret = arena_new_array(a, const struct type *, t->n);

	for (size_t i = 0; i < t->n; i++)
		ret[i] = t->kind == TYPE_TUPLE ? t->elems[i] : t->attrs[i].type;
	return ret;
}

const struct type *type_element_target(struct arena *a, const struct type *in,
				       const struct type *want, bool unsafe)
{
	const struct type *t = want;

	if (t->kind != TYPE_ANY || !in->n)
		return t;
	t = type_unify_by(a, type_parts(a, in), in->n, unsafe);
	if (!t || t->kind != TYPE_ANY || in->kind == TYPE_OBJECT)
		return t;
	for (size_t i = 0; i < in->n; i++)
		if (in->elems[i]->kind != TYPE_ANY)
			return NULL;
	return t;
}

static bool same_or_convertible(struct arena *a, const struct type *in, const struct type *out,
				bool unsafe)
{
	return type_equal(in, out) || type_convertible(a, in, out, unsafe);
}

static bool parts_convertible(struct arena *a, const struct type *in, const struct type *elem,
			      bool unsafe)
{
	const struct type *last = NULL;

	elem = type_element_target(a, in, elem, unsafe);
	if (!elem)
		return false;
	for (size_t i = 0; i < in->n; i++) {
		const struct type *t = in->kind == TYPE_TUPLE ? in->elems[i] : in->attrs[i].type;

		if (t != last && !same_or_convertible(a, t, elem, unsafe))
			return false;
		last = t;
	}
	return true;
}

static bool objects_convertible(struct arena *a, const struct type *in, const struct type *out,
				bool unsafe)
{
	for (size_t i = 0; i < out->n; i++) {
		const struct type_attr *have = type_attr_find(in, out->attrs[i].name);

		if (!have && out->attrs[i].optional)
			continue;
		if (!have || !same_or_convertible(a, have->type, out->attrs[i].type, unsafe))
			return false;
	}
	return true;
}

static bool tuples_convertible(struct arena *a, const struct type *in, const struct type *out,
			       bool unsafe)
{
	if (in->n != out->n)
		return false;
	for (size_t i = 0; i < in->n; i++)
		if (!same_or_convertible(a, in->elems[i], out->elems[i], unsafe))
			return false;
	return true;
}

static bool map_to_object(struct arena *a, const struct type *in, const struct type *out)
{
	for (size_t i = 0; i < out->n; i++)
		if (!same_or_convertible(a, in->elem, out->attrs[i].type, true) &&
		    !out->attrs[i].optional)
			return false;
	return true;
}

bool type_convertible(struct arena *a, const struct type *in, const struct type *out, bool unsafe)
{
	bool sequence = in->kind == TYPE_LIST || in->kind == TYPE_SET;

	if (out->kind == TYPE_ANY || (unsafe && in->kind == TYPE_ANY))
		return true;
	if (type_is_primitive(in) && type_is_primitive(out))
		return out->kind == TYPE_STRING || in->kind == out->kind ||
		       (unsafe && in->kind == TYPE_STRING);
	switch (out->kind) {
	case TYPE_OBJECT:
		if (in->kind == TYPE_OBJECT)
			return objects_convertible(a, in, out, unsafe);
		return in->kind == TYPE_MAP && unsafe && map_to_object(a, in, out);
	case TYPE_TUPLE:
		return in->kind == TYPE_TUPLE && tuples_convertible(a, in, out, unsafe);
	case TYPE_LIST:
		if (in->kind == TYPE_TUPLE)
			return parts_convertible(a, in, out->elem, unsafe);
		return sequence && same_or_convertible(a, in->elem, out->elem, unsafe);
	case TYPE_SET:
		if (in->kind == TYPE_TUPLE)
			return parts_convertible(a, in, out->elem, unsafe);
		return sequence && (unsafe || in->kind == TYPE_SET) &&
		       same_or_convertible(a, in->elem, out->elem, unsafe);
	case TYPE_MAP:
		if (in->kind == TYPE_OBJECT)
			return parts_convertible(a, in, out->elem, unsafe);
		return in->kind == TYPE_MAP && same_or_convertible(a, in->elem, out->elem, unsafe);
	default:
		return false;
	}
}

/* "expected number, got list of string". */
static struct str needed(struct arena *a, const struct type *got, const struct type *want)
{
	struct str w = type_phrase(a, want), g = type_phrase(a, got);

	return str_from(
	    arena_printf(a, "expected " STR_FMT ", got " STR_FMT, STR_ARG(w), STR_ARG(g)));
}

static struct str mismatch_objects(struct arena *a, const struct type *got, const struct type *want)
{
	AUTO(buf) struct buf missing = BUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < want->n; i++) {
		const struct type_attr *w = &want->attrs[i];

		if (type_attr_find(got, w->name) || w->optional)
			continue;
		if (n++ < MISMATCH_NAMES)
			buf_printf(&missing, "%s\"" STR_FMT "\"", n > 1 ? ", " : "",
				   STR_ARG(w->name));
	}
	if (n)
		return str_from(arena_printf(a, "attribute%s %s %s missing", n > 1 ? "s" : "",
					     buf_cstr(&missing), n > 1 ? "are" : "is"));
	for (size_t i = 0; i < want->n; i++) {
		const struct type_attr *w = &want->attrs[i], *g = type_attr_find(got, w->name);

		if (g && !same_or_convertible(a, g->type, w->type, true)) {
			struct str inner = type_mismatch(a, g->type, w->type);

			return str_from(arena_printf(a, "attribute \"" STR_FMT "\": " STR_FMT,
						     STR_ARG(w->name), STR_ARG(inner)));
		}
	}
	return needed(a, got, want);
}

/* Of the first part of a tuple or object that does not fit a collection. */
static struct str mismatch_parts(struct arena *a, const struct type *got, const struct type *want)
{
	for (size_t i = 0; i < got->n; i++) {
		const struct type *t = got->kind == TYPE_TUPLE ? got->elems[i] : got->attrs[i].type;
		struct str inner;

		if (same_or_convertible(a, t, want->elem, true))
			continue;
		inner = type_mismatch(a, t, want->elem);
		if (got->kind == TYPE_TUPLE)
			return str_from(
			    arena_printf(a, "element %zu: " STR_FMT, i, STR_ARG(inner)));
		return str_from(arena_printf(a, "element \"" STR_FMT "\": " STR_FMT,
					     STR_ARG(got->attrs[i].name), STR_ARG(inner)));
	}
	return needed(a, got, want);
}

struct str type_mismatch(struct arena *a, const struct type *got, const struct type *want)
{
	bool fits =
	    (got->kind == TYPE_TUPLE && (want->kind == TYPE_LIST || want->kind == TYPE_SET)) ||
	    (got->kind == TYPE_OBJECT && want->kind == TYPE_MAP);
	bool collections =
	    got->elem && want->elem && (got->kind == TYPE_MAP) == (want->kind == TYPE_MAP);

	if (got->kind == TYPE_OBJECT && want->kind == TYPE_OBJECT)
		return mismatch_objects(a, got, want);
	if (fits && want->elem->kind == TYPE_ANY)
		return str_from(arena_printf(a, "the elements of a %s must have one type in common",
					     want->kind == TYPE_LIST  ? "list"
					     : want->kind == TYPE_SET ? "set"
								      : "map"));
	if (fits)
		return mismatch_parts(a, got, want);
	if (got->kind == TYPE_TUPLE && want->kind == TYPE_TUPLE && got->n != want->n)
		return str_from(arena_printf(a, "expected a tuple of %zu element%s, got one of %zu",
					     want->n, want->n == 1 ? "" : "s", got->n));
	if (got->kind == TYPE_TUPLE && want->kind == TYPE_TUPLE)
		for (size_t i = 0; i < got->n; i++)
			if (!same_or_convertible(a, got->elems[i], want->elems[i], true)) {
				struct str inner = type_mismatch(a, got->elems[i], want->elems[i]);

				return str_from(
				    arena_printf(a, "element %zu: " STR_FMT, i, STR_ARG(inner)));
			}
	if (collections) {
		struct str inner = type_mismatch(a, got->elem, want->elem);

		return str_from(
		    arena_printf(a, "its elements do not fit: " STR_FMT, STR_ARG(inner)));
	}
	return needed(a, got, want);
}
