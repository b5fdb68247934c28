/* One request as AWS wants it: signed for its region, with the server's idea of the time. No
 * retries. */
#include "aws/session_impl.h"

#include "aws/sigv4.h"
#include "base/clock.h"

/* Signatures are valid for 5 minutes either way: smaller differences are left alone. */
#define SKEW_MATTERS 60

bool aws_learn_clock(struct aws_session *s, const struct http_response *r)
{
	int64_t skew, old = s->skew;

	if (!r->date)
		return false;
	skew = r->date - clock_unix();
	if (skew > -SKEW_MATTERS && skew < SKEW_MATTERS)
		skew = 0;
	if (skew - old > -SKEW_MATTERS && skew - old < SKEW_MATTERS)
		return false;
	s->skew = skew;
	return true;
}

/* The path of the URL, "/" if it has none. */
static struct str url_path(const char *url)
{
	struct str host = http_url_host(url);
	const char *p = host.p + host.n;
	size_t n = strcspn(p, "?#");

	return n ? (struct str){ p, n } : STR("/");
}

int aws_send(struct aws_session *s, const struct aws_message *m, struct http_response *ret,
	     struct err *err)
{
	AUTO(buf) struct buf auth = BUF_INIT;
	struct str host = http_url_host(m->url);
	char date[17];
	auto_free char *type_line = xasprintf("Content-Type: %s", m->content_type);
	auto_free char *target_line = m->target ? xasprintf("X-Amz-Target: %s", m->target) : NULL;
	auto_free char *date_line = NULL;
	auto_free char *token_line = NULL;
	struct sigv4_header headers[3] = {
		{ STR("host"), host },
		{ STR("content-type"), str_from(m->content_type) },
		{ STR("x-amz-target"), str_from(m->target) },
	};
	struct sigv4 sig = {
		.region = m->region,
		.service = m->service,
		.method = "POST",
		.path = url_path(m->url),
		.unix_time = clock_unix() + s->skew,
		.body = m->body,
		.headers = headers,
		.nheaders = m->target ? 3 : 2,
	};
	const char *lines[6] = { type_line };
	size_t n = 1;
	struct http_request req = {
		.method = "POST",
		.url = m->url,
		.headers = lines,
		.body = m->body,
		.fresh = m->fresh,
		.cancel = m->cancel,
		.deadline_ms = m->deadline_ms,
	};

	if (m->target)
		lines[n++] = target_line;
	if (m->creds) {
		sig.access_key = m->creds->access_key;
		sig.secret_key = m->creds->secret_key;
		sig.token = m->creds->token;
		sigv4_date(sig.unix_time, date);
		buf_adds(&auth, "Authorization: ");
		sigv4_sign(&sig, &auth);
		lines[n++] = buf_cstr(&auth);
		lines[n++] = date_line = xasprintf("X-Amz-Date: %s", date);
		if (sig.token)
			lines[n++] = token_line = xasprintf("X-Amz-Security-Token: %s", sig.token);
	}
	if (http_do(s->http, &req, ret, err) < 0)
		return -1;
	s->connected = true;
	return 0;
}
