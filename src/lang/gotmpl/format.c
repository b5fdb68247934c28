/* Formatting one operand as Go's fmt does. */
#include "lang/gotmpl/format.h"

#include "base/cluster.h"
#include "lang/expr/gotext.h"

#include <math.h>
#include <stdlib.h>
#include <unistr.h>

#define MAX_RUNE 0x10ffff
#define BAD_RUNE 0xfffd

static void fill(struct format *f, int n)
{
	for (int i = 0; i < n; i++)
		buf_addc(f->out, f->zero && !f->minus ? '0' : ' ');
}

static int count_runes(struct str s)
{
	int n = 0;

	for (size_t i = 0, step; i < s.n; i += step, n++)
		str_rune(s, i, &step);
	return n;
}

void format_pad(struct format *f, struct str s)
{
	int missing = f->has_width ? f->width - count_runes(s) : 0;

	if (!f->minus)
		fill(f, missing);
	buf_add_str(f->out, s);
	if (f->minus)
		fill(f, missing);
}

static void pad_with_spaces(struct format *f, struct str s)
{
	bool zero = f->zero;

	f->zero = false;
	format_pad(f, s);
	f->zero = zero;
}

bool format_bool(struct format *f, bool v, uint32_t verb)
{
	if (verb != 't' && verb != 'v')
		return false;
	format_pad(f, v ? STR("true") : STR("false"));
	return true;
}

static void add_base(struct buf *out, uint64_t n, unsigned base, bool upper, int digits_min)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[65];
	size_t i = sizeof(text);
	int have;

	do
		text[--i] = digits[n % base];
	while (n /= base);
	have = (int)(sizeof(text) - i);
	for (; have < digits_min; have++)
		buf_addc(out, '0');
	buf_add(out, text + i, sizeof(text) - i);
}

static void add_prefix(struct buf *out, const struct format *f, unsigned base, uint32_t verb,
		       bool zero_first)
{
	if (verb == 'O')
		buf_adds(out, "0o");
	if (f->sharp && base == 2)
		buf_adds(out, "0b");
	else if (f->sharp && base == 8 && !zero_first)
		buf_addc(out, '0');
	else if (f->sharp && base == 16)
		buf_adds(out, verb == 'X' ? "0X" : "0x");
}

static void integer(struct format *f, int64_t v, unsigned base, uint32_t verb)
{
	uint64_t magnitude = v < 0 ? -(uint64_t)v : (uint64_t)v;
	AUTO(buf) struct buf digits = BUF_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	int least = 0;

	if (f->has_precision && !f->precision && !v) {
		pad_with_spaces(f, STR(""));
		return;
	}
	if (f->has_precision)
		least = f->precision;
	else if (f->zero && !f->minus && f->has_width)
		least = f->width - (v < 0 || f->plus || f->space);
	add_base(&digits, magnitude, base, verb == 'X', least);
	if (v < 0 || f->plus || f->space)
		buf_addc(&text, v < 0 ? '-' : f->plus ? '+' : ' ');
	add_prefix(&text, f, base, verb, digits.p[0] == '0');
	buf_add_str(&text, buf_str(&digits));
	pad_with_spaces(f, buf_str(&text));
}

static uint32_t rune_of(int64_t v)
{
	return v < 0 || v > MAX_RUNE || (v >= 0xd800 && v < 0xe000) ? BAD_RUNE : (uint32_t)v;
}

static void unicode(struct format *f, int64_t v)
{
	AUTO(buf) struct buf text = BUF_INIT;

	buf_adds(&text, "U+");
	add_base(&text, (uint64_t)v, 16, true,
		 f->has_precision && f->precision > 4 ? f->precision : 4);
	if (f->sharp && v >= 0 && v <= MAX_RUNE && gotext_is_print((uint32_t)v)) {
		buf_adds(&text, " '");
		buf_add_utf8(&text, (uint32_t)v);
		buf_addc(&text, '\'');
	}
	pad_with_spaces(f, buf_str(&text));
}

static void character(struct format *f, int64_t v, bool quoted)
{
	AUTO(buf) struct buf text = BUF_INIT;

	if (quoted) {
		buf_addc(&text, '\'');
		gotext_quote_rune(&text, rune_of(v), '\'', f->plus);
		buf_addc(&text, '\'');
	} else {
		buf_add_utf8(&text, rune_of(v));
	}
	format_pad(f, buf_str(&text));
}

bool format_int(struct format *f, int64_t v, uint32_t verb)
{
	switch (verb) {
	case 'v':
	case 'd':
		integer(f, v, 10, verb);
		return true;
	case 'b':
		integer(f, v, 2, verb);
		return true;
	case 'o':
	case 'O':
		integer(f, v, 8, verb);
		return true;
	case 'x':
	case 'X':
		integer(f, v, 16, verb);
		return true;
	case 'c':
	case 'q':
		character(f, v, verb == 'q');
		return true;
	case 'U':
		unicode(f, v);
		return true;
	default:
		return false;
	}
}

/* %x: C's, with 1 before the point (rounding may have made it 2), and at least two digits in the
 * exponent. */
static void add_hex_float(struct buf *out, double v, int precision, bool upper)
{
	char text[1100], *p, *first;
	int exponent;

	if (precision < 0)
		snprintf(text, sizeof(text), upper ? "%A" : "%a", v);
	else
		snprintf(text, sizeof(text), upper ? "%.*A" : "%.*a", MIN(precision, 1000), v);
	p = strpbrk(text, "pP");
	first = strpbrk(text, "xX") + 1;
	exponent = (int)strtol(p + 1, NULL, 10) + (*first == '2');
	if (*first == '2')
		*first = '1';
	buf_add(out, text, (size_t)(p + 1 - text));
	buf_printf(out, "%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void add_binary_float(struct buf *out, double v)
{
	enum { MANTISSA_BITS = 53, EXPONENT_LEAST = -1074 };
	int exponent = 0;
	double m = frexp(v, &exponent);
	int power = v == 0 ? EXPONENT_LEAST : MAX(exponent - MANTISSA_BITS, EXPONENT_LEAST);

	buf_printf(out, "%.0fp%+d", v == 0 ? copysign(0, v) : ldexp(m, exponent - power), power);
}

static void add_float(struct buf *out, double v, uint32_t verb, int precision)
{
	switch (verb) {
	case 'e':
		buf_printf(out, "%.*e", precision, v);
		break;
	case 'E':
		buf_printf(out, "%.*E", precision, v);
		break;
	case 'f':
		buf_printf(out, "%.*f", precision, v);
		break;
	case 'x':
	case 'X':
		add_hex_float(out, v, precision, verb == 'X');
		break;
	case 'b':
		add_binary_float(out, v);
		break;
	default:
		if (precision < 0)
			gotext_float(out, v, verb == 'G');
		else
			buf_printf(out, verb == 'G' ? "%.*G" : "%.*g", precision, v);
	}
}

/* %#: a point always, and for %g the zeros up to its precision. */
static void add_zeros(struct buf *num, uint32_t verb, int precision)
{
	bool hex = verb == 'x' || verb == 'X', point = false, nonzero = false;
	int digits = strchr("vgGx", (int)verb) ? precision < 0 ? 6 : precision : 0;
	AUTO(buf) struct buf tail = BUF_INIT;

	for (size_t i = 1; i < num->n; i++) {
		char c = num->p[i];

		if (c == 'p' || c == 'P' || (!hex && (c == 'e' || c == 'E'))) {
			buf_add(&tail, num->p + i, num->n - i);
			buf_truncate(num, i);
		} else if (c == '.') {
			point = true;
		} else {
			nonzero |= c != '0';
			digits -= nonzero;
		}
	}
	if (!point) {
		digits -= num->n == 2 && num->p[1] == '0';
		buf_addc(num, '.');
	}
	for (; digits > 0; digits--)
		buf_addc(num, '0');
	buf_add_str(num, buf_str(&tail));
}

/* What is no number gets no zeros before it, and infinity always its sign. */
static void show_no_number(struct format *f, double v)
{
	const char *text = v < 0 ? "-Inf" : f->space && !f->plus ? " Inf" : "+Inf";
	struct format plain = *f;

	if (isnan(v))
		text = f->plus ? "+NaN" : f->space ? " NaN" : "NaN";
	plain.zero = false;
	format_pad(&plain, str_from(text));
}

static void show_float(struct format *f, double v, uint32_t verb, int precision)
{
	AUTO(buf) struct buf num = BUF_INIT;
	struct str text;

	if (!isfinite(v)) {
		show_no_number(f, v);
		return;
	}
	if (f->has_precision)
		precision = f->precision;
	if (!signbit(v))
		buf_addc(&num, '+');
	add_float(&num, v, verb, precision);
	if (f->space && num.p[0] == '+' && !f->plus)
		num.p[0] = ' ';
	if (f->sharp && verb != 'b')
		add_zeros(&num, verb, precision);
	text = buf_str(&num);
	if (!f->plus && text.p[0] == '+') {
		format_pad(f, str_slice(text, 1, text.n));
	} else if (f->zero && !f->minus && f->has_width && f->width > (int)text.n) {
		buf_addc(f->out, text.p[0]);
		fill(f, f->width - (int)text.n);
		buf_add_str(f->out, str_slice(text, 1, text.n));
	} else {
		format_pad(f, text);
	}
}

bool format_float(struct format *f, double v, uint32_t verb)
{
	switch (verb) {
	case 'v':
		show_float(f, v, 'g', -1);
		return true;
	case 'b':
	case 'g':
	case 'G':
	case 'x':
	case 'X':
		show_float(f, v, verb, -1);
		return true;
	case 'e':
	case 'E':
	case 'f':
		show_float(f, v, verb, 6);
		return true;
	case 'F':
		show_float(f, v, 'f', 6);
		return true;
	default:
		return false;
	}
}

static struct str truncated(const struct format *f, struct str s)
{
	size_t i = 0, step;

	if (!f->has_precision)
		return s;
	for (int n = f->precision; n > 0 && i < s.n; n--, i += step)
		str_rune(s, i, &step);
	return str_slice(s, 0, i);
}

static void hex_text(struct format *f, struct str s, bool upper)
{
	size_t n = f->has_precision ? MIN(s.n, (size_t)f->precision) : s.n;
	AUTO(buf) struct buf text = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		if (i && f->space)
			buf_addc(&text, ' ');
		if (f->sharp && (!i || f->space))
			buf_adds(&text, upper ? "0X" : "0x");
		buf_printf(&text, upper ? "%02X" : "%02x", (uint8_t)s.p[i]);
	}
	format_pad(f, buf_str(&text));
}

static bool can_backquote(struct str s)
{
	for (size_t i = 0; i < s.n;) {
		ucs4_t c;
		int n = u8_mbtoucr(&c, (const uint8_t *)s.p + i, s.n - i);

		if (n <= 0 || c == 0xfeff || (c < ' ' && c != '\t') || c == '`' || c == 0x7f)
			return false;
		i += (size_t)n;
	}
	return true;
}

static void quoted_text(struct format *f, struct str s)
{
	AUTO(buf) struct buf text = BUF_INIT;

	s = truncated(f, s);
	if (f->sharp && can_backquote(s))
		buf_printf(&text, "`" STR_FMT "`", STR_ARG(s));
	else
		gotext_quote(&text, s, f->plus);
	format_pad(f, buf_str(&text));
}

bool format_text(struct format *f, struct str s, uint32_t verb)
{
	switch (verb) {
	case 'v':
		if (f->sharp_v)
			quoted_text(f, s);
		else
			format_pad(f, truncated(f, s));
		return true;
	case 's':
		format_pad(f, truncated(f, s));
		return true;
	case 'x':
	case 'X':
		hex_text(f, s, verb == 'X');
		return true;
	case 'q':
		quoted_text(f, s);
		return true;
	default:
		return false;
	}
}
