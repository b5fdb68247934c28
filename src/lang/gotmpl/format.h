/* Go's fmt for one operand: integers, floats and text under a verb and its flags. (Facts: package
 * fmt's documentation and behaviour.) */
#ifndef INGOT_LANG_GOTMPL_FORMAT_H
#define INGOT_LANG_GOTMPL_FORMAT_H

#include "base/buf.h"
#include "lang/expr/value.h"

struct format {
	struct buf *out;
	bool minus, plus, sharp, space, zero;
	bool sharp_v; /* %#v: the flag belongs to the verb */
	bool has_width, has_precision;
	int width, precision;
};

/* All: false where the verb is not for such an operand; nothing is written then. */
bool format_bool(struct format *f, bool v, uint32_t verb);
bool format_int(struct format *f, int64_t v, uint32_t verb);
bool format_float(struct format *f, double v, uint32_t verb);
bool format_text(struct format *f, struct str s, uint32_t verb);
/* Text padded to the width. */
void format_pad(struct format *f, struct str s);

/* A number as Go has it: an int where it is whole and was not written as a float. */
bool gotmpl_as_int(struct value v, int64_t *ret);
/* A constant as templates write it: 10, 0x1f, 1_000, 1.5e3; false if it is none. */
bool gotmpl_number(struct arena *a, struct str text, struct value *ret);

#endif
