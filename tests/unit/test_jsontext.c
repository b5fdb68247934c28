/* JSON text with spans: values, mistakes with their places, limits; numbers and their text. */
#include "lang/jsontext/jsontext.h"

#include "lang/expr/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int parse(struct arena *a, const char *text, unsigned flags, struct diags *d,
		 struct value *ret)
{
	diags_init(d, a);
	return jsontext_parse(a, source_new(a, "t.json", str_from(text)), flags, d, ret);
}

static void test_values(void **state UNUSED)
{
	static const struct {
		const char *text, *json; /* as written back */
	} cases[] = {
		{ "null", "null" },
		{ " true ", "true" },
		{ "[]", "[]" },
		{ "{}", "{}" },
		{ "[1, -2.5, 1e3, 0.1, 12345678901234567890, 1E-2, 100]",
		  "[1,-2.5,1000,0.1,12345678901234567890,0.01,100]" },
		{ "{\"b\": {\"a\": [null]}, \"a\": \"x\"}", "{\"b\":{\"a\":[null]},\"a\":\"x\"}" },
		{ "\"\\u00e9\\n\\\"\\\\\\/\"", "\"\xc3\xa9\\n\\\"\\\\/\"" },
		{ "\"\\ud83d\\ude00 \\ud83d\"", "\"\xf0\x9f\x98\x80 \xef\xbf\xbd\"" },
		{ "\"\xff\"", "\"\xef\xbf\xbd\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(arena) struct arena *a = arena_new();
		AUTO(buf) struct buf b = BUF_INIT;
		AUTO(err) struct err err = ERR_INIT;
		struct diags d;
		struct value v;

		assert_int_equal(parse(a, cases[i].text, 0, &d, &v), 0);
		assert_int_equal(value_write_jsonencode(&b, v, &err), 0);
		assert_string_equal(buf_cstr(&b), cases[i].json);
	}
}

/* Lines and columns are the reference's own (measured): 1 more than the byte's
 * column from the second line on. */
static void test_mistakes(void **state UNUSED)
{
	static const struct {
		const char *text;
		uint32_t line, column;
		const char *summary;
	} cases[] = {
		{ "{\"builders\": [}\n", 1, 15, "'}' cannot stand where a value belongs" },
		{ "", 1, 0, "The end of the file cannot stand where a value belongs" },
		{ "{\n"
		  "  \"builders\": [\n"
		  "    {\"type\": \"null\" \"communicator\": \"none\"}\n"
		  "  ]\n"
		  "}",
		  3, 22, "'\"' cannot stand after a key and its value" },
		{ "{\n  \"description\": \"a\nb\"}", 3, 1,
		  "A line break cannot stand inside a string" },
		{ "{\n  \"description\": \"a\\qb\"}", 2, 22,
		  "'q' cannot stand after a backslash in a string" },
		{ "{\"builders\": [{\"type\": null, \"communicator\": nul}]}", 1, 49,
		  "'}' cannot stand in what began like null" },
		{ "{'b': 1}", 1, 2, "\"'\" cannot stand where the name of a key belongs" },
		{ "{\"a\": 1,}", 1, 9, "'}' cannot stand where the name of a key belongs" },
		{ "{\"a\": 1} x", 1, 10, "'x' cannot stand after the end of the JSON text" },
		{ "[1,]", 1, 4, "']' cannot stand after a comma" },
		{ "[01]", 1, 3, "'1' cannot stand after an element of an array" },
		{ "[1.]", 1, 4, "']' cannot stand in a number" },
		{ "\"\\u12g4\"", 1, 6, "'g' cannot stand in a \\u escape" },
		{ "{\"a\" 1}", 1, 6, "'1' cannot stand after a key" },
		{ "\"\x01\"", 1, 2, "The control byte 0x01 cannot stand inside a string" },
		{ "// c\n1", 1, 1, "'/' cannot stand where a value belongs" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(arena) struct arena *a = arena_new();
		struct diags d;
		struct value v;

		assert_int_equal(parse(a, cases[i].text, 0, &d, &v), -1);
		assert_int_equal(d.n, 1);
		assert_string_equal(d.v[0].summary, cases[i].summary);
		assert_int_equal(d.v[0].at.line, cases[i].line);
		assert_int_equal(d.v[0].at.column, cases[i].column);
	}
}

static void test_duplicates(void **state UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf many = BUF_INIT;
	struct diags d;
	struct value v;

	assert_int_equal(parse(a, "{\"a\": 1,\n\"b\": {\"x\": 1, \"x\": 2},\n\"a\": 3}", 0, &d, &v),
			 -1);
	assert_int_equal(d.n, 2);
	assert_string_equal(d.v[0].summary, "The key \"x\" stands twice in this object");
	assert_string_equal(d.v[1].summary, "The key \"a\" stands twice in this object");
	assert_int_equal(source_position(d.v[1].span.src, d.v[1].span.from).line, 3);
	assert_int_equal(parse(a, "{\"a\": 1, \"a\": 3}", JSONTEXT_LATER_WINS, &d, &v), 0);
	for (int i = 0; i < 100; i++) /* beyond the linear search */
		buf_printf(&many, "%s\"k%d\": 1", i ? "," : "{", i % 99);
	buf_addc(&many, '}');
	assert_int_equal(parse(a, buf_cstr(&many), 0, &d, &v), -1);
	assert_string_equal(d.v[0].summary, "The key \"k0\" stands twice in this object");
}

static void test_comments(void **state UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	struct diags d;
	struct value v;

	assert_int_equal(parse(a, "{ // first\n\"a\": \"//\" // second\n}// third",
			       JSONTEXT_COMMENTS, &d, &v),
			 0);
	assert_int_equal(d.errors, 0);
	assert_int_equal(d.warnings, 1);
	assert_int_equal(d.v[0].span.from, 2);
	assert_true(str_eqs(value_attr_find(v, "a")->value.string, "//"));
}

static void test_depth(void **state UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	char text[2 * JSONTEXT_DEPTH_MAX + 3] = { 0 };
	struct diags d;
	struct value v;

	memset(text, '[', JSONTEXT_DEPTH_MAX);
	memset(text + JSONTEXT_DEPTH_MAX, ']', JSONTEXT_DEPTH_MAX);
	assert_int_equal(parse(a, text, 0, &d, &v), 0);
	memset(text, '[', JSONTEXT_DEPTH_MAX + 1);
	assert_int_equal(parse(a, text, 0, &d, &v), -1);
	assert_non_null(strstr(d.v[0].summary, "deeper"));
}

static void test_spans(void **state UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	struct diags d;
	struct value v;
	struct span span;

	assert_int_equal(parse(a, "{\"key\": \"a\\n\\u00e9b\"}", 0, &d, &v), 0);
	span = value_attr_find_fold(v, "KEY")->value.span;
	assert_int_equal(span.from, 8);
	assert_int_equal(span.to, 20);
	/* a at 9, \n at 10, é at 12 (two bytes), b at 18 */
	assert_int_equal(jsontext_string_offset(span, 0), 9);
	assert_int_equal(jsontext_string_offset(span, 1), 10);
	assert_int_equal(jsontext_string_offset(span, 2), 12);
	assert_int_equal(jsontext_string_offset(span, 4), 18);
	assert_int_equal(jsontext_string_offset(span, 99), 19);
}

static void test_numbers(void **state UNUSED)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "0", "0" },
		{ "-0", "-0" }, /* as Go shows it */
		{ "1.50", "1.5" },
		{ "0.1", "0.1" },
		{ "1e21", "1000000000000000000000" },
		{ "-1e-7", "-0.0000001" },
		{ "123456789.123456789", "123456789.123456789" },
		{ "007", "7" },
	};
	static const char *const bad[] = {
		"", "-", "1.", ".5", "1e", "0x1", "1 ", "nan", "1e99999"
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(arena) struct arena *a = arena_new();
		struct value v;

		assert_true(value_number_parse(a, str_from(cases[i].text), (struct span){ 0 }, &v));
		assert_true(str_eqs(value_number_text(a, v), cases[i].shown));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(arena) struct arena *a = arena_new();
		struct value v;

		assert_false(value_number_parse(a, str_from(bad[i]), (struct span){ 0 }, &v));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	   cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_duplicates), cmocka_unit_test(test_comments),
		cmocka_unit_test(test_depth),	   cmocka_unit_test(test_spans),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
