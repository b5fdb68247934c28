/* The parser's inside, shared by parse*.c and json.c.
 *
 * A function that reads an expression returns NULL when it met a mistake and reported it. Whoever
 * can tell where reading may go on does so (the next element, the end of a template's sequence, the
 * next item of a body) and puts an unknown value where the broken expression was; the others pass
 * the NULL on.
 */
#ifndef INGOT_LANG_HCL_PARSE_H
#define INGOT_LANG_HCL_PARSE_H

#include "base/vec.h"
#include "lang/hcl/hcl.h"
#include "lang/hcl/token.h"

/* Operators, or steps of a traversal, in a row: trees are that deep on their left. */
#define CHAIN_MAX 2000
/* Tokens that may be read again, for each that there is. */
#define AGAIN_MAX 16

struct template_part; /* parse_template.c */

struct parser {
	struct arena *arena;
	struct source *src;
	struct diags *diags;
	struct str text; /* what the tokens' offsets are of: the source's, or a JSON string's */
	/* Where in the source each byte of a JSON string is; NULL: at base + its offset. */
	const uint32_t *places;
	uint32_t base;
	bool check;	     /* for mistakes alone: no tree is kept, and its names are borrowed */
	struct hcl_token *v; /* without comments: those that end a line are HCL_T_NEWLINE */
	size_t n, pos;
	size_t all;	 /* tokens there were, comments counted */
	size_t again;	 /* tokens that were read again behind mistakes */
	bool newlines;	 /* they count: in bodies and objects, not in other brackets */
	unsigned depth;
	size_t last_bad; /* token of the last report, for none is blamed twice; SIZE_MAX: none */
	uint32_t *match; /* partner of each bracket, 0: none; made at the first mistake */
	VEC(struct hcl_expr *) exprs; /* stacks of what open brackets have so far */
	VEC(struct hcl_pair) pairs;
	VEC(struct template_part) parts;
	VEC(struct hcl_token) comments; /* for a check: those taken out */
};

/* Of *p only `check` may be set before. */
void parser_init(struct parser *p, struct arena *a, struct source *src, struct str text,
		 struct diags *d, enum hcl_lex_mode mode);
void parser_release(struct parser *p);
DEFINE_AUTO(parser, struct parser, parser_release);

/* The next token's index; that of the end stays. */
static inline size_t parser_next(const struct parser *p)
{
	size_t i = p->pos;

	if (!p->newlines)
		while (p->v[i].kind == HCL_T_NEWLINE)
			i++;
	return i;
}
static inline enum hcl_token_kind parser_peek(const struct parser *p)
{
	return p->v[parser_next(p)].kind;
}
/* Takes the next token and returns its index. */
static inline size_t parser_take(struct parser *p)
{
	size_t i = parser_next(p);

	p->pos = i + (i + 1 < p->n);
	return i;
}
static inline bool parser_accept(struct parser *p, enum hcl_token_kind kind)
{
	if (parser_peek(p) != kind)
		return false;
	parser_take(p);
	return true;
}
static inline struct str parser_text(const struct parser *p, size_t i)
{
	return str_slice(p->text, p->v[i].from, p->v[i].to);
}
static inline bool parser_is_word(const struct parser *p, size_t i, const char *word)
{
	return p->v[i].kind == HCL_T_IDENT && str_eqs(parser_text(p, i), word);
}
struct str parser_name(struct parser *p, size_t i); /* kept */
/* Text of the source for the tree: a copy, if there is to be one. */
struct str parser_keep(struct parser *p, struct str s);
/* Of tokens, both included; of bytes of the text. */
struct span parser_span(const struct parser *p, size_t from, size_t to);
struct span parser_bytes(const struct parser *p, uint32_t from, uint32_t to);
bool parser_opens(const struct parser *p, size_t i);
/* The partner of a bracket, or 0. */
size_t parser_match(struct parser *p, size_t open);
/* Goes to the token i, behind a mistake. False, and to the end, once too much was read again: what
 * follows a bracket that is not closed may be read twice, which doubles the work with each one. */
bool parser_resume(struct parser *p, size_t i);
bool parser_gave_up(const struct parser *p);

/* Reports that at token i `wanted` belongs; what stands there is named, and what is no HCL at all
 * is explained. `why` may be NULL. Always NULL. */
struct hcl_expr *parser_unexpected(struct parser *p, size_t i, const char *wanted, const char *why);
/* The same inside of a bracket, with the line where that was opened: `what` is "The list". */
struct hcl_expr *parser_unexpected_inside(struct parser *p, size_t open, const char *what, size_t i,
					  const char *wanted);
/* Any other mistake at token i, or at a span; NULL too. */
struct hcl_expr *parser_fail(struct parser *p, size_t i, const char *summary, const char *detail);
struct hcl_expr *parser_fail_at(struct parser *p, struct span span, size_t i, const char *summary,
				const char *detail);
/* One level deeper; false, and a report, if that is too deep. parser_up() in either case. */
bool parser_down(struct parser *p, size_t i);
static inline void parser_up(struct parser *p)
{
	p->depth--;
}

struct hcl_expr *expr_new(struct parser *p, enum hcl_kind kind, struct span span);
struct hcl_expr *expr_unknown(struct parser *p, struct span span); /* for what could not be read */
struct span span_join(struct span a, struct span b);

struct hcl_expr *parse_expr(struct parser *p);
/* What the bracket at token `open`, just taken, begins: a list, an object, a for; or a parenthesis;
 * or the call of the name at token `first`. */
struct hcl_expr *parse_bracketed(struct parser *p, size_t open);
struct hcl_expr *parse_paren(struct parser *p, size_t open);
struct hcl_expr *parse_call(struct parser *p, size_t first);
/* The names, "in" and collection of a for, after that word. */
bool parse_for_head(struct parser *p, struct hcl_expr *x);
/* The quoted text or heredoc whose opening token is next. */
struct hcl_expr *parse_quoted(struct parser *p);
/* A bare template, to the end of the tokens. */
struct hcl_expr *parse_bare_template(struct parser *p);
/* Quoted text without sequences: labels. False if it is not. */
bool parse_plain_text(struct parser *p, struct str *ret);

#endif
