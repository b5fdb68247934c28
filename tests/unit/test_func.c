/* C functions called through their rows, without an evaluator: the cases of func.test. */
#include "lang/expr/func.h"

#include "base/os.h"
#include "lang/jsontext/jsontext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ARGS_MAX 8

/* Calls `name [arguments as JSON]`; what comes out as JSON, or "! " and the message. */
static struct str call(struct arena *a, struct str line)
{
	struct func_call c = { .arena = a, .bad_arg = -1 };
	struct value args, plain[ARGS_MAX], v = { 0 };
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf b = BUF_INIT;
	struct str name;
	struct diags d;

	diags_init(&d, a);
	assert_true(str_split(&line, ' ', &name));
	c.func = func_find(func_groups, name);
	if (!c.func)
		fail_msg("no function %.*s", (int)name.n, name.p);
	assert_int_equal(jsontext_parse(a, source_new(a, "args", line), 0, &d, &args), 0);
	assert_true(args.seq->n <= ARGS_MAX);
	for (size_t i = 0; i < args.seq->n; i++) {
		const struct func_param *p = &c.func->params[MIN(i, c.func->nparams - 1)];

		assert_int_equal(value_convert(a, args.seq->v[i], p->type, &plain[i], &err), 0);
	}
	if (c.func->call(&c, plain, args.seq->n, &v, &err) < 0) {
		assert_true(err_any(&err) && c.bad_arg < (int)args.seq->n);
		return str_from(arena_printf(a, "! %s", err.msg));
	}
	value_write_json(&b, v);
	return arena_str(a, buf_str(&b));
}

static void test_cases(void **state UNUSED)
{
	auto_free char *path = os_path_join(getenv("TEST_DIR"), "func.test");
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct str rest, line, expr = { 0 };
	size_t cases = 0, bad = 0;

	assert_int_equal(os_read_file(path, 0, &text, &err), 0);
	for (rest = buf_str(&text); str_split(&rest, '\n', &line);) {
		struct str got;

		if (!line.n || line.p[0] == '#')
			continue;
		if (!expr.n) {
			expr = line;
			continue;
		}
		got = call(a, expr);
		if (str_starts(line, "! ") ? !str_starts(got, "! ") || str_find(got, str_slice(line, 2, line.n)) < 0
					   : !str_eq(got, line)) {
			print_message(STR_FMT "\n  want " STR_FMT "\n  got  " STR_FMT "\n", STR_ARG(expr),
				      STR_ARG(line), STR_ARG(got));
			bad++;
		}
		expr = (struct str){ 0 };
		cases++;
	}
	assert_int_equal(bad, 0);
	assert_true(cases > 20);
}

/* What docs and callers count on. */
static void test_rows(void **state UNUSED)
{
	for (const struct func_group *const *g = func_groups; *g; g++) {
		for (size_t i = 0; i < (*g)->n; i++) {
			const struct func *f = &(*g)->rows[i];

			if (!f->doc || !f->nexamples || !f->returns || !f->call)
				fail_msg("%s lacks a doc line, examples, a type or its function", f->name);
			assert_ptr_equal(func_find(func_groups, str_from(f->name)), f);
			for (size_t k = 1; i && k < 2; k++)
				assert_true(strcmp((*g)->rows[i - 1].name, f->name) < 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
