/* The forward proxy: a thread for each connection of an instance reads requests and passes them on;
 * tunnels (CONNECT) are given to the relay once they stand.
 */
#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "base/vec.h"
#include "cloud/net/proxy.h"
#include "cloud/net/proxy_policy.h"
#include "cloud/net/relay.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define HEAD_MAX 32768
#define CHUNK_MAX ((uint64_t)1 << 60)
#define IDLE_SECONDS 300
#define STACK_SIZE (512 * 1024)

/* Bytes read ahead of a socket. */
struct reader {
	int fd;
	size_t at, n;
	char bytes[HEAD_MAX];
};

struct client {
	struct proxy *proxy;
	struct proxy_client of;
	struct reader in;  /* the instance */
	struct reader out; /* the server or upstream proxy; fd -1: none */
	char *out_host;	   /* what `out` is connected to */
	uint16_t out_port;
	bool forgotten, calling;
};

struct proxy {
	struct proxy_policy *policy;
	struct relay *relay;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	VEC(struct client *) clients;
};

/* One message head, taken apart in place. */
struct head {
	struct str first;  /* request or status line */
	struct str fields; /* all lines after it */
	bool chunked, has_length, close, keep;
	uint64_t length;
};

/* Reading */

static ssize_t fill(struct reader *r)
{
	ssize_t n;

	if (r->at == r->n)
		r->at = r->n = 0;
	if (r->n == sizeof(r->bytes))
		return -1;
	do
		n = recv(r->fd, r->bytes + r->n, sizeof(r->bytes) - r->n, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		r->n += (size_t)n;
	return n;
}

static int send_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t w = send(fd, at, n, MSG_NOSIGNAL);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -1;
		at += w;
		n -= (size_t)w;
	}
	return 0;
}

static void parse_field(struct head *h, struct str name, struct str value)
{
	if (str_ieqs(name, "content-length"))
		h->has_length = parse_u64(value, &h->length);
	else if (str_ieqs(name, "transfer-encoding"))
		h->chunked = str_ends(value, "chunked");
	else if (str_ieqs(name, "connection") || str_ieqs(name, "proxy-connection")) {
		h->close |= str_ieqs(value, "close");
		h->keep |= str_ieqs(value, "keep-alive");
	}
}

static bool take_field(struct str *rest, struct str *ret_line, struct str *ret_name,
		       struct str *ret_value)
{
	if (!str_split(rest, '\n', ret_line) || ret_line->n < 2)
		return false;
	*ret_value = *ret_line;
	if (!str_split(ret_value, ':', ret_name))
		return false;
	*ret_value = str_trim(*ret_value);
	return true;
}

/* 1, 0 at the end of the stream before a byte of it, -1 malformed or broken off. */
static int read_head(struct reader *r, struct head *h)
{
	struct str rest, line, name, value, all;
	ptrdiff_t end;

	for (;;) {
		ssize_t n;

		end = str_find((struct str){ r->bytes + r->at, r->n - r->at }, STR("\r\n\r\n"));
		if (end >= 0)
			break;
		if (r->at) {
			memmove(r->bytes, r->bytes + r->at, r->n - r->at);
			r->n -= r->at;
			r->at = 0;
		}
		n = fill(r);
		if (n <= 0)
			return n == 0 && r->n == 0 ? 0 : -1;
	}
	all = (struct str){ r->bytes + r->at, (size_t)end + 2 };
	r->at += (size_t)end + 4;
	*h = (struct head){ .first = { NULL, 0 } };
	rest = all;
	if (!str_split(&rest, '\n', &line))
		return -1;
	h->first = str_trim(line);
	h->fields = rest;
	while (take_field(&rest, &line, &name, &value))
		parse_field(h, name, value);
	return 1;
}

/* Fields that are of one connection only. */
static bool is_hop(struct str name)
{
	static const char *const hop[] = {
		"connection",	      "proxy-connection", "keep-alive", "proxy-authorization",
		"proxy-authenticate", "te",		  "trailer",	"upgrade",
	};

	for (size_t i = 0; i < ARRAY_LEN(hop); i++)
		if (str_ieqs(name, hop[i]))
			return true;
	return false;
}

static void copy_fields(const struct head *h, struct buf *out)
{
	struct str rest = h->fields, line, name, value;

	while (take_field(&rest, &line, &name, &value))
		if (!is_hop(name))
			buf_printf(out, STR_FMT ": " STR_FMT "\r\n", STR_ARG(name), STR_ARG(value));
}

/* Passing bodies on */

static int pass_bytes(struct reader *from, int to, uint64_t n)
{
	while (n) {
		size_t have = from->n - from->at, part = MIN((uint64_t)have, n);

		if (have == 0) {
			if (fill(from) <= 0)
				return -1;
			continue;
		}
		if (send_all(to, from->bytes + from->at, part) < 0)
			return -1;
		from->at += part;
		n -= part;
	}
	return 0;
}

static int pass_line(struct reader *from, int to, struct buf *ret)
{
	buf_reset(ret);
	for (;;) {
		if (from->at == from->n && fill(from) <= 0)
			return -1;
		buf_addc(ret, from->bytes[from->at]);
		if (ret->n > 8192)
			return -1;
		if (from->bytes[from->at++] == '\n')
			return send_all(to, ret->p, ret->n);
	}
}

static int pass_chunked(struct reader *from, int to)
{
	AUTO(buf) struct buf line = BUF_INIT;

	for (;;) {
		unsigned long long n;

		if (pass_line(from, to, &line) < 0 || !isxdigit((unsigned char)*buf_cstr(&line)) ||
		    sscanf(buf_cstr(&line), "%llx", &n) != 1 || n > CHUNK_MAX)
			return -1;
		if (n == 0)
			break;
		if (pass_bytes(from, to, (uint64_t)n + 2) < 0)
			return -1;
	}
	do
		if (pass_line(from, to, &line) < 0)
			return -1;
	while (line.n > 2); /* trailers */
	return 0;
}

static int pass_to_end(struct reader *from, int to)
{
	for (;;) {
		ssize_t n;

		if (send_all(to, from->bytes + from->at, from->n - from->at) < 0)
			return -1;
		from->at = from->n;
		n = fill(from);
		if (n <= 0)
			return (int)n;
	}
}

/* Answers of its own */

static void answer(struct client *c, const char *status, struct str text)
{
	AUTO(buf) struct buf b = BUF_INIT;

	buf_printf(&b,
		   "HTTP/1.1 %s\r\n"
		   "Content-Type: text/plain\r\n"
		   "Content-Length: %zu\r\n"
		   "Connection: close\r\n\r\n",
		   status, text.n);
	buf_add_str(&b, text);
	send_all(c->in.fd, b.p, b.n);
}

static void answer_error(struct client *c, const char *status, const struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;

	buf_printf(&b, "ingot's local cloud: %s\n", err->msg);
	answer(c, status, buf_str(&b));
}

static void refuse(struct client *c, const char *host)
{
	AUTO(buf) struct buf b = BUF_INIT;
	bool call;

	proxy_policy_explain(c->proxy->policy, host, &b);
	answer(c, "403 Forbidden", buf_str(&b));
	pthread_mutex_lock(&c->proxy->lock);
	call = c->calling = !c->forgotten;
	pthread_mutex_unlock(&c->proxy->lock);
	if (call)
		c->of.refused(c->of.data, host);
	pthread_mutex_lock(&c->proxy->lock);
	c->calling = false;
	pthread_cond_broadcast(&c->proxy->changed);
	pthread_mutex_unlock(&c->proxy->lock);
}

/* The other side */

static void limit_idle(int fd)
{
	struct timeval t = { .tv_sec = IDLE_SECONDS };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

static void hang_up(struct client *c)
{
	pthread_mutex_lock(&c->proxy->lock);
	fd_close(&c->out.fd);
	pthread_mutex_unlock(&c->proxy->lock);
	c->out.at = c->out.n = 0;
	free(c->out_host);
	c->out_host = NULL;
}

static int call(struct client *c, const char *host, uint16_t port, bool checked, struct err *err)
{
	int fd;

	hang_up(c);
	if (proxy_policy_connect(c->proxy->policy, host, port, checked, &fd, err) < 0)
		return -1;
	limit_idle(fd);
	pthread_mutex_lock(&c->proxy->lock);
	c->out.fd = fd;
	if (c->forgotten)
		shutdown(fd, SHUT_RDWR);
	pthread_mutex_unlock(&c->proxy->lock);
	c->out_host = xstrdup(host);
	c->out_port = port;
	return 0;
}

/* CONNECT host:port. True: the connection went on to the relay. */
static bool open_tunnel(struct client *c, struct str target)
{
	static const char ok[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	AUTO(err) struct err err = ERR_INIT;
	const struct upstream *up;
	auto_free char *host = NULL;
	uint16_t port = 443;
	struct head h;

	if (!proxy_split_host(target, &host, &port)) {
		answer(c, "400 Bad Request", STR("CONNECT wants HOST:PORT\n"));
		return false;
	}
	if (!proxy_policy_allows(c->proxy->policy, host, port)) {
		refuse(c, host);
		return false;
	}
	up = proxy_policy_upstream(c->proxy->policy, true, host);
	if (call(c, up ? up->host : host, up ? up->port : port, !up, &err) < 0) {
		if (err.code == ERR_AUTH)
			refuse(c, host);
		else
			answer_error(c, "502 Bad Gateway", &err);
		return false;
	}
	if (up) {
		AUTO(buf) struct buf b = BUF_INIT;

		buf_printf(&b, "CONNECT %s:%u HTTP/1.1\r\nHost: %s:%u\r\n", host, port, host, port);
		if (up->authorization)
			buf_printf(&b, "Proxy-Authorization: %s\r\n", up->authorization);
		buf_adds(&b, "\r\n");
		if (send_all(c->out.fd, b.p, b.n) < 0 || read_head(&c->out, &h) <= 0 ||
		    !(str_starts(h.first, "HTTP/1.1 200") || str_starts(h.first, "HTTP/1.0 200"))) {
			answer(c, "502 Bad Gateway",
			       STR("the host's own proxy did not open the tunnel\n"));
			return false;
		}
	}
	if (send_all(c->in.fd, ok, sizeof(ok) - 1) < 0 ||
	    send_all(c->out.fd, c->in.bytes + c->in.at, c->in.n - c->in.at) < 0 ||
	    send_all(c->in.fd, c->out.bytes + c->out.at, c->out.n - c->out.at) < 0)
		return false;
	pthread_mutex_lock(&c->proxy->lock);
	if (!c->forgotten)
		relay_join(c->proxy->relay, c->of.owner, steal_fd(c->in.fd), steal_fd(c->out.fd));
	pthread_mutex_unlock(&c->proxy->lock);
	return true;
}

/* "GET http://host/path HTTP/1.1" */
struct request {
	struct str method, path;
	char *host;
	uint16_t port;
};

static bool parse_request(struct str line, struct str *ret_method, struct str *ret_target)
{
	struct str rest = line;

	return str_split(&rest, ' ', ret_method) && str_split(&rest, ' ', ret_target) &&
	       str_starts(rest, "HTTP/1.");
}

static bool parse_target(struct str target, struct request *q)
{
	struct str authority;
	size_t n = 0;

	if (!str_starts(target, "http://"))
		return false;
	target = str_slice(target, 7, target.n);
	while (n < target.n && target.p[n] != '/' && target.p[n] != '?')
		n++;
	authority = str_slice(target, 0, n);
	q->path = str_slice(target, n, target.n);
	q->port = 80;
	return proxy_split_host(authority, &q->host, &q->port);
}

static int send_request(struct client *c, const struct request *q, const struct head *h,
			const struct upstream *up)
{
	AUTO(buf) struct buf b = BUF_INIT;
	const char *slash = q->path.n && q->path.p[0] == '/' ? "" : "/";

	buf_printf(&b, STR_FMT " ", STR_ARG(q->method));
	if (up)
		buf_printf(&b, "http://%s:%u", q->host, q->port);
	buf_printf(&b, "%s" STR_FMT " HTTP/1.1\r\n", slash, STR_ARG(q->path));
	copy_fields(h, &b);
	if (up && up->authorization)
		buf_printf(&b, "Proxy-Authorization: %s\r\n", up->authorization);
	buf_adds(&b, "Connection: keep-alive\r\n\r\n");
	return send_all(c->out.fd, b.p, b.n);
}

static int pass_body(struct reader *from, int to, const struct head *h)
{
	if (h->chunked)
		return pass_chunked(from, to);
	return h->has_length ? pass_bytes(from, to, h->length) : 0;
}

/* Passes the response on. ret_keep: both connections can go on. -1: they cannot; *ret_silent says
 * that the server closed before a byte came, so that an old connection may be tried anew. */
static int pass_response(struct client *c, const struct request *q, bool *ret_keep,
			 bool *ret_silent)
{
	AUTO(buf) struct buf b = BUF_INIT;
	int status, got;
	struct head h;
	bool bare;

	*ret_keep = false;
	do {
		got = read_head(&c->out, &h);
		*ret_silent = got == 0;
		if (got <= 0 || h.first.n < 12 || !str_starts(h.first, "HTTP/1."))
			return -1;
		status = (h.first.p[9] - '0') * 100 + (h.first.p[10] - '0') * 10 +
			 (h.first.p[11] - '0');
		bare = str_eqs(q->method, "HEAD") || status == 204 || status == 304 ||
		       (status >= 100 && status < 200);
		*ret_keep = (bare || h.chunked || h.has_length) && !h.close &&
			    (str_starts(h.first, "HTTP/1.1") || h.keep);
		buf_reset(&b);
		buf_printf(&b, STR_FMT "\r\n", STR_ARG(h.first));
		copy_fields(&h, &b);
		buf_printf(&b, "%s\r\n",
			   status < 200 ? ""
			   : *ret_keep	? "Connection: keep-alive\r\n"
					: "Connection: close\r\n");
		if (send_all(c->in.fd, b.p, b.n) < 0)
			return -1;
	} while (status >= 100 && status < 200 && status != 101);
	if (bare)
		return 0;
	return h.chunked || h.has_length ? pass_body(&c->out, c->in.fd, &h)
					 : pass_to_end(&c->out, c->in.fd);
}

/* One request that is not CONNECT. True: the client's connection can go on. */
static bool forward(struct client *c, struct request *q, const struct head *h)
{
	const struct upstream *up = proxy_policy_upstream(c->proxy->policy, false, q->host);
	const char *host = up ? up->host : q->host;
	uint16_t port = up ? up->port : q->port;
	bool keep = false, silent = false, reused,
	     has_body = h->chunked || (h->has_length && h->length);

	for (;;) {
		AUTO(err) struct err err = ERR_INIT;

		reused = c->out.fd >= 0 && c->out_port == port && streq(c->out_host, host);
		if (!reused && call(c, host, port, !up, &err) < 0) {
			if (err.code == ERR_AUTH)
				refuse(c, q->host);
			else
				answer_error(c, "502 Bad Gateway", &err);
			return false;
		}
		if (send_request(c, q, h, up) == 0 && pass_body(&c->in, c->out.fd, h) == 0 &&
		    pass_response(c, q, &keep, &silent) == 0)
			break;
		hang_up(c);
		/* A kept connection may have ended meanwhile; a request without a body is simply
		 * sent again. */
		if (!reused || !silent || has_body)
			return false;
	}
	if (!keep)
		hang_up(c);
	return keep && !h->close;
}

/* False: the connection is at its end. */
static bool serve_one(struct client *c)
{
	struct request q = { .host = NULL };
	auto_free char *copy = NULL;
	auto_free char *host = NULL;
	struct str target;
	struct head h;

	if (read_head(&c->in, &h) <= 0)
		return false;
	if (!parse_request(h.first, &q.method, &target)) {
		answer(c, "400 Bad Request", STR("this is an HTTP/1.1 proxy\n"));
		return false;
	}
	if (str_eqs(q.method, "CONNECT")) {
		open_tunnel(c, target);
		return false;
	}
	if (!parse_target(target, &q)) {
		answer(c, "400 Bad Request",
		       STR("this is a proxy: ask it for a whole http:// address\n"));
		return false;
	}
	host = q.host;
	if (!proxy_policy_allows(c->proxy->policy, q.host, q.port)) {
		refuse(c, q.host);
		return false;
	}
	/* Reading the body moves what the head points to. */
	copy = xmalloc(h.first.n + h.fields.n + 1);
	memcpy(copy, h.first.p, h.first.n);
	memcpy(copy + h.first.n, h.fields.p, h.fields.n);
	q.method.p = copy;
	q.path.p = copy + (q.path.p - h.first.p);
	h.fields.p = copy + h.first.n;
	h.first.p = copy;
	return forward(c, &q, &h);
}

static void client_free(struct client *c)
{
	struct proxy *p = c->proxy;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->clients.n; i++) {
		if (p->clients.v[i] == c) {
			vec_remove(&p->clients, i);
			break;
		}
	}
	fd_close(&c->in.fd);
	fd_close(&c->out.fd);
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	free(c->out_host);
	free(c);
}

static void *serve(void *data)
{
	struct client *c = data;

	while (serve_one(c))
		;
	if (c->in.fd >= 0)
		shutdown(c->in.fd, SHUT_WR);
	client_free(c);
	return NULL;
}

void proxy_serve(struct proxy *p, const struct proxy_client *of, int fd)
{
	struct client *c = xcalloc(1, sizeof(*c));
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	c->proxy = p;
	c->of = *of;
	c->in.fd = fd;
	c->out.fd = -1;
	fcntl(fd, F_SETFL, 0);
	limit_idle(fd);
	pthread_mutex_lock(&p->lock);
	vec_push(&p->clients, c);
	pthread_mutex_unlock(&p->lock);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ret = pthread_create(&thread, &attr, serve, c);
	pthread_attr_destroy(&attr);
	if (ret != 0) {
		log_line("local cloud: no thread for the proxy");
		client_free(c);
	}
}

static void forget_one(struct client *c)
{
	c->forgotten = true;
	if (c->in.fd >= 0)
		shutdown(c->in.fd, SHUT_RDWR);
	if (c->out.fd >= 0)
		shutdown(c->out.fd, SHUT_RDWR);
}

void proxy_forget(struct proxy *p, const void *owner)
{
	bool calling;

	pthread_mutex_lock(&p->lock);
	do {
		calling = false;
		for (size_t i = 0; i < p->clients.n; i++) {
			if (p->clients.v[i]->of.owner != owner)
				continue;
			forget_one(p->clients.v[i]);
			calling |= p->clients.v[i]->calling;
		}
		if (calling)
			pthread_cond_wait(&p->changed, &p->lock);
	} while (calling);
	pthread_mutex_unlock(&p->lock);
}

struct proxy *proxy_new(enum net_policy policy, struct relay *r)
{
	struct proxy *p = xcalloc(1, sizeof(*p));

	p->policy = proxy_policy_new(policy);
	p->relay = r;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	return p;
}

void proxy_free(struct proxy *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->clients.n; i++)
		forget_one(p->clients.v[i]);
	while (p->clients.n)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
	vec_release(&p->clients);
	proxy_policy_free(p->policy);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
