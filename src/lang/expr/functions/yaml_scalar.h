/* What a YAML scalar means. */
#ifndef INGOT_LANG_EXPR_FUNCTIONS_YAML_SCALAR_H
#define INGOT_LANG_EXPR_FUNCTIONS_YAML_SCALAR_H

#include "base/err.h"
#include "lang/expr/func.h"

/* tag: as libyaml has it ("tag:yaml.org,2002:str"), or NULL. quoted: ' or " stand around it. */
int yaml_scalar(struct func_call *c, const char *tag, struct str s, bool quoted, struct value *ret,
		struct err *err);

#endif
