/* The one place where calls are made, retried and judged. An attempt ends in one of four ways:
 * done, again (after a pause), lost (nobody knows whether it was done), or failed for good; judge()
 * decides by the table of codes (errors.c). Only calls that may be repeated without making a second
 * resource are retried after a lost answer; for the others the caller looks the thing up first
 * (ec2_create.c).
 */
#include "aws/call.h"

#include "aws/answer.h"
#include "aws/errors.h"
#include "aws/session_impl.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"

#define TRIES 10
#define TRIES_UNCONNECTED 4   /* when not one call has been answered yet */
#define EVENTUAL_MS 60000     /* how long a thing just made may be unknown */
#define EVENTUAL_UNDO_MS 8000 /* the same when taking it away */
#define PAUSE_MAX_MS 20000

struct call {
	const struct aws_client *client;
	struct aws_session *session;
	const char *action; /* "RunInstances" */
	const struct aws_params *params; /* NULL with JSON */
	struct buf body;
	const char *content_type, *target;
	struct aws_endpoint endpoint;
	struct aws_creds creds;
	uint64_t generation;
	bool repeatable;
	int tries, max_tries, eventual_tries;
	int64_t started_ms;
	bool clock_tried, expired_tried;
	struct http_response response;
};

static void call_release(struct call *k)
{
	buf_release(&k->body);
	aws_endpoint_release(&k->endpoint);
	aws_creds_release(&k->creds);
	http_response_release(&k->response);
}
DEFINE_AUTO(call, struct call, call_release);

enum verdict { VERDICT_DONE, VERDICT_AGAIN, VERDICT_FAILED };

static const struct {
	const char *service, *version;
} versions[] = {
	{ "ec2", "2016-11-15" },
	{ "sts", "2011-06-15" },
	{ "iam", "2010-05-08" },
};

static const char *version_of(const char *service)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		if (streq(versions[i].service, service))
			return versions[i].version;
	return "";
}

/* Actions of which EC2 remembers a client token, so that a repeat makes nothing new. */
static bool takes_token(const char *action)
{
	static const char *const actions[] = { "RunInstances", "CopyImage", "CreateFleet",
					       "CreateLaunchTemplate", "CreateVolume",
					       "RequestSpotInstances", "ImportImage",
					       "ImportSnapshot" };

	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (streq(action, actions[i]))
			return true;
	return false;
}

static bool makes_something(const char *action)
{
	static const char *const verbs[] = { "Create", "Run", "Copy", "Register",
					     "Import", "Allocate", "Request" };

	if (streq(action, "CreateTags"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (starts_with(action, verbs[i]))
			return true;
	return false;
}

static bool is_undo(const char *action)
{
	return starts_with(action, "Delete") || starts_with(action, "Terminate") ||
	       starts_with(action, "Deregister") || starts_with(action, "Remove");
}

static int max_tries(const struct aws_session *s)
{
	const char *env = os_env("AWS_MAX_ATTEMPTS");
	int64_t n;

	if (s->cfg.max_retries > 0)
		return (int)MIN(s->cfg.max_retries, 1000) + 1;
	if (!s->cfg.local_endpoint && env && parse_i64(str_from(env), &n) && n > 0)
		return (int)MIN(n, 1000);
	return TRIES;
}

static int call_start(struct call *k, const struct aws_client *c, const char *action,
		      struct err *err)
{
	k->client = c;
	k->session = c->session;
	k->action = action;
	k->started_ms = clock_ms();
	k->max_tries = max_tries(c->session);
	return aws_endpoint_find(c->session, c->service, c->region, &k->endpoint, err);
}

/* Puts "ec2:RunInstances in eu-west-1" before the message. */
static int add_context(const struct call *k, struct err *err)
{
	return err_prefix(err, "%s:%s in %s", k->client->service, k->action, k->client->region);
}

/* ---- whether to try again ---- */

/* The error is about a thing this session made a moment ago. EC2's messages nearly always name the
 * id; only where none of the parameters is named may it be any of them. */
static bool concerns_new_thing(const struct call *k, const char *message)
{
	bool named = false, recent = false;

	for (size_t i = 0; k->params && i < k->params->n; i++) {
		const char *v = k->params->v[i].value;
		bool made = aws_session_made_lately(k->session, v);
		bool here = strlen(v) > 3 && strstr(message, v);

		if (made && here)
			return true;
		recent |= made;
		named |= here;
	}
	return recent && !named;
}

static int64_t random_below(int64_t n)
{
	uint32_t r;

	os_random(&r, sizeof(r));
	return n > 0 ? (int64_t)(r % (uint64_t)(n + 1)) : 0;
}

/* Full jitter: anything between nothing and a limit that doubles. */
static int64_t backoff(const struct call *k, int tries, int64_t base)
{
	int64_t limit = base << MIN(tries, 12), asked, pause;

	if (k->endpoint.custom)
		limit /= 4;
	limit = MIN(limit, PAUSE_MAX_MS);
	asked = k->response.retry_after > 0 ? MIN(k->response.retry_after * 1000, PAUSE_MAX_MS) : 0;
	pause = random_below(limit);
	return MAX(pause, asked);
}

static bool sleep_before_retry(struct call *k, int64_t ms, const char *why)
{
	const struct aws_client *c = k->client;

	if (c->deadline_ms && clock_ms() + ms >= c->deadline_ms)
		return false;
	log_line("aws: %s:%s in %s: %s; trying again in %lld ms (try %d)", c->service, k->action,
		 c->region, why, (long long)ms, k->tries + 1);
	return clock_sleep(ms, c->cancel) == 0;
}

static bool retry_eventual(struct call *k, const struct aws_answer *ans)
{
	int64_t limit = is_undo(k->action) ? EVENTUAL_UNDO_MS : EVENTUAL_MS;
	int64_t pause = MIN((int64_t)100 << MIN(k->eventual_tries, 5), 2000);

	if (clock_ms() - k->started_ms > limit || !concerns_new_thing(k, ans->message))
		return false;
	/* Of invalid values only a new instance profile becomes valid by itself. */
	if (streq(ans->code, "InvalidParameterValue") &&
	    !strcasestr(ans->message, "instanceprofile") &&
	    !strcasestr(ans->message, "instance profile"))
		return false;
	k->eventual_tries++;
	return sleep_before_retry(k, pause / 2 + random_below(pause / 2), ans->code);
}

static bool retry_answer(struct call *k, const struct error_row *row, const struct aws_answer *ans)
{
	bool learned = aws_learn_clock(k->session, &k->response);
	enum bucket_class class = bucket_class_of(k->action);

	switch (row->class) {
	case ERROR_THROTTLE:
		bucket_throttled(k->session->buckets, k->endpoint.url, class);
		return k->tries < k->max_tries &&
		       sleep_before_retry(k, backoff(k, k->tries, 500), ans->code);
	case ERROR_SERVER:
		/* Without a code of EC2's own nobody knows what was done. */
		if (!k->repeatable && row->code == ERR_REMOTE)
			return false;
		return k->tries < k->max_tries &&
		       sleep_before_retry(k, backoff(k, k->tries, 200), ans->message);
	case ERROR_EVENTUAL:
		return retry_eventual(k, ans);
	case ERROR_EXPIRED:
		if (!learned && !k->expired_tried) {
			k->expired_tried = true;
			aws_session_creds_expired(k->session, k->generation);
			return true;
		}
		FALLTHROUGH;
	case ERROR_CLOCK:
		if (!learned || k->clock_tried)
			return false;
		k->clock_tried = true;
		return true;
	case ERROR_FINAL:
		break;
	}
	return false;
}

static enum verdict judge_answer(struct call *k, struct err *err)
{
	AUTO(arena) struct arena *a = arena_new();
	struct aws_answer ans = aws_answer_read(a, &k->response, k->target != NULL);
	const struct error_row *row = error_row_find(ans.code, k->response.status);

	if (retry_answer(k, row, &ans))
		return VERDICT_AGAIN;
	if (k->client->cancel && cancel_check(k->client->cancel, err) < 0)
		return VERDICT_FAILED;
	aws_answer_error(k->client, k->action, k->creds.source, row, &ans, err);
	if (row->class == ERROR_SERVER && row->code == ERR_REMOTE && !k->repeatable)
		err->code = ERR_LOST;
	add_context(k, err);
	return VERDICT_FAILED;
}

static enum verdict judge_transport(struct call *k, struct err *e, struct err *err)
{
	bool may = e->code == ERR_LOST && (k->repeatable || !k->response.sent);
	int limit = k->session->connected ? k->max_tries : MIN(k->max_tries, TRIES_UNCONNECTED);

	if (may && k->tries < limit && sleep_before_retry(k, backoff(k, k->tries, 200), e->msg))
		return VERDICT_AGAIN;
	if (e->code != ERR_CANCELLED && k->client->cancel &&
	    cancel_check(k->client->cancel, err) < 0)
		return VERDICT_FAILED;
	err_move(err, e);
	/* Never sent: not lost, only impossible. Those who make things need the difference. */
	if (err->code == ERR_LOST && !k->response.sent && !k->repeatable)
		err->code = ERR_REMOTE;
	if (err->code != ERR_CANCELLED)
		add_context(k, err);
	return VERDICT_FAILED;
}

/* ---- one attempt ---- */

static int attempt(struct call *k, struct err *err)
{
	const struct aws_client *c = k->client;
	struct aws_message m = {
		.service = c->service,
		.region = k->endpoint.signing_region,
		.url = k->endpoint.url,
		.content_type = k->content_type,
		.target = k->target,
		.body = buf_str(&k->body),
		.creds = &k->creds,
		.fresh = !k->repeatable,
		.cancel = c->cancel,
		.deadline_ms = c->deadline_ms,
	};

	aws_creds_release(&k->creds);
	http_response_release(&k->response);
	if (aws_session_creds(k->session, c->cancel, &k->creds, &k->generation, err) < 0)
		return -1;
	return aws_send(k->session, &m, &k->response, err);
}

/* Runs attempts until one is answered with success; the answer is in k->response. */
static int call_run(struct call *k, struct err *err)
{
	const struct aws_client *c = k->client;
	enum bucket_class class = bucket_class_of(k->action);

	for (;;) {
		AUTO(err) struct err e = ERR_INIT;
		enum verdict v = VERDICT_DONE;

		if (bucket_take(k->session->buckets, k->endpoint.url, class, !k->endpoint.custom,
				c->cancel, c->deadline_ms, err) < 0)
			return err->code == ERR_CANCELLED ? -1 : add_context(k, err);
		k->tries++;
		if (attempt(k, &e) < 0)
			v = judge_transport(k, &e, err);
		else if (k->response.status >= 300)
			v = judge_answer(k, err);
		if (v == VERDICT_FAILED)
			return -1;
		if (v == VERDICT_DONE)
			break;
	}
	bucket_served(k->session->buckets, k->endpoint.url, class);
	aws_learn_clock(k->session, &k->response);
	return 0;
}

static bool is_id(const char *element)
{
	static const char *const ids[] = { "instanceId", "imageId", "snapshotId", "volumeId",
					   "groupId", "launchTemplateId", "spotInstanceRequestId",
					   "importTaskId" };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		if (streq(element, ids[i]))
			return true;
	return false;
}

/* Remember what a create made, from its answer and from its parameters. */
static void note_made(struct aws_session *s, const struct xml *x)
{
	for (; x; x = x->next) {
		if (x->child)
			note_made(s, x->child);
		else if (*x->text && is_id(x->name))
			aws_session_note_made(s, x->text);
	}
}

static void note_names(struct aws_session *s, const struct aws_params *p)
{
	static const char *const names[] = { "KeyName", "GroupName", "RoleName",
					     "InstanceProfileName", "LaunchTemplateName" };

	for (size_t i = 0; p && i < ARRAY_LEN(names); i++) {
		const char *v = aws_params_get(p, names[i]);

		if (v)
			aws_session_note_made(s, v);
	}
}

/* ---- the calls ---- */

int aws_call(const struct aws_client *c, const char *action, const struct aws_params *p,
	     struct xml **ret, struct err *err)
{
	AUTO(call) struct call k = { 0 };
	AUTO(aws_params) struct aws_params params = AWS_PARAMS_INIT;
	AUTO(err) struct err e = ERR_INIT;
	struct xml *root = NULL;
	char token[37];

	if (call_start(&k, c, action, err) < 0)
		return -1;
	aws_params_add(&params, "Action", action);
	aws_params_add(&params, "Version", version_of(c->service));
	aws_params_add_all(&params, p);
	if (takes_token(action) && !aws_params_get(&params, "ClientToken")) {
		os_uuid(token);
		aws_params_add(&params, "ClientToken", token);
	}
	k.params = &params;
	k.repeatable = !makes_something(action) || takes_token(action);
	k.content_type = "application/x-www-form-urlencoded; charset=utf-8";
	aws_params_encode(&params, &k.body);
	if (call_run(&k, err) < 0)
		return -1;
	if (xml_parse(c->arena, buf_str(&k.response.body), &root, &e) < 0) {
		err_set(err, ERR_LOST, "the answer is no XML (%s)", e.msg);
		err->os = k.response.status;
		return add_context(&k, err);
	}
	if (makes_something(action)) {
		note_made(c->session, root);
		note_names(c->session, &params);
	}
	for (size_t i = 0; is_undo(action) && i < params.n; i++)
		aws_session_forget(c->session, params.v[i].value);
	if (ret)
		*ret = root;
	return 0;
}

int aws_call_pages(const struct aws_client *c, const char *action, const struct aws_params *p,
		   const char *path, int (*fn)(void *data, const struct xml *item), void *data,
		   struct err *err)
{
	AUTO(aws_params) struct aws_params params = AWS_PARAMS_INIT;
	bool iam = streq(c->service, "iam");

	aws_params_add_all(&params, p);
	for (;;) {
		struct xml *root;
		const struct xml *item;
		const char *next;

		if (aws_call(c, action, &params, &root, err) < 0)
			return -1;
		for (item = xml_first(root, path); item; item = xml_next(item))
			if (fn(data, item) != 0)
				return 0;
		next = iam && root->child ? xml_text_or_null(root->child, "Marker")
					  : xml_text_or_null(root, "nextToken");
		if (!next)
			return 0;
		aws_params_set(&params, iam ? "Marker" : "NextToken", next);
	}
}

int aws_call_json(const struct aws_client *c, const char *target, const json_t *body,
		  json_t **ret_json, struct err *err)
{
	AUTO(call) struct call k = { 0 };
	const char *dot = strrchr(target, '.');
	auto_free char *text = json_dumps(body, JSON_COMPACT);
	json_error_t e;
	json_t *j;

	if (call_start(&k, c, dot ? dot + 1 : target, err) < 0)
		return -1;
	k.target = target;
	k.content_type = "application/x-amz-json-1.1";
	k.repeatable = !makes_something(k.action);
	buf_adds(&k.body, text ? text : "{}");
	if (call_run(&k, err) < 0)
		return -1;
	j = json_loadb(buf_cstr(&k.response.body), k.response.body.n, 0, &e);
	if (!j) {
		err_set(err, ERR_LOST, "the answer is no JSON (%s)", e.text);
		return add_context(&k, err);
	}
	*ret_json = j;
	return 0;
}

const char *aws_json_text(struct arena *a, const json_t *o, const char *key)
{
	return arena_strdup(a, json_string_value(json_object_get(o, key)));
}

bool aws_denied(const struct err *err)
{
	return err_is(err, "UnauthorizedOperation") || err_is(err, "AccessDenied") ||
	       err_is(err, "AccessDeniedException") || err_is(err, "Client.UnauthorizedOperation");
}

struct aws_client aws_client(struct aws_session *s, const char *service, const char *region,
			     struct arena *a, struct cancel *cancel)
{
	return (struct aws_client){
		.session = s, .service = service, .region = region, .arena = a, .cancel = cancel
	};
}

struct aws_client aws_client_within(const struct aws_client *c, int64_t ms)
{
	struct aws_client copy = *c;
	int64_t until = clock_ms() + ms;

	if (!copy.deadline_ms || copy.deadline_ms > until)
		copy.deadline_ms = until;
	return copy;
}

struct aws_client aws_client_service(const struct aws_client *c, const char *service)
{
	struct aws_client copy = *c;

	copy.service = service;
	return copy;
}

struct aws_client aws_client_region(const struct aws_client *c, const char *region)
{
	struct aws_client copy = *c;

	copy.region = region;
	return copy;
}
