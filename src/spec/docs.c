/* Option tables as Markdown. */
#include "spec/docs.h"

#include "base/vec.h"

static const char *const type_names[] = {
	[SPEC_T_STR] = "string",
	[SPEC_T_BOOL] = "bool",
	[SPEC_T_TRIBOOL] = "bool",
	[SPEC_T_INT] = "number",
	[SPEC_T_DURATION] = "duration",
	[SPEC_T_STRS] = "list of strings",
	[SPEC_T_INTS] = "list of numbers",
	[SPEC_T_MAP] = "map of strings",
	[SPEC_T_BLOCK] = "block",
	[SPEC_T_BLOCKS] = "list of blocks",
	[SPEC_T_VALUE] = "any",
	[SPEC_T_EMBED] = "",
};

struct writer {
	struct buf *out;
	bool required; /* this pass writes required rows, or the others */
	size_t written;
	VEC(const struct spec_row *) blocks;
};

static void write_row(void *data, const struct spec_row *row)
{
	struct writer *w = data;

	if ((row->flags & SPEC_HIDDEN) || !!(row->flags & SPEC_REQUIRED) != w->required)
		return;
	if (!w->written++ && w->required)
		buf_adds(w->out, "Required:\n\n");
	else if (w->written == 1)
		buf_adds(w->out, "Optional:\n\n");
	buf_printf(w->out, "- `%s` (%s)", row->name, type_names[row->type]);
	buf_printf(w->out, " - %s", row->doc);
	if (row->choices) {
		buf_adds(w->out, " One of");
		for (size_t i = 0; row->choices[i]; i++)
			buf_printf(w->out, "%s `%s`", i ? "," : "", row->choices[i]);
		buf_addc(w->out, '.');
	}
	if (row->def)
		buf_printf(w->out, " Default: `%s`.", row->def);
	if (row->flags & SPEC_NOT_YET)
		buf_adds(w->out, " **Not yet supported by ingot.**");
	if (row->flags & SPEC_SENSITIVE)
		buf_adds(w->out, " Never shown in output.");
	buf_addc(w->out, '\n');
	if (row->type == SPEC_T_BLOCK || row->type == SPEC_T_BLOCKS)
		vec_push(&w->blocks, row);
}

static void write_options(const struct spec *spec, struct writer *w)
{
	for (int pass = 0; pass < 2; pass++) {
		w->required = pass == 0;
		w->written = 0;
		spec_each(spec, write_row, w);
		if (w->written)
			buf_addc(w->out, '\n');
	}
}

static void write_level(const struct spec *spec, struct buf *out, int level)
{
	struct writer w = { .out = out };

	write_options(spec, &w);
	for (size_t i = 0; i < w.blocks.n && level < 5; i++) {
		buf_printf(out, "%.*s The block `%s`\n\n", level, "######", w.blocks.v[i]->name);
		write_level(w.blocks.v[i]->sub, out, level + 1);
	}
	vec_release(&w.blocks);
}

void spec_write_markdown(const struct spec *spec, struct buf *out)
{
	buf_printf(out, "# %s\n\n", spec->name);
	if (spec->doc)
		buf_printf(out, "%s\n\n", spec->doc);
	write_level(spec, out, 2);
	while (out->n > 1 && out->p[out->n - 2] == '\n')
		buf_truncate(out, out->n - 1);
}
