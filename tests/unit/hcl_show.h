/* Trees of HCL as one line of text, for the unit tests: operators and kinds in prefix form. */
#ifndef INGOT_TESTS_HCL_SHOW_H
#define INGOT_TESTS_HCL_SHOW_H

#include "base/buf.h"
#include "lang/expr/print.h"
#include "lang/hcl/tree.h"

static void show_expr(const struct hcl_expr *x, struct buf *out);

static void show_list(const char *head, struct hcl_expr *const *v, size_t n, struct buf *out)
{
	buf_printf(out, "(%s", head);
	for (size_t i = 0; i < n; i++) {
		buf_addc(out, ' ');
		show_expr(v[i], out);
	}
	buf_addc(out, ')');
}

static void show_for(const struct hcl_expr *x, struct buf *out)
{
	buf_printf(out, "(for%s " STR_FMT "%s" STR_FMT " ",
		   x->loop.join	 ? "-join"
		   : x->loop.key ? "-object"
				 : "",
		   STR_ARG(x->loop.key_name), x->loop.key_name.n ? "," : "",
		   STR_ARG(x->loop.value_name));
	show_expr(x->loop.coll, out);
	if (x->loop.key) {
		buf_addc(out, ' ');
		show_expr(x->loop.key, out);
	}
	buf_addc(out, ' ');
	show_expr(x->loop.value, out);
	if (x->loop.cond) {
		buf_adds(out, " if ");
		show_expr(x->loop.cond, out);
	}
	buf_adds(out, x->loop.group ? " ...)" : ")");
}

static void show_object(const struct hcl_expr *x, struct buf *out)
{
	buf_addc(out, '{');
	for (size_t i = 0; i < x->object.n; i++) {
		buf_adds(out, i ? ", " : "");
		if (x->object.pairs[i].bare)
			buf_add_str(out, x->object.pairs[i].key->value.string);
		else
			show_expr(x->object.pairs[i].key, out);
		buf_adds(out, ": ");
		show_expr(x->object.pairs[i].value, out);
	}
	buf_addc(out, '}');
}

static void show_literal(const struct hcl_expr *x, struct buf *out)
{
	AUTO(err) struct err err = ERR_INIT;

	if (x->value.kind == VALUE_STRING)
		buf_add_json_string(out, x->value.string);
	else if (value_write_jsonencode(out, x->value, &err) < 0)
		buf_addc(out, '?');
}

static void show_expr(const struct hcl_expr *x, struct buf *out)
{
	static const char *const ops[] = { "||", "&&", "==", "!=", "<", "<=", ">",  ">=",
					   "+",	 "-",  "*",  "/",  "%", "!",  "neg" };

	switch (x->kind) {
	case HCL_LITERAL:
		show_literal(x, out);
		break;
	case HCL_TEMPLATE:
		buf_add_str(out, x->tmpl.heredoc);
		show_list(x->tmpl.wrapped ? "wrap" : "tmpl", x->tmpl.parts, x->tmpl.nparts, out);
		break;
	case HCL_VARIABLE:
		buf_add_str(out, x->ref.name);
		break;
	case HCL_ATTR:
		show_expr(x->ref.target, out);
		buf_printf(out, "." STR_FMT, STR_ARG(x->ref.name));
		break;
	case HCL_INDEX:
		show_expr(x->index.target, out);
		buf_adds(out, x->index.legacy ? ".[" : "[");
		show_expr(x->index.key, out);
		buf_addc(out, ']');
		break;
	case HCL_SPLAT:
		show_list("splat", (struct hcl_expr *const[]){ x->splat.target, x->splat.each }, 2,
			  out);
		break;
	case HCL_SPLAT_ITEM:
		buf_addc(out, '_');
		break;
	case HCL_CALL:
		buf_printf(out, "%s", x->call.expand ? "expand" : "");
		show_list(x->call.name.p, x->call.args, x->call.nargs, out);
		break;
	case HCL_CONDITIONAL:
		show_list("if",
			  (struct hcl_expr *const[]){ x->choice.cond, x->choice.yes, x->choice.no },
			  3, out);
		break;
	case HCL_BINARY:
		show_list(ops[x->op.op], (struct hcl_expr *const[]){ x->op.left, x->op.right }, 2,
			  out);
		break;
	case HCL_UNARY:
		show_list(ops[x->op.op], &x->op.right, 1, out);
		break;
	case HCL_PAREN:
		show_list("paren", &x->wrap.inner, 1, out);
		break;
	case HCL_TUPLE:
		show_list("list", x->tuple.items, x->tuple.n, out);
		break;
	case HCL_OBJECT:
		show_object(x, out);
		break;
	case HCL_FOR:
		show_for(x, out);
		break;
	}
}

/* name = expr; type "label" { … } */
static UNUSED void show_body(const struct hcl_body *b, struct buf *out)
{
	for (size_t i = 0; i < b->nattrs; i++) {
		buf_printf(out, STR_FMT " = ", STR_ARG(b->attrs[i].name));
		show_expr(b->attrs[i].expr, out);
		buf_adds(out, "; ");
	}
	for (size_t i = 0; i < b->nblocks; i++) {
		const struct hcl_block *k = &b->blocks[i];

		buf_add_str(out, k->type);
		for (size_t j = 0; j < k->nlabels; j++)
			buf_printf(out, " '" STR_FMT "'", STR_ARG(k->labels[j].text));
		buf_adds(out, " { ");
		show_body(k->body, out);
		buf_adds(out, "} ");
	}
}

#endif
