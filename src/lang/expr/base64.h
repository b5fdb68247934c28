/* Base64 as the functions of templates read it. */
#ifndef INGOT_LANG_EXPR_BASE64_H
#define INGOT_LANG_EXPR_BASE64_H

#include "base/buf.h"
#include "base/str.h"

/* Appends the bytes; -1 with the offset of the first byte that does not belong there. CR and LF are
 * skipped, the padding has to be there. */
int base64_decode(struct str text, struct buf *out, size_t *ret_bad);

#endif
