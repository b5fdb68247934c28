/* console: expressions against a template's values, one a line. Piped, it evaluates all lines and
 * prints the answer to the last one, as scripts know it from the reference; on a terminal it is a
 * conversation. */
#include "command/command.h"
#include "command/console_edit.h"
#include "command/template_flags.h"
#include "command/ui.h"

#include "base/os.h"
#include "lang/hcl/token.h"

#include <unistd.h>

#define INPUT_MAX ((size_t)64 << 20)

static const char help_hcl[] =
	"The console evaluates HCL2 expressions. They can use all functions and, if you\n"
	"started it with a template, its variables, locals and data sources.\n"
	"\n"
	"Type an expression and press Enter:\n"
	"upper(var.region) shows the variable region in upper case.\n"
	"\n"
	"  variables   shows all variables and locals with their values\n"
	"  help        shows this text\n"
	"  exit        leaves the console; so do Ctrl-D and Ctrl-C\n"
	"\n"
	"The {{ }} functions of JSON templates do not work here.";

static const char help_json[] =
	"The console renders the {{ }} functions of JSON templates, with the variables of\n"
	"the template it was started with.\n"
	"\n"
	"Type some text and press Enter: {{user `region`}} shows the variable region,\n"
	"{{timestamp}} the Unix time.\n"
	"\n"
	"  variables   shows all variables with their values\n"
	"  help        shows this text\n"
	"  exit        leaves the console; so do Ctrl-D and Ctrl-C\n"
	"\n"
	"For HCL2 expressions without a template, start it with -config-type=hcl2.";

struct session {
	const struct invocation *in;
	struct template_console *console;
	bool hcl;
};

/* 1 if there was an error. */
static int say_diagnostics(const struct invocation *in, const struct diags *d)
{
	ui_diags(in, d, DIAG_WARNING, NULL);
	return d->errors > 0;
}

/* The answer to a line, into out; its mistakes are printed. Returns whether there was an error. */
static int answer(struct session *s, struct str line, struct buf *out)
{
	AUTO(arena) struct arena *a = arena_new();
	struct str text = { 0 };
	struct diags d;

	if (!line.n || str_eqs(line, "exit"))
		return 0;
	if (str_eqs(line, "help")) {
		buf_adds(out, s->hcl ? help_hcl : help_json);
		return 0;
	}
	if (str_eqs(line, "variables")) {
		template_console_variables(s->console, out);
		return 0;
	}
	diags_init(&d, a);
	if (template_console_eval(s->console, a, line, &d, &text) == 0)
		buf_add_str(out, text);
	return say_diagnostics(s->in, &d);
}

static int piped(struct session *s)
{
	AUTO(buf) struct buf text = BUF_INIT, last = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct str rest, line;
	int rc = 0;

	if (os_read_fd(STDIN_FILENO, "standard input", INPUT_MAX, &text, &err) < 0) {
		ui_error(s->in, "%s", err.msg);
		return 1;
	}
	rest = buf_str(&text);
	if (rest.n && rest.p[rest.n - 1] == '\n')
		rest.n--;
	else if (!rest.n)
		rest.p = NULL;
	while (rest.p && str_split(&rest, '\n', &line)) {
		buf_reset(&last);
		rc |= answer(s, str_trim(line), &last);
	}
	ui_message(s->in, buf_str(&last));
	return rc;
}

static size_t complete(void *data, struct arena *a, struct str before, const char **names,
		       size_t max)
{
	return template_console_complete(((struct session *)data)->console, a, before, names, max);
}

/* Whether a bracket, ${ or heredoc that the text opens is still open: then it goes on in the next
 * line. */
static bool is_open(struct str text)
{
	AUTO(arena) struct arena *a = arena_new();
	struct hcl_tokens tokens = hcl_lex(a, text, HCL_LEX_EXPR);
	int depth = 0;

	for (size_t i = 0; i < tokens.n; i++) {
		switch (tokens.v[i].kind) {
		case HCL_T_OBRACE:
		case HCL_T_OBRACK:
		case HCL_T_OPAREN:
		case HCL_T_TEMPLATE_INTERP:
		case HCL_T_TEMPLATE_CONTROL:
		case HCL_T_OHEREDOC:
			depth++;
			break;
		case HCL_T_CBRACE:
		case HCL_T_CBRACK:
		case HCL_T_CPAREN:
		case HCL_T_TEMPLATE_END:
		case HCL_T_CHEREDOC:
			depth--;
			break;
		default:
			break;
		}
	}
	return depth > 0;
}

/* An expression, which may have several lines; an empty line ends it in any case. */
static bool read_expression(struct session *s, struct console_edit *edit, struct buf *ret)
{
	AUTO(buf) struct buf line = BUF_INIT;

	buf_reset(ret);
	if (!console_edit_line(edit, "> ", ret))
		return false;
	while (s->hcl && is_open(buf_str(ret))) {
		if (!console_edit_line(edit, ". ", &line))
			return false;
		if (!line.n)
			break;
		buf_addc(ret, '\n');
		buf_add_str(ret, buf_str(&line));
	}
	return true;
}

static int conversation(struct session *s)
{
	AUTO(console_edit) struct console_edit *edit = console_edit_new(complete, s);
	AUTO(buf) struct buf line = BUF_INIT;

	while (read_expression(s, edit, &line)) {
		AUTO(buf) struct buf out = BUF_INIT;
		struct str text = str_trim(buf_str(&line));

		if (str_eqs(text, "exit"))
			break;
		if (!text.n)
			continue;
		if (answer(s, text, &out) == 0)
			ui_message(s->in, buf_str(&out));
	}
	return 0;
}

static int run(const struct invocation *in)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(err) struct err err = ERR_INIT;
	struct template_args args = { 0 };
	struct session s = { .in = in };
	struct diags d;

	diags_init(&d, a);
	template_args_from(in, a, &args);
	if (in->nargs > 1) /* the reference falls back to its default template */
		args.path = NULL;
	s.hcl = template_is_hcl(&args);
	if (template_console_open(&args, a, &d, &s.console, &err) < 0) {
		say_diagnostics(in, &d);
		if (err_any(&err))
			ui_error(in, "%s", err.msg);
		return 1;
	}
	if (s.hcl || isatty(STDIN_FILENO)) /* scripts know no mistakes of JSON templates here */
		say_diagnostics(in, &d);
	return isatty(STDIN_FILENO) ? conversation(&s) : piped(&s);
}

static const struct flag flags[] = {
	{ "use-sequential-evaluation", FLAG_BOOL,
	  .doc = "Accepted for compatibility; locals and data sources are always evaluated in "
		 "dependency order." },
};

const struct command command_console = {
	.name = "console",
	.arguments = "[options] [TEMPLATE]",
	.summary = "Try expressions",
	.description =
		"Evaluates expressions that can use the variables, locals and data sources of a "
		"template. On a terminal it keeps a history and completes names with Tab. With "
		"piped input it prints only the answer to the last line.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.more_flags = template_flags,
	.nmore_flags = NTEMPLATE_FLAGS,
	.max_args = -1,
	.packer = true,
	.run = run,
};
