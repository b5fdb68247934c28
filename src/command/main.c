/* The program's way from argv to a command's exit code (cli.md 1 to 3): the name it is called by,
 * the flags that stand anywhere, help, version, and what must be right before any command runs. */
#include "command/main.h"

#include "command/command.h"
#include "command/flags.h"
#include "command/help.h"
#include "command/ui.h"
#include "command/version.h"

#include "base/log.h"
#include "base/os.h"
#include "base/str.h"
#include "base/vec.h"

#include <jansson.h>
#include <unistd.h>

enum { EXIT_NO_COMMAND = 127 };

/* The command line, taken apart. */
struct line {
	const char *program;
	bool as_packer, machine_readable, help, version, stray_flags;
	VEC(char *) words; /* NULL-terminated; without the program and -machine-readable */
	size_t at;	   /* of the first word after the command's name; 0: no command named */
	const struct command *command;
};

static bool is_help(const char *s)
{
	return streq(s, "-h") || streq(s, "-help") || streq(s, "--help");
}

static bool is_version(const char *s)
{
	return streq(s, "-v") || streq(s, "-version") || streq(s, "--version");
}

static void find_command(struct line *l, size_t i)
{
	const struct command *child;

	l->at = i + 1;
	l->command = command_find(NULL, l->words.v[i]);
	if (!l->command || !l->words.v[i + 1])
		return;
	child = command_find(l->command->name, l->words.v[i + 1]);
	if (child) {
		l->command = child;
		l->at++;
	}
}

static void take_apart(struct line *l, char **argv)
{
	for (argv++; *argv; argv++) {
		if (!l->machine_readable && streq(*argv, "-machine-readable"))
			l->machine_readable = true;
		else
			vec_push(&l->words, *argv);
	}
	vec_push(&l->words, NULL);
	for (size_t i = 0; l->words.v[i]; i++) {
		const char *word = l->words.v[i];

		if (streq(word, "--"))
			break;
		if (is_help(word))
			l->help = true;
		else if (!l->at && is_version(word))
			l->version = true;
		else if (!l->at && word[0] == '-')
			l->stray_flags = true;
		else if (!l->at)
			find_command(l, i);
	}
}

static int show_command_help(const struct line *l, int code)
{
	AUTO(buf) struct buf out = BUF_INIT;

	help_command(l->program, l->command, &out);
	ui_write(buf_str(&out));
	return code;
}

static int show_program_help(const struct line *l, int code)
{
	AUTO(buf) struct buf out = BUF_INIT;

	help_program(l->program, l->as_packer, &out);
	ui_write(buf_str(&out));
	return code;
}

/* A group without one of its commands: the list of them, and what was wrong with the word that
 * stands there. */
static int show_group(const struct line *l)
{
	AUTO(buf) struct buf line = BUF_INIT;
	const char *word = l->words.v[l->at], *near = NULL;
	VEC(const char *) names = VEC_INIT;

	show_command_help(l, 1);
	if (!word)
		return 1;
	for (const struct command *const *c = commands; *c; c++)
		if (streq((*c)->parent, l->command->name))
			vec_push(&names, (*c)->name);
	near = str_nearest(word, names.v, names.n);
	buf_printf(&line, "There is no command \"%s %s\"", l->command->name, word);
	if (near)
		buf_printf(&line, "; did you mean \"%s %s\"?", l->command->name, near);
	buf_addc(&line, '\n');
	ui_write(buf_str(&line));
	vec_release(&names);
	return 1;
}

static int run_command(const struct line *l)
{
	const struct command *c = l->command;
	AUTO(flags) struct flags *flags = NULL;
	AUTO(err) struct err err = ERR_INIT;
	struct invocation in = { .command = c,
				 .program = l->program,
				 .as_packer = l->as_packer,
				 .machine_readable = l->machine_readable,
				 .args = &l->words.v[l->at] };

	if (!c->run)
		return show_group(l);
	if (!c->raw && flags_parse(c, in.args, &flags, &in.args, &err) < 0) {
		AUTO(buf) struct buf line = BUF_INIT;

		show_command_help(l, 1);
		buf_printf(&line, "%s\n", err.msg);
		ui_write(buf_str(&line));
		return 1;
	}
	in.flags = flags;
	while (in.args[in.nargs])
		in.nargs++;
	if (!c->raw && (in.nargs < (size_t)c->min_args ||
			(c->max_args >= 0 && in.nargs > (size_t)c->max_args)))
		return show_command_help(l, 1);
	return c->run(&in);
}

/* The settings file (cli.md 9): nothing in it concerns ingot, but one that is broken stops every
 * command. */
static int check_settings(struct err *err)
{
	const char *path = os_env("PACKER_CONFIG");
	AUTO(buf) struct buf text = BUF_INIT;
	auto_free char *home = NULL, *own = NULL;
	json_error_t why;
	json_t *tree;

	if (!path) {
		home = os_home(false);
		path = own = home ? os_path_join(home, ".packerconfig") : NULL;
	}
	if (!path || !os_exists(path))
		return 0;
	if (os_read_file(path, 1 << 20, &text, err) < 0)
		return -1;
	tree = json_loadb(buf_cstr(&text), text.n, 0, &why);
	if (!tree)
		return err_set(err, ERR_INVALID, "%s:%d:%d: %s", path, why.line, why.column,
			       why.text);
	json_decref(tree);
	return 0;
}

static void complain(const char *fmt, const char *what)
{
	AUTO(buf) struct buf out = BUF_INIT;

	buf_adds(&out, fmt);
	buf_adds(&out, what);
	if (os_write_all(STDERR_FILENO, out.p, out.n) < 0)
		return; /* nowhere left to say it */
}

static bool prepare(void)
{
	AUTO(err) struct err err = ERR_INIT;

	if (log_open(&err) < 0) {
		complain("Couldn't setup log output: ", err.msg);
		return false;
	}
	log_line("[INFO] Packer version: %s (ingot %s)", VERSION_PACKER, INGOT_VERSION);
	if (check_settings(&err) < 0) {
		complain(" Error loading configuration: \n\n", err.msg);
		complain("\n", "");
		return false;
	}
	return true;
}

static int dispatch(const struct line *l)
{
	if (!prepare())
		return 1;
	if (l->version)
		return version_print(l->as_packer, false);
	if (!l->command)
		return show_program_help(l, l->help && !l->at ? 0 : EXIT_NO_COMMAND);
	if (l->help)
		return show_command_help(l, 0);
	if (l->stray_flags) {
		ui_write(STR("Flags of a command stand after its name.\n\n"));
		return show_command_help(l, 1);
	}
	return run_command(l);
}

int command_main(int argc, char **argv)
{
	struct line l = { .program = "ingot" };
	int code;

	if (argc > 0 && streq(os_basename(argv[0]), "packer")) {
		l.program = "packer";
		l.as_packer = true;
	}
	take_apart(&l, argc > 0 ? argv : (char *[]){ "ingot", NULL });
	code = dispatch(&l);
	vec_release(&l.words);
	log_close();
	return code;
}
