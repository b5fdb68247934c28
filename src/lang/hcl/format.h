/* The canonical layout of HCL source, byte for byte that of the reference. */
#ifndef INGOT_LANG_HCL_FORMAT_H
#define INGOT_LANG_HCL_FORMAT_H

#include "base/buf.h"
#include "base/str.h"

/* Any text can be laid out; whoever must not touch broken files parses them first. Linear time. */
void hcl_format(struct str text, struct buf *out);

#endif
