/* Asks AWS's address service which address this machine comes from. */
#include "aws/address.h"

#include "aws/session_impl.h"
#include "base/clock.h"

#include <arpa/inet.h>

#define SERVICE "https://checkip.amazonaws.com/"
#define LIMIT_MS 3000

int aws_public_address(const struct aws_client *c, const char **ret_cidr, struct err *err)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	AUTO(aws_endpoint) struct aws_endpoint ep = { 0 };
	struct http_request req = {
		.method = "GET",
		.url = SERVICE,
		.connect_ms = LIMIT_MS,
		.total_ms = LIMIT_MS,
		.cancel = c->cancel,
		.deadline_ms = clock_ms() + LIMIT_MS,
	};
	struct in6_addr v6;
	struct in_addr v4;
	const char *text;
	struct str t;

	if (aws_endpoint_find(c->session, "ec2", c->region, &ep, err) < 0)
		return -1;
	if (ep.custom || http_is_loopback(ep.url)) {
		*ret_cidr = "127.0.0.1/32";
		return 0;
	}
	if (http_do(c->session->http, &req, &r, err) < 0)
		return err_prefix(err, "asking " SERVICE " for this machine's public address");
	t = str_trim(buf_str(&r.body));
	text = arena_strndup(c->arena, t.p ? t.p : "", t.n);
	if (r.status == 200 && inet_pton(AF_INET, text, &v4) == 1)
		*ret_cidr = arena_printf(c->arena, "%s/32", text);
	else if (r.status == 200 && inet_pton(AF_INET6, text, &v6) == 1)
		*ret_cidr = arena_printf(c->arena, "%s/128", text);
	else
		return err_set(err, ERR_REMOTE, SERVICE " answered with status %d and no address",
			       r.status);
	return 0;
}
