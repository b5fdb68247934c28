/* From a template's parts to its tree. */
#include "lang/hcl/template.h"

struct building {
	struct parser *p;
	const struct template_part *v;
	size_t n, i;
	struct span span; /* all of the template */
};

static struct hcl_expr *build_if(struct building *b);
static struct hcl_expr *build_for(struct building *b);

static struct hcl_expr *text_expr(struct parser *p, struct str text, struct span span)
{
	struct hcl_expr *x = expr_new(p, HCL_LITERAL, span);

	x->value = value_string(text, span);
	return x;
}

/* Everything up to a directive that ends something, as a template. NULL after a mistake. */
static struct hcl_expr *build_parts(struct building *b, struct span where)
{
	struct parser *p = b->p;
	size_t base = p->exprs.n;
	struct hcl_expr *x = expr_new(p, HCL_TEMPLATE, where);

	for (; b->i < b->n; b->i++) {
		const struct template_part *part = &b->v[b->i];
		struct hcl_expr *child;

		if (part->kind == PART_ELSE || part->kind == PART_ENDIF ||
		    part->kind == PART_ENDFOR)
			break;
		child = part->kind == PART_TEXT	   ? text_expr(p, part->text, part->span)
			: part->kind == PART_VALUE ? part->expr
			: part->kind == PART_IF	   ? build_if(b)
						   : build_for(b);
		if (!child) {
			p->exprs.n = base;
			return NULL;
		}
		vec_push(&p->exprs, child);
	}
	if (p->exprs.n == base)
		vec_push(&p->exprs, text_expr(p, (struct str){ "", 0 },
					      (struct span){ where.src, where.to, where.to }));
	x->tmpl.nparts = p->exprs.n - base;
	x->tmpl.parts = arena_copy_array(p->arena, p->exprs.v + base, x->tmpl.nparts);
	x->span = span_join(x->tmpl.parts[0]->span, x->tmpl.parts[x->tmpl.nparts - 1]->span);
	p->exprs.n = base;
	return x;
}

/* The directive that ends `open`: of that kind, or a report. */
static const struct template_part *build_end(struct building *b, const struct template_part *open,
					     enum part_kind kind, bool or_else)
{
	static const char *const words[] = {
		[PART_ELSE] = "else", [PART_ENDIF] = "endif", [PART_ENDFOR] = "endfor"
	};
	const struct template_part *end = b->i < b->n ? &b->v[b->i] : NULL;
	unsigned line = source_position(open->span.src, open->span.from).line;
	const char *what = open->kind == PART_IF ? "if" : "for";

	if (end && (end->kind == kind || (or_else && end->kind == PART_ELSE)))
		return end;
	if (!end)
		parser_fail_at(
		    b->p, open->span, open->token,
		    arena_printf(b->p->arena, "This %%{%s} has no %%{%s}", what, words[kind]),
		    arena_printf(b->p->arena,
				 "It ends what is repeated or left out. The text ends at %s:%u.",
				 b->span.src->name,
				 source_position(b->span.src, b->span.to).line));
	else
		parser_fail_at(
		    b->p, end->span, end->token,
		    arena_printf(b->p->arena, "%%{%s} cannot end the %%{%s} of line %u",
				 words[end->kind], what, line),
		    arena_printf(b->p->arena, "%%{%s} belongs here first.", words[kind]));
	return NULL;
}

/* Both leave the position at the closing directive. */
static struct hcl_expr *build_if(struct building *b)
{
	const struct template_part *open = &b->v[b->i++], *end;
	struct hcl_expr *x = expr_new(b->p, HCL_CONDITIONAL, open->span);
	bool deep = parser_down(b->p, open->token);

	x->choice.cond = open->expr;
	x->choice.yes = deep ? build_parts(b, open->span) : NULL;
	end = x->choice.yes ? build_end(b, open, PART_ENDIF, true) : NULL;
	if (end && end->kind == PART_ELSE) {
		b->i++;
		x->choice.no = build_parts(b, end->span);
		end = x->choice.no ? build_end(b, open, PART_ENDIF, false) : NULL;
	} else if (end) {
		struct building none = { .p = b->p };

		x->choice.no = build_parts(
		    &none, (struct span){ end->span.src, end->span.from, end->span.from });
	}
	parser_up(b->p);
	if (!end)
		return NULL;
	x->span = span_join(open->span, end->span);
	return x;
}

static struct hcl_expr *build_for(struct building *b)
{
	const struct template_part *open = &b->v[b->i++], *end;
	struct hcl_expr *x = open->expr;
	bool deep = parser_down(b->p, open->token);

	x->loop.join = true;
	x->loop.value = deep ? build_parts(b, open->span) : NULL;
	end = x->loop.value ? build_end(b, open, PART_ENDFOR, false) : NULL;
	parser_up(b->p);
	if (!end)
		return NULL;
	x->span = span_join(open->span, end->span);
	return x;
}

struct hcl_expr *template_tree(struct parser *p, size_t base, bool text, struct span span)
{
	struct building b = {
		.p = p, .v = p->parts.v + base, .n = p->parts.n - base, .span = span
	};
	struct hcl_expr *x;

	if (b.n == 1 && b.v[0].kind == PART_TEXT && text)
		return text_expr(p, b.v[0].text, span);
	x = build_parts(&b, span);
	if (x && b.i < b.n)
		x = parser_fail_at(
		    p, b.v[b.i].span, b.v[b.i].token, "This directive ends nothing",
		    "The %{if} or %{for} that it belongs to is missing, or was ended before.");
	if (!x)
		return NULL;
	x->span = span;
	x->tmpl.wrapped = b.n == 1 && b.v[0].kind == PART_VALUE;
	return x;
}
