/* The daemon's HTTP front: loopback, one thread for each connection (a call that is late or makes a
 * key keeps nobody else waiting), bodies up to HTTP_BODY_MAX, keep-alive.
 */
#ifndef INGOT_CLOUD_API_HTTP_H
#define INGOT_CLOUD_API_HTTP_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "cloud/api/signature.h"

#define HTTP_BODY_MAX ((size_t)16 << 20)

struct http_reply {
	int status;
	struct buf body;
	const char *content_type; /* a constant */
	struct {
		const char *name; /* a constant */
		char value[128];
	} headers[4];
	size_t nheaders;
	bool cut; /* close the connection without an answer */
};

/* peer: what was given to http_serve_fd for this connection, else 0. Runs on the connection's
 * thread. */
typedef void http_handler(void *data, const struct http_request *r, uint32_t peer,
			  struct http_reply *reply);

struct http_server;

/* Listens on address:port; port 0 takes any. address NULL: no listener, connections come by
 * http_serve_fd(). Errors: ERR_EXISTS when the port is taken. */
int http_start(const char *address, uint16_t port, http_handler *fn, void *data,
	       struct http_server **ret, struct err *err) MUST_USE;
uint16_t http_port(const struct http_server *s);
/* Serves a connected socket and closes it at the end, also on error. */
int http_serve_fd(struct http_server *s, int fd, uint32_t peer, struct err *err);
void http_stop(struct http_server *s); /* NULL is fine */

#endif
