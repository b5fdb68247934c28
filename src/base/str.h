/* Borrowed byte strings with a length, and small text helpers. */
#ifndef INGOT_BASE_STR_H
#define INGOT_BASE_STR_H

#include "base/base.h"

#include <string.h>

struct str {
	const char *p; /* may be NULL when n is 0 */
	size_t n;
};

#define STR(lit) ((struct str){ (lit), sizeof(lit) - 1 })
#define STR_FMT "%.*s" /* with STR_ARG(s) */
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_from(const char *s)
{
	return (struct str){ s, s ? strlen(s) : 0 };
}
static inline struct str str_slice(struct str s, size_t from, size_t to)
{
	return (struct str){ s.p ? s.p + from : NULL, to - from };
}
bool str_eq(struct str a, struct str b);
bool str_eqs(struct str a, const char *b);
bool str_ieqs(struct str a, const char *b); /* ASCII case folded */
int str_cmp(struct str a, struct str b);    /* bytewise */
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
struct str str_trim(struct str s);		   /* ASCII white space at both ends */
ptrdiff_t str_find(struct str s, struct str what); /* byte offset or -1 */
/* Takes the next field off *rest up to sep; false when nothing is left. "" has one empty field. */
bool str_split(struct str *rest, char sep, struct str *ret_field);

/* Neither NULL nor empty: an option, a variable or an answer left empty is as good as none. */
static inline bool given(const char *s)
{
	return s && *s;
}

static inline bool streq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}
bool starts_with(const char *s, const char *prefix);
bool ends_with(const char *s, const char *suffix);
/* Shell-like pattern (* ? [..]), of which '/' is a character like any other: as -only has it. */
bool glob_match(const char *pattern, const char *s);

/* Whole-string number parse; false on garbage or overflow. */
bool parse_i64(struct str s, int64_t *ret);
bool parse_u64(struct str s, uint64_t *ret);

/* The candidate nearest to `word` (at most as many edits as a third of the longer one's length, and
 * at most 4), or NULL. Used for every "did you mean". */
const char *str_nearest(const char *word, const char *const *candidates, size_t n);

/* The value of a hexadecimal digit, or -1. */
static inline int hex_value(char c)
{
	return c >= '0' && c <= '9'		    ? c - '0'
	       : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
						    : -1;
}

/* Checks UTF-8; returns the offset of the first bad byte or -1. */
ptrdiff_t utf8_invalid_at(struct str s);

#endif
