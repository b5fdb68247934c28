/* The parser's ground: tokens, spans, brackets and their partners, reports, the entry points. */
#include "lang/hcl/parse.h"

#include "lang/hcl/body.h"

#include <unictype.h>
#include <unistr.h>

#define MATCH_LOOK_MAX 64 /* brackets that a closing one may skip as not closed */

/* Comments are gone after this; a comment that ends its line leaves the line's end. */
static void take_comments(struct parser *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct hcl_token t = p->v[i];

		if (t.kind == HCL_T_COMMENT) {
			if (p->check)
				vec_push(&p->comments, t);
			if (p->text.p[t.to - 1] != '\n')
				continue;
			t.kind = HCL_T_NEWLINE;
		}
		p->v[kept++] = t;
	}
	p->n = kept;
}

/* And back in their places, the last one first. */
static void return_comments(struct parser *p)
{
	size_t kept = p->n, to = p->all;

	while (p->comments.n) {
		struct hcl_token comment = vec_pop(&p->comments);

		while (kept && p->v[kept - 1].from >= comment.to)
			p->v[--to] = p->v[--kept];
		kept -= kept && p->v[kept - 1].from == comment.from;
		p->v[--to] = comment;
	}
	p->n = p->all;
}

void parser_init(struct parser *p, struct arena *a, struct source *src, struct str text,
		 struct diags *d, enum hcl_lex_mode mode)
{
	struct hcl_tokens t = hcl_lex(a, text, mode);

	*p = (struct parser){ .arena = a,
			      .src = src,
			      .diags = d,
			      .text = text,
			      .check = p->check,
			      .v = t.v,
			      .n = t.n,
			      .all = t.n,
			      .last_bad = SIZE_MAX };
	take_comments(p);
}

void parser_release(struct parser *p)
{
	vec_release(&p->exprs);
	vec_release(&p->pairs);
	vec_release(&p->parts);
	vec_release(&p->comments);
}

struct str parser_keep(struct parser *p, struct str s)
{
	return p->check ? s : arena_str(p->arena, s);
}

struct str parser_name(struct parser *p, size_t i)
{
	return parser_keep(p, parser_text(p, i));
}

struct span parser_bytes(const struct parser *p, uint32_t from, uint32_t to)
{
	if (p->places)
		return (struct span){ p->src, p->places[from], p->places[to] };
	return (struct span){ p->src, p->base + from, p->base + to };
}

struct span parser_span(const struct parser *p, size_t from, size_t to)
{
	return parser_bytes(p, p->v[from].from, p->v[to].to);
}

struct span span_join(struct span a, struct span b)
{
	return (struct span){ a.src, MIN(a.from, b.from), MAX(a.to, b.to) };
}

struct hcl_expr *expr_new(struct parser *p, enum hcl_kind kind, struct span span)
{
	struct hcl_expr *x = arena_new_obj(p->arena, struct hcl_expr);

	x->kind = kind;
	x->span = span;
	return x;
}

struct hcl_expr *expr_unknown(struct parser *p, struct span span)
{
	struct hcl_expr *x = expr_new(p, HCL_LITERAL, span);

	x->value = value_unknown(span);
	return x;
}

/* Brackets. A closing one belongs to the nearest open one of its kind; those between were never
 * closed. It looks no further than the text or sequence it stands in, a ']' or ')' no further than
 * the block. */

static enum hcl_token_kind partner(enum hcl_token_kind close)
{
	switch (close) {
	case HCL_T_CBRACE:
		return HCL_T_OBRACE;
	case HCL_T_CBRACK:
		return HCL_T_OBRACK;
	case HCL_T_CPAREN:
		return HCL_T_OPAREN;
	case HCL_T_CQUOTE:
		return HCL_T_OQUOTE;
	case HCL_T_CHEREDOC:
		return HCL_T_OHEREDOC;
	case HCL_T_TEMPLATE_END:
		return HCL_T_TEMPLATE_INTERP;
	default:
		return HCL_T_EOF;
	}
}

bool parser_opens(const struct parser *p, size_t i)
{
	enum hcl_token_kind kind = p->v[i].kind;

	return kind == HCL_T_OBRACE || kind == HCL_T_OBRACK || kind == HCL_T_OPAREN ||
	       kind == HCL_T_OQUOTE || kind == HCL_T_OHEREDOC || kind == HCL_T_TEMPLATE_INTERP ||
	       kind == HCL_T_TEMPLATE_CONTROL;
}

static bool is_bracket(enum hcl_token_kind close)
{
	return close == HCL_T_CBRACE || close == HCL_T_CBRACK || close == HCL_T_CPAREN;
}

static bool is_bracket_open(enum hcl_token_kind open)
{
	return open == HCL_T_OBRACE || open == HCL_T_OBRACK || open == HCL_T_OPAREN;
}

static bool opens_block(const struct parser *p, size_t i)
{
	return p->v[i].kind == HCL_T_OBRACE && i &&
	       (p->v[i - 1].kind == HCL_T_IDENT || p->v[i - 1].kind == HCL_T_CQUOTE);
}

static void find_matches(struct parser *p)
{
	VEC(uint32_t) open = VEC_INIT;

	p->match = arena_new_array(p->arena, uint32_t, p->n);
	for (size_t i = 0; i < p->n; i++) {
		enum hcl_token_kind kind = p->v[i].kind, want = partner(kind);

		if (parser_opens(p, i)) {
			vec_push(&open, (uint32_t)i);
			continue;
		}
		if (kind == HCL_T_INVALID && p->v[i].from == p->v[i].to)
			want = HCL_T_OQUOTE;
		for (size_t k = open.n; want != HCL_T_EOF && k > 0 && open.n - k < MATCH_LOOK_MAX;
		     k--) {
			enum hcl_token_kind had = p->v[open.v[k - 1]].kind;

			if (had == want ||
			    (want == HCL_T_TEMPLATE_INTERP && had == HCL_T_TEMPLATE_CONTROL)) {
				p->match[open.v[k - 1]] = (uint32_t)i;
				open.n = k - 1;
				break;
			}
			if (is_bracket(kind) &&
			    (!is_bracket_open(had) ||
			     (kind != HCL_T_CBRACE && opens_block(p, open.v[k - 1]))))
				break;
		}
	}
	vec_release(&open);
}

size_t parser_match(struct parser *p, size_t open)
{
	if (!p->match)
		find_matches(p);
	return p->match[open];
}

bool parser_gave_up(const struct parser *p)
{
	return p->again > AGAIN_MAX * p->n;
}

bool parser_resume(struct parser *p, size_t i)
{
	bool again = parser_gave_up(p);

	if (i < p->pos)
		p->again += p->pos - i;
	if (!parser_gave_up(p)) {
		p->pos = i;
		return true;
	}
	if (!again)
		parser_fail(p, i, "From here on it is not read",
			    "Too many mistakes stand in one another: correct the others first.");
	p->pos = p->n - 1;
	return false;
}

/* Reports. */

struct hcl_expr *parser_fail_at(struct parser *p, struct span span, size_t i, const char *summary,
				const char *detail)
{
	if (p->last_bad != i) {
		p->last_bad = i;
		diag_error(p->diags, span, "%s", summary)->detail = detail;
	}
	return NULL;
}

struct hcl_expr *parser_fail(struct parser *p, size_t i, const char *summary, const char *detail)
{
	return parser_fail_at(p, parser_span(p, i, i), i, summary, detail);
}

/* What HCL has not, where other languages do. */
static const struct {
	const char *text, *summary, *detail;
} strangers[] = {
	{ "'", "HCL has no single quotes", "Write strings in double quotes: \"…\"." },
	{ "`", "HCL has no backquotes",
	  "Write strings in double quotes, and strings of several lines as a heredoc (<<EOT)." },
	{ ";", "';' does not end anything in HCL",
	  "Arguments end with their line; elements of lists and objects with a comma." },
	{ "&", "HCL has no operator '&'", "\"And\" is written &&." },
	{ "|", "HCL has no operator '|'", "\"Or\" is written ||." },
	{ "^", "HCL has no operator '^'", "Powers are computed by pow(base, exponent)." },
	{ "~", "HCL has no operator '~'",
	  "\"Not\" is written !. In templates ~ stands directly inside the braces: ${~ … ~}." },
	{ "\xe2\x80\x9c", "HCL has no typographic quotes",
	  "Replace it with a plain double quote: \"." },
	{ "\xe2\x80\x9d", "HCL has no typographic quotes",
	  "Replace it with a plain double quote: \"." },
	{ "\r", "A carriage return without a line feed",
	  "Lines end with \\n or \\r\\n: save the file with such line endings." },
};

/* Spaces of another kind, and marks that only steer the display. */
static bool is_invisible(struct str s, unsigned *ret)
{
	ucs4_t cp;

	if (u8_mbtoucr(&cp, (const uint8_t *)s.p, s.n) <= 0)
		return false;
	*ret = cp;
	return uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_Z | UC_CATEGORY_MASK_C);
}

static bool stranger(struct parser *p, size_t i)
{
	struct str s = parser_text(p, i);
	unsigned cp;

	for (size_t k = 0; k < ARRAY_LEN(strangers); k++)
		if (str_eqs(s, strangers[k].text)) {
			parser_fail(p, i, strangers[k].summary, strangers[k].detail);
			return true;
		}
	if (p->v[i].kind != HCL_T_INVALID)
		return false;
	if (!s.n)
		parser_fail(p, i, "The quoted text before is not closed on its line", NULL);
	else if (utf8_invalid_at(s) >= 0)
		parser_fail(p, i,
			    arena_printf(p->arena, "The byte 0x%02x is not UTF-8", (uint8_t)s.p[0]),
			    "HCL files are UTF-8: save the file in that encoding.");
	else if ((uint8_t)s.p[0] < 0x20 || s.p[0] == 0x7f)
		parser_fail(p, i,
			    arena_printf(p->arena, "The control byte 0x%02x stands outside of text",
					 s.p[0]),
			    NULL);
	else if (is_invisible(s, &cp))
		parser_fail(p, i,
			    arena_printf(p->arena,
					 "The invisible character U+%04X stands outside of text",
					 cp),
			    "Replace it with a plain space, or delete it.");
	else
		parser_fail(p, i,
			    arena_printf(p->arena, "'" STR_FMT "' has no meaning in HCL",
					 STR_ARG(s)),
			    "It may stand in quoted text and in comments only.");
	return true;
}

static const char *name_of(struct parser *p, size_t i)
{
	struct str s = parser_text(p, i);

	switch (p->v[i].kind) {
	case HCL_T_EOF:
		return p->places || p->base ? "the end of the text" : "the end of the file";
	case HCL_T_NEWLINE:
		return "the end of the line";
	case HCL_T_IDENT:
		return arena_printf(p->arena, "the name \"" STR_FMT "\"", (int)MIN(s.n, (size_t)60),
				    s.p);
	case HCL_T_NUMBER:
		return arena_printf(p->arena, "the number " STR_FMT, (int)MIN(s.n, (size_t)60),
				    s.p);
	case HCL_T_OQUOTE:
		return "quoted text";
	case HCL_T_CQUOTE:
		return "the closing quote";
	case HCL_T_OHEREDOC:
		return "a heredoc";
	case HCL_T_TEMPLATE_END:
		return "the end of the sequence, '}'";
	default:
		return arena_printf(p->arena, "'" STR_FMT "'", STR_ARG(s));
	}
}

struct hcl_expr *parser_unexpected(struct parser *p, size_t i, const char *wanted, const char *why)
{
	if (p->v[i].kind == HCL_T_SLASH && p->v[i + 1].kind == HCL_T_STAR &&
	    p->v[i].to == p->v[i + 1].from)
		return parser_fail_at(p, parser_span(p, i, i + 1), i,
				      "This comment is never closed", "*/ ends it.");
	if (p->v[i].kind == HCL_T_INVALID && stranger(p, i))
		return NULL;
	return parser_fail(p, i,
			   arena_printf(p->arena, "Expected %s, found %s", wanted, name_of(p, i)),
			   why);
}

struct hcl_expr *parser_unexpected_inside(struct parser *p, size_t open, const char *what, size_t i,
					  const char *wanted)
{
	struct span from = parser_span(p, open, open);
	const char *hint = NULL;
	size_t n = p->diags->n;

	if (!parser_match(p, open))
		hint = arena_printf(p->arena, "%s that begins on line %u is never closed.", what,
				    source_position(p->src, from.from).line);
	parser_unexpected(p, i, wanted, hint);
	if (p->diags->n > n)
		p->diags->v[n].context = from;
	return NULL;
}

bool parser_down(struct parser *p, size_t i)
{
	if (p->depth++ < HCL_DEPTH_MAX)
		return true;
	parser_fail(p, i, arena_printf(p->arena, "Nested deeper than %d levels", HCL_DEPTH_MAX),
		    "Give the inner part a name of its own, in locals.");
	return false;
}

/* Entry points. */

static bool too_large(struct source *src, struct diags *d)
{
	if (src->text.n <= HCL_SIZE_MAX)
		return false;
	diag_error(d, (struct span){ 0 }, "%s is larger than %zu MiB", src->name,
		   HCL_SIZE_MAX >> 20);
	return true;
}

/* The outermost blocks, for messages. */
static void name_parts(struct arena *a, struct source *src, const struct hcl_body *body)
{
	struct source_part *parts = arena_new_array(a, struct source_part, body->nblocks);

	for (size_t i = 0; i < body->nblocks; i++) {
		const struct hcl_block *block = &body->blocks[i];

		parts[i] = (struct source_part){ block->span.from, block->body->span.to,
						 hcl_block_title(a, block) };
	}
	src->parts = parts;
	src->nparts = body->nblocks;
}

const char *hcl_block_title(struct arena *a, const struct hcl_block *block)
{
	AUTO(buf) struct buf b = BUF_INIT;

	buf_add_str(&b, block->type);
	for (size_t i = 0; i < block->nlabels; i++)
		buf_printf(&b, " \"" STR_FMT "\"", STR_ARG(block->labels[i].text));
	return arena_strdup(a, buf_cstr(&b));
}

int hcl_parse(struct arena *a, struct source *src, struct diags *d, struct hcl_body **ret)
{
	AUTO(parser) struct parser p = { 0 };
	size_t before = d->errors;

	if (too_large(src, d)) {
		*ret = arena_new_obj(a, struct hcl_body);
		return -1;
	}
	parser_init(&p, a, src, src->text, d, HCL_LEX_CONFIG);
	*ret = parse_file_body(&p);
	name_parts(a, src, *ret);
	return d->errors > before ? -1 : 0;
}

int hcl_check(struct arena *a, struct source *src, struct diags *d, struct hcl_tokens *ret)
{
	AUTO(parser) struct parser p = { .check = true };
	size_t before = d->errors;

	*ret = (struct hcl_tokens){ 0 };
	if (too_large(src, d))
		return -1;
	parser_init(&p, a, src, src->text, d, HCL_LEX_CONFIG);
	parse_file_body(&p);
	if (d->errors > before)
		return -1;
	return_comments(&p);
	*ret = (struct hcl_tokens){ p.v, p.n };
	return 0;
}

int hcl_parse_expr(struct arena *a, struct source *src, struct diags *d, struct hcl_expr **ret)
{
	AUTO(parser) struct parser p = { 0 };
	size_t before = d->errors;

	*ret = NULL;
	if (too_large(src, d))
		return -1;
	parser_init(&p, a, src, src->text, d, HCL_LEX_EXPR);
	*ret = parse_expr(&p);
	if (*ret && parser_peek(&p) != HCL_T_EOF)
		parser_unexpected(&p, parser_next(&p), "nothing more after the expression", NULL);
	if (d->errors == before)
		return 0;
	*ret = NULL;
	return -1;
}

int hcl_parse_template(struct arena *a, struct source *src, struct diags *d, struct hcl_expr **ret)
{
	AUTO(parser) struct parser p = { 0 };
	size_t before = d->errors;

	*ret = NULL;
	if (too_large(src, d))
		return -1;
	parser_init(&p, a, src, src->text, d, HCL_LEX_TEMPLATE);
	*ret = parse_bare_template(&p);
	if (d->errors == before)
		return 0;
	*ret = NULL;
	return -1;
}
