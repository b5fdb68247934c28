/* HCL2: text to trees (native syntax and the JSON form), and what a schema finds in a body.
 *
 *	struct hcl_body *body;
 *	hcl_parse(a, src, d, &body);		always gives a body: what could be read of it
 *	struct hcl_content c;
 *	hcl_content(a, body, &schema, d, &c);
 *
 * After a mistake the reading goes on at the next line or closing bracket, so that one file shows
 * all its mistakes.
 */
#ifndef INGOT_LANG_HCL_HCL_H
#define INGOT_LANG_HCL_HCL_H

#include "base/arena.h"
#include "base/diag.h"
#include "lang/hcl/token.h"
#include "lang/hcl/tree.h"

#define HCL_DEPTH_MAX 500		/* nesting of brackets, blocks and templates */
#define HCL_SIZE_MAX ((size_t)64 << 20) /* bytes; what readers of files ask os_read_file for */

/* 0, or -1 with errors in d; *ret is made in either case. */
int hcl_parse(struct arena *a, struct source *src, struct diags *d, struct hcl_body **ret);
/* The same without a tree: for the mistakes. On success *ret has the tokens, as
 * hcl_format_tokens takes them. */
int hcl_check(struct arena *a, struct source *src, struct diags *d,
	      struct hcl_tokens *ret) MUST_USE;
/* As hcl_parse. */
int hcl_parse_json(struct arena *a, struct source *src, struct diags *d, struct hcl_body **ret);
/* One expression, which must be all of the source; *ret is NULL on failure. */
int hcl_parse_expr(struct arena *a, struct source *src, struct diags *d,
		   struct hcl_expr **ret) MUST_USE;
/* Text with ${ } and %{ }, without quotes: templatefile. */
int hcl_parse_template(struct arena *a, struct source *src, struct diags *d,
		       struct hcl_expr **ret) MUST_USE;

/* What may stand in a body. */
struct hcl_schema_attr {
	const char *name;
	bool required;
};
struct hcl_schema_block {
	const char *type;
	const char *const *labels; /* what each one is ("type", "name"); NULL-terminated, or NULL */
};
struct hcl_schema {
	const struct hcl_schema_attr *attrs;
	size_t nattrs;
	const struct hcl_schema_block *blocks;
	size_t nblocks;
	bool open; /* other items are somebody else's: no error */
};

struct hcl_content {
	struct hcl_attr *attrs; /* in the order written */
	size_t nattrs;
	struct hcl_block *blocks;
	size_t nblocks;
};
/* Sorts the items of a body by a schema: unknown ones (with "did you mean"), missing and doubled
 * attributes, and wrong numbers of labels are errors in d. 0 or -1; *ret has what was right. */
int hcl_content(struct arena *a, const struct hcl_body *body, const struct hcl_schema *schema,
		struct diags *d, struct hcl_content *ret);
/* Every item an attribute (locals, variables, tags…); blocks are errors. */
int hcl_attributes(struct arena *a, const struct hcl_body *body, struct diags *d,
		   struct hcl_content *ret);
/* NULL if it is not there. */
const struct hcl_attr *hcl_content_attr(const struct hcl_content *c, const char *name);

/* What a block is called in messages: `source "null" "a"`. */
const char *hcl_block_title(struct arena *a, const struct hcl_block *block);

/* An expression for what is not evaluated but read (types, references, keywords): the JSON form
 * writes these as text, "list(string)", which is parsed here; anything else is returned as it is.
 * NULL, with errors in d, if it cannot be parsed. */
const struct hcl_expr *hcl_as_native(struct arena *a, const struct hcl_expr *x, struct diags *d);
/* A text of the JSON form as it stands, with no template made of it; false: x is no such text. */
bool hcl_json_text(struct arena *a, const struct hcl_expr *x, struct str *ret);
/* An expression that was written as one keyword (`type = string`, `on = abort`; "string" in the
 * JSON form): its name, or an empty str. */
struct str hcl_keyword(const struct hcl_expr *x);
/* Calls fn with every traversal of the tree that starts at a name not bound inside it: the
 * outermost expression (var.a.b → HCL_ATTR b), so that dependencies can be read off. */
void hcl_each_reference(const struct hcl_expr *x,
			void (*fn)(void *data, const struct hcl_expr *ref), void *data);
/* The names of a traversal from its root on (constant string keys count: data["a"].b); returns how
 * many were found, at most max. */
size_t hcl_traversal_names(const struct hcl_expr *x, struct str *names, size_t max);

#endif
