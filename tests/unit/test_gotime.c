/* Go's time layouts and strftime, and version numbers. */
#include "base/gotime.h"
#include "template/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MOMENT 1136214245123 /* Mon Jan 2 15:04:05.123 2006 */
#define LATER 1709164801007  /* Thu Feb 29 00:00:01.007 2024 */

static void test_layouts(void **state UNUSED)
{
	static const struct {
		int64_t ms;
		const char *layout, *want;
	} cases[] = {
		{ MOMENT, "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z" },
		{ MOMENT, "Mon Jan _2 15:04:05 MST 2006", "Mon Jan  2 15:04:05 UTC 2006" },
		{ LATER, "20060102150405", "20240229000001" },
		{ LATER, "Monday, January 2 3:04PM", "Thursday, February 29 12:00AM" },
		{ LATER, "1/2/06 03 3 pm", "2/29/24 12 12 am" },
		{ LATER, "02 Jan 06 15:04 -0700", "29 Feb 24 00:00 +0000" },
		{ LATER, "06-002 __2", "24-060  60" },
		{ LATER, "Z0700 -07 -07:00 Z07 -070000", "Z +00 +00:00 Z +000000" },
		{ LATER, "15:04:05.000 .999 05.00 05,000", "00:00:01.007 .007 01.00 01,007" },
		{ MOMENT, "05.00000001",
		  "05.00000001" }, /* a digit follows: no fraction, and 01 is the month */
		{ LATER, "Janet May text_2006", "Janet May text_2024" },
		{ LATER, "02-Jan-06 03_04_05", "29-Feb-24 12_00_01" },
		{ LATER, "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf) struct buf b = BUF_INIT;

		gotime_format(&b, cases[i].ms, str_from(cases[i].layout));
		assert_string_equal(buf_cstr(&b), cases[i].want);
	}
}

static void test_strftime(void **state UNUSED)
{
	AUTO(buf) struct buf b = BUF_INIT;

	gotime_strftime(&b, LATER,
			STR("%Y-%m-%d %H:%M:%S %A %B %a %b %y %I%p %Z %z %% %e %j 2006 %"));
	assert_string_equal(
	    buf_cstr(&b),
	    "2024-02-29 00:00:01 Thursday February Thu Feb 24 12AM UTC +0000 % %e %j 2006 %");
}

static void test_versions(void **state UNUSED)
{
	static const struct {
		const char *a, *b;
		int order;
	} cases[] = {
		{ "1.16.0", "1.16", 0 },
		{ "1.16.0", "v1.9", 1 },
		{ "1.16.0", "2", -1 },
		{ "1.16.0", "1.16.0-dev", 1 },
		{ "1.0.0-alpha", "1.0.0-beta", -1 },
		{ "1.2.3+x", "1.2.3", 0 },
	};
	static const char *const bad[] = { "", "one", "1..2", "1.x", "1.2.3.4.5.6.7" };
	int order;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(version_compare(str_from(cases[i].a), str_from(cases[i].b), &order));
		assert_int_equal((order > 0) - (order < 0), cases[i].order);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(version_compare(str_from(bad[i]), STR("1"), &order));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_strftime),
		cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
