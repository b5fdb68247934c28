/* What stands in brackets: lists, objects, for expressions, parentheses, arguments of calls. A
 * broken element of a list or object that is closed costs only itself. */
#include "lang/hcl/parse.h"

#include "lang/expr/text.h"

/* Whether `key =` or `key:` stands at the token i. */
static bool is_pair(struct parser *p, size_t i)
{
	size_t end = p->v[i].kind == HCL_T_OQUOTE ? parser_match(p, i) : i;

	if (!end || (end == i && p->v[i].kind != HCL_T_IDENT))
		return false;
	return p->v[end + 1].kind == HCL_T_EQUAL || p->v[end + 1].kind == HCL_T_COLON;
}

/* Goes to the end of the element that begins at token `start` in the bracket `open`: before the
 * comma, the line's end (where lines count) or the closing bracket. In a bracket that is never
 * closed commas are its own, and lines that are no pair. False if `open` is never closed. */
static bool skip_element(struct parser *p, size_t open, size_t start)
{
	size_t close = parser_match(p, open), i = start;
	bool inside = false;

	if (!close || start > close)
		return false;
	while (i < close) {
		enum hcl_token_kind kind = p->v[i].kind;
		size_t m = parser_match(p, i);

		if (kind == HCL_T_COMMA && !inside)
			break;
		if (kind == HCL_T_NEWLINE && p->newlines && (!inside || is_pair(p, i + 1)))
			break;
		inside |= !m && parser_opens(p, i);
		i = m && m < close ? m + 1 : i + 1;
	}
	return parser_resume(p, i);
}

/* The element at the top of the brackets: reading goes on after one that is broken. */
static struct hcl_expr *parse_element(struct parser *p, size_t open)
{
	size_t start = parser_next(p);
	struct hcl_expr *x = parse_expr(p);

	if (x)
		return x;
	if (!skip_element(p, open, start))
		return NULL;
	return expr_unknown(p, parser_span(p, start, start));
}

static struct hcl_expr **take_exprs(struct parser *p, size_t base, size_t *ret_n)
{
	size_t n = p->exprs.n - base;
	struct hcl_expr **v = arena_copy_array(p->arena, n ? p->exprs.v + base : NULL, n);

	p->exprs.n = base;
	*ret_n = n;
	return v;
}

static struct hcl_expr *never_closed(struct parser *p, size_t open, const char *what)
{
	return parser_fail(p, open,
			   arena_printf(p->arena, "The %s that begins here is never closed", what),
			   arena_printf(p->arena, "%s ends it.",
					p->v[open].kind == HCL_T_OBRACK	  ? "']'"
					: p->v[open].kind == HCL_T_OBRACE ? "'}'"
									  : "')'"));
}

/* What stands between two elements: true at a comma, false at the end; *ret_ok is false at a
 * mistake. */
static bool parse_separator(struct parser *p, size_t open, enum hcl_token_kind close,
			    const char *what, bool *ret_ok)
{
	size_t i = parser_next(p);

	*ret_ok = true;
	if (p->v[i].kind == close)
		return false;
	if (parser_accept(p, HCL_T_COMMA))
		return true;
	*ret_ok = false;
	if (p->v[i].kind == HCL_T_EOF)
		never_closed(p, open, what);
	else
		parser_unexpected_inside(
			p, open, close == HCL_T_CBRACK ? "The list" : "The call", i,
			close == HCL_T_CBRACK ? "',' or ']' after the element"
					      : "',' or ')' after the argument");
	/* The element is what is wrong: the next one may be fine. */
	if (close == HCL_T_CBRACK && parser_match(p, open) && skip_element(p, open, i)) {
		*ret_ok = true;
		return parser_accept(p, HCL_T_COMMA);
	}
	return false;
}

static struct hcl_expr *parse_tuple(struct parser *p, size_t open)
{
	struct hcl_expr *x = expr_new(p, HCL_TUPLE, parser_span(p, open, open)), *item;
	size_t base = p->exprs.n;
	bool ok = true, more = true;

	while (ok && more && parser_peek(p) != HCL_T_CBRACK) {
		if (parser_peek(p) == HCL_T_EOF) {
			never_closed(p, open, "list");
			ok = false;
			break;
		}
		item = parse_element(p, open);
		if (item)
			vec_push(&p->exprs, item);
		ok = item;
		more = ok && parse_separator(p, open, HCL_T_CBRACK, "list", &ok);
	}
	if (!ok) {
		p->exprs.n = base;
		return NULL;
	}
	x->tuple.items = take_exprs(p, base, &x->tuple.n);
	x->span = span_join(x->span, parser_span(p, parser_next(p), parser_next(p)));
	parser_take(p);
	return x;
}

/* A key: a name alone is text. Sets ->key and ->bare. */
static bool parse_key(struct parser *p, struct hcl_pair *ret)
{
	size_t start = parser_next(p);

	ret->key = parse_expr(p);
	if (!ret->key)
		return false;
	ret->bare = p->v[start].kind == HCL_T_IDENT && p->pos == start + 1;
	if (ret->bare) {
		ret->key = expr_new(p, HCL_LITERAL, parser_span(p, start, start));
		ret->key->value =
		    value_string(text_nfc(p->arena, parser_name(p, start)), ret->key->span);
	}
	return true;
}

/* key = value or key: value */
static bool parse_pair(struct parser *p, size_t open, struct hcl_pair *ret)
{
	size_t i;

	if (!parse_key(p, ret))
		return false;
	i = parser_next(p);
	if (p->v[i].kind == HCL_T_EOF) {
		never_closed(p, open, "object");
		return false;
	}
	if (!parser_accept(p, HCL_T_EQUAL) && !parser_accept(p, HCL_T_COLON)) {
		parser_unexpected(p, i, "'=' and a value after the key",
				  "Keys with points or spaces in them stand in quotes, computed "
				  "ones in parentheses.");
		return false;
	}
	ret->value = parse_expr(p);
	return ret->value;
}

/* After a pair: 1 another one may follow, 0 the end, -1 a mistake. */
static int after_pair(struct parser *p, size_t open)
{
	size_t i = parser_next(p);

	if (p->v[i].kind == HCL_T_CBRACE)
		return 0;
	if (parser_accept(p, HCL_T_COMMA) || parser_accept(p, HCL_T_NEWLINE))
		return 1;
	if (p->v[i].kind == HCL_T_EOF)
		never_closed(p, open, "object");
	else
		parser_unexpected_inside(p, open, "The object", i,
					 "a new line, ',' or '}' after the value");
	return -1;
}

static bool parse_pairs(struct parser *p, size_t open)
{
	for (;;) {
		struct hcl_pair pair = { 0 };
		size_t start;
		int more = -1;

		while (parser_accept(p, HCL_T_NEWLINE))
			;
		start = parser_next(p);
		if (p->v[start].kind == HCL_T_CBRACE)
			return true;
		if (p->v[start].kind == HCL_T_EOF)
			return never_closed(p, open, "object");
		if (parse_pair(p, open, &pair)) {
			vec_push(&p->pairs, pair);
			more = after_pair(p, open);
		}
		if (more == 0)
			return true;
		if (more < 0) {
			if (!skip_element(p, open, start))
				return false;
			parser_accept(p, HCL_T_COMMA);
		}
	}
}

static struct hcl_expr *parse_object(struct parser *p, size_t open)
{
	struct hcl_expr *x = expr_new(p, HCL_OBJECT, parser_span(p, open, open));
	size_t base = p->pairs.n;
	bool ok;

	p->newlines = true;
	ok = parse_pairs(p, open);
	x->object.n = p->pairs.n - base;
	p->pairs.n = base;
	if (!ok)
		return NULL;
	x->object.pairs = arena_copy_array(p->arena, x->object.n ? p->pairs.v + base : NULL,
					   x->object.n);
	x->span = span_join(x->span, parser_span(p, p->pos, p->pos));
	parser_take(p);
	return x;
}

/* [for … and {for … */

#define FOR_FORM "It is written: for item in list, or: for key, value in map."

static bool parse_for_names(struct parser *p, struct hcl_expr *x)
{
	size_t i = parser_take(p);

	if (p->v[i].kind != HCL_T_IDENT)
		return parser_unexpected(p, i, "a name for the items after \"for\"", FOR_FORM);
	x->loop.value_name = parser_name(p, i);
	if (parser_accept(p, HCL_T_COMMA)) {
		i = parser_take(p);
		if (p->v[i].kind != HCL_T_IDENT)
			return parser_unexpected(p, i, "a name for the values after the comma",
						 FOR_FORM);
		x->loop.key_name = x->loop.value_name;
		x->loop.value_name = parser_name(p, i);
	}
	i = parser_take(p);
	if (!parser_is_word(p, i, "in"))
		return parser_unexpected(p, i, "\"in\" and what to go through", FOR_FORM);
	return true;
}

bool parse_for_head(struct parser *p, struct hcl_expr *x)
{
	if (!parse_for_names(p, x))
		return false;
	x->loop.coll = parse_expr(p);
	return x->loop.coll;
}

/* key => value, value, and "..." */
static bool parse_for_result(struct parser *p, struct hcl_expr *x, bool object)
{
	size_t i;

	x->loop.value = parse_expr(p);
	if (!x->loop.value)
		return false;
	i = parser_next(p);
	if (parser_accept(p, HCL_T_FAT_ARROW)) {
		if (!object)
			return parser_fail(p, i,
					   "A key with => cannot stand in a for that makes a list",
					   "For an object, use braces: {for k, v in m : k => v}.");
		x->loop.key = x->loop.value;
		x->loop.value = parse_expr(p);
	} else if (object) {
		return parser_unexpected(p, i, "'=>' and a value",
					 "A for in braces makes an object: {for k, v in m : k => "
					 "v}. For a list, use brackets.");
	}
	i = parser_next(p);
	if (x->loop.value && parser_accept(p, HCL_T_ELLIPSIS)) {
		if (!object)
			return parser_fail(p, i, "\"...\" cannot stand in a for that makes a list",
					   "It groups the values of equal keys of an object: {for "
					   "k, v in m : k => v...}.");
		x->loop.group = true;
	}
	return x->loop.value;
}

static struct hcl_expr *parse_for(struct parser *p, size_t open)
{
	bool object = p->v[open].kind == HCL_T_OBRACE;
	struct hcl_expr *x = expr_new(p, HCL_FOR, parser_span(p, open, open));
	size_t i;

	p->newlines = false;
	parser_take(p); /* "for" */
	if (!parse_for_head(p, x))
		return NULL;
	i = parser_next(p);
	if (!parser_accept(p, HCL_T_COLON))
		return parser_unexpected(
		    p, i, "':' after what to go through",
		    object ? "It is written: {for key, value in map : key => value}."
			   : "It is written: [for item in list : value].");
	if (!parse_for_result(p, x, object))
		return NULL;
	if (parser_is_word(p, parser_next(p), "if")) {
		parser_take(p);
		x->loop.cond = parse_expr(p);
		if (!x->loop.cond)
			return NULL;
	}
	i = parser_next(p);
	if (p->v[i].kind == HCL_T_EOF)
		return never_closed(p, open, "for expression");
	if (p->v[i].kind != (object ? HCL_T_CBRACE : HCL_T_CBRACK))
		return parser_unexpected(
			p, i,
			object ? "'}' at the end of the for expression"
			       : "']' at the end of the for expression",
			"After the value only a condition can follow: if CONDITION.");
	x->span = span_join(x->span, parser_span(p, i, i));
	parser_take(p);
	return x;
}

struct hcl_expr *parse_bracketed(struct parser *p, size_t open)
{
	bool newlines = p->newlines;
	struct hcl_expr *x;

	p->newlines = false;
	if (parser_is_word(p, parser_next(p), "for"))
		x = parse_for(p, open);
	else
		x = p->v[open].kind == HCL_T_OBRACK ? parse_tuple(p, open) : parse_object(p, open);
	p->newlines = newlines;
	return x;
}

struct hcl_expr *parse_paren(struct parser *p, size_t open)
{
	bool newlines = p->newlines;
	struct hcl_expr *x = expr_new(p, HCL_PAREN, parser_span(p, open, open));
	size_t i = open;

	p->newlines = false;
	x->wrap.inner = parse_expr(p);
	if (x->wrap.inner)
		i = parser_take(p);
	p->newlines = newlines;
	if (!x->wrap.inner)
		return NULL;
	if (p->v[i].kind == HCL_T_EOF)
		return never_closed(p, open, "parenthesis");
	if (p->v[i].kind != HCL_T_CPAREN)
		return parser_unexpected_inside(p, open, "The parenthesis", i, "')'");
	x->span = span_join(x->span, parser_span(p, i, i));
	return x;
}

static bool parse_args(struct parser *p, struct hcl_expr *x, size_t open)
{
	struct hcl_expr *arg;
	bool ok = true, more = true;

	while (more && parser_peek(p) != HCL_T_CPAREN) {
		if (parser_peek(p) == HCL_T_EOF)
			return never_closed(p, open, "call");
		arg = parse_expr(p);
		if (!arg)
			return false;
		vec_push(&p->exprs, arg);
		if (parser_accept(p, HCL_T_ELLIPSIS)) {
			x->call.expand = true;
			if (parser_peek(p) != HCL_T_CPAREN)
				return parser_unexpected(p, parser_next(p), "')' after \"...\"",
							 "Only the last argument can be expanded.");
			return true;
		}
		more = parse_separator(p, open, HCL_T_CPAREN, "call", &ok);
	}
	return ok;
}

struct hcl_expr *parse_call(struct parser *p, size_t first)
{
	struct hcl_expr *x = expr_new(p, HCL_CALL, parser_span(p, first, first));
	struct str name = parser_name(p, first);
	size_t i, base = p->exprs.n, last = first;
	bool newlines = p->newlines, ok;

	while (parser_accept(p, HCL_T_DOUBLE_COLON)) {
		last = parser_take(p);
		if (p->v[last].kind != HCL_T_IDENT)
			return parser_unexpected(p, last, "the name of a function after '::'",
						 NULL);
		name = str_from(arena_printf(p->arena, STR_FMT "::" STR_FMT, STR_ARG(name),
					     STR_ARG(parser_text(p, last))));
	}
	i = parser_next(p);
	if (!parser_accept(p, HCL_T_OPAREN))
		return parser_unexpected(p, i, "'(' and the function's arguments", NULL);
	x->call.name = name;
	x->call.name_span = parser_span(p, first, last);
	p->newlines = false;
	ok = parse_args(p, x, i);
	x->call.args = take_exprs(p, base, &x->call.nargs);
	i = parser_next(p);
	if (ok)
		parser_take(p);
	p->newlines = newlines;
	if (!ok)
		return NULL;
	x->span = span_join(x->span, parser_span(p, i, i));
	return x;
}
