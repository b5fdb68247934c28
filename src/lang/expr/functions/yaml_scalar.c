/* What a YAML scalar means: its tag decides, else its looks. */
#include "lang/expr/functions/yaml_scalar.h"

#include "lang/expr/functions/moment.h"
#include "lang/expr/number.h"
#include "lang/expr/text.h"

#include "base/buf.h"

#include <ctype.h>
#include <yaml.h>

static const char *const true_words[] = { "y",	  "Y",	  "yes", "Yes", "YES", "true",
					  "True", "TRUE", "on",	 "On",	"ON" };
static const char *const false_words[] = { "n",	    "N",     "no",  "No",  "NO", "false",
					   "False", "FALSE", "off", "Off", "OFF" };
static const char *const null_words[] = { "", "~", "null", "Null", "NULL" };
static const char *const inf_words[] = { ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF" };
static const char *const neg_inf_words[] = { "-.inf", "-.Inf", "-.INF" };
static const char *const nan_words[] = { ".nan", ".NaN", ".NAN" };

static bool among(struct str s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eqs(s, words[i]))
			return true;
	return false;
}
#define AMONG(s, words) among((s), (words), ARRAY_LEN(words))

static struct value infinity(struct func_call *c, int sign)
{
	struct number *n = number_new(c->arena);

	mpfr_set_inf(n->v, sign);
	return (struct value){ .kind = VALUE_NUMBER, .span = c->span, .number = n };
}

static bool word(struct func_call *c, struct str s, struct value *ret)
{
	if (AMONG(s, true_words) || AMONG(s, false_words))
		*ret = value_bool(AMONG(s, true_words), c->span);
	else if (AMONG(s, null_words))
		*ret = value_null(c->span);
	else if (AMONG(s, inf_words) || AMONG(s, neg_inf_words))
		*ret = infinity(c, AMONG(s, inf_words) ? 1 : -1);
	else
		return false;
	return true;
}

static bool decimal(struct func_call *c, struct str s, struct value *ret)
{
	const struct number *n = number_parse_text(c->arena, s);

	if (n)
		*ret = (struct value){ .kind = VALUE_NUMBER, .span = c->span, .number = n };
	return n != NULL;
}

/* 0x1f, 0o17, 0b101, 017 with a sign, within 64 bits. */
static bool prefixed(struct func_call *c, struct str s, struct value *ret)
{
	bool negative = s.n && s.p[0] == '-';
	size_t i = s.n && (negative || s.p[0] == '+');
	struct number *n;
	uint64_t v = 0;
	int base;

	if (i + 2 >= s.n || s.p[i] != '0')
		return false;
	base = (s.p[i + 1] | 0x20) == 'x' ? 16 :
	       (s.p[i + 1] | 0x20) == 'o' ? 8 :
	       (s.p[i + 1] | 0x20) == 'b' ? 2 :
					    0;
	if (!base)
		return false;
	for (i += 2; i < s.n; i++) {
		int d = hex_value(s.p[i]);

		if (d < 0 || d >= base || __builtin_mul_overflow(v, (unsigned)base, &v) ||
		    __builtin_add_overflow(v, (unsigned)d, &v))
			return false;
	}
	if (negative && v > (uint64_t)INT64_MAX + 1)
		return false;
	n = number_new_bits(c->arena, NUMBER_BITS_COUNT);
	mpfr_set_ui(n->v, v, MPFR_RNDN);
	if (negative)
		mpfr_neg(n->v, n->v, MPFR_RNDN);
	*ret = (struct value){ .kind = VALUE_NUMBER, .span = c->span, .number = n };
	return true;
}

static struct str without_underscores(struct func_call *c, struct str s)
{
	char *out = arena_alloc(c->arena, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '_')
			out[n++] = s.p[i];
	return (struct str){ out, n };
}

/* From `min` to `max` digits at *i. */
static bool digits(struct str s, size_t *i, size_t min, size_t max, unsigned *ret)
{
	size_t n = 0;

	for (*ret = 0; n < max && *i < s.n && isdigit((unsigned char)s.p[*i]); n++)
		*ret = *ret * 10 + (unsigned)(s.p[(*i)++] - '0');
	return n >= min;
}

static bool literal(struct str s, size_t *i, char c)
{
	return *i < s.n && s.p[*i] == c && ++*i;
}

/* h:m:s with an optional fraction, which is dropped. */
static bool clock_time(struct str s, size_t *i, unsigned *h, unsigned *m, unsigned *sec)
{
	if (!digits(s, i, 1, 2, h) || !literal(s, i, ':') || !digits(s, i, 1, 2, m) ||
	    !literal(s, i, ':') || !digits(s, i, 1, 2, sec) || *h > 23 || *m > 59 || *sec > 59)
		return false;
	if (*i + 1 < s.n && (s.p[*i] == '.' || s.p[*i] == ',') &&
	    isdigit((unsigned char)s.p[*i + 1]))
		for (++*i; *i < s.n && isdigit((unsigned char)s.p[*i]);)
			++*i;
	return true;
}

/* Z or +hh:mm; written as RFC 3339 does, with Z for no distance. */
static bool zone(struct str s, size_t *i, struct buf *out)
{
	unsigned h, m;
	char sign;

	if (literal(s, i, 'Z')) {
		buf_addc(out, 'Z');
		return true;
	}
	if (*i >= s.n || (s.p[*i] != '+' && s.p[*i] != '-'))
		return false;
	sign = s.p[(*i)++];
	if (!digits(s, i, 2, 2, &h) || !literal(s, i, ':') || !digits(s, i, 2, 2, &m) || h > 24 ||
	    m > 59)
		return false;
	if (h || m)
		buf_printf(out, "%c%02u:%02u", sign, h, m);
	else
		buf_addc(out, 'Z');
	return true;
}

/* 2001-1-2, with T or t, time and zone, or with a space and a time. A text in RFC 3339 is made of
 * it. */
static bool timestamp(struct func_call *c, struct str s, struct value *ret)
{
	AUTO(buf) struct buf tail = BUF_INIT;
	unsigned year, month, day, h = 0, m = 0, sec = 0;
	size_t i = 0;
	char sep;

	if (!digits(s, &i, 4, 4, &year) || !literal(s, &i, '-') || !digits(s, &i, 1, 2, &month) ||
	    !literal(s, &i, '-') || !digits(s, &i, 1, 2, &day) || !month || month > 12 || !day ||
	    (int)day > moment_days_in_month(year, (int)month))
		return false;
	sep = i < s.n ? s.p[i++] : 0;
	if (sep && sep != 'T' && sep != 't' && sep != ' ')
		return false;
	if (sep && !clock_time(s, &i, &h, &m, &sec))
		return false;
	if (sep && sep != ' ') {
		if (!zone(s, &i, &tail))
			return false;
	} else {
		buf_addc(&tail, 'Z');
	}
	if (i != s.n)
		return false;
	*ret = value_string(str_from(arena_printf(c->arena, "%04u-%02u-%02uT%02u:%02u:%02u%s", year,
						  month, day, h, m, sec, buf_cstr(&tail))),
			    c->span);
	return true;
}

static int cannot(struct str s, const char *tag, struct err *err)
{
	return err_set(err, ERR_INVALID, "\"" STR_FMT "\" cannot be read as %s", STR_ARG(s),
		       starts_with(tag, "tag:yaml.org,2002:") ? tag + strlen("tag:yaml.org,2002:") :
								tag);
}

/* By its looks, plain or with a tag that leaves them a say. 1: *ret is set; 0: the tag decides. */
static int by_looks(struct func_call *c, const char *tag, struct str s, struct value *ret,
		    bool *ret_int, struct err *err)
{
	char first = s.n ? s.p[0] : 'N';

	if (word(c, s, ret))
		return 1;
	if (!tag && AMONG(s, nan_words))
		return err_set(err, ERR_INVALID, "a number cannot be NaN (\"" STR_FMT "\")",
			       STR_ARG(s));
	if (first == '.')
		return decimal(c, s, ret);
	if (!isdigit((unsigned char)first) && first != '+' && first != '-')
		return 0;
	if ((!tag || streq(tag, YAML_TIMESTAMP_TAG)) && timestamp(c, s, ret))
		return 1;
	s = without_underscores(c, s);
	if (decimal(c, s, ret))
		return 1;
	*ret_int = str_starts(s, "0b") || str_starts(s, "-0b");
	return 0;
}

static int by_tag(struct func_call *c, const char *tag, struct str s, struct value *ret,
		  struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;

	if (!tag || streq(tag, YAML_STR_TAG))
		return ret_text(c, arena_str(c->arena, s), ret);
	if (streq(tag, "tag:yaml.org,2002:binary")) {
		if (buf_add_unbase64(&bytes, s) < 0)
			return cannot(s, tag, err);
		return ret_text(c, arena_str(c->arena, s), ret);
	}
	if (streq(tag, YAML_NULL_TAG)) {
		*ret = value_null(c->span);
		return 0;
	}
	if (streq(tag, YAML_BOOL_TAG))
		return word(c, s, ret) && ret->kind == VALUE_BOOL ? 0 : cannot(s, tag, err);
	if (streq(tag, YAML_TIMESTAMP_TAG))
		return timestamp(c, s, ret) ? 0 : cannot(s, tag, err);
	s = without_underscores(c, s);
	return decimal(c, s, ret) || prefixed(c, s, ret) ? 0 : cannot(s, tag, err);
}

int yaml_scalar(struct func_call *c, const char *tag, struct str s, bool quoted, struct value *ret,
		struct err *err)
{
	static const char *const tags[] = { YAML_STR_TAG,
					    YAML_BOOL_TAG,
					    YAML_INT_TAG,
					    YAML_FLOAT_TAG,
					    YAML_NULL_TAG,
					    YAML_TIMESTAMP_TAG,
					    "tag:yaml.org,2002:binary" };
	/* The letters that words and numbers begin with; nothing else is looked at. */
	bool looks = !s.n || strchr("+-0123456789yYnNtTfFoO~.", s.p[0]);
	bool is_int = false;
	int rc;

	if (tag && !among(str_from(tag), tags, ARRAY_LEN(tags)))
		return err_set(err, ERR_INVALID, "the tag \"%s\" is not supported", tag);
	if (!tag && quoted)
		return ret_text(c, arena_str(c->arena, s), ret);
	if (looks &&
	    !(tag && (streq(tag, YAML_STR_TAG) || streq(tag, "tag:yaml.org,2002:binary")))) {
		if (quoted)
			return ret_text(c, arena_str(c->arena, s), ret);
		rc = by_looks(c, tag, s, ret, &is_int, err);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
	return by_tag(c, is_int ? YAML_INT_TAG : tag, s, ret, err);
}
