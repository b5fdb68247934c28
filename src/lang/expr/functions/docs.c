/* Functions as Markdown. */
#include "lang/expr/functions/docs.h"

void func_write_signature(const struct func *f, struct buf *out)
{
	buf_printf(out, "%s(", f->name);
	for (size_t i = 0; i < f->nparams; i++)
		buf_printf(out, "%s%s", i ? ", " : "", f->params[i].name);
	buf_printf(out, "%s)", f->flags & FUNC_VARIADIC ? "..." : "");
}

/* "list of string", "any value"; a lazy function takes what is written there. */
static void write_type(struct buf *out, struct arena *scratch, const struct type *t, bool lazy)
{
	if (lazy)
		buf_adds(out, "an expression");
	else if (t->kind == TYPE_ANY)
		buf_adds(out, "any value");
	else
		buf_printf(out, "`" STR_FMT "`", STR_ARG(type_text(scratch, t)));
}

static void write_types(const struct func *f, struct buf *out)
{
	AUTO(arena) struct arena *scratch = arena_new();

	for (size_t i = 0; i < f->nparams; i++) {
		bool rest = f->flags & FUNC_VARIADIC && i + 1 == f->nparams;

		buf_printf(out, "- `%s`: ", f->params[i].name);
		write_type(out, scratch, f->params[i].type, f->flags & FUNC_LAZY);
		if (f->params[i].flags & PARAM_NULL)
			buf_adds(out, ", also null");
		buf_printf(out, "%s\n", rest ? ", any number of times" : "");
	}
	buf_adds(out, "- result: ");
	write_type(out, scratch, f->returns, false);
	buf_adds(out, "\n\n");
}

void func_write_markdown(const struct func *f, struct buf *out)
{
	buf_addc(out, '`');
	func_write_signature(f, out);
	buf_printf(out, "`\n\n%s\n\n", f->doc);
	write_types(f, out);
	buf_adds(out, "```\n");
	for (size_t i = 0; i < f->nexamples; i++)
		buf_printf(out, "> %s\n%s%s", f->examples[i].expr,
			   f->examples[i].result ? f->examples[i].result : "",
			   f->examples[i].result ? "\n" : "");
	buf_adds(out, "```\n");
}

void func_write_page(const struct func_group *const *groups, struct buf *out)
{
	buf_adds(out, "# Functions\n\n"
		      "The functions of HCL2 templates. Examples show the result as `jsonencode` "
		      "gives it; those without one depend on time, chance, files or servers. "
		      "`ingot docs NAME` prints one of them, and `ingot console` tries them "
		      "out.\n");
	for (; *groups; groups++) {
		buf_printf(out, "\n## %s\n", (*groups)->name);
		for (size_t i = 0; i < (*groups)->n; i++) {
			buf_printf(out, "\n### %s\n\n", (*groups)->rows[i].name);
			func_write_markdown(&(*groups)->rows[i], out);
		}
	}
}
