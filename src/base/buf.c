/* The growing byte buffer and the encodings that are appended to it. */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

static bool make_room(struct buf *b, size_t more)
{
	size_t max = b->max ? b->max : BUF_MAX;
	size_t cap;

	if (more > max || b->n > max - more) {
		b->overflow = true;
		return false;
	}
	if (b->n + more + 1 <= b->cap)
		return true;
	cap = MAX(b->cap * 2, (size_t)64);
	while (cap < b->n + more + 1)
		cap *= 2;
	b->p = xrealloc(b->p, cap);
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!make_room(b, n))
		return;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (!make_room(b, n < 0 ? SIZE_MAX : (size_t)n)) /* < 0: beyond INT_MAX */
		return;
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	b->n += (size_t)n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_add_utf8(struct buf *b, uint32_t c)
{
	char u[4];
	size_t n = 0;

	if (c < 0x80) {
		u[n++] = (char)c;
	} else if (c < 0x800) {
		u[n++] = (char)(0xc0 | c >> 6);
		u[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		u[n++] = (char)(0xe0 | c >> 12);
		u[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		u[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		u[n++] = (char)(0xf0 | (c >> 18 & 7));
		u[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		u[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		u[n++] = (char)(0x80 | (c & 0x3f));
	}
	buf_add(b, u, n);
}

void buf_add_hex(struct buf *b, const void *p, size_t n)
{
	const uint8_t *u = p;

	for (size_t i = 0; i < n; i++) {
		buf_addc(b, "0123456789abcdef"[u[i] >> 4]);
		buf_addc(b, "0123456789abcdef"[u[i] & 15]);
	}
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void buf_add_base64(struct buf *b, const void *p, size_t n)
{
	const uint8_t *u = p;

	for (; n > 0; u += 3, n -= MIN(n, (size_t)3)) {
		uint32_t w = (uint32_t)u[0] << 16 | (n > 1 ? (uint32_t)u[1] << 8 : 0) |
			     (n > 2 ? u[2] : 0);
		char out[4] = { base64_digits[w >> 18], base64_digits[w >> 12 & 63],
				n > 1 ? base64_digits[w >> 6 & 63] : '=',
				n > 2 ? base64_digits[w & 63] : '=' };

		buf_add(b, out, 4);
	}
}

static int base64_value(char c)
{
	const char *at = c ? strchr(base64_digits, c) : NULL;

	return at ? (int)(at - base64_digits) : -1;
}

/* Moves *i past line breaks; false at the end. */
static bool unbase64_next(struct str s, size_t *i)
{
	while (*i < s.n && (s.p[*i] == '\n' || s.p[*i] == '\r'))
		++*i;
	return *i < s.n;
}

/* What is left at i: two or three digits in w, and their padding. */
static int unbase64_end(struct buf *b, struct str s, size_t i, uint32_t w, size_t digits,
			size_t *ret_bad)
{
	*ret_bad = i;
	if (digits < 2 || s.p[i++] != '=')
		return -1;
	buf_addc(b, (char)(digits == 2 ? w >> 4 : w >> 10));
	if (digits == 3)
		buf_addc(b, (char)(w >> 2));
	if (digits == 2) {
		*ret_bad = unbase64_next(s, &i) ? i - 1 : s.n;
		if (i == s.n || s.p[i++] != '=')
			return -1;
	}
	*ret_bad = i;
	if (!unbase64_next(s, &i))
		return 0;
	*ret_bad = i;
	return -1;
}

int buf_add_unbase64_at(struct buf *b, struct str s, size_t *ret_bad)
{
	size_t start = b->n, digits = 0, group = 0, i = 0;
	uint32_t w = 0;

	for (; unbase64_next(s, &i); i++) {
		int v = base64_value(s.p[i]);

		if (v < 0)
			break;
		if (digits == 0)
			group = i;
		w = w << 6 | (uint32_t)v;
		if (++digits == 4) {
			char out[3] = { (char)(w >> 16), (char)(w >> 8), (char)w };

			buf_add(b, out, 3);
			digits = 0;
		}
	}
	if (i == s.n && !digits)
		return 0;
	*ret_bad = group;
	if (i < s.n && unbase64_end(b, s, i, w, digits, ret_bad) == 0)
		return 0;
	buf_truncate(b, start);
	return -1;
}

int buf_add_unbase64(struct buf *b, struct str text)
{
	size_t bad;

	return buf_add_unbase64_at(b, text, &bad);
}

void buf_add_uri(struct buf *b, struct str s, bool keep_slash)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '_' || c == '.' || c == '~' || (c == '/' && keep_slash))
			buf_addc(b, (char)c);
		else
			buf_printf(b, "%%%02X", c);
	}
}

void buf_add_json_string(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	while (s.n > 0) {
		ptrdiff_t bad = utf8_invalid_at(s);
		size_t good = bad < 0 ? s.n : (size_t)bad;

		for (size_t i = 0; i < good; i++) {
			uint8_t c = (uint8_t)s.p[i];

			if (c == '"' || c == '\\') {
				buf_addc(b, '\\');
				buf_addc(b, (char)c);
			} else if (c == '\n') {
				buf_adds(b, "\\n");
			} else if (c == '\r') {
				buf_adds(b, "\\r");
			} else if (c == '\t') {
				buf_adds(b, "\\t");
			} else if (c == '\b' || c == '\f') {
				buf_adds(b, c == '\b' ? "\\b" : "\\f");
			} else if (c < 0x20) {
				buf_printf(b, "\\u%04x", c);
			} else {
				buf_addc(b, (char)c);
			}
		}
		s = str_slice(s, good, s.n);
		if (s.n) {
			buf_adds(b, "\xef\xbf\xbd");
			s = str_slice(s, 1, s.n);
		}
	}
	buf_addc(b, '"');
}

void buf_add_go_json_string(struct buf *b, struct str s)
{
	AUTO(buf) struct buf plain = BUF_INIT;
	struct str rest;

	buf_add_json_string(&plain, s);
	for (rest = buf_str(&plain); rest.n; rest = str_slice(rest, 1, rest.n)) {
		if (*rest.p == '<' || *rest.p == '>' || *rest.p == '&') {
			buf_printf(b, "\\u%04x", *rest.p);
		} else if (str_starts(rest, "\xe2\x80\xa8") || str_starts(rest, "\xe2\x80\xa9")) {
			buf_adds(b, (uint8_t)rest.p[2] == 0xa8 ? "\\u2028" : "\\u2029");
			rest = str_slice(rest, 2, rest.n);
		} else {
			buf_addc(b, *rest.p);
		}
	}
}

void buf_add_shell_word(struct buf *b, struct str s)
{
	buf_addc(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_adds(b, "'\"'\"'");
		else
			buf_addc(b, s.p[i]);
	}
	buf_addc(b, '\'');
}

void buf_insert(struct buf *b, size_t at, const void *p, size_t n)
{
	if (!n || !make_room(b, n))
		return;
	memmove(b->p + at + n, b->p + at, b->n - at);
	memcpy(b->p + at, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_remove(struct buf *b, size_t at, size_t n)
{
	if (!n)
		return;
	memmove(b->p + at, b->p + at + n, b->n - at - n);
	buf_truncate(b, b->n - n);
}

void buf_truncate(struct buf *b, size_t n)
{
	b->n = n;
	if (b->p)
		b->p[n] = '\0';
}

void buf_reserve(struct buf *b, size_t more)
{
	make_room(b, more);
}

char *buf_steal(struct buf *b)
{
	char *p = b->p ? b->p : xstrdup("");

	b->p = NULL;
	buf_release(b);
	return p;
}

void buf_reset(struct buf *b)
{
	b->overflow = false;
	buf_truncate(b, 0);
}

void buf_release(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}
