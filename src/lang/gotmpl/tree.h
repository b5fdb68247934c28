/* Inside the {{ }} engine: items of the lexer, nodes of the tree, the built-in functions. */
#ifndef INGOT_LANG_GOTMPL_TREE_H
#define INGOT_LANG_GOTMPL_TREE_H

#include "lang/gotmpl/gotmpl.h"

#define GOTMPL_DEPTH_MAX 200		      /* nesting of actions, parentheses, templates */
#define GOTMPL_OUTPUT_MAX ((size_t)16 << 20)  /* bytes a rendering, or one function, may give */
#define GOTMPL_MEMORY_MAX ((size_t)256 << 20) /* bytes the values of a rendering may take */
#define GOTMPL_STEPS_MAX 10000000	      /* nodes a rendering may visit: so all ranges end */

enum item_kind {
	ITEM_EOF,
	ITEM_TEXT,
	ITEM_LEFT,  /* {{ */
	ITEM_RIGHT, /* }} */
	ITEM_SPACE,
	ITEM_IDENT, /* function or keyword; true, false, nil too */
	ITEM_FIELD, /* .Name */
	ITEM_DOT,
	ITEM_VAR,    /* $name or $ */
	ITEM_STRING, /* value: unquoted */
	ITEM_CHAR,   /* value: its code point */
	ITEM_NUMBER,
	ITEM_PIPE,
	ITEM_DECLARE, /* := */
	ITEM_ASSIGN,  /* = */
	ITEM_COMMA,
	ITEM_OPEN,
	ITEM_CLOSE,
};

struct item {
	enum item_kind kind;
	uint32_t pos;
	struct str text;    /* as written; text of ITEM_TEXT is trimmed already */
	struct value value; /* constants */
};

struct lexer {
	struct arena *arena;
	struct str text;
	size_t pos;
	bool inside;	/* an action */
	bool trim_left; /* the action that just ended had " -}}" */
	size_t parens;
};
/* The next item. Errors: ERR_INVALID with the offset in os. */
int lex_next(struct lexer *l, struct item *ret, struct err *err);

enum node_kind {
	NODE_TEXT,
	NODE_ACTION,
	NODE_IF,
	NODE_WITH,
	NODE_RANGE,
	NODE_TEMPLATE,
	NODE_BREAK,
	NODE_CONTINUE,
	/* operands */
	NODE_DOT,
	NODE_NIL,
	NODE_CONST,
	NODE_FIELD, /* .A.B */
	NODE_VAR,   /* $x.A.B */
	NODE_FUNC,  /* name */
	NODE_CHAIN, /* (pipe).A.B */
	NODE_PIPE,
};

struct node;
struct node_list {
	struct node **v;
	size_t n;
};

struct command { /* one part of a pipeline: an operand and its arguments */
	struct node **args;
	size_t n;
};

struct node {
	enum node_kind kind;
	uint32_t pos;
	struct str text;    /* TEXT; name of FUNC, VAR, TEMPLATE */
	struct value value; /* CONST */
	struct str *fields; /* FIELD, VAR, CHAIN */
	size_t nfields;
	struct node *pipe; /* ACTION, IF, WITH, RANGE, TEMPLATE (may be NULL), CHAIN */
	struct node_list body, otherwise; /* IF, WITH, RANGE */
	/* PIPE */
	struct str vars[2]; /* $i, $e */
	size_t nvars;
	bool assigns; /* = instead of := */
	struct command *commands;
	size_t ncommands;
};

struct define { /* {{define "name"}} … {{end}} */
	struct str name;
	struct node_list body;
};

struct gotmpl {
	struct node_list body;
	struct define *defines;
	size_t ndefines;
	const struct node **funcs; /* every NODE_FUNC, for gotmpl_check */
	size_t nfuncs;
};

extern const struct gotmpl_func gotmpl_builtins[];
extern const size_t ngotmpl_builtins;
bool gotmpl_is_true(struct value v);
/* The attributes sorted by key: a map of Go is ranged over and printed in that order. */
const struct value_attr **gotmpl_sorted_attrs(struct arena *a, struct value v);
const char *gotmpl_go_type(struct value v); /* "int", "map[string]interface {}" */
/* fmt.Sprintf over values; what does not fit is shown as Go shows it (%!d(string=a)). */
void gotmpl_printf(struct buf *out, struct str format, const struct value *args, size_t n,
		   struct arena *scratch);

/* Sets err with the place; always -1. */
int gotmpl_error(struct err *err, uint32_t pos, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
