/* The canonical layout of HCL source, byte for byte that of the reference. */
#ifndef INGOT_LANG_HCL_FORMAT_H
#define INGOT_LANG_HCL_FORMAT_H

#include "base/buf.h"
#include "base/str.h"
#include "lang/hcl/token.h"

/* Any text can be laid out; whoever must not touch broken files parses them first. Linear time. */
void hcl_format(struct str text, struct buf *out);
/* The same, with the tokens of the text at hand. */
void hcl_format_tokens(struct str text, struct hcl_tokens tokens, struct buf *out);

#endif
