/* Regular expressions in RE2's syntax, run by PCRE2.
 *
 *	struct re2 *re = re2_compile(pattern, &err);
 *	if (re2_match(re, text, 0, groups, &err) > 0) …	groups[0] is the whole match
 *	re2_free(re);
 *
 * What RE2 does not know (backreferences, looking around, possessive repetition…) is refused. A
 * match that would take too long ends with an error that says so.
 */
#ifndef INGOT_LANG_EXPR_FUNCTIONS_RE2_H
#define INGOT_LANG_EXPR_FUNCTIONS_RE2_H

#include "base/err.h"
#include "base/str.h"

struct re2;

/* NULL, with err telling what is wrong in which part of the pattern. */
struct re2 *re2_compile(struct str pattern, struct err *err);
void re2_free(struct re2 *re);
DEFINE_AUTO_PTR(re2, struct re2 *, re2_free);

size_t re2_groups(const struct re2 *re); /* without the whole match */
/* Of the group i, from 1; NULL: it has none. */
const char *re2_group_name(const struct re2 *re, size_t i);

/* The first match in the UTF-8 text s from the byte `at` on: 1 with re2_groups() + 1 spans in ret
 * (p is NULL where a group took no part), 0 if there is none, -1 with err. */
int re2_match(const struct re2 *re, struct str s, size_t at, struct str *ret,
	      struct err *err) MUST_USE;

#endif
