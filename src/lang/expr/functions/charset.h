/* Character sets by their IANA names. */
#ifndef INGOT_LANG_EXPR_FUNCTIONS_CHARSET_H
#define INGOT_LANG_EXPR_FUNCTIONS_CHARSET_H

#include "base/buf.h"
#include "base/str.h"

struct charset;

/* By name or alias, case folded; NULL: none that is known here. */
const struct charset *charset_find(struct str name);
const char *charset_name(const struct charset *cs);
/* Appends s (UTF-8) in the set's bytes, or the UTF-8 of such bytes. -1 with errno: EILSEQ where
 * something cannot be represented, else what keeps the C library from converting. */
int charset_encode(const struct charset *cs, struct str s, struct buf *out);
int charset_decode(const struct charset *cs, struct str s, struct buf *out);

#endif
