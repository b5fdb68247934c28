/* Parts of the AWS client that need no server: XML, parameters, the table of errors, URLs, token
 * buckets, shared files. */
#include "aws/bucket.h"
#include "aws/call.h"
#include "aws/errors.h"
#include "aws/files.h"
#include "aws/http.h"
#include "aws/session_impl.h"
#include "aws/xml.h"
#include "base/clock.h"
#include "base/os.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct xml *parse(struct arena *a, const char *text)
{
	AUTO(err) struct err err = ERR_INIT;
	struct xml *root = NULL;

	if (xml_parse(a, str_from(text), &root, &err) < 0)
		fail_msg("%s", err.msg);
	return root;
}

static void xml_tree(void **state)
{
	AUTO(arena) struct arena *a = arena_new();
	const struct xml *r = parse(a, "<?xml version=\"1.0\"?><x:R xmlns:x='u'><set>\n <item><id> "
				       "i-1 </id><on>true</on></item>"
				       "<other/><item><id>i-2</id><n>7</n></item></set><t>a &amp; "
				       "&lt;b&gt;<!-- c --> d</t></x:R>");
	const struct xml *i = xml_first(r, "set/item");

	(void)state;
	assert_string_equal(r->name, "R");
	assert_string_equal(xml_text(i, "id"), "i-1");
	assert_true(xml_bool(i, "on"));
	i = xml_next(i);
	assert_string_equal(xml_text(i, "id"), "i-2");
	assert_int_equal(xml_int(i, "n", 0), 7);
	assert_int_equal(xml_int(i, "absent", 3), 3);
	assert_null(xml_next(i));
	assert_int_equal(xml_count(r, "set/item"), 2);
	assert_string_equal(xml_text(r, "t"), "a & <b> d");
	assert_string_equal(xml_text(r, "set/other"), "");
	assert_null(xml_text_or_null(r, "set/other"));
	assert_null(xml_get(NULL, "a"));
	{
		AUTO(arena) struct arena *b = arena_new();
		struct xml *copy = xml_copy(b, xml_get(r, "set"));

		arena_free(steal(a));
		assert_string_equal(xml_text(copy, "item/id"), "i-1");
		assert_ptr_equal(copy->child->parent, copy);
	}
}

static void xml_refused(void **state)
{
	static const char *const cases[] = {
		"", "text", "<a>", "<a><b></a>", "<a></a><b></b>", "<!doctype html><h1>x",
		"<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(arena) struct arena *a = arena_new();
		AUTO(err) struct err err = ERR_INIT;
		struct xml *root;

		if (xml_parse(a, str_from(cases[i]), &root, &err) == 0)
			fail_msg("taken: %s", cases[i]);
		assert_int_equal(err.code, ERR_REMOTE);
	}
}

static void xml_depth(void **state)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf b = BUF_INIT;
	struct xml *root;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_adds(&b, "<a>");
	assert_int_equal(xml_parse(a, buf_str(&b), &root, &err), -1);
	assert_non_null(strstr(err.msg, "nested deeper"));
}

static void params(void **state)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	AUTO(buf) struct buf b = BUF_INIT;
	struct str_pair tag = { (char *)"k", (char *)"a b&ü" };

	(void)state;
	aws_params_add(&p, "A", "1");
	aws_params_add(&p, "Absent", NULL);
	aws_params_bool(&p, "B", false);
	aws_params_filter(&p, "f", "v*");
	aws_params_tags(&p, "image", &(struct str_map){ &tag, 1 });
	aws_params_tags(&p, "none", &(struct str_map){ NULL, 0 });
	aws_params_set(&p, "A", "2");
	aws_params_encode(&p, &b);
	assert_string_equal(
		buf_cstr(&b),
		"A=2&B=false&Filter.1.Name=f&Filter.1.Value.1=v%2A"
		"&TagSpecification.1.ResourceType=image"
		"&TagSpecification.1.Tag.1.Key=k&TagSpecification.1.Tag.1.Value=a%20b%26%C3%BC");
	assert_string_equal(aws_params_get(&p, "A"), "2");
	assert_null(aws_params_get(&p, "Absent"));
}

static void error_codes(void **state)
{
	static const struct {
		const char *code;
		int status;
		enum error_class class;
		enum err_code kind;
	} cases[] = {
		{ "RequestLimitExceeded", 503, ERROR_THROTTLE, ERR_AGAIN },
		{ "ThrottlingException", 400, ERROR_THROTTLE, ERR_AGAIN },
		{ "InternalError", 500, ERROR_SERVER, ERR_REMOTE },
		{ NULL, 502, ERROR_SERVER, ERR_REMOTE },
		{ NULL, 429, ERROR_THROTTLE, ERR_AGAIN },
		{ NULL, 403, ERROR_FINAL, ERR_AUTH },
		{ NULL, 404, ERROR_FINAL, ERR_REMOTE },
		{ "InvalidAMIID.NotFound", 400, ERROR_EVENTUAL, ERR_NOT_FOUND },
		{ "InvalidAMIID.Unavailable", 400, ERROR_EVENTUAL, ERR_NOT_FOUND },
		{ "InvalidAMIID.Malformed", 400, ERROR_FINAL, ERR_INVALID },
		{ "InvalidKeyPair.Duplicate", 400, ERROR_FINAL, ERR_EXISTS },
		{ "UnauthorizedOperation", 403, ERROR_FINAL, ERR_AUTH },
		{ "AuthFailure", 401, ERROR_CLOCK, ERR_AUTH },
		{ "ExpiredToken", 400, ERROR_EXPIRED, ERR_AUTH },
		{ "DependencyViolation", 400, ERROR_FINAL, ERR_REMOTE },
		{ "InstanceLimitExceeded", 400, ERROR_FINAL, ERR_REMOTE },
		{ "InsufficientInstanceCapacity", 500, ERROR_SERVER, ERR_AGAIN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct error_row *r = error_row_find(cases[i].code, cases[i].status);

		if (r->class != cases[i].class || r->code != cases[i].kind)
			fail_msg("%s: class %d, code %d", cases[i].code ? cases[i].code : "(none)",
				 r->class, r->code);
	}
}

static void urls(void **state)
{
	static const struct {
		const char *url, *host;
		bool loopback;
	} cases[] = {
		{ "http://localhost:80/x", "localhost:80", true },
		{ "http://127.0.0.1:4599", "127.0.0.1:4599", true },
		{ "http://[::1]:8/", "[::1]:8", true },
		{ "https://u:p@h.example?q", "h.example", false },
		{ "https://127.example.com", "127.example.com", false },
		{ "https://localhost.evil.com", "localhost.evil.com", false },
		{ "http://127.0.0.1:1@2@h.example/", "h.example", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (!str_eqs(http_url_host(cases[i].url), cases[i].host) ||
		    http_is_loopback(cases[i].url) != cases[i].loopback)
			fail_msg("%s", cases[i].url);
	}
}

static void buckets(void **state)
{
	struct buckets *b = buckets_new();
	AUTO(err) struct err err = ERR_INIT;
	int64_t start = clock_ms();

	(void)state;
	/* The burst is free, the next one waits for the rate (2 a second), but never past the
	 * deadline. */
	for (int i = 0; i < 5; i++)
		assert_int_equal(bucket_take(b, "e", BUCKET_RUN, true, NULL, 0, &err), 0);
	assert_true(clock_ms() - start < 100);
	assert_int_equal(bucket_take(b, "e", BUCKET_RUN, true, NULL, clock_ms() + 100, &err), -1);
	assert_int_equal(err.code, ERR_TIMEOUT);
	err_release(&err);
	start = clock_ms();
	assert_int_equal(bucket_take(b, "e", BUCKET_RUN, true, NULL, 0, &err), 0);
	assert_in_range(clock_ms() - start, 300, 700);
	/* Others are not held up; a throttle answer limits what was free. */
	start = clock_ms();
	for (int i = 0; i < 200; i++)
		assert_int_equal(bucket_take(b, "free", BUCKET_READ, false, NULL, 0, &err), 0);
	assert_true(clock_ms() - start < 100);
	bucket_throttled(b, "free", BUCKET_READ);
	assert_int_equal(bucket_take(b, "free", BUCKET_READ, false, NULL, 0, &err), 0);
	assert_in_range(clock_ms() - start, 150, 700);
	buckets_free(b);
}

static void shared_files(void **state)
{
	static const char text[] = "[default]\n"
				   "region=a # no\n"
				   " key2 = v\n"
				   "\n"
				   "[profile  \"with space\"]\n"
				   "x = 1;2\n"
				   "s3 =\n"
				   "  addressing = path\n"
				   "y = 2\n"
				   "[unknown]\n"
				   "z=1\n"
				   "[services sv]\n"
				   "ec2 =\n"
				   "\tendpoint_url = http://e\n"
				   "sts=\n"
				   "  endpoint_url = http://s\n";
	auto_free char *dir = NULL;
	auto_free char *config = NULL;
	auto_free char *credentials = NULL;
	AUTO(err) struct err err = ERR_INIT;
	AUTO(aws_files) struct aws_files *f = NULL;

	(void)state;
	assert_int_equal(os_temp_dir("ingot-test-", &dir, &err), 0);
	config = os_path_join(dir, "config");
	credentials = os_path_join(dir, "credentials");
	assert_int_equal(os_write_file(config, text, sizeof(text) - 1, 0600, &err), 0);
	assert_int_equal(os_write_file(credentials, "[default]\nregion=b\n", 19, 0600, &err), 0);
	setenv("AWS_CONFIG_FILE", config, 1);
	assert_int_equal(aws_files_load(credentials, &f, &err), 0);
	assert_string_equal(aws_files_get(f, "profile", "default", NULL, "region"), "b");
	assert_string_equal(aws_files_get(f, "profile", "with space", NULL, "x"), "1;2");
	assert_string_equal(aws_files_get(f, "profile", "with space", NULL, "y"), "2");
	assert_string_equal(aws_files_get(f, "profile", "with space", "s3", "addressing"), "path");
	assert_string_equal(aws_files_get(f, "services", "sv", "ec2", "endpoint_url"), "http://e");
	assert_string_equal(aws_files_get(f, "services", "sv", "sts", "endpoint_url"), "http://s");
	assert_false(aws_files_has(f, "profile", "unknown"));
	assert_null(aws_files_get(f, "profile", "default", NULL, "z"));
	assert_int_equal(os_remove_all(dir, &err), 0);
}

/* AWS's own endpoints are told by whole labels of the host's name. */
static void whose_endpoint(void **state)
{
	static const struct {
		const char *url;
		bool custom;
	} cases[] = {
		{ "https://vpce-1.ec2.eu-west-1.vpce.amazonaws.com", false },
		{ "https://ec2.eu-west-1.api.aws:443", false },
		{ "https://ec2.notamazonaws.com", true },
		{ "http://cloud.example", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(err) struct err err = ERR_INIT;
		AUTO(aws_session) struct aws_session *s = NULL;
		struct aws_config cfg = { .custom_endpoint_ec2 = (char *)cases[i].url };

		assert_int_equal(aws_session_open(&cfg, &s, &err), 0);
		if (aws_session_is_custom(s, "ec2") != cases[i].custom)
			fail_msg("%s", cases[i].url);
	}
}

static void things_made_lately(void **state)
{
	AUTO(err) struct err err = ERR_INIT;
	AUTO(aws_session) struct aws_session *s = NULL;
	struct aws_config cfg = { .local_endpoint = "http://127.0.0.1:1",
				  .local_access_key = "k",
				  .local_secret_key = "s",
				  .local_region = "r" };

	(void)state;
	assert_int_equal(aws_session_open(&cfg, &s, &err), 0);
	for (int i = 0; i < 1000; i++) { /* as a hundred builds at once make */
		auto_free char *id = xasprintf("i-%d", i);

		aws_session_note_made(s, id);
	}
	assert_true(aws_session_made_lately(s, "i-0"));
	assert_true(aws_session_made_lately(s, "i-999"));
	aws_session_forget(s, "i-0");
	assert_false(aws_session_made_lately(s, "i-0"));
	assert_true(aws_session_made_lately(s, "i-1"));
	assert_false(aws_session_made_lately(s, ""));
}

static void pace_of_waiting(void **state)
{
	static const struct {
		const char *delay, *attempts, *timeout;
		int64_t want_delay, want_attempts;
	} cases[] = {
		{ NULL, NULL, NULL, 0, 0 },   { "5", NULL, NULL, 5, 0 },
		{ "5", "7", "600", 5, 7 },    { NULL, NULL, "600", 0, 40 },
		{ "7", NULL, "600", 7, 86 },  { "x", "-1", "0", 0, 0 },
	};
	static const char *const names[] = { "AWS_POLL_DELAY_SECONDS", "AWS_MAX_ATTEMPTS",
					     "AWS_TIMEOUT_SECONDS" };
	const struct aws_polling given = { 3, 4 };
	struct aws_config cfg = { 0 };
	struct aws_polling p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *const values[] = { cases[i].delay, cases[i].attempts,
					       cases[i].timeout };

		for (int k = 0; k < 3; k++)
			if (values[k])
				setenv(names[k], values[k], 1);
			else
				unsetenv(names[k]);
		p = aws_config_polling(&cfg);
		assert_int_equal(p.delay_seconds, cases[i].want_delay);
		assert_int_equal(p.max_attempts, cases[i].want_attempts);
	}
	setenv(names[2], "600", 1);
	cfg.aws_polling = (struct aws_polling *)&given;
	p = aws_config_polling(&cfg);
	assert_int_equal(p.max_attempts, 4);
	unsetenv(names[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xml_tree),    cmocka_unit_test(xml_refused),
		cmocka_unit_test(xml_depth),   cmocka_unit_test(params),
		cmocka_unit_test(error_codes), cmocka_unit_test(urls),
		cmocka_unit_test(buckets),     cmocka_unit_test(shared_files),
		cmocka_unit_test(whose_endpoint),
		cmocka_unit_test(things_made_lately), cmocka_unit_test(pace_of_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
