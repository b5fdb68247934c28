/* An instance's thread: it holds disks and network while the instance exists, boots it, feeds its
 * console and its ioctls, ends it, and tells when its volumes are free.
 *
 * pid 1 is the child of this thread and dies with it, so this thread ends after pid 1 only.
 */
#include "base/clock.h"
#include "base/log.h"
#include "cloud/container/container.h"
#include "cloud/disk/diskedit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* systemd's signals of power-off and reboot; the guest program knows them too. */
#define SIGNAL_STOP (SIGRTMIN + 4)
#define SIGNAL_REBOOT (SIGRTMIN + 5)
/* A pid 1 that has no handler yet does not get a signal: it is sent again. */
#define SIGNAL_AGAIN_MS 200
#define STOP_LIMIT_MS 30000
#define SOON_LIMIT_MS 4000 /* when the whole cloud stops */
#define DISK_LIMIT_MS 10000

struct machine *machine_new(struct backend *b, const struct instance_spec *spec, struct err *err)
{
	struct machine *i = xcalloc(1, sizeof(*i));
	struct arena *a = arena_new();

	i->backend = b;
	i->arena = a;
	i->id = arena_strdup(a, spec->id);
	i->host_name = arena_strdup(a, spec->host_name ? spec->host_name : spec->id);
	i->memory = spec->memory;
	i->netns = i->vpc = i->dev = i->pidfd = i->console = i->tty = i->notify = -1;
	pthread_mutex_init(&i->lock, NULL);
	i->want = arena_new_array(a, struct instance_disk, spec->ndisks + 1);
	for (i->nwant = 0; i->nwant < spec->ndisks; i->nwant++) {
		const struct instance_disk *d = &spec->disks[i->nwant];

		i->want[i->nwant] = (struct instance_disk){ arena_strdup(a, d->device),
							    arena_strdup(a, d->volume),
							    arena_strdup(a, d->path), d->root };
	}
	for (size_t n = 0; n < spec->nports; n++)
		vec_push(&i->want_ports, spec->ports[n]);
	i->ask_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (i->ask_fd < 0)
		err_errno(err, errno, "starting %s", i->id);
	else if (!netns_parse_mac(spec->mac, i->link.mac))
		err_set(err, ERR_INVALID, "%s is no MAC address",
			spec->mac ? spec->mac : "nothing");
	else if (!spec->private_ip || inet_pton(AF_INET, spec->private_ip, &i->private_ip) != 1)
		err_set(err, ERR_INVALID, "%s is no private address",
			spec->private_ip ? spec->private_ip : "nothing");
	else if (spec->public_ip && inet_pton(AF_INET, spec->public_ip, &i->public_ip) != 1)
		err_set(err, ERR_INVALID, "%s is no public address", spec->public_ip);
	if (err_any(err)) {
		machine_free(i);
		return NULL;
	}
	i->link.ip = i->private_ip;
	return i;
}

void machine_free(struct machine *i)
{
	if (!i)
		return;
	fd_close(&i->ask_fd);
	map_release(&i->refused);
	vec_release(&i->want_ports);
	pthread_mutex_destroy(&i->lock);
	arena_free(i->arena);
	free(i);
}

void machine_ask(struct machine *i, unsigned what)
{
	uint64_t one = 1;

	atomic_fetch_or(&i->asked, what);
	if (write(i->ask_fd, &one, sizeof(one)) < 0)
		log_line("local cloud: %s: %m", i->id);
}

static void tell(struct machine *i, enum instance_event e, const char *text)
{
	const struct instance_events *ev = &i->backend->config.events;

	if (ev->on_event)
		ev->on_event(ev->data, i->id, e, text);
}

/* What it holds from start to end */

static void imds_accepted(void *data, int fd)
{
	struct machine *i = data;
	const struct instance_events *ev = &i->backend->config.events;

	if (ev->on_imds && fcntl(fd, F_SETFL, 0) == 0)
		ev->on_imds(ev->data, i->id, fd);
	else
		close(fd);
}

static void host_refused(void *data, const char *host)
{
	struct machine *i = data;
	const struct instance_events *ev = &i->backend->config.events;
	bool again;

	pthread_mutex_lock(&i->lock);
	again = map_has(&i->refused, str_from(host));
	map_sets(&i->refused, host, i);
	pthread_mutex_unlock(&i->lock);
	if (ev->on_refused && !again)
		ev->on_refused(ev->data, i->id, host);
}

static void web_accepted(void *data, int fd)
{
	struct machine *i = data;
	struct proxy_client c = { i, host_refused, i };

	proxy_serve(i->backend->proxy, &c, fd);
}

static int listen_inside(struct machine *i, uint16_t port, void (*accepted)(void *, int),
			 struct relay_listener **ret, struct err *err)
{
	int fd;

	if (netns_listen(i->vpc, &i->link, port, &fd, err) < 0)
		return -1;
	*ret = relay_listen(i->backend->relay, i, fd, accepted, i);
	return 0;
}

static int hold_network(struct machine *i, struct err *err)
{
	int ret;

	if (netns_new(&i->netns, err) < 0 || netns_link(i->vpc, i->netns, &i->link, err) < 0)
		return -1;
	i->linked = true;
	if (listen_inside(i, 80, imds_accepted, &i->imds, err) < 0 ||
	    listen_inside(i, PROXY_PORT, web_accepted, &i->web, err) < 0)
		return -1;
	i->booted_ms = clock_ms();
	pthread_mutex_lock(&i->lock);
	i->has_address = true;
	ret = machine_open_ports(i, err);
	pthread_mutex_unlock(&i->lock);
	return ret;
}

/* As images on EC2 do at their first boot. One that cannot be grown is used as it is. */
static void grow_root(const struct machine *i)
{
	AUTO(err) struct err err = ERR_INIT;

	for (size_t n = 0; n < i->nwant; n++)
		if (i->want[n].root && disk_grow_root(i->want[n].path, &err) < 0)
			log_line("local cloud: %s: %s", i->id, err.msg);
}

static int hold(struct machine *i, struct err *err)
{
	int ret = 0;

	grow_root(i);
	pthread_mutex_lock(&i->lock);
	for (size_t n = 0; ret == 0 && n < i->nwant; n++)
		ret = machine_add_disk(i, &i->want[n], err);
	pthread_mutex_unlock(&i->lock);
	return ret < 0 ? -1 : hold_network(i, err);
}

static void release_network(struct machine *i)
{
	pthread_mutex_lock(&i->lock);
	i->closing = true;
	pthread_mutex_unlock(&i->lock);
	machine_close_ports(i);
	relay_unlisten(i->backend->relay, i->imds);
	relay_unlisten(i->backend->relay, i->web);
	i->imds = i->web = NULL;
	proxy_forget(i->backend->proxy, i);
	relay_forget(i->backend->relay, i);
	if (i->linked)
		netns_unlink(i->vpc, &i->link);
	fd_close(&i->netns);
}

/* The file systems go a moment after the last process: what they still write must be in the
 * volumes. */
static void await_idle(struct machine *i)
{
	int64_t end = clock_ms() + DISK_LIMIT_MS;

	for (size_t n = 0; n < i->nvolumes; n++) {
		while (!disk_is_idle(&i->backend->host, &i->volumes[n].disk)) {
			if (clock_ms() > end) {
				log_line("local cloud: %s: volume %s is still mounted", i->id,
					 i->volumes[n].volume);
				return;
			}
			clock_sleep(1, NULL);
		}
	}
}

static void release_disks(struct machine *i)
{
	await_idle(i);
	pthread_mutex_lock(&i->lock);
	while (i->nvolumes) {
		AUTO(err) struct err err = ERR_INIT;

		if (machine_remove_disk(i, i->nvolumes - 1, &err) < 0) {
			log_line("local cloud: %s: %s", i->id, err.msg);
			if (err.code == ERR_AGAIN)
				break;
		}
	}
	pthread_mutex_unlock(&i->lock);
}

/* After pid 1 has ended. */
static void clear_boot(struct machine *i)
{
	pthread_mutex_lock(&i->lock);
	fd_close(&i->pidfd);
	fd_close(&i->tty);
	fd_close(&i->console);
	fd_close(&i->notify);
	fd_close(&i->dev);
	cgroup_free(steal(i->cgroup));
	pthread_mutex_unlock(&i->lock);
}

/* While it runs */

static bool read_console(struct machine *i)
{
	const struct instance_events *ev = &i->backend->config.events;
	char bytes[4096];
	ssize_t n = read(i->console, bytes, sizeof(bytes));

	if (n > 0 && ev->on_console)
		ev->on_console(ev->data, i->id, bytes, (size_t)n);
	return n > 0;
}

/* A request under way: which signal, until when it may take. */
struct ending {
	int signal; /* 0: none */
	bool reboot;
	int64_t again_ms, limit_ms;
};

static void take_requests(struct machine *i, struct ending *e)
{
	unsigned asked = atomic_exchange(&i->asked, 0);
	uint64_t n;

	if (read(i->ask_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_line("local cloud: %s: %m", i->id);
	if (asked & ASK_FORCE) {
		e->reboot = false;
		pidfd_send_signal(i->pidfd, SIGKILL, NULL, 0);
		return;
	}
	if (!(asked & (ASK_STOP | ASK_REBOOT)))
		return;
	*e = (struct ending){ .signal = asked & ASK_STOP ? SIGNAL_STOP : SIGNAL_REBOOT,
			      .reboot = !(asked & ASK_STOP),
			      .again_ms = clock_ms(),
			      .limit_ms = clock_ms() +
					  (asked & ASK_SOON ? SOON_LIMIT_MS : STOP_LIMIT_MS) };
}

static void press(struct machine *i, struct ending *e)
{
	int64_t now = clock_ms();

	if (!e->signal || now < e->again_ms)
		return;
	if (now >= e->limit_ms) {
		log_line("local cloud: %s does not stop by itself: killed", i->id);
		pidfd_send_signal(i->pidfd, SIGKILL, NULL, 0);
		e->again_ms = CLOCK_NEVER;
		return;
	}
	pidfd_send_signal(i->pidfd, e->signal, NULL, 0);
	e->again_ms = now + SIGNAL_AGAIN_MS;
}

/* Until pid 1 has ended. True: it is to be started again. */
static bool watch(struct machine *i)
{
	struct ending e = { .again_ms = CLOCK_NEVER };
	siginfo_t info = { 0 };
	bool stopping;

	for (;;) {
		struct pollfd p[] = { { .fd = i->pidfd, .events = POLLIN },
				      { .fd = i->ask_fd, .events = POLLIN },
				      { .fd = i->console, .events = POLLIN },
				      { .fd = i->notify, .events = POLLIN } };

		if (poll(p, ARRAY_LEN(p), clock_left(e.signal ? e.again_ms : CLOCK_NEVER)) < 0 &&
		    errno != EINTR)
			break;
		if (p[1].revents)
			take_requests(i, &e);
		if (p[2].revents & POLLIN)
			read_console(i);
		if (p[3].revents & POLLIN)
			machine_answer_ioctl(i);
		else if (p[3].revents)
			fd_close(&i->notify);
		if (p[0].revents)
			break;
		press(i, &e);
	}
	while (read_console(i))
		;
	waitid(P_PIDFD, (id_t)i->pidfd, &info, WEXITED | __WALL);
	log_line("local cloud: %s: pid 1 ended: %s %d", i->id,
		 info.si_code == CLD_EXITED ? "status" : "signal", info.si_status);
	stopping = (e.signal && !e.reboot) || (atomic_load(&i->asked) & (ASK_STOP | ASK_FORCE));
	/* reboot(2) inside ends pid 1 by SIGHUP when it was a restart (pid_namespaces(7)). */
	return !stopping && (e.reboot || (info.si_code != CLD_EXITED && info.si_status == SIGHUP));
}

/* INSTANCE_DOWN or INSTANCE_FAILED is told by the caller. */
static int live(struct machine *i, struct err *err)
{
	enum instance_event up = INSTANCE_UP;

	for (;;) {
		bool again;

		i->booted_ms = clock_ms();
		if (machine_boot(i, err) < 0) {
			clear_boot(i);
			return -1;
		}
		tell(i, up, NULL);
		again = watch(i);
		clear_boot(i);
		if (!again)
			return 0;
		relay_forget_connections(i->backend->relay, i);
		await_idle(i);
		up = INSTANCE_REBOOT;
	}
}

void *machine_thread(void *data)
{
	struct machine *i = data;
	struct backend *b = i->backend;
	AUTO(err) struct err err = ERR_INIT;
	int ret = unshare(CLONE_FS);

	if (ret < 0)
		err_errno(&err, errno, "starting the instance's thread");
	else if ((ret = hold(i, &err)) == 0)
		ret = live(i, &err);
	release_network(i);
	release_disks(i);
	/* It may be started again from within the event: it is not in the table any more. */
	pthread_mutex_lock(&b->lock);
	map_remove(&b->instances, str_from(i->id));
	pthread_mutex_unlock(&b->lock);
	tell(i, ret < 0 ? INSTANCE_FAILED : INSTANCE_DOWN, err.msg);
	pthread_mutex_lock(&i->lock); /* a caller that found it before may not be done */
	pthread_mutex_unlock(&i->lock);
	machine_free(i);
	pthread_mutex_lock(&b->lock);
	b->threads--;
	pthread_cond_broadcast(&b->ended);
	pthread_mutex_unlock(&b->lock);
	return NULL;
}
