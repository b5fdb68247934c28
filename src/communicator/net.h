/* TCP connections that obey a deadline and a cancel flag at every moment, also while a name is
 * looked up. */
#ifndef INGOT_COMMUNICATOR_NET_H
#define INGOT_COMMUNICATOR_NET_H

#include "base/cancel.h"
#include "base/err.h"

struct net_proxy {
	const char *host; /* "HOST", "socks5://HOST" or "http://HOST" */
	int64_t port;
	const char *user, *password; /* NULL: none */
};

/* A connected socket (not blocking, no delay) or -1. All addresses of the name are tried in turn.
 * deadline: clock_ms. Errors: ERR_AGAIN (refused, no route, no answer within the deadline: a later
 * try may pass) with errno in os, ERR_NOT_FOUND (the name is not known), ERR_CANCELLED. */
int net_dial(const char *host, int64_t port, int64_t deadline, const struct cancel *c,
	     struct err *err) MUST_USE;
/* The same through a proxy. Further errors: ERR_AUTH (the proxy refuses the user), ERR_AGAIN (it
 * cannot reach the host), ERR_REMOTE (it speaks another language). */
int net_dial_proxy(const struct net_proxy *p, const char *host, int64_t port, int64_t deadline,
		   const struct cancel *c, struct err *err) MUST_USE;

#endif
