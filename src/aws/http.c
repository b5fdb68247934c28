/* The pool of connections and the one loop that runs a request. A handle pair (easy + multi)
 * belongs to one thread while it runs; idle pairs are kept for the next request to their host, the
 * newest first, so that TLS is negotiated once. Cancel closes the connection: nothing is waited
 * for.
 */
#include "aws/http.h"

#include "aws/libcurl.h"
#include "base/clock.h"
#include "base/os.h"
#include "base/vec.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

#define IDLE_MAX 16
#define BODY_MAX ((size_t)64 << 20)
#define REDIRECTS_MAX 10L
#define USER_AGENT "ingot/" INGOT_VERSION

struct conn {
	CURLM *multi;
	CURL *easy;
	char *host; /* of its last request */
};

struct http {
	pthread_mutex_t lock;
	VEC(struct conn *) idle;
	char *ca_bundle, *ca_path, *client_cert, *client_key;
	bool insecure;
};

struct http *http_new(const struct http_settings *s)
{
	struct http *h = xcalloc(1, sizeof(*h));

	pthread_mutex_init(&h->lock, NULL);
	h->ca_bundle = xstrdup(s->ca_bundle);
	h->ca_path = xstrdup(s->ca_path);
	h->client_cert = xstrdup(s->client_cert);
	h->client_key = xstrdup(s->client_key);
	h->insecure = s->insecure;
	return h;
}

static void conn_free(const struct libcurl *curl, struct conn *c)
{
	if (!c)
		return;
	if (c->easy)
		curl->easy_cleanup(c->easy);
	if (c->multi)
		curl->multi_cleanup(c->multi);
	free(c->host);
	free(c);
}

void http_free(struct http *h)
{
	AUTO(err) struct err ignored = ERR_INIT;

	if (!h)
		return;
	if (h->idle.n) {
		const struct libcurl *curl = libcurl_get(&ignored);

		for (size_t i = 0; i < h->idle.n; i++)
			conn_free(curl, h->idle.v[i]);
	}
	vec_release(&h->idle);
	pthread_mutex_destroy(&h->lock);
	free(h->ca_bundle);
	free(h->ca_path);
	free(h->client_cert);
	free(h->client_key);
	free(h);
}

void http_response_release(struct http_response *r)
{
	buf_release(&r->body);
	free(r->request_id);
	free(r->error_type);
	*r = (struct http_response)HTTP_RESPONSE_INIT;
}

struct str http_url_host(const char *url)
{
	const char *p = strstr(url, "://");
	const char *at;
	size_t n;

	p = p ? p + 3 : url;
	n = strcspn(p, "/?#");
	at = memrchr(p, '@', n); /* the last one ends user and password, for libcurl too */
	if (at) {
		n -= (size_t)(at + 1 - p);
		p = at + 1;
	}
	return (struct str){ p, n };
}

bool http_is_loopback(const char *url)
{
	struct str h = http_url_host(url);
	const char *colon;

	if (str_starts(h, "[::1]"))
		return true;
	colon = h.n ? memchr(h.p, ':', h.n) : NULL;
	if (colon)
		h.n = (size_t)(colon - h.p);
	if (str_ieqs(h, "localhost") || str_ends(h, ".localhost"))
		return true;
	for (size_t i = 0; i < h.n; i++)
		if (!strchr("0123456789.", h.p[i]))
			return false;
	return str_starts(h, "127.");
}

static struct conn *conn_take(struct http *h, const struct libcurl *curl, struct str host)
{
	struct conn *c = NULL;

	pthread_mutex_lock(&h->lock);
	for (size_t i = h->idle.n; i-- > 0 && !c;) {
		if (str_eqs(host, h->idle.v[i]->host)) {
			c = h->idle.v[i];
			vec_remove(&h->idle, i);
		}
	}
	pthread_mutex_unlock(&h->lock);
	if (c)
		return c;
	c = xcalloc(1, sizeof(*c));
	c->host = xstrndup(host.p, host.n);
	c->multi = curl->multi_init();
	c->easy = curl->easy_init();
	if (!c->multi || !c->easy)
		abort(); /* out of memory */
	curl->multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, 2L);
	return c;
}

static void conn_give(struct http *h, const struct libcurl *curl, struct conn *c, bool keep)
{
	struct conn *drop = keep ? NULL : c;

	if (keep) {
		pthread_mutex_lock(&h->lock);
		vec_push(&h->idle, c);
		if (h->idle.n > IDLE_MAX) {
			drop = h->idle.v[0];
			vec_remove(&h->idle, 0);
		}
		pthread_mutex_unlock(&h->lock);
	}
	conn_free(curl, drop);
}

static size_t on_body(char *p, size_t size, size_t n, void *data)
{
	struct http_response *r = data;

	buf_add(&r->body, p, size * n);
	return r->body.overflow ? 0 : size * n;
}

static void keep_header(char **slot, struct str value)
{
	free(*slot);
	*slot = xstrndup(value.p, value.n);
}

static size_t on_header(char *p, size_t size, size_t n, void *data)
{
	struct http_response *r = data;
	struct str line = { p, size * n }, value;
	const char *colon = memchr(p, ':', line.n);
	const struct http_request *req = r->request;

	if (str_starts(line, "HTTP/") && req->on_header)
		req->on_header(req->data, STR(""), STR(""));
	if (!colon || str_starts(line, "HTTP/"))
		return line.n;
	value = str_trim(str_slice(line, (size_t)(colon - p) + 1, line.n));
	line.n = (size_t)(colon - p);
	if (req->on_header)
		req->on_header(req->data, line, value);
	if (str_ieqs(line, "date"))
		clock_parse_http_date(value, &r->date);
	else if (str_ieqs(line, "retry-after"))
		parse_i64(value, &r->retry_after);
	else if (str_ieqs(line, "x-amzn-requestid") || str_ieqs(line, "x-amz-request-id"))
		keep_header(&r->request_id, value);
	else if (str_ieqs(line, "x-amzn-errortype"))
		keep_header(&r->error_type, value);
	return size * n;
}

/* libcurl reads the proxy variables itself but for HTTP_PROXY in capitals, which other AWS tools
 * take. */
static const char *proxy_for(const struct http_request *req)
{
	if (req->no_proxy || http_is_loopback(req->url))
		return "";
	if (starts_with(req->url, "http://") && !os_env("http_proxy") && !os_env("REQUEST_METHOD"))
		return os_env("HTTP_PROXY");
	return NULL;
}

static void set_method(const struct libcurl *curl, CURL *e, const struct http_request *req)
{
	if (streq(req->method, "GET") && !req->body.n)
		return;
	if (streq(req->method, "HEAD")) {
		curl->easy_setopt(e, CURLOPT_NOBODY, 1L);
		return;
	}
	curl->easy_setopt(e, CURLOPT_POST, 1L);
	curl->easy_setopt(e, CURLOPT_POSTFIELDS, req->body.n ? req->body.p : "");
	curl->easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.n);
	if (!streq(req->method, "POST")) /* which a redirect may turn into GET */
		curl->easy_setopt(e, CURLOPT_CUSTOMREQUEST, req->method);
}

static void set_trust(const struct http *h, const struct libcurl *curl, CURL *e)
{
	if (h->ca_bundle)
		curl->easy_setopt(e, CURLOPT_CAINFO, h->ca_bundle);
	if (h->ca_path)
		curl->easy_setopt(e, CURLOPT_CAPATH, h->ca_path);
	if (h->client_cert)
		curl->easy_setopt(e, CURLOPT_SSLCERT, h->client_cert);
	if (h->client_key)
		curl->easy_setopt(e, CURLOPT_SSLKEY, h->client_key);
	if (h->insecure) {
		curl->easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
		curl->easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static void prepare_handle(const struct http *h, const struct libcurl *curl, CURL *e,
			   const struct http_request *req, struct curl_slist *headers,
			   struct http_response *r, char *error_text)
{
	const char *proxy = proxy_for(req);

	curl->easy_setopt(e, CURLOPT_URL, req->url);
	curl->easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl->easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl->easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl->easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	curl->easy_setopt(e, CURLOPT_USERAGENT, USER_AGENT);
	curl->easy_setopt(e, CURLOPT_HTTPHEADER, headers);
	curl->easy_setopt(e, CURLOPT_ERRORBUFFER, error_text);
	curl->easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
			  (long)(req->connect_ms ? req->connect_ms : 10000));
	curl->easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(req->total_ms ? req->total_ms : 70000));
	curl->easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl->easy_setopt(e, CURLOPT_WRITEDATA, r);
	curl->easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl->easy_setopt(e, CURLOPT_HEADERDATA, r);
	curl->easy_setopt(e, CURLOPT_FRESH_CONNECT, req->fresh ? 1L : 0L);
	if (proxy)
		curl->easy_setopt(e, CURLOPT_PROXY, proxy);
	if (req->socket)
		curl->easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, req->socket);
	if (req->follow) {
		curl->easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
		curl->easy_setopt(e, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	}
	set_trust(h, curl, e);
	set_method(curl, e, req);
}

/* Runs the handle to its end, its deadline or cancel. ret_code is libcurl's. */
static int run(const struct libcurl *curl, struct conn *c, const struct http_request *req,
	       CURLcode *ret_code, struct err *err)
{
	int64_t deadline = req->deadline_ms ? req->deadline_ms : CLOCK_NEVER;
	int running = 1, left;

	for (;;) {
		struct curl_waitfd fd = { .events = CURL_WAIT_POLLIN };
		int timeout = clock_left(deadline);
		CURLMsg *m;

		curl->multi_perform(c->multi, &running);
		m = curl->multi_info_read(c->multi, &left);
		if (m) {
			*ret_code = m->data.result;
			return 0;
		}
		if (timeout == 0)
			return err_set(err, ERR_TIMEOUT, "no answer in time");
		if (req->cancel)
			fd.fd = cancel_fd(req->cancel);
		curl->multi_poll(c->multi, &fd, req->cancel ? 1 : 0,
				 timeout < 0 || timeout > 60000 ? 60000 : timeout, NULL);
		if (req->cancel && cancel_check(req->cancel, err) < 0)
			return -1;
	}
}

/* A code of libcurl as an error; tells also whether the request may have reached the server. */
static int transport_error(const struct libcurl *curl, CURL *e, CURLcode code, const char *text,
			   const struct http_request *req, struct http_response *r, struct err *err)
{
	struct str host = http_url_host(req->url);
	long sent = 0;

	curl->easy_getinfo(e, CURLINFO_REQUEST_SIZE, &sent);
	r->sent = sent > 0;
	if (!*text)
		text = curl->easy_strerror(code);
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		r->unresolved = true;
		return err_set(err, ERR_LOST,
			       "the host name " STR_FMT " cannot be resolved; check the network, "
			       "the region's name and the endpoint settings",
			       STR_ARG(host));
	case CURLE_COULDNT_RESOLVE_PROXY:
		r->unresolved = true;
		return err_set(err, ERR_LOST,
			       "the proxy's host name cannot be resolved (%s); check HTTPS_PROXY",
			       text);
	case CURLE_COULDNT_CONNECT:
		return err_set(err, ERR_LOST,
			       "no connection to " STR_FMT " (%s); check the address and the "
			       "network",
			       STR_ARG(host), text);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return err_set(err, ERR_AUTH,
			       "the certificate of " STR_FMT " is not trusted (%s); name its "
			       "authority's file in AWS_CA_BUNDLE",
			       STR_ARG(host), text);
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return err_set(err, ERR_INVALID, "\"%s\" is no http or https URL", req->url);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, ERR_LOST, STR_FMT " did not answer in time (%s)", STR_ARG(host),
			       text);
	case CURLE_WRITE_ERROR:
		return err_set(err, ERR_REMOTE, "the answer of " STR_FMT " is larger than %zu MiB",
			       STR_ARG(host), BODY_MAX >> 20);
	default:
		return err_set(err, ERR_LOST, "the connection to " STR_FMT " broke off (%s)",
			       STR_ARG(host), text);
	}
}

static struct curl_slist *header_list(const struct libcurl *curl, const struct http_request *req)
{
	struct curl_slist *list = curl->slist_append(NULL, "Expect:");

	for (size_t i = 0; req->headers && req->headers[i]; i++)
		list = curl->slist_append(list, req->headers[i]);
	if (!list)
		abort(); /* out of memory */
	return list;
}

int http_do(struct http *h, const struct http_request *req, struct http_response *ret,
	    struct err *err)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	const struct libcurl *curl = libcurl_get(err);
	struct curl_slist *headers;
	struct conn *c;
	CURLcode code = CURLE_OK;
	char text[CURL_ERROR_SIZE] = "";
	long status = 0;
	int rc;

	if (!curl)
		return -1;
	if (req->cancel && cancel_check(req->cancel, err) < 0)
		return -1;
	r.body.max = BODY_MAX;
	r.request = req;
	headers = header_list(curl, req);
	c = conn_take(h, curl, http_url_host(req->url));
	prepare_handle(h, curl, c->easy, req, headers, &r, text);
	curl->multi_add_handle(c->multi, c->easy);
	rc = run(curl, c, req, &code, err);
	if (rc < 0)
		r.sent = true; /* broken off in the middle: nobody knows */
	else if (code != CURLE_OK)
		rc = transport_error(curl, c->easy, code, text, req, &r, err);
	else
		curl->easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl->multi_remove_handle(c->multi, c->easy);
	curl->easy_reset(c->easy); /* it points into this frame */
	curl->slist_free_all(headers);
	conn_give(h, curl, c, rc == 0);
	if (rc < 0) {
		ret->sent = r.sent;
		ret->unresolved = r.unresolved;
		return -1;
	}
	r.status = (int)status;
	r.sent = true;
	r.request = NULL;
	http_response_release(ret);
	*ret = r;
	r = (struct http_response)HTTP_RESPONSE_INIT;
	return 0;
}
