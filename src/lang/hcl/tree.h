/* Trees of HCL source: bodies with attributes and blocks, and expressions. Made by hcl/hcl.h's
 * parsers (both from native syntax and from the JSON form), constant from then on, in the parser's
 * arena.
 */
#ifndef INGOT_LANG_HCL_TREE_H
#define INGOT_LANG_HCL_TREE_H

#include "base/diag.h"
#include "lang/expr/value.h"

enum hcl_kind {
	HCL_LITERAL,	 /* value: number, bool, null, string without templates */
	HCL_TEMPLATE,	 /* parts: joined as text, or the value of "${…}" alone as it is */
	HCL_VARIABLE,	 /* name: the root of a traversal */
	HCL_ATTR,	 /* target.name */
	HCL_INDEX,	 /* target[key]; legacy target.0 with `legacy` set */
	HCL_SPLAT,	 /* target[*]each, target.*each; each: a traversal from HCL_SPLAT_ITEM on */
	HCL_SPLAT_ITEM,	 /* the item of the innermost splat around */
	HCL_CALL,	 /* name(args…); expand: the last argument has "..." */
	HCL_CONDITIONAL, /* cond ? yes : no; also %{if}, where yes and no are HCL_TEMPLATEs */
	HCL_BINARY,
	HCL_UNARY,
	HCL_PAREN,	 /* (inner) */
	HCL_TUPLE,	 /* [items] */
	HCL_OBJECT,	 /* {pairs} */
	/* [for k, v in coll : value if cond], {for … : key => value… if cond}, %{for} */
	HCL_FOR,
};

enum hcl_op {
	HCL_OP_OR, HCL_OP_AND,
	HCL_OP_EQ, HCL_OP_NE, HCL_OP_LT, HCL_OP_LE, HCL_OP_GT, HCL_OP_GE,
	HCL_OP_ADD, HCL_OP_SUB, HCL_OP_MUL, HCL_OP_DIV, HCL_OP_MOD,
	HCL_OP_NOT, HCL_OP_NEG,
};

struct hcl_pair {
	struct hcl_expr *key, *value;
	bool bare; /* the key is a name alone: a literal string */
};

struct hcl_expr {
	enum hcl_kind kind;
	bool json; /* from the JSON form: its text may stand for an expression (hcl_as_native) */
	struct span span;
	union {
		struct value value;			/* LITERAL */
		struct {
			struct hcl_expr **parts;
			size_t nparts;
			bool wrapped; /* nothing but one "${…}": gives its value, not text */
			struct str heredoc; /* the marker where it was written as one, else empty */
		} tmpl;					/* TEMPLATE */
		struct {
			struct str name;
			struct span name_span;
			struct hcl_expr *target;	/* ATTR; NULL for VARIABLE */
		} ref;					/* VARIABLE, ATTR */
		struct {
			struct hcl_expr *target, *key;
			bool legacy;
		} index;				/* INDEX */
		struct {
			struct hcl_expr *target, *each;
			struct span mark; /* the star */
		} splat;				/* SPLAT */
		struct {
			struct str name;
			struct span name_span;
			struct hcl_expr **args;
			size_t nargs;
			bool expand;
		} call;					/* CALL */
		struct {
			struct hcl_expr *cond, *yes, *no;
		} choice;				/* CONDITIONAL */
		struct {
			enum hcl_op op;
			struct span op_span;
			struct hcl_expr *left, *right;	/* UNARY: right */
		} op;					/* BINARY, UNARY */
		struct {
			struct hcl_expr *inner;
		} wrap;					/* PAREN */
		struct {
			struct hcl_expr **items;
			size_t n;
		} tuple;				/* TUPLE */
		struct {
			struct hcl_pair *pairs;
			size_t n;
		} object;				/* OBJECT */
		struct {
			struct str key_name, value_name; /* key_name empty: not asked for */
			struct hcl_expr *coll, *value;
			struct hcl_expr *key;	/* NULL: it makes no object */
			struct hcl_expr *cond;	/* or NULL */
			bool group;		/* … after the value */
			bool join;		/* %{for}: the results are joined as text */
		} loop;					/* FOR */
	};
};

struct hcl_attr {
	struct str name;
	struct span name_span, span; /* span: from the name to the value's end */
	struct hcl_expr *expr;
};

struct hcl_label {
	struct str text;
	struct span span;
};

struct hcl_body;
struct hcl_block {
	struct str type;
	struct span type_span, span; /* span: the header, type and labels */
	struct hcl_label *labels;
	size_t nlabels;
	struct hcl_body *body;
};

/* A body of native syntax has its items in the order written; one of the JSON form has its object,
 * and hcl_content() makes of it what a schema asks for. */
struct hcl_body {
	struct hcl_attr *attrs;
	size_t nattrs;
	struct hcl_block *blocks;
	size_t nblocks;
	struct span span; /* with its braces; the whole file for the outermost */
	struct span end;  /* the closing brace or the end of the file: what lacks, lacks there */
	bool is_json;
	struct value json; /* object or tuple of objects */
};

#endif
