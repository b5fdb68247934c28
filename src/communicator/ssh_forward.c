/* Streams: each is a channel and a local socket, and bytes go both ways with the back pressure of
 * either side. Tunnels are listeners, here or on the machine, that make streams. */
#include "communicator/ssh_forward.h"

#include "base/clock.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CHUNK 65536
#define CONNECT_MS 5000 /* a remote tunnel's local end: near, or not there */

/* Bytes that wait for room on one side. */
struct lane {
	char p[CHUNK];
	size_t from, to;
	bool ended; /* no more will come */
	bool told;  /* and the other side knows */
};

struct ssh_pair {
	struct ssh_pair *next;
	ssh_channel ch;
	int fd;
	bool opening, opened, dead, watched;
	char *host; /* while opening */
	int64_t port;
	struct lane out, in; /* out: to the channel */
};

struct ssh_tunnel {
	struct ssh_tunnel *next;
	int fd; /* local: listens; remote: -1 */
	int slot;
	int64_t port;
	char *host;
	int64_t host_port;
};

static struct ssh_pair *pair_new(struct ssh_conn *c, ssh_channel ch, int fd)
{
	struct ssh_pair *p = xcalloc(1, sizeof(*p));
	p->ch = ch;
	p->fd = fd;
	p->next = c->pairs;
	c->pairs = p;
	return p;
}

static void pair_free(struct ssh_pair *p)
{
	if (p->ch)
		libssh.channel_free(p->ch);
	fd_close(&p->fd);
	free(p->host);
	free(p);
}

/* Asks the server for a stream to host:port, or looks for the answer. */
static void pair_open(struct ssh_conn *c, struct ssh_pair *p)
{
	int rc = libssh.channel_open_forward(p->ch, p->host, (int)p->port, "127.0.0.1", 0);
	if (rc == SSH_AGAIN)
		return;
	p->opening = false;
	p->opened = rc == SSH_OK;
	if (!p->opened) {
		log_line("ssh: %s does not connect to %s port %lld: %s", c->name, p->host,
			 (long long)p->port, libssh.get_error(c->session));
		p->dead = true;
	}
}

static struct ssh_pair *pair_start(struct ssh_conn *c, const char *host, int64_t port, int fd)
{
	struct ssh_pair *p = pair_new(c, libssh.channel_new(c->session), fd);
	p->opening = true;
	p->host = xstrdup(host);
	p->port = port;
	if (p->ch)
		pair_open(c, p);
	else
		p->dead = true;
	return p;
}

/* Local socket → channel. */
static void move_out(struct ssh_conn *c, struct ssh_pair *p)
{
	struct lane *l = &p->out;
	if (l->from == l->to && !l->ended) {
		ssize_t n = recv(p->fd, l->p, sizeof(l->p), MSG_DONTWAIT);
		l->from = 0;
		l->to = n > 0 ? (size_t)n : 0;
		l->ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	}
	bool drained = !(libssh.get_poll_flags(c->session) & SSH_WRITE_PENDING);
	if (l->from < l->to && drained) {
		size_t n = MIN(l->to - l->from, (size_t)libssh.channel_window_size(p->ch));
		int rc = n ? libssh.channel_write(p->ch, l->p + l->from, (uint32_t)n) : 0;
		if (rc < 0)
			p->dead = true;
		else
			l->from += (size_t)rc;
	}
	if (l->ended && l->from == l->to && !l->told) {
		libssh.channel_send_eof(p->ch);
		l->told = true;
	}
}

/* Channel → local socket. */
static void move_in(struct ssh_pair *p)
{
	struct lane *l = &p->in;
	for (;;) {
		if (l->from == l->to && !l->ended) {
			int n = libssh.channel_read_timeout(p->ch, l->p, sizeof(l->p), 0, 0);
			l->from = 0;
			l->to = n > 0 ? (size_t)n : 0;
			l->ended = n < 0 || (n == 0 && libssh.channel_is_eof(p->ch));
		}
		if (l->from == l->to)
			break;
		ssize_t n =
			send(p->fd, l->p + l->from, l->to - l->from, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			p->dead = true;
			return;
		}
		if (n <= 0)
			return;
		l->from += (size_t)n;
	}
	if (l->ended && !l->told) {
		shutdown(p->fd, SHUT_WR);
		l->told = true;
	}
}

static void pair_step(struct ssh_conn *c, struct ssh_pair *p)
{
	if (p->opening)
		pair_open(c, p);
	if (p->dead || !p->opened)
		return;
	move_in(p);
	if (!p->dead)
		move_out(c, p);
	/* The channel closed: nobody will read what is left for it. */
	if (p->in.told && (p->out.told || libssh.channel_is_closed(p->ch)))
		p->dead = true;
}

static void reap(struct ssh_conn *c)
{
	for (struct ssh_pair **at = &c->pairs; *at;) {
		struct ssh_pair *p = *at;
		if (!p->dead || p->watched) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		pair_free(p);
	}
}

size_t ssh_forward_polls(struct ssh_conn *c, struct pollfd *polls)
{
	size_t n = 0;
	for (struct ssh_tunnel *t = c->tunnels; t; t = t->next) {
		t->slot = -1;
		if (t->fd < 0 || n == SSH_FORWARD_POLLS)
			continue;
		t->slot = (int)n;
		polls[n++] = (struct pollfd){ .fd = t->fd, .events = POLLIN };
	}
	bool drained = !(libssh.get_poll_flags(c->session) & SSH_WRITE_PENDING);
	for (struct ssh_pair *p = c->pairs; p && n < SSH_FORWARD_POLLS; p = p->next) {
		short events = 0;
		if (p->opened && p->out.from == p->out.to && !p->out.ended && drained &&
		    libssh.channel_window_size(p->ch))
			events |= POLLIN;
		if (p->opened && p->in.from < p->in.to)
			events |= POLLOUT;
		if (events)
			polls[n++] = (struct pollfd){ .fd = p->fd, .events = events };
	}
	return n;
}

/* Someone connected to a local tunnel's port. */
static void accept_local(struct ssh_conn *c, struct ssh_tunnel *t)
{
	int fd = accept4(t->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		pair_start(c, t->host, t->host_port, fd);
}

static const struct ssh_tunnel *remote_tunnel(const struct ssh_conn *c, int port)
{
	for (const struct ssh_tunnel *t = c->tunnels; t; t = t->next)
		if (t->fd < 0 && t->port == port)
			return t;
	return NULL;
}

/* Someone connected to a remote tunnel's port on the machine. */
static void accept_remote(struct ssh_conn *c)
{
	AUTO(err) struct err err = ERR_INIT;
	int port = 0;
	ssh_channel ch = libssh.channel_open_forward_port(c->session, 0, &port, NULL, NULL);
	if (!ch)
		return;
	const struct ssh_tunnel *t = remote_tunnel(c, port);
	int fd = t ? net_dial(t->host, t->host_port, clock_ms() + CONNECT_MS, c->cancel, &err) : -1;
	if (fd < 0) {
		log_line("ssh: tunnel from port %d of %s: %s", port, c->name,
			 err.msg ? err.msg : "not asked for");
		libssh.channel_free(ch);
		return;
	}
	pair_new(c, ch, fd)->opened = true;
}

void ssh_forward_step(struct ssh_conn *c)
{
	bool remote = false;
	for (struct ssh_tunnel *t = c->tunnels; t; t = t->next) {
		remote |= t->fd < 0;
		if (t->slot >= 0)
			accept_local(c, t);
	}
	if (remote)
		accept_remote(c);
	for (struct ssh_pair *p = c->pairs; p; p = p->next)
		pair_step(c, p);
	reap(c);
}

int ssh_forward_dial(struct ssh_conn *c, const char *host, int64_t port, int64_t deadline,
		     const struct cancel *cancel, struct err *err)
{
	int ends[2], ret = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return err_errno(err, errno, "socketpair");
	ssh_conn_take(c, cancel);
	struct ssh_pair *p = c->lost ? NULL : pair_start(c, host, port, ends[1]);
	if (!p) {
		fd_close(&ends[1]);
		ssh_conn_lost(c, err);
	}
	if (p)
		p->watched = true; /* it stays until we let go of it */
	while (p && p->opening && clock_ms() < deadline)
		if (ssh_conn_step(c, deadline, err) < 0)
			break;
	if (p) {
		p->watched = false;
		if (p->opened)
			ret = ends[0];
		else
			p->dead = true;
	}
	ssh_conn_give(c);
	if (ret < 0) {
		fd_close(&ends[0]);
		if (!err_any(err))
			err_set(err, ERR_AGAIN, "the bastion %s cannot reach %s port %lld", c->name,
				host, (long long)port);
	}
	return ret;
}

static void tunnel_add(struct ssh_conn *c, const struct comm_tunnel *t, int fd)
{
	struct ssh_tunnel *n = xcalloc(1, sizeof(*n));
	n->fd = fd;
	n->slot = -1;
	n->port = t->listen_port;
	n->host = xstrdup(t->host);
	n->host_port = t->port;
	n->next = c->tunnels;
	c->tunnels = n;
}

int ssh_forward_local(struct ssh_conn *c, const struct comm_tunnel *t, struct err *err)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)t->listen_port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;
	auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(err, errno, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 16) < 0)
		return err_errno(err, errno, "ssh_local_tunnels: port %lld",
				 (long long)t->listen_port);
	tunnel_add(c, t, steal_fd(fd));
	return 0;
}

int ssh_forward_remote(struct ssh_conn *c, const struct comm_tunnel *t, int64_t deadline,
		       struct err *err)
{
	int bound = 0, rc;
	while ((rc = libssh.channel_listen_forward(c->session, "localhost", (int)t->listen_port,
						   &bound)) == SSH_AGAIN)
		if (clock_ms() >= deadline)
			return err_set(err, ERR_TIMEOUT, "ssh_remote_tunnels: no answer from %s",
				       c->name);
		else if (ssh_conn_step(c, deadline, err) < 0)
			return -1;
	if (rc != SSH_OK)
		return err_set(err, ERR_REMOTE,
			       "ssh_remote_tunnels: %s does not open port %lld: it is taken "
			       "there, or the server forbids forwarding",
			       c->name, (long long)t->listen_port);
	tunnel_add(c, t, -1);
	return 0;
}

static int agent_connect(void)
{
	const char *path = getenv("SSH_AUTH_SOCK");
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	if (!path || strlen(path) >= sizeof(at.sun_path))
		return -1;
	memcpy(at.sun_path, path, strlen(path) + 1);
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -1;
	return steal_fd(fd);
}

/* The server asks for the agent: each request is a stream to its socket. */
static ssh_channel on_agent(ssh_session session, void *data)
{
	struct ssh_conn *c = data;
	int fd = agent_connect();
	if (fd < 0)
		return NULL;
	ssh_channel ch = libssh.channel_new(session);
	if (!ch) {
		fd_close(&fd);
		return NULL;
	}
	pair_new(c, ch, fd)->opened = true;
	return ch;
}

void ssh_forward_agent(struct ssh_conn *c)
{
	auto_fd int fd = agent_connect();
	if (fd < 0) {
		c->forward_agent = false;
		return;
	}
	ssh_callbacks_init(&c->callbacks);
	c->callbacks.userdata = c;
	c->callbacks.channel_open_request_auth_agent_function = on_agent;
	libssh.set_callbacks(c->session, &c->callbacks);
}

void ssh_forward_free(struct ssh_conn *c)
{
	while (c->pairs) {
		struct ssh_pair *p = c->pairs;
		c->pairs = p->next;
		pair_free(p);
	}
	while (c->tunnels) {
		struct ssh_tunnel *t = c->tunnels;
		c->tunnels = t->next;
		fd_close(&t->fd);
		free(t->host);
		free(t);
	}
}
