/* Inside re2: escapes and classes of characters. */
#ifndef INGOT_LANG_EXPR_FUNCTIONS_RE2_CLASS_H
#define INGOT_LANG_EXPR_FUNCTIONS_RE2_CLASS_H

#include "base/buf.h"
#include "base/err.h"

#include <unitypes.h>

/* A pattern on its way through the translator. */
struct re2_in {
	struct str s;
	size_t i; /* what is read next */
	struct buf out;
	bool fold; /* (?i) */
	struct err *err;
};

/* Sets err: what is wrong, and the part from `from` to in->i. Returns -1. */
int re2_error(struct re2_in *in, const char *what, size_t from);
void re2_put_rune(struct buf *out, ucs4_t c);
/* An escape that stands for one character; in->i is at the backslash. */
int re2_read_escape(struct re2_in *in, ucs4_t *ret);
/* \d \s \w \pN and their opposites at in->i: 1, and what stands between [ and ] for it is put out;
 * 0: it is none. */
int re2_put_escaped_class(struct re2_in *in);
/* [...]; in->i is at the bracket. */
int re2_put_class(struct re2_in *in);

#endif
