/* The control socket: a thread that accepts, a thread for each connection. An attached connection
 * keeps a session's daemon alive until it closes. */
#include "cloud/control.h"

#include "base/os.h"
#include "base/vec.h"
#include "cloud/api/doc.h"
#include "cloud/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define LINE_MAX_BYTES ((size_t)16 << 20)
#define FIRST_ATTACH_MS 60000 /* a session that nobody comes to ends by itself */

struct control {
	struct cloud *cloud;
	int fd, wake[2];
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int connections, attached;
	VEC(int) fds; /* of open connections, to wake them at the end */
	bool ever_attached;
};

struct connection {
	struct control *s;
	int fd;
	bool attached;
};

int control_address(const char *dir, int *ret_dir_fd, struct sockaddr_un *ret, struct err *err)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT
			       ? err_set(err, ERR_NOT_FOUND,
					 "no local cloud runs in %s: `ingot cloud up` starts one",
					 dir)
			       : err_errno(err, errno, "cannot open %s", dir);
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	/* A path may be longer than a socket address: this one never is. */
	snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/control.sock", fd);
	*ret_dir_fd = fd;
	return 0;
}

bool control_read_line(int fd, struct buf *pending, size_t max, struct buf *ret)
{
	char chunk[8192];

	for (;;) {
		const char *end = pending->n ? memchr(pending->p, '\n', pending->n) : NULL;
		ssize_t n;

		if (end) {
			size_t len = (size_t)(end - pending->p);

			buf_reset(ret);
			buf_add(ret, pending->p, len);
			buf_remove(pending, 0, len + 1);
			return true;
		}
		if (pending->n > max)
			return false;
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		buf_add(pending, chunk, (size_t)n);
	}
}

static void send_object(int fd, json_t *object)
{
	auto_free char *text = json_dumps(object, JSON_COMPACT);
	auto_free char *line = xasprintf("%s\n", text);

	json_decref(object);
	/* A peer that went away is noticed when it is read from. */
	send(fd, line, strlen(line), MSG_NOSIGNAL);
}

static void on_progress(void *data, const char *text)
{
	struct connection *c = data;

	send_object(c->fd, json_pack("{s:s}", "progress", text));
}

static json_t *detach(struct connection *c)
{
	bool last;

	pthread_mutex_lock(&c->s->lock);
	if (c->attached)
		c->s->attached--;
	c->attached = false;
	last = c->s->cloud->config.session && c->s->attached == 0;
	pthread_mutex_unlock(&c->s->lock);
	return json_pack("{s:b}", "ending", (int)last);
}

static json_t *attach(struct connection *c)
{
	pthread_mutex_lock(&c->s->lock);
	if (!c->attached)
		c->s->attached++;
	c->attached = true;
	c->s->ever_attached = true;
	pthread_mutex_unlock(&c->s->lock);
	return json_object();
}

static void serve_line(struct connection *c, const struct buf *line)
{
	AUTO(json) json_t *request = json_loadb(line->p, line->n, 0, NULL);
	AUTO(err) struct err err = ERR_INIT;
	const char *op = doc_str(request, "op");
	json_t *result;
	bool end;

	if (streq(op, "attach"))
		result = attach(c);
	else if (streq(op, "detach"))
		result = detach(c);
	else if (streq(op, "keep")) {
		pthread_mutex_lock(&c->s->lock);
		c->s->cloud->config.session = false;
		pthread_mutex_unlock(&c->s->lock);
		result = json_object();
	} else
		result = control_answer(c->s->cloud, request, on_progress, c, &err);
	end = streq(op, "down") || (streq(op, "detach") && doc_bool(result, "ending"));
	if (result)
		send_object(c->fd, json_pack("{s:o}", "result", result));
	else
		send_object(c->fd,
			    json_pack("{s:s, s:i}", "error", err.msg, "code", (int)err.code));
	/* After the answer: the peer reads it before the end. */
	if (end)
		daemon_stop(c->s->cloud);
}

static void forget(struct connection *c)
{
	struct control *s = c->s;
	bool end;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->fds.n; i++)
		if (s->fds.v[i] == c->fd) {
			vec_remove(&s->fds, i);
			break;
		}
	if (c->attached)
		s->attached--;
	end = c->attached && s->attached == 0 && s->cloud->config.session;
	close(c->fd);
	free(c);
	if (end)
		daemon_stop(s->cloud);
	s->connections--;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void *serve(void *data)
{
	struct connection *c = data;
	AUTO(buf) struct buf pending = BUF_INIT;
	AUTO(buf) struct buf line = BUF_INIT;

	while (control_read_line(c->fd, &pending, LINE_MAX_BYTES, &line))
		serve_line(c, &line);
	forget(c);
	return NULL;
}

/* Only the owner of the data directory and root may say anything. */
static bool peer_allowed(struct control *s, int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid() || peer.uid == s->cloud->config.owner);
}

static void accept_one(struct control *s)
{
	auto_fd int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
	struct connection *c;
	pthread_attr_t attr;
	pthread_t thread;

	if (fd < 0)
		return;
	if (!peer_allowed(s, fd)) {
		send_object(fd, json_pack("{s:s, s:i}", "error",
					  "this local cloud belongs to another user", "code",
					  (int)ERR_AUTH));
		return;
	}
	c = xcalloc(1, sizeof(*c));
	*c = (struct connection){ .s = s, .fd = steal_fd(fd) };
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_mutex_lock(&s->lock);
	s->connections++;
	vec_push(&s->fds, c->fd);
	pthread_mutex_unlock(&s->lock);
	if (pthread_create(&thread, &attr, serve, c) != 0)
		forget(c);
	pthread_attr_destroy(&attr);
}

/* A session to which nobody has come yet. */
static bool unattended(struct control *s)
{
	bool yes;

	pthread_mutex_lock(&s->lock);
	yes = s->cloud->config.session && !s->ever_attached;
	pthread_mutex_unlock(&s->lock);
	return yes;
}

static void *accept_loop(void *data)
{
	struct control *s = data;
	struct pollfd p[] = { { .fd = s->fd, .events = POLLIN },
			      { .fd = s->wake[0], .events = POLLIN } };
	bool ending = false;

	for (;;) {
		int n = poll(p, 2, ending || !unattended(s) ? -1 : FIRST_ATTACH_MS);

		if (p[1].revents)
			return NULL;
		if (n == 0 && unattended(s)) {
			daemon_stop(s->cloud);
			ending = true;
		}
		if (n > 0 && p[0].revents)
			accept_one(s);
	}
}

static int open_socket(struct control *s, struct err *err)
{
	const struct cloud_config *config = &s->cloud->config;
	auto_free char *path = os_path_join(config->data_dir, "control.sock");
	auto_fd int dir = -1, fd = -1;
	struct sockaddr_un un;
	mode_t mask;
	int bound;

	if (control_address(config->data_dir, &dir, &un, err) < 0)
		return -1;
	unlink(path); /* of a daemon that was killed: we hold the lock */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mask = umask(0177);
	bound = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&un, sizeof(un));
	umask(mask);
	if (bound < 0 || listen(fd, 64) < 0)
		return err_errno(err, errno, "cannot listen on %s", path);
	if (geteuid() == 0 && config->owner && chown(path, config->owner, config->owner_group) < 0)
		return err_errno(err, errno, "cannot hand %s to its user", path);
	s->fd = steal_fd(fd);
	return 0;
}

int control_start(struct cloud *c, struct control **ret, struct err *err)
{
	struct control *s = xcalloc(1, sizeof(*s));

	*s = (struct control){ .cloud = c, .fd = -1, .wake = { -1, -1 } };
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	if (pipe2(s->wake, O_CLOEXEC) < 0) {
		err_errno(err, errno, "cannot make a pipe");
		goto fail;
	}
	if (open_socket(s, err) < 0)
		goto fail;
	if (pthread_create(&s->thread, NULL, accept_loop, s) != 0) {
		err_set(err, ERR_IO, "cannot start a thread");
		goto fail;
	}
	*ret = s;
	return 0;
fail:
	fd_close(&s->fd);
	fd_close(&s->wake[0]);
	fd_close(&s->wake[1]);
	free(s);
	return -1;
}

void control_stop(struct control *s)
{
	if (!s)
		return;
	auto_free char *path = os_path_join(s->cloud->config.data_dir, "control.sock");
	unlink(path);
	if (write(s->wake[1], "", 1) == 1)
		pthread_join(s->thread, NULL);
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->fds.n; i++)
		shutdown(s->fds.v[i], SHUT_RDWR);
	while (s->connections)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
	vec_release(&s->fds);
	fd_close(&s->fd);
	fd_close(&s->wake[0]);
	fd_close(&s->wake[1]);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
