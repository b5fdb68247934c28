/* Help texts. Fixed by what scripts and people know: the usage line, "Available commands are:" with
 * four blanks before each name, one flag a line. */
#include "command/help.h"

#include "command/flags.h"

#include "base/str.h"

enum { WIDTH = 80, FLAG_COLUMN = 34 };

static void pad(struct buf *out, size_t n)
{
	while (n--)
		buf_addc(out, ' ');
}

void help_wrap(struct buf *out, size_t column, size_t indent, const char *text)
{
	bool first = true;

	while (*text) {
		size_t n = strcspn(text, " \n");

		if (n) {
			if (!first && column + 1 + n > WIDTH) {
				buf_addc(out, '\n');
				column = 0;
				first = true;
			}
			if (column < indent) {
				pad(out, indent - column);
				column = indent;
			} else if (!first) {
				buf_addc(out, ' ');
				column++;
			}
			buf_add(out, text, n);
			column += n;
			first = false;
		}
		text += n;
		if (starts_with(text, "\n\n")) {
			buf_adds(out, "\n\n");
			column = 0;
			first = true;
			text++;
		}
		if (*text)
			text++;
	}
	buf_addc(out, '\n');
}

static bool listed(const struct command *c, bool as_packer)
{
	return !c->hidden && (c->packer || !as_packer);
}

static void list_commands(const char *parent, bool as_packer, struct buf *out)
{
	size_t width = 12;

	for (const struct command *const *c = commands; *c; c++)
		if (streq((*c)->parent, parent) && listed(*c, as_packer))
			width = MAX(width, strlen((*c)->name));
	for (const struct command *const *c = commands; *c; c++)
		if (streq((*c)->parent, parent) && listed(*c, as_packer))
			buf_printf(out, "    %-*s    %s\n", (int)width, (*c)->name, (*c)->summary);
}

void help_program(const char *program, bool as_packer, struct buf *out)
{
	buf_printf(out,
		   "Usage: %s [--version] [--help] <command> [<args>]\n\nAvailable commands are:\n",
		   program);
	list_commands(NULL, as_packer, out);
	buf_addc(out, '\n');
}

void help_flag_text(const struct flag *row, struct buf *out)
{
	buf_adds(out, row->doc);
	if (row->def && row->type != FLAG_BOOL)
		buf_printf(out, " Default: %s.", row->def);
}

static void help_flag(const struct flag *row, struct buf *out)
{
	AUTO(buf) struct buf doc = BUF_INIT;
	size_t from = out->n;

	buf_printf(out, "  -%s", row->name);
	if (row->type != FLAG_BOOL)
		buf_printf(out, "=%s", row->value ? row->value : "value");
	else if (row->def && streq(row->def, "true"))
		buf_adds(out, "=false");
	if (out->n - from >= FLAG_COLUMN) {
		buf_addc(out, '\n');
		from = out->n;
	}
	pad(out, FLAG_COLUMN - (out->n - from));
	help_flag_text(row, &doc);
	help_wrap(out, FLAG_COLUMN, FLAG_COLUMN, buf_cstr(&doc));
}

void help_command(const char *program, const struct command *c, struct buf *out)
{
	bool any = false;

	buf_printf(out, "Usage: %s %s%s%s%s%s\n\n", program, c->parent ? c->parent : "",
		   c->parent ? " " : "", c->name, c->arguments ? " " : "",
		   c->arguments ? c->arguments : "");
	help_wrap(out, 0, 2, c->description ? c->description : c->summary);
	for (size_t i = 0; flags_row(c, i); i++) {
		if (!flags_shown(c, i))
			continue;
		buf_adds(out, any ? "" : "\nOptions:\n\n");
		any = true;
		help_flag(flags_row(c, i), out);
	}
	if (!c->run) {
		buf_adds(out, "\nSubcommands:\n");
		list_commands(c->name, false, out);
	}
	buf_addc(out, '\n');
}
