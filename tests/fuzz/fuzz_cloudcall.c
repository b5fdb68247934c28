/* Whole requests to the local cloud, signed and in order: each line is one, its first letter the
 * service (e, s, i, or m for SSM: action, space, JSON). @0 to @9 stand for the ids that answers
 * have named so far. Nothing may crash the daemon, and an answer is always there. */
#include "aws/sigv4.h"
#include "aws/xml.h"
#include "base/clock.h"
#include "base/os.h"
#include "cloud/api/dispatch.h"
#include "cloud/api/faults.h"
#include "cloud/api/services.h"
#include "cloud/console.h"
#include "cloud/jobs.h"
#include "cloud/model/catalogue.h"
#include "cloud/model/lifecycle.h"
#include "cloud/reqlog.h"

#include <ctype.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#define LINES_MAX 12
#define IDS_MAX 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

extern const struct backend_ops backend_none;

static char dir[] = "/tmp/fuzz-cloudcall-XXXXXX";
static struct cloud cloud = {
	.config = { .data_dir = dir,
		    .listen = (char[]){ "127.0.0.1" },
		    .backend = (char[]){ "none" },
		    .max_instances = 20,
		    .max_memory = (uint64_t)1 << 40 },
	.ops = &backend_none,
	.account = "000000000000",
	.access_key = (char[]){ "AKIDEXAMPLE" },
	.secret_key = (char[]){ "secret" },
	.address_part = 1,
	.address_part_fd = -1,
};

struct ids {
	char v[IDS_MAX][ID_SIZE];
	size_t n;
};

static int remove_one(const char *path, const struct stat *st UNUSED, int flag UNUSED,
		      struct FTW *at UNUSED)
{
	return remove(path);
}

static void remove_dir(void)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int LLVMFuzzerInitialize(int *argc UNUSED, char ***argv UNUSED)
{
	struct backend_config config = { .events = lifecycle_events_template };
	AUTO(err) struct err err = ERR_INIT;
	pthread_condattr_t attr;

	if (!mkdtemp(dir))
		abort();
	atexit(remove_dir);
	auto_free char *console = os_path_join(dir, "console");
	pthread_mutex_init(&cloud.lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&cloud.moved, &attr);
	config.events.data = &cloud;
	if (os_mkdir_all(console, 0700, &err) < 0 || model_open(dir, &cloud.model, &err) < 0 ||
	    cloud.ops->open(&config, &cloud.backend, &err) < 0)
		abort();
	cloud.faults = faults_new();
	cloud.log = reqlog_new(dir);
	cloud.jobs = jobs_new(1);
	catalogue_add(&cloud, NULL, 0);
	return 0;
}

static void put_ids(const struct ids *ids, struct str line, struct buf *out)
{
	for (size_t i = 0; i < line.n; i++) {
		size_t k = i + 1 < line.n && line.p[i] == '@' ? (size_t)(line.p[i + 1] - '0') :
								IDS_MAX;

		if (k < ids->n) {
			buf_adds(out, ids->v[k]);
			i++;
		} else {
			buf_addc(out, line.p[i]);
		}
	}
}

/* "i-0123456789abcdef0": letters, a dash, 17 digits. */
static void take_ids(struct ids *ids, const struct buf *text)
{
	const char *start = buf_cstr(text);

	for (const char *p = strchr(start, '-'); p && ids->n < IDS_MAX; p = strchr(p + 1, '-')) {
		size_t before = 0, after = strspn(p + 1, "0123456789abcdef");
		bool known = false;

		while (p - before > start && islower((unsigned char)p[-(ptrdiff_t)before - 1]))
			before++;
		if (!before || before > 10 || after != 17)
			continue;
		for (size_t i = 0; i < ids->n; i++)
			known = known || strncmp(ids->v[i], p - before, before + 18) == 0;
		if (!known)
			snprintf(ids->v[ids->n++], ID_SIZE, "%.*s", (int)before + 18, p - before);
	}
}

static void request(struct arena *a, const struct service *s, const struct buf *text,
		    struct http_reply *reply)
{
	struct str body = buf_str(text), target = { 0 };
	const char *common;
	struct sigv4_header host = { STR("Host"), STR("localhost") };
	AUTO(buf) struct buf authorization = BUF_INIT;
	char date[17];

	if (s->json) {
		str_split(&body, ' ', &target);
		common = NULL;
	} else {
		common = arena_printf(a, "Version=%s&", s->version);
		body = str_from(arena_printf(a, "%s%s", common, buf_cstr(text)));
	}
	struct sigv4 sign = { .access_key = cloud.access_key,
			      .secret_key = cloud.secret_key,
			      .region = "us-east-1",
			      .service = s->name,
			      .unix_time = clock_unix(),
			      .method = "POST",
			      .path = STR("/"),
			      .headers = &host,
			      .nheaders = 1,
			      .body = body };
	sigv4_sign(&sign, &authorization);
	sigv4_date(sign.unix_time, date);
	const struct http_field headers[] = {
		{ "Host", "localhost" },
		{ "X-Amz-Date", date },
		{ "Authorization", buf_cstr(&authorization) },
		{ "User-Agent", arena_strndup(a, body.p ? body.p : "", MIN(body.n, (size_t)30)) },
		{ "X-Amz-Target", arena_printf(a, "AmazonSSM." STR_FMT, STR_ARG(target)) },
	};
	dispatch(&cloud,
		 &(struct http_request){ .method = "POST",
					 .path = "/",
					 .query = "",
					 .headers = headers,
					 .nheaders = ARRAY_LEN(headers) - !s->json,
					 .body = body },
		 0, reply);
}

/* An RSA key takes longer than all else together. */
static bool is_slow(struct str text)
{
	return str_find(text, STR("CreateKeyPair")) >= 0 && str_find(text, STR("ed25519")) < 0;
}

static void serve(struct ids *ids, struct str line)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf text = BUF_INIT;
	struct http_reply reply = { 0 };
	const struct service *s = NULL;
	AUTO(err) struct err err = ERR_INIT;
	struct xml *root;

	if (!line.n || is_slow(line) || memchr(line.p, '\0', line.n))
		return;
	for (size_t i = 0; i < services_n; i++)
		if (strchr(services[i].name, line.p[0]) == services[i].name ||
		    (line.p[0] == 'm' && services[i].json))
			s = &services[i];
	if (!s)
		return;
	if (line.p[0] == 's')
		s = &services[1];
	put_ids(ids, str_slice(line, 1, line.n), &text);
	request(a, s, &text, &reply);
	if (!reply.status || !reply.body.n ||
	    (!s->json && xml_parse(a, buf_str(&reply.body), &root, &err) < 0))
		abort();
	take_ids(ids, &reply.body);
	buf_release(&reply.body);
}

static bool keep_row(const struct row *r)
{
	return r->region[0] == '*';
}

static void forget(void)
{
	if (!jobs_drain(cloud.jobs, 60000))
		abort(); /* something never ends */
	CLOUD_LOCK(&cloud);
	for (size_t i = 0; i < model_count(cloud.model, KIND_INSTANCE); i++)
		console_remove(&cloud, model_at(cloud.model, KIND_INSTANCE, i)->id);
	model_reset(cloud.model, keep_row);
	reqlog_clear(cloud.log);
	for (size_t i = 0; i < map_len(&cloud.notices); i++)
		json_decref(map_at(&cloud.notices, i));
	map_release(&cloud.notices);
	map_release(&cloud.up);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str rest = { (const char *)data, n }, line;
	struct ids ids = { .n = 0 };
	json_t *log;

	for (size_t i = 0; i < LINES_MAX && str_split(&rest, '\n', &line); i++)
		serve(&ids, line);
	log = reqlog_since(cloud.log, 0);
	for (size_t i = 0; i < json_array_size(log); i++)
		if (!json_object_get(json_array_get(log, i), "status"))
			abort(); /* an entry has its end */
	json_decref(log);
	forget();
	return 0;
}
