/* Values as YAML text, laid out as yamlencode of the reference does it. */
#ifndef INGOT_LANG_EXPR_FUNCTIONS_YAML_WRITE_H
#define INGOT_LANG_EXPR_FUNCTIONS_YAML_WRITE_H

#include "base/buf.h"
#include "lang/expr/value.h"

/* v must be known all through. */
void yaml_write(struct buf *out, struct value v);

#endif
