/* gzip with the very bytes that the reference makes: base64gzip's result is part of what a template
 * means (user data that differs replaces an instance). */
#ifndef INGOT_LANG_EXPR_FUNCTIONS_DEFLATE_H
#define INGOT_LANG_EXPR_FUNCTIONS_DEFLATE_H

#include "base/buf.h"
#include "base/str.h"

/* Appends a gzip file of s: no name, no time, unknown system; its data are flushed once and then
 * ended. */
void deflate_gzip(struct str s, struct buf *out);

#endif
