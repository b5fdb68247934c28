/* Types of the HCL2 value model, conversion between them, and the common type of several.
 *
 * A value's own `type` is set only where it says more than the value: on null and unknown (NULL:
 * any type), and on list, set and map (the whole type, for empty ones; NULL: that of the first
 * element, any if there is none). The rules are those of the reference's value library, measured by
 * the vectors.
 */
#ifndef INGOT_LANG_EXPR_TYPE_H
#define INGOT_LANG_EXPR_TYPE_H

#include "base/arena.h"
#include "base/err.h"
#include "lang/expr/value.h"

enum type_kind {
	TYPE_ANY, /* not known yet; as a constraint: whatever comes */
	TYPE_BOOL,
	TYPE_NUMBER,
	TYPE_STRING,
	TYPE_LIST,
	TYPE_SET,
	TYPE_MAP,
	TYPE_TUPLE,
	TYPE_OBJECT,
};

struct type_attr {
	struct str name;
	const struct type *type;
	bool optional;		 /* optional(T) and optional(T, DEFAULT) of a constraint */
	const struct value *def; /* NULL: null of that type */
};

struct type {
	enum type_kind kind;
	const struct type *elem;	 /* list, set, map */
	const struct type *const *elems; /* tuple: n of them */
	const struct type_attr *attrs;	 /* object: n of them, sorted by name */
	size_t n;
};

extern const struct type type_any, type_bool, type_number, type_string;
extern const struct type type_list_any, type_list_string, type_list_number, type_list_bool,
	type_list_list_any, type_set_any, type_set_string, type_map_any, type_map_string;

const struct type *type_list(struct arena *a, const struct type *elem);
const struct type *type_set(struct arena *a, const struct type *elem);
const struct type *type_map(struct arena *a, const struct type *elem);

/* Of n types or attributes in the arena; the attributes are sorted by name. */
const struct type *type_tuple(struct arena *a, const struct type *const *elems, size_t n);
const struct type *type_object(struct arena *a, struct type_attr *attrs, size_t n);

/* The type of a value, never NULL; TYPE_ANY for a null or unknown of no known type. */
const struct type *type_of(struct arena *a, struct value v);
bool type_equal(const struct type *x, const struct type *y);
bool type_is_primitive(const struct type *t);
/* As a constraint is written: "list(string)", "object({a=number})". */
struct str type_text(struct arena *a, const struct type *t);
/* As messages say it: "list of string". */
struct str type_phrase(struct arena *a, const struct type *t);

/* The type all n can be converted to, or NULL. */
const struct type *type_unify(struct arena *a, const struct type *const *types, size_t n);

/* v as a value of the type `want` (TYPE_ANY in it: as it comes), by the safe and unsafe conversions
 * of HCL (a string to a number, a tuple to a list, an object to a map, optional attributes filled
 * in…). Marks are kept; unknown becomes unknown of that type; null stays null of that type. -1:
 * ERR_INVALID, the message is what was wrong and where in the value: `element 0: a number is
 * required`. */
int value_convert(struct arena *a, struct value v, const struct type *want, struct value *ret,
		  struct err *err) MUST_USE;

/* Null and unknown of a known type. */
struct value value_null_of(const struct type *t, struct span span);
struct value value_unknown_of(const struct type *t, struct span span);
/* A list, set (sorted and without doubles, as HCL iterates it) or map (sorted by key) of the
 * element type `elem`, which its elements already are of. */
struct value value_list(struct arena *a, const struct type *elem, const struct value *v, size_t n,
			struct span span);
struct value value_set(struct arena *a, const struct type *elem, const struct value *v, size_t n,
		       struct span span);
struct value value_map(struct arena *a, const struct type *elem, const struct value_attr *v,
		       size_t n, struct span span);
/* An object, sorted by key. */
struct value value_object(struct arena *a, const struct value_attr *v, size_t n, struct span span);
/* The same from attributes in the order they came: of several of a name the last one counts. */
struct value value_object_last(struct arena *a, const struct value_attr *v, size_t n,
			       struct span span);

/* The same value with the mark set on it. */
struct value value_mark(struct value v, bool sensitive);
/* v without any mark, also inside; *ret_marked (may be NULL): whether there was one. */
struct value value_unmark_deep(struct arena *a, struct value v, bool *ret_marked);

#endif
