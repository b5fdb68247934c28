/* The expression language by its text: each case of tests/vectors/functions/NAME.txt is an
 * expression, what comes out, and an empty line. What comes out is
 *
 *	JSON as jsonencode gives it	with "sensitive " in front where the value is
 *	unknown
 *	! words				an error whose summary and detail have all of the words,
 *					in capitals or not
 *
 * A backslash at the end of a line takes the next line to it, with a line break between them. In
 * scope are the unknown values `u` (of any type), `us` (string), `ul` (list of string), `um` (map
 * of number) and `secret`, a sensitive "s3cr3t". The working directory is `files` beside the
 * cases. */
#include "lang/expr/eval.h"

#include "base/os.h"
#include "base/path.h"
#include "base/vec.h"
#include "lang/expr/print.h"
#include "lang/hcl/hcl.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define CASES_MIN 5 /* for each function */

static char *tests_dir(void)
{
	return path_join(getenv("TEST_DIR"), "../vectors/functions");
}

static struct value_attr name(const char *key, struct value v)
{
	return (struct value_attr){ .key = str_from(key), .value = v };
}

/* The result in the words of the cases. */
static struct str result(struct arena *a, const struct diags *d, struct value v)
{
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf out = BUF_INIT;

	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].severity == DIAG_ERROR)
			buf_printf(&out, "%s %s; %s", out.n ? "" : "!", d->v[i].summary,
				   d->v[i].detail ? d->v[i].detail : "");
	if (out.n)
		return arena_str(a, buf_str(&out));
	if (v.kind == VALUE_UNKNOWN)
		return STR("unknown");
	if (value_has_sensitive(v))
		buf_adds(&out, "sensitive ");
	if (value_write_jsonencode(&out, v, &err) < 0) {
		buf_reset(&out);
		value_write_hcl(&out, v);
	}
	return arena_str(a, buf_str(&out));
}

static struct str evaluate(struct arena *a, struct str text)
{
	struct source *src = source_new(a, "case", text);
	struct value_attr names[] = {
		name("u", value_unknown_of(&type_any, (struct span){ 0 })),
		name("us", value_unknown_of(&type_string, (struct span){ 0 })),
		name("ul", value_unknown_of(&type_list_string, (struct span){ 0 })),
		name("um", value_unknown_of(type_map(a, &type_number), (struct span){ 0 })),
		name("secret", value_mark(value_cstring(a, "s3cr3t", (struct span){ 0 }), true)),
	};
	struct eval_scope scope = { .v = names, .n = ARRAY_LEN(names) };
	struct diags d;
	struct eval e = { .arena = a, .diags = &d, .scope = &scope };
	struct value v = value_null((struct span){ 0 });
	struct hcl_expr *x;

	diags_init(&d, a);
	if (hcl_parse_expr(a, src, &d, &x) == 0 && eval_expr(&e, x, &v) < 0)
		assert_true(d.errors);
	return result(a, &d, v);
}

static bool as_wanted(struct str want, struct str got)
{
	struct str word;

	if (!str_starts(want, "! "))
		return str_eq(want, got);
	while (str_split(&want, ' ', &word)) {
		auto_free char *w = xstrndup(word.p, word.n), *all = xstrndup(got.p, got.n);

		if (!strcasestr(all, w))
			return false;
	}
	return true;
}

static bool check(struct str text, struct str want)
{
	AUTO(arena) struct arena *a = arena_new();
	struct str got = evaluate(a, text);

	if (as_wanted(want, got))
		return true;
	print_message("%.*s\n  want %.*s\n  got  %.*s\n", STR_ARG(text), STR_ARG(want),
		      STR_ARG(got));
	return false;
}

/* A file's lines with those that go on on the next one put together. */
static void read_cases(const char *path, struct buf *ret)
{
	AUTO(err) struct err err = ERR_INIT;

	if (os_read_file(path, 0, ret, &err) < 0)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i + 1 < ret->n; i++)
		if (ret->p[i] == '\\' && ret->p[i + 1] == '\n') {
			ret->p[i] = '\n';
			ret->p[i + 1] = '\r'; /* no line's end: taken for white space */
		}
}

/* Calls check for each case; returns how many failed. */
static size_t each_case(const char *path, size_t *ret_cases)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct str rest, line, expr = { 0 };
	size_t bad = 0;

	read_cases(path, &text);
	rest = buf_str(&text);
	while (str_split(&rest, '\n', &line)) {
		if (!expr.n && (!line.n || line.p[0] == '#'))
			continue;
		if (!expr.n) {
			expr = line;
			continue;
		}
		bad += !check(expr, line);
		++*ret_cases;
		expr = (struct str){ 0 };
		if (str_split(&rest, '\n', &line) && line.n)
			fail_msg("%s: no empty line after the case %.*s", path, STR_ARG(expr));
	}
	return bad;
}

static void each_file(void (*fn)(void *data, const char *path), void *data)
{
	auto_free char *dir = tests_dir();
	DIR *d = opendir(dir);

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		auto_free char *path = os_path_join(dir, e->d_name);

		if (ends_with(path, ".txt"))
			fn(data, path);
	}
	closedir(d);
}

struct count {
	size_t cases, bad;
};

static void run_file(void *data, const char *path)
{
	struct count *k = data;

	k->bad += each_case(path, &k->cases);
}

static void test_cases(void **state UNUSED)
{
	struct count k = { 0 };

	each_file(run_file, &k);
	print_message("# %zu cases\n", k.cases);
	assert_true(k.cases > 100);
	assert_int_equal(k.bad, 0);
}

static void append_file(void *data, const char *path)
{
	AUTO(buf) struct buf text = BUF_INIT;

	read_cases(path, &text);
	buf_addc(data, '\n');
	buf_add_str(data, buf_str(&text));
}

/* Lines that call a function. */
static size_t lines_with(struct str text, const char *function)
{
	auto_free char *call = xasprintf("%s(", function);
	struct str line;
	size_t n = 0;

	while (str_split(&text, '\n', &line)) {
		ptrdiff_t at = str_find(line, str_from(call));

		n += at >= 0 && line.p[0] != '#' &&
		     (at == 0 || !strchr("abcdefghijklmnopqrstuvwxyz_0123456789", line.p[at - 1]));
	}
	return n;
}

#define EACH_FUNC(f) \
	for (const struct func_group *const *g_ = func_groups; *g_; g_++) \
		for (const struct func *f = (*g_)->rows; f < (*g_)->rows + (*g_)->n; f++)

static void test_enough_cases(void **state UNUSED)
{
	AUTO(buf) struct buf all = BUF_INIT;
	size_t lacking = 0;

	each_file(append_file, &all);
	EACH_FUNC (f) {
		size_t n = lines_with(buf_str(&all), f->name);

		if (n < CASES_MIN)
			print_message("%s has %zu cases, not %d\n", f->name, n, CASES_MIN);
		lacking += n < CASES_MIN;
	}
	assert_int_equal(lacking, 0);
}

/* Examples say what comes out, or that it depends; each row tells what it does. */
static void test_examples(void **state UNUSED)
{
	size_t bad = 0;

	EACH_FUNC (f) {
		if (!f->doc || !f->nexamples || !ends_with(f->doc, "."))
			fail_msg("%s lacks words or examples", f->name);
		for (size_t i = 0; i < f->nexamples; i++)
			if (f->examples[i].result)
				bad += !check(str_from(f->examples[i].expr),
					      str_from(f->examples[i].result));
	}
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_enough_cases),
		cmocka_unit_test(test_examples),
	};

	auto_free char *top = tests_dir(), *files = path_join(top, "files");

	if (chdir(files) < 0) {
		perror(files);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
