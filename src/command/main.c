/* The program's way from argv to a command's exit code: the name it is called by, the flags that
 * stand anywhere, help, version, and what must be right before any command runs. */
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

#include <fcntl.h>
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

PRINTF_LIKE(1, 2)
static void write_line(const char *fmt, ...)
{
	AUTO(buf) struct buf out = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&out, fmt, ap);
	va_end(ap);
	buf_addc(&out, '\n');
	ui_write(buf_str(&out));
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

/* What was wrong with a word where a command of parent (NULL: of the program) should stand. */
static void tell_unknown(const char *parent, const char *word)
{
	const char *near, *group = parent ? parent : "", *gap = parent ? " " : "";
	VEC(const char *) names = VEC_INIT;

	for (const struct command *const *c = commands; *c; c++)
		if (streq((*c)->parent, parent))
			vec_push(&names, (*c)->name);
	near = str_nearest(word, names.v, names.n);
	if (near)
		write_line("There is no command \"%s%s%s\"; did you mean \"%s%s%s\"?", group, gap,
			   word, group, gap, near);
	else
		write_line("There is no command \"%s%s%s\".", group, gap, word);
	vec_release(&names);
}

/* A group without one of its commands. */
static int show_group(const struct line *l)
{
	show_command_help(l, 1);
	if (l->words.v[l->at])
		tell_unknown(l->command->name, l->words.v[l->at]);
	return 1;
}

/* The arguments of the usage line begin with the one that is missing, behind the options. */
static void tell_missing(const struct command *c)
{
	const char *what = c->arguments;

	while (what && *what == '[') {
		what = strchr(what, ']');
		if (what)
			what += 1 + strspn(what + 1, " ");
	}
	if (what && *what)
		write_line("Missing argument: %.*s", (int)strcspn(what, " "), what);
}

static int show_wrong_arguments(const struct line *l, const struct invocation *in)
{
	size_t max = in->command->max_args < 0 ? in->nargs : (size_t)in->command->max_args;

	show_command_help(l, 1);
	if (in->nargs < (size_t)in->command->min_args) {
		tell_missing(in->command);
		return 1;
	}
	for (size_t i = 1; i < in->nargs; i++)
		if (in->args[i][0] == '-' && in->args[i][1]) {
			write_line("Flags come before the arguments: move %s before %s.",
				   in->args[i], in->args[0]);
			return 1;
		}
	write_line("Unexpected argument: %s", in->args[max]);
	return 1;
}

static int run_command(const struct line *l)
{
	const struct command *c = l->command;
	AUTO(flags) struct flags *flags = NULL;
	AUTO(err) struct err err = ERR_INIT;
	char **words = &l->words.v[l->at];
	struct invocation in = { .command = c,
				 .program = l->program,
				 .as_packer = l->as_packer,
				 .machine_readable = l->machine_readable,
				 .args = words };

	if (!c->run)
		return show_group(l);
	if (!c->raw && flags_parse(c, words, &flags, &in.args, &err) < 0) {
		show_command_help(l, 1);
		write_line("%s", err.msg);
		return 1;
	}
	in.flags = flags;
	while (in.args[in.nargs])
		in.nargs++;
	if (!c->raw && (in.nargs < (size_t)c->min_args ||
			(c->max_args >= 0 && in.nargs > (size_t)c->max_args)))
		return show_wrong_arguments(l, &in);
	return c->run(&in);
}

/* The settings file: nothing in it concerns ingot, but one that is broken stops every command. */
static int check_settings(struct err *err)
{
	const char *path = os_env("PACKER_CONFIG");
	AUTO(buf) struct buf text = BUF_INIT;
	auto_free char *home = NULL, *own = NULL;
	json_error_t why;
	json_t *tree;
	bool object;

	if (!path) {
		home = os_home(false);
		path = own = home ? os_path_join(home, ".packerconfig") : NULL;
	}
	if (!path || !os_exists(path))
		return 0;
	if (os_read_file(path, 1 << 20, &text, err) < 0)
		return -1;
	tree = json_loadb(buf_cstr(&text), text.n, JSON_DECODE_ANY, &why);
	if (!tree)
		return err_set(err, ERR_INVALID, "%s:%d:%d: %s", path, why.line, why.column,
			       why.text);
	object = json_is_object(tree) || json_is_null(tree);
	json_decref(tree);
	return object ? 0 : err_set(err, ERR_INVALID, "%s: the settings are an object", path);
}

PRINTF_LIKE(1, 2)
static void complain(const char *fmt, ...)
{
	AUTO(buf) struct buf out = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&out, fmt, ap);
	va_end(ap);
	if (os_write_all(STDERR_FILENO, out.p, out.n) < 0)
		return; /* nowhere left to say it */
}

static bool prepare(void)
{
	AUTO(err) struct err err = ERR_INIT;

	if (log_open(&err) < 0) {
		complain("Couldn't setup log output: %s", err.msg);
		return false;
	}
	log_line("[INFO] Packer version: %s (ingot %s)", VERSION_PACKER, INGOT_VERSION);
	if (check_settings(&err) < 0) {
		complain(" Error loading configuration: \n\n%s\n", err.msg);
		return false;
	}
	return true;
}

/* `ingot help [COMMAND [COMMAND]]`. The reference has no such command: as packer it is unknown. */
static int show_asked_help(struct line *l)
{
	const char *word = l->words.v[l->at];

	if (!word)
		return show_program_help(l, 0);
	find_command(l, l->at);
	if (l->command)
		return show_command_help(l, 0);
	show_program_help(l, EXIT_NO_COMMAND);
	tell_unknown(NULL, word);
	return EXIT_NO_COMMAND;
}

static int no_command(struct line *l)
{
	const char *word = l->at ? l->words.v[l->at - 1] : NULL;

	if (word && !l->as_packer && streq(word, "help"))
		return show_asked_help(l);
	show_program_help(l, EXIT_NO_COMMAND);
	if (word && !streq(word, "help"))
		tell_unknown(NULL, word);
	return l->help && !l->at ? 0 : EXIT_NO_COMMAND;
}

static int dispatch(struct line *l)
{
	if (!prepare())
		return 1;
	if (l->version)
		return version_print(l->as_packer, l->machine_readable);
	if (!l->command)
		return no_command(l);
	if (l->help)
		return show_command_help(l, 0);
	if (l->stray_flags) {
		ui_write(STR("Flags of a command come after its name.\n\n"));
		return show_command_help(l, 1);
	}
	return run_command(l);
}

/* A caller may close the standard streams; the next files must not take their numbers. */
static void fill_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return;
}

int command_main(int argc, char **argv)
{
	struct line l = { .program = "ingot" };
	int code;

	fill_standard_streams();
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
