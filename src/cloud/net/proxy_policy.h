/* Which hosts the forward proxy lets instances reach, and by which way. */
#ifndef INGOT_CLOUD_NET_PROXY_POLICY_H
#define INGOT_CLOUD_NET_PROXY_POLICY_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "cloud/backend.h"

struct proxy_policy;

/* Reads what the host is configured with. */
struct proxy_policy *proxy_policy_new(enum net_policy net);
void proxy_policy_free(struct proxy_policy *p);

/* By name; a host that passes may still be refused when it is connected to. */
bool proxy_policy_allows(const struct proxy_policy *p, const char *host, uint16_t port);
/* The answer's text for a refused host, with the flag that would allow it. */
void proxy_policy_explain(const struct proxy_policy *p, const char *host, struct buf *out);

/* The host's own proxy for this destination, NULL: connect directly. */
struct upstream {
	char *host;
	uint16_t port;
	char *authorization; /* "Basic …" or NULL */
};
const struct upstream *proxy_policy_upstream(const struct proxy_policy *p, bool https,
					     const char *host);

/* Resolves and connects on the host's side. ERR_AUTH: the address is the host itself or link-local.
 * Unless `checked` is false, as for the host's own proxy. */
int proxy_policy_connect(const struct proxy_policy *p, const char *host, uint16_t port,
			 bool checked, int *ret_fd, struct err *err) MUST_USE;

/* Adds the host of each URI that apt reads from such a file ("deb http://…", "URIs: …"). Exposed
 * for tests. */
void proxy_policy_add_sources(struct proxy_policy *p, struct str text);
/* "host", "host:port", "[::1]:port"; the port stays when there is none. Caller frees the host. */
bool proxy_split_host(struct str text, char **ret_host, uint16_t *port);

#endif
