/* The {{ }} engine over the cases of gotmpl.test. */
#include "lang/gotmpl/gotmpl.h"

#include "base/os.h"
#include "lang/jsontext/jsontext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* "\n" as two characters becomes a line break. */
static struct str unescape(struct arena *a, struct str s)
{
	AUTO(buf) struct buf b = BUF_INIT;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] == 'n') {
			buf_addc(&b, '\n');
			i++;
		} else {
			buf_addc(&b, s.p[i]);
		}
	}
	return arena_str(a, buf_str(&b));
}

static bool check_case(struct arena *a, struct str template, struct str dot, struct str want)
{
	struct gotmpl_env env = { .arena = a };
	AUTO(err) struct err err = ERR_INIT;
	struct diags d;
	struct str got = { 0 };

	diags_init(&d, a);
	assert_int_equal(jsontext_parse(a, source_new(a, "dot", dot), 0, &d, &env.dot), 0);
	env.dot.kind = VALUE_MAP; /* as the values of a build are one; objects are strict */
	if (gotmpl_render_text(&env, template, &got, &err) < 0) {
		if (str_starts(want, "! ") &&
		    strstr(err.msg, arena_strndup(a, want.p + 2, want.n - 2)))
			return true;
		print_message("%.*s\n  want  %.*s\n  error %s\n", (int)template.n, template.p,
			      (int)want.n, want.p, err.msg);
		return false;
	}
	if (str_eq(got, unescape(a, want)))
		return true;
	print_message("%.*s\n  want %.*s\n  got  %.*s\n", (int)template.n, template.p, (int)want.n,
		      want.p, (int)got.n, got.p);
	return false;
}

static void test_cases(void **state UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct str rest, line, lines[3];
	size_t n = 0, cases = 0, bad = 0;
	auto_free char *path = os_path_join(getenv("TEST_DIR"), "gotmpl.test");

	assert_int_equal(os_read_file(path, 0, &text, &err), 0);
	for (rest = buf_str(&text); str_split(&rest, '\n', &line);) {
		if (!line.n || line.p[0] == '#')
			continue;
		lines[n++] = line;
		if (n == 3) {
			bad += !check_case(a, lines[0], lines[1], lines[2]);
			cases++;
			n = 0;
		}
	}
	assert_int_equal(n, 0);
	assert_int_equal(bad, 0);
	assert_true(cases > 50);
}

static int fn_count(struct gotmpl_env *env, const struct value *args UNUSED, size_t nargs,
		    struct value *ret, struct err *err)
{
	if (nargs == 3)
		return err_set(err, ERR_INVALID, "three is too many");
	*ret = value_i64(env->arena, (int64_t)nargs, (struct span){ 0 });
	return 0;
}

static void test_functions_of_the_caller(void **state UNUSED)
{
	static const struct gotmpl_func funcs[] = { { "count", 0, 3, fn_count } };
	static const struct {
		const char *text, *want;
		int offset; /* of the error; -1: none */
	} cases[] = {
		{ "{{count}} {{count 1}} {{1 | count 2}}", "0 1 2", -1 },
		{ "ab {{count 1 2 3}}", "count: three is too many", 5 },
		{ "{{count 1 2 3 4}}", "count takes at most 3 arguments, 4 given", 2 },
		{ "{{cuont}}", "there is no function \"cuont\"; did you mean \"count\"?", 2 },
		{ "{{if false}}{{nope}}{{end}}", "there is no function \"nope\"", 14 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(arena) struct arena *a = arena_new();
		struct gotmpl_env env = { .arena = a, .funcs = funcs, .nfuncs = ARRAY_LEN(funcs) };
		AUTO(err) struct err err = ERR_INIT;
		struct str got;

		if (cases[i].offset < 0) {
			assert_int_equal(gotmpl_render_text(&env, str_from(cases[i].text), &got,
							    &err),
					 0);
			assert_true(str_eqs(got, cases[i].want));
		} else {
			assert_int_equal(gotmpl_render_text(&env, str_from(cases[i].text), &got,
							    &err),
					 -1);
			assert_string_equal(err.msg, cases[i].want);
			assert_int_equal(err.os, cases[i].offset);
		}
	}
}

static void test_an_object_must_have_the_field(void **state UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(err) struct err err = ERR_INIT;
	struct value_attr v = { .key = STR("A"),
				.value = value_string(STR("x"), (struct span){ 0 }) };
	struct gotmpl_env env = { .arena = a,
				  .dot = value_attrs_make(a, VALUE_OBJECT, &v, 1,
							  (struct span){ 0 }) };
	struct str got;

	assert_int_equal(gotmpl_render_text(&env, STR("{{.A}}"), &got, &err), 0);
	assert_true(str_eqs(got, "x"));
	assert_int_equal(gotmpl_render_text(&env, STR("{{.B}}"), &got, &err), -1);
	assert_string_equal(err.msg, "there is no field B here");
}

static void test_limits(void **state UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf deep = BUF_INIT;
	struct gotmpl_env env = { .arena = a };
	struct str got;

	for (int i = 0; i < 1000; i++)
		buf_adds(&deep, "{{if true}}");
	assert_int_equal(gotmpl_render_text(&env, buf_str(&deep), &got, &err), -1);
	assert_non_null(strstr(err.msg, "nested deeper"));
	err_release(&err);
	buf_reset(&deep);
	buf_adds(&deep, "{{range 100000}}");
	for (int i = 0; i < 100; i++)
		buf_adds(&deep, "{{if true}}{{end}}");
	buf_adds(&deep, "{{end}}");
	assert_int_equal(gotmpl_render_text(&env, buf_str(&deep), &got, &err), -1);
	assert_non_null(strstr(err.msg, "steps"));
	err_release(&err);
	assert_int_equal(gotmpl_render_text(&env,
					    STR("{{range 100000}}{{range 100000}}{{end}}{{end}}"),
					    &got, &err),
			 -1);
	assert_string_equal(err.msg, "its values take more than 256 MiB of memory");
	err_release(&err);
	assert_int_equal(
	    gotmpl_render_text(&env, STR("{{range 100000}}{{printf \"%9999s\" \"\"}}{{end}}"), &got,
			       &err),
	    -1);
	assert_non_null(strstr(err.msg, "MiB"));
	err_release(&err);
	/* Also of a text that is never put out. */
	buf_reset(&deep);
	buf_adds(&deep, "{{len (printf \"");
	for (int i = 0; i < 20; i++)
		buf_adds(&deep, "%1000000[1]s");
	buf_adds(&deep, "\" 1)}}");
	assert_int_equal(gotmpl_render_text(&env, buf_str(&deep), &got, &err), -1);
	assert_non_null(strstr(err.msg, "MiB"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_functions_of_the_caller),
		cmocka_unit_test(test_an_object_must_have_the_field),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
