/* The canonical layout: only white space between tokens changes, so whatever is inside a token
 * (strings, heredocs, comments) stays as it is.
 *
 * Tokens are taken as lines, and a line as three cells: lead, assign (from the equals sign on) and
 * comment. Three passes set how many spaces stand before each token: indentation by brackets,
 * spaces inside a cell, and the column at which the assign and comment cells of neighbouring lines
 * begin. (Rules: the reference's hclwrite.) */
#include "lang/hcl/format.h"

#include "base/arena.h"
#include "base/vec.h"

#include <unigbrk.h>

struct line {
	/* Tokens; an empty cell begins where the next one does. */
	uint32_t from, assign, comment, end;
	uint32_t lead_columns, assign_columns;
};

struct layout {
	struct str text;
	bool plain; /* a column for each byte: ASCII without carriage returns */
	const struct hcl_token *tokens;
	uint32_t *spaces; /* before each token */
	VEC(struct line) lines;
	VEC(int) levels; /* of indentation: how many brackets each has open */
};

static const int8_t brackets[HCL_T_INVALID + 1] = {
	[HCL_T_OBRACE] = 1,	     [HCL_T_OBRACK] = 1,	   [HCL_T_OPAREN] = 1,
	[HCL_T_TEMPLATE_INTERP] = 1, [HCL_T_TEMPLATE_CONTROL] = 1, [HCL_T_CBRACE] = -1,
	[HCL_T_CBRACK] = -1,	     [HCL_T_CPAREN] = -1,	   [HCL_T_TEMPLATE_END] = -1,
};

static inline int bracket(enum hcl_token_kind kind)
{
	return brackets[kind];
}

static struct str token_text(const struct layout *l, size_t i)
{
	return str_slice(l->text, l->tokens[i].from, l->tokens[i].to);
}

static bool ends_line(const struct layout *l, size_t i)
{
	const struct hcl_token *t = &l->tokens[i];

	return t->kind == HCL_T_NEWLINE ||
	       (t->kind == HCL_T_COMMENT && t->to > t->from && l->text.p[t->to - 1] == '\n');
}

/* The equals sign that begins the assign cell, or `to` if there is none whose right side is a whole
 * expression. */
static uint32_t find_assign(const struct layout *l, uint32_t from, uint32_t to)
{
	int open = 0;

	for (uint32_t i = from + 1; i < to; i++) {
		if (l->tokens[i].kind != HCL_T_EQUAL)
			continue;
		for (uint32_t k = i; k < to; k++)
			open += bracket(l->tokens[k].kind);
		return open ? to : i;
	}
	return to;
}

static struct line make_line(const struct layout *l, uint32_t from, uint32_t end)
{
	struct line line = { .from = from, .comment = end, .end = end };

	if (end - from > 1 && l->tokens[end - 1].kind == HCL_T_COMMENT)
		line.comment = end - 1;
	line.assign = find_assign(l, from, line.comment);
	return line;
}

/* How many brackets more a line opens than it closes; what follows the start of a heredoc in lead
 * counts not. */
static int net_brackets(const struct layout *l, const struct line *line)
{
	int net = 0;

	for (uint32_t i = line->from; i < line->assign && l->tokens[i].kind != HCL_T_OHEREDOC; i++)
		net += bracket(l->tokens[i].kind);
	for (uint32_t i = line->assign; i < line->comment; i++)
		net += bracket(l->tokens[i].kind);
	return net;
}

/* Brackets that a line opens together are one level, however many, and end it together. */
static void set_indent(struct layout *l, const struct line *line)
{
	int net;

	if (l->tokens[line->from].kind == HCL_T_NEWLINE) {
		l->spaces[line->from] = 0;
		return;
	}
	net = net_brackets(l, line);
	while (net < 0 && l->levels.n) {
		int *open = &l->levels.v[l->levels.n - 1], left = net + *open;

		if (left > 0)
			*open = left;
		else
			l->levels.n--;
		net = MIN(left, 0);
	}
	l->spaces[line->from] = 2 * (uint32_t)l->levels.n;
	if (net > 0)
		vec_push(&l->levels, net);
}

/* A minus after one of these is a sign, not a subtraction. */
static bool sign_follows(enum hcl_token_kind before)
{
	switch (before) {
	case HCL_T_EOF:
	case HCL_T_OPAREN:
	case HCL_T_OBRACE:
	case HCL_T_OBRACK:
	case HCL_T_EQUAL:
	case HCL_T_COLON:
	case HCL_T_COMMA:
	case HCL_T_QUESTION:
	case HCL_T_PLUS:
	case HCL_T_STAR:
	case HCL_T_SLASH:
	case HCL_T_PERCENT:
	case HCL_T_MINUS:
	case HCL_T_EQ:
	case HCL_T_NE:
	case HCL_T_GT:
	case HCL_T_GE:
	case HCL_T_LT:
	case HCL_T_LE:
	case HCL_T_AND:
	case HCL_T_OR:
	case HCL_T_BANG:
		return true;
	default:
		return false;
	}
}

static bool is_literal(enum hcl_token_kind kind)
{
	return kind == HCL_T_QUOTED_LIT || kind == HCL_T_STRING_LIT;
}

/* Text inside quotes and heredocs is not to be moved. */
static bool inside_text(enum hcl_token_kind x, enum hcl_token_kind after)
{
	return is_literal(x) || is_literal(after) || x == HCL_T_OQUOTE || x == HCL_T_OHEREDOC ||
	       after == HCL_T_CQUOTE || after == HCL_T_CHEREDOC;
}

/* Tokens that cling together whatever stands before them. */
static bool clings(enum hcl_token_kind x, enum hcl_token_kind after)
{
	return after == HCL_T_NEWLINE ||
	       (x == HCL_T_IDENT && (after == HCL_T_OPAREN || after == HCL_T_DOUBLE_COLON)) ||
	       (x == HCL_T_DOUBLE_COLON && after == HCL_T_IDENT) || x == HCL_T_DOT ||
	       after == HCL_T_DOT || after == HCL_T_COMMA || after == HCL_T_ELLIPSIS;
}

/* Whether a space stands between token i and the next of its cell; `before` is the one before i,
 * EOF at the start. */
static bool space_after(const struct layout *l, uint32_t i, enum hcl_token_kind before)
{
	enum hcl_token_kind x = l->tokens[i].kind, after = l->tokens[i + 1].kind;
	bool template_start = x == HCL_T_TEMPLATE_INTERP || x == HCL_T_TEMPLATE_CONTROL;

	if (x == HCL_T_DOT && after == HCL_T_NUMBER && before == HCL_T_NUMBER)
		return true; /* a.1. 2: two indexes, which would become one number */
	if (clings(x, after))
		return false;
	if (x == HCL_T_COMMA)
		return true;
	if (inside_text(x, after))
		return false;
	if (x == HCL_T_IDENT && before == HCL_T_IDENT && str_eqs(token_text(l, i), "in"))
		return true; /* [for x in [a]: x]: a keyword, and no index */
	if (after == HCL_T_OBRACK && (x == HCL_T_IDENT || x == HCL_T_NUMBER || bracket(x) < 0))
		return false;
	if (x == HCL_T_BANG)
		return false;
	if (x == HCL_T_MINUS)
		return !sign_follows(before);
	if (x == HCL_T_OBRACE || after == HCL_T_CBRACE)
		return !(x == HCL_T_OBRACE && after == HCL_T_CBRACE);
	if ((template_start && after == HCL_T_OBRACE) ||
	    (x == HCL_T_CBRACE && after == HCL_T_TEMPLATE_END))
		return true;
	if (x == HCL_T_TEMPLATE_END &&
	    (after == HCL_T_TEMPLATE_INTERP || after == HCL_T_TEMPLATE_CONTROL))
		return false;
	return bracket(x) <= 0 && bracket(after) >= 0;
}

static void space_cell(struct layout *l, uint32_t from, uint32_t to)
{
	enum hcl_token_kind before = HCL_T_EOF;

	for (uint32_t i = from; i + 1 < to; i++) {
		l->spaces[i + 1] = space_after(l, i, before);
		before = l->tokens[i].kind;
	}
}

static bool is_plain(struct str s)
{
	uint8_t all = 0;

	for (size_t i = 0; i < s.n; i++)
		all |= (uint8_t)s.p[i];
	return all < 0x80 && (!s.n || !memchr(s.p, '\r', s.n));
}

/* Grapheme clusters; none reaches over the end of its token. */
static uint32_t count_clusters(struct str s)
{
	auto_free char *breaks = NULL;
	uint32_t n = 0;

	if (is_plain(s))
		return (uint32_t)s.n;
	breaks = xmalloc(s.n);
	u8_grapheme_breaks((const uint8_t *)s.p, s.n, breaks);
	for (size_t i = 0; i < s.n; i++)
		n += breaks[i] != 0;
	return n;
}

static uint32_t count_columns(const struct layout *l, uint32_t from, uint32_t to)
{
	uint32_t n = 0;

	for (uint32_t i = from; i < to; i++)
		n += l->spaces[i] + (l->plain ? l->tokens[i].to - l->tokens[i].from
					      : count_clusters(token_text(l, i)));
	return n;
}

/* What stands before a cell. */
static uint32_t columns_before(const struct layout *l, const struct line *line, bool comments)
{
	return line->lead_columns +
	       (comments ? l->spaces[line->assign] + line->assign_columns : 0);
}

static uint32_t *cell_start(struct layout *l, struct line *line, bool comments)
{
	if (comments)
		return line->comment < line->end ? &l->spaces[line->comment] : NULL;
	return line->assign < line->comment ? &l->spaces[line->assign] : NULL;
}

/* Neighbouring lines that have the cell have it at one column. */
static void align(struct layout *l, bool comments)
{
	for (size_t i = 0; i < l->lines.n; i++) {
		uint32_t widest = 0;
		size_t end = i;

		for (; end < l->lines.n && cell_start(l, &l->lines.v[end], comments); end++) {
			uint32_t columns = columns_before(l, &l->lines.v[end], comments);

			widest = MAX(widest, columns);
		}
		for (; i < end; i++)
			*cell_start(l, &l->lines.v[i], comments) =
				1 + widest - columns_before(l, &l->lines.v[i], comments);
	}
}

static void write_spaces(struct buf *out, uint32_t n)
{
	static const char blank[64] =
		"                                                                ";

	for (; n > sizeof(blank); n -= sizeof(blank))
		buf_add(out, blank, sizeof(blank));
	buf_add(out, blank, n);
}

static bool has_spaces(struct str text, uint32_t from, uint32_t to, uint32_t n)
{
	if (to - from != n)
		return false;
	while (from < to && text.p[from] == ' ')
		from++;
	return from == to;
}

/* Stretches that are as they should be already are copied whole. */
static void write_tokens(const struct layout *l, size_t n, struct buf *out)
{
	uint32_t from = 0, at = 0;

	for (size_t i = 0; i < n; i++) {
		const struct hcl_token *t = &l->tokens[i];

		if (!has_spaces(l->text, at, t->from, l->spaces[i])) {
			buf_add_str(out, str_slice(l->text, from, at));
			write_spaces(out, l->spaces[i]);
			from = t->from;
		}
		at = t->to;
	}
	buf_add_str(out, str_slice(l->text, from, at));
	/* What stands after the last token stays, as blanks. */
	write_spaces(out, (uint32_t)l->text.n - at);
}

static void add_line(struct layout *l, uint32_t from, uint32_t end)
{
	struct line line = make_line(l, from, end);

	set_indent(l, &line);
	space_cell(l, line.from, line.assign);
	space_cell(l, line.assign, line.comment);
	if (line.assign < end) {
		line.lead_columns = count_columns(l, from, line.assign);
		line.assign_columns = count_columns(l, line.assign, line.comment);
	}
	vec_push(&l->lines, line);
}

void hcl_format_tokens(struct str text, struct hcl_tokens tokens, struct buf *out)
{
	AUTO(arena) struct arena *a = arena_new();
	struct layout l = { .text = text, .plain = is_plain(text), .tokens = tokens.v };
	size_t n = tokens.n - 1; /* the end of the file belongs to no line */
	uint32_t from = 0;

	l.spaces = arena_new_array(a, uint32_t, n);
	for (uint32_t i = 0; i < n; i++) {
		if (!ends_line(&l, i))
			continue;
		add_line(&l, from, i + 1);
		from = i + 1;
	}
	if (from < n)
		add_line(&l, from, (uint32_t)n);
	align(&l, false);
	align(&l, true);
	buf_reserve(out, text.n + text.n / 8);
	write_tokens(&l, n, out);
	vec_release(&l.lines);
	vec_release(&l.levels);
}

void hcl_format(struct str text, struct buf *out)
{
	AUTO(arena) struct arena *a = arena_new();

	hcl_format_tokens(text, hcl_lex(a, text, HCL_LEX_CONFIG), out);
}
