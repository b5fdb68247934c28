/* The local cloud's own parts: parameters, signatures, wildcards, documents, jobs, faults. */
#include "base/arena.h"
#include "base/os.h"
#include "base/str.h"
#include "cloud/actions/types.h"
#include "cloud/api/api.h"
#include "cloud/api/doc.h"
#include "cloud/api/faults.h"
#include "cloud/api/query.h"
#include "cloud/api/signature.h"
#include "cloud/jobs.h"
#include "cloud/model/sshkey.h"
#include "cloud/model/vpc.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <unistd.h>
/* cmocka wants these first */
#include <cmocka.h>

static void test_query(void **state)
{
	static const struct {
		const char *text, *name, *value; /* value NULL: absent */
		bool ok;
	} cases[] = {
		{ "A=1&B=two+words", "B", "two words", true },
		{ "A=%41%2b", "A", "A+", true },
		{ "A", "A", "", true },
		{ "A=", "A", "", true },
		{ "&&A=1&", "A", "1", true },
		{ "A=b=c", "A", "b=c", true },
		{ "", "A", NULL, true },
		{ "A.10=x&A.2=y", "A.2", "y", true },
		{ "A=%", NULL, NULL, false },
		{ "A=%4", NULL, NULL, false },
		{ "A=%zz", NULL, NULL, false },
		{ "A=%00", NULL, NULL, false },
		{ "A=%c3%a9", "A", "\xc3\xa9", true },
		{ "A=%c3", NULL, NULL, false },
		{ "A\xff=", NULL, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(arena) struct arena *a = arena_new();
		struct query q;

		assert_int_equal(query_parse(&q, a, str_from(cases[i].text)), cases[i].ok);
		if (cases[i].name && cases[i].value)
			assert_string_equal(query_get(&q, "%s", cases[i].name), cases[i].value);
		else if (cases[i].name)
			assert_null(query_get(&q, "%s", cases[i].name));
	}
	AUTO(arena) struct arena *a = arena_new();
	struct query q;
	assert_true(query_parse(&q, a, STR("Tag.1.Key=a&Tagged=1&Tag.10.Key=b")));
	assert_true(query_any(&q, "Tag.%d", 1));
	assert_true(query_any(&q, "Tag"));
	assert_false(query_any(&q, "Tag.%d", 2));
	assert_false(query_any(&q, "Ta"));
	assert_null(query_val(&q, "Tag"));
}

static void test_wildcards(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} cases[] = {
		{ "abc", "abc", true },	      { "abc", "abd", false },
		{ "a*", "a", true },	      { "*", "", true },
		{ "a?c", "abc", true },	      { "a?c", "ac", false },
		{ "*b*", "abc", true },	      { "amzn-ami-*-gp2", "amzn-ami-hvm-gp2", true },
		{ "a\\*", "a*", true },	      { "a\\*", "ab", false },
		{ "a*b*c", "aXXbYYc", true }, { "a*b*c", "aXXbYY", false },
		{ "[a]", "a", false },	      { "", "", true },
		{ "", "a", false },	      { "*a", "aaab", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(wildcard_match(cases[i].pattern, cases[i].text), cases[i].match);
}

static bool known_key(void *data, const char *access_key, const char **ret_secret,
		      const char **ret_token)
{
	(void)data;
	*ret_secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
	*ret_token = NULL;
	return streq(access_key, "AKIDEXAMPLE");
}

/* The worked example of AWS's General Reference (ListUsers, 2015-08-30). */
static const struct http_field example_headers[] = {
	{ "Host", "iam.amazonaws.com" },
	{ "Content-Type", "application/x-www-form-urlencoded; charset=utf-8" },
	{ "X-Amz-Date", "20150830T123600Z" },
	{ "Authorization",
	  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
	  "SignedHeaders=content-type;host;x-amz-date, "
	  "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7" },
};

static void test_signature(void **state)
{
	const int64_t then = 1440938160;
	struct http_request r = { .method = "GET",
				  .path = "/",
				  .query = "Action=ListUsers&Version=2010-05-08",
				  .headers = example_headers,
				  .nheaders = ARRAY_LEN(example_headers) };
	AUTO(arena) struct arena *a = arena_new();
	struct signature s;

	(void)state;
	assert_int_equal(signature_check(&r, then, known_key, NULL, a, &s), SIGNATURE_OK);
	assert_string_equal(s.region, "us-east-1");
	assert_string_equal(s.service, "iam");
	assert_int_equal(signature_check(&r, then + 3600, known_key, NULL, a, &s),
			 SIGNATURE_EXPIRED);
	r.query = "Action=ListUsers&Version=2010-05-09";
	assert_int_equal(signature_check(&r, then, known_key, NULL, a, &s), SIGNATURE_WRONG);
	r.query = "Version=2010-05-08&Action=ListUsers"; /* the order is canonical */
	assert_int_equal(signature_check(&r, then, known_key, NULL, a, &s), SIGNATURE_OK);
	r.body = STR("x");
	assert_int_equal(signature_check(&r, then, known_key, NULL, a, &s), SIGNATURE_WRONG);
	r.nheaders = 3;
	assert_int_equal(signature_check(&r, then, known_key, NULL, a, &s), SIGNATURE_MISSING);
}

static void test_doc(void **state)
{
	AUTO(json)
	json_t *doc = json_object(),
	       *list = json_pack("[{s:s}, {s:s}]", "k", "a", "k", "b");
	AUTO(buf) struct buf out = BUF_INIT;

	(void)state;
	doc_set_str(doc, "a.b.c", "<x>&\"");
	doc_set_bool(doc, "a.d", true);
	doc_set_int(doc, "_hidden", 1);
	json_object_set(doc, "list", list);
	json_object_set_new(doc, "none", json_array());
	assert_string_equal(doc_str(doc, "a.b.c"), "<x>&\"");
	assert_null(doc_str(doc, "a.b.c.d"));
	assert_null(doc_str(doc, "x.y"));
	doc_print_xml(doc, "item", &out);
	assert_string_equal(
		buf_cstr(&out),
		"<a><b><c>&lt;x&gt;&amp;&quot;</c>\n</b>\n<d>true</d>\n</a>\n"
		"<list><item><k>a</k>\n</item>\n<item><k>b</k>\n</item>\n</list>\n<none></none>\n");
	doc_remove(doc, "a.b");
	assert_null(doc_get(doc, "a.b"));
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint32_t address;
		int bits;
	} cases[] = {
		{ "10.0.0.0/8", true, 0x0a000000, 8 },
		{ "0.0.0.0/0", true, 0, 0 },
		{ "1.2.3.4/32", true, 0x01020304, 32 },
		{ "1.2.3.4", false, 0, 0 },
		{ "1.2.3/8", false, 0, 0 },
		{ "1.2.3.4/33", false, 0, 0 },
		{ "256.0.0.0/8", false, 0, 0 },
		{ "1.2.3.4/", false, 0, 0 },
		{ "", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t address;
		int bits;

		assert_int_equal(cidr_parse(cases[i].text, &address, &bits), cases[i].ok);
		if (cases[i].ok) {
			assert_int_equal(address, cases[i].address);
			assert_int_equal(bits, cases[i].bits);
		}
	}
}

static void test_types(void **state)
{
	static const struct {
		const char *name;
		unsigned vcpus;
		uint64_t mib;
	} cases[] = { { "t2.micro", 1, 1024 },	    { "t2.medium", 2, 4096 },
		      { "t3.nano", 2, 512 },	    { "t3.micro", 2, 1024 },
		      { "m5.large", 2, 8192 },	    { "c5.xlarge", 4, 8192 },
		      { "m5.24xlarge", 96, 393216 } };
	struct instance_type t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(instance_type_find(cases[i].name, &t));
		assert_int_equal(t.vcpus, cases[i].vcpus);
		assert_int_equal(t.memory_mib, cases[i].mib);
	}
	assert_false(instance_type_find("m5.nano", &t));
}

struct trace {
	pthread_mutex_t lock;
	char text[16];
	size_t n;
};
struct mark {
	struct trace *trace;
	char c;
};

static void leave_mark(void *data)
{
	struct mark *m = data;

	pthread_mutex_lock(&m->trace->lock);
	m->trace->text[m->trace->n++] = m->c;
	pthread_mutex_unlock(&m->trace->lock);
}

static void drop_nothing(void *data)
{
	(void)data;
}

/* A delayed job holds back the later ones of its key, and nobody else. */
static void test_jobs(void **state)
{
	struct trace t = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct mark a = { &t, 'a' }, b = { &t, 'b' }, c = { &t, 'c' };
	struct jobs *j = jobs_new(3);

	(void)state;
	jobs_add(j, "k", 100, leave_mark, &a);
	jobs_add(j, "k", 0, leave_mark, &b);
	jobs_add(j, "other", 0, leave_mark, &c);
	assert_true(jobs_drain(j, 5000));
	assert_string_equal(t.text, "cab");
	jobs_add(j, NULL, 60000, leave_mark, &a);
	assert_false(jobs_drain(j, 10));
	jobs_free(j, drop_nothing);
}

static void test_faults(void **state)
{
	struct faults *f = faults_new();
	AUTO(err) struct err err = ERR_INIT;
	AUTO(json)
	json_t *plan = json_loads("{\"faults\": [{\"action\": \"A\", \"call\": 2, \"count\": 2, "
				  "\"fault\": \"throttle\"},"
				  "{\"action\": \"*\", \"call\": 5, \"fault\": \"cut\"}]}",
				  0, NULL);
	static const enum fault_kind expected[] = { FAULT_NONE, FAULT_ERROR, FAULT_ERROR,
						    FAULT_NONE, FAULT_CUT,   FAULT_NONE };
	struct fault fault;

	(void)state;
	assert_int_equal(faults_load(f, plan, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		faults_next(f, "A", &fault);
		assert_int_equal(fault.kind, expected[i]);
	}
	static const char *const wrong[] = {
		"{\"fault\": []}",
		"[{\"action\": \"A\", \"fault\": \"cut\", \"call\": 9223372036854775807}]",
		"[{\"action\": \"A\", \"fault\": \"cut\", \"call\": \"2\"}]",
		"[{\"action\": \"A\", \"fault\": \"cut\", \"count\": -1}]",
		"[{\"action\": \"A\", \"fault\": \"late\", \"ms\": 9223372036854775807}]",
		"[{\"action\": \"A\", \"fault\": \"throttle\", \"status\": 99}]",
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		AUTO(json) json_t *bad = json_loads(wrong[i], 0, NULL);

		assert_int_equal(faults_load(f, bad, &err), -1);
		err_release(&err);
	}
	faults_free(f);
}

static void test_keys(void **state)
{
	static const char *const types[] = { "rsa", "ed25519" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		AUTO(sshkey) struct sshkey made = { 0 }, read = { 0 };
		AUTO(err) struct err err = ERR_INIT;

		assert_int_equal(sshkey_make(types[i], &made, &err), 0);
		assert_int_equal(sshkey_import(made.public_line, &read, &err), 0);
		assert_string_equal(read.public_line, made.public_line);
		assert_string_equal(read.type, types[i]);
	}
	static const char *const wrong[] = {
		"ssh-rsa AAAA",
		/* an exponent, and a modulus, of zero */
		"ssh-rsa AAAAB3NzaC1yc2EAAAAAAAAAQAUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQ"
		"UFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=",
		"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA=",
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		AUTO(sshkey) struct sshkey k = { 0 };
		AUTO(err) struct err err = ERR_INIT;

		assert_int_equal(sshkey_import(wrong[i], &k, &err), -1);
	}
}

/* No room for some writes: what the file lacks is written when there is. */
static void test_state_after_a_full_disk(void **state UNUSED)
{
	struct rlimit before, small;
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *dir = NULL;
	struct model *m;
	char text[4000], id[16];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(os_temp_dir("ingot-test-", &dir, &err), 0);
	assert_int_equal(model_open(dir, &m, &err), 0);
	model_put(m, KIND_SETTING, "r", "early", json_pack("{s:s}", "text", text));
	assert_null(model_trouble(m));

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){ 100 << 10, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	model_begin(m);
	for (int i = 0; i < 60; i++) {
		snprintf(id, sizeof(id), "s-%d", i);
		model_put(m, KIND_SETTING, "r", id, json_pack("{s:s}", "text", text));
	}
	model_remove(m, model_find(m, KIND_SETTING, "early"));
	model_commit(m);
	assert_non_null(model_trouble(m));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

	model_begin(m);
	model_commit(m);
	assert_null(model_trouble(m));
	model_close(m);
	assert_int_equal(model_open(dir, &m, &err), 0);
	assert_int_equal(model_count(m, KIND_SETTING), 60);
	assert_null(model_find(m, KIND_SETTING, "early"));
	assert_string_equal(doc_str(model_find(m, KIND_SETTING, "s-59")->doc, "text"), text);
	model_close(m);
	assert_int_equal(os_remove_all(dir, &err), 0);
}

/* Damage is told with the file's name, and the file stays as it is. */
static void test_damaged_state(void **state UNUSED)
{
	static const struct {
		size_t at, n;
	} cases[] = { { 0, 8192 }, { 4096, 8192 }, { 0, 100 }, { 8192, SIZE_MAX } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(err) struct err err = ERR_INIT;
		AUTO(buf) struct buf b = BUF_INIT;
		AUTO(buf) struct buf after = BUF_INIT;
		auto_free char *dir = NULL, *path = NULL;
		struct model *m;

		assert_int_equal(os_temp_dir("ingot-test-", &dir, &err), 0);
		path = os_path_join(dir, "state.sqlite");
		assert_int_equal(model_open(dir, &m, &err), 0);
		for (int k = 0; k < 40; k++) {
			char id[16];

			snprintf(id, sizeof(id), "s-%d", k);
			model_put(m, KIND_SETTING, "r", id,
				  json_pack("{s:s}", "text", "some text that fills the rows"));
		}
		model_close(m);
		assert_int_equal(os_read_file(path, 0, &b, &err), 0);
		assert_true(cases[i].at < b.n);
		memset(b.p + cases[i].at, 0xa5, MIN(b.n - cases[i].at, cases[i].n));
		assert_int_equal(os_write_file(path, b.p, b.n, 0600, &err), 0);
		assert_int_equal(model_open(dir, &m, &err), -1);
		assert_non_null(strstr(err.msg, "state.sqlite is damaged ("));
		err_release(&err);
		assert_int_equal(os_read_file(path, 0, &after, &err), 0);
		assert_int_equal(after.n, b.n);
		assert_memory_equal(after.p, b.p, b.n);
		assert_int_equal(os_remove_all(dir, &err), 0);
	}
}

/* A state that was emptied is no new cloud. What a killed start has left is. */
static void test_emptied_state(void **state UNUSED)
{
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *dir = NULL, *path = NULL, *fresh = NULL;
	struct model *m;

	assert_int_equal(os_temp_dir("ingot-test-", &dir, &err), 0);
	path = os_path_join(dir, "state.sqlite");
	fresh = os_path_join(dir, "state.sqlite.new");
	assert_int_equal(os_write_file(fresh, "half", 4, 0600, &err), 0);
	assert_int_equal(model_open(dir, &m, &err), 0);
	model_close(m);
	assert_false(os_exists(fresh));
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(model_open(dir, &m, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "state.sqlite is damaged (it is empty)"));
	err_release(&err);
	assert_int_equal(os_remove_all(dir, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_after_a_full_disk),
		cmocka_unit_test(test_damaged_state),
		cmocka_unit_test(test_emptied_state),
		cmocka_unit_test(test_query),	  cmocka_unit_test(test_wildcards),
		cmocka_unit_test(test_signature), cmocka_unit_test(test_doc),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_types),
		cmocka_unit_test(test_jobs),	  cmocka_unit_test(test_faults),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
