/* aws/sigv4: AWS's published test suite where it lies beside the checkout, and cases of our own
 * with values computed by botocore.
 */
#include "aws/sigv4.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/os.h"
#include "base/vec.h"

#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void date(void **state)
{
	char out[17];

	(void)state;
	sigv4_date(1440938160, out);
	assert_string_equal(out, "20150830T123600Z");
}

/* botocore's SigV4Auth on the same request. */
static void own_post(void **state)
{
	static const struct sigv4_header headers[] = {
		{ { "host", 4 }, { "ec2.eu-west-1.amazonaws.com", 27 } },
		{ { "content-type", 12 },
		  { "application/x-www-form-urlencoded; charset=utf-8", 48 } },
	};
	struct sigv4 s = {
		.access_key = "AKIDEXAMPLE",
		.secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		.region = "eu-west-1",
		.service = "ec2",
		.unix_time = 1440938160,
		.method = "POST",
		.path = STR("/"),
		.headers = headers,
		.nheaders = 2,
		.body = STR("Action=DescribeRegions&Version=2016-11-15"),
	};
	AUTO(buf) struct buf out = BUF_INIT;

	(void)state;
	sigv4_sign(&s, &out);
	assert_string_equal(
		buf_cstr(&out),
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/ec2/aws4_request, "
		"SignedHeaders=content-type;host;x-amz-date, Signature="
		"f47fc76401dda4dd990e5084e52db57a87edf2e3f8f89e38dc28aeb2ea9c67c8");
}

static void repeated_headers_and_spaces(void **state)
{
	static const struct sigv4_header headers[] = {
		{ { "Host", 4 }, { "h", 1 } },
		{ { "X-B", 3 }, { "  a   b\t c ", 11 } },
		{ { "X-A", 3 }, { "2", 1 } },
		{ { "x-a", 3 }, { "1", 1 } },
	};
	struct sigv4 s = {
		.access_key = "A",
		.secret_key = "S",
		.region = "r",
		.service = "s",
		.unix_time = 0,
		.method = "GET",
		.path = STR("/a//b/../c d/"),
		.query = STR("b=2&a=%20&a=1&c"),
		.headers = headers,
		.nheaders = 4,
	};
	AUTO(buf) struct buf out = BUF_INIT;
	AUTO(buf) struct buf names = BUF_INIT;

	(void)state;
	sigv4_canonical(&s, &out, &names);
	assert_string_equal(buf_cstr(&names), "host;x-a;x-amz-date;x-b");
	assert_string_equal(
		buf_cstr(&out),
		"GET\n"
		"/a/c%20d/\n"
		"a=%20&a=1&b=2&c=\n"
		"host:h\n"
		"x-a:2,1\n"
		"x-amz-date:19700101T000000Z\n"
		"x-b:a b c\n"
		"\n"
		"host;x-a;x-amz-date;x-b\n"
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* ---- the published suite ---- */

struct request {
	char *text; /* of the file; everything below points into it */
	struct str method, path, query, body;
	VEC(struct sigv4_header) headers;
};

/* Lines of a header that begin with a space continue the one before. */
static void read_request(const char *file, struct request *r)
{
	AUTO(buf) struct buf b = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct str rest, line;
	const char *space, *q;

	if (os_read_file(file, 0, &b, &err) < 0)
		fail_msg("%s", err.msg);
	rest.n = b.n;
	rest.p = r->text = buf_steal(&b);
	assert_true(str_split(&rest, '\n', &line));
	space = memchr(line.p, ' ', line.n);
	r->method = str_slice(line, 0, (size_t)(space - line.p));
	line = str_slice(line, r->method.n + 1, line.n);
	line.n -= strlen(" HTTP/1.1");
	q = memchr(line.p, '?', line.n);
	r->path = q ? str_slice(line, 0, (size_t)(q - line.p)) : line;
	r->query = q ? str_slice(line, r->path.n + 1, line.n) : STR("");
	while (str_split(&rest, '\n', &line) && line.n) {
		const char *colon = memchr(line.p, ':', line.n);

		if (line.p[0] == ' ') {
			struct str *v = &r->headers.v[r->headers.n - 1].value;

			v->n = (size_t)(line.p + line.n - v->p);
			continue;
		}
		vec_push(&r->headers,
			 (struct sigv4_header){
				 str_slice(line, 0, (size_t)(colon - line.p)),
				 str_slice(line, (size_t)(colon - line.p) + 1, line.n) });
	}
	r->body = rest.p ? rest : STR("");
}

static void expect_file(const char *dir, const char *name, struct str got)
{
	AUTO(buf) struct buf b = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *path = os_path_join(dir, name);

	if (os_read_file(path, 0, &b, &err) < 0)
		fail_msg("%s", err.msg);
	if (!str_eq(buf_str(&b), got))
		fail_msg("%s:\nexpected:\n%s\ngot:\n%.*s", path, buf_cstr(&b), STR_ARG(got));
}

static void run_case(const char *dir)
{
	auto_free char *context_path = os_path_join(dir, "context.json");
	auto_free char *request_path = os_path_join(dir, "request.txt");
	json_t *c = json_load_file(context_path, 0, NULL),
	       *cred = json_object_get(c, "credentials");
	struct request r = { 0 };
	AUTO(buf) struct buf canonical = BUF_INIT;
	AUTO(buf) struct buf names = BUF_INIT;
	AUTO(buf) struct buf auth = BUF_INIT;
	auto_free char *method = NULL;
	struct sigv4 s = { 0 };
	int64_t ms;

	assert_non_null(c);
	read_request(request_path, &r);
	method = xstrndup(r.method.p, r.method.n);
	assert_true(
		clock_parse_rfc3339(str_from(json_string_value(json_object_get(c, "timestamp"))),
				    &ms));
	s = (struct sigv4){
		.access_key = json_string_value(json_object_get(cred, "access_key_id")),
		.secret_key = json_string_value(json_object_get(cred, "secret_access_key")),
		.token = json_is_true(json_object_get(c, "omit_session_token"))
				 ? NULL
				 : json_string_value(json_object_get(cred, "token")),
		.region = json_string_value(json_object_get(c, "region")),
		.service = json_string_value(json_object_get(c, "service")),
		.unix_time = ms / 1000,
		.method = method,
		.path = r.path,
		.query = r.query,
		.headers = r.headers.v,
		.nheaders = r.headers.n,
		.body = r.body,
		.sign_body = json_is_true(json_object_get(c, "sign_body")),
		.keep_path = !json_is_true(json_object_get(c, "normalize")),
	};
	sigv4_canonical(&s, &canonical, &names);
	expect_file(dir, "header-canonical-request.txt", buf_str(&canonical));
	sigv4_sign(&s, &auth);
	expect_file(dir, "header-signature.txt", str_slice(buf_str(&auth), auth.n - 64, auth.n));
	vec_release(&r.headers);
	free(r.text);
	json_decref(c);
}

/* INGOT_SHARED, or beside the checkout, seen from it or from its build directory. */
static char *suite_dir(void)
{
	const char *const places[] = { os_env("INGOT_SHARED"), "../shared", "../../shared",
				       "../../../shared" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char *dir = places[i] ? os_path_join(places[i], "vectors/sigv4") : NULL;

		if (dir && os_is_dir(dir))
			return dir;
		free(dir);
	}
	return NULL;
}

static void published_suite(void **state)
{
	auto_free char *dir = suite_dir();
	DIR *d = dir ? opendir(dir) : NULL;
	const struct dirent *e;
	int cases = 0;

	(void)state;
	if (!d) {
		print_message(
			"# skipped: no ../shared/vectors/sigv4, which is not part of a checkout\n");
		return;
	}
	while ((e = readdir(d))) {
		auto_free char *path = os_path_join(dir, e->d_name);

		if (e->d_name[0] == '.' || !os_is_dir(path))
			continue;
		run_case(path);
		cases++;
	}
	closedir(d);
	assert_true(cases > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(date),
		cmocka_unit_test(own_post),
		cmocka_unit_test(repeated_headers_and_spaces),
		cmocka_unit_test(published_suite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
