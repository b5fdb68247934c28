/* Go's fmt.Sprintf over template values: verbs v s q d b o x X c U e f g t %, flags, width,
 * precision. */
#include "lang/gotmpl/tree.h"

#include <ctype.h>
#include <stdio.h>

#define WIDTH_MAX 10000

struct directive {
	bool minus, plus, sharp, space, zero;
	int width, precision; /* -1: not given */
	char verb;
};

static size_t chars(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((uint8_t)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void pad(struct buf *out, const struct directive *d, struct str s)
{
	size_t have = chars(s), want = d->width > 0 ? (size_t)d->width : 0;
	bool zero = d->zero && !d->minus;

	if (zero && have < want && s.n &&
	    (s.p[0] == '-' || s.p[0] == '+')) { /* zeros go behind the sign */
		buf_addc(out, s.p[0]);
		s = str_slice(s, 1, s.n);
		have--;
		want--;
	}
	for (size_t i = have; i < want && !d->minus; i++)
		buf_addc(out, zero ? '0' : ' ');
	buf_add_str(out, s);
	for (size_t i = have; i < want && d->minus; i++)
		buf_addc(out, ' ');
}

/* Go's quoted text: what a Go program would read back. */
static void quote(struct buf *out, struct str s)
{
	static const char from[] = "\a\b\f\n\r\t\v\"\\", to[] = "abfnrtv\"\\";

	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		const char *hit = s.p[i] ? strchr(from, s.p[i]) : NULL;

		if (hit)
			buf_printf(out, "\\%c", to[hit - from]);
		else if ((uint8_t)s.p[i] < 0x20 || s.p[i] == 0x7f)
			buf_printf(out, "\\x%02x", (uint8_t)s.p[i]);
		else
			buf_addc(out, s.p[i]);
	}
	buf_addc(out, '"');
}

static const char *go_type(struct value v)
{
	int64_t i;

	switch (v.kind) {
	case VALUE_BOOL:
		return "bool";
	case VALUE_NUMBER:
		return value_as_i64(v, &i) ? "int" : "float64";
	case VALUE_STRING:
		return "string";
	case VALUE_NULL:
	case VALUE_UNKNOWN:
		return "<nil>";
	default:
		return value_is_seq(v) ? "[]interface {}" : "map[string]interface {}";
	}
}

static void bad_verb(struct buf *out, char verb, struct value v, struct arena *scratch)
{
	buf_printf(out, "%%!%c(", verb);
	if (v.kind == VALUE_NULL || v.kind == VALUE_UNKNOWN) {
		buf_adds(out, "<nil>)");
		return;
	}
	buf_printf(out, "%s=", go_type(v));
	gotmpl_print_value(out, v, scratch);
	buf_addc(out, ')');
}

static void in_base(struct buf *out, uint64_t n, unsigned base, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[65];
	size_t i = sizeof(text);

	do
		text[--i] = digits[n % base];
	while (n /= base);
	buf_add(out, text + i, sizeof(text) - i);
}

static bool format_int(struct buf *out, const struct directive *d, int64_t n)
{
	uint64_t magnitude = n < 0 ? -(uint64_t)n : (uint64_t)n;

	if (d->verb == 'c') {
		buf_add_utf8(out, n < 0 || n > 0x10ffff ? 0xfffd : (uint32_t)n);
		return true;
	}
	if (d->verb == 'U') {
		buf_printf(out, "U+%04llX", (unsigned long long)n);
		return true;
	}
	if (!strchr("vdboxX", d->verb))
		return false;
	if (n < 0 || d->plus || d->space)
		buf_addc(out, n < 0 ? '-' : d->plus ? '+' : ' ');
	if (d->sharp && (d->verb == 'x' || d->verb == 'X'))
		buf_printf(out, "0%c", d->verb);
	in_base(out, magnitude,
		d->verb == 'b'			   ? 2
		: d->verb == 'o'		   ? 8
		: d->verb == 'x' || d->verb == 'X' ? 16
						   : 10,
		d->verb == 'X');
	return true;
}

static bool format_float(struct buf *out, const struct directive *d, double v)
{
	int precision = d->precision < 0 ? 6 : d->precision;

	switch (d->verb) {
	case 'f':
	case 'F':
		buf_printf(out, d->plus ? "%+.*f" : "%.*f", precision, v);
		return true;
	case 'e':
		buf_printf(out, d->plus ? "%+.*e" : "%.*e", precision, v);
		return true;
	case 'E':
		buf_printf(out, d->plus ? "%+.*E" : "%.*E", precision, v);
		return true;
	case 'g':
	case 'G':
		buf_printf(out, "%.*g", d->precision < 0 ? 17 : precision, v);
		return true;
	default:
		return false;
	}
}

static bool format_text(struct buf *out, const struct directive *d, struct str s)
{
	if (d->precision >= 0 && d->verb != 'x' && d->verb != 'X') {
		size_t n = 0, i = 0;

		for (; i < s.n; i++)
			if (((uint8_t)s.p[i] & 0xc0) != 0x80 && n++ == (size_t)d->precision)
				break;
		s = str_slice(s, 0, i);
	}
	if (d->verb == 'q' || (d->verb == 'v' && d->sharp))
		quote(out, s);
	else if (d->verb == 's' || d->verb == 'v')
		buf_add_str(out, s);
	else if (d->verb == 'x' || d->verb == 'X')
		for (size_t i = 0; i < s.n; i++)
			buf_printf(out, d->verb == 'x' ? "%02x" : "%02X", (uint8_t)s.p[i]);
	else
		return false;
	return true;
}

static bool format_value(struct buf *out, struct directive *d, struct value v,
			 struct arena *scratch)
{
	int64_t i;
	double f;

	switch (v.kind) {
	case VALUE_STRING:
		return format_text(out, d, v.string);
	case VALUE_BOOL:
		if (d->verb != 't' && d->verb != 'v')
			return false;
		buf_adds(out, v.boolean ? "true" : "false");
		return true;
	case VALUE_NUMBER:
		if (value_as_i64(v, &i) && format_int(out, d, i))
			return true;
		if (value_as_double(v, &f) && format_float(out, d, f))
			return true;
		if (d->verb != 'v')
			return false;
		gotmpl_print_value(out, v, scratch);
		return true;
	case VALUE_NULL:
	case VALUE_UNKNOWN:
		if (d->verb != 'v')
			return false;
		buf_adds(out, "<nil>");
		return true;
	default:
		if (d->verb != 'v' && d->verb != 's')
			return false;
		gotmpl_print_value(out, v, scratch);
		return true;
	}
}

static size_t parse_count(struct str f, size_t i, int *ret)
{
	*ret = 0;
	for (; i < f.n && isdigit((unsigned char)f.p[i]); i++)
		if (*ret < WIDTH_MAX)
			*ret = *ret * 10 + (f.p[i] - '0');
	*ret = MIN(*ret, WIDTH_MAX);
	return i;
}

/* Reads what stands behind a '%'; the place of the verb is returned (f.n: there is none). */
static size_t parse_directive(struct str f, size_t i, struct directive *d)
{
	*d = (struct directive){ .width = -1, .precision = -1 };
	for (; i < f.n; i++) {
		if (f.p[i] == '-')
			d->minus = true;
		else if (f.p[i] == '+')
			d->plus = true;
		else if (f.p[i] == '#')
			d->sharp = true;
		else if (f.p[i] == ' ')
			d->space = true;
		else if (f.p[i] == '0')
			d->zero = true;
		else
			break;
	}
	if (i < f.n && isdigit((unsigned char)f.p[i]))
		i = parse_count(f, i, &d->width);
	if (i < f.n && f.p[i] == '.')
		i = parse_count(f, i + 1, &d->precision);
	return i;
}

static void format_extra(struct buf *out, const struct value *args, size_t from, size_t n,
			 struct arena *scratch)
{
	buf_adds(out, "%!(EXTRA ");
	for (size_t i = from; i < n; i++) {
		buf_printf(out, "%s%s=", i > from ? ", " : "", go_type(args[i]));
		gotmpl_print_value(out, args[i], scratch);
	}
	buf_addc(out, ')');
}

void gotmpl_printf(struct buf *out, struct str f, const struct value *args, size_t n,
		   struct arena *scratch)
{
	size_t next = 0;

	for (size_t i = 0; i < f.n; i++) {
		AUTO(buf) struct buf one = BUF_INIT;
		struct directive d;

		if (f.p[i] != '%') {
			buf_addc(out, f.p[i]);
			continue;
		}
		i = parse_directive(f, i + 1, &d);
		if (i >= f.n) {
			buf_adds(out, "%!(NOVERB)");
			break;
		}
		d.verb = f.p[i];
		if (d.verb == '%')
			buf_addc(out, '%');
		else if (next >= n)
			buf_printf(out, "%%!%c(MISSING)", d.verb);
		else if (format_value(&one, &d, args[next], scratch))
			pad(out, &d, buf_str(&one));
		else
			bad_verb(out, d.verb, args[next], scratch);
		next += d.verb != '%';
	}
	if (next < n)
		format_extra(out, args, next, n, scratch);
}
