/* Bodies: attributes, blocks, and where reading goes on after a broken one.
 *
 * After a mistake the item is left: reading goes on after the line it ends on, brackets counted. If
 * a bracket of it is never closed, indentation tells instead: the next line that is not further in
 * than the item and looks like an item, or closes the body around.
 */
#include "lang/hcl/body.h"

#include "base/map.h"

#define SCRATCH_MAX (256 << 10) /* bytes of trees that a check lets gather: what a cache holds */
#define LINEAR_NAMES_MAX 24	/* bodies up to here are searched for doubled names one by one */

struct items {
	VEC(struct hcl_attr) attrs;
	VEC(struct hcl_block) blocks;
};

static void items_release(struct items *items)
{
	vec_release(&items->attrs);
	vec_release(&items->blocks);
}
DEFINE_AUTO(items, struct items, items_release);

static struct hcl_body *parse_body(struct parser *p, size_t open, bool block);

/* Going on after a mistake. */

static size_t column(const struct parser *p, size_t i)
{
	size_t from = p->v[i].from, k = from;

	while (k && p->text.p[k - 1] != '\n')
		k--;
	return from - k;
}

/* NAME = or NAME, labels and {. */
static bool looks_like_item(const struct parser *p, size_t i)
{
	if (p->v[i].kind != HCL_T_IDENT)
		return false;
	if (p->v[i + 1].kind == HCL_T_EQUAL)
		return true;
	for (i++; p->v[i].kind == HCL_T_IDENT || p->v[i].kind == HCL_T_OQUOTE ||
		  p->v[i].kind == HCL_T_QUOTED_LIT || p->v[i].kind == HCL_T_CQUOTE;
	     i++)
		;
	return p->v[i].kind == HCL_T_OBRACE;
}

/* The next line by indentation, for an item with a bracket that is not closed. */
static size_t next_by_indent(const struct parser *p, size_t start)
{
	size_t own = column(p, start);

	for (size_t i = start + 1; p->v[i].kind != HCL_T_EOF; i++) {
		if (p->v[i - 1].kind != HCL_T_NEWLINE || p->v[i].kind == HCL_T_NEWLINE)
			continue;
		if (p->v[i].kind == HCL_T_CBRACE ? column(p, i) < own
						 : looks_like_item(p, i) && column(p, i) <= own)
			return i;
	}
	return p->n - 1;
}

/* Leaves the item that began at token `start`. */
static void skip_item(struct parser *p, size_t start)
{
	size_t bad = MAX(p->last_bad == SIZE_MAX ? 0 : p->last_bad, start), i = start, m;

	p->newlines = true;
	for (; p->v[i].kind != HCL_T_EOF; i++) {
		m = parser_match(p, i);
		if (m) {
			i = m;
			continue;
		}
		switch (p->v[i].kind) {
		case HCL_T_NEWLINE:
			if (i < bad)
				continue;
			/* "{" on the next line: of a block whose header was broken off there. */
			if (p->v[i + 1].kind == HCL_T_OBRACE && parser_match(p, i + 1))
				continue;
			(void)parser_resume(p, i + 1);
			return;
		case HCL_T_CBRACE:
			(void)parser_resume(p, i);
			return;
		case HCL_T_OBRACE:
		case HCL_T_OBRACK:
		case HCL_T_OPAREN:
		case HCL_T_OHEREDOC:
		case HCL_T_TEMPLATE_INTERP:
		case HCL_T_TEMPLATE_CONTROL:
			(void)parser_resume(p, next_by_indent(p, start));
			return;
		default:
			continue;
		}
	}
	p->pos = i;
}

/* Items. */

static void parse_attr(struct parser *p, size_t name, bool one_line, struct hcl_attr *ret)
{
	struct hcl_expr *x;
	size_t end;

	parser_take(p); /* = */
	*ret = (struct hcl_attr){ .name = parser_name(p, name),
				  .name_span = parser_span(p, name, name) };
	x = parse_expr(p);
	end = p->pos;
	if (x && !one_line && p->v[end].kind != HCL_T_NEWLINE && p->v[end].kind != HCL_T_EOF) {
		parser_unexpected(p, end, "the end of the line after the argument",
				  p->v[end].kind == HCL_T_COMMA
				      ? "Put each argument on its own line, without a comma."
				      : "Each argument begins on a line of its own.");
		skip_item(p, name);
	} else if (x && !one_line) {
		parser_take(p);
	} else if (!x && !one_line) {
		skip_item(p, name);
	}
	ret->expr = x ? x : expr_unknown(p, ret->name_span);
	ret->span = span_join(ret->name_span, ret->expr->span);
}

/* { name = value } on one line; the brace that closes it is taken. */
static bool parse_one_line(struct parser *p, struct hcl_body *body, size_t header, size_t open)
{
	size_t name = parser_take(p), i;
	struct hcl_attr attr;

	if (p->v[name].kind != HCL_T_IDENT)
		return parser_unexpected(
		    p, name, "an argument, or the end of the line, after '{'",
		    "A block on one line holds one argument: name { argument = value }.");
	i = p->pos;
	if (p->v[i].kind == HCL_T_OBRACE || p->v[i].kind == HCL_T_OQUOTE ||
	    p->v[i].kind == HCL_T_IDENT)
		return parser_fail_at(p, parser_span(p, name, i), i,
				      "A block on one line cannot hold another block",
				      "Put the inner block on lines of its own.");
	if (p->v[i].kind != HCL_T_EQUAL)
		return parser_unexpected(
		    p, parser_next(p), "'=' after the argument's name",
		    "A block on one line holds one argument: name { argument = value }.");
	parse_attr(p, name, true, &attr);
	if (attr.expr->kind == HCL_LITERAL && attr.expr->value.kind == VALUE_UNKNOWN)
		return false;
	body->attrs = arena_new_obj(p->arena, struct hcl_attr);
	body->attrs[0] = attr;
	body->nattrs = 1;
	i = parser_take(p);
	body->end = parser_span(p, i, i);
	body->span = parser_span(p, open, i);
	if (p->v[i].kind == HCL_T_CBRACE)
		return true;
	if (p->v[i].kind == HCL_T_EOF)
		return parser_fail_at(p, parser_span(p, header, open), i,
				      "This block is never closed", "'}' ends it.");
	return parser_unexpected(
	    p, i, "'}' after the argument",
	    "A block on one line holds one argument; several stand on lines of their own.");
}

/* The labels; the token after them is next. */
static bool parse_labels(struct parser *p, struct hcl_block *b)
{
	VEC(struct hcl_label) labels = VEC_INIT;
	bool ok = true;

	while (ok && (parser_peek(p) == HCL_T_IDENT || parser_peek(p) == HCL_T_OQUOTE)) {
		size_t i = parser_next(p);
		struct hcl_label label = { 0 };

		if (p->v[i].kind == HCL_T_IDENT)
			label.text = parser_name(p, parser_take(p));
		else
			ok = parse_plain_text(p, &label.text);
		label.span = parser_span(p, i, p->pos - 1);
		vec_push(&labels, label);
	}
	b->nlabels = labels.n;
	b->labels = arena_copy_array(p->arena, labels.v, labels.n);
	vec_release(&labels);
	return ok;
}

static bool parse_block_body(struct parser *p, struct hcl_block *b, size_t header, size_t open)
{
	enum hcl_token_kind next = parser_peek(p);
	bool ok = parser_down(p, open);

	if (ok && (next == HCL_T_NEWLINE || next == HCL_T_CBRACE || next == HCL_T_EOF))
		b->body = parse_body(p, open, true);
	else if (ok)
		ok = parse_one_line(p, b->body, header, open);
	parser_up(p);
	return ok;
}

/* False if the rest of it must be skipped. */
static bool parse_block(struct parser *p, size_t name, struct hcl_block *b)
{
	size_t i;

	b->type = parser_name(p, name);
	b->type_span = b->span = parser_span(p, name, name);
	b->body = arena_new_obj(p->arena, struct hcl_body);
	b->body->span = b->body->end = b->type_span;
	if (!parse_labels(p, b))
		return false;
	i = parser_next(p);
	if (p->pos > name + 1)
		b->span = parser_span(p, name, p->pos - 1);
	if (!parser_accept(p, HCL_T_OBRACE))
		return parser_unexpected(
		    p, i, "'{' or a label after the block's type",
		    p->v[i].kind == HCL_T_NEWLINE
			? "'{' stands on the same line as the type and the labels."
		    : p->v[i].kind == HCL_T_EQUAL
			? "An argument is a name, '=' and a value; a block has no '='."
			: NULL);
	if (!parse_block_body(p, b, name, i))
		return false;
	i = p->pos;
	if (p->v[i].kind == HCL_T_NEWLINE || p->v[i].kind == HCL_T_EOF) {
		parser_take(p);
		return true;
	}
	parser_unexpected(p, i, "the end of the line after the block",
			  "Each block begins on a line of its own.");
	skip_item(p, i);
	return true;
}

static void parse_item(struct parser *p, struct items *items)
{
	size_t name = parser_take(p), i = p->pos;

	switch (p->v[i].kind) {
	case HCL_T_EQUAL: {
		struct hcl_attr attr;

		parse_attr(p, name, false, &attr);
		vec_push(&items->attrs, attr);
		return;
	}
	case HCL_T_OQUOTE:
	case HCL_T_OBRACE:
	case HCL_T_IDENT: {
		struct hcl_block block = { 0 };
		bool ok = parse_block(p, name, &block);

		vec_push(&items->blocks, block);
		if (!ok)
			skip_item(p, name);
		return;
	}
	default:
		parser_unexpected(
		    p, i,
		    arena_printf(p->arena, "'=' or '{' after \"" STR_FMT "\"",
				 STR_ARG(parser_text(p, name))),
		    "Write an argument as name = value, and a block as name \"label\" { … }.");
		skip_item(p, name);
	}
}

/* The first of each name is kept. */
static void check_doubles(struct parser *p, struct items *items)
{
	AUTO(map) struct map seen = MAP_INIT;
	size_t kept = 0;

	for (size_t i = 0; i < items->attrs.n; i++) {
		struct hcl_attr *attr = &items->attrs.v[i], *first = NULL;

		if (items->attrs.n > LINEAR_NAMES_MAX)
			first = map_get(&seen, attr->name);
		else
			for (size_t k = 0; k < kept && !first; k++)
				if (str_eq(items->attrs.v[k].name, attr->name))
					first = &items->attrs.v[k];
		if (!first) {
			if (items->attrs.n > LINEAR_NAMES_MAX)
				map_set(&seen, attr->name, &items->attrs.v[kept]);
			items->attrs.v[kept++] = *attr;
			continue;
		}
		diag_detail(p->diags,
			    diag_error(p->diags, attr->name_span,
				       "The argument \"" STR_FMT "\" is set twice",
				       STR_ARG(attr->name)),
			    "It was set before on line %u. Remove one of the two.",
			    source_position(p->src, first->name_span.from).line);
	}
	items->attrs.n = kept;
}

static void keep_items(struct parser *p, struct items *items, struct hcl_body *body)
{
	body->nattrs = items->attrs.n;
	body->attrs = arena_copy_array(p->arena, items->attrs.v, body->nattrs);
	body->nblocks = items->blocks.n;
	body->blocks = arena_copy_array(p->arena, items->blocks.v, body->nblocks);
}

/* What is no item. */
static void parse_stray(struct parser *p)
{
	size_t i = p->pos;

	switch (p->v[i].kind) {
	case HCL_T_CBRACE:
		parser_fail(p, i, "This '}' closes nothing",
			    "There is one '}' too many here, or a '{' too few before.");
		p->pos++;
		return;
	case HCL_T_OQUOTE:
		parser_unexpected(p, i, "an argument or a block",
				  "Names of arguments and types of blocks stand without quotes.");
		break;
	default:
		parser_unexpected(
		    p, i, "an argument or a block",
		    "Write an argument as name = value, and a block as name \"label\" { … }.");
	}
	skip_item(p, i);
	if (p->pos == i) /* at a brace of nobody */
		p->pos++;
}

/* The items up to the brace that closes the block, which is taken, or to the end of the file. */
static struct hcl_body *parse_body(struct parser *p, size_t open, bool block)
{
	struct hcl_body *body = arena_new_obj(p->arena, struct hcl_body);
	AUTO(items) struct items items = { 0 };
	struct arena_mark mark = arena_mark(p->arena);

	p->newlines = true;
	for (;;) {
		enum hcl_token_kind kind = p->v[p->pos].kind;

		/* Of the items read, a check needs names only; reports may be in the same arena. */
		if (p->check && !p->diags->n && arena_size(p->arena) > mark.size + SCRATCH_MAX)
			arena_rewind(p->arena, mark);
		if (kind == HCL_T_NEWLINE)
			p->pos++;
		else if (kind == HCL_T_IDENT)
			parse_item(p, &items);
		else if (kind == HCL_T_EOF || (block && kind == HCL_T_CBRACE))
			break;
		else
			parse_stray(p);
	}
	body->end = parser_span(p, p->pos, p->pos);
	body->span = parser_span(p, open, p->pos);
	check_doubles(p, &items);
	if (!p->check)
		keep_items(p, &items, body);
	if (block && p->v[p->pos].kind == HCL_T_EOF && !parser_gave_up(p))
		parser_fail(p, open, "The block that begins here is never closed",
			    "Close it with '}'. The missing one may also belong to an inner "
			    "block.");
	else if (block && p->v[p->pos].kind != HCL_T_EOF)
		p->pos++;
	return body;
}

struct hcl_body *parse_file_body(struct parser *p)
{
	struct hcl_body *body = parse_body(p, 0, false);

	body->span = parser_bytes(p, 0, (uint32_t)p->text.n);
	return body;
}
