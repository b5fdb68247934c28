/* The container backend: instances are processes of this host in namespaces of their own, with loop
 * devices as their disks. Needs root; design and limits: docs/local-cloud-internals.md.
 */
#include "base/hash.h"
#include "base/log.h"
#include "base/os.h"
#include "cloud/container/container.h"
#include "cloud/container/mountfd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Names the control groups of a data directory. Caller frees. */
static char *data_key(const char *data_dir)
{
	auto_free char *real = realpath(data_dir, NULL);
	const char *path = real ? real : data_dir;
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	hash_sha256(path, strlen(path), digest);
	hash_hex(digest, SHA256_LEN, hex);
	return xasprintf("%.12s", hex);
}

void backend_clean(const char *data_dir)
{
	auto_free char *key = data_key(data_dir);

	cgroup_clean(key);
}

/* Can it work here? */

static int check_capabilities(struct err *err)
{
	static const struct {
		int number;
		const char *name;
	} needed[] = {
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" }, { CAP_MKNOD, "CAP_MKNOD" },
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN" }, { CAP_SYS_CHROOT, "CAP_SYS_CHROOT" },
		{ CAP_SETPCAP, "CAP_SETPCAP" },	    { CAP_KILL, "CAP_KILL" },
	};
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[2] = { { 0 } };
	AUTO(buf) struct buf missing = BUF_INIT;

	if (syscall(SYS_capget, &head, have) < 0)
		return err_errno(err, errno, "reading this process's capabilities");
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!(have[needed[i].number / 32].effective & (1u << needed[i].number % 32)))
			buf_printf(&missing, "%s%s", missing.n ? ", " : "", needed[i].name);
	if (missing.n)
		return err_set(err, ERR_UNSUPPORTED,
			       "the container backend needs root (%s missing): run as root, or "
			       "use -backend qemu",
			       buf_cstr(&missing));
	return 0;
}

static int open_host(struct host *h, struct err *err)
{
	static const struct mount_option small[] = { { "mode", "700" },
						     { "size", "256k" },
						     { NULL, NULL } };

	h->sys = mountfd_new("sysfs", NULL, MOUNT_ATTR_RDONLY, NULL);
	h->dev = mountfd_new("tmpfs", small, 0, NULL);
	if (h->sys >= 0 && h->dev >= 0)
		return 0;
	if (errno == ENOSYS)
		return err_set(err, ERR_UNSUPPORTED,
			       "the container backend needs Linux 5.11 or newer");
	return err_errno(err, errno, "mounting file systems for ingot itself");
}

static void close_host(struct host *h)
{
	fd_close(&h->sys);
	fd_close(&h->dev);
}
DEFINE_AUTO(host, struct host, close_host);

static int check_loops(const struct host *h, struct err *err)
{
	auto_fd int control = disk_open_control(h);

	return control < 0 ? err_set(err, ERR_UNSUPPORTED,
				     "no loop device: load the module `loop`, or pass "
				     "/dev/loop-control into this container")
			   : 0;
}

static int check_network(struct err *err)
{
	struct netns_link l = { .number = 1,
				.ip.s_addr = htonl(0x0a000002),
				.mac = { 2, 0, 0, 0, 0, 2 } };
	auto_fd int vpc = -1, instance = -1;

	if (netns_new_vpc(&vpc, err) < 0 || netns_new(&instance, err) < 0)
		return -1;
	return netns_link(vpc, instance, &l, err);
}

static int container_probe(struct err *err)
{
	AUTO(host) struct host h = { -1, -1 };
	struct cgroup_host *cgroups;

	if (check_capabilities(err) < 0 || open_host(&h, err) < 0 || check_loops(&h, err) < 0 ||
	    check_network(err) < 0)
		return -1;
	if (cgroup_host_open("probe", CGROUP_DEVICES_AUTO, &cgroups, err) < 0)
		return -1;
	cgroup_host_close(cgroups);
	return 0;
}

/* Opening and closing */

static void backend_free(struct backend *b)
{
	proxy_free(b->proxy);
	relay_free(b->relay);
	cgroup_host_close(b->cgroups);
	close_host(&b->host);
	for (size_t i = 0; i < map_len(&b->vpcs); i++)
		close((int)(intptr_t)map_at(&b->vpcs, i) - 1);
	map_release(&b->vpcs);
	map_release(&b->instances);
	pthread_cond_destroy(&b->ended);
	pthread_mutex_destroy(&b->lock);
	free((char *)b->config.data_dir);
	free(b->key);
	free(b);
}

static int container_open(const struct backend_config *c, struct backend **ret, struct err *err)
{
	struct backend *b = xcalloc(1, sizeof(*b));

	b->config = *c;
	b->config.data_dir = xstrdup(c->data_dir);
	b->key = data_key(c->data_dir);
	b->host = (struct host){ -1, -1 };
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->ended, NULL);
	if (open_host(&b->host, err) < 0 || relay_new(&b->relay, err) < 0 ||
	    cgroup_host_open(b->key, CGROUP_DEVICES_AUTO, &b->cgroups, err) < 0) {
		backend_free(b);
		return -1;
	}
	b->proxy = proxy_new(c->net, b->relay);
	*ret = b;
	return 0;
}

static void container_close(struct backend *b)
{
	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	b->stopping = true;
	for (size_t i = 0; i < map_len(&b->instances); i++)
		machine_ask(map_at(&b->instances, i), ASK_STOP | ASK_SOON);
	while (b->threads)
		pthread_cond_wait(&b->ended, &b->lock);
	pthread_mutex_unlock(&b->lock);
	backend_free(b);
}

/* Instances */

/* The namespace of a VPC; made when its first instance comes. The lock is held. */
static int find_vpc(struct backend *b, const char *name, int *ret, struct err *err)
{
	void *have = map_gets(&b->vpcs, name);

	if (!have) {
		if (netns_new_vpc(ret, err) < 0)
			return -1;
		map_sets(&b->vpcs, name, (void *)(intptr_t)(*ret + 1));
		return 0;
	}
	*ret = (int)(intptr_t)have - 1;
	return 0;
}

static int launch(struct backend *b, struct machine *i, const char *vpc, struct err *err)
{
	pthread_t thread;

	if (b->stopping)
		return err_set(err, ERR_CANCELLED, "the local cloud is stopping");
	if (map_gets(&b->instances, i->id))
		return err_set(err, ERR_EXISTS, "it runs already");
	if (find_vpc(b, vpc, &i->vpc, err) < 0)
		return -1;
	i->link.number = ++b->links;
	map_sets(&b->instances, i->id, i);
	if (pthread_create(&thread, NULL, machine_thread, i) != 0) {
		map_remove(&b->instances, str_from(i->id));
		return err_set(err, ERR_IO, "no thread for it");
	}
	pthread_detach(thread);
	b->threads++;
	return 0;
}

static int container_start(struct backend *b, const struct instance_spec *spec, struct err *err)
{
	struct machine *i = machine_new(b, spec, err);
	int ret;

	if (!i)
		return err_prefix(err, "instance %s", spec->id);
	pthread_mutex_lock(&b->lock);
	ret = launch(b, i, spec->vpc ? spec->vpc : "", err);
	pthread_mutex_unlock(&b->lock);
	if (ret == 0)
		return 0;
	machine_free(i);
	return err_prefix(err, "instance %s", spec->id);
}

static int ask(struct backend *b, const char *id, unsigned what, struct err *err)
{
	struct machine *i;

	pthread_mutex_lock(&b->lock);
	i = map_gets(&b->instances, id);
	if (i)
		machine_ask(i, what);
	pthread_mutex_unlock(&b->lock);
	return i ? 0 : err_set(err, ERR_NOT_FOUND, "instance %s does not run", id);
}

static int container_stop(struct backend *b, const char *id, bool force, struct err *err)
{
	return ask(b, id, force ? ASK_FORCE : ASK_STOP, err);
}

static int container_reboot(struct backend *b, const char *id, struct err *err)
{
	return ask(b, id, ASK_REBOOT, err);
}

/* Finds it and takes its lock, which the caller releases. */
static struct machine *find_locked(struct backend *b, const char *id, struct err *err)
{
	struct machine *i;

	pthread_mutex_lock(&b->lock);
	i = map_gets(&b->instances, id);
	if (i)
		pthread_mutex_lock(&i->lock);
	pthread_mutex_unlock(&b->lock);
	if (i && i->closing) {
		pthread_mutex_unlock(&i->lock);
		i = NULL;
	}
	if (!i)
		err_set(err, ERR_NOT_FOUND, "instance %s does not run", id);
	return i;
}

static int container_set_ports(struct backend *b, const char *id, const struct instance_port *p,
			       size_t n, struct err *err)
{
	struct machine *i = find_locked(b, id, err);
	int ret;

	if (!i)
		return -1;
	ret = machine_set_ports(i, p, n, err);
	pthread_mutex_unlock(&i->lock);
	return ret < 0 ? err_prefix(err, "instance %s", id) : 0;
}

static int container_attach(struct backend *b, const char *id, const struct instance_disk *d,
			    struct err *err)
{
	struct machine *i = find_locked(b, id, err);
	int ret;

	if (!i)
		return -1;
	ret = machine_add_disk(i, d, err);
	pthread_mutex_unlock(&i->lock);
	return ret < 0 ? err_prefix(err, "instance %s", id) : 0;
}

static int container_detach(struct backend *b, const char *id, const char *volume, struct err *err)
{
	struct machine *i = find_locked(b, id, err);
	size_t at = 0;
	int ret;

	if (!i)
		return -1;
	while (at < i->nvolumes && !streq(i->volumes[at].volume, volume))
		at++;
	if (at == i->nvolumes)
		ret = err_set(err, ERR_NOT_FOUND, "volume %s is not attached", volume);
	else
		ret = machine_remove_disk(i, at, err);
	pthread_mutex_unlock(&i->lock);
	return ret < 0 ? err_prefix(err, "instance %s", id) : 0;
}

static int container_sync(struct backend *b, const char *id, struct err *err)
{
	struct machine *i = find_locked(b, id, err);

	if (!i)
		return -1;
	machine_sync(i);
	pthread_mutex_unlock(&i->lock);
	return 0;
}

const struct backend_ops backend_container = {
	.name = "container",
	.probe = container_probe,
	.open = container_open,
	.start = container_start,
	.stop = container_stop,
	.reboot = container_reboot,
	.set_ports = container_set_ports,
	.attach = container_attach,
	.detach = container_detach,
	.sync = container_sync,
	.close = container_close,
};
