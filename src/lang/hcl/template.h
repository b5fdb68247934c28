/* A template's parts in a row, between its reading (parse_template.c) and its tree
 * (template_tree.c). */
#ifndef INGOT_LANG_HCL_TEMPLATE_H
#define INGOT_LANG_HCL_TEMPLATE_H

#include "lang/hcl/parse.h"

enum part_kind { PART_TEXT, PART_VALUE, PART_IF, PART_ELSE, PART_ENDIF, PART_FOR, PART_ENDFOR };

struct template_part {
	enum part_kind kind;
	struct span span;
	size_t token;
	struct str text;       /* TEXT */
	struct hcl_expr *expr; /* VALUE; IF: the condition; FOR: the unfinished loop */
};

/* The parts from p->parts.v[base] on as one expression: %{if} and %{for} with what they enclose.
 * `text`: literals alone are plain text, which heredocs are not. NULL after a mistake. */
struct hcl_expr *template_tree(struct parser *p, size_t base, bool text, struct span span);

#endif
