/* Tokens of HCL's native syntax: what the parser and the formatter read. Every byte of the source
 * is in a token or in the white space between two, so that the text can be put together again. */
#ifndef INGOT_LANG_HCL_TOKEN_H
#define INGOT_LANG_HCL_TOKEN_H

#include "base/arena.h"
#include "base/diag.h"

enum hcl_token_kind {
	HCL_T_EOF,
	HCL_T_NEWLINE,
	HCL_T_COMMENT, /* # and // with their newline, block comments without */
	HCL_T_IDENT,
	HCL_T_NUMBER,
	/* Text: quotes, the opening line of a heredoc with its newline, its closing marker. */
	HCL_T_OQUOTE,
	HCL_T_CQUOTE,
	HCL_T_OHEREDOC,
	HCL_T_CHEREDOC,
	HCL_T_QUOTED_LIT, /* between quotes, escapes as written */
	HCL_T_STRING_LIT, /* in heredocs and templates */
	HCL_T_TEMPLATE_INTERP,	/* ${ or ${~ */
	HCL_T_TEMPLATE_CONTROL, /* %{ or %{~ */
	HCL_T_TEMPLATE_END,	/* } or ~} */
	/* Brackets and punctuation. */
	HCL_T_OBRACE,
	HCL_T_CBRACE,
	HCL_T_OBRACK,
	HCL_T_CBRACK,
	HCL_T_OPAREN,
	HCL_T_CPAREN,
	HCL_T_EQUAL,
	HCL_T_COMMA,
	HCL_T_DOT,
	HCL_T_ELLIPSIS,
	HCL_T_COLON,
	HCL_T_DOUBLE_COLON,
	HCL_T_FAT_ARROW,
	HCL_T_QUESTION,
	/* Operators. */
	HCL_T_PLUS,
	HCL_T_MINUS,
	HCL_T_STAR,
	HCL_T_SLASH,
	HCL_T_PERCENT,
	HCL_T_EQ,
	HCL_T_NE,
	HCL_T_LT,
	HCL_T_LE,
	HCL_T_GT,
	HCL_T_GE,
	HCL_T_AND,
	HCL_T_OR,
	HCL_T_BANG,
	HCL_T_INVALID, /* what HCL has not (& | ^ ~ ; ' `, bad UTF-8); empty: an end by force */
};

struct hcl_token {
	enum hcl_token_kind kind;
	uint32_t from, to; /* bytes of the source */
};

enum hcl_lex_mode { HCL_LEX_CONFIG, HCL_LEX_EXPR, HCL_LEX_TEMPLATE };

struct hcl_tokens {
	struct hcl_token *v; /* the last one is HCL_T_EOF */
	size_t n;
};
/* Never fails: what is wrong becomes HCL_T_INVALID, for the parser to name. Brackets nested deeper
 * than the parser's limit are still only tokens. */
struct hcl_tokens hcl_lex(struct arena *a, struct str text, enum hcl_lex_mode mode);

#endif
