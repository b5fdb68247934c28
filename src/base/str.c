/* Byte strings with a length, patterns, numbers, "did you mean". */
#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_eqs(struct str a, const char *b)
{
	return str_eq(a, str_from(b));
}

bool str_ieqs(struct str a, const char *b)
{
	return strlen(b) == a.n && (a.n == 0 || strncasecmp(a.p, b, a.n) == 0);
}

int str_cmp(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n);
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

bool str_ends(struct str s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.n >= n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.n && is_space(s.p[0]))
		s = str_slice(s, 1, s.n);
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

ptrdiff_t str_find(struct str s, struct str what)
{
	const char *at;

	if (what.n == 0)
		return 0;
	at = s.n ? memmem(s.p, s.n, what.p, what.n) : NULL;
	return at ? at - s.p : -1;
}

bool str_split(struct str *rest, char sep, struct str *ret_field)
{
	const char *at;

	if (!rest->p)
		return false;
	at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
	if (!at) {
		*ret_field = *rest;
		*rest = (struct str){ 0 };
		return true;
	}
	*ret_field = (struct str){ rest->p, (size_t)(at - rest->p) };
	*rest = str_slice(*rest, ret_field->n + 1, rest->n);
	return true;
}

bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool ends_with(const char *s, const char *suffix)
{
	return str_ends(str_from(s), suffix);
}

/* Matches one [class]; *p stands behind the '['. Returns false for a malformed one too. */
static bool match_class(const char **p, char c)
{
	bool negated = **p == '^' || **p == '!', hit = false;

	if (negated)
		++*p;
	for (bool first = true; **p && (first || **p != ']'); first = false) {
		char from = *(*p)++, to = from;

		if (from == '\\' && **p)
			from = to = *(*p)++;
		if (**p == '-' && (*p)[1] && (*p)[1] != ']') {
			to = (*p)[1];
			*p += 2;
		}
		hit |= c >= from && c <= to;
	}
	if (**p != ']')
		return false;
	++*p;
	return hit != negated;
}

bool glob_match(const char *pattern, const char *s)
{
	const char *star = NULL, *from = NULL; /* where to go on after a mismatch */

	while (*s) {
		const char *p = pattern;
		bool ok = false;

		if (*p == '*') {
			star = ++pattern;
			from = s;
			continue;
		}
		if (*p == '?') {
			ok = true;
			p++;
		} else if (*p == '[') {
			p++;
			ok = match_class(&p, *s);
		} else if (*p) {
			if (*p == '\\' && p[1])
				p++;
			ok = *p++ == *s;
		}
		if (ok) {
			pattern = p;
			s++;
		} else if (star) {
			pattern = star;
			s = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

bool parse_u64(struct str s, uint64_t *ret)
{
	uint64_t v = 0;

	if (!s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	}
	*ret = v;
	return true;
}

bool parse_i64(struct str s, int64_t *ret)
{
	bool negative = s.n && s.p[0] == '-';
	uint64_t v;

	if (s.n && (negative || s.p[0] == '+'))
		s = str_slice(s, 1, s.n);
	if (!parse_u64(s, &v) || v > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

/* Edit distance (insert, delete, replace, swap of neighbours), at most `limit` + 1. */
static size_t edit_distance(const char *a, size_t an, const char *b, size_t bn, size_t limit)
{
	size_t rows[3][65];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	if (an > 64 || bn > 64 || (an > bn ? an - bn : bn - an) > limit)
		return limit + 1;
	for (size_t j = 0; j <= bn; j++)
		last[j] = j;
	for (size_t i = 1; i <= an; i++) {
		size_t *oldest = before;

		now[0] = i;
		for (size_t j = 1; j <= bn; j++) {
			now[j] = MIN(MIN(last[j], now[j - 1]) + 1,
				     last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = MIN(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = oldest;
	}
	return last[bn];
}

#define NEAR_MAX 4 /* edits */

const char *str_nearest(const char *word, const char *const *candidates, size_t n)
{
	size_t len = strlen(word), best = NEAR_MAX + 1;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t n2 = strlen(candidates[i]), most = MIN(MAX(len, n2) / 3, best - 1);
		size_t d = edit_distance(word, len, candidates[i], n2, most);

		if (d <= most && d < len) {
			best = d;
			found = candidates[i];
		}
		if (best == 0)
			break;
	}
	return found;
}

ptrdiff_t utf8_invalid_at(struct str s)
{
	for (size_t i = 0; i < s.n;) {
		uint8_t c = (uint8_t)s.p[i];
		size_t len = c < 0x80	? 1
			     : c < 0xc2 ? 0
			     : c < 0xe0 ? 2
			     : c < 0xf0 ? 3
			     : c < 0xf5 ? 4
					: 0;

		if (!len || i + len > s.n)
			return (ptrdiff_t)i;
		for (size_t k = 1; k < len; k++) {
			uint8_t low = 0x80, high = 0xbf;

			if (k == 1 && c == 0xe0)
				low = 0xa0;
			else if (k == 1 && c == 0xed)
				high = 0x9f; /* surrogates */
			else if (k == 1 && c == 0xf0)
				low = 0x90;
			else if (k == 1 && c == 0xf4)
				high = 0x8f;
			if ((uint8_t)s.p[i + k] < low || (uint8_t)s.p[i + k] > high)
				return (ptrdiff_t)i;
		}
		i += len;
	}
	return -1;
}
