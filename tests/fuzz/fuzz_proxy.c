/* The local cloud's proxy between an instance and a server, neither of which is trusted: the first
 * byte says whose bytes follow. Nothing leaves; what it would pass on stays in a socket. */
#include "cloud/net/proxy.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void refused(void *data, const char *host)
{
	if (!*host)
		abort();
	*(bool *)data = true;
}

/* A socket with the bytes and their end to read; its peer takes what is answered, until its buffer
 * is full of small pieces. */
static int speak(struct reader *r, const uint8_t *data, size_t n, int *ret_peer)
{
	const struct timeval patience = { .tv_usec = 10000 };
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 ||
	    setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		abort();
	if (n && send(fds[1], data, n, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)n)
		n = 0;
	shutdown(fds[1], SHUT_WR);
	r->fd = fds[0];
	r->at = r->n = 0;
	*ret_peer = fds[1];
	return n ? 0 : -1;
}

static void serve_request(struct client *c, const uint8_t *data, size_t n)
{
	char answer[64];
	int peer;

	if (speak(&c->in, data, n, &peer) == 0) {
		serve_one(c);
		ssize_t got = recv(peer, answer, sizeof(answer), MSG_DONTWAIT);

		if (got > 0 && memcmp(answer, "HTTP/1.1 4", 10) != 0)
			abort(); /* all is refused here */
	}
	fd_close(&c->in.fd);
	close(peer);
}

static void pass(struct client *c, const uint8_t *data, size_t n, const char *method)
{
	struct request q = { .method = str_from(method) };
	bool keep, silent;
	int from, to;

	if (speak(&c->out, data, n, &from) == 0 && speak(&c->in, data, 1, &to) == 0) {
		if (pass_response(c, &q, &keep, &silent) == 0 && keep && !c->out.n)
			abort();
		fd_close(&c->in.fd);
		close(to);
	}
	fd_close(&c->out.fd);
	close(from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct proxy proxy = { .lock = PTHREAD_MUTEX_INITIALIZER,
				      .changed = PTHREAD_COND_INITIALIZER };
	static struct client c = { .proxy = &proxy, .in = { .fd = -1 }, .out = { .fd = -1 } };
	static bool asked;

	if (!proxy.policy)
		proxy.policy = proxy_policy_new(NET_NONE);
	c.of = (struct proxy_client){ .refused = refused, .data = &asked };
	if (n < 2 || n > 30000)
		return 0;
	if (data[0] % 3 == 0)
		serve_request(&c, data + 1, n - 1);
	else
		pass(&c, data + 1, n - 1, data[0] % 3 == 1 ? "GET" : "HEAD");
	return 0;
}
