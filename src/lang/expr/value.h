/* Values of both template languages: immutable, in an arena, passed by copy.
 *
 * A value knows whether it is unknown (not yet to be had) and whether it is sensitive; both survive
 * every operation. The span tells where it was written, for diagnostics. Numbers are binary floats
 * of 512 bits, as in HCL. Strings are UTF-8.
 */
#ifndef INGOT_LANG_EXPR_VALUE_H
#define INGOT_LANG_EXPR_VALUE_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/str.h"

enum value_kind {
	VALUE_NULL,
	VALUE_UNKNOWN,
	VALUE_BOOL,
	VALUE_NUMBER,
	VALUE_STRING,
	VALUE_LIST,
	VALUE_SET,
	VALUE_TUPLE,
	VALUE_MAP,
	VALUE_OBJECT,
};

struct type;	   /* lang/expr/type.h: of null, unknown and empty collections; NULL: any */
struct number;	   /* lang/expr/number.h: an MPFR number in an arena */
struct refinement; /* lang/expr/refine.h: what is known of an unknown value */

struct value {
	enum value_kind kind : 8;
	bool sensitive : 1;
	const struct type *type;
	struct span span;
	union {
		bool boolean;
		const struct number *number;
		struct str string;
		const struct value_seq *seq;	  /* list, set, tuple */
		const struct value_attrs *attrs;  /* map, object */
		const struct refinement *refined; /* unknown; NULL: nothing is known of it */
	};
};

struct value_seq {
	size_t n;
	struct value v[];
};

/* Attributes in the order they were written. Keys of maps and sets of HCL are sorted when iterated;
 * whoever makes a map for HCL makes it sorted. */
struct value_attr {
	struct str key;
	struct span key_span;
	struct value value;
};
struct value_attrs {
	size_t n;
	struct value_attr v[];
};

struct value value_null(struct span span);
struct value value_unknown(struct span span);
struct value value_bool(bool b, struct span span);
struct value value_string(struct str s, struct span span); /* s is borrowed */
struct value value_cstring(struct arena *a, const char *s, struct span span);
struct value value_i64(struct arena *a, int64_t n, struct span span);
/* Decimal text as in JSON and HCL ("1", "-2.5e3"); false if it is no number. */
bool value_number_parse(struct arena *a, struct str text, struct span span, struct value *ret);
struct value value_seq_make(struct arena *a, enum value_kind kind, const struct value *v, size_t n,
			    struct span span);
struct value value_attrs_make(struct arena *a, enum value_kind kind, const struct value_attr *v,
			      size_t n, struct span span);

static inline bool value_is_seq(struct value v)
{
	return v.kind == VALUE_LIST || v.kind == VALUE_SET || v.kind == VALUE_TUPLE;
}
static inline bool value_is_attrs(struct value v)
{
	return v.kind == VALUE_MAP || v.kind == VALUE_OBJECT;
}
size_t value_len(struct value v); /* elements, attributes, or bytes of a string */
/* The attribute of that name or NULL; exact, or with ASCII case folded. */
const struct value_attr *value_attr_find(struct value v, const char *key);
const struct value_attr *value_attr_find_fold(struct value v, const char *key);

bool value_as_i64(struct value v, int64_t *ret); /* false: no number, or no whole one in range */
bool value_as_double(struct value v, double *ret);
/* Shortest decimal text of a number, as HCL and JSON print it ("1", "0.1", "1e+30" never). */
struct str value_number_text(struct arena *a, struct value v);
bool value_equal(struct value a, struct value b); /* deep; marks and spans are ignored */
/* "text", "a number", "a list", "an object", "nothing (null)" */
const char *value_kind_phrase(struct value v);
/* True if v or anything in it is unknown / sensitive. */
bool value_has_unknown(struct value v);
bool value_has_sensitive(struct value v);

#endif
