/* JSON text to a value with spans, for templates, variable files and HCL's JSON form.
 *
 *	struct value v;
 *	if (jsontext_parse(a, src, JSONTEXT_COMMENTS, d, &v) < 0) …   the mistake is in d
 *
 * Objects become VALUE_OBJECT (attributes in the order written), arrays VALUE_TUPLE. Strict JSON,
 * but for `//` comments where the caller allows them. A key that stands twice in an object is an
 * error. Bytes of a string that are no UTF-8 become U+FFFD.
 */
#ifndef INGOT_LANG_JSONTEXT_JSONTEXT_H
#define INGOT_LANG_JSONTEXT_JSONTEXT_H

#include "base/arena.h"
#include "base/diag.h"
#include "lang/expr/value.h"

#define JSONTEXT_DEPTH_MAX 500
#define JSONTEXT_SIZE_MAX ((size_t)64 << 20) /* bytes; what readers of files ask os_read_file for */

enum jsontext_flags {
	JSONTEXT_COMMENTS = 1 << 0,   /* // to the line's end is skipped; the first is warned of */
	JSONTEXT_LATER_WINS = 1 << 1, /* keys may stand twice: all are kept, the last one counts */
};

/* 0, or -1 with at least one error in d. A syntax error ends the reading, a duplicate key does not.
 * The place of a syntax error is counted as the reference counts it (facts: diag.at). */
int jsontext_parse(struct arena *a, struct source *src, unsigned flags, struct diags *d,
		   struct value *ret) MUST_USE;

/* False, with errors in d, where keys of an object stand twice. */
bool jsontext_check_keys(const struct value_attr *v, size_t n, struct diags *d);

/* Where in the source the byte at `offset` of a string value stands: its span covers the quoted
 * text with its escapes. Past the end gives the closing quote. */
uint32_t jsontext_string_offset(struct span span, size_t offset);
/* The same for all offsets below n at once. */
void jsontext_string_places(struct span span, uint32_t *ret, size_t n);

#endif
