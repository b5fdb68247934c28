/* Text as Go's fmt and strconv write it: quoted text and the shortest form of a float, which both
 * template languages show. (Facts: the documentation and behaviour of these packages.) */
#ifndef INGOT_LANG_EXPR_GOTEXT_H
#define INGOT_LANG_EXPR_GOTEXT_H

#include "base/buf.h"
#include "base/str.h"

/* unicode.IsPrint */
bool gotext_is_print(uint32_t c);
/* %q of a text, in double quotes. ascii: what is beyond is escaped too. */
void gotext_quote(struct buf *out, struct str s, bool ascii);
/* One character as it stands between such marks. */
void gotext_quote_rune(struct buf *out, uint32_t c, char mark, bool ascii);
/* %g of a finite number: the fewest digits that read back as it, with an exponent (e, or E in
 * `upper`) where that is below -4 or above 5. */
void gotext_float(struct buf *out, double v, bool upper);

#endif
