/* The reference of functions, printed from their rows. */
#ifndef INGOT_LANG_EXPR_FUNCTIONS_DOCS_H
#define INGOT_LANG_EXPR_FUNCTIONS_DOCS_H

#include "base/buf.h"
#include "lang/expr/func.h"

/* "slice(list, start_index, end_index)"; a parameter that may come any number of times ends with
 * "...". */
void func_write_signature(const struct func *f, struct buf *out);
/* Markdown below a heading that the caller wrote: signature, what the function does, the types of
 * its parameters and its result, examples. */
void func_write_markdown(const struct func *f, struct buf *out);
/* All groups as one page. */
void func_write_page(const struct func_group *const *groups, struct buf *out);

#endif
