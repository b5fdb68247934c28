/* The relay: an epoll loop over listeners and pairs of sockets; bytes go from one to the other
 * through a pipe by splice(2).
 *
 * Everything is under one lock. An object that ends is closed at once and marked dead, but freed by
 * the loop alone, after the events that may still point to it.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"
#include "cloud/container/netns.h"
#include "cloud/net/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_MS 5
#define PIPE_SIZE (256 * 1024)
/* So that one fast stream does not starve the others. */
#define ROUNDS_MAX 32

enum source_kind { SOURCE_WAKE, SOURCE_LISTENER, SOURCE_END };

struct source {
	enum source_kind kind;
	int fd;
};

/* One direction: what came from a socket and waits for the other. */
struct flow {
	int pipe[2];
	size_t pending;
	bool ended; /* the reading side has no more */
	bool shut;  /* and the writing side was told */
};

struct end {
	struct source source; /* first: epoll points to it */
	struct connection *connection;
};

struct connection {
	const void *owner;
	struct end ends[2];   /* [0] is the side that came, [1] the side that was called */
	struct flow flows[2]; /* [i] reads from ends[i] */
	bool connecting, dead, again;
	int netns;
	struct sockaddr_in to;
	int64_t patience_ms, retry_ms; /* retry_ms 0: none planned */
};

struct relay_listener {
	struct source source; /* first */
	const void *owner;
	void (*accepted)(void *data, int fd);
	void *data;
	bool dead, calling;
	unsigned waiting; /* threads in kill_listener */
};

struct relay {
	int epoll;
	struct source wake;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t called; /* an accepted() has come back */
	bool stop;
	VEC(struct connection *) connections;
	VEC(struct relay_listener *) listeners;
};

static void watch(struct relay *r, struct source *s, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, s->fd, &e) < 0)
		log_line("local cloud: relay: %m");
}

static void wake(struct relay *r)
{
	uint64_t one = 1;

	if (write(r->wake.fd, &one, sizeof(one)) < 0)
		log_line("local cloud: relay: %m");
}

static void kill_connection(struct connection *c, bool reset)
{
	if (c->dead)
		return;
	c->dead = true;
	for (size_t i = 0; i < 2; i++) {
		if (reset && c->ends[i].source.fd >= 0) {
			struct linger now = { 1, 0 };

			setsockopt(c->ends[i].source.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		}
		fd_close(&c->ends[i].source.fd);
		fd_close(&c->flows[i].pipe[0]);
		fd_close(&c->flows[i].pipe[1]);
	}
	fd_close(&c->netns);
}

/* True while something moved; false when both sides have to be waited for. */
static bool flow_move(struct connection *c, size_t from)
{
	struct flow *f = &c->flows[from];
	int in = c->ends[from].source.fd, out = c->ends[!from].source.fd;
	bool moved = false;
	ssize_t n;

	if (!f->ended) {
		n = splice(in, NULL, f->pipe[1], NULL, PIPE_SIZE,
			   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (n > 0)
			f->pending += (size_t)n;
		else if (n == 0)
			f->ended = true;
		else if (errno != EAGAIN && errno != EINTR)
			goto broken;
		moved = n >= 0;
	}
	if (f->pending) {
		n = splice(f->pipe[0], NULL, out, NULL, f->pending,
			   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (n > 0)
			f->pending -= (size_t)n;
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			goto broken;
		moved |= n > 0;
	}
	if (f->ended && !f->pending && !f->shut) {
		shutdown(out, SHUT_WR);
		f->shut = true;
	}
	return moved;
broken:
	kill_connection(c, true);
	return false;
}

static void pump(struct connection *c)
{
	c->again = false;
	for (unsigned round = 0; !c->dead; round++) {
		bool moved = flow_move(c, 0);

		moved |= !c->dead && flow_move(c, 1);
		if (!moved)
			break;
		if (round == ROUNDS_MAX) {
			c->again = true;
			break;
		}
	}
	if (!c->dead && c->flows[0].shut && c->flows[1].shut)
		kill_connection(c, false);
}

static int open_pipes(struct connection *c)
{
	for (size_t i = 0; i < 2; i++) {
		if (pipe2(c->flows[i].pipe, O_NONBLOCK | O_CLOEXEC) < 0)
			return -1;
		fcntl(c->flows[i].pipe[1], F_SETPIPE_SZ, PIPE_SIZE); /* less is slower, not wrong */
	}
	return 0;
}

static void set_no_delay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void plan_retry(struct connection *c)
{
	fd_close(&c->ends[1].source.fd);
	if (clock_ms() >= c->patience_ms)
		kill_connection(c, true);
	else
		c->retry_ms = clock_ms() + RETRY_MS;
}

static void connected(struct connection *c)
{
	c->connecting = false;
	c->retry_ms = 0;
	set_no_delay(c->ends[1].source.fd);
	fd_close(&c->netns);
	if (open_pipes(c) < 0) {
		log_line("local cloud: relay: %m");
		kill_connection(c, true);
		return;
	}
	pump(c);
}

static void try_connect(struct relay *r, struct connection *c)
{
	int fd = netns_socket(c->netns, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);

	c->retry_ms = 0;
	if (fd < 0) {
		log_line("local cloud: relay: %m");
		kill_connection(c, true);
		return;
	}
	c->ends[1].source.fd = fd;
	if (connect(fd, (struct sockaddr *)&c->to, sizeof(c->to)) < 0 && errno != EINPROGRESS) {
		plan_retry(c);
		return;
	}
	watch(r, &c->ends[1].source, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static void connecting_event(struct connection *c, struct source *s, uint32_t events)
{
	int error = 0;
	socklen_t n = sizeof(error);

	if (s == &c->ends[0].source) {
		if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
			kill_connection(c, false); /* who called has gone */
		return;
	}
	if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
		return;
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error)
		plan_retry(c);
	else
		connected(c);
}

/* The lock is held; it is let go while accepted() runs. */
static void accept_all(struct relay *r, struct relay_listener *l)
{
	while (!l->dead) {
		int fd = accept4(l->source.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == ECONNABORTED || errno == EINTR)
				continue;
			if (errno != EAGAIN)
				log_line("local cloud: relay: accept: %m");
			return;
		}
		set_no_delay(fd);
		l->calling = true;
		pthread_mutex_unlock(&r->lock);
		l->accepted(l->data, fd);
		pthread_mutex_lock(&r->lock);
		l->calling = false;
		pthread_cond_broadcast(&r->called);
	}
}

static void handle(struct relay *r, struct source *s, uint32_t events)
{
	if (s->kind == SOURCE_WAKE) {
		uint64_t n;

		if (read(s->fd, &n, sizeof(n)) < 0)
			return;
	} else if (s->kind == SOURCE_LISTENER) {
		accept_all(r, (struct relay_listener *)s);
	} else {
		struct connection *c = ((struct end *)s)->connection;

		if (c->dead)
			return;
		if (c->connecting)
			connecting_event(c, s, events);
		else
			pump(c);
	}
}

static void free_dead(struct relay *r)
{
	for (size_t i = r->connections.n; i-- > 0;) {
		if (r->connections.v[i]->dead) {
			free(r->connections.v[i]);
			r->connections.v[i] = r->connections.v[--r->connections.n];
		}
	}
	for (size_t i = r->listeners.n; i-- > 0;) {
		if (r->listeners.v[i]->dead && !r->listeners.v[i]->waiting) {
			free(r->listeners.v[i]);
			r->listeners.v[i] = r->listeners.v[--r->listeners.n];
		}
	}
}

/* What is due; returns how long epoll may wait. */
static int due_work(struct relay *r)
{
	int64_t next = CLOCK_NEVER, now = clock_ms();

	for (size_t i = 0; i < r->connections.n; i++) {
		struct connection *c = r->connections.v[i];

		if (!c->dead && c->again)
			pump(c);
		if (!c->dead && c->retry_ms && c->retry_ms <= now)
			try_connect(r, c);
		if (c->dead || c->again)
			next = now;
		else if (c->retry_ms)
			next = MIN(next, c->retry_ms);
	}
	return clock_left(next);
}

static void *relay_loop(void *data)
{
	struct relay *r = data;

	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		struct epoll_event events[64];
		int timeout = due_work(r), n;

		free_dead(r);
		pthread_mutex_unlock(&r->lock);
		n = epoll_wait(r->epoll, events, ARRAY_LEN(events), timeout);
		pthread_mutex_lock(&r->lock);
		for (int i = 0; i < n; i++)
			handle(r, events[i].data.ptr, events[i].events);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

int relay_new(struct relay **ret, struct err *err)
{
	struct relay *r = xcalloc(1, sizeof(*r));

	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->called, NULL);
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->wake = (struct source){ SOURCE_WAKE, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	if (r->epoll < 0 || r->wake.fd < 0) {
		err_errno(err, errno, "starting the relay");
		goto failed;
	}
	watch(r, &r->wake, EPOLLIN);
	if (pthread_create(&r->thread, NULL, relay_loop, r) != 0) {
		err_set(err, ERR_IO, "no thread for the relay");
		goto failed;
	}
	*ret = r;
	return 0;
failed:
	fd_close(&r->epoll);
	fd_close(&r->wake.fd);
	free(r);
	return -1;
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	wake(r);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	for (size_t i = 0; i < r->connections.n; i++) {
		kill_connection(r->connections.v[i], true);
		free(r->connections.v[i]);
	}
	for (size_t i = 0; i < r->listeners.n; i++) {
		fd_close(&r->listeners.v[i]->source.fd);
		free(r->listeners.v[i]);
	}
	vec_release(&r->connections);
	vec_release(&r->listeners);
	fd_close(&r->epoll);
	fd_close(&r->wake.fd);
	pthread_cond_destroy(&r->called);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

struct relay_listener *relay_listen(struct relay *r, const void *owner, int fd,
				    void (*accepted)(void *data, int fd), void *data)
{
	struct relay_listener *l = xcalloc(1, sizeof(*l));

	l->source = (struct source){ SOURCE_LISTENER, fd };
	l->owner = owner;
	l->accepted = accepted;
	l->data = data;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	pthread_mutex_lock(&r->lock);
	vec_push(&r->listeners, l);
	watch(r, &l->source, EPOLLIN);
	pthread_mutex_unlock(&r->lock);
	return l;
}

static void kill_listener(struct relay *r, struct relay_listener *l)
{
	if (l->dead)
		return;
	l->dead = true;
	fd_close(&l->source.fd);
	l->waiting++;
	while (l->calling)
		pthread_cond_wait(&r->called, &r->lock);
	l->waiting--;
}

void relay_unlisten(struct relay *r, struct relay_listener *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&r->lock);
	kill_listener(r, l);
	wake(r);
	pthread_mutex_unlock(&r->lock);
}

static struct connection *connection_new(struct relay *r, const void *owner, int a, int b)
{
	struct connection *c = xcalloc(1, sizeof(*c));

	c->owner = owner;
	c->netns = -1;
	for (size_t i = 0; i < 2; i++) {
		c->ends[i].source = (struct source){ SOURCE_END, i ? b : a };
		c->ends[i].connection = c;
		c->flows[i].pipe[0] = c->flows[i].pipe[1] = -1;
	}
	vec_push(&r->connections, c);
	return c;
}

void relay_connect(struct relay *r, const void *owner, int fd, int netns, struct sockaddr_in to,
		   int64_t patience_ms)
{
	struct connection *c;

	pthread_mutex_lock(&r->lock);
	c = connection_new(r, owner, fd, -1);
	c->connecting = true;
	c->netns = fcntl(netns, F_DUPFD_CLOEXEC, 0);
	c->to = to;
	c->patience_ms = patience_ms;
	c->retry_ms = 1; /* at once, on the loop's thread */
	watch(r, &c->ends[0].source, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
	wake(r);
	pthread_mutex_unlock(&r->lock);
}

void relay_join(struct relay *r, const void *owner, int a, int b)
{
	struct connection *c;

	fcntl(a, F_SETFL, O_NONBLOCK);
	fcntl(b, F_SETFL, O_NONBLOCK);
	pthread_mutex_lock(&r->lock);
	c = connection_new(r, owner, a, b);
	if (open_pipes(c) < 0) {
		log_line("local cloud: relay: %m");
		kill_connection(c, true);
	} else {
		watch(r, &c->ends[0].source, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
		watch(r, &c->ends[1].source, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
	}
	wake(r);
	pthread_mutex_unlock(&r->lock);
}

void relay_forget_connections(struct relay *r, const void *owner)
{
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->connections.n; i++)
		if (r->connections.v[i]->owner == owner)
			kill_connection(r->connections.v[i], true);
	wake(r);
	pthread_mutex_unlock(&r->lock);
}

void relay_forget(struct relay *r, const void *owner)
{
	relay_forget_connections(r, owner);
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->listeners.n; i++) {
		if (r->listeners.v[i]->owner == owner && !r->listeners.v[i]->dead) {
			kill_listener(r, r->listeners.v[i]);
			i = (size_t)-1; /* it may have let the lock go: begin again */
		}
	}
	wake(r);
	pthread_mutex_unlock(&r->lock);
}
