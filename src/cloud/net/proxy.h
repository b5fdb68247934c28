/* The forward proxy that instances reach at http://169.254.169.254:3128: HTTP requests and CONNECT.
 *
 * Names are resolved and connections made on the host's side, through the host's own proxy where
 * its environment names one (http_proxy, https_proxy, no_proxy). What the policy refuses gets 403
 * with a text that names the flag. Nothing leads to the host itself: loopback and link-local
 * addresses are refused, package mirrors that the host's own configuration names there aside.
 */
#ifndef INGOT_CLOUD_NET_PROXY_H
#define INGOT_CLOUD_NET_PROXY_H

#include "base/base.h"
#include "base/err.h"
#include "cloud/backend.h"

struct proxy;
struct relay;

#define PROXY_PORT 3128

/* refused(data, host) is called for each refused request, on a thread of the proxy. */
struct proxy_client {
	const void *owner; /* of its connections, for proxy_forget and the relay */
	void (*refused)(void *data, const char *host);
	void *data;
};

struct proxy *proxy_new(enum net_policy policy, struct relay *r);
void proxy_free(struct proxy *p); /* no client may be left; NULL is fine */
/* Serves one connection (taken over) on a thread of its own. */
void proxy_serve(struct proxy *p, const struct proxy_client *c, int fd);
/* Ends the connections of an owner and waits until nothing of them calls him. */
void proxy_forget(struct proxy *p, const void *owner);

#endif
