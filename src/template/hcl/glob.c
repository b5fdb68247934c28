/* Matching by going back: patterns and names are short, and hcl_glob_check limits what can be gone
 * back to. */
#include "template/hcl/glob.h"

#include "base/str.h"

#define PATTERN_MAX 1000
#define STARS_MAX 16 /* each multiplies the ways to try */

/* Bytes of the character at s; 1 for what is no UTF-8. */
static size_t char_size(const char *s)
{
	size_t n = 1;

	if ((*s & 0xc0) == 0xc0)
		while ((s[n] & 0xc0) == 0x80)
			n++;
	return n;
}

/* After the `[…]` at p, or NULL if it has no end or is more than one range or list. */
static const char *class_end(const char *p)
{
	p++;
	if (*p == '!')
		p++;
	if (!*p)
		return NULL;
	if (p[char_size(p)] == '-') {
		p += char_size(p) + 1;
		if (!*p)
			return NULL;
		p += char_size(p);
		return *p == ']' ? p + 1 : NULL;
	}
	for (; *p && *p != ']'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : NULL;
}

static bool class_match(const char *p, const char *s)
{
	bool negated = p[1] == '!', found = false;
	const char *end = class_end(p) - 1;
	size_t n = char_size(s);

	p += negated ? 2 : 1;
	if (p[char_size(p)] == '-' && p + char_size(p) + 1 < end) {
		const char *high = p + char_size(p) + 1;

		/* UTF-8 sorts as its code points do. */
		found = strncmp(s, p, MAX(n, char_size(p))) >= 0 &&
			strncmp(s, high, MAX(n, char_size(high))) <= 0;
		return found != negated;
	}
	for (; p < end; p += char_size(p)) {
		if (*p == '\\' && p + 1 < end)
			p++;
		found |= char_size(p) == n && strncmp(p, s, n) == 0;
	}
	return found != negated;
}

/* The next `,` or `}` of the braces whose inside p is in. */
static const char *part_end(const char *p)
{
	for (int depth = 0; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '{')
			depth++;
		else if (*p == '[')
			p = class_end(p) - 1;
		else if (depth == 0 && (*p == ',' || *p == '}'))
			return p;
		else if (*p == '}')
			depth--;
	}
	return NULL;
}

int hcl_glob_check(const char *pattern, struct err *err)
{
	int depth = 0, stars = 0;

	if (strlen(pattern) > PATTERN_MAX)
		return err_set(err, ERR_INVALID, "it is longer than %d bytes", PATTERN_MAX);
	for (const char *p = pattern; *p; p++) {
		if (*p == '\\' && p[1]) {
			p++;
		} else if (*p == '[') {
			p = class_end(p);
			if (!p)
				return err_set(
					err, ERR_INVALID,
					"a [ is not closed by its ], or holds more than one range");
			p--;
		} else if (*p == '{') {
			depth++;
		} else if (*p == '}' && depth) {
			depth--;
		} else if (*p == '*' && ++stars > STARS_MAX) {
			return err_set(err, ERR_INVALID, "it has more than %d stars", STARS_MAX);
		}
	}
	return depth ? err_set(err, ERR_INVALID, "a { is not closed by its }") : 0;
}

static bool match(const char *p, const char *s);

/* {one,two}: each followed by the rest of the pattern. */
static bool match_braces(const char *p, const char *s)
{
	const char *rest = p + 1;

	while (*(rest = part_end(rest)) == ',')
		rest++;
	rest++;
	for (const char *from = p + 1, *end;; from = end + 1) {
		char one[PATTERN_MAX + 1];

		end = part_end(from);
		snprintf(one, sizeof(one), "%.*s%s", (int)(end - from), from, rest);
		if (match(one, s))
			return true;
		if (*end == '}')
			return false;
	}
}

static bool match(const char *p, const char *s)
{
	for (; *p; p++) {
		if (*p == '*') {
			while (*p == '*')
				p++;
			for (;; s += char_size(s)) {
				if (match(p, s))
					return true;
				if (!*s)
					return false;
			}
		}
		if (*p == '{')
			return match_braces(p, s);
		if (!*s)
			return false;
		if (*p == '[') {
			if (!class_match(p, s))
				return false;
			p = class_end(p) - 1;
			s += char_size(s);
			continue;
		}
		if (*p == '?') {
			s += char_size(s);
			continue;
		}
		if (*p == '\\' && p[1])
			p++;
		if (*p != *s)
			return false;
		s++;
	}
	return !*s;
}

bool hcl_glob_match(const char *pattern, const char *s)
{
	return match(pattern, s);
}
