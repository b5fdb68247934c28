/* Growing byte buffer with a named ceiling; always NUL-terminated.
 *
 *	AUTO(buf) struct buf b = BUF_INIT;
 *	buf_printf(&b, "%s=%d", key, n);
 *	return buf_steal(&b);          the caller frees
 *
 * A write past the ceiling (BUF_MAX, or b.max when set) is dropped whole and sets b.overflow, which
 * readers of foreign data must check.
 */
#ifndef INGOT_BASE_BUF_H
#define INGOT_BASE_BUF_H

#include "base/base.h"
#include "base/str.h"

#include <stdarg.h>

#define BUF_MAX ((size_t)1 << 30)

struct buf {
	char *p; /* NULL while empty and never written; use buf_cstr() */
	size_t n, cap, max;
	bool overflow;
};

#define BUF_INIT { 0 }

void buf_add(struct buf *b, const void *p, size_t n);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_add_str(struct buf *b, struct str s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
void buf_add_utf8(struct buf *b, uint32_t code_point);
void buf_add_hex(struct buf *b, const void *p, size_t n); /* lower case */
void buf_add_base64(struct buf *b, const void *p, size_t n);
/* Appends the bytes that base64 text stands for; -1 if it is malformed (b unchanged). */
int buf_add_unbase64(struct buf *b, struct str text);
/* The same; *ret_bad is set to the offset of what does not belong there. */
int buf_add_unbase64_at(struct buf *b, struct str text, size_t *ret_bad);
/* application/x-www-form-urlencoded and SigV4: RFC 3986 unreserved bytes stay, all else %XX;
 * with keep_slash '/' stays too. */
void buf_add_uri(struct buf *b, struct str s, bool keep_slash);
/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void buf_add_json_string(struct buf *b, struct str s);
/* The same as Go's encoder writes it: < > & and U+2028, U+2029 escaped too, control bytes as
 * \u00XX. */
void buf_add_go_json_string(struct buf *b, struct str s);
/* A POSIX shell word in single quotes; ' becomes '"'"' as in Packer. */
void buf_add_shell_word(struct buf *b, struct str s);
void buf_insert(struct buf *b, size_t at, const void *p, size_t n); /* before the byte `at` */
void buf_remove(struct buf *b, size_t at, size_t n);		     /* from there on */
void buf_truncate(struct buf *b, size_t n);			     /* to its first n bytes */
void buf_reserve(struct buf *b, size_t more);			     /* for bytes to come */
static inline const char *buf_cstr(const struct buf *b)
{
	return b->p ? b->p : "";
}
static inline struct str buf_str(const struct buf *b)
{
	return (struct str){ b->p ? b->p : "", b->n };
}
char *buf_steal(struct buf *b); /* never NULL; the caller frees */
void buf_reset(struct buf *b);	/* keeps the memory */
void buf_release(struct buf *b); /* empties it; its ceiling stays */
DEFINE_AUTO(buf, struct buf, buf_release);

#endif
