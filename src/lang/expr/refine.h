/* What is known of a value that is not known yet: that it is not null, how its text begins, between
 * which bounds its number or its number of elements lies. Enough of it makes the value known, and
 * comparisons with it may have an answer: `"a-${unknown}" == null` is false. (Facts: the
 * reference's value library.)
 *
 *	ret = value_unknown_of(&type_string, span);
 *	ret = value_refine(a, ret, &(struct refinement){REFINE_NOT_NULL, .prefix = "a-"});
 */
#ifndef INGOT_LANG_EXPR_REFINE_H
#define INGOT_LANG_EXPR_REFINE_H

#include "lang/expr/number.h"
#include "lang/expr/type.h"

#define REFINE_LEN_ANY SIZE_MAX
#define REFINE_NOT_NULL .not_null = true, .len_max = REFINE_LEN_ANY

struct refinement {
	bool not_null;
	struct str prefix;		/* of a text */
	const struct number *min, *max; /* of a number, both included; NULL: none */
	size_t len_min, len_max;	/* of a list, set or map */
};

/* An unknown value with that known of it too; a known one, or one of no known type, as it is. */
struct value value_refine(struct arena *a, struct value v, const struct refinement *more);
struct value value_not_null(struct arena *a, struct value v);
/* What is known of any value: of a known one, all that a refinement can say. */
struct refinement value_range(struct value v);
/* The part of a text that stays whatever is put after it: without a last character that could
 * combine with what follows. */
struct str refine_safe_prefix(struct arena *a, struct str s);
/* Of a number of elements. */
const struct number *refine_count(struct arena *a, size_t n);

#endif
