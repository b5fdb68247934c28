/* Flags in Go's grammar, and the help that is printed from their rows. */
#include "command/flags.h"
#include "command/help.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *const colors[] = { "red", "blue", NULL };
static const struct flag rows[] = {
	{ "force", FLAG_BOOL, .doc = "Force." },
	{ "color", FLAG_BOOL, .def = "true", .doc = "No colours." },
	{ "name", FLAG_STRING, "text", "none", .doc = "A name." },
	{ "paint", FLAG_STRING, "colour", .choices = colors, .doc = "A colour." },
	{ "n", FLAG_INT, "count", "7", .doc = "A number." },
	{ "only", FLAG_LIST, "a,b", .doc = "A list." },
	{ "file", FLAG_REPEAT, "path", .doc = "Many." },
};
static const struct flag more[] = { { "var", FLAG_PAIR, "name=value", .doc = "Pairs." } };
static int nothing(const struct invocation *in)
{
	return in->nargs > 0;
}

#define COMMAND \
	.name = "try", .arguments = "[options] THING", .summary = "Try it", .flags = rows, \
	.nflags = ARRAY_LEN(rows), .more_flags = more, .nmore_flags = ARRAY_LEN(more), \
	.run = nothing
static const struct command command = { COMMAND };
static const struct command anywhere = { COMMAND, .flags_anywhere = true };

/* All values in one line, then the arguments. */
static void show(const struct flags *f, char *const *args, struct buf *out)
{
	buf_printf(out, "%d %d %s %s %lld", flags_bool(f, "force"), flags_bool(f, "color"),
		   flags_string(f, "name"),
		   flags_string(f, "paint") ? flags_string(f, "paint") : "-",
		   (long long)flags_int(f, "n"));
	for (char *const *v = flags_list(f, "only"); *v; v++)
		buf_printf(out, " o:%s", *v);
	for (char *const *v = flags_list(f, "file"); *v; v++)
		buf_printf(out, " f:%s", *v);
	for (char *const *v = flags_list(f, "var"); *v; v++)
		buf_printf(out, " v:%s", *v);
	for (; *args; args++)
		buf_printf(out, " [%s]", *args);
}

enum { WORDS_MAX = 8 };

struct line {
	const char *words[WORDS_MAX];
	const char *want; /* starts with "! ": the error */
};

static void check_lines(const struct command *c, const struct line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO(err) struct err err = ERR_INIT;
		AUTO(flags) struct flags *f = NULL;
		AUTO(buf) struct buf out = BUF_INIT;
		char *argv[WORDS_MAX], *const *args = NULL;

		memcpy(argv, lines[i].words, sizeof(argv));
		if (flags_parse(c, argv, &f, &args, &err) < 0)
			buf_printf(&out, "! %s", err.msg);
		else
			show(f, args, &out);
		assert_string_equal(buf_cstr(&out), lines[i].want);
	}
}

static void test_parse(void **state)
{
	static const struct line lines[] = {
		{ { NULL }, "0 1 none - 7" },
		{ { "-force", "t.json" }, "1 1 none - 7 [t.json]" },
		{ { "--force=false", "--color=0" }, "0 0 none - 7" },
		/* booleans take no separate value */
		{ { "-force", "true" }, "1 1 none - 7 [true]" },
		{ { "-name", "x", "-name=y", "-n", "-3" }, "0 1 y - -3" },
		{ { "-name=", "-n=0" }, "0 1  - 0" },
		{ { "-only=a,b", "-only", "c", "-file", "x,y" }, "0 1 none - 7 o:a o:b o:c f:x,y" },
		{ { "-var", "a=b=c", "-var=d=" }, "0 1 none - 7 v:a=b=c v:d=" },
		{ { "t.json", "-force" }, "0 1 none - 7 [t.json] [-force]" },
		{ { "--", "-force" }, "0 1 none - 7 [-force]" },
		{ { "-", "-force" }, "0 1 none - 7 [-] [-force]" },
		{ { "-paint=blue" }, "0 1 none blue 7" },
		{ { "-nope" }, "! flag provided but not defined: -nope" },
		{ { "-name" }, "! flag needs an argument: -name" },
		{ { "-force=perhaps" },
		  "! invalid boolean value \"perhaps\" for -force: parse error" },
		{ { "-n=many" }, "! invalid value \"many\" for flag -n: parse error" },
		{ { "-paint", "green" },
		  "! invalid value \"green\" for flag -paint: expected one of [\"red\" \"blue\"]" },
		{ { "-var", "x" }, "! invalid value \"x\" for flag -var: expected name=value" },
		{ { "-var=" }, "! invalid value \"\" for flag -var: expected name=value" },
		{ { "---force" }, "! bad flag syntax: ---force" },
		{ { "-=x" }, "! bad flag syntax: -=x" },
	};

	(void)state;
	check_lines(&command, lines, ARRAY_LEN(lines));
}

static void test_flags_anywhere(void **state)
{
	static const struct line lines[] = {
		{ { NULL }, "0 1 none - 7" },
		{ { "-name", "x", "FILE", "-n=1" }, "0 1 x - 1 [FILE]" },
		{ { "FILE", "-force", "-name", "x", "-" }, "1 1 x - 7 [FILE] [-]" },
		{ { "FILE", "--", "-force" }, "0 1 none - 7 [FILE] [-force]" },
		{ { "FILE", "-name" }, "! flag needs an argument: -name" },
	};

	(void)state;
	check_lines(&anywhere, lines, ARRAY_LEN(lines));
}

static void test_given(void **state)
{
	AUTO(err) struct err err = ERR_INIT;
	AUTO(flags) struct flags *f = NULL;
	char *const *args;

	(void)state;
	assert_int_equal(flags_parse(&command, (char *[]){ "-force=false", NULL }, &f, &args, &err),
			 0);
	assert_true(flags_given(f, "force"));
	assert_false(flags_given(f, "color"));
}

static void test_help(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT;

	(void)state;
	help_command("packer", &command, &out);
	assert_string_equal(buf_cstr(&out),
			    "Usage: packer try [options] THING\n\n  Try it\n\nOptions:\n\n"
			    "  -force                          Force.\n"
			    "  -color=false                    No colours.\n"
			    "  -name=text                      A name. Default: none.\n"
			    "  -paint=colour                   A colour.\n"
			    "  -n=count                        A number. Default: 7.\n"
			    "  -only=a,b                       A list.\n"
			    "  -file=path                      Many.\n"
			    "  -var=name=value                 Pairs.\n\n");
}

static void test_wrap(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "short", "  short\n" },
		{ "one two\n\nthree", "  one two\n\n  three\n" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
		  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c",
		  "  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n  "
		  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf) struct buf out = BUF_INIT;

		help_wrap(&out, 0, 2, cases[i].text);
		assert_string_equal(buf_cstr(&out), cases[i].want);
	}
}

static void test_table_is_sound(void **state)
{
	(void)state;
	for (const struct command *const *c = commands; *c; c++) {
		assert_non_null((*c)->summary);
		assert_true((*c)->parent ? command_find(NULL, (*c)->parent) != NULL : true);
		for (size_t i = 0; flags_row(*c, i); i++) {
			const struct flag *row = flags_row(*c, i);
			size_t n = strlen(row->doc);

			assert_true(n > 0 && row->doc[n - 1] == '.');
			assert_true(row->type == FLAG_BOOL || row->value);
			for (size_t k = i + 1; flags_row(*c, k); k++)
				assert_false(streq(row->name, flags_row(*c, k)->name));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_flags_anywhere),
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_table_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
