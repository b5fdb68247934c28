/* Text of the template languages: UTF-8 in Unicode's normal form C, counted in grapheme clusters.
 *
 * Every string value that a function makes goes through text_nfc (or ret_text, which also makes the
 * value): two strings that look the same must be the same.
 */
#ifndef INGOT_LANG_EXPR_TEXT_H
#define INGOT_LANG_EXPR_TEXT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "lang/expr/value.h"

#include <unitypes.h>

struct func_call;

/* s in normal form C: s itself where it already is, else a copy in the arena. Bytes that are no
 * UTF-8 become U+FFFD. */
struct str text_nfc(struct arena *a, struct str s);
size_t text_count_clusters(struct str s);
/* unicode.IsSpace of the reference: the property White_Space. */
bool text_is_space(ucs4_t c);

/* 0, after setting *ret to the text (borrowed, normalized into the arena where it has to be). */
int ret_text(struct func_call *c, struct str s, struct value *ret);
/* The same with a copy of what is in the buffer. -1 if the buffer overflowed. */
int ret_buf(struct func_call *c, const struct buf *b, struct value *ret, struct err *err);

#endif
