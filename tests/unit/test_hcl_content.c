/* HCL: what a schema finds in bodies of both forms, references and keywords of trees, limits. */
#include "lang/hcl/hcl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "hcl_show.h"

static const struct hcl_schema schema = {
	.attrs = (const struct hcl_schema_attr[]){ { "name", true }, { "size", false } },
	.nattrs = 2,
	.blocks =
		(const struct hcl_schema_block[]){
			{ "plain", NULL },
			{ "one", (const char *const[]){ "type", NULL } },
			{ "two", (const char *const[]){ "type", "name", NULL } } },
	.nblocks = 3,
};

static void show_spot(const struct diag *g, struct buf *out)
{
	struct position at = source_position(g->span.src, g->span.from);

	buf_printf(out, "!%u:%u %s%s%s; ", at.line, at.column_chars, g->summary,
		   g->detail ? " / " : "", g->detail ? g->detail : "");
}

static void show_content(const struct hcl_content *c, struct buf *out)
{
	for (size_t i = 0; i < c->nattrs; i++) {
		buf_printf(out, STR_FMT "=", STR_ARG(c->attrs[i].name));
		show_expr(c->attrs[i].expr, out);
		buf_adds(out, "; ");
	}
	for (size_t i = 0; i < c->nblocks; i++) {
		buf_add_str(out, c->blocks[i].type);
		for (size_t k = 0; k < c->blocks[i].nlabels; k++)
			buf_printf(out, " '" STR_FMT "'", STR_ARG(c->blocks[i].labels[k].text));
		buf_adds(out, "; ");
	}
}

static const struct {
	const char *text, *content; /* JSON if it begins with { or [ */
} contents[] = {
	{ "name = 1\nsize = 2\nplain {}\none \"a\" {}\nplain {}\ntwo \"b\" \"c\" {}\n",
	  "name=1; size=2; plain; one 'a'; plain; two 'b' 'c'; " },
	{ "size = 1\n", "size=1; !1:1 The argument \"name\" is missing here; " },
	{ "name = 1\nsise = 2\n",
	  "name=1; !2:1 There is no argument \"sise\" here / Did you mean \"size\"?; " },
	{ "name = 1\nplain = 2\n", "name=1; !2:1 There is no argument \"plain\" here / It is a "
				   "block, written without '=': plain { \xe2\x80\xa6 }.; " },
	{ "name = 1\nplains {}\n",
	  "name=1; !2:1 There is no block \"plains\" here / Did you mean \"plain\"?; " },
	{ "name = 1\nsize {}\n", "name=1; !2:1 There is no block \"size\" here / It is an "
				 "argument, written with '=': size = VALUE.; " },
	{ "name = 1\none {}\n", "name=1; !2:1 This one block lacks its type / It is written: one "
				"\"type\" { \xe2\x80\xa6 }.; " },
	{ "name = 1\ntwo \"a\" {}\n", "name=1; !2:1 This two block lacks its name / It is written: "
				      "two \"type\" \"name\" { \xe2\x80\xa6 }.; " },
	{ "name = 1\none \"a\" b {}\n", "name=1; !2:9 This label is one too many for a one block / "
					"It is written: one \"type\" { \xe2\x80\xa6 }.; " },
	{ "name = 1\nzzzzzz {}\n", "name=1; !2:1 There is no block \"zzzzzz\" here / Blocks that "
				   "can stand here: plain, one, two.; " },
	{ "{\"name\": 1, \"//\": \"comment\", \"plain\": {}}", "name=1; plain; " },
	{ "[{\"name\": \"a${b}\"}, {\"size\": [1, {\"k${v}\": null}]}]",
	  "name=(tmpl \"a\" b); size=(list 1 {(tmpl \"k\" v): null}); " },
	{ "{\"name\": true, \"plain\": [{}, {}], \"one\": {\"a\": {}, \"b\": [{}, {}]}}",
	  "name=true; plain; plain; one 'a'; one 'b'; one 'b'; " },
	{ "{\"name\": 1, \"two\": {\"a\": {\"b\": {}, \"c\": {}}}}",
	  "name=1; two 'a' 'b'; two 'a' 'c'; " },
	{ "{\"name\": 1, \"two\": [{\"a\": {\"b\": {}}}, {\"a\": [{\"b\": {}}]}]}",
	  "name=1; two 'a' 'b'; two 'a' 'b'; " },
	{ "{\"name\": 1, \"plain\": null, \"one\": {}}",
	  "name=1; !1:35 These one blocks lack their type: no key is here; " },
	{ "{\"name\": 1,\n\"one\": 3}", "name=1; !2:8 Expected an object with the type of one "
					"blocks as its keys, found a number; " },
	{ "{\"name\": 1, \"plain\": \"x\"}",
	  "name=1; !1:22 Expected an object with the arguments of a plain block, or an array of "
	  "them, found text; " },
	{ "{\"name\": 1, \"name\": 2}", "name=1; !1:13 The argument \"name\" is set twice / It was "
					"set before on line 1. Remove one of the two.; " },
	{ "{\"name\": {\"a\": 1, \"a\": 2}}",
	  "name={\"a\": 1, \"a\": 2}; !1:19 The key \"a\" stands twice in this object / It was "
	  "given before on line 1. Remove one of the two.; " },
	{ "{}", "!1:2 The argument \"name\" is missing here; " },
	{ "{\"name\": 1, \"sise\": 2}",
	  "name=1; !1:13 There is no argument \"sise\" here / Did you mean \"size\"?; " },
	{ "{\"name\": \"\\u0041\\n${b +}\"}",
	  "name=(tmpl \"A\\n\" ?); !1:24 Expected a value, found the end of the sequence, '}'; " },
	{ "[1]", "!1:2 Expected an object with arguments and blocks, found a number; !1:3 The "
		 "argument \"name\" is missing here; " },
};

static void test_content(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		AUTO(arena) struct arena *a = arena_new();
		AUTO(buf) struct buf b = BUF_INIT;
		struct source *src = source_new(a, "t", str_from(contents[i].text));
		bool json = strchr("{[", contents[i].text[0]);
		struct hcl_content c;
		struct hcl_body *body;
		struct diags d;

		diags_init(&d, a);
		assert_int_equal(
			json ? hcl_parse_json(a, src, &d, &body) : hcl_parse(a, src, &d, &body), 0);
		assert_int_equal(hcl_content(a, body, &schema, &d, &c),
				 strchr(contents[i].content, '!') ? -1 : 0);
		show_content(&c, &b);
		for (size_t k = 0; k < d.n; k++)
			show_spot(&d.v[k], &b);
		assert_string_equal(buf_cstr(&b), contents[i].content);
	}
}

static const struct {
	const char *text, *content;
} attributes[] = {
	{ "a = 1\nb = 2\n", "a=1; b=2; " },
	{ "a = 1\nb {}\n", "a=1; !2:1 No blocks can stand here, only arguments / An argument is "
			   "written with '=': b = VALUE.; " },
	{ "{\"a\": \"x\", \"//\": 1, \"b\": {\"//\": 1}}", "a=\"x\"; b={\"//\": 1}; " },
	{ "{\"a\": 1, \"a\": 2}", "a=1; !1:10 The argument \"a\" is set twice / It was set before "
				  "on line 1. Remove one of the two.; " },
	{ "[{\"a\": 1}]", "!1:1 Expected an object with arguments, found a list; " },
};

static void test_attributes(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		AUTO(arena) struct arena *a = arena_new();
		AUTO(buf) struct buf b = BUF_INIT;
		struct source *src = source_new(a, "t", str_from(attributes[i].text));
		bool json = strchr("{[", attributes[i].text[0]);
		struct hcl_content c;
		struct hcl_body *body;
		struct diags d;

		diags_init(&d, a);
		assert_int_equal(
			json ? hcl_parse_json(a, src, &d, &body) : hcl_parse(a, src, &d, &body), 0);
		assert_int_equal(hcl_attributes(a, body, &d, &c),
				 strchr(attributes[i].content, '!') ? -1 : 0);
		show_content(&c, &b);
		for (size_t k = 0; k < d.n; k++)
			show_spot(&d.v[k], &b);
		assert_string_equal(buf_cstr(&b), attributes[i].content);
	}
}

static void test_json_mistakes(void **state UNUSED)
{
	static const struct {
		const char *text, *mistake;
	} cases[] = {
		{ "{\"a\": }", "!1:7 Expected a value, found '}' / It is an object, an array, "
				"text in double quotes, a number, true, false or null.; " },
		{ "{\"\U0001f1e9\U0001f1eae\u0301\": }", /* a flag, an e with an accent */
		  "!1:8 Expected a value, found '}' / It is an object, an array, text in double "
		  "quotes, a number, true, false or null.; " },
		{ "{\n\"a\": 1,\n}", "!2:7 There is a comma too many here / JSON allows no comma "
				     "before the closing brace. Reading goes on at t:3:1. So the "
				     "value that begins at t:1:1 is not read.; " },
		{ "3", "!1:1 Expected an object, found a number; " },
		{ "{} {}", "!1:4 Expected the end of the file, found '{' / There is one object, or "
			   "one array of objects, in a file.; " },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(arena) struct arena *a = arena_new();
		AUTO(buf) struct buf b = BUF_INIT;
		struct hcl_body *body;
		struct diags d;

		diags_init(&d, a);
		assert_int_equal(
			hcl_parse_json(a, source_new(a, "t", str_from(cases[i].text)), &d, &body),
			-1);
		assert_true(body->is_json);
		for (size_t k = 0; k < d.n; k++)
			show_spot(&d.v[k], &b);
		assert_string_equal(buf_cstr(&b), cases[i].mistake);
	}
}

static void add_reference(void *data, const struct hcl_expr *ref)
{
	struct buf *out = data;
	struct str names[3];
	size_t n = hcl_traversal_names(ref, names, ARRAY_LEN(names));

	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s" STR_FMT, i ? "." : "", STR_ARG(names[i]));
	buf_addc(out, ' ');
}

static void test_references(void **state UNUSED)
{
	static const struct {
		const char *text, *names;
	} cases[] = {
		{ "1 + true", "" },
		{ "var.a.b.c", "var.a.b " },
		{ "data[\"x\"].y[0].z", "data.x.y " },
		{ "a[b.c].d", "b.c a " },
		{ "var.a[*].b + local.c.*.d[var.e]", "var.e local.c var.a " },
		{ "a + b - c * d", "d c b a " },
		{ "\"${var.a} ${local.b}\"", "var.a local.b " },
		{ "[for k, v in var.m : \"${k}${v}${w}\" if v != x]", "var.m w x " },
		{ "{for v in v : v => v.a...}", "v " },
		{ "{a = b, \"${c}\" = d, (e) = f}", "b c d e f " },
		{ "f(a, [b], {c = d}...)", "a b d " },
		{ "!a ? -b : (c)", "a b c " },
		{ "f(x).y.z", "x " },
		{ "\"%{for x in y}${x}${z}%{endfor}%{if a}b%{endif}\"", "y z a " },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(arena) struct arena *a = arena_new();
		AUTO(buf) struct buf b = BUF_INIT;
		struct hcl_expr *x;
		struct diags d;

		diags_init(&d, a);
		assert_int_equal(
			hcl_parse_expr(a, source_new(a, "t", str_from(cases[i].text)), &d, &x), 0);
		hcl_each_reference(x, add_reference, &b);
		assert_string_equal(buf_cstr(&b), cases[i].names);
	}
}

static void test_keywords(void **state UNUSED)
{
	static const struct {
		const char *text, *keyword;
	} cases[] = {
		{ "string", "string" },
		{ "true", "true" },
		{ "null", "null" },
		{ "\"string\"", "" },
		{ "a.b", "" },
		{ "f()", "" },
		{ "1", "" },
	};
	AUTO(arena) struct arena *a = arena_new();
	struct hcl_body *body;
	struct hcl_content c;
	struct hcl_expr *x;
	struct diags d;

	diags_init(&d, a);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(
			hcl_parse_expr(a, source_new(a, "t", str_from(cases[i].text)), &d, &x), 0);
		assert_true(str_eqs(hcl_keyword(x), cases[i].keyword));
	}
	/* The JSON form writes them as text. */
	assert_int_equal(hcl_parse_json(a,
					source_new(a, "t",
						   STR("{\"a\": \"string\", \"b\": \"list(x.y)\", "
						       "\"c\": \"a b\", \"d\": \"\\u0061+\"}")),
					&d, &body),
			 0);
	assert_int_equal(hcl_attributes(a, body, &d, &c), 0);
	assert_true(str_eqs(hcl_keyword(c.attrs[0].expr), "string"));
	assert_true(hcl_as_native(a, c.attrs[0].expr, &d)->kind == HCL_VARIABLE);
	assert_true(hcl_as_native(a, c.attrs[1].expr, &d)->kind == HCL_CALL);
	assert_true(str_eqs(hcl_keyword(c.attrs[2].expr), ""));
	assert_null(hcl_as_native(a, c.attrs[2].expr, &d));
	assert_null(hcl_as_native(a, c.attrs[3].expr, &d));
	assert_int_equal(d.n, 2);
	assert_int_equal(d.v[0].span.from, 42);
	assert_int_equal(source_position(d.v[1].span.src, d.v[1].span.from).column, 60);
}

#define FORTY_BRACES "}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}"

/* Texts that are `head`, `unit` many times, `tail`. */
static void test_limits(void **state UNUSED)
{
	static const struct {
		const char *head, *unit;
		size_t n;
		const char *tail, *mistake; /* the first one; NULL: none */
		size_t mistakes;
	} cases[] = {
		{ "a = [", "1,", 1000000, "]\n", NULL, 0 },
		{ "a = {", "k = 1\n", 300000, "}\n", NULL, 0 },
		{ "", "b {\n  a = \"text ${var.x} more\"\n}\n", 300000, "", NULL, 0 },
		{ "", "# comment of some length, which says nothing\n", 250000, "", NULL, 0 },
		{ "a = <<E\n", "a line of text\n", 700000, "E\n", NULL, 0 },
		{ "a = ", "[", 10000, "", "Nested deeper than 500 levels", 1 },
		{ "a = ", "{a=", 10000, "", "Nested deeper than 500 levels", 1 },
		{ "a = ", "(", 10000, "", "Nested deeper than 500 levels", 1 },
		{ "a = ", "f(", 10000, "", "Nested deeper than 500 levels", 1 },
		{ "a = ", "-", 10000, "1\n", "Nested deeper than 500 levels", 1 },
		{ "a = ", "b ? c : ", 10000, "1\n", "Nested deeper than 500 levels", 1 },
		{ "a = b", "[*]", 10000, "\n", "Nested deeper than 500 levels", 1 },
		{ "a = ", "\"${", 10000, "", "Nested deeper than 500 levels", 1 },
		{ "a = \"", "%{if x}", 10000, "\"\n", "Nested deeper than 500 levels", 1 },
		{ "", "a {\n", 10000, "", "Nested deeper than 500 levels", 0 },
		{ "a = ", "1 + ", 10000, "1\n", "More than 2000 operators in a row", 1 },
		{ "a = b", ".c", 10000, "\n", "More than 2000 operators in a row", 1 },
		{ "a = b.*", ".c", 10000, "\n", "More than 2000 operators in a row", 1 },
		{ "", "a = [\n", 100000, "", "Expected ',' or ']' after the element, found '='",
		  199999 },
		{ "a = ", "{([t,", 40, FORTY_BRACES "\n", "Expected a value, found '}'", 40 },
		{ "a = ", "{a=[\n", 40, FORTY_BRACES "\n", "Expected a value, found '}'", 40 },
		{ "", "x = {\n", 100000, "", "Nested deeper than 500 levels", 0 },
		{ "", "}\n", 100000, "", "This '}' closes nothing", 100000 },
		{ "", "a = ]\n", 100000, "", "Expected a value, found ']'", 199999 },
		{ "a = [", "],", 100000, "",
		  "Expected the end of the line after the argument, found ','", 1 },
		{ "a = \"", "\\q", 100000, "\"\n", "'\\q' is no escape", 100000 },
		{ "", "a = \"b\nc = 1\n", 50000, "",
		  "The string that begins here is not closed on its line", 149998 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(arena) struct arena *a = arena_new();
		AUTO(buf) struct buf b = BUF_INIT;
		clock_t start;
		struct hcl_body *body;
		struct diags d;

		diags_init(&d, a);
		buf_adds(&b, cases[i].head);
		for (size_t k = 0; k < cases[i].n; k++)
			buf_adds(&b, cases[i].unit);
		buf_adds(&b, cases[i].tail);
		start = clock();
		hcl_parse(a, source_new(a, "t.hcl", buf_str(&b)), &d, &body);
		if ((clock() - start) > 10 * CLOCKS_PER_SEC)
			fail_msg("case %zu took more than 10 s", i);
		if (cases[i].mistake && !d.n)
			fail_msg("case %zu: no mistake found", i);
		if (cases[i].mistake)
			assert_string_equal(d.v[0].summary, cases[i].mistake);
		else
			assert_int_equal(d.errors, 0);
		if (cases[i].mistakes)
			assert_int_equal(d.errors, cases[i].mistakes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content),	      cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_json_mistakes), cmocka_unit_test(test_references),
		cmocka_unit_test(test_keywords),      cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
