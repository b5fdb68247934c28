/* Code points, and grapheme clusters by the rules of UAX #29, emoji and flags included. */
#include "base/cluster.h"

#include <unictype.h>
#include <unigbrk.h>
#include <unistr.h>

uint32_t str_rune(struct str s, size_t at, size_t *ret_n)
{
	ucs4_t c;
	int n;

	if ((uint8_t)s.p[at] < 0x80) {
		*ret_n = 1;
		return (uint8_t)s.p[at];
	}
	n = u8_mbtoucr(&c, (const uint8_t *)s.p + at, s.n - at);
	*ret_n = n > 0 ? (size_t)n : 1;
	return n > 0 ? c : 0xfffd;
}

/* Whether no cluster ends between two code points of these properties (rules GB3 to GB9b of UAX
 * #29; those of emoji and flags look further back). */
static bool stick(int before, int after)
{
	switch (before) {
	case GBP_CR:
		return after == GBP_LF;
	case GBP_LF:
	case GBP_CONTROL:
		return false;
	case GBP_PREPEND:
		return after != GBP_CR && after != GBP_LF && after != GBP_CONTROL;
	case GBP_L:
		if (after == GBP_L || after == GBP_V || after == GBP_LV || after == GBP_LVT)
			return true;
		break;
	case GBP_LV:
	case GBP_V:
		if (after == GBP_V || after == GBP_T)
			return true;
		break;
	case GBP_LVT:
	case GBP_T:
		if (after == GBP_T)
			return true;
		break;
	}
	return after == GBP_EXTEND || after == GBP_ZWJ || after == GBP_SPACINGMARK;
}

size_t str_cluster(struct str s, size_t at)
{
	size_t i = at, n, flags = 0;
	bool emoji = false; /* an emoji and what extends it */
	int before = -1;

	/* Two plain ASCII bytes are two clusters, but for CR LF. */
	if (at + 1 < s.n && (uint8_t)s.p[at] < 0x80 && (uint8_t)s.p[at + 1] < 0x80 &&
	    s.p[at] != '\r')
		return 1;
	for (; i < s.n; i += n) {
		ucs4_t c = str_rune(s, i, &n);
		int prop = uc_graphemeclusterbreak_property(c);
		bool pictograph = uc_is_property_extended_pictographic(c);
		bool flag = prop == GBP_RI && flags % 2 == 1;

		if (before >= 0 && !stick(before, prop) && !flag &&
		    !(emoji && before == GBP_ZWJ && pictograph))
			break;
		emoji = pictograph || (emoji && (prop == GBP_EXTEND || prop == GBP_ZWJ));
		flags = prop == GBP_RI ? flags + 1 : 0;
		before = prop;
	}
	return i - at;
}
