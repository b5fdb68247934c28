/* HCL's JSON form: values of JSON text as bodies and expressions. */
#ifndef INGOT_LANG_HCL_JSON_H
#define INGOT_LANG_HCL_JSON_H

#include "lang/hcl/hcl.h"

/* A property's value as an expression; never NULL, with an unknown value where a template in it is
 * wrong. */
struct hcl_expr *json_expr(struct arena *a, struct value v, struct diags *d);
struct hcl_body *json_body(struct arena *a, struct value v);
/* The properties of a body: of the object, or of all objects of an array, in order and without "//"
 * comments (those of `labels` have no comments). `what` says in messages what the objects should
 * hold. */
size_t json_properties(struct arena *a, struct value v, bool labels, const char *what,
		       struct diags *d, const struct value_attr ***ret);

/* What is wrong with a text that cannot be read as JSON: all its mistakes. */
void json_mistakes(struct arena *a, struct source *src, struct diags *d);

#endif
