/* http: the answer to one request. */
#include "aws/http.h"

#include "base/log.h"
#include "datasource/object.h"
#include "engine/component.h"
#include "lang/expr/text.h"

#define REQUEST_MS INT64_C(3600000) /* the reference waits for ever */

struct http_config {
	char *url, *method;
	struct str_map request_headers;
	char *request_body;
	struct cancel *cancel;
};

static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH",
				       NULL };

static const struct spec_row rows[] = {
	SPEC_STR(struct http_config, url, .flags = SPEC_REQUIRED,
		 .doc = "What to ask, `http://` or `https://`."),
	SPEC_STR(struct http_config, method, .def = "GET", .choices = methods,
		 .doc = "How to ask."),
	SPEC_MAP(struct http_config, request_headers, .doc = "More headers of the request."),
	SPEC_STR(struct http_config, request_body, .doc = "What to send."),
};
static const struct spec spec =
	SPEC("http", struct http_config, rows,
	     .doc = "Makes one HTTP request, whose answer must have a status of 200 to 299. Its "
		    "values: `url`, `body`, and `request_headers`, which holds the headers of the "
		    "answer.");

static void prepare(struct prepare *p, void *config)
{
	struct http_config *c = config;

	c->cancel = p->cancel;
	if (c->url && !*c->url)
		prepare_error(p, "url", "it must not be empty");
}

struct answer {
	struct arena *arena;
	struct value_attr *v;
	size_t n;
};

/* "content-type" as "Content-Type": keys of the map are the same whatever the server writes. */
static char *canonical(struct arena *a, struct str name)
{
	char *s = arena_strndup(a, name.p, name.n);
	bool first = true;

	for (char *p = s; *p; p++) {
		if (first && *p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
		else if (!first && *p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
		first = *p == '-';
	}
	return s;
}

/* Headers that come more than once are joined by commas. */
static void on_header(void *data, struct str name, struct str value)
{
	struct answer *h = data;
	struct str key = str_from(canonical(h->arena, name));

	if (!name.n) {
		h->n = 0;
		return;
	}
	for (size_t i = 0; i < h->n; i++) {
		struct value *v = &h->v[i].value;

		if (!str_eq(h->v[i].key, key))
			continue;
		v->string = str_from(arena_printf(h->arena, STR_FMT ", " STR_FMT,
						  STR_ARG(v->string), STR_ARG(value)));
		return;
	}
	h->v = arena_grow(h->arena, h->v, h->n * sizeof(*h->v), (h->n + 1) * sizeof(*h->v));
	h->v[h->n++] = (struct value_attr){
		.key = key,
		.value = value_string(arena_str(h->arena, value), (struct span){ 0 }),
	};
}

static int ask(const struct http_config *c, struct answer *answer, struct http_response *ret,
	       struct err *err)
{
	AUTO(http) struct http *h = http_new(&(struct http_settings){ 0 });
	const char **headers =
		arena_new_array(answer->arena, const char *, c->request_headers.n + 2);
	size_t n = 0;
	bool typed = false;

	for (size_t i = 0; i < c->request_headers.n; i++) {
		const struct str_pair *p = &c->request_headers.v[i];

		typed |= str_ieqs(str_from(p->key), "content-type");
		headers[n++] = arena_printf(answer->arena, *p->value ? "%s: %s" : "%s;%s", p->key,
					    p->value);
	}
	if (!typed) /* the library would call any body a form */
		headers[n++] = "Content-Type:";
	struct http_request req = {
		.method = c->method,
		.url = c->url,
		.headers = headers,
		.body = c->request_body ? str_from(c->request_body) : STR(""),
		.total_ms = REQUEST_MS,
		.cancel = c->cancel,
		.follow = true,
		.on_header = on_header,
		.data = answer,
	};
	if (http_do(h, &req, ret, err) < 0)
		return err_prefix(err, "%s %s", c->method, c->url);
	if (ret->status < 200 || ret->status > 299)
		return err_set(err, ERR_REMOTE, "%s %s: the server answered with status %d",
			       c->method, c->url, ret->status);
	return 0;
}

static int run(struct arena *a, void *config, struct value *ret, struct err *err)
{
	const struct http_config *c = config;
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	struct answer answer = { .arena = a };

	if (ask(c, &answer, &r, err) < 0)
		return -1;
	if (utf8_invalid_at(buf_str(&r.body)) >= 0)
		log_line("data source http: what %s sent is no UTF-8 text", c->url);
	struct value_attr v[] = {
		{ .key = STR("body"),
		  .value = value_string(text_nfc(a, arena_str(a, buf_str(&r.body))),
					(struct span){ 0 }) },
		{ .key = STR("request_headers"), .value = datasource_map(a, answer.v, answer.n) },
		{ .key = STR("url"), .value = value_cstring(a, c->url, (struct span){ 0 }) },
	};
	*ret = value_attrs_make(a, VALUE_OBJECT, v, ARRAY_LEN(v), (struct span){ 0 });
	return 0;
}

static const char *const outputs[] = { "body", "request_headers", "url", NULL };

extern const struct datasource datasource_http;
const struct datasource datasource_http = {
	.type = "http",
	.spec = &spec,
	.prepare = prepare,
	.run = run,
	.outputs = outputs,
};
