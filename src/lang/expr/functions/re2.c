/* Regular expressions: RE2's syntax is read, checked and written anew for PCRE2.
 *
 * Groups are numbered the same in both; their names stay here, since PCRE2 allows fewer. $ is the
 * end of the text, not also before a last line break; . is all but a line feed; \d \s \w \b know
 * ASCII alone.
 */
#include "lang/expr/functions/re2.h"

#include "lang/expr/functions/re2_class.h"
#include "lang/expr/text.h"

#include "base/cluster.h"
#include "base/vec.h"

#include <ctype.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define REPEAT_MAX 1000 /* also of repetitions in one another, multiplied */
#define DEPTH_MAX 1000
#define STEPS_MAX 5000000 /* of one match; a bomb ends here */
#define HEAP_KIB_MAX 65536

struct re2 {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	VEC(char *) names; /* by group - 1; NULL: none */
};

/* What stands before a place in the pattern, and may be repeated. */
struct item {
	size_t at;		    /* in the output */
	size_t from;		    /* of the last repetition, in the pattern */
	bool there, repeated, bare; /* bare: an assertion, which PCRE2 repeats only in a group */
	unsigned cost;		    /* how often repetitions repeat what is in it */
};

struct parser {
	struct re2_in in;
	struct re2 *re;
	unsigned depth;
};

static int parse(struct parser *p, unsigned *ret_cost);

static bool next_is(const struct parser *p, const char *what)
{
	return str_starts(str_slice(p->in.s, p->in.i, p->in.s.n), what);
}

static struct item new_item(const struct parser *p, bool bare)
{
	return (struct item){ .at = p->in.out.n, .there = true, .bare = bare, .cost = 1 };
}

static bool read_number(struct str s, size_t *i, int *ret)
{
	size_t from = *i;

	for (*ret = 0; *i < s.n && isdigit((unsigned char)s.p[*i]); ++*i)
		*ret = MIN(*ret * 10 + (s.p[*i] - '0'), REPEAT_MAX + 1);
	return *i > from && !(s.p[from] == '0' && *i > from + 1);
}

/* {n} {n,} {n,m}; anything else is a brace like any other. */
static bool read_counts(const struct parser *p, size_t *ret_end, int *ret_min, int *ret_max)
{
	struct str s = p->in.s;
	size_t i = p->in.i + 1;

	if (!read_number(s, &i, ret_min))
		return false;
	*ret_max = *ret_min;
	if (i < s.n && s.p[i] == ',') {
		i++;
		*ret_max = -1;
		if (i < s.n && s.p[i] != '}' && !read_number(s, &i, ret_max))
			return false;
	}
	*ret_end = i + 1;
	return i < s.n && s.p[i] == '}';
}

/* Puts the item before it out again as a repeated one. `how` is the operator as PCRE2 has it. */
static int repeat(struct parser *p, struct item *item, size_t end, const char *how)
{
	size_t from = p->in.i;

	p->in.i = end;
	if (!item->there)
		return re2_error(&p->in, "there is nothing to repeat before", from);
	if (p->in.i < p->in.s.n && p->in.s.p[p->in.i] == '?')
		p->in.i++;
	if (item->repeated)
		return re2_error(&p->in, "a repetition of a repetition", item->from);
	if (item->bare) {
		buf_insert(&p->in.out, item->at, "(?:", 3);
		buf_addc(&p->in.out, ')');
	}
	buf_adds(&p->in.out, how);
	if (p->in.i > end)
		buf_addc(&p->in.out, '?');
	item->repeated = true;
	item->from = from;
	return 0;
}

/* 1: it was a repetition. */
static int parse_counts(struct parser *p, struct item *item)
{
	size_t from = p->in.i, end;
	int min, max;
	char how[32];

	if (!read_counts(p, &end, &min, &max))
		return 0;
	snprintf(how, sizeof(how), max == min ? "{%d}" : max < 0 ? "{%d,}" : "{%d,%d}", min, max);
	if (repeat(p, item, end, how) < 0)
		return -1;
	item->cost *= (unsigned)MAX(MAX(min, max), 1);
	if (min > REPEAT_MAX || max > REPEAT_MAX || (max >= 0 && min > max) ||
	    item->cost > REPEAT_MAX)
		return re2_error(&p->in,
				 "a repetition that goes backwards, or more than 1000 times", from);
	return 1;
}

static bool name_is_good(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_')
			return false;
	return name.n > 0;
}

/* (?P<name> or (?<name>; the rest is a group like any other. */
static int parse_name(struct parser *p, size_t from, size_t skip)
{
	size_t i = p->in.i + skip, end = i;
	struct str name;

	while (end < p->in.s.n && p->in.s.p[end] != '>')
		end++;
	name = str_slice(p->in.s, i, end);
	p->in.i = MIN(end + 1, p->in.s.n);
	if (end >= p->in.s.n || !name_is_good(name))
		return re2_error(&p->in, "no name for a group", from);
	vec_push(&p->re->names, xstrndup(name.p, name.n));
	buf_addc(&p->in.out, '(');
	return 0;
}

/* (?i-s: or (?i-s); in->i is behind "(?". 1: a group follows, 0: the flags were all. */
static int parse_flags(struct parser *p, size_t from)
{
	bool off = false, any = false, bad = false;
	struct buf *out = &p->in.out;
	size_t start = out->n;

	buf_adds(out, "(?");
	while (p->in.i < p->in.s.n && !bad) {
		char c = p->in.s.p[p->in.i++];

		if (c == ')' || c == ':') {
			if (off && !any)
				break;
			buf_addc(out, c);
			if (c == ')' && out->n == start + 3)
				buf_truncate(out, start);
			return c == ':';
		}
		bad = c == '-' ? off : !strchr("imsU", c);
		any = c != '-';
		off |= c == '-';
		if (c == 'i')
			p->in.fold = !off;
		buf_addc(out, c);
	}
	return re2_error(&p->in, "what RE2 does not know", from);
}

/* What stands behind "(": 1 if a group was begun, 0 if it was only flags. */
static int open_group(struct parser *p)
{
	size_t from = p->in.i;

	if (!next_is(p, "(?")) {
		p->in.i++;
		vec_push(&p->re->names, NULL);
		buf_addc(&p->in.out, '(');
		return 1;
	}
	if (next_is(p, "(?P<"))
		return parse_name(p, from, 4) < 0 ? -1 : 1;
	if (next_is(p, "(?<") && !next_is(p, "(?<=") && !next_is(p, "(?<!"))
		return parse_name(p, from, 3) < 0 ? -1 : 1;
	p->in.i += 2;
	return parse_flags(p, from);
}

static int parse_group(struct parser *p, struct item *item)
{
	struct item before = *item;
	size_t from = p->in.i;
	bool fold = p->in.fold;
	int rc;

	*item = new_item(p, false);
	rc = open_group(p);
	if (rc <= 0) {
		*item = before;
		item->there = false;
		return rc;
	}
	if (++p->depth > DEPTH_MAX)
		return re2_error(&p->in, "groups nested deeper than 1000 levels", from);
	if (parse(p, &item->cost) < 0)
		return -1;
	p->depth--;
	if (p->in.i >= p->in.s.n)
		return re2_error(&p->in, "a group without its closing )", from);
	p->in.i++;
	p->in.fold = fold;
	buf_addc(&p->in.out, ')');
	return 0;
}

/* \Q...\E: all of it literal. */
static void parse_quoted(struct parser *p, struct item *item)
{
	size_t n;

	for (p->in.i += 2; p->in.i < p->in.s.n && !next_is(p, "\\E"); p->in.i += n) {
		*item = new_item(p, false);
		re2_put_rune(&p->in.out, str_rune(p->in.s, p->in.i, &n));
	}
	p->in.i += next_is(p, "\\E") ? 2 : 0;
}

static int parse_escape(struct parser *p, struct item *item)
{
	char c = p->in.i + 1 < p->in.s.n ? p->in.s.p[p->in.i + 1] : 0;
	size_t start = p->in.out.n;
	ucs4_t rune;
	int rc;

	if (c == 'Q') {
		parse_quoted(p, item);
		return 0;
	}
	*item = new_item(p, c && strchr("AbBz", c));
	if (item->bare) {
		buf_printf(&p->in.out, "\\%c", c);
		p->in.i += 2;
		return 0;
	}
	rc = re2_put_escaped_class(&p->in);
	if (rc > 0) {
		buf_insert(&p->in.out, start, "[", 1);
		buf_addc(&p->in.out, ']');
	}
	if (rc)
		return rc < 0 ? -1 : 0;
	if (re2_read_escape(&p->in, &rune) < 0)
		return -1;
	re2_put_rune(&p->in.out, rune);
	return 0;
}

static int parse_item(struct parser *p, struct item *item)
{
	char c = p->in.s.p[p->in.i];
	size_t n;
	int rc;

	switch (c) {
	case '|':
		p->in.i++;
		item->there = false;
		buf_addc(&p->in.out, '|');
		return 0;
	case '*':
	case '+':
	case '?':
		return repeat(p, item, p->in.i + 1, (char[]){ c, 0 });
	case '{':
		rc = parse_counts(p, item);
		if (rc)
			return rc < 0 ? -1 : 0;
		break;
	case '(':
		return parse_group(p, item);
	case '[':
		*item = new_item(p, false);
		return re2_put_class(&p->in);
	case '\\':
		return parse_escape(p, item);
	case '.':
	case '^':
	case '$':
		*item = new_item(p, c != '.');
		p->in.i++;
		buf_addc(&p->in.out, c);
		return 0;
	}
	*item = new_item(p, false);
	re2_put_rune(&p->in.out, str_rune(p->in.s, p->in.i, &n));
	p->in.i += n;
	return 0;
}

/* To the end, or to a closing bracket. */
static int parse(struct parser *p, unsigned *ret_cost)
{
	struct item item = { 0 };

	*ret_cost = 1;
	while (p->in.i < p->in.s.n && p->in.s.p[p->in.i] != ')') {
		if (parse_item(p, &item) < 0)
			return -1;
		*ret_cost = MAX(*ret_cost, item.cost);
	}
	return 0;
}

static int translate(struct parser *p)
{
	unsigned cost;

	if (utf8_invalid_at(p->in.s) >= 0)
		return err_set(p->in.err, ERR_INVALID, "the pattern is not UTF-8");
	if (parse(p, &cost) < 0)
		return -1;
	if (p->in.i < p->in.s.n) {
		p->in.i++;
		return re2_error(&p->in, "a ) without its opening (", p->in.i - 1);
	}
	return 0;
}

static int compile(struct re2 *re, struct str pattern, struct err *err)
{
	pcre2_compile_context *how = pcre2_compile_context_create(NULL);
	char why[256] = "";
	size_t at;
	int code;

	pcre2_set_newline(how, PCRE2_NEWLINE_LF);
	pcre2_set_parens_nest_limit(how, 2 * DEPTH_MAX);
	re->code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
				 PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_CIRCUMFLEX |
					 PCRE2_NEVER_BACKSLASH_C,
				 &code, &at, how);
	pcre2_compile_context_free(how);
	if (!re->code) {
		pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof(why));
		return err_set(err, ERR_INVALID, "the pattern cannot be used: %s", why);
	}
	re->data = pcre2_match_data_create_from_pattern(re->code, NULL);
	re->limits = pcre2_match_context_create(NULL);
	if (!re->data || !re->limits)
		abort();
	pcre2_set_match_limit(re->limits, STEPS_MAX);
	pcre2_set_heap_limit(re->limits, HEAP_KIB_MAX);
	return 0;
}

struct re2 *re2_compile(struct str pattern, struct err *err)
{
	AUTO(re2) struct re2 *re = xcalloc(1, sizeof(*re));
	struct parser p = { .in = { .s = pattern, .err = err }, .re = re };
	int rc = translate(&p);

	if (rc == 0)
		rc = compile(re, buf_str(&p.in.out), err);
	buf_release(&p.in.out);
	return rc < 0 ? NULL : steal(re);
}

void re2_free(struct re2 *re)
{
	if (!re)
		return;
	pcre2_match_context_free(re->limits);
	pcre2_match_data_free(re->data);
	pcre2_code_free(re->code);
	for (size_t i = 0; i < re->names.n; i++)
		free(re->names.v[i]);
	vec_release(&re->names);
	free(re);
}

size_t re2_groups(const struct re2 *re)
{
	return re->names.n;
}

const char *re2_group_name(const struct re2 *re, size_t i)
{
	return re->names.v[i - 1];
}

int re2_match(const struct re2 *re, struct str s, size_t at, struct str *ret, struct err *err)
{
	const size_t *span = pcre2_get_ovector_pointer(re->data);
	int rc = pcre2_match(re->code, (PCRE2_SPTR)(s.p ? s.p : ""), s.n, at, PCRE2_NO_UTF_CHECK,
			     re->data, re->limits);

	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT ||
	    rc == PCRE2_ERROR_DEPTHLIMIT)
		return err_set(err, ERR_INVALID,
			       "the pattern takes too many steps on this text (more than %d); "
			       "repetitions in one another, as in (a*)*, are what makes it slow",
			       STEPS_MAX);
	if (rc < 0)
		return err_set(err, ERR_INVALID, "the match failed (PCRE2 error %d)", rc);
	for (size_t i = 0; i <= re->names.n; i++) {
		bool set = (int)i < rc && span[2 * i] != PCRE2_UNSET;

		ret[i] = set ? str_slice((struct str){ s.p ? s.p : "", s.n }, span[2 * i],
					 span[2 * i + 1]) :
			       (struct str){ 0 };
	}
	return 1;
}
