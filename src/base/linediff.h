/* The difference of two texts, line by line, as `diff -u` shows it. */
#ifndef INGOT_BASE_LINEDIFF_H
#define INGOT_BASE_LINEDIFF_H

#include "base/buf.h"
#include "base/str.h"

/* Unified, three lines of context, headed by the labels `--- from` and `+++ to`; nothing where the
 * texts are equal. The smallest difference unless it would take too long: then a correct one that
 * is not the smallest. */
void linediff_unified(struct str from, struct str to, const char *from_label, const char *to_label,
		      struct buf *out);

#endif
