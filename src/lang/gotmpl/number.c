/* Numbers as Go has them: int and float64 are apart, and 1.0 is a float. Floats are the numbers
 * that have a machine float's precision. (Facts: text/template/parse and strconv.) */
#include "lang/gotmpl/format.h"

#include "lang/expr/number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define NUMBER_CHARS_MAX 2000

bool gotmpl_as_int(struct value v, int64_t *ret)
{
	return v.kind == VALUE_NUMBER && mpfr_get_prec(v.number->v) != NUMBER_BITS_DOUBLE &&
	       value_as_i64(v, ret);
}

/* In the arena. */
static struct value float64(struct arena *a, double v)
{
	struct number *n = number_new_bits(a, NUMBER_BITS_DOUBLE);

	mpfr_set_d(n->v, v, MPFR_RNDN);
	return (struct value){ .kind = VALUE_NUMBER, .number = n };
}

static int base_of(struct str s)
{
	char c = s.n > 1 && s.p[0] == '0' ? (char)(s.p[1] | 32) : 0;

	return c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
}

/* An underscore stands between digits, or between a prefix and a digit. */
static bool underscores_fit(struct str s, bool prefixed)
{
	bool hex = prefixed && base_of(s) == 16, digit = prefixed, before = false;

	for (size_t i = prefixed ? 2 : 0; i < s.n; i++) {
		char c = s.p[i];
		bool is_digit = isdigit((unsigned char)c) || (hex && isxdigit((unsigned char)c));

		if ((c == '_' && !digit) || (before && !is_digit))
			return false;
		digit = is_digit;
		before = c == '_';
	}
	return !before;
}

/* Digits of a base to their end. */
static bool parse_whole(const char *s, int base, uint64_t *ret)
{
	char *end;

	if (!isxdigit((unsigned char)*s))
		return false;
	errno = 0;
	*ret = strtoull(s, &end, base);
	return !*end && !errno;
}

/* Go's decimals and hexadecimal floats are C's, without names and spaces. */
static bool parse_float(const char *s, int base, double *ret)
{
	char *end;

	if (!isdigit((unsigned char)*s) && *s != '.')
		return false;
	if (base == 16 ? !strpbrk(s, "pP") : base != 10 || strpbrk(s, "xXpP"))
		return false;
	*ret = strtod(s, &end);
	return !*end && end != s && isfinite(*ret);
}

bool gotmpl_number(struct arena *a, struct str text, struct value *ret)
{
	bool negative = text.n && text.p[0] == '-';
	struct str s = text.n && (negative || text.p[0] == '+') ? str_slice(text, 1, text.n) : text;
	int base = base_of(s), whole_base = base;
	char clean[NUMBER_CHARS_MAX];
	uint64_t whole;
	size_t n = 0;
	double d;

	if (!s.n || s.n >= sizeof(clean) || !underscores_fit(s, base != 10))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '_')
			clean[n++] = s.p[i];
	clean[n] = '\0';
	if (base == 10 && n > 1 && clean[0] == '0')
		whole_base = 8;
	if (parse_whole(base != 10 ? clean + 2 : clean, whole_base, &whole)) {
		if (whole > (uint64_t)INT64_MAX + negative)
			return false;
		*ret = value_i64(a, negative ? (int64_t)-whole : (int64_t)whole,
				 (struct span){ 0 });
		return true;
	}
	if (!parse_float(clean, base, &d) || !strpbrk(clean, ".eEpP"))
		return false;
	*ret = float64(a, negative ? -d : d);
	return true;
}
