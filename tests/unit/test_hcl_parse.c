/* HCL's parser: expressions, templates and bodies as trees; mistakes with their places; limits. */
#include "lang/hcl/hcl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "hcl_show.h"

struct tree_case {
	const char *text, *tree;
};

static void check_trees(const struct tree_case *cases, size_t n,
			int (*parse)(struct arena *, struct source *, struct diags *,
				     struct hcl_expr **))
{
	for (size_t i = 0; i < n; i++) {
		AUTO(arena) struct arena *a = arena_new();
		AUTO(buf) struct buf b = BUF_INIT;
		struct diags d;
		struct hcl_expr *x;

		diags_init(&d, a);
		if (parse(a, source_new(a, "t.hcl", str_from(cases[i].text)), &d, &x) < 0)
			diags_render(&d, &b);
		else
			show_expr(x, &b);
		assert_string_equal(buf_cstr(&b), cases[i].tree);
	}
}

static const struct tree_case exprs[] = {
	{ "1", "1" },
	{ "1.5e3", "1500" },
	{ "true", "true" },
	{ "null", "null" },
	{ "\n a \n", "a" },
	{ "a.b.c", "a.b.c" },
	{ "a[0].b[\"c\"]", "a[0].b[\"c\"]" },
	{ "a.0.b", "a.[0].b" },
	{ "a[\n0\n]", "a[0]" },
	{ "1 + 2 * 3", "(+ 1 (* 2 3))" },
	{ "1 * 2 + 3", "(+ (* 1 2) 3)" },
	{ "1 - 2 - 3", "(- (- 1 2) 3)" },
	{ "a || b && c == d < e + f * g", "(|| a (&& b (== c (< d (+ e (* f g))))))" },
	{ "a * b + c < d == e && f || g", "(|| (&& (== (< (+ (* a b) c) d) e) f) g)" },
	{ "-1 + -a.b", "(+ (neg 1) (neg a.b))" },
	{ "!a == !b", "(== (! a) (! b))" },
	{ "!!a", "(! (! a))" },
	{ "-a[0].b", "(neg a[0].b)" },
	{ "a ? b : c", "(if a b c)" },
	{ "a ? b : c ? d : e", "(if a b (if c d e))" },
	{ "a ? b ? c : d : e", "(if a (if b c d) e)" },
	{ "a == 1 ? b : c + 1", "(if (== a 1) b (+ c 1))" },
	{ "(1 + 2) * 3", "(* (paren (+ 1 2)) 3)" },
	{ "(\n1 +\n2\n)", "(paren (+ 1 2))" },
	{ "[]", "(list)" },
	{ "[1, a, [2,],]", "(list 1 a (list 2))" },
	{ "[\n1, # one\n2 // two\n, 3 /* three */]", "(list 1 2 3)" },
	{ "{}", "{}" },
	{ "{a = 1, \"b\": 2, (c) = 3}", "{a: 1, \"b\": 2, (paren c): 3}" },
	{ "{\n\na = 1\nb = 2,\n\nc : 3 # x\n}", "{a: 1, b: 2, c: 3}" },
	{ "{true = 1, null = 2, if = 3, for-x = 4}", "{true: 1, null: 2, if: 3, for-x: 4}" },
	{ "{a.b = 1, 1 = 2, \"${x}\" = 3, f(x) = 4}", "{a.b: 1, 1: 2, (wrap x): 3, (f x): 4}" },
	{ "{ a = [\n1,\n2\n], b = (\n3\n) }", "{a: (list 1 2), b: (paren 3)}" },
	{ "f()", "(f)" },
	{ "f(1, a.b, [2],)", "(f 1 a.b (list 2))" },
	{ "f(a, b...)", "expand(f a b)" },
	{ "f(\na,\nb\n).c[0]", "(f a b).c[0]" },
	{ "a::b::f(1)", "(a::b::f 1)" },
	{ "a.*.b.c", "(splat a _.b.c)" },
	{ "a.*", "(splat a _)" },
	{ "a.*.b[0]", "(splat a _.b)[0]" },
	{ "a.*.0.b", "(splat a _.[0].b)" },
	{ "a[*].b[0]", "(splat a _.b[0])" },
	{ "a[*][*].b", "(splat a (splat _ _.b))" },
	{ "a.b[*].c.*.d", "(splat a.b (splat _.c _.d))" },
	{ "[for x in y : x]", "(for x y x)" },
	{ "[for k, v in m : \"${k}=${v}\" if v != null]",
	  "(for k,v m (tmpl k \"=\" v) if (!= v null))" },
	{ "{for k, v in m : k => v}", "(for-object k,v m k v)" },
	{ "{\nfor k, v\nin m :\nk => v...\nif true\n}", "(for-object k,v m k v if true ...)" },
	{ "\"\"", "\"\"" },
	{ "\"a\\n\\t\\\"\\\\\\u00e9\\U0001F600\"", "\"a\\n\\t\\\"\\\\\xc3\xa9\xf0\x9f\x98\x80\"" },
	{ "\"$${a} %%{b} $$${c} $$ % \\\\\"", "\"${a} %{b} $${c} $$ % \\\\\"" },
	{ "\"e\xcc\x81\"", "\"\xc3\xa9\"" },
	{ "\"${a}\"", "(wrap a)" },
	{ "\"${~ a ~}\"", "(wrap a)" },
	{ "\"x${a}\"", "(tmpl \"x\" a)" },
	{ "\"${a}${b}\"", "(tmpl a b)" },
	{ "\"a  ${~ b ~}  c\"", "(tmpl \"a\" b \"c\")" },
	{ "\"${\"${\"x\"}\"}\"", "(wrap (wrap \"x\"))" },
	{ "\"${\na\n+\nb\n}\"", "(wrap (+ a b))" },
	{ "\"${{a = 1}.a}\"", "(wrap {a: 1}.a)" },
	{ "\"%{ if a }b%{ else }c%{ endif }\"", "(tmpl (if a (tmpl \"b\") (tmpl \"c\")))" },
	{ "\"%{if a}b%{endif}\"", "(tmpl (if a (tmpl \"b\") (tmpl \"\")))" },
	{ "\"%{if a}%{if b}x%{else}y%{endif}%{endif}z\"",
	  "(tmpl (if a (tmpl (if b (tmpl \"x\") (tmpl \"y\"))) (tmpl \"\")) \"z\")" },
	{ "\"%{for x in y}<${x}>%{endfor}\"", "(tmpl (for-join x y (tmpl \"<\" x \">\")))" },
	{ "\"%{for k, v in y ~} a %{~ endfor}\"", "(tmpl (for-join k,v y (tmpl \"a\")))" },
	{ "<<EOT\na\n  b ${c}\nEOT\n", "EOT(tmpl \"a\\n  b \" c \"\\n\")" },
	{ "<<EOT\nEOT\n", "EOT(tmpl \"\")" },
	{ "<<EOT\na\\n\\u0041 \"q\"\n  EOT\n", "EOT(tmpl \"a\\\\n\\\\u0041 \\\"q\\\"\\n\")" },
	{ "<<-EOT\n    a\n      b\n\n    c\n  EOT\n", "EOT(tmpl \"a\\n  b\\n\\nc\\n\")" },
	{ "<<-EOT\n    a\n  ${b}\n    EOT\n", "EOT(tmpl \"  a\\n\" b \"\\n\")" },
	{ "<<-EOT\n\ta\n\t  b\nEOT\n", "EOT(tmpl \"a\\n  b\\n\")" },
	{ "<<-EOT\n    a ${b} c\n    d\n   \n  EOT\n", "EOT(tmpl \"a \" b \" c\\nd\\n   \\n\")" },
	{ "<<EOT\n%{ for x in y ~}\n  ${x}\n%{ endfor ~}\nEOT\n",
	  "EOT(tmpl (for-join x y (tmpl \"  \" x \"\\n\")) \"\")" },
	{ "<<E\na\n \xe2\x80\x83"
	  "E\n",
	  "E(tmpl \"a\\n\")" },
	{ "<<E\n1 % \n${~ x}\nE\n", "E(tmpl \"1 % \" x \"\\n\")" },
	{ "<<E\n1 x \n${~ x}\nE\n", "E(tmpl \"1 x\" x \"\\n\")" },
	{ "f(<<A\nx\nA\n, <<B\ny\nB\n)", "(f A(tmpl \"x\\n\") B(tmpl \"y\\n\"))" },
	{ "h\xc3\xa9.\xe6\x97\xa5", "h\xc3\xa9.\xe6\x97\xa5" },
};

static void test_exprs(void **state UNUSED)
{
	check_trees(exprs, ARRAY_LEN(exprs), hcl_parse_expr);
}

static const struct tree_case templates[] = {
	{ "", "\"\"" },
	{ "a \"b\" \\n $${c}", "\"a \\\"b\\\" \\\\n ${c}\"" },
	{ "${a}", "(wrap a)" },
	{ "${a}\n", "(tmpl a \"\\n\")" },
	{ "%{ for x in y ~}\n${x}\n%{ endfor ~}\n",
	  "(tmpl (for-join x y (tmpl \"\" x \"\\n\")) \"\")" },
	{ "a\n  ${~ b}", "(tmpl \"a\\n\" b)" },
	{ "a\n%{ if b }c\n%{ endif }", "(tmpl \"a\\n\" (if b (tmpl \"c\\n\") (tmpl \"\")))" },
	{ "$ % $", "\"$ % $\"" },
	{ "a$ \n${~ b}", "(tmpl \"a$ \" b)" },
};

static void test_templates(void **state UNUSED)
{
	check_trees(templates, ARRAY_LEN(templates), hcl_parse_template);
}

static const struct tree_case bodies[] = {
	{ "", "" },
	{ "a = 1", "a = 1; " },
	{ "a = 1\nb = [\n2,\n]\r\n# c\n/* d */ c = 3 // e\n", "a = 1; b = (list 2); c = 3; " },
	{ "b {}\n", "b { } " },
	{ "b { a = 1 }\n", "b { a = 1; } " },
	{ "b x \"y z\" {\n  a = 1\n  c \"d\" {\n  }\n}\n", "b 'x' 'y z' { a = 1; c 'd' { } } " },
	{ "b \"q\\\"\\u00e9$${\" {\n}\n", "b 'q\"\xc3\xa9${' { } " },
	{ "a = <<E\nx\nE\nb = 2\n", "a = E(tmpl \"x\\n\"); b = 2; " },
	{ "a = {\n  b = 1 }\nc = 2", "a = {b: 1}; c = 2; " },
	{ "\xef\xbb\xbf" "a = 1\n", "a = 1; " },
	/* What is left of broken ones. */
	{ "a = \nb = 2\n", "a = ?; b = 2; " },
	{ "a = [1, 2\nb = 2\n", "a = ?; b = 2; " },
	{ "a = [1, ], ]\nb = 2\n", "a = (list 1); b = 2; " },
	{ "x {\n  a = f(1\n  b = 2\n}\nc = 3\n", "c = 3; x { a = ?; b = 2; } " },
	{ "x {\n  a = {\n    b = 2\n}\nc = 3\n", "x { a = {b: 2}; c = 3; } " },
	{ "a = \"x\nb = \"y\"\n", "a = ?; b = \"y\"; " },
	{ "a = \"x\ny\"\nb = 2\n", "a = \"xy\"; b = 2; " },
	{ "a = { b = ], c = 1\n d = 2 }\n", "a = {c: 1, d: 2}; " },
	{ "a = \"${1 +} ${b}\"\nb = 2\n", "a = (tmpl ? \" \" b); b = 2; " },
	{ "}\na = 1\n", "a = 1; " },
	{ "x \"y\"\n{\n  a = 1\n}\nb = 2\n", "b = 2; x 'y' { } " },
	{ "x { a = 1, b = 2 }\nc = 3\n", "c = 3; x { a = 1; } " },
	{ "a = <<E\nx\n", "a = ?; " },
};

static void test_bodies(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		AUTO(arena) struct arena *a = arena_new();
		AUTO(buf) struct buf b = BUF_INIT;
		struct hcl_body *body;
		struct diags d;

		diags_init(&d, a);
		hcl_parse(a, source_new(a, "t.hcl", str_from(bodies[i].text)), &d, &body);
		show_body(body, &b);
		assert_string_equal(buf_cstr(&b), bodies[i].tree);
	}
}

/* Line and column, and the text of the span, of each mistake. */
static const struct tree_case mistakes[] = {
	{ "a = 'b'\n", "1:5 ': HCL has no single quotes" },
	{ "a = 1 2\n",
	  "1:7 2: Expected the end of the line after the argument, found the number 2" },
	{ "a = 1, b = 2\n", "1:6 ,: Expected the end of the line after the argument, found ','" },
	{ "a =\n", "1:4 : Expected a value, found the end of the line" },
	{ "a", "1:2 : Expected '=' or '{' after \"a\", found the end of the file" },
	{ "a = [1 2]\n", "1:8 2: Expected ',' or ']' after the element, found the number 2" },
	{ "a = [\n1,\n", "1:5 [: The list that begins here is never closed" },
	{ "a = {\nb = 1\n", "1:5 {: The object that begins here is never closed" },
	{ "a = {b}\n", "1:7 }: Expected '=' and a value after the key, found '}'" },
	{ "a = {b = 1 c = 2}\n",
	  "1:12 c: Expected a new line, ',' or '}' after the value, found the name \"c\"" },
	{ "a = (1\n", "1:5 (: The parenthesis that begins here is never closed" },
	{ "a = f(1\n", "1:6 (: The call that begins here is never closed" },
	{ "a = f(1...,2)\n", "1:11 ,: Expected ')' after \"...\", found ','" },
	{ "a = x[1\n", "2:1 : Expected ']' after the index, found the end of the file" },
	{ "a = x.\n",
	  "1:7 : Expected the name of an attribute after the point, found the end of the line" },
	{ "a = x.0.1\n", "1:7 0.1: Two indexes in a row cannot be written with points" },
	{ "a = x.*.*\n", "1:9 *: One .* cannot follow another" },
	{ "a = x ? y\n",
	  "1:10 : Expected ':' and the other value of the conditional, found the end of the line" },
	{ "a = [for x y : z]\n",
	  "1:12 y: Expected \"in\" and what to go through, found the name \"y\"" },
	{ "a = [for x in y]\n", "1:16 ]: Expected ':' after what to go through, found ']'" },
	{ "a = [for x in y : x => x]\n",
	  "1:21 =>: A key with => cannot stand in a for that makes a list" },
	{ "a = [for x in y : x...]\n",
	  "1:20 ...: \"...\" cannot stand in a for that makes a list" },
	{ "a = {for x in y : x}\n", "1:20 }: Expected '=>' and a value, found '}'" },
	{ "a = 1.2.3\n", "1:5 1.2.3: \"1.2.3\" is not a number" },
	{ "a = b & c\n", "1:7 &: HCL has no operator '&'" },
	{ "a = b; c\n", "1:6 ;: ';' does not end anything in HCL" },
	{ "a = \xe2\x80\x9c"
	  "b\n",
	  "1:5 \xe2\x80\x9c: HCL has no typographic quotes" },
	{ "a = \xff\n", "1:5 \xff: The byte 0xff is not UTF-8" },
	{ "a =\xc2\xa0"
	  "1\n",
	  "1:4 \xc2\xa0: The invisible character U+00A0 stands outside of text" },
	{ "a = @\n", "1:5 @: '@' has no meaning in HCL" },
	{ "a = \x01\n", "1:5 \x01: The control byte 0x01 stands outside of text" },
	{ "a = /* b\n", "1:5 /*: This comment is never closed" },
	{ "a = 1 /* b\n", "1:7 /*: This comment is never closed" },
	{ "a = \"b\n", "1:5 \": The string that begins here is not closed on its line" },
	{ "a = \"b\nc\"\n", "1:5 \"b\n: Quoted text cannot go on in the next line" },
	{ "a = \"b", "1:5 \": The string that begins here is never closed" },
	{ "a = \"\\q \\u12 \\UFFFFFFFF\"\n",
	  "1:6 \\q: '\\q' is no escape|1:9 \\u: '\\u' is no escape|1:14 \\U: '\\U' is no escape" },
	{ "a = <<E\nb\nE", "3:2 : The heredoc that begins on line 1 is never closed" },
	{ "a = << E\n", "1:5 <<: This does not begin a heredoc" },
	{ "a = \"${b\"\n", "1:6 ${: The value that begins here is not closed" },
	{ "a = \"${b c}\"\n",
	  "1:10 c: Expected '}' at the end of the sequence, found the name \"c\"" },
	{ "a = \"%{if b}c\"\n", "1:6 %{if b}: This %{if} has no %{endif}" },
	{ "a = \"%{for x in b}c%{endif}\"\n",
	  "1:20 %{endif}: %{endif} cannot end the %{for} of line 1" },
	{ "a = \"%{endif}\"\n", "1:6 %{endif}: This directive ends nothing" },
	{ "a = \"%{fi b}\"\n", "1:8 fi: There is no directive \"fi\"" },
	{ "a = \"%{for x in y}${x}%{enfor}\"\n", "1:25 enfor: There is no directive \"enfor\"" },
	{ "a b c\n",
	  "1:6 : Expected '{' or a label after the block's type, found the end of the line" },
	{ "a \"b\" = 1\n", "1:7 =: Expected '{' or a label after the block's type, found '='" },
	{ "a \"${b}\" {\n}\n", "1:3 \"${b}\": A template cannot stand here: only plain text" },
	{ "a {\n", "1:3 {: The block that begins here is never closed" },
	{ "a {} b\n", "1:6 b: Expected the end of the line after the block, found the name \"b\"" },
	{ "a { b = 1, c = 2 }\n", "1:10 ,: Expected '}' after the argument, found ','" },
	{ "a { b = 1\n}\n", "1:10 : Expected '}' after the argument, found the end of the line" },
	{ "a { b {} }\n", "1:5 b {: A block on one line cannot hold another block" },
	{ "a { b\n}\n", "1:6 : Expected '=' after the argument's name, found the end of the line" },
	{ "}\n", "1:1 }: This '}' closes nothing" },
	{ "\"a\" = 1\n", "1:1 \": Expected an argument or a block, found quoted text" },
	{ "a = 1\na = 2\n", "2:1 a: The argument \"a\" is set twice" },
	{ "a::b = 1\n", "1:2 ::: Expected '=' or '{' after \"a\", found '::'" },
	{ "a = b::c\n",
	  "1:9 : Expected '(' and the function's arguments, found the end of the line" },
	/* Five mistakes, five reports. */
	{ "a = \"x\nb = [1, 2\nc = 3 4\nd {\n  e = ]\n}\nf = \"\\q\"\ng = 1\n",
	  "1:5 \": The string that begins here is not closed on its line|3:1 c: Expected ',' "
	  "or ']' after the element, found the "
	  "name \"c\"|3:7 4: Expected the end of the line after the argument, found the number "
	  "4|5:7 ]: Expected a value, found ']'|"
	  "7:6 \\q: '\\q' is no escape" },
	{ "a = {\n  b = ]\n  c = 1 2\n  d = \"${}\"\n  e = [1, +, 3]\n  f\n}\n",
	  "2:7 ]: Expected a value, found ']'|3:9 2: Expected a new line, ',' or '}' after the "
	  "value, found the number 2|"
	  "4:10 }: Expected a value, found the end of the sequence, '}'|5:11 +: Expected a value, "
	  "found '+'|"
	  "6:4 : Expected '=' and a value after the key, found the end of the line" },
};

static void show_mistakes(const struct diags *d, struct buf *out)
{
	for (size_t i = 0; i < d->n; i++) {
		struct span s = d->v[i].span;
		struct position at = source_position(s.src, s.from);
		struct str text = str_slice(s.src->text, s.from, s.to);

		if (str_eqs(text, "\n"))
			text.n = 0;
		buf_printf(out, "%s%u:%u " STR_FMT ": %s", i ? "|" : "", at.line, at.column_chars,
			   STR_ARG(text), d->v[i].summary);
	}
}

static void test_mistakes(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		AUTO(arena) struct arena *a = arena_new();
		AUTO(buf) struct buf b = BUF_INIT;
		struct hcl_body *body;
		struct diags d;

		diags_init(&d, a);
		assert_int_equal(
			hcl_parse(a, source_new(a, "t.hcl", str_from(mistakes[i].text)), &d, &body),
			-1);
		show_mistakes(&d, &b);
		assert_string_equal(buf_cstr(&b), mistakes[i].tree);
	}
}

/* A check says what the parser says, and gives the tokens as the lexer made them. */
static void check_like_parser(struct str text)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf want = BUF_INIT, got = BUF_INIT;
	struct source *src = source_new(a, "t.hcl", text);
	struct hcl_tokens lexed = hcl_lex(a, text, HCL_LEX_CONFIG), tokens;
	struct hcl_body *body;
	struct diags d, again;
	int rc;

	diags_init(&d, a);
	diags_init(&again, a);
	rc = hcl_parse(a, src, &d, &body);
	assert_int_equal(hcl_check(a, src, &again, &tokens), rc);
	diags_render(&d, &want);
	diags_render(&again, &got);
	assert_string_equal(buf_cstr(&got), buf_cstr(&want));
	if (rc < 0)
		return;
	assert_int_equal(tokens.n, lexed.n);
	for (size_t i = 0; i < lexed.n; i++) {
		assert_int_equal(tokens.v[i].kind, lexed.v[i].kind);
		assert_int_equal(tokens.v[i].from, lexed.v[i].from);
		assert_int_equal(tokens.v[i].to, lexed.v[i].to);
	}
}

static void test_check(void **state UNUSED)
{
	static const char *const commented[] = {
		"/* a */ /* b */",
		"# a",
		"# a\n# b\n",
		"/* a */ x = 1 /* b */ # c\ny { # d\n} // e",
		"x = [ /* a */ 1, # b\n2 /* c */ /* d */ ]\n",
		"\xef\xbb\xbf/* a\n */x = \"${/* b */1}\"\n",
	};
	AUTO(buf) struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		check_like_parser(str_from(bodies[i].text));
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++)
		check_like_parser(str_from(mistakes[i].text));
	for (size_t i = 0; i < ARRAY_LEN(commented); i++)
		check_like_parser(str_from(commented[i]));
	/* Enough for memory to serve twice; names are known still. */
	for (unsigned i = 0; i < 4000; i++)
		buf_printf(&b,
			   "b%u \"c\" {\n  d {\n    e = [f(%u), \"${g} \\u0068\"]\n  }\n}\n"
			   "a%u = 1\n",
			   i, i, i);
	check_like_parser(buf_str(&b));
	buf_adds(&b, "a1 = 2\nx {\n  y = 1\n  y = '\n}\n");
	check_like_parser(buf_str(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exprs),
		cmocka_unit_test(test_templates),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
