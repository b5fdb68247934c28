/* man: the manual page in troff, printed from the tables (hidden; for make install). */
#include "command/command.h"
#include "command/flags.h"
#include "command/help.h"
#include "command/ui.h"

#include "base/str.h"

/* Text with what troff would take for itself made plain. */
static void add_text(struct buf *out, const char *s)
{
	bool line_start = true;

	for (; *s; s++) {
		if (line_start && (*s == '.' || *s == '\''))
			buf_adds(out, "\\&");
		if (*s == '\\')
			buf_adds(out, "\\e");
		else if (*s == '-')
			buf_adds(out, "\\-");
		else if (starts_with(s, "\n\n"))
			buf_adds(out, "\n.PP");
		else
			buf_addc(out, *s);
		line_start = *s == '\n';
	}
}

static void add_flag(struct buf *out, const struct flag *row)
{
	AUTO(buf) struct buf doc = BUF_INIT;

	buf_adds(out, ".TP\n.B ");
	buf_printf(out, "\\-%s", row->name);
	if (row->type != FLAG_BOOL) {
		buf_adds(out, "=");
		add_text(out, row->value ? row->value : "value");
	}
	if (row->type == FLAG_BOOL && row->def && streq(row->def, "true"))
		buf_adds(out, "=false");
	buf_addc(out, '\n');
	help_flag_text(row, &doc);
	add_text(out, buf_cstr(&doc));
	buf_addc(out, '\n');
}

static void add_command(struct buf *out, const struct command *c)
{
	if (c->hidden)
		return;
	buf_adds(out, ".SS ");
	buf_printf(out, "ingot %s%s%s ", c->parent ? c->parent : "", c->parent ? " " : "", c->name);
	add_text(out, c->arguments ? c->arguments : "");
	buf_addc(out, '\n');
	add_text(out, c->description ? c->description : c->summary);
	buf_adds(out, c->description ? "\n" : ".\n");
	for (size_t i = 0; flags_row(c, i); i++)
		if (flags_shown(c, i))
			add_flag(out, flags_row(c, i));
}

static const char head[] =
	".TH INGOT 1 \"\" \"ingot " INGOT_VERSION "\" \"User Commands\"\n"
	".SH NAME\n"
	"ingot \\- build golden machine images from Packer templates\n"
	".SH SYNOPSIS\n"
	".B ingot\n"
	"[\\-\\-version] [\\-\\-help] <command> [<args>]\n"
	".SH DESCRIPTION\n"
	"ingot builds machine images for Amazon EC2 from Packer templates.\n"
	"With \\fBbuild \\-local\\fR it needs no AWS account: it builds on a local cloud inside\n"
	"the same program.\n"
	"It takes Packer's commands and flags; when called as packer, it behaves as Packer does.\n"
	"Flags start with one or two dashes and come before the arguments.\n"
	".SH COMMANDS\n";
static const char tail[] =
	".SH EXIT STATUS\n"
	"0 on success, 1 on any error, 127 if there is no such command.\n"
	"\\fBfmt \\-check\\fR: 3 if a file is not formatted.\n"
	"\\fBcloud status\\fR: 3 if the local cloud is down.\n"
	".SH ENVIRONMENT\n"
	".TP\n"
	".B PACKER_LOG\n"
	"If not empty and not 0: log to standard error.\n"
	".TP\n"
	".B PACKER_LOG_PATH\n"
	"File to log to.\n"
	".TP\n"
	".B PACKER_NO_COLOR\n"
	"If not empty: print without colours.\n"
	".TP\n"
	".B INGOT_STATE_DIR\n"
	"Directory of the run journals that sweep reads, and of the console's history.\n"
	"Default: $XDG_STATE_HOME/ingot, else ~/.local/state/ingot.\n"
	".TP\n"
	".B INGOT_CLOUD_DATA\n"
	"Data directory of the local cloud.\n"
	"Default: $XDG_DATA_HOME/ingot/cloud, else ~/.local/share/ingot/cloud.\n"
	".TP\n"
	".B INGOT_RUN_TAG\n"
	"Key of the tag that every resource carries while a build runs.\n"
	"Default: ingot:run. If empty: no tag.\n"
	".TP\n"
	".B AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_REGION, AWS_ENDPOINT_URL, \\fRand others\n"
	"As in other AWS tools.\n";

static int run(const struct invocation *in)
{
	AUTO(buf) struct buf out = BUF_INIT;

	(void)in;
	buf_adds(&out, head);
	for (const struct command *const *c = commands; *c; c++)
		add_command(&out, *c);
	buf_adds(&out, tail);
	ui_write(buf_str(&out));
	return 0;
}

const struct command command_man = {
	.name = "man",
	.summary = "Print the manual page",
	.description = "Prints the manual page in troff format, for man(1).",
	.hidden = true,
	.run = run,
};
