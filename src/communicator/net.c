/* Connecting: name lookup on a thread that can be left behind, non-blocking connect, proxies. */
#include "communicator/net.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define LOOKUP_STACK ((size_t)256 * 1024)
#define PROXY_REPLY_MAX 8192

/* Waits for events on fd: 0 ready, -1 with ERR_TIMEOUT or ERR_CANCELLED. */
static int net_wait(int fd, short events, int64_t deadline, const struct cancel *c, struct err *err)
{
	struct pollfd p[2] = { { .fd = fd, .events = events },
			       { .fd = c ? cancel_fd(c) : -1, .events = POLLIN } };
	for (;;) {
		int n = poll(p, 2, clock_left(deadline));
		if (n < 0 && errno != EINTR)
			return err_errno(err, errno, "poll");
		if (n > 0 && p[1].revents)
			return err_set(err, ERR_CANCELLED, "cancelled");
		if (n > 0 && p[0].revents)
			return 0;
		if (n >= 0 && clock_ms() >= deadline)
			return err_set(err, ERR_TIMEOUT, "no answer in time");
	}
}

/* getaddrinfo cannot be interrupted, so it runs on a thread; whoever drops the last reference
 * frees. */
struct lookup {
	atomic_int refs;
	int done_fd;
	atomic_int status; /* written last: who sees it may read `found` */
	char *host, *port;
	struct addrinfo *found;
};

static void lookup_unref(struct lookup *l)
{
	if (!l || atomic_fetch_sub(&l->refs, 1) > 1)
		return;
	if (l->found)
		freeaddrinfo(l->found);
	fd_close(&l->done_fd);
	free(l->host);
	free(l->port);
	free(l);
}
DEFINE_AUTO_PTR(lookup, struct lookup *, lookup_unref);

static const struct addrinfo lookup_hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };

static void *lookup_thread(void *data)
{
	struct lookup *l = data;
	atomic_store(&l->status, getaddrinfo(l->host, l->port, &lookup_hints, &l->found));
	eventfd_write(l->done_fd, 1);
	lookup_unref(l);
	return NULL;
}

static int lookup_start(struct lookup *l)
{
	pthread_attr_t attr;
	pthread_t t;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, LOOKUP_STACK);
	atomic_fetch_add(&l->refs, 1);
	int e = pthread_create(&t, &attr, lookup_thread, l);
	pthread_attr_destroy(&attr);
	if (e)
		atomic_fetch_sub(&l->refs, 1);
	return e;
}

static int lookup_run(struct lookup *l, int64_t deadline, const struct cancel *c, struct err *err)
{
	struct addrinfo numeric = lookup_hints;
	numeric.ai_flags = AI_NUMERICHOST;
	if (getaddrinfo(l->host, l->port, &numeric, &l->found) == 0)
		return 0;
	int e = lookup_start(l);
	if (e)
		return err_errno(err, e, "starting a thread to look up %s", l->host);
	if (net_wait(l->done_fd, POLLIN, deadline, c, err) < 0)
		return err_prefix(err, "looking up %s", l->host);
	int status = atomic_load(&l->status);
	if (status == 0)
		return 0;
	return err_set(err, status == EAI_AGAIN ? ERR_AGAIN : ERR_NOT_FOUND,
		       "the name %s cannot be looked up: %s", l->host, gai_strerror(status));
}

static int dial_address(const struct addrinfo *ai, const char *host, int64_t port, int64_t deadline,
			const struct cancel *c, struct err *err)
{
	auto_fd int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
				ai->ai_protocol);
	int one = 1, problem = 0;
	socklen_t len = sizeof(problem);
	if (fd < 0)
		return err_errno(err, errno, "socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0 && errno != EINPROGRESS)
		problem = errno;
	else if (net_wait(fd, POLLOUT, deadline, c, err) < 0)
		problem = err->code == ERR_TIMEOUT ? ETIMEDOUT : -1;
	else
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &len);
	if (problem < 0)
		return -1;
	if (problem) {
		err_release(err);
		err_errno(err, problem, "TCP connection to %s port %lld", host, (long long)port);
		err->code = ERR_AGAIN;
		return -1;
	}
	return steal_fd(fd);
}

int net_dial(const char *host, int64_t port, int64_t deadline, const struct cancel *c,
	     struct err *err)
{
	AUTO(lookup) struct lookup *l = xcalloc(1, sizeof(*l));
	atomic_init(&l->refs, 1);
	l->host = xstrdup(host);
	l->port = xasprintf("%lld", (long long)port);
	l->done_fd = eventfd(0, EFD_CLOEXEC);
	if (l->done_fd < 0)
		return err_errno(err, errno, "eventfd");
	if (lookup_run(l, deadline, c, err) < 0)
		return -1;
	for (const struct addrinfo *ai = l->found; ai; ai = ai->ai_next) {
		/* Each address but the last gets its share of the time left. */
		int64_t now = clock_ms(), until = deadline;
		if (ai->ai_next && deadline != CLOCK_NEVER)
			until = now + MAX((deadline - now) / 2, 1);
		err_release(err);
		int fd = dial_address(ai, host, port, until, c, err);
		if (fd >= 0 || err->code == ERR_CANCELLED)
			return fd;
	}
	return -1;
}

static int read_exactly(int fd, void *p, size_t n, int64_t deadline, const struct cancel *c,
			struct err *err)
{
	for (size_t done = 0; done < n;) {
		if (net_wait(fd, POLLIN, deadline, c, err) < 0)
			return -1;
		ssize_t got = recv(fd, (char *)p + done, n - done, 0);
		if (got == 0)
			return err_set(err, ERR_AGAIN, "it closed the connection");
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return err_errno(err, errno, "reading from it");
		done += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static int send_exactly(int fd, const void *p, size_t n, int64_t deadline, const struct cancel *c,
			struct err *err)
{
	for (size_t done = 0; done < n;) {
		if (net_wait(fd, POLLOUT, deadline, c, err) < 0)
			return -1;
		ssize_t put = send(fd, (const char *)p + done, n - done, MSG_NOSIGNAL);
		if (put < 0 && errno != EAGAIN && errno != EINTR)
			return err_errno(err, errno, "writing to it");
		done += put > 0 ? (size_t)put : 0;
	}
	return 0;
}

/* RFC 1929. */
static int socks_login(int fd, const struct net_proxy *p, int64_t deadline, const struct cancel *c,
		       struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;
	uint8_t reply[2];
	size_t user = MIN(strlen(p->user), (size_t)255),
	       pass = p->password ? MIN(strlen(p->password), (size_t)255) : 0;
	buf_addc(&b, 1);
	buf_addc(&b, (char)user);
	buf_add(&b, p->user, user);
	buf_addc(&b, (char)pass);
	buf_add(&b, p->password, pass);
	int failed = send_exactly(fd, b.p, b.n, deadline, c, err) < 0 ||
		     read_exactly(fd, reply, 2, deadline, c, err) < 0;
	explicit_bzero(b.p, b.n);
	if (failed)
		return -1;
	return reply[1] == 0 ? 0 : err_set(err, ERR_AUTH, "it refuses the user %s", p->user);
}

/* RFC 1928: the host goes as a name, so that the proxy looks it up. */
static int socks_connect(int fd, const struct net_proxy *p, const char *host, int64_t port,
			 int64_t deadline, const struct cancel *c, struct err *err)
{
	static const char *const reasons[] = {
		"",
		"a general failure",
		"its rules forbid it",
		"the network is unreachable",
		"the host is unreachable",
		"the connection was refused",
		"the time ran out",
		"it does not know the command",
		"it does not know that kind of address",
	};
	uint8_t hello[] = { 5, 2, 0, 2 }, r[256 + 2];
	AUTO(buf) struct buf b = BUF_INIT;
	if (!p->user)
		hello[1] = 1;
	if (send_exactly(fd, hello, p->user ? 4 : 3, deadline, c, err) < 0 ||
	    read_exactly(fd, r, 2, deadline, c, err) < 0)
		return -1;
	if (r[0] != 5)
		return err_set(err, ERR_REMOTE, "it does not speak SOCKS5");
	if (r[1] == 2 && p->user ? socks_login(fd, p, deadline, c, err) < 0 : r[1] != 0)
		return err_any(err)
			       ? -1
			       : err_set(err, ERR_AUTH, "it wants a login that is not configured");

	size_t n = strlen(host);
	if (n > 255)
		return err_set(err, ERR_INVALID, "the name %s is too long for it", host);
	buf_add(&b, "\5\1\0\3", 4);
	buf_addc(&b, (char)n);
	buf_add(&b, host, n);
	buf_addc(&b, (char)(port >> 8));
	buf_addc(&b, (char)(port & 255));
	if (send_exactly(fd, b.p, b.n, deadline, c, err) < 0 ||
	    read_exactly(fd, r, 5, deadline, c, err) < 0)
		return -1;
	if (r[1] != 0)
		return err_set(err, ERR_AGAIN, "it cannot reach %s port %lld: %s", host,
			       (long long)port,
			       r[1] < ARRAY_LEN(reasons) ? reasons[r[1]] : "an unknown reason");
	/* The address it bound follows: 4, 16 or r[4] bytes (one of them read), and a port. */
	size_t rest = r[3] == 1 ? 3 + 2 : r[3] == 4 ? 15 + 2 : (size_t)r[4] + 2;
	return read_exactly(fd, r, rest, deadline, c, err);
}

static int http_connect(int fd, const struct net_proxy *p, const char *host, int64_t port,
			int64_t deadline, const struct cancel *c, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;
	const char *open = strchr(host, ':') ? "[" : "", *close = *open ? "]" : "";
	buf_printf(&b, "CONNECT %s%s%s:%lld HTTP/1.1\r\nHost: %s%s%s:%lld\r\n", open, host, close,
		   (long long)port, open, host, close, (long long)port);
	if (p->user) {
		auto_free char *login = xasprintf("%s:%s", p->user, p->password ? p->password : "");
		buf_adds(&b, "Proxy-Authorization: Basic ");
		buf_add_base64(&b, login, strlen(login));
		buf_adds(&b, "\r\n");
		explicit_bzero(login, strlen(login));
	}
	buf_adds(&b, "\r\n");
	int sent = send_exactly(fd, b.p, b.n, deadline, c, err);
	explicit_bzero(b.p, b.n);
	if (sent < 0)
		return -1;
	buf_reset(&b);
	/* Byte by byte: what comes after the head belongs to SSH. */
	while (!str_ends(buf_str(&b), "\r\n\r\n")) {
		char ch;
		if (read_exactly(fd, &ch, 1, deadline, c, err) < 0)
			return -1;
		buf_addc(&b, ch);
		if (b.n > PROXY_REPLY_MAX)
			return err_set(err, ERR_REMOTE, "its answer is no HTTP");
	}
	struct str line = str_slice(buf_str(&b), 0, (size_t)str_find(buf_str(&b), STR("\r\n")));
	if (!str_starts(line, "HTTP/1.") || line.n < 12)
		return err_set(err, ERR_REMOTE, "its answer is no HTTP");
	if (line.p[9] == '2')
		return 0;
	return err_set(err, memcmp(line.p + 9, "407", 3) == 0 ? ERR_AUTH : ERR_AGAIN,
		       "it answers \"" STR_FMT "\"", STR_ARG(str_slice(line, 9, line.n)));
}

int net_dial_proxy(const struct net_proxy *p, const char *host, int64_t port, int64_t deadline,
		   const struct cancel *c, struct err *err)
{
	bool http = starts_with(p->host, "http://");
	struct str name = str_from(p->host);
	ptrdiff_t scheme = str_find(name, STR("://"));
	if (scheme >= 0)
		name = str_slice(name, (size_t)scheme + 3, name.n);
	auto_free char *proxy = xstrndup(name.p, name.n);
	auto_fd int fd = net_dial(proxy, p->port, deadline, c, err);
	if (fd < 0 ||
	    (http ? http_connect : socks_connect)(fd, p, host, port, deadline, c, err) < 0)
		return err->code == ERR_CANCELLED
			       ? -1
			       : err_prefix(err, "proxy %s port %lld", proxy, (long long)p->port);
	return steal_fd(fd);
}
