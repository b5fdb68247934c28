/* format and formatlist: a printf of their own.
 *
 * A directive is %, flags (0 # - + and space), width, .precision, [argument], and the letter. Texts
 * are measured in grapheme clusters. Numbers follow the rules of the reference's library; the
 * shortest text of a number has an exponent from the seventh digit on ("%v" of 1000000 is 1e+06).
 */
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/number.h"
#include "lang/expr/print.h"
#include "lang/expr/refine.h"
#include "lang/expr/text.h"

#include "base/buf.h"
#include "base/cluster.h"

#define COUNT_MAX 5000000 /* width and precision */
#define SHORT_EXPONENT 6  /* the shortest text has an exponent from here on */

struct verb {
	struct str raw; /* "%-5d" */
	size_t offset;	/* of raw in the format */
	size_t arg;	/* from 1 */
	char letter;
	bool zero, sharp, plus, minus, space;
	int64_t width, precision; /* -1: none */
};

/* The format and its arguments on their way. */
struct formatter {
	struct func_call *call;
	const struct value *args;
	size_t nargs;
	struct buf *out;
	struct err *err;
};

static void fill(struct buf *out, char c, int64_t n)
{
	for (; n > 0; n--)
		buf_addc(out, c);
}

static int unsupported(struct formatter *f, const struct verb *v, const char *why)
{
	return err_set(f->err, ERR_INVALID,
		       "\"" STR_FMT "\" at offset %zu cannot format argument %zu: %s",
		       STR_ARG(v->raw), v->offset, v->arg, why);
}

/* Text with the padding that the width asks for. Zeros are put at either end, if so wished. */
static void put_padded(struct formatter *f, const struct verb *v, struct str s)
{
	int64_t pad = v->width < 0 ? 0 : v->width - (int64_t)text_count_clusters(s);

	if (!v->minus)
		fill(f->out, v->zero ? '0' : ' ', pad);
	buf_add_str(f->out, s);
	if (v->minus)
		fill(f->out, v->zero ? '0' : ' ', pad);
}

static int put_json(struct formatter *f, const struct verb *v, struct value arg)
{
	AUTO(buf) struct buf b = BUF_INIT;
	AUTO(err) struct err why = ERR_INIT;

	if (value_write_jsonencode(&b, arg, &why) < 0)
		return unsupported(f, v, why.msg);
	put_padded(f, v, buf_str(&b));
	return 0;
}

static int as_type(struct formatter *f, const struct verb *v, struct value arg,
		   const struct type *t, struct value *ret)
{
	AUTO(err) struct err why = ERR_INIT;

	if (value_convert(f->call->arena, arg, t, ret, &why) < 0)
		return unsupported(f, v, why.msg);
	return 0;
}

/* %s and %q. A precision of 0 is none. */
static int put_string(struct formatter *f, const struct verb *v, struct value arg)
{
	AUTO(buf) struct buf b = BUF_INIT;
	struct value text;
	struct str s;
	size_t n = 0;

	if (as_type(f, v, arg, &type_string, &text) < 0)
		return -1;
	s = text.string;
	if (v->precision > 0) {
		for (int64_t i = 0; i < v->precision && n < s.n; i++)
			n += str_cluster(s, n);
		s.n = n;
	}
	if (v->letter == 'q') {
		buf_add_go_json_string(&b, s);
		s = buf_str(&b);
	}
	put_padded(f, v, s);
	return 0;
}

static int put_bool(struct formatter *f, const struct verb *v, struct value arg)
{
	struct value b;

	if (as_type(f, v, arg, &type_bool, &b) < 0)
		return -1;
	buf_adds(f->out, b.boolean ? "true" : "false");
	return 0;
}

static const char *sign_of(const struct verb *v, bool negative)
{
	return negative ? "-" : v->plus ? "+" : v->space ? " " : "";
}

/* %d %b %o %x %X */
static int put_integer(struct formatter *f, const struct verb *v, const struct number *n)
{
	int base = v->letter == 'b' ? 2 : v->letter == 'o' ? 8 : v->letter == 'd' ? 10 : 16;
	const char *sign = sign_of(v, mpfr_sgn(n->v) < 0), *prefix = "";
	int64_t zeros = 0, pad;
	auto_free char *digits = NULL;
	size_t len;
	mpz_t z;

	if (!mpfr_number_p(n->v) || !mpfr_integer_p(n->v))
		return unsupported(f, v, "a whole number is needed");
	mpz_init(z);
	mpfr_get_z(z, n->v, MPFR_RNDN);
	mpz_abs(z, z);
	digits = xmalloc(mpz_sizeinbase(z, base) + 2);
	mpz_get_str(digits, v->letter == 'X' ? -base : base, z);
	mpz_clear(z);
	len = strlen(digits);
	if (v->precision == 0 && streq(digits, "0"))
		return 0;
	if (v->sharp && base != 10)
		prefix = v->letter == 'b' ? "0b" :
			 v->letter == 'o' ? "0" :
			 v->letter == 'x' ? "0x" :
					    "0X";
	zeros = MAX(v->precision - (int64_t)len, (int64_t)0);
	pad = v->width - (int64_t)(strlen(sign) + strlen(prefix) + len) - zeros;
	if (pad > 0 && v->zero && !v->minus && v->precision < 0) {
		zeros = pad;
		pad = 0;
	}
	fill(f->out, ' ', v->minus ? 0 : pad);
	buf_adds(f->out, sign);
	buf_adds(f->out, prefix);
	fill(f->out, '0', zeros);
	buf_adds(f->out, digits);
	fill(f->out, ' ', v->minus ? pad : 0);
	return 0;
}

/* %g, %v: the shortest text that reads back as the number, with an exponent where it is long. */
static void put_shortest(struct buf *out, struct arena *a, const struct number *n, char e)
{
	struct str s = number_text(a, n), mantissa;
	AUTO(buf) struct buf digits = BUF_INIT;
	int64_t exp = 0;
	size_t lead = 0;

	if (s.p[0] == '-') {
		buf_addc(out, '-');
		s = str_slice(s, 1, s.n);
	}
	for (size_t i = 0; i < s.n; i++) { /* 0.DIGITS times ten to the exp */
		if (s.p[i] == '.')
			exp = (int64_t)i;
		else
			buf_addc(&digits, s.p[i]);
	}
	exp = exp ? exp : (int64_t)s.n;
	mantissa = buf_str(&digits);
	while (lead + 1 < mantissa.n && mantissa.p[lead] == '0')
		lead++;
	mantissa = str_slice(mantissa, lead, mantissa.n);
	exp -= (int64_t)lead;
	while (mantissa.n > 1 && mantissa.p[mantissa.n - 1] == '0')
		mantissa.n--;
	if (!mpfr_number_p(n->v) || mpfr_zero_p(n->v) || (exp > -4 && exp <= SHORT_EXPONENT)) {
		buf_add_str(out, s);
		return;
	}
	buf_addc(out, mantissa.p[0]);
	if (mantissa.n > 1) {
		buf_addc(out, '.');
		buf_add_str(out, str_slice(mantissa, 1, mantissa.n));
	}
	exp--;
	buf_printf(out, "%c%c%02lld", e, exp < 0 ? '-' : '+', (long long)(exp < 0 ? -exp : exp));
}

/* %e %E %f %g %G */
static int put_float(struct formatter *f, const struct verb *v, const struct number *n)
{
	AUTO(buf) struct buf b = BUF_INIT;
	char how[] = "%.*Re", *text = NULL;
	const char *sign;
	struct str s;
	int64_t pad;
	bool inf = mpfr_inf_p(n->v);

	how[4] = v->letter;
	if (inf) {
		buf_adds(&b, mpfr_sgn(n->v) < 0 ? "-Inf" : "+Inf");
	} else if ((v->letter == 'g' || v->letter == 'G') && v->precision < 0) {
		put_shortest(&b, f->call->arena, n, v->letter == 'g' ? 'e' : 'E');
	} else if (mpfr_asprintf(&text, how, v->precision < 0 ? 6 : (int)v->precision, n->v) >= 0) {
		buf_adds(&b, text);
		mpfr_free_str(text);
	}
	s = buf_str(&b);
	sign = sign_of(v, s.p[0] == '-');
	if (s.p[0] == '+')
		sign = v->space ? " " : "+";
	if (s.p[0] == '-' || s.p[0] == '+')
		s = str_slice(s, 1, s.n);
	pad = v->width - (int64_t)(strlen(sign) + s.n);
	if (!v->minus && !(v->zero && !inf))
		fill(f->out, ' ', pad);
	buf_adds(f->out, sign);
	if (!v->minus && v->zero && !inf)
		fill(f->out, '0', pad);
	buf_add_str(f->out, s);
	if (v->minus)
		fill(f->out, ' ', pad);
	return 0;
}

static int put_number(struct formatter *f, const struct verb *v, struct value arg)
{
	struct value n;

	if (as_type(f, v, arg, &type_number, &n) < 0)
		return -1;
	return strchr("bdoxX", v->letter) ? put_integer(f, v, n.number) : put_float(f, v, n.number);
}

/* %v: texts and numbers as they are, all else as JSON, with # always JSON. */
static int put_as_is(struct formatter *f, const struct verb *v, struct value arg)
{
	AUTO(buf) struct buf b = BUF_INIT;

	if (v->sharp || (arg.kind != VALUE_STRING && arg.kind != VALUE_NUMBER))
		return put_json(f, v, arg);
	if (arg.kind == VALUE_STRING)
		buf_add_str(&b, arg.string);
	else
		put_shortest(&b, f->call->arena, arg.number, 'e');
	put_padded(f, v, buf_str(&b));
	return 0;
}

static int put_verb(struct formatter *f, const struct verb *v)
{
	static const struct {
		char letter;
		int (*put)(struct formatter *f, const struct verb *v, struct value arg);
	} verbs[] = {
		{ 'v', put_as_is },  { 't', put_bool },	  { 'b', put_number }, { 'd', put_number },
		{ 'o', put_number }, { 'x', put_number }, { 'X', put_number }, { 'e', put_number },
		{ 'E', put_number }, { 'f', put_number }, { 'g', put_number }, { 'G', put_number },
		{ 's', put_string }, { 'q', put_string },
	};
	struct value arg;

	if (v->arg > f->nargs)
		return err_set(f->err, ERR_INVALID,
			       "\"" STR_FMT
			       "\" at offset %zu wants argument %zu, but there are only %zu",
			       STR_ARG(v->raw), v->offset, v->arg, f->nargs);
	arg = f->args[v->arg - 1];
	if (v->letter != 'v' && arg.kind == VALUE_NULL)
		return unsupported(f, v, "it is null");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (verbs[i].letter == v->letter)
			return verbs[i].put(f, v, arg);
	return err_set(f->err, ERR_INVALID,
		       "there is no format verb '%c', as \"" STR_FMT
		       "\" at offset %zu has it; there are v t b d o x X e E f g G s q",
		       v->letter, STR_ARG(v->raw), v->offset);
}

static bool set_flag(struct verb *v, char c)
{
	switch (c) {
	case '0':
		return v->zero = true;
	case '#':
		return v->sharp = true;
	case '-':
		return v->minus = true;
	case '+':
		return v->plus = true;
	case ' ':
		return v->space = true;
	default:
		return false;
	}
}

static bool is_digit(struct str s, size_t i)
{
	return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

static size_t read_count(struct str s, size_t i, int64_t *ret)
{
	for (*ret = 0; is_digit(s, i); i++)
		*ret = MIN(*ret * 10 + (s.p[i] - '0'), (int64_t)COUNT_MAX + 1);
	return i;
}

/* Reads the directive at `at`; returns where what does not belong to it stands (its letter, if all
 * is well). */
static size_t read_verb(struct str s, size_t at, struct verb *v)
{
	size_t i = at + 1;
	int64_t arg;

	while (i < s.n && set_flag(v, s.p[i]))
		i++;
	if (is_digit(s, i))
		i = read_count(s, i, &v->width);
	if (i < s.n && s.p[i] == '.')
		i = read_count(s, i + 1, &v->precision);
	if (i < s.n && s.p[i] == '[') {
		if (!is_digit(s, i + 1) || s.p[i + 1] == '0')
			return i + 1;
		i = read_count(s, i + 1, &arg);
		if (i >= s.n || s.p[i] != ']')
			return i;
		v->arg = (size_t)arg;
		i++;
	}
	return i;
}

/* One directive; moves *at behind it. */
static int format_verb(struct formatter *f, struct str s, size_t *at, size_t *next_arg)
{
	struct verb v = { .offset = *at, .arg = *next_arg, .width = -1, .precision = -1 };
	size_t end = read_verb(s, *at, &v), n;

	if (end >= s.n)
		return err_set(f->err, ERR_INVALID,
			       "the format ends within a directive at offset %zu", s.n);
	str_rune(s, end, &n);
	v.letter = s.p[end];
	if (!((v.letter >= 'a' && v.letter <= 'z') || (v.letter >= 'A' && v.letter <= 'Z')) ||
	    s.p[end - 1] == '[')
		return err_set(f->err, ERR_INVALID,
			       "the character '%.*s' at offset %zu of the format is no part of a "
			       "directive; a percent sign itself is written %%%%",
			       (int)n, s.p + end, end);
	v.raw = str_slice(s, *at, end + 1);
	if (v.width > COUNT_MAX || v.precision > COUNT_MAX)
		return err_set(f->err, ERR_INVALID,
			       "\"" STR_FMT "\" at offset %zu is wider than %d", STR_ARG(v.raw),
			       v.offset, COUNT_MAX);
	if (put_verb(f, &v) < 0)
		return -1;
	*next_arg = v.arg + 1;
	*at = end + 1;
	return 0;
}

/* -1 with *ret_extra set where the mistake is an argument that no directive uses. */
static int format_text(struct formatter *f, struct str s, size_t *ret_extra)
{
	size_t next_arg = 1, used = 0;

	for (size_t i = 0; i < s.n;) {
		if (s.p[i] != '%') {
			buf_addc(f->out, s.p[i++]);
		} else if (i + 1 < s.n && s.p[i + 1] == '%') {
			buf_addc(f->out, '%');
			i += 2;
		} else {
			if (format_verb(f, s, &i, &next_arg) < 0)
				return -1;
			used = MAX(used, next_arg - 1);
		}
	}
	if (used >= f->nargs)
		return 0;
	*ret_extra = used + 1;
	return used ? err_set(f->err, ERR_INVALID, "too many arguments; the format uses only %zu",
			      used) :
		      err_set(f->err, ERR_INVALID,
			      "too many arguments; the format has no directive that uses one");
}

/* It begins as the format does. */
static struct value unknown_text(struct func_call *c, struct str format)
{
	const char *verb = memchr(format.p, '%', format.n);
	struct refinement r = { REFINE_NOT_NULL };

	if (verb)
		r.prefix = refine_safe_prefix(
			c->arena, (struct str){ format.p, (size_t)(verb - format.p) });
	return value_refine(c->arena, value_unknown_of(&type_string, c->span), &r);
}

static int fn_format(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		     struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;
	struct formatter f = { c, args + 1, nargs - 1, &b, err };
	size_t extra = 0;

	for (size_t i = 1; i < nargs; i++) {
		if (value_has_unknown(args[i])) {
			*ret = unknown_text(c, args[0].string);
			return 0;
		}
	}
	if (format_text(&f, args[0].string, &extra) < 0) {
		if (extra)
			c->bad_arg = (int)extra;
		return -1;
	}
	return ret_buf(c, &b, ret, err);
}

/* How many lines there will be: the length of all lists. *ret_unknown: a list is not known yet. */
static int count_lines(struct func_call *c, const struct value *args, size_t nargs, size_t *ret_n,
		       bool *ret_unknown, struct err *err)
{
	size_t first = 0, n = 1;

	*ret_unknown = false;
	for (size_t i = 1; i < nargs; i++) {
		*ret_unknown |= args[i].kind == VALUE_UNKNOWN &&
				(!args[i].type || !type_is_primitive(args[i].type));
		*ret_unknown |= args[i].kind == VALUE_SET && value_has_unknown(args[i]);
		if (!value_is_seq(args[i]))
			continue;
		if (first && args[i].seq->n != n)
			return arg_error(c, (int)i, err,
					 "argument %zu has %zu elements, but argument %zu has %zu: "
					 "all lists must be of the same length",
					 i, args[i].seq->n, first, n);
		if (!first) {
			first = i;
			n = args[i].seq->n;
		}
	}
	*ret_n = n;
	return 0;
}

static int format_line(struct func_call *c, struct str format, const struct value *args,
		       size_t nargs, struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;
	struct formatter f = { c, args, nargs, &b, err };
	size_t extra;

	for (size_t i = 0; i < nargs; i++) {
		if (value_has_unknown(args[i])) {
			*ret = value_not_null(c->arena, value_unknown_of(&type_string, c->span));
			return 0;
		}
	}
	return format_text(&f, format, &extra) < 0 ? -1 : ret_buf(c, &b, ret, err);
}

static int fn_formatlist(struct func_call *c, const struct value *args, size_t nargs,
			 struct value *ret, struct err *err)
{
	struct value *lines, *one = arena_new_array(c->arena, struct value, nargs);
	bool unknown;
	size_t n = 0;

	if (count_lines(c, args, nargs, &n, &unknown, err) < 0)
		return -1;
	if (unknown) {
		*ret = value_unknown_of(&type_list_string, c->span);
		return 0;
	}
	lines = arena_new_array(c->arena, struct value, n + 1);
	for (size_t k = 0; k < n; k++) {
		for (size_t i = 1; i < nargs; i++)
			one[i - 1] = value_is_seq(args[i]) ? args[i].seq->v[k] : args[i];
		if (format_line(c, args[0].string, one, nargs - 1, &lines[k], err) < 0)
			return nargs > 1 ? err_prefix(err, "element %zu of the result", k) : -1;
		if (arg_memory(c, 0, err) < 0)
			return -1;
	}
	*ret = value_list(c->arena, &type_string, lines, n, c->span);
	return 0;
}

static const struct func_param params[] = { { "format", &type_string },
					    { "args", &type_any, PARAM_NULL | PARAM_UNKNOWN } };

static const struct func_example format_examples[] = {
	{ "format(\"%s-%03d\", \"web\", 7)", "\"web-007\"" },
	{ "format(\"%[2]s: %5.1[1]f%%\", 99.25, \"used\")", "\"used:  99.2%\"" },
	{ "format(\"%v\", [1, \"a\"])", "\"[1,\\\"a\\\"]\"" },
};
static const struct func_example formatlist_examples[] = {
	{ "formatlist(\"%s.example.com\", [\"a\", \"b\"])",
	  "[\"a.example.com\",\"b.example.com\"]" },
	{ "formatlist(\"%s=%d\", [\"x\", \"y\"], [1, 2])", "[\"x=1\",\"y=2\"]" },
};

static const struct func rows[] = {
	{ "format", params, 2, FUNC_VARIADIC, .returns = &type_string, .call = fn_format,
	  .doc = "Fills values into a text. A directive is `%`, flags (`0` `#` `-` `+` space), "
		 "width, `.`precision, `[`number of the argument`]`, and a letter: `s` text, `q` "
		 "text as JSON quotes it, `d` `b` `o` `x` `X` whole numbers, `f` `e` `E` `g` `G` "
		 "numbers, `t` true or false, `v` whatever comes (lists and objects as JSON), "
		 "`#v` JSON. `%%` is a percent sign. Each argument must be used.",
	  FUNC_EXAMPLES(format_examples) },
	{ "formatlist", params, 2, FUNC_VARIADIC, .returns = &type_list_string,
	  .call = fn_formatlist,
	  .doc = "`format` for each element of the lists among the arguments, which must be of "
		 "the same length; other arguments are the same each time.",
	  FUNC_EXAMPLES(formatlist_examples) },
};
const struct func_group func_group_format = { "Format", rows, ARRAY_LEN(rows) };
