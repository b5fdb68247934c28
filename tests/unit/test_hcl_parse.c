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
			int (*parse)(struct arena *, struct source *, struct diags *, struct hcl_expr **))
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
	{ "[for k, v in m : \"${k}=${v}\" if v != null]", "(for k,v m (tmpl k \"=\" v) if (!= v null))" },
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
	{ "\"%{if a}%{if b}x%{else}y%{endif}%{endif}z\"", "(tmpl (if a (tmpl (if b (tmpl \"x\") (tmpl \"y\"))) (tmpl \"\")) \"z\")" },
	{ "\"%{for x in y}<${x}>%{endfor}\"", "(tmpl (for-join x y (tmpl \"<\" x \">\")))" },
	{ "\"%{for k, v in y ~} a %{~ endfor}\"", "(tmpl (for-join k,v y (tmpl \"a\")))" },
	{ "<<EOT\na\n  b ${c}\nEOT\n", "EOT(tmpl \"a\\n  b \" c \"\\n\")" },
	{ "<<EOT\nEOT\n", "EOT(tmpl \"\")" },
	{ "<<EOT\na\\n\\u0041 \"q\"\n  EOT\n", "EOT(tmpl \"a\\\\n\\\\u0041 \\\"q\\\"\\n\")" },
	{ "<<-EOT\n    a\n      b\n\n    c\n  EOT\n", "EOT(tmpl \"a\\n  b\\n\\nc\\n\")" },
	{ "<<-EOT\n    a\n  ${b}\n    EOT\n", "EOT(tmpl \"  a\\n\" b \"\\n\")" },
	{ "<<-EOT\n\ta\n\t  b\nEOT\n", "EOT(tmpl \"a\\n  b\\n\")" },
	{ "<<-EOT\n    a ${b} c\n    d\n   \n  EOT\n", "EOT(tmpl \"a \" b \" c\\nd\\n   \\n\")" },
	{ "<<EOT\n%{ for x in y ~}\n  ${x}\n%{ endfor ~}\nEOT\n", "EOT(tmpl (for-join x y (tmpl \"  \" x \"\\n\")) \"\")" },
	{ "f(<<A\nx\nA\n, <<B\ny\nB\n)", "(f A(tmpl \"x\\n\") B(tmpl \"y\\n\"))" },
	{ "h\xc3\xa9.\xe6\x97\xa5", "h\xc3\xa9.\xe6\x97\xa5" },
};

static void test_exprs(void **state UNUSED)
{
	check_trees(exprs, ARRAY_LEN(exprs), hcl_parse_expr);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_exprs) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
