/* Values as text: HCL that reads back (the tests' round trips), what console and inspect show, and
 * JSON as jsonencode writes it. */
#ifndef INGOT_LANG_EXPR_PRINT_H
#define INGOT_LANG_EXPR_PRINT_H

#include "base/buf.h"
#include "base/err.h"
#include "lang/expr/value.h"

/* HCL source text that reads back as the value, an element a line (two spaces a level, a comma
 * after each of a list). Unknown is `<unknown>`, sensitive `<sensitive>`. */
void value_write_hcl(struct buf *out, struct value v);
/* What a string has to look like between double quotes: escapes, and $${ and %%{. */
void hcl_write_quoted(struct buf *out, struct str s);
/* As console and inspect show values, byte for byte the reference's: `<unknown>` if anything in it
 * is unknown, strings alone without quotes. What is sensitive is `<sensitive>`. `hide` (may be
 * NULL) is asked for every string: it writes the string without the secrets in it, or returns false
 * where it finds none. */
struct value_hide {
	bool (*text)(void *data, struct str text, struct buf *out);
	void *data;
};
void value_write_shown(struct buf *out, struct value v, const struct value_hide *hide);
/* One line for diagnostics: `"a"`, `5`, `list of string with 3 elements`, `(sensitive value)`. */
struct str value_brief(struct arena *a, struct value v);
/* As jsonencode: sorted keys, Go's escapes. -1 where JSON has no such value (infinity, unknown). */
int value_write_jsonencode(struct buf *out, struct value v, struct err *err);

#endif
