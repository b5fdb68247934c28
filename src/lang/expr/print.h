/* Values as text: HCL (console, inspect, hcl2_upgrade) and JSON as jsonencode writes it. */
#ifndef INGOT_LANG_EXPR_PRINT_H
#define INGOT_LANG_EXPR_PRINT_H

#include "base/buf.h"
#include "base/err.h"
#include "lang/expr/value.h"

/* HCL source text that reads back as the value, laid out as the reference prints values of several lines
 * (two spaces a level, a trailing comma in lists). Unknown is `<unknown>`, sensitive `<sensitive>`. */
void value_write_hcl(struct buf *out, struct value v);
/* What a string has to look like between double quotes: escapes, and $${ and %%{. */
void hcl_write_quoted(struct buf *out, struct str s);
/* One line for diagnostics: `"a"`, `5`, `list of string with 3 elements`, `(sensitive value)`. */
struct str value_brief(struct arena *a, struct value v);
/* As jsonencode: sorted keys, Go's escapes. -1 where JSON has no such value (infinity, unknown). */
int value_write_jsonencode(struct buf *out, struct value v, struct err *err);

#endif
