/* The canonical layout of HCL source, and line differences. */
#include "base/linediff.h"
#include "lang/hcl/format.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
	const char *what, *in, *out;
} layouts[] = {
	{ "nothing", "", "" },
	{ "only blanks", "  \t", "   " },
	{ "an attribute", "a=1\n", "a = 1\n" },
	{ "no last newline", "a=1", "a = 1" },
	{ "blanks at the end stay", "a=1\n  ", "a = 1\n  " },
	{ "equals signs of neighbours", "a=1\nbbb   =2\n\nc=3\n", "a   = 1\nbbb = 2\n\nc = 3\n" },
	{ "two indexes stay two", "a = b.1 .2\n", "a = b.1. 2\n" },
	{ "a block between", "a=1\nb {\n}\nccc=2\n", "a = 1\nb {\n}\nccc = 2\n" },
	{ "what goes on in the next line has no column", "a=1\nbbb=[\n1,\n]\n",
	  "a = 1\nbbb = [\n  1,\n]\n" },
	{ "comments", "a=1 # x\nbbb=22 // y\n", "a   = 1  # x\nbbb = 22 // y\n" },
	{ "a comment alone ends the column", "a=1 # x\n# z\nbbbb=1 # y\n",
	  "a = 1 # x\n# z\nbbbb = 1 # y\n" },
	{ "block comments", "a=1/*x*/+2\n", "a = 1 /*x*/ + 2\n" },
	{ "indentation", "a{\nb{\n c=1\n}\n }\n", "a {\n  b {\n    c = 1\n  }\n}\n" },
	{ "two brackets in one line are one level", "a=f([\n1,\n])\nb=2\n",
	  "a = f([\n  1,\n])\nb = 2\n" },
	{ "brackets closed apart", "a=f([\n1\n],\n2\n)\n", "a = f([\n  1\n  ],\n  2\n)\n" },
	{ "more closed than opened", "}}\na=1\n", "} }\na = 1\n" },
	{ "tabs", "a{\n\tb\t=\t1\n}\n", "a {\n  b = 1\n}\n" },
	{ "braces", "a={}\nb={x=1}\n", "a = {}\nb = { x = 1 }\n" },
	{ "labels", "a  \"b\"   \"c\"{}\n", "a \"b\" \"c\" {}\n" },
	{ "calls", "a=f ( 1 ,2... )\n", "a = f(1, 2...)\n" },
	{ "operators", "a=1+2*-3-4\nb=!x&&y||z\n", "a = 1 + 2 * -3 - 4\nb = !x && y || z\n" },
	{ "signs", "a=[-1,(-1)]\nb=x?-1:-2\n", "a = [-1, (-1)]\nb = x ? -1 : -2\n" },
	{ "indexes and splats", "a=b [0] . c [ * ]\n", "a = b[0].c[*]\n" },
	{ "in is a keyword", "a=[for x in[1]:x]\n", "a = [for x in [1] : x]\n" },
	{ "conditions", "a=b==1?c:d\n", "a = b == 1 ? c : d\n" },
	{ "templates", "a=\"x${ b }y%{ if c }z%{ endif }\"\n", "a = \"x${b}y%{if c}z%{endif}\"\n" },
	{ "an object in a template", "a=\"${{b=1}}\"\n", "a = \"${ { b = 1 } }\"\n" },
	{ "heredocs stay", "a=<<EOT\n   x=1\n\ty\n  EOT\nb=1\n",
	  "a = <<EOT\n   x=1\n\ty\n  EOT\nb = 1\n" },
	{ "CRLF stays", "a=1\r\nbb=2\r\n", "a  = 1\r\nbb = 2\r\n" },
	{ "columns are what people see", "\"e\xcc\x81\"=1\nxxx=2\n",
	  "\"e\xcc\x81\" = 1\nxxx = 2\n" },
	{ "emoji", "\"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80\"=1\nxxx=2\n",
	  "\"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80\" = 1\nxxx = 2\n" },
	{ "a byte order mark goes",
	  "\xef\xbb\xbf"
	  "a=1\n",
	  "a = 1\n" },
	{ "broken text", "a=(\nb=[}\n", "a = (\n  b = [ }\n" },
	{ "namespaces", "a=n :: f(1)\n", "a = n::f(1)\n" },
};

static void test_layout(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		AUTO(buf) struct buf out = BUF_INIT, again = BUF_INIT;

		hcl_format(str_from(layouts[i].in), &out);
		if (!streq(buf_cstr(&out), layouts[i].out))
			fail_msg("%s: <<%s>>, wanted <<%s>>", layouts[i].what, buf_cstr(&out),
				 layouts[i].out);
		hcl_format(buf_str(&out), &again);
		if (!streq(buf_cstr(&again), layouts[i].out))
			fail_msg("%s, twice: <<%s>>", layouts[i].what, buf_cstr(&again));
	}
}

/* Every byte may come; what is no white space comes out again, in order. */
static void test_any_text(void **state UNUSED)
{
	static const char alphabet[] = "ab1\"\"{}[]()=\n\n #/*$%<<-E.,:?!\\~\t\r\xc3\xa9\xff";
	uint32_t seed = 4711;

	for (int round = 0; round < 3000; round++) {
		AUTO(buf) struct buf in = BUF_INIT, out = BUF_INIT;
		size_t k = 0;

		for (uint32_t n = (seed = seed * 1664525 + 1013904223) >> 26; n; n--) {
			seed = seed * 1664525 + 1013904223;
			buf_addc(&in, alphabet[(seed >> 16) % (sizeof(alphabet) - 1)]);
		}
		hcl_format(buf_str(&in), &out);
		for (size_t i = 0; i < in.n; i++) {
			if (in.p[i] == ' ' || in.p[i] == '\t')
				continue;
			while (k < out.n && (out.p[k] == ' ' || out.p[k] == '\t'))
				k++;
			if (k == out.n || out.p[k++] != in.p[i])
				fail_msg("round %d: <<%s>> became <<%s>>", round, buf_cstr(&in),
					 buf_cstr(&out));
		}
	}
}

#define HEAD "--- a\n+++ b\n"
#define SIX(text) text text text text text text

static const struct {
	const char *what, *from, *to, *out;
} differences[] = {
	{ "none", "x\n", "x\n", "" },
	{ "all new", "", "x\ny\n", HEAD "@@ -0,0 +1,2 @@\n+x\n+y\n" },
	{ "all gone", "x\n", "", HEAD "@@ -1 +0,0 @@\n-x\n" },
	{ "one line", "x\n", "y\n", HEAD "@@ -1 +1 @@\n-x\n+y\n" },
	{ "context", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
	  HEAD "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n" },
	{ "near ones are one hunk", "a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
	  HEAD "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n" },
	{ "far ones are two", "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
	  HEAD "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n" },
	{ "no newline at the end", "x", "x\n",
	  HEAD "@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n" },
	{ "lines that moved", "    }\n  }\n}\n", "  }\n}\n",
	  HEAD "@@ -1,3 +1,2 @@\n-    }\n   }\n }\n" },
	{ "as far down as it goes", "a\n}\n\nb\n", "a\n}\n\nc\n}\n\nb\n",
	  HEAD "@@ -1,4 +1,7 @@\n a\n }\n \n+c\n+}\n+\n b\n" },
	{ "empty lines alone hold nothing together", SIX("a\nb\nc\nd\n\n") "a\nb\nc\nd\n\n",
	  SIX("A\nB\nC\nD\n\n") "A\nB\nC\nD\n\n",
	  HEAD "@@ -1,35 +1,35 @@\n" SIX("-a\n-b\n-c\n-d\n-\n") "-a\n-b\n-c\n-d\n" SIX(
		  "+A\n+B\n+C\n+D\n+\n") "+A\n+B\n+C\n+D\n \n" },
	{ "of equal lines the last", "x\nx\n", "x\nx\nx\n", HEAD "@@ -1,2 +1,3 @@\n x\n x\n+x\n" },
};

static void test_differences(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(differences); i++) {
		AUTO(buf) struct buf out = BUF_INIT;

		linediff_unified(str_from(differences[i].from), str_from(differences[i].to), "a",
				 "b", &out);
		if (!streq(buf_cstr(&out), differences[i].out))
			fail_msg("%s: <<%s>>, wanted <<%s>>", differences[i].what, buf_cstr(&out),
				 differences[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_any_text),
		cmocka_unit_test(test_differences),
	};

	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
