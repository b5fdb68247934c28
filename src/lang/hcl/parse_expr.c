/* Expressions: operators by precedence climbing, then traversals, then terms. */
#include "lang/hcl/parse.h"

/* Operators between two operands: a higher level binds tighter, and all group to the left. */
static const struct {
	uint8_t level, op;
} operators[] = {
	[HCL_T_OR] = { 1, HCL_OP_OR },	     [HCL_T_AND] = { 2, HCL_OP_AND },
	[HCL_T_EQ] = { 3, HCL_OP_EQ },	     [HCL_T_NE] = { 3, HCL_OP_NE },
	[HCL_T_LT] = { 4, HCL_OP_LT },	     [HCL_T_LE] = { 4, HCL_OP_LE },
	[HCL_T_GT] = { 4, HCL_OP_GT },	     [HCL_T_GE] = { 4, HCL_OP_GE },
	[HCL_T_PLUS] = { 5, HCL_OP_ADD },    [HCL_T_MINUS] = { 5, HCL_OP_SUB },
	[HCL_T_STAR] = { 6, HCL_OP_MUL },    [HCL_T_SLASH] = { 6, HCL_OP_DIV },
	[HCL_T_PERCENT] = { 6, HCL_OP_MOD }, [HCL_T_INVALID] = { 0, 0 },
};

static struct hcl_expr *parse_operand(struct parser *p);

static struct hcl_expr *chain_too_long(struct parser *p, size_t i)
{
	return parser_fail(p, i,
			   arena_printf(p->arena, "More than %d operators in a row", CHAIN_MAX),
			   "Give a part of the expression a name of its own, in locals.");
}

static struct hcl_expr *parse_binary(struct parser *p, unsigned least)
{
	struct hcl_expr *left = parse_operand(p), *x;

	for (unsigned count = 0; left; count++) {
		size_t i = parser_next(p);
		unsigned level = operators[p->v[i].kind].level;

		/* What a comment that is never closed begins with is no operator. */
		if (level < least || !level ||
		    (p->v[i].kind == HCL_T_SLASH && p->v[i + 1].kind == HCL_T_STAR &&
		     p->v[i].to == p->v[i + 1].from))
			break;
		if (count == CHAIN_MAX)
			return chain_too_long(p, i);
		parser_take(p);
		x = expr_new(p, HCL_BINARY, left->span);
		x->op.op = operators[p->v[i].kind].op;
		x->op.op_span = parser_span(p, i, i);
		x->op.left = left;
		x->op.right = parse_binary(p, level + 1);
		if (!x->op.right)
			return NULL;
		x->span = span_join(left->span, x->op.right->span);
		left = x;
	}
	return left;
}

static struct hcl_expr *parse_conditional(struct parser *p)
{
	struct hcl_expr *cond = parse_binary(p, 1), *x, *yes, *no;
	size_t i;

	if (!cond || !parser_accept(p, HCL_T_QUESTION))
		return cond;
	yes = parse_expr(p);
	if (!yes)
		return NULL;
	i = parser_next(p);
	if (!parser_accept(p, HCL_T_COLON))
		return parser_unexpected(
		    p, i, "':' and the other value of the conditional",
		    "A conditional is written: condition ? value if true : value if false.");
	no = parse_expr(p);
	if (!no)
		return NULL;
	x = expr_new(p, HCL_CONDITIONAL, span_join(cond->span, no->span));
	x->choice.cond = cond;
	x->choice.yes = yes;
	x->choice.no = no;
	return x;
}

struct hcl_expr *parse_expr(struct parser *p)
{
	struct hcl_expr *x = parser_down(p, parser_next(p)) ? parse_conditional(p) : NULL;

	parser_up(p);
	return x;
}

/* Traversals. */

static struct hcl_expr *new_attr(struct parser *p, struct hcl_expr *target, size_t i)
{
	struct hcl_expr *x = expr_new(p, HCL_ATTR, span_join(target->span, parser_span(p, i, i)));

	x->ref.name = parser_name(p, i);
	x->ref.name_span = parser_span(p, i, i);
	x->ref.target = target;
	return x;
}

/* The number at token i as a literal. */
static struct hcl_expr *parse_number(struct parser *p, size_t i)
{
	struct hcl_expr *x = expr_new(p, HCL_LITERAL, parser_span(p, i, i));

	if (!value_number_parse(p->arena, parser_text(p, i), x->span, &x->value))
		return parser_fail(
		    p, i,
		    arena_printf(p->arena, "\"" STR_FMT "\" is not a number",
				 (int)MIN(parser_text(p, i).n, (size_t)60), parser_text(p, i).p),
		    "Numbers are written 12, 1.5 or 2e3, with an exponent of at most four digits.");
	return x;
}

/* target.0 */
static struct hcl_expr *legacy_index(struct parser *p, struct hcl_expr *target, size_t i)
{
	struct str s = parser_text(p, i);
	const char *point = memchr(s.p, '.', s.n);
	struct hcl_expr *x;

	if (point)
		return parser_fail(p, i, "Two indexes in a row cannot be written with points",
				   arena_printf(p->arena, "Write [%.*s][" STR_FMT "].",
						(int)(point - s.p), s.p,
						(int)(s.p + s.n - point - 1), point + 1));
	x = expr_new(p, HCL_INDEX, span_join(target->span, parser_span(p, i, i)));
	x->index.target = target;
	x->index.key = parse_number(p, i);
	x->index.legacy = true;
	return x->index.key ? x : NULL;
}

/* target.*, and the .names and .numbers after it, which are of each item. */
static struct hcl_expr *attr_splat(struct parser *p, struct hcl_expr *target, size_t star)
{
	struct span mark = parser_span(p, star, star);
	struct hcl_expr *x = expr_new(p, HCL_SPLAT, span_join(target->span, mark));
	struct hcl_expr *each = expr_new(p, HCL_SPLAT_ITEM, mark);

	for (unsigned count = 0; each && parser_accept(p, HCL_T_DOT); count++) {
		size_t i = parser_take(p);

		if (count == CHAIN_MAX)
			return chain_too_long(p, i);
		if (p->v[i].kind == HCL_T_NUMBER)
			each = legacy_index(p, each, i);
		else if (p->v[i].kind == HCL_T_IDENT)
			each = new_attr(p, each, i);
		else if (p->v[i].kind == HCL_T_STAR)
			return parser_fail(p, i, "One .* cannot follow another",
					   "Use the full form, which can be nested: [*].");
		else
			return parser_unexpected(p, i, "the name of an attribute after the point",
						 NULL);
	}
	if (!each)
		return NULL;
	x->splat.target = target;
	x->splat.each = each;
	x->splat.mark = mark;
	x->span = span_join(x->span, each->span);
	return x;
}

static struct hcl_expr *after_dot(struct parser *p, struct hcl_expr *target)
{
	size_t i = parser_next(p);

	switch (p->v[i].kind) {
	case HCL_T_IDENT:
		parser_take(p);
		return new_attr(p, target, i);
	case HCL_T_NUMBER:
		parser_take(p);
		return legacy_index(p, target, i);
	case HCL_T_STAR:
		parser_take(p);
		return attr_splat(p, target, i);
	default:
		return parser_unexpected(
		    p, i, "the name of an attribute after the point",
		    "A key that is no name is written in brackets: [\"key\"].");
	}
}

static struct hcl_expr *parse_steps(struct parser *p, struct hcl_expr *x);

/* target[*] and everything after it, which is of each item. */
static struct hcl_expr *full_splat(struct parser *p, struct hcl_expr *target, size_t open,
				   size_t star)
{
	struct hcl_expr *x = expr_new(p, HCL_SPLAT, target->span), *item;
	size_t close = parser_take(p);

	if (p->v[close].kind != HCL_T_CBRACK)
		return parser_unexpected(p, close, "']' after [*", NULL);
	item = expr_new(p, HCL_SPLAT_ITEM, parser_span(p, open, close));
	x->splat.target = target;
	x->splat.mark = parser_span(p, star, star);
	x->splat.each = parser_down(p, star) ? parse_steps(p, item) : NULL;
	parser_up(p);
	if (!x->splat.each)
		return NULL;
	x->span = span_join(x->span, x->splat.each->span);
	return x;
}

static struct hcl_expr *after_bracket(struct parser *p, struct hcl_expr *target, size_t open)
{
	bool newlines = p->newlines;
	struct hcl_expr *x, *key;
	size_t i = parser_next(p);

	if (parser_accept(p, HCL_T_STAR))
		return full_splat(p, target, open, i);
	p->newlines = false;
	key = parse_expr(p);
	i = key ? parser_take(p) : i;
	p->newlines = newlines;
	if (!key)
		return NULL;
	if (p->v[i].kind != HCL_T_CBRACK)
		return parser_unexpected_inside(p, open, "The index", i, "']' after the index");
	x = expr_new(p, HCL_INDEX, span_join(target->span, parser_span(p, i, i)));
	x->index.target = target;
	x->index.key = key;
	return x;
}

static struct hcl_expr *parse_steps(struct parser *p, struct hcl_expr *x)
{
	for (unsigned count = 0; x; count++) {
		size_t i = parser_next(p);

		if (count == CHAIN_MAX)
			return chain_too_long(p, i);
		if (parser_accept(p, HCL_T_DOT))
			x = after_dot(p, x);
		else if (parser_accept(p, HCL_T_OBRACK))
			x = after_bracket(p, x, i);
		else
			break;
	}
	return x;
}

/* Terms. */

static struct hcl_expr *parse_name(struct parser *p, size_t i)
{
	enum hcl_token_kind next = parser_peek(p);
	struct span span = parser_span(p, i, i);
	struct hcl_expr *x;

	if (next == HCL_T_OPAREN || next == HCL_T_DOUBLE_COLON)
		return parse_call(p, i);
	x = expr_new(p, HCL_LITERAL, span);
	if (parser_is_word(p, i, "true") || parser_is_word(p, i, "false")) {
		x->value = value_bool(p->text.p[p->v[i].from] == 't', span);
	} else if (parser_is_word(p, i, "null")) {
		x->value = value_null(span);
	} else {
		x->kind = HCL_VARIABLE;
		x->ref.name = parser_name(p, i);
		x->ref.name_span = span;
	}
	return x;
}

static struct hcl_expr *parse_unary(struct parser *p, size_t i, enum hcl_op op)
{
	struct hcl_expr *x = expr_new(p, HCL_UNARY, parser_span(p, i, i));

	x->op.op = op;
	x->op.op_span = x->span;
	x->op.right = parser_down(p, i) ? parse_operand(p) : NULL;
	parser_up(p);
	if (!x->op.right)
		return NULL;
	x->span = span_join(x->span, x->op.right->span);
	return x;
}

static struct hcl_expr *parse_term(struct parser *p)
{
	size_t i = parser_next(p);

	switch (p->v[i].kind) {
	case HCL_T_OQUOTE:
	case HCL_T_OHEREDOC:
		return parse_quoted(p);
	case HCL_T_IDENT:
		return parse_name(p, parser_take(p));
	case HCL_T_NUMBER:
		return parse_number(p, parser_take(p));
	case HCL_T_OBRACK:
	case HCL_T_OBRACE:
		return parse_bracketed(p, parser_take(p));
	case HCL_T_OPAREN:
		return parse_paren(p, parser_take(p));
	case HCL_T_MINUS:
		return parse_unary(p, parser_take(p), HCL_OP_NEG);
	case HCL_T_BANG:
		return parse_unary(p, parser_take(p), HCL_OP_NOT);
	case HCL_T_LT:
		if (p->v[i + 1].kind == HCL_T_LT)
			return parser_fail_at(p, parser_span(p, i, i + 1), i,
					      "This does not begin a heredoc",
					      "It begins with << or <<-, a name, and directly "
					      "after it the end of the line.");
		break;
	default:
		break;
	}
	return parser_unexpected(
	    p, i, "a value",
	    p->v[i].kind == HCL_T_NEWLINE
		? "An expression ends with its line, unless parentheses are around it."
		: NULL);
}

/* A sign before a traversal is of all of it. */
static struct hcl_expr *parse_operand(struct parser *p)
{
	enum hcl_token_kind kind = parser_peek(p);
	struct hcl_expr *x = parse_term(p);

	return x && kind != HCL_T_MINUS && kind != HCL_T_BANG ? parse_steps(p, x) : x;
}
