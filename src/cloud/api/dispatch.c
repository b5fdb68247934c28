/* The way of one API request. The order matters and is EC2's: who are you, what do you want, are
 * the parameters sound, was this token used, then the work. */
#include "cloud/api/dispatch.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/os.h"
#include "cloud/actions/places.h"
#include "cloud/api/api.h"
#include "cloud/api/faults.h"
#include "cloud/api/services.h"
#include "cloud/model/vpc.h"
#include "cloud/reqlog.h"

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

/* Codes whose HTTP status is not 400. */
static const struct {
	const char *code;
	int status;
} statuses[] = {
	{ "AuthFailure", 401 },
	{ "UnauthorizedOperation", 403 },
	{ "AccessDenied", 403 },
	{ "SignatureDoesNotMatch", 403 },
	{ "InvalidClientTokenId", 403 },
	{ "MissingAuthenticationToken", 403 },
	{ "NoSuchEntity", 404 },
	{ "EntityAlreadyExists", 409 },
	{ "DeleteConflict", 409 },
	{ "LimitExceeded", 409 },
	{ "DryRunOperation", 412 },
	{ "RequestLimitExceeded", 503 },
	{ "Unavailable", 503 },
	{ "ServiceUnavailable", 503 },
	{ "InternalError", 500 },
	{ "InternalFailure", 500 },
	{ "InsufficientInstanceCapacity", 500 },
};

static int status_of(const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (streq(statuses[i].code, code))
			return statuses[i].status;
	return 400;
}

/* Answers and the log hold UTF-8 alone; what came in a header, or was cut to its length, may be
 * none: such bytes become question marks. */
static const char *readable(struct call *c, const char *s)
{
	size_t n = strlen(s);
	ptrdiff_t bad = utf8_invalid_at((struct str){ s, n });
	char *copy;

	if (bad < 0)
		return s;
	copy = arena_strndup(c->arena, s, n);
	for (size_t at = 0; bad >= 0; bad = utf8_invalid_at((struct str){ copy + at, n - at })) {
		at += (size_t)bad;
		copy[at++] = '?';
	}
	return copy;
}

int call_fail(struct call *c, const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	c->message = readable(c, arena_vprintf(c->arena, fmt, ap));
	va_end(ap);
	c->code = code;
	c->status = status_of(code);
	return -1;
}

/* --- who ------------------------------------------------------------ */

static bool find_key(void *data, const char *access_key, const char **ret_secret,
		     const char **ret_token)
{
	struct call *c = data;
	struct cloud *cloud = c->cloud;
	struct row *r;
	CLOUD_LOCK(cloud);

	*ret_token = NULL;
	if (streq(access_key, cloud->access_key)) {
		*ret_secret = cloud->secret_key;
		c->principal = arena_printf(c->arena, "arn:aws:iam::%s:user/local", cloud->account);
		return true;
	}
	r = model_find(cloud->model, KIND_ACCESS_KEY, access_key);
	if (!r || doc_int(r->doc, "_expires") < clock_unix())
		return false;
	*ret_secret = arena_strdup(c->arena, doc_str(r->doc, "_secret"));
	*ret_token = arena_strdup(c->arena, doc_str(r->doc, "_token"));
	c->principal = arena_strdup(c->arena, doc_str(r->doc, "arn"));
	return true;
}

/* EC2 words these differently from the other services. */
static int refuse(struct call *c, enum signature_result why, const struct signature *s)
{
	bool ec2 = !c->service || streq(c->service->name, "ec2");

	switch (why) {
	case SIGNATURE_MISSING:
		return call_fail(c, ec2 ? "AuthFailure" : "MissingAuthenticationToken",
				 "Request is missing Authentication Token (the local cloud's keys: "
				 "`ingot cloud env`)");
	case SIGNATURE_INCOMPLETE:
		return call_fail(c, ec2 ? "AuthFailure" : "IncompleteSignature",
				 "The Authorization of the request is incomplete or malformed%s%s",
				 *s->why ? ": " : "", s->why);
	case SIGNATURE_EXPIRED:
		if (ec2)
			return call_fail(c, "RequestExpired", "Request has expired.");
		return call_fail(c, "SignatureDoesNotMatch", "Signature expired: %s", s->why);
	case SIGNATURE_UNKNOWN_KEY:
	case SIGNATURE_TOKEN:
		if (ec2)
			break;
		return call_fail(c, "InvalidClientTokenId",
				 "The security token included in the request is invalid.");
	default:
		if (ec2)
			break;
		return call_fail(
			c, "SignatureDoesNotMatch",
			"The request signature we calculated does not match the signature you "
			"provided. Check your AWS Secret Access Key and signing method.");
	}
	return call_fail(c, "AuthFailure",
			 "AWS was not able to validate the provided access credentials%s%s",
			 *s->why ? ": " : "", s->why);
}

/* --- what ----------------------------------------------------------- */

static const struct service *find_service(const char *name)
{
	for (size_t i = 0; i < services_n; i++)
		if (streq(services[i].name, name))
			return &services[i];
	return NULL;
}

static const struct action *find_action(const struct service *s, const char *name)
{
	for (const struct action *const *family = s->families; *family; family++)
		for (const struct action *a = *family; a->name; a++)
			if (streq(a->name, name))
				return a;
	return NULL;
}

static int read_query(struct call *c, const struct http_request *r)
{
	const char *type = http_header(r, "content-type"), *name, *version;

	if (r->body.n && type && !starts_with(type, "application/x-www-form-urlencoded"))
		return call_fail(c, "InvalidRequest",
				 "The content type %.80s is not application/x-www-form-urlencoded",
				 type);
	if (!query_parse(&c->query, c->arena, r->body.n ? r->body : str_from(r->query)))
		return call_fail(c, "MalformedQueryString", "The query string is malformed");
	name = call_val(c, "Action");
	version = call_val(c, "Version");
	if (!name)
		return call_fail(c, "MissingAction",
				 "The request must contain the parameter Action");
	if (!version || !streq(version, c->service->version))
		return call_fail(
			c, "NoSuchVersion",
			"The requested version (%.40s) of service %s does not exist: %s is known",
			version ? version : "", c->service->name, c->service->version);
	c->action = find_action(c->service, name);
	if (!c->action)
		return call_fail(
			c, "InvalidAction",
			"The action %.80s is not valid for this web service (local cloud, %s %s)",
			name, c->service->name, c->service->version);
	return 0;
}

static int read_json(struct call *c, const struct http_request *r)
{
	const char *target = http_header(r, "x-amz-target"),
		   *dot = target ? strchr(target, '.') : NULL;

	if (!dot)
		return call_fail(c, "UnknownOperationException",
				 "The header X-Amz-Target is missing");
	c->action = find_action(c->service, dot + 1);
	if (!c->action)
		return call_fail(c, "UnknownOperationException",
				 "The local cloud does not know %.80s", target);
	c->body = json_loadb(r->body.n ? r->body.p : "{}", r->body.n ? r->body.n : 2,
			     JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(c->body))
		return call_fail(c, "SerializationException", "The body is no JSON object");
	return 0;
}

/* Parameters that every action of the Query protocols may carry. */
static const char *const common_params[] = {
	"Action", "Version", "DryRun", "AWSAccessKeyId", "Signature", "Timestamp",
	"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
	"X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token",
};

static bool in_list(const char *list, const char *name, size_t n)
{
	for (const char *p = list; *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " .!");

		if (len == n && strncmp(p, name, n) == 0)
			return true;
		p += strcspn(p, " ");
	}
	return false;
}

static int check_params(struct call *c)
{
	const char *list = c->action->params;

	if (!list)
		return 0;
	for (size_t i = 0; i < c->query.n; i++) {
		const char *name = c->query.v[i].name;
		bool known = in_list(list, name, strcspn(name, "."));

		for (size_t k = 0; k < ARRAY_LEN(common_params) && !known; k++)
			known = streq(common_params[k], name);
		if (!known)
			return call_fail(c, "UnknownParameter",
					 "The parameter %.100s is not recognized", name);
	}
	for (const char *p = list; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " .!");
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)n, p);
		if ((p[n] == '!' && !call_val(c, "%s", name)) ||
		    (p[n] == '.' && !call_any(c, "%s", name)))
			return call_missing(c, name);
		p += strcspn(p, " ");
	}
	return 0;
}

int call_missing(struct call *c, const char *name)
{
	return call_fail(c, "MissingParameter", "The request must contain the parameter %s", name);
}

int call_dry_run(struct call *c)
{
	if (streq(call_val(c, "DryRun"), "true"))
		return call_fail(c, "DryRunOperation",
				 "Request would have succeeded, but DryRun flag is set.");
	return 0;
}

/* --- client tokens -------------------------------------------------- */

/* The key under which the answer to a token is kept, or NULL without a token. */
static const char *token_key(struct call *c)
{
	const char *token = call_val(c, "ClientToken");

	if (!token || c->service->json)
		return NULL;
	return arena_printf(c->arena, "%s/%s/%s", c->region, c->action->name, token);
}

static const char *params_digest(struct call *c)
{
	AUTO(buf) struct buf b = BUF_INIT;
	uint8_t digest[SHA256_LEN];
	char *hex = arena_alloc(c->arena, 2 * SHA256_LEN + 1);

	for (size_t i = 0; i < c->query.n; i++)
		if (!streq(c->query.v[i].name, "DryRun") &&
		    !starts_with(c->query.v[i].name, "X-Amz-"))
			buf_printf(&b, "%zu:%s=%zu:%s\n", strlen(c->query.v[i].name),
				   c->query.v[i].name, strlen(c->query.v[i].value),
				   c->query.v[i].value);
	hash_sha256(b.p, b.n, digest);
	hash_hex(digest, sizeof(digest), hex);
	return hex;
}

/* 1: answered from an earlier call; 0: a new one; -1: error answer. */
static int token_answer(struct call *c, const char *key)
{
	struct row *r = key ? model_find(c->cloud->model, KIND_TOKEN, key) : NULL;

	if (!r)
		return 0;
	if (!streq(doc_str(r->doc, "digest"), params_digest(c)))
		return call_fail(c, "IdempotentParameterMismatch",
				 "The client token you have provided has already been used with "
				 "different parameters: use another token for another request");
	json_decref(c->out);
	c->out = json_deep_copy(json_object_get(r->doc, "answer"));
	return 1;
}

static void token_keep(struct call *c, const char *key)
{
	json_t *doc = json_pack("{s:s, s:O}", "digest", params_digest(c), "answer", c->out);

	model_put(c->cloud->model, KIND_TOKEN, c->region, key, doc);
}

/* --- the answer ----------------------------------------------------- */

static void write_xml(struct call *c, struct buf *out)
{
	const char *name = c->action->name;

	buf_printf(out, "<%sResponse xmlns=\"%s\">\n", name, c->service->xmlns);
	if (c->service->results) {
		buf_printf(out, "<%sResult>\n", name);
		doc_print_xml(c->out, "member", out);
		buf_printf(out,
			   "</%sResult>\n"
			   "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>\n",
			   name, c->request_id);
	} else {
		buf_printf(out, "<requestId>%s</requestId>\n", c->request_id);
		doc_print_xml(c->out, "item", out);
	}
	buf_printf(out, "</%sResponse>\n", name);
}

static void write_answer(struct call *c)
{
	auto_free char *text = NULL;

	if (!c->service->json) {
		buf_adds(c->text, XML_HEAD);
		write_xml(c, c->text);
		return;
	}
	text = json_dumps(c->out, JSON_COMPACT);
	buf_adds(c->text, text);
}

/* --- the work ------------------------------------------------------- */

static int run_locked(struct call *c)
{
	const char *key = token_key(c);
	int r;

	model_begin(c->cloud->model);
	if (streq(c->service->name, "ec2"))
		vpc_ensure_default(c->cloud, c->region);
	r = token_answer(c, key);
	if (r == 0) {
		r = c->action->run(c);
		if (r == 0 && key)
			token_keep(c, key);
	}
	model_commit(c->cloud->model);
	return r < 0 ? -1 : 0;
}

/* The answer shares its parts with the state, which other threads change: it is written, and given
 * back, under the lock that it was made under. */
static int run_action(struct call *c)
{
	bool unlocked = c->action->flags & ACTION_UNLOCKED;
	int r = unlocked ? c->action->run(c) : -1;
	CLOUD_LOCK(c->cloud);

	if (!unlocked)
		r = run_locked(c);
	if (r == 0)
		write_answer(c);
	json_decref(steal(c->out));
	return r;
}

/* Hides what the call made from the next reads. */
static void hide_created(struct call *c, unsigned reads)
{
	CLOUD_LOCK(c->cloud);
	size_t i;
	json_t *id;

	json_array_foreach(c->created, i, id)
		for (int k = 0; k < KINDS; k++) {
			struct row *r = model_find(c->cloud->model, (enum kind)k,
						   json_string_value(id));

			if (r)
				r->hidden_reads = reads;
		}
}

/* An answer as if nothing of what the call names were there. */
static int answer_not_found(struct call *c)
{
	for (size_t i = 0; i < c->query.n; i++) {
		enum kind kind;
		const struct kind_info *info;

		if (!kind_of_id(c->query.v[i].value, &kind))
			continue;
		info = kind_info(kind);
		return call_fail(c, info->not_found, info->text, c->query.v[i].value);
	}
	if (!starts_with(c->action->name, "Describe"))
		return call_fail(c, "InternalError",
				 "A not-found fault for a call that names no resource");
	return 0;
}

static int work(struct call *c, struct fault *fault)
{
	if (fault->kind == FAULT_ERROR) {
		call_fail(c, arena_strdup(c->arena, fault->code), "%s", fault->message);
		if (fault->status)
			c->status = fault->status;
		return -1;
	}
	if (check_params(c) < 0)
		return -1;
	if (fault->kind == FAULT_NOT_FOUND) {
		if (answer_not_found(c) < 0)
			return -1;
		write_answer(c);
		return 0;
	}
	if (!(c->action->flags & ACTION_LATE_DRY_RUN) && !c->service->json && call_dry_run(c) < 0)
		return -1;
	if (run_action(c) < 0)
		return -1;
	if (fault->kind == FAULT_INVISIBLE)
		hide_created(c, fault->reads);
	return 0;
}

/* --- the reply ------------------------------------------------------ */

static void write_xml_error(struct call *c, struct buf *out)
{
	if (c->service && c->service->results) {
		buf_printf(out,
			   "<ErrorResponse xmlns=\"%s\">"
			   "<Error><Type>%s</Type><Code>%s</Code><Message>",
			   c->service->xmlns, c->status >= 500 ? "Receiver" : "Sender", c->code);
		xml_add_text(out, c->message);
		buf_printf(out, "</Message></Error><RequestId>%s</RequestId></ErrorResponse>\n",
			   c->request_id);
		return;
	}
	buf_printf(out, "<Response><Errors><Error><Code>%s</Code><Message>", c->code);
	xml_add_text(out, c->message);
	buf_printf(out, "</Message></Error></Errors><RequestID>%s</RequestID></Response>\n",
		   c->request_id);
}

/* What was answered is in the body already. */
static void write_reply(struct call *c, bool ok, struct http_reply *reply)
{
	bool json = c->service && c->service->json;
	AUTO(json) json_t *error = NULL;
	auto_free char *text = NULL;

	reply->status = ok ? 200 : c->status;
	reply->content_type = json ? "application/x-amz-json-1.1" : "text/xml;charset=UTF-8";
	reply->headers[reply->nheaders].name = "x-amzn-RequestId";
	snprintf(reply->headers[reply->nheaders++].value, sizeof(reply->headers[0].value), "%s",
		 c->request_id);
	if (ok)
		return;
	if (!json) {
		buf_adds(c->text, XML_HEAD);
		write_xml_error(c, c->text);
		return;
	}
	error = json_pack("{s:s, s:s}", "__type", c->code, "message", c->message);
	text = json_dumps(error, JSON_COMPACT);
	buf_adds(c->text, text);
}

/* --- the log -------------------------------------------------------- */

/* Values that do not belong into a log. */
static bool is_secret(struct call *c, const char *name)
{
	/* Attribute=userData&Value=… is UserData.Value=… in other words. */
	if (streq(name, "Value"))
		return streq(call_val(c, "Attribute"), "userData");
	return ends_with(name, "UserData") || ends_with(name, "UserData.Value") ||
	       ends_with(name, "PublicKeyMaterial") || starts_with(name, "X-Amz-") ||
	       ends_with(name, "SerialNumber") || ends_with(name, "TokenCode");
}

static json_t *log_params(struct call *c)
{
	json_t *params = json_is_object(c->body) ? json_deep_copy(c->body) : json_object();
	const char *secret = json_string_value(json_object_get(params, "Value"));

	if (secret) /* of a parameter */
		json_object_set_new(params, "Value", json_sprintf("(%zu bytes)", strlen(secret)));
	for (size_t i = 0; i < c->query.n; i++) {
		const struct query_param *p = &c->query.v[i];

		if (streq(p->name, "Action") || streq(p->name, "Version"))
			continue;
		if (is_secret(c, p->name))
			json_object_set_new(params, p->name,
					    json_sprintf("(%zu bytes)", strlen(p->value)));
		else
			json_object_set_new(params, p->name, json_string(p->value));
	}
	return params;
}

static json_t *log_start(struct call *c, const struct http_request *r)
{
	const char *agent = http_header(r, "user-agent"),
		   *action = c->action ? c->action->name : call_val(c, "Action");
	char now[TIME_SIZE];

	return json_pack("{s:I, s:s, s:s, s:s?, s:s?, s:s?, s:s, s:s?, s:o}",
			 "n", (json_int_t)0,
			 "id", c->request_id,
			 "time", time_text(clock_unix_ms(), now),
			 "service", c->service ? c->service->name : NULL,
			 "action", action ? readable(c, action) : NULL,
			 "region", readable(c, c->region),
			 "access_key", c->access_key ? readable(c, c->access_key) : "",
			 "user_agent", agent ? readable(c, agent) : NULL,
			 "params", log_params(c));
}

static json_t *log_end(struct call *c, bool ok, int64_t began, const struct http_reply *reply,
		       const struct signature *s)
{
	json_t *e = json_pack("{s:i, s:I, s:o}",
			      "status", reply->cut ? 0 : reply->status,
			      "ms", (json_int_t)(clock_ms() - began),
			      "created", steal(c->created));

	if (reply->cut)
		json_object_set_new(e, "cut", json_true());
	if (!ok) {
		json_object_set_new(e, "code", json_string(c->code));
		json_object_set_new(e, "message", json_string(c->message));
		if (*s->why)
			json_object_set_new(e, "why", json_string(readable(c, s->why)));
	}
	return e;
}

static int identify(struct call *c, const struct http_request *r, struct signature *s)
{
	enum signature_result sig = signature_check(r, clock_unix(), find_key, c, c->arena, s);

	c->service = find_service(s->service);
	c->region = *s->region ? s->region : CLOUD_REGION;
	c->access_key = s->access_key;
	if (sig != SIGNATURE_OK)
		return refuse(c, sig, s);
	if (!c->service)
		return call_fail(
			c, "InvalidAction",
			"The local cloud has no service \"%.40s\": it has ec2, sts, iam and ssm",
			s->service);
	if (!region_known(c->region))
		return call_fail(
			c, streq(s->service, "ec2") ? "AuthFailure" : "SignatureDoesNotMatch",
			"Credential should be scoped to a valid region: there is no '%.40s'",
			c->region);
	return c->service->json ? read_json(c, r) : read_query(c, r);
}

void dispatch(void *data, const struct http_request *r, uint32_t peer UNUSED,
	      struct http_reply *reply)
{
	AUTO(arena) struct arena *arena = arena_new();
	struct call c = { .cloud = data,
			  .arena = arena,
			  .text = &reply->body,
			  .out = json_object(),
			  .created = json_array() };
	struct fault fault = { .kind = FAULT_NONE };
	struct signature s;
	int64_t began = clock_ms();
	uint64_t n;
	bool ok;

	os_uuid(c.request_id);
	c.serial = __atomic_add_fetch(&c.cloud->calls, 1, __ATOMIC_RELAXED);
	ok = identify(&c, r, &s) == 0;
	n = reqlog_begin(c.cloud->log, log_start(&c, r));
	if (ok) {
		faults_next(c.cloud->faults, c.action->name, &fault);
		reply->cut = fault.kind == FAULT_CUT;
		ok = !reply->cut && work(&c, &fault) == 0;
		if (fault.kind == FAULT_LATE)
			clock_sleep(fault.ms, NULL);
		if (fault.kind == FAULT_CUT_AFTER)
			reply->cut = true;
	}
	if (!ok && !c.code)
		call_fail(&c, "InternalError", "the connection was cut by the fault plan");
	write_reply(&c, ok, reply);
	reqlog_end(c.cloud->log, n, log_end(&c, ok, began, reply, &s));
	json_decref(c.out);
	json_decref(c.body);
}
