/* Escapes and classes of regular expressions: RE2's read, PCRE2's written.
 *
 * Classes are written as ranges of code points, so that nothing in them has a meaning of its own
 * and (?i) folds them as RE2 does.
 */
#include "lang/expr/functions/re2_class.h"

#include "lang/expr/text.h"

#include "base/cluster.h"

#include <ctype.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define RUNE_MAX 0x10ffff
#define PROPERTY_MAX 64 /* bytes of a name */
#define PART_MAX 60	/* bytes of the pattern that a message shows */

struct range {
	ucs4_t from, to;
};

struct named_class {
	const char *name;
	struct range ranges[4];
	size_t n;
};

static const struct named_class perl_classes[] = {
	{ "d", { { '0', '9' } }, 1 },
	{ "s", { { '\t', '\n' }, { '\f', '\r' }, { ' ', ' ' } }, 3 },
	{ "w", { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } }, 4 },
};

static const struct named_class posix_classes[] = {
	{ "alnum", { { '0', '9' }, { 'A', 'Z' }, { 'a', 'z' } }, 3 },
	{ "alpha", { { 'A', 'Z' }, { 'a', 'z' } }, 2 },
	{ "ascii", { { 0, 0x7f } }, 1 },
	{ "blank", { { '\t', '\t' }, { ' ', ' ' } }, 2 },
	{ "cntrl", { { 0, 0x1f }, { 0x7f, 0x7f } }, 2 },
	{ "digit", { { '0', '9' } }, 1 },
	{ "graph", { { '!', '~' } }, 1 },
	{ "lower", { { 'a', 'z' } }, 1 },
	{ "print", { { ' ', '~' } }, 1 },
	{ "punct", { { '!', '/' }, { ':', '@' }, { '[', '`' }, { '{', '~' } }, 4 },
	{ "space", { { '\t', '\r' }, { ' ', ' ' } }, 2 },
	{ "upper", { { 'A', 'Z' } }, 1 },
	{ "word", { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } }, 4 },
	{ "xdigit", { { '0', '9' }, { 'A', 'F' }, { 'a', 'f' } }, 3 },
};

/* General categories by their long names. */
static const struct {
	const char *name, *code;
} categories[] = {
	{ "casedletter", "L&" },
	{ "closepunctuation", "Pe" },
	{ "connectorpunctuation", "Pc" },
	{ "control", "Cc" },
	{ "currencysymbol", "Sc" },
	{ "dashpunctuation", "Pd" },
	{ "decimalnumber", "Nd" },
	{ "enclosingmark", "Me" },
	{ "finalpunctuation", "Pf" },
	{ "format", "Cf" },
	{ "initialpunctuation", "Pi" },
	{ "lc", "L&" },
	{ "letter", "L" },
	{ "letternumber", "Nl" },
	{ "lineseparator", "Zl" },
	{ "lowercaseletter", "Ll" },
	{ "mark", "M" },
	{ "mathsymbol", "Sm" },
	{ "modifierletter", "Lm" },
	{ "modifiersymbol", "Sk" },
	{ "nonspacingmark", "Mn" },
	{ "number", "N" },
	{ "openpunctuation", "Ps" },
	{ "other", "C" },
	{ "otherletter", "Lo" },
	{ "othernumber", "No" },
	{ "otherpunctuation", "Po" },
	{ "othersymbol", "So" },
	{ "paragraphseparator", "Zp" },
	{ "privateuse", "Co" },
	{ "punctuation", "P" },
	{ "separator", "Z" },
	{ "spaceseparator", "Zs" },
	{ "spacingmark", "Mc" },
	{ "symbol", "S" },
	{ "titlecaseletter", "Lt" },
	{ "unassigned", "Cn" },
	{ "uppercaseletter", "Lu" },
};

int re2_error(struct re2_in *in, const char *what, size_t from)
{
	struct str part = str_slice(in->s, from, MIN(MIN(in->i, in->s.n), from + PART_MAX));

	return err_set(in->err, ERR_INVALID, "the pattern has a mistake: %s: `" STR_FMT "`", what,
		       STR_ARG(part));
}

void re2_put_rune(struct buf *out, ucs4_t c)
{
	if (c >= 0x80 || isalnum((int)c))
		buf_add_utf8(out, c);
	else
		buf_printf(out, "\\x{%x}", c);
}

static void put_range(struct buf *out, ucs4_t from, ucs4_t to)
{
	if (from > to)
		return;
	re2_put_rune(out, from);
	if (to > from) {
		buf_addc(out, '-');
		re2_put_rune(out, to);
	}
}

static void put_ranges(struct buf *out, const struct named_class *c, bool negated)
{
	ucs4_t next = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (!negated)
			put_range(out, c->ranges[i].from, c->ranges[i].to);
		else if (c->ranges[i].from > next)
			put_range(out, next, c->ranges[i].from - 1);
		next = c->ranges[i].to + 1;
	}
	if (negated)
		put_range(out, next, RUNE_MAX);
}

static const struct named_class *find_class(const struct named_class *c, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eqs(name, c[i].name))
			return &c[i];
	return NULL;
}

static int octal(struct str s, size_t i)
{
	return i < s.n && s.p[i] >= '0' && s.p[i] <= '7' ? s.p[i] - '0' : -1;
}

static int hex_digit(struct str s, size_t i)
{
	return i < s.n ? hex_value(s.p[i]) : -1;
}

/* \x7f and \x{10ffff}; in->i is behind the x. */
static int read_hex(struct re2_in *in, size_t from, ucs4_t *ret)
{
	bool braces = in->i < in->s.n && in->s.p[in->i] == '{';
	ucs4_t c = 0;
	size_t n = 0;

	in->i += braces;
	for (; hex_digit(in->s, in->i) >= 0 && (braces || n < 2) && c <= RUNE_MAX; n++)
		c = c * 16 + (ucs4_t)hex_digit(in->s, in->i++);
	if (braces && in->i < in->s.n && in->s.p[in->i] == '}')
		in->i++;
	else if (braces || n != 2)
		return re2_error(in, "no such escape", from);
	if (!n || c > RUNE_MAX || (c >= 0xd800 && c < 0xe000))
		return re2_error(in, "no such character", from);
	*ret = c;
	return 0;
}

int re2_read_escape(struct re2_in *in, ucs4_t *ret)
{
	static const char letters[] = "afnrtv", meaning[] = "\a\f\n\r\t\v";
	size_t from = in->i++, n;
	const char *at;
	ucs4_t c;

	if (in->i >= in->s.n)
		return re2_error(in, "a backslash at the end", from);
	c = str_rune(in->s, in->i, &n);
	in->i += n;
	if (c >= '1' && c <= '7' && octal(in->s, in->i) < 0)
		return re2_error(in, "no such escape (there are no backreferences)", from);
	if (c >= '0' && c <= '7') {
		*ret = c - '0';
		for (int i = 1; i < 3 && octal(in->s, in->i) >= 0; i++)
			*ret = *ret * 8 + (ucs4_t)octal(in->s, in->i++);
		return 0;
	}
	if (c == 'x')
		return read_hex(in, from, ret);
	at = c < 0x80 ? memchr(letters, (int)c, sizeof(letters) - 1) : NULL;
	if (at)
		*ret = (ucs4_t)meaning[at - letters];
	else if (c < 0x80 && !isalnum((int)c))
		*ret = c;
	else
		return re2_error(in, "no such escape", from);
	return 0;
}

/* Names are the same in capitals, and without spaces, hyphens and underscores. */
static bool plain_name(struct str name, char *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == ' ' || name.p[i] == '-' || name.p[i] == '_')
			continue;
		if (!isalnum((unsigned char)name.p[i]) || n + 1 == PROPERTY_MAX)
			return false;
		ret[n++] = (char)tolower((unsigned char)name.p[i]);
	}
	ret[n] = 0;
	return n > 0;
}

static bool pcre2_has(const char *pattern)
{
	size_t at;
	int code;
	pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code,
				       &at, NULL);

	pcre2_code_free(re);
	return re != NULL;
}

/* The property as PCRE2 names it: a category, or a script (of which PCRE2 would add those that
 * share characters). */
static bool find_property(struct str name, char *ret, size_t size)
{
	char plain[PROPERTY_MAX], pattern[2 * PROPERTY_MAX];

	if (!plain_name(name, plain))
		return false;
	snprintf(ret, size, "%s", plain);
	for (size_t i = 0; i < ARRAY_LEN(categories); i++)
		if (streq(plain, categories[i].name))
			snprintf(ret, size, "%s", categories[i].code);
	if (streq(plain, "any") || streq(plain, "ascii"))
		return true;
	ret[0] = (char)toupper((unsigned char)ret[0]);
	snprintf(pattern, sizeof(pattern), "\\p{%s}", ret);
	if (strlen(ret) <= 2)
		return pcre2_has(pattern);
	snprintf(ret, size, "sc:%s", plain);
	snprintf(pattern, sizeof(pattern), "\\p{%s}", ret);
	return pcre2_has(pattern);
}

/* \pL \p{Greek} \p{^Greek} \PL; in->i is at the backslash. */
static int put_property(struct re2_in *in)
{
	size_t from = in->i, end;
	bool negated = in->s.p[in->i + 1] == 'P';
	char property[2 * PROPERTY_MAX];
	struct str name;

	in->i += 2;
	if (in->i >= in->s.n)
		return re2_error(in, "no such class of characters", from);
	end = in->i + 1;
	name = str_slice(in->s, in->i, end);
	if (in->s.p[in->i] == '{') {
		while (end < in->s.n && in->s.p[end] != '}')
			end++;
		name = str_slice(in->s, in->i + 1, end);
		end++;
	}
	in->i = MIN(end, in->s.n);
	if (name.n && name.p[0] == '^') {
		negated = !negated;
		name = str_slice(name, 1, name.n);
	}
	if (end > in->s.n || !find_property(name, property, sizeof(property)))
		return re2_error(in, "no such class of characters", from);
	if (in->fold && (streq(property, "Lu") || streq(property, "Ll") || streq(property, "Lt")))
		snprintf(property, sizeof(property), "L&");
	buf_printf(&in->out, "\\%c{%s}", negated ? 'P' : 'p', property);
	return 1;
}

int re2_put_escaped_class(struct re2_in *in)
{
	const struct named_class *c;
	char letter;

	if (in->i + 1 >= in->s.n || in->s.p[in->i] != '\\')
		return 0;
	letter = in->s.p[in->i + 1];
	if (letter == 'p' || letter == 'P')
		return put_property(in);
	c = find_class(perl_classes, ARRAY_LEN(perl_classes),
		       (struct str){ &(char){ (char)(letter | 0x20) }, 1 });
	if (!c || !isalpha((unsigned char)letter))
		return 0;
	put_ranges(&in->out, c, isupper((unsigned char)letter));
	in->i += 2;
	return 1;
}

/* [:alpha:] and [:^alpha:] within a class: 1; 0: it is none. */
static int put_posix_class(struct re2_in *in)
{
	struct str rest = str_slice(in->s, in->i, in->s.n), name;
	const struct named_class *c;
	ptrdiff_t end;
	bool negated;

	if (!str_starts(rest, "[:") || (end = str_find(str_slice(rest, 2, rest.n), STR(":]"))) < 0)
		return 0;
	name = str_slice(rest, 2, (size_t)end + 2);
	negated = name.n && name.p[0] == '^';
	c = find_class(posix_classes, ARRAY_LEN(posix_classes), str_slice(name, negated, name.n));
	in->i += (size_t)end + 4;
	if (!c)
		return re2_error(in, "no such class of characters", in->i - (size_t)end - 4);
	put_ranges(&in->out, c, negated);
	return 1;
}

static int read_class_char(struct re2_in *in, size_t start, ucs4_t *ret)
{
	size_t n;

	if (in->i >= in->s.n)
		return re2_error(in, "a class of characters without its closing ]", start);
	if (in->s.p[in->i] == '\\')
		return re2_read_escape(in, ret);
	*ret = str_rune(in->s, in->i, &n);
	in->i += n;
	return 0;
}

static int put_class_item(struct re2_in *in, size_t start)
{
	size_t from = in->i;
	int rc = put_posix_class(in);
	ucs4_t low, high;

	if (rc == 0)
		rc = re2_put_escaped_class(in);
	if (rc)
		return rc < 0 ? -1 : 0;
	if (read_class_char(in, start, &low) < 0)
		return -1;
	high = low;
	if (in->i + 1 < in->s.n && in->s.p[in->i] == '-' && in->s.p[in->i + 1] != ']') {
		in->i++;
		if (read_class_char(in, start, &high) < 0)
			return -1;
	}
	if (high < low)
		return re2_error(in, "a range of characters that goes backwards", from);
	put_range(&in->out, low, high);
	return 0;
}

int re2_put_class(struct re2_in *in)
{
	size_t start = in->i++;

	buf_addc(&in->out, '[');
	if (in->i < in->s.n && in->s.p[in->i] == '^') {
		buf_addc(&in->out, '^');
		in->i++;
	}
	for (bool first = true; first || in->i >= in->s.n || in->s.p[in->i] != ']'; first = false) {
		if (in->i >= in->s.n) {
			in->i = in->s.n;
			return re2_error(in, "a class of characters without its closing ]", start);
		}
		if (put_class_item(in, start) < 0)
			return -1;
	}
	in->i++;
	buf_addc(&in->out, ']');
	return 0;
}
