/* White space by Unicode, at the ends of text. */
#include "lang/hcl/space.h"

#include <unictype.h>
#include <unistr.h>

size_t space_leading(struct str s, size_t *ret_chars)
{
	size_t i = 0, chars = 0;

	while (i < s.n) {
		ucs4_t c;
		int n = u8_mbtoucr(&c, (const uint8_t *)s.p + i, s.n - i);

		if (n <= 0 || !uc_is_property_white_space(c))
			break;
		i += (size_t)n;
		chars++;
	}
	*ret_chars = chars;
	return i;
}

struct str space_trim_end(struct str s)
{
	while (s.n) {
		ucs4_t c;
		const uint8_t *prev = u8_prev(&c, (const uint8_t *)s.p + s.n, (const uint8_t *)s.p);

		if (!prev || !uc_is_property_white_space(c))
			break;
		s.n = (size_t)(prev - (const uint8_t *)s.p);
	}
	return s;
}
