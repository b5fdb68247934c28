/* HCL's lexer: each text as its tokens. Written are the kinds' names with the text, white space
 * between tokens must be nothing but that. */
#include "lang/hcl/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char *const kinds[] = {
	[HCL_T_EOF] = "eof",
	[HCL_T_NEWLINE] = "nl",
	[HCL_T_COMMENT] = "comment",
	[HCL_T_IDENT] = "id",
	[HCL_T_NUMBER] = "num",
	[HCL_T_OQUOTE] = "oq",
	[HCL_T_CQUOTE] = "cq",
	[HCL_T_OHEREDOC] = "oh",
	[HCL_T_CHEREDOC] = "ch",
	[HCL_T_QUOTED_LIT] = "ql",
	[HCL_T_STRING_LIT] = "sl",
	[HCL_T_TEMPLATE_INTERP] = "interp",
	[HCL_T_TEMPLATE_CONTROL] = "control",
	[HCL_T_TEMPLATE_END] = "end",
	[HCL_T_OBRACE] = "{",
	[HCL_T_CBRACE] = "}",
	[HCL_T_OBRACK] = "[",
	[HCL_T_CBRACK] = "]",
	[HCL_T_OPAREN] = "(",
	[HCL_T_CPAREN] = ")",
	[HCL_T_EQUAL] = "=",
	[HCL_T_COMMA] = ",",
	[HCL_T_DOT] = ".",
	[HCL_T_ELLIPSIS] = "...",
	[HCL_T_COLON] = ":",
	[HCL_T_DOUBLE_COLON] = "::",
	[HCL_T_FAT_ARROW] = "=>",
	[HCL_T_QUESTION] = "?",
	[HCL_T_PLUS] = "+",
	[HCL_T_MINUS] = "-",
	[HCL_T_STAR] = "*",
	[HCL_T_SLASH] = "/",
	[HCL_T_PERCENT] = "%",
	[HCL_T_EQ] = "==",
	[HCL_T_NE] = "!=",
	[HCL_T_LT] = "<",
	[HCL_T_LE] = "<=",
	[HCL_T_GT] = ">",
	[HCL_T_GE] = ">=",
	[HCL_T_AND] = "&&",
	[HCL_T_OR] = "||",
	[HCL_T_BANG] = "!",
	[HCL_T_INVALID] = "bad",
};

/* "id a, =, num 1": operators by themselves, the rest with what they cover; a line break is shown
 * as ~. */
static void show(struct str text, struct hcl_tokens t, struct buf *out)
{
	size_t last = str_starts(text, "\xef\xbb\xbf") ? 3 : 0;

	for (size_t i = 0; i < t.n; i++) {
		const struct hcl_token *k = &t.v[i];
		const char *name = kinds[k->kind];

		for (size_t p = last; p < k->from; p++)
			assert_true(text.p[p] == ' ' || text.p[p] == '\t');
		last = k->to;
		if (k->kind == HCL_T_EOF)
			break;
		buf_printf(out, "%s%s", i ? ", " : "", name);
		if (k->kind == HCL_T_NEWLINE || str_eqs(str_slice(text, k->from, k->to), name))
			continue;
		buf_addc(out, ' ');
		for (size_t p = k->from; p < k->to; p++)
			buf_addc(out, text.p[p] == '\n'	  ? '~'
				      : text.p[p] == '\r' ? '@'
							  : text.p[p]);
	}
	assert_int_equal(last, text.n);
}

static const struct {
	enum hcl_lex_mode mode;
	const char *text, *tokens;
} cases[] = {
	{ HCL_LEX_CONFIG, "", "" },
	{ HCL_LEX_CONFIG, "a = 1\n", "id a, =, num 1, nl" },
	{ HCL_LEX_CONFIG,
	  "\xef\xbb\xbf"
	  "a\r\n",
	  "id a, nl" },
	{ HCL_LEX_CONFIG, "foo-bar_2 -x", "id foo-bar_2, -, id x" },
	{ HCL_LEX_CONFIG, "h\xc3\xa9llo \xe6\x97\xa5\xe6\x9c\xac",
	  "id h\xc3\xa9llo, id \xe6\x97\xa5\xe6\x9c\xac" },
	{ HCL_LEX_CONFIG, "1 1.5 1e5 1.5E-3 1.2.3 1..2 1. 1.a 1e 0x1",
	  "num 1, num 1.5, num 1e5, num 1.5E-3, num 1.2.3, num 1..2, "
	  "num 1, ., num 1, ., id a, num 1, id e, num 0, id x1" },
	{ HCL_LEX_CONFIG, "==!=>=<===>&&||!<>?:::...",
	  "==, !=, >=, <=, ==, >, &&, ||, !, <, >, ?, ::, :, ..." },
	{ HCL_LEX_CONFIG, "=> = > . .. ....", "=>, =, >, ., ., ., ..., ." },
	{ HCL_LEX_CONFIG, "{}[](),+-*/%", "{, }, [, ], (, ), ,, +, -, *, /, %" },
	{ HCL_LEX_CONFIG, "# one\n// two\r\n/* th\nree */ 4 # end",
	  "comment # one~, comment // two@~, comment /* th~ree */, num 4, "
	  "comment # end" },
	{ HCL_LEX_CONFIG, "/* open", "/, *, id open" },
	{ HCL_LEX_CONFIG, "/**/ /***/ /*/ */", "comment /**/, comment /***/, comment /*/ */" },
	{ HCL_LEX_CONFIG, "\"\" \"a b\"", "oq \", cq \", oq \", ql a b, cq \"" },
	{ HCL_LEX_CONFIG, "\"a\\\"b\\\\\" c", "oq \", ql a\\\"b\\\\, cq \", id c" },
	{ HCL_LEX_CONFIG, "\"x ${a.b} y\"",
	  "oq \", ql x , interp ${, id a, ., id b, end }, ql  y, cq \"" },
	{ HCL_LEX_CONFIG, "\"${~ {a={}} ~}%{ if x }\"",
	  "oq \", interp ${~, {, id a, =, {, }, }, end ~}, control %{, id if, id x, end }, "
	  "cq \"" },
	{ HCL_LEX_CONFIG, "\"$${a} $$${b} %%{c} $ % \\${d}\"",
	  "oq \", ql $${a} $$${b} %%{c} $ % \\${d}, cq \"" },
	{ HCL_LEX_CONFIG, "\"${\"${\"x\"}\"}\"",
	  "oq \", interp ${, oq \", interp ${, oq \", ql x, cq \", end }, cq \", end }, cq \"" },
	{ HCL_LEX_CONFIG, "<<EOT\na\n EOT \nb", "oh <<EOT~, sl a~, ch  EOT , nl, id b" },
	{ HCL_LEX_CONFIG, "<<-E1\r\n  a ${b}E1\r\n  E1\r\n",
	  "oh <<-E1@~, sl   a , interp ${, id b, end }, sl E1@~, ch   E1, nl" },
	{ HCL_LEX_CONFIG, "<<EOT\na\nEOT", "oh <<EOT~, sl a~, sl EOT" },
	{ HCL_LEX_CONFIG, "<<EOT \n", "<, <, id EOT, nl" },
	{ HCL_LEX_CONFIG, "<<A\n${<<B\nx\nB\n}\nA\n",
	  "oh <<A~, interp ${, oh <<B~, sl x~, ch B, nl, end }, sl ~, ch A, nl" },
	{ HCL_LEX_CONFIG, "} ~} a", "}, bad ~, }, id a" },
	{ HCL_LEX_CONFIG, "& | ^ ~ ; ' ` @",
	  "bad &, bad |, bad ^, bad ~, bad ;, bad ', bad `, bad @" },
	{ HCL_LEX_CONFIG, "\xe2\x80\x9cx\xe2\x80\x9d \xff",
	  "bad \xe2\x80\x9c, id x, bad \xe2\x80\x9d, bad \xff" },
	{ HCL_LEX_CONFIG,
	  "\"a\xff"
	  "b\"",
	  "oq \", ql a, bad \xff, ql b, cq \"" },
	/* A lost quote costs its line; text over two lines is one text. */
	{ HCL_LEX_CONFIG, "a = \"x\nb = \"y\"\n",
	  "id a, =, oq \", ql x, bad , nl, id b, =, oq \", ql y, cq \", nl" },
	{ HCL_LEX_CONFIG, "a = \"x${f(\"y}\"\nb",
	  "id a, =, oq \", ql x, interp ${, id f, (, oq \", ql y}, cq \", nl, id b" },
	{ HCL_LEX_CONFIG, "\"${\"x\nb", "oq \", interp ${, oq \", ql x, bad , bad , nl, id b" },
	{ HCL_LEX_CONFIG, "\"one\ntwo\"\n", "oq \", ql one, bad ~, ql two, cq \", nl" },
	{ HCL_LEX_CONFIG, "\"one", "oq \", ql one" },
	{ HCL_LEX_CONFIG, "\"one\\", "oq \", ql one, bad \\" },
	{ HCL_LEX_TEMPLATE, "a ${b}\nc\n", "sl a , interp ${, id b, end }, sl ~, sl c~" },
	{ HCL_LEX_TEMPLATE, "\"\\n\" $${x} $", "sl \"\\n\" $${x} $" },
	{ HCL_LEX_TEMPLATE, "%{ for a in b ~}\n}%{endfor}",
	  "control %{, id for, id a, id in, id b, end ~}, sl ~, sl }, control %{, "
	  "id endfor, end }" },
	{ HCL_LEX_TEMPLATE, "a\rb\r\n", "sl a@b@~" },
};

static void test_tokens(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(arena) struct arena *a = arena_new();
		AUTO(buf) struct buf b = BUF_INIT;
		struct str text = str_from(cases[i].text);

		show(text, hcl_lex(a, text, cases[i].mode), &b);
		assert_string_equal(buf_cstr(&b), cases[i].tokens);
	}
}

/* Time grows with the length, whatever the text. */
static void test_long(void **state UNUSED)
{
	static const char *const units[] = {
		"/*", "\"${", "<<A\n", "\"a\\\n", "${", "a.b[\"c\"] ", "\xc3\xa9", "}", "1.", "\"\n"
	};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		AUTO(arena) struct arena *a = arena_new();
		AUTO(buf) struct buf b = BUF_INIT;
		struct hcl_tokens t;

		while (b.n < 4 << 20)
			buf_adds(&b, units[i]);
		buf_adds(&b, "\"\n"); /* ends all that is open on the line by force */
		t = hcl_lex(a, buf_str(&b), HCL_LEX_CONFIG);
		assert_int_equal(t.v[t.n - 1].kind, HCL_T_EOF);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_tokens),
					    cmocka_unit_test(test_long) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
