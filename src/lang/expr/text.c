/* Text: normal form C, grapheme clusters, and what functions of text share. */
#include "lang/expr/text.h"

#include "base/buf.h"
#include "base/cluster.h"
#include "lang/expr/func.h"

#include <unictype.h>
#include <uninorm.h>

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] >= 0x80)
			return false;
	return true;
}

struct str text_nfc(struct arena *a, struct str s)
{
	auto_free uint8_t *out = NULL;
	size_t n = 0;

	if (is_ascii(s))
		return s;
	out = u8_normalize(UNINORM_NFC, (const uint8_t *)s.p, s.n, NULL, &n);
	if (!out || (n == s.n && memcmp(out, s.p, n) == 0))
		return s;
	return arena_str(a, (struct str){ (const char *)out, n });
}

size_t text_count_clusters(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i += str_cluster(s, i))
		n++;
	return n;
}

bool text_is_space(ucs4_t c)
{
	return c < 0x80 ? c == ' ' || (c >= '\t' && c <= '\r') : uc_is_property_white_space(c);
}

int ret_text(struct func_call *c, struct str s, struct value *ret)
{
	*ret = value_string(text_nfc(c->arena, s), c->span);
	return 0;
}

int ret_buf(struct func_call *c, const struct buf *b, struct value *ret, struct err *err)
{
	if (b->overflow)
		return err_set(err, ERR_INVALID, "the result would be longer than %zu bytes",
			       b->max ? b->max : BUF_MAX);
	return ret_text(c, arena_str(c->arena, buf_str(b)), ret);
}
