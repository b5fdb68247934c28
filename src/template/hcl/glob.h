/* Patterns of -only and -except on HCL2 templates. */
#ifndef INGOT_TEMPLATE_HCL_GLOB_H
#define INGOT_TEMPLATE_HCL_GLOB_H

#include "base/err.h"

/* Checks a pattern: `*` and `**` any text, `?` any character, `[abc]`, `[a-z]`, `[!…]`,
 * `{one,two}`, `\` before a character that is meant as it is. (Fact: gobwas/glob without
 * separators, which the reference uses.) */
int hcl_glob_check(const char *pattern, struct err *err) MUST_USE;
/* Whether all of s matches a checked pattern. */
bool hcl_glob_match(const char *pattern, const char *s);

#endif
