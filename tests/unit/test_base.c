/* base: buffers, strings, maps, durations, diagnostics, processes. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/os.h"
#include "base/proc.h"
#include "base/vec.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static void test_encodings(void **state UNUSED)
{
	static const struct {
		const char *text, *base64, *uri, *shell, *json;
	} cases[] = {
		{ "", "", "", "''", "\"\"" },
		{ "a", "YQ==", "a", "'a'", "\"a\"" },
		{ "it's", "aXQncw==", "it%27s", "'it'\"'\"'s'", "\"it's\"" },
		{ "a/b\n\"", "YS9iCiI=", "a%2Fb%0A%22", "'a/b\n\"'", "\"a/b\\n\\\"\"" },
		{ "\xff" "x", "/3g=", "%FFx", "'\xff" "x'", "\"\xef\xbf\xbdx\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf) struct buf b = BUF_INIT;
		struct str s = str_from(cases[i].text);

		buf_add_base64(&b, s.p, s.n);
		assert_string_equal(buf_cstr(&b), cases[i].base64);
		buf_reset(&b);
		assert_int_equal(buf_add_unbase64(&b, str_from(cases[i].base64)), 0);
		assert_true(str_eq(buf_str(&b), s));
		buf_reset(&b);
		buf_add_uri(&b, s, false);
		assert_string_equal(buf_cstr(&b), cases[i].uri);
		buf_reset(&b);
		buf_add_shell_word(&b, s);
		assert_string_equal(buf_cstr(&b), cases[i].shell);
		buf_reset(&b);
		buf_add_json_string(&b, s);
		assert_string_equal(buf_cstr(&b), cases[i].json);
	}
}

static void test_unbase64_malformed(void **state UNUSED)
{
	static const char *const bad[] = { "a", "ab=", "a===", "ab==c", "!!!!", "abc=d", "=" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(buf) struct buf b = BUF_INIT;

		buf_adds(&b, "x");
		assert_int_equal(buf_add_unbase64(&b, str_from(bad[i])), -1);
		assert_string_equal(buf_cstr(&b), "x");
	}
}

static void test_buf_ceiling(void **state UNUSED)
{
	AUTO(buf) struct buf b = { .max = 4 };

	buf_adds(&b, "abc");
	buf_adds(&b, "de");
	assert_true(b.overflow);
	assert_string_equal(buf_cstr(&b), "abc");
	buf_release(&b); /* what comes next is another text */
	assert_false(b.overflow);
}

static void test_glob(void **state UNUSED)
{
	static const struct {
		const char *pattern, *s;
		bool match;
	} cases[] = {
		{ "*", "", true },
		{ "*", "a.b", true },
		{ "amazon-*", "amazon-ebs.web", true },
		{ "a?c", "abc", true },
		{ "a?c", "ac", false },
		{ "[a-c]x", "bx", true },
		{ "[^a-c]x", "bx", false },
		{ "*.web", "a.web.web", true },
		{ "a*b*c", "aXbYbZc", true },
		{ "a*b*c", "aXbYbZ", false },
		{ "\\*", "*", true },
		{ "\\*", "a", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (glob_match(cases[i].pattern, cases[i].s) != cases[i].match)
			fail_msg("%s against %s", cases[i].pattern, cases[i].s);
}

static void test_nearest(void **state UNUSED)
{
	static const char *const names[] = { "ami_name", "ami_users", "region", "source_ami" };
	static const char *const blocks[] = { "source", "build", "data", "required_plugins" };

	assert_string_equal(str_nearest("ami_nmae", names, 4), "ami_name");
	assert_string_equal(str_nearest("regoin", names, 4), "region");
	assert_null(str_nearest("zzz", names, 4));
	assert_null(str_nearest("", names, 4));
	assert_string_equal(str_nearest("sauce", blocks, 4), "source");
	assert_string_equal(str_nearest("biuld", blocks, 4), "build");
	assert_string_equal(str_nearest("requird_plugs", blocks, 4), "required_plugins");
	assert_null(str_nearest("resource_x", blocks, 4));
	assert_null(str_nearest("module", blocks, 4));
}

static void test_map_order(void **state UNUSED)
{
	AUTO(map) struct map m = MAP_INIT;
	char key[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_null(map_sets(&m, key, (void *)(intptr_t)(i + 1)));
	}
	assert_int_equal(map_len(&m), 1000);
	assert_ptr_equal(map_remove(&m, STR("k10")), (void *)11);
	assert_null(map_gets(&m, "k10"));
	assert_ptr_equal(map_gets(&m, "k999"), (void *)1000);
	assert_true(str_eqs(map_key_at(&m, 10), "k11"));
}

static void test_durations(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool good;
		int64_t ns;
		const char *go, *human;
	} cases[] = {
		{ "1h15m30.5s", true, INT64_C(4530500000000), "1h15m30.5s", "1 hour 15 minutes" },
		{ "300ms", true, 300000000, "300ms", "300 milliseconds" },
		{ "1.5h", true, INT64_C(5400000000000), "1h30m0s", "1 hour 30 minutes" },
		{ "1m1s", true, INT64_C(61000000000), "1m1s", "1 minute 1 second" },
		{ "0", true, 0, "0s", "0 microseconds" },
		{ "5", false, 0, NULL, NULL },
		{ "", false, 0, NULL, NULL },
		{ "1x", false, 0, NULL, NULL },
		{ ".s", false, 0, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf) struct buf b = BUF_INIT;
		int64_t ns = -1;

		assert_int_equal(clock_parse_duration(str_from(cases[i].text), &ns), cases[i].good);
		if (!cases[i].good)
			continue;
		assert_int_equal(ns, cases[i].ns);
		clock_print_duration(&b, ns);
		assert_string_equal(buf_cstr(&b), cases[i].go);
		buf_reset(&b);
		clock_format_duration(&b, ns);
		assert_string_equal(buf_cstr(&b), cases[i].human);
	}
}

static void test_dates(void **state UNUSED)
{
	AUTO(buf) struct buf b = BUF_INIT;
	int64_t t;

	assert_true(clock_parse_rfc3339(STR("2026-11-21T03:08:44.5+01:00"), &t));
	clock_format_rfc3339(&b, t, true);
	assert_string_equal(buf_cstr(&b), "2026-11-21T02:08:44.500Z");
	assert_false(clock_parse_rfc3339(STR("2026-11-21"), &t));
	assert_false(clock_parse_rfc3339(STR("2026-11-21T03:08:44"), &t));
	assert_false(clock_parse_rfc3339(STR("2026-11-21T-3:08:44Z"), &t));
	assert_false(clock_parse_rfc3339(STR("2026-11-21T03:08:44+1: 0"), &t));
	assert_false(clock_parse_rfc3339(STR(" 026-11-21T03:08:44Z"), &t));
	assert_false(clock_parse_rfc3339(STR("2026-02-29T03:08:44Z"), &t));
	assert_false(clock_parse_rfc3339(STR("2026-04-00T03:08:44Z"), &t));
	assert_true(clock_parse_rfc3339(STR("2024-02-29T03:08:44Z"), &t));
	assert_true(clock_parse_rfc3339(STR("0006-08-02t15:04:05.25z"), &t));
	buf_reset(&b);
	clock_format_rfc3339(&b, t, true);
	assert_string_equal(buf_cstr(&b), "0006-08-02T15:04:05.250Z");
	assert_true(clock_parse_http_date(STR("Sun, 06 Nov 1994 08:49:37 GMT"), &t));
	assert_int_equal(t, 784111777);
	assert_false(clock_parse_http_date(STR("yesterday"), &t));
}

static void count(void *data)
{
	++*(int *)data;
}

/* What was taken before a mark stays; what comes after a rewind is zeroed as ever. */
static void test_arena_rewind(void **state UNUSED)
{
	static const size_t sizes[] = { 1, 100, 3000, 70000, 200, 20000, 16 };
	AUTO(arena) struct arena *a = arena_new();
	char *kept = arena_strdup(a, "kept");
	struct arena_mark mark = arena_mark(a);
	int freed = 0;

	for (int round = 0; round < 5; round++) {
		arena_on_free(a, count, &freed);
		for (size_t i = 0; i < 20 * ARRAY_LEN(sizes); i++) {
			size_t n = sizes[i % ARRAY_LEN(sizes)];
			char *p = arena_alloc(a, n);

			for (size_t k = 0; k < n; k++)
				assert_int_equal(p[k], 0);
			memset(p, 'x', n);
		}
		assert_true(arena_size(a) > 20 * 70000);
		arena_rewind(a, mark);
		assert_int_equal(arena_size(a), mark.size);
		assert_int_equal(freed, round + 1);
		assert_string_equal(kept, "kept");
	}
}

static void test_diag(void **state UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf out = BUF_INIT;
	struct diags d;
	struct source *src = source_new(a, "t.json", STR("{\n\t\"nmae\": 1\n}\n"));

	diags_init(&d, a);
	diag_detail(&d, diag_error(&d, (struct span){ src, 3, 9 }, "unknown option \"%s\"", "nmae"),
		    "Did you mean \"name\"?");
	diag_warning(&d, (struct span){ 0 }, "old");
	diags_render(&d, &out);
	assert_string_equal(buf_cstr(&out), "Warning: old\n\n\n"
					    "Error: unknown option \"nmae\"\n\n"
					    "  on t.json line 2, column 2:\n"
					    "     2: \t\"nmae\": 1\n"
					    "        \t^~~~~~\n"
					    "\nDid you mean \"name\"?\n\n");
	assert_int_equal(d.errors, 1);
}

static void test_proc(void **state UNUSED)
{
	AUTO(buf) struct buf out = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	const char *cat[] = { "cat", NULL },
		   *fails[] = { "sh", "-c", "echo oops >&2; exit 3", NULL };
	const char *none[] = { "no-such-program-here", NULL }, *env[] = { "A=1", "HOME", NULL };
	const char *show[] = { "sh", "-c", "echo $A-$HOME", NULL };
	struct proc_spec spec = { .argv = cat, .input = STR("hello") };

	assert_int_equal(proc_output(&spec, 100, &out, &err), 0);
	assert_string_equal(buf_cstr(&out), "hello");
	buf_reset(&out);
	spec = (struct proc_spec){ .argv = show, .env = env };
	assert_int_equal(proc_output(&spec, 100, &out, &err), 0);
	assert_string_equal(buf_cstr(&out), "1-\n");
	spec = (struct proc_spec){ .argv = fails };
	assert_int_equal(proc_output(&spec, 100, &out, &err), -1);
	assert_int_equal(err.code, ERR_EXIT);
	assert_int_equal(err.os, 3);
	assert_non_null(strstr(err.msg, "oops"));
	err_release(&err);
	spec = (struct proc_spec){ .argv = none };
	assert_int_equal(proc_output(&spec, 100, &out, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void *cancel_soon(void *c)
{
	usleep(50000);
	cancel_set(c);
	return NULL;
}

static void test_proc_cancel(void **state UNUSED)
{
	AUTO(cancel) struct cancel *parent = cancel_new(NULL);
	struct cancel *child = cancel_new(parent);
	AUTO(err) struct err err = ERR_INIT;
	const char *sleeper[] = { "sh", "-c", "sleep 60", NULL };
	struct proc_spec spec = { .argv = sleeper, .cancel = child };
	int64_t start = clock_ms();
	pthread_t t;
	int status;

	pthread_create(&t, NULL, cancel_soon, parent);
	assert_int_equal(proc_run(&spec, &status, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_true(clock_ms() - start < 30000);
	pthread_join(t, NULL);
	cancel_free(child);
}

static void test_files(void **state UNUSED)
{
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	auto_free char *dir = NULL, *path = NULL, *deep = NULL;

	assert_int_equal(os_temp_dir("ingot-test-", &dir, &err), 0);
	deep = xasprintf("%s/a/b", dir);
	assert_int_equal(os_mkdir_all(deep, 0700, &err), 0);
	assert_int_equal(os_mkdir_all("", 0700, &err), -1); /* and reads nothing behind it */
	err_release(&err);
	path = os_path_join(deep, "f");
	assert_int_equal(os_write_file(path, "hi", 2, 0640, &err), 0);
	assert_int_equal(os_read_file(path, 0, &got, &err), 0);
	assert_string_equal(buf_cstr(&got), "hi");
	assert_int_equal(os_read_file(path, 1, &got, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	err_release(&err);
	assert_int_equal(os_write_file("/dev/full", "x", 1, 0600, &err), -1);
	assert_int_equal(err.os, ENOSPC);
	err_release(&err);
	assert_int_equal(os_write_file("/dev/null", "x", 1, 0600, &err), 0);
	assert_int_equal(os_remove_all(dir, &err), 0);
	assert_false(os_exists(dir));
	assert_int_equal(os_read_file(path, 0, &got, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void test_ids(void **state UNUSED)
{
	char uuid[37], one[27], two[27];

	os_uuid(uuid);
	assert_int_equal(strlen(uuid), 36);
	assert_int_equal(uuid[14], '4');
	os_ulid(one);
	os_ulid(two);
	assert_int_equal(strlen(one), 26);
	assert_string_not_equal(one, two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encodings),   cmocka_unit_test(test_unbase64_malformed),
		cmocka_unit_test(test_buf_ceiling), cmocka_unit_test(test_glob),
		cmocka_unit_test(test_nearest),	    cmocka_unit_test(test_map_order),
		cmocka_unit_test(test_durations),   cmocka_unit_test(test_dates),
		cmocka_unit_test(test_diag),	    cmocka_unit_test(test_proc),
		cmocka_unit_test(test_proc_cancel), cmocka_unit_test(test_files),
		cmocka_unit_test(test_ids),	    cmocka_unit_test(test_arena_rewind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
