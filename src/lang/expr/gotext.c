/* Text as Go writes it. */
#include "lang/expr/gotext.h"

#include <stdio.h>
#include <stdlib.h>
#include <unictype.h>
#include <unistr.h>

#define FLOAT_DIGITS_MAX 17 /* enough for every double */

bool gotext_is_print(uint32_t c)
{
	const uint32_t shown = UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_N |
			       UC_CATEGORY_MASK_P | UC_CATEGORY_MASK_S;

	return c == ' ' || uc_is_general_category_withtable(c, shown);
}

void gotext_quote_rune(struct buf *out, uint32_t c, char mark, bool ascii)
{
	static const char from[] = "\a\b\f\n\r\t\v", to[] = "abfnrtv";
	const char *hit = c && c < 0x20 ? strchr(from, (int)c) : NULL;

	if (c == (uint32_t)mark || c == '\\')
		buf_printf(out, "\\%c", (char)c);
	else if (hit)
		buf_printf(out, "\\%c", to[hit - from]);
	else if ((c < 0x80 || !ascii) && gotext_is_print(c))
		buf_add_utf8(out, c);
	else if (c < ' ' || c == 0x7f)
		buf_printf(out, "\\x%02x", c);
	else if (c < 0x10000)
		buf_printf(out, "\\u%04x", c);
	else
		buf_printf(out, "\\U%08x", c);
}

void gotext_quote(struct buf *out, struct str s, bool ascii)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n;) {
		ucs4_t c;
		int n = u8_mbtoucr(&c, (const uint8_t *)s.p + i, s.n - i);

		if (n > 0)
			gotext_quote_rune(out, c, '"', ascii);
		else
			buf_printf(out, "\\x%02x", (uint8_t)s.p[i]);
		i += n > 0 ? (size_t)n : 1;
	}
	buf_addc(out, '"');
}

void gotext_float(struct buf *out, double v, bool upper)
{
	enum { EXPONENT_MIN = -4, EXPONENT_END = 6 };
	int digits = 0, exponent; /* digits: behind the point of %e */
	char text[64];

	do
		snprintf(text, sizeof(text), "%.*e", digits, v);
	while (strtod(text, NULL) != v && ++digits < FLOAT_DIGITS_MAX);
	exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	if (exponent < EXPONENT_MIN || exponent >= EXPONENT_END)
		buf_printf(out, upper ? "%.*E" : "%.*e", digits, v);
	else
		buf_printf(out, "%.*f", MAX(digits - exponent, 0), v);
}
