/* The thread of one instance: it alone talks to the machine. It prepares the disk and the kernel,
 * starts the machine, moves what comes out of it, does what is asked, and tells how it ended.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"
#include "base/str.h"
#include "cloud/disk/diskedit.h"
#include "cloud/fdpass.h"
#include "cloud/qemu/qemu.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_MS 90000 /* then the machine is turned off */
#define SYNC_MS 60000
#define ERROR_TEXT_MAX 4096

static void tell(struct instance *i, enum instance_event e, const char *text)
{
	const struct instance_events *events = &i->backend->config.events;

	events->on_event(events->data, i->spec.id, e, text);
}

static void on_refused(void *data, const char *host)
{
	struct instance *i = data;
	const struct instance_events *events = &i->backend->config.events;

	events->on_refused(events->data, i->spec.id, host);
}

/* A connection of the instance that its helper hands over; the byte says what for. */
static void on_helper(struct instance *i)
{
	const struct instance_events *events = &i->backend->config.events;
	const struct proxy_client client = { i, on_refused, i };
	const struct timeval limit = { .tv_sec = 5 };
	auto_fd int s = accept4(i->listener, NULL, NULL, SOCK_CLOEXEC);
	struct ucred peer;
	socklen_t n = sizeof(peer);
	char service = 0;
	int fd;

	if (s < 0 || getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0 ||
	    peer.uid != geteuid() ||
	    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return;
	fd = fd_receive(s, &service);
	if (fd < 0)
		return;
	if (service == 'i')
		events->on_imds(events->data, i->spec.id, fd);
	else
		proxy_serve(i->backend->proxy, &client, fd);
}

static void on_console(struct instance *i)
{
	const struct instance_events *events = &i->backend->config.events;
	char chunk[16384];
	ssize_t n = recv(i->console, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n > 0) {
		if (!i->up) {
			i->up = true;
			tell(i, i->rebooted ? INSTANCE_REBOOT : INSTANCE_UP, NULL);
		}
		events->on_console(events->data, i->spec.id, chunk, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		fd_close(&i->console);
	}
}

static void on_errors(struct instance *i)
{
	char chunk[4096];
	ssize_t n = recv(i->errors, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n > 0 && i->error_text.n < ERROR_TEXT_MAX)
		buf_add(&i->error_text, chunk, (size_t)n);
	else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		fd_close(&i->errors);
}

static void on_agent(struct instance *i)
{
	char chunk[4096];
	ssize_t n = recv(i->agent, chunk, sizeof(chunk), MSG_DONTWAIT);
	ptrdiff_t end;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			fd_close(&i->agent);
		return;
	}
	buf_add(&i->agent_in, chunk, (size_t)n);
	if (i->agent_in.overflow) { /* no line of the agent's is that long */
		log_line("cloud: %s: its agent does not speak in lines", i->spec.id);
		fd_close(&i->agent);
		return;
	}
	while ((end = str_find(buf_str(&i->agent_in), STR("\n"))) >= 0) {
		struct str line = str_slice(buf_str(&i->agent_in), 0, (size_t)end);

		if (str_eqs(line, "hello")) {
			i->agent_there = true;
		} else if (str_eqs(line, "synced")) {
			i->synced = true;
		} else if (str_starts(line, "disk ")) {
			free(i->arrived);
			i->arrived = xstrndup(line.p + 5, line.n - 5);
		}
		buf_remove(&i->agent_in, 0, (size_t)end + 1);
	}
}

int qemu_pump(struct instance *i, int64_t deadline_ms)
{
	struct pollfd p[] = {
		{ i->console, POLLIN, 0 }, { i->monitor, POLLIN, 0 },  { i->agent, POLLIN, 0 },
		{ i->errors, POLLIN, 0 },  { i->listener, POLLIN, 0 }, { i->wake, POLLIN, 0 },
		{ i->pidfd, POLLIN, 0 },
	};
	uint64_t drained;
	int n = poll(p, ARRAY_LEN(p), clock_left(deadline_ms));

	if (n == 0)
		return -1;
	if (p[0].revents)
		on_console(i);
	if (p[1].revents)
		qemu_monitor_read(i);
	if (p[2].revents)
		on_agent(i);
	if (p[3].revents)
		on_errors(i);
	if (p[4].revents)
		on_helper(i);
	if (p[5].revents && read(i->wake, &drained, sizeof(drained)) < 0)
		log_line("cloud: %s: %s", i->spec.id, strerror(errno));
	if (p[6].revents)
		i->exited = true;
	return 0;
}

static int say_to_agent(struct instance *i, const char *line)
{
	if (!i->agent_there || i->agent < 0)
		return -1;
	return os_write_all(i->agent, line, strlen(line));
}

static int sync_disks(struct instance *i, struct err *err)
{
	int64_t deadline = clock_ms() + SYNC_MS;

	i->synced = false;
	if (say_to_agent(i, "sync\n") < 0)
		return 0; /* it is not that far yet: nothing was written that matters */
	while (!i->synced && !i->exited)
		if (qemu_pump(i, deadline) < 0)
			return err_set(err, ERR_TIMEOUT,
				       "the instance does not write its data to its disks");
	return 0;
}

static int do_request(struct instance *i, struct request *r, struct err *err)
{
	switch (r->kind) {
	case REQUEST_ATTACH:
		return qemu_attach(i, &r->disk, err);
	case REQUEST_DETACH:
		return qemu_detach(i, r->disk.volume, err);
	case REQUEST_SYNC:
		return sync_disks(i, err);
	}
	abort();
}

/* Keeps the list of disks right, as a reboot starts a new machine with it. */
static void note_disk(struct instance *i, const struct request *r)
{
	if (r->kind == REQUEST_ATTACH)
		vec_push(&i->disks,
			 (struct instance_disk){ .device = arena_strdup(i->arena, r->disk.device),
						 .volume = arena_strdup(i->arena, r->disk.volume),
						 .path = arena_strdup(i->arena, r->disk.path) });
	for (size_t n = 0; r->kind == REQUEST_DETACH && n < i->disks.n; n++) {
		if (!streq(i->disks.v[n].volume, r->disk.volume))
			continue;
		vec_remove(&i->disks, n);
		break;
	}
}

/* Does the requests that wait; with `refuse` they are told that it is too late. */
static void do_requests(struct instance *i, bool refuse)
{
	struct backend *b = i->backend;

	for (;;) {
		struct request *r;

		pthread_mutex_lock(&b->lock);
		r = i->requests;
		if (r)
			i->requests = r->next;
		pthread_mutex_unlock(&b->lock);
		if (!r)
			return;
		if (refuse)
			err_set(&r->err, ERR_LOST, "the instance %s has stopped", i->spec.id);
		else if (do_request(i, r, &r->err) == 0)
			note_disk(i, r);
		pthread_mutex_lock(&b->lock);
		r->done = true;
		pthread_cond_broadcast(&b->changed);
		pthread_mutex_unlock(&b->lock);
	}
}

static unsigned take_asked(struct instance *i, unsigned what)
{
	unsigned asked;

	pthread_mutex_lock(&i->backend->lock);
	asked = i->asked & what;
	i->asked &= ~what;
	pthread_mutex_unlock(&i->backend->lock);
	return asked;
}

static void apply_ports(struct instance *i)
{
	auto_free struct instance_port *ports = NULL;
	size_t n;

	pthread_mutex_lock(&i->backend->lock);
	n = i->nports;
	ports = xcalloc(n + 1, sizeof(*ports));
	memcpy(ports, i->ports, n * sizeof(*ports));
	pthread_mutex_unlock(&i->backend->lock);
	qemu_set_forwards(i, ports, n);
}

static void turn_off(struct instance *i)
{
	AUTO(err) struct err ignored = ERR_INIT;

	if (qemu_monitor_simple(i, "quit", &ignored) < 0 && !i->exited)
		kill(i->pid, SIGKILL);
}

/* The life of one machine, from its monitor's greeting to its end. A stop waits for the guest to be
 * so far that it can be told.
 */
static void serve(struct instance *i)
{
	const char *wanted = NULL;
	int64_t deadline = CLOCK_NEVER;

	while (!i->exited) {
		unsigned asked = take_asked(i, ASK_STOP | ASK_FORCE | ASK_REBOOT | ASK_PORTS);

		if (asked & ASK_PORTS)
			apply_ports(i);
		if (asked & (ASK_STOP | ASK_REBOOT)) {
			wanted = asked & ASK_STOP ? "poweroff\n" : "reboot\n";
			i->stopping = i->stopping || asked & ASK_STOP;
			deadline = clock_ms() + STOP_MS;
		}
		if (wanted && say_to_agent(i, wanted) == 0)
			wanted = NULL;
		if (asked & ASK_FORCE || clock_ms() >= deadline) {
			i->stopping = i->stopping || asked & ASK_FORCE;
			i->reboots = true;
			deadline = CLOCK_NEVER;
			turn_off(i);
		} else {
			do_requests(i, false);
		}
		if (!i->exited)
			qemu_pump(i, deadline);
	}
}

static void close_machine(struct instance *i)
{
	int status;

	while (i->console >= 0 && qemu_pump(i, clock_ms() + 100) == 0 && i->console >= 0)
		;
	waitpid(i->pid, &status, 0);
	fd_close(&i->console);
	fd_close(&i->monitor);
	fd_close(&i->agent);
	fd_close(&i->errors);
	fd_close(&i->pidfd);
	buf_reset(&i->agent_in);
	qemu_monitor_reset(i);
	for (size_t n = 0; n < i->forwards.n; n++)
		free(i->forwards.v[n].host);
	i->forwards.n = 0;
	i->agent_there = i->exited = i->up = false;
}

/* One boot. 0 when the machine ended, -1 when it could not start. */
static int boot(struct instance *i, struct err *err)
{
	AUTO(qemu_kernel) struct qemu_kernel k = { 0 };
	const char *root = NULL;
	int ret;

	for (size_t n = 0; n < i->disks.n; n++)
		if (i->disks.v[n].root)
			root = i->disks.v[n].path;
	if (!root)
		return err_set(err, ERR_INVALID, "%s has no root volume", i->spec.id);
	if (disk_grow_root(root, err) < 0 ||
	    qemu_kernel_prepare(i->backend->kernels, root, &k, err) < 0 ||
	    qemu_spawn(i, &k, err) < 0)
		return -1;
	i->reboots = false;
	buf_reset(&i->error_text);
	ret = qemu_monitor_hello(i, err);
	if (ret == 0)
		serve(i);
	else if (!i->exited)
		kill(i->pid, SIGKILL);
	close_machine(i);
	if (ret < 0 && i->error_text.n)
		err_prefix(err, STR_FMT, STR_ARG(str_trim(buf_str(&i->error_text))));
	return ret;
}

void qemu_instance_free(struct instance *i)
{
	if (!i)
		return;
	fd_close(&i->wake);
	fd_close(&i->listener);
	buf_release(&i->monitor_in);
	buf_release(&i->agent_in);
	buf_release(&i->error_text);
	vec_release(&i->disks);
	vec_release(&i->forwards);
	free(i->ports);
	free(i->arrived);
	free(i->deleted);
	free(i->socket_name);
	arena_free(i->arena);
	free(i);
}

void *qemu_thread(void *data)
{
	struct instance *i = data;
	struct backend *b = i->backend;
	AUTO(err) struct err err = ERR_INIT;
	bool failed;

	do {
		failed = boot(i, &err) < 0;
		i->rebooted = true;
		pthread_mutex_lock(&b->lock);
		i->stopping = i->stopping || i->asked & (ASK_STOP | ASK_FORCE);
		i->asked |= ASK_PORTS;
		pthread_mutex_unlock(&b->lock);
	} while (!failed && i->reboots && !i->stopping);
	proxy_forget(b->proxy, i);

	pthread_mutex_lock(&b->lock);
	map_remove(&b->instances, str_from(i->spec.id));
	b->memory -= i->spec.memory;
	pthread_mutex_unlock(&b->lock);
	do_requests(i, true);
	tell(i, failed ? INSTANCE_FAILED : INSTANCE_DOWN, failed ? err.msg : NULL);
	qemu_instance_free(i);

	pthread_mutex_lock(&b->lock);
	b->threads--;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	return NULL;
}
