/* The qemu backend: needs no rights and no kernel feature, and is slow: the processor is emulated.
 *
 * Differences from the container backend: instances do not reach each other, and ports below 1024
 * are offered 10000 higher where this user may not listen on them.
 */
#include "base/os.h"
#include "base/str.h"
#include "cloud/disk/imagetool.h"
#include "cloud/guest.h"
#include "cloud/qemu/qemu.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define THREAD_STACK ((size_t)512 << 10)
/* Of the host's memory, in per cent, that all machines together may have. */
#define MEMORY_SHARE 75
#define GUEST_PROGRAM_MAX ((size_t)16 << 20)
#define AGENT_INPUT_MAX 65536 /* that the guest may send before a line ends */

static int qemu_probe(struct err *err)
{
	static const char *const programs[] = { "qemu-system-x86_64", "debugfs", "e2fsck" };

	for (size_t n = 0; n < ARRAY_LEN(programs); n++) {
		auto_free char *path = NULL;

		if (imagetool_find(programs[n], "the qemu backend", &path, err) < 0)
			return -1;
	}
	return 0;
}

static void backend_free(struct backend *b)
{
	proxy_free(b->proxy);
	relay_free(b->relay);
	map_release(&b->instances);
	pthread_cond_destroy(&b->changed);
	pthread_mutex_destroy(&b->lock);
	free((char *)b->config.data_dir);
	free(b->dir);
	free(b->kernels);
	free(b->helper);
	free(b);
}

static int write_helper(const char *path, struct err *err)
{
	AUTO(buf) struct buf program = BUF_INIT;
	auto_fd int fd = -1;

	if (guest_program(&fd, err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, errno, "reading the guest program");
	if (os_read_fd(fd, "the guest program", GUEST_PROGRAM_MAX, &program, err) < 0)
		return -1;
	return os_write_file(path, program.p, program.n, 0700, err);
}

static int qemu_open(const struct backend_config *c, struct backend **ret, struct err *err)
{
	struct backend *b = xcalloc(1, sizeof(*b));

	b->config = *c;
	b->config.data_dir = xstrdup(c->data_dir);
	b->dir = xasprintf("%s/qemu", c->data_dir);
	b->kernels = xasprintf("%s/kernels", b->dir);
	b->helper = xasprintf("%s/helper", b->dir);
	b->memory_limit = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) /
			  100 * MEMORY_SHARE;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	if (strpbrk(b->helper, " '\"\\")) {
		err_set(err, ERR_INVALID,
			"%s: the qemu backend cannot use a data directory with spaces or quotes in "
			"its name",
			c->data_dir);
		backend_free(b);
		return -1;
	}
	if (os_mkdir_all(b->kernels, 0700, err) < 0 || write_helper(b->helper, err) < 0 ||
	    relay_new(&b->relay, err) < 0) {
		backend_free(b);
		return -1;
	}
	b->proxy = proxy_new(c->net, b->relay);
	*ret = b;
	return 0;
}

/* Never NULL: a group without a rule opens none. */
static struct instance_port *copy_ports(const struct instance_port *p, size_t n)
{
	struct instance_port *copy = xcalloc(n + 1, sizeof(*copy));

	for (size_t k = 0; k < n; k++)
		copy[k] = p[k];
	return copy;
}

static void copy_spec(struct instance *i, const struct instance_spec *spec)
{
	struct arena *a = i->arena;

	i->spec = *spec;
	i->spec.id = arena_strdup(a, spec->id);
	i->spec.host_name = arena_strdup(a, spec->host_name);
	i->spec.mac = arena_strdup(a, spec->mac);
	i->spec.private_ip = arena_strdup(a, spec->private_ip);
	i->spec.public_ip = arena_strdup(a, spec->public_ip);
	i->spec.disks = NULL;
	i->spec.ports = NULL;
	for (size_t n = 0; n < spec->ndisks; n++)
		vec_push(&i->disks, (struct instance_disk){ arena_strdup(a, spec->disks[n].device),
							    arena_strdup(a, spec->disks[n].volume),
							    arena_strdup(a, spec->disks[n].path),
							    spec->disks[n].root });
	i->ports = copy_ports(spec->ports, spec->nports);
	i->nports = spec->nports;
}

static struct instance *instance_new(struct backend *b, const struct instance_spec *spec,
				     struct err *err)
{
	struct instance *i = xcalloc(1, sizeof(*i));
	char uuid[37];

	os_uuid(uuid);
	i->backend = b;
	i->arena = arena_new();
	i->pidfd = i->console = i->monitor = i->agent = i->errors = i->listener = -1;
	i->asked = ASK_PORTS;
	i->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	i->agent_in.max = AGENT_INPUT_MAX;
	i->socket_name = xasprintf("ingot-%s", uuid);
	copy_spec(i, spec);
	if (i->wake < 0)
		err_errno(err, errno, "starting %s", spec->id);
	else if (qemu_listen_helper(i->socket_name, &i->listener, err) == 0)
		return i;
	qemu_instance_free(i);
	return NULL;
}

static int start_thread(struct instance *i, struct err *err)
{
	pthread_attr_t attr;
	pthread_t thread;
	int failure;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	failure = pthread_create(&thread, &attr, qemu_thread, i);
	pthread_attr_destroy(&attr);
	return failure ? err_errno(err, failure, "starting a thread for %s", i->spec.id) : 0;
}

static int qemu_start(struct backend *b, const struct instance_spec *spec, struct err *err)
{
	struct instance *i = instance_new(b, spec, err);
	int ret = -1;

	if (!i)
		return -1;
	pthread_mutex_lock(&b->lock);
	if (b->memory + spec->memory > b->memory_limit) {
		err_set(err, ERR_AGAIN,
			"the memory limit of the qemu backend is hit: %llu MiB for all instances, "
			"%llu MiB are taken",
			(unsigned long long)b->memory_limit >> 20,
			(unsigned long long)b->memory >> 20);
	} else if (start_thread(i, err) == 0) {
		b->memory += spec->memory;
		b->threads++;
		map_sets(&b->instances, i->spec.id, i);
		ret = 0;
	}
	pthread_mutex_unlock(&b->lock);
	if (ret < 0)
		qemu_instance_free(i);
	return ret;
}

static void wake(struct instance *i)
{
	uint64_t one = 1;

	os_write_all(i->wake, &one, sizeof(one));
}

static struct instance *find(struct backend *b, const char *id, struct err *err)
{
	struct instance *i = map_gets(&b->instances, id);

	if (!i)
		err_set(err, ERR_NOT_FOUND, "the instance %s does not run", id);
	return i;
}

static int ask(struct backend *b, const char *id, unsigned what, struct err *err)
{
	struct instance *i;

	pthread_mutex_lock(&b->lock);
	i = find(b, id, err);
	if (i) {
		i->asked |= what;
		wake(i);
	}
	pthread_mutex_unlock(&b->lock);
	return i ? 0 : -1;
}

static int qemu_stop(struct backend *b, const char *id, bool force, struct err *err)
{
	return ask(b, id, force ? ASK_FORCE : ASK_STOP, err);
}

static int qemu_reboot(struct backend *b, const char *id, struct err *err)
{
	return ask(b, id, ASK_REBOOT, err);
}

static int qemu_set_ports(struct backend *b, const char *id, const struct instance_port *p,
			  size_t n, struct err *err)
{
	struct instance *i;

	pthread_mutex_lock(&b->lock);
	i = find(b, id, err);
	if (i) {
		free(i->ports);
		i->ports = copy_ports(p, n);
		i->nports = n;
		i->asked |= ASK_PORTS;
		wake(i);
	}
	pthread_mutex_unlock(&b->lock);
	return i ? 0 : -1;
}

/* Hands a request to the instance's thread and waits for its answer. */
static int request(struct backend *b, const char *id, struct request *r, struct err *err)
{
	struct request **last;
	struct instance *i;

	pthread_mutex_lock(&b->lock);
	i = find(b, id, err);
	if (!i) {
		pthread_mutex_unlock(&b->lock);
		return -1;
	}
	for (last = &i->requests; *last; last = &(*last)->next)
		;
	*last = r;
	wake(i);
	while (!r->done)
		pthread_cond_wait(&b->changed, &b->lock);
	pthread_mutex_unlock(&b->lock);
	return err_any(&r->err) ? err_move(err, &r->err) : 0;
}

static int qemu_attach_disk(struct backend *b, const char *id, const struct instance_disk *d,
			    struct err *err)
{
	struct request r = { .kind = REQUEST_ATTACH, .disk = *d, .err = ERR_INIT };

	return request(b, id, &r, err);
}

static int qemu_detach_disk(struct backend *b, const char *id, const char *volume, struct err *err)
{
	struct request r = { .kind = REQUEST_DETACH,
			     .disk.volume = (char *)volume,
			     .err = ERR_INIT };

	return request(b, id, &r, err);
}

static int qemu_sync(struct backend *b, const char *id, struct err *err)
{
	struct request r = { .kind = REQUEST_SYNC, .err = ERR_INIT };

	return request(b, id, &r, err);
}

static void qemu_close(struct backend *b)
{
	pthread_mutex_lock(&b->lock);
	for (size_t n = 0; n < map_len(&b->instances); n++) {
		struct instance *i = map_at(&b->instances, n);

		i->asked |= ASK_FORCE;
		wake(i);
	}
	while (b->threads)
		pthread_cond_wait(&b->changed, &b->lock);
	pthread_mutex_unlock(&b->lock);
	backend_free(b);
}

const struct backend_ops backend_qemu = {
	.name = "qemu",
	.probe = qemu_probe,
	.open = qemu_open,
	.start = qemu_start,
	.stop = qemu_stop,
	.reboot = qemu_reboot,
	.set_ports = qemu_set_ports,
	.attach = qemu_attach_disk,
	.detach = qemu_detach_disk,
	.sync = qemu_sync,
	.close = qemu_close,
};
