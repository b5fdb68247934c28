/* Inside expr/: what conversion, unification and evaluation share. */
#ifndef INGOT_LANG_EXPR_INNER_H
#define INGOT_LANG_EXPR_INNER_H

#include "base/buf.h"
#include "lang/expr/type.h"

/* Whether a value of type `in` may become one of `out`: safe conversions never fail, unsafe ones
 * may, depending on the value (a string to a number). */
bool type_convertible(struct arena *a, const struct type *in, const struct type *out, bool unsafe);
/* The types of a tuple's or object's parts, as one list. */
const struct type **type_parts(struct arena *a, const struct type *t);
/* What elements of a tuple or object become in a collection: `want`, or what they have in common
 * where that is not told. NULL: nothing. */
const struct type *type_element_target(struct arena *a, const struct type *in,
				       const struct type *want, bool unsafe);
/* Why not, in words. */
struct str type_mismatch(struct arena *a, const struct type *got, const struct type *want);
/* type_unify by safe conversions alone, or also by unsafe ones. */
const struct type *type_unify_by(struct arena *a, const struct type *const *types, size_t n,
				 bool unsafe);
/* The attribute of an object type, or NULL. */
const struct type_attr *type_attr_find(const struct type *t, struct str name);
/* Whether a value of this type may turn out to be of several. */
bool type_has_any(const struct type *t);

/* Equality of two values, which unknown ones may leave open. Values of different types are not
 * equal. */
enum equality { EQUAL_NO, EQUAL_YES, EQUAL_OPEN };
enum equality value_same(struct arena *a, struct value x, struct value y);

/* The attribute or element of that key in an object or map, whose keys are sorted; else NULL. */
const struct value_attr *value_attr_get(struct value v, struct str key);

/* The bytes by which sets order and tell apart their elements. */
void set_key_write(struct buf *out, struct value v);

#endif
