/* Patterns of -only and -except on HCL2 templates. */
#include "base/base.h"
#include "template/hcl/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
	const char *pattern, *text;
	bool match;
} cases[] = {
	{ "null.a", "null.a", true },
	{ "null.a", "null.ab", false },
	{ "", "", true },
	{ "*", "", true },
	{ "*", "a.b.c", true },
	{ "*.b", "a.b", true },
	{ "**.b", "x.a.b", true },
	{ "a*b*c", "aXbYc", true },
	{ "a*b*c", "aXbY", false },
	{ "nu??.a", "null.a", true },
	{ "?", "ü", true },
	{ "?", "", false },
	{ "[abc]", "b", true },
	{ "[abc]", "d", false },
	{ "[!abc]", "d", true },
	{ "[!abc]", "a", false },
	{ "[a-c]x", "bx", true },
	{ "[a-c]x", "dx", false },
	{ "[!a-c]", "d", true },
	{ "[ä-ü]", "ö", true },
	{ "{one,two}.x", "two.x", true },
	{ "{one,two}.x", "three.x", false },
	{ "{a{b,c},d}", "ac", true },
	{ "{a*,b}z", "axyz", true },
	{ "a,b", "a,b", true },
	{ "\\*", "*", true },
	{ "\\*", "x", false },
	{ "[\\]]", "]", true },
	{ "a}", "a}", true },
};

static void test_match(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(err) struct err err = ERR_INIT;

		if (hcl_glob_check(cases[i].pattern, &err) < 0)
			fail_msg("'%s' is refused: %s", cases[i].pattern, err.msg);
		if (hcl_glob_match(cases[i].pattern, cases[i].text) != cases[i].match)
			fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].text);
	}
}

static void test_bad(void **state UNUSED)
{
	static const char *const bad[] = { "[",	  "[!",	    "[a",
					   "[a-", "[a-z",   "[a-z0-9]",
					   "{a",  "{a,{b}", "********************" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(err) struct err err = ERR_INIT;

		if (hcl_glob_check(bad[i], &err) == 0)
			fail_msg("'%s' is taken", bad[i]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
