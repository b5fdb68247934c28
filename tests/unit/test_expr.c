/* Expressions: the cases of expr.test, and limits. */
#include "lang/expr/eval.h"
#include "lang/expr/number.h"
#include "lang/expr/print.h"
#include "lang/hcl/hcl.h"

#include "base/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct span none;

static struct value text(const char *s)
{
	return value_string(str_from(s), none);
}

/* JSON, with * before what is sensitive, and ? and the type for what is not known; null has its
 * type too. */
static void show(struct arena *a, struct buf *out, struct value v)
{
	AUTO(err) struct err err = ERR_INIT;

	if (v.sensitive)
		buf_addc(out, '*');
	if (v.kind == VALUE_UNKNOWN || (v.kind == VALUE_NULL && v.type)) {
		struct str t = type_text(a, type_of(a, v));

		buf_printf(out, "%s" STR_FMT, v.kind == VALUE_NULL ? "null:" : "?", STR_ARG(t));
		return;
	}
	if (value_is_seq(v)) {
		buf_adds(out, v.kind == VALUE_TUPLE  ? "["
			      : v.kind == VALUE_LIST ? "list["
						     : "set[");
		for (size_t i = 0; i < v.seq->n; i++) {
			buf_adds(out, i ? "," : "");
			show(a, out, v.seq->v[i]);
		}
		buf_addc(out, ']');
		return;
	}
	if (value_is_attrs(v)) {
		buf_adds(out, v.kind == VALUE_OBJECT ? "{" : "map{");
		for (size_t i = 0; i < v.attrs->n; i++) {
			buf_printf(out, "%s" STR_FMT ":", i ? "," : "", STR_ARG(v.attrs->v[i].key));
			show(a, out, v.attrs->v[i].value);
		}
		buf_addc(out, '}');
		return;
	}
	if (value_write_jsonencode(out, v, &err) < 0)
		buf_add_str(out, number_text(a, v.number));
}

static struct value object_with(struct arena *a, const char *key, struct value v)
{
	struct value_attr attr = {.key = str_from(key), .value = v};

	return value_object(a, &attr, 1, none);
}

/* The names that the cases use; their README is at the head of expr.test. */
static size_t fill_scope(struct arena *a, struct value_attr *v)
{
	struct value ab[2] = {text("b"), text("a")},
		     mixed[2] = {value_i64(a, 1, none), value_mark(text("x"), true)};
	struct value_attr xy[2] = {{.key = STR("y"), .value = text("2")},
				   {.key = STR("x"), .value = text("1")}};
	struct value_attr hidden[2] = {{.key = STR("a"), .value = value_mark(text("x"), true)},
				       {.key = STR("b"), .value = value_i64(a, 1, none)}};
	struct value objects[2] = {object_with(a, "n", value_i64(a, 1, none)),
				   object_with(a, "n", value_i64(a, 2, none))};
	const struct type *object = type_of(a, objects[0]);
	const struct value_attr all[] = {
	    {.key = STR("u"), .value = value_unknown(none)},
	    {.key = STR("us"), .value = value_unknown_of(&type_string, none)},
	    {.key = STR("un"), .value = value_unknown_of(&type_number, none)},
	    {.key = STR("ub"), .value = value_unknown_of(&type_bool, none)},
	    {.key = STR("ul"), .value = value_unknown_of(&type_list_string, none)},
	    {.key = STR("um"), .value = value_unknown_of(&type_map_string, none)},
	    {.key = STR("uo"), .value = value_unknown_of(object, none)},
	    {.key = STR("s"), .value = value_mark(text("key"), true)},
	    {.key = STR("sn"), .value = value_mark(value_i64(a, 1, none), true)},
	    {.key = STR("sb"), .value = value_mark(value_bool(true, none), true)},
	    {.key = STR("sl"), .value = value_mark(value_list(a, NULL, ab, 2, none), true)},
	    {.key = STR("so"), .value = value_mark(value_object(a, xy, 2, none), true)},
	    {.key = STR("su"), .value = value_mark(value_unknown(none), true)},
	    {.key = STR("hl"), .value = value_seq_make(a, VALUE_TUPLE, mixed, 2, none)},
	    {.key = STR("ho"), .value = value_object(a, hidden, 2, none)},
	    {.key = STR("l"), .value = value_list(a, NULL, ab, 2, none)},
	    {.key = STR("st"), .value = value_set(a, NULL, ab, 2, none)},
	    {.key = STR("m"), .value = value_map(a, NULL, xy, 2, none)},
	    {.key = STR("lo"), .value = value_list(a, NULL, objects, 2, none)},
	    {.key = STR("seto"), .value = value_set(a, NULL, objects, 2, none)},
	    {.key = STR("el"), .value = value_list(a, &type_string, NULL, 0, none)},
	    {.key = STR("ns"), .value = value_null_of(&type_string, none)},
	    {.key = STR("nl"), .value = value_null_of(&type_list_string, none)},
	};

	memcpy(v, all, sizeof(all));
	return ARRAY_LEN(all);
}

static int evaluate_with(struct arena *a, struct str program, struct diags *d, struct value *ret)
{
	struct value_attr names[40];
	struct eval_scope scope = {.v = names, .n = fill_scope(a, names)};
	struct eval e = {.arena = a, .diags = d, .scope = &scope};
	struct hcl_expr *x;

	diags_init(d, a);
	if (hcl_parse_expr(a, source_new(a, "expr.test", program), d, &x) == 0 &&
	    eval_expr(&e, x, ret) == 0) {
		assert_int_equal(d->errors, 0);
		return 0;
	}
	assert_true(d->errors > 0);
	return -1;
}

/* The value as show() has it, or "! " and the summaries and details of all errors. */
static struct str evaluate(struct arena *a, struct str program)
{
	AUTO(buf) struct buf out = BUF_INIT;
	struct diags d;
	struct value v;

	if (evaluate_with(a, program, &d, &v) == 0) {
		show(a, &out, v);
		return arena_str(a, buf_str(&out));
	}
	for (size_t i = 0; i < d.n; i++)
		buf_printf(&out, "! %s: %s%s%s", d.v[i].summary, d.v[i].detail ? d.v[i].detail : "",
			   d.v[i].values ? " " : "", d.v[i].values ? d.v[i].values : "");
	return arena_str(a, buf_str(&out));
}

static bool fits(struct str got, struct str want)
{
	if (str_starts(want, "!"))
		return str_starts(got, "!") &&
		       str_find(got, str_trim(str_slice(want, 1, want.n))) >= 0;
	return str_eq(got, want);
}

static void test_cases(void **state UNUSED)
{
	auto_free char *path = os_path_join(getenv("TEST_DIR"), "expr.test");
	AUTO(buf) struct buf file = BUF_INIT, program = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct str rest, line;
	size_t cases = 0, bad = 0;

	assert_int_equal(os_read_file(path, 0, &file, &err), 0);
	for (rest = buf_str(&file); str_split(&rest, '\n', &line);) {
		if (str_starts(line, "## "))
			continue;
		if (!str_starts(line, "=> ")) {
			if (program.n)
				buf_addc(&program, '\n');
			buf_add_str(&program, line);
			continue;
		}
		AUTO(arena) struct arena *a = arena_new();
		struct str got = evaluate(a, str_trim(buf_str(&program))),
			   want = str_slice(line, 3, line.n);

		cases++;
		if (!fits(got, want)) {
			bad++;
			print_message("# %s\n#   want %.*s\n#   got  %.*s\n", buf_cstr(&program),
				      STR_ARG(want), STR_ARG(got));
		}
		buf_reset(&program);
	}
	assert_true(cases > 100);
	assert_int_equal(bad, 0);
}

/* Every kind of mistake as it is shown, byte for byte: "# " and the expression, then what is
 * printed. With GOLDEN_WRITE set the file is written anew, to be read before it is believed. */
static void test_golden(void **state UNUSED)
{
	auto_free char *path = os_path_join(getenv("TEST_DIR"), "expr.golden");
	AUTO(buf) struct buf file = BUF_INIT, made = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct str rest, line;
	size_t cases = 0;

	assert_int_equal(os_read_file(path, 0, &file, &err), 0);
	for (rest = buf_str(&file); str_split(&rest, '\n', &line);) {
		AUTO(arena) struct arena *a = arena_new();
		struct diags d;
		struct value v;

		if (!str_starts(line, "# "))
			continue;
		cases++;
		buf_printf(&made, STR_FMT "\n", STR_ARG(line));
		assert_int_equal(evaluate_with(a, str_slice(line, 2, line.n), &d, &v), -1);
		diags_render(&d, &made);
	}
	assert_true(cases > 50);
	if (getenv("GOLDEN_WRITE"))
		assert_int_equal(os_write_file(path, made.p, made.n, 0644, &err), 0);
	else
		assert_string_equal(buf_cstr(&made), buf_cstr(&file));
}

/* n times the text. */
static struct str repeat(struct arena *a, const char *before, size_t n, const char *middle,
			 const char *after)
{
	AUTO(buf) struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		buf_adds(&b, before);
	buf_adds(&b, middle);
	for (size_t i = 0; i < n; i++)
		buf_adds(&b, after);
	return arena_str(a, buf_str(&b));
}

static void test_limits(void **state UNUSED)
{
	static const char *const bombs[] = {
		"length(formatlist(\"%5000000s\", range(3)))",
		"length(setproduct([1, 2], [1, 2], [1, 2], [1, 2], [1, 2], [1, 2], [1, 2], [1, 2], "
		"[1, 2], [1, 2], [1, 2], [1, 2], [1, 2], [1, 2], [1, 2]))",
		"length(split(\"\", format(\"%500000s\", \"\")))",
		"length(regexall(\"\", format(\"%500000s\", \"\")))",
		"length([for t in [format(\"%3000000s\", \"\")] : \"${t}${t}${t}\"])",
	};
	AUTO(arena) struct arena *a = arena_new(), *loop = arena_new(),
			     *large = arena_new();
	struct str got;

	/* Long is not deep. */
	got = evaluate(a, repeat(a, "1 + ", 1990, "1", ""));
	assert_true(str_eqs(got, "1991"));
	/* Numbers do not fill the memory with their digits. */
	got = evaluate(a, STR("1e9999 * 1e9999 * 1e9999 * 1e9999 * 1e9999 * 1e9999 * 1e9999 * "
			      "1e9999 * 1e9999 * 1e9999 * "
			      "1e9999 * 1e9999 * 1e9999 * 1e9999 * 1e9999 * 1e9999 * 1e9999 * "
			      "1e9999 * 1e9999 * 1e9999 * "
			      "1e9999 * 1e9999 * 1e9999 * 1e9999 * 1e9999 * 1e9999 * 1e9999 * "
			      "1e9999 * 1e9999 * 1e9999 * "
			      "1e9999 * 1e9999"));
	assert_true(str_find(got, STR("more than 300,000 digits")) >= 0);
	/* Nor do patterns of files. */
	got = repeat(a, "{a}", 1000, "", "");
	got = str_from(arena_printf(a, "fileset(\"/\", \"" STR_FMT "\")", STR_ARG(got)));
	got = evaluate(a, got);
	assert_true(str_find(got, STR("its braces stand for too many patterns")) >= 0);
	got = repeat(a, "a/", 100000, "*", "");
	got = str_from(arena_printf(a, "fileset(\"/\", \"" STR_FMT "\")", STR_ARG(got)));
	got = evaluate(a, got);
	assert_true(str_eqs(got, "set[]"));
	/* A loop in a loop in a loop… ends with an error that says why. */
	got = evaluate(loop, STR("length([for a in range(1000) : [for b in range(1000) : [for c in "
			      "range(1000) : a]]])"));
	assert_true(str_find(got, STR("This is too much to evaluate")) >= 0);
	/* A few steps on values that are large already end, too: texts that are doubled often. */
	assert_non_null(arena_alloc(large, EVAL_MEMORY_MAX));
	got = evaluate(large, STR("1 + 1"));
	assert_true(str_find(got, STR("more than 1024 MiB of memory")) >= 0);
	/* Nor does one function fill it alone. */
	for (size_t i = 0; i < ARRAY_LEN(bombs); i++) {
		AUTO(arena) struct arena *near = arena_new();

		assert_non_null(arena_alloc(near, EVAL_MEMORY_MAX - (8 << 20)));
		got = evaluate(near, str_from(bombs[i]));
		assert_true(str_find(got, STR("take more than 1024 MiB of memory")) >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_golden),
	    cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
