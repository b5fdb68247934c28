/* Disks of an instance: nodes in its /dev, rules in its control group, and partitions that are made
 * inside.
 *
 * Nodes are made through the descriptor of the tmpfs: no path of the instance is followed.
 */
#include "base/log.h"
#include "base/os.h"
#include "cloud/container/container.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define CLOSE_LIMIT_MS 10000
#define DISK_GROUP 6 /* "disk" in Debian and Red Hat alike */

/* EC2's name of a device to the one inside: "/dev/sdf" and "xvdf" are xvdf, "/dev/sda1" is xvda. */
static bool node_name(const char *device, char **ret_name, char **ret_alias)
{
	const char *base = os_basename(device);
	size_t n = strlen(base);

	if (n == 0 || n > 31 || strspn(base, "abcdefghijklmnopqrstuvwxyz0123456789") != n)
		return false;
	if (starts_with(base, "nvme")) {
		*ret_name = xstrdup(base);
		*ret_alias = NULL;
		return true;
	}
	if (!starts_with(base, "sd") && !starts_with(base, "xvd") && !starts_with(base, "hd"))
		return false;
	base += starts_with(base, "xvd") ? 3 : 2;
	n = strspn(base, "abcdefghijklmnopqrstuvwxyz");
	if (n == 0)
		return false;
	*ret_name = xasprintf("xvd%.*s", (int)n, base);
	*ret_alias = xasprintf("sd%.*s", (int)n, base);
	return true;
}

/* "xvdf1", "nvme1n1p1"; number 0 is the whole disk. */
static void partition_name(const char *disk, unsigned number, char out[48])
{
	size_t n = strlen(disk);
	bool digit = n && disk[n - 1] >= '0' && disk[n - 1] <= '9';

	if (number)
		snprintf(out, 48, "%s%s%u", disk, digit ? "p" : "", number);
	else
		snprintf(out, 48, "%s", disk);
}

static int make_node(struct machine *i, const struct machine_volume *v, unsigned number, dev_t dev,
		     struct err *err)
{
	char name[48], alias[48];

	if (cgroup_allow(i->cgroup, dev, true, err) < 0)
		return -1;
	partition_name(v->name, number, name);
	unlinkat(i->dev, name, 0);
	if (mknodat(i->dev, name, S_IFBLK | 0660, dev) < 0 || fchmodat(i->dev, name, 0660, 0) < 0 ||
	    fchownat(i->dev, name, 0, DISK_GROUP, 0) < 0)
		return err_errno(err, errno, "making the node /dev/%s", name);
	if (!v->alias)
		return 0;
	partition_name(v->alias, number, alias);
	unlinkat(i->dev, alias, 0);
	if (symlinkat(name, i->dev, alias) < 0)
		return err_errno(err, errno, "making the link /dev/%s", alias);
	return 0;
}

static void remove_node(struct machine *i, const struct machine_volume *v, unsigned number,
			dev_t dev)
{
	AUTO(err) struct err err = ERR_INIT;
	char name[48];

	if (i->cgroup && cgroup_allow(i->cgroup, dev, false, &err) < 0)
		log_line("local cloud: %s: %s", i->id, err.msg);
	if (i->dev < 0)
		return;
	partition_name(v->name, number, name);
	unlinkat(i->dev, name, 0);
	if (v->alias) {
		partition_name(v->alias, number, name);
		unlinkat(i->dev, name, 0);
	}
}

static int make_disk_nodes(struct machine *i, const struct machine_volume *v, struct err *err)
{
	if (make_node(i, v, 0, v->disk.dev, err) < 0)
		return -1;
	for (size_t n = 0; n < v->disk.nparts; n++)
		if (make_node(i, v, v->disk.parts[n].p.number, v->disk.parts[n].dev, err) < 0)
			return -1;
	return 0;
}

int machine_make_nodes(struct machine *i, struct err *err)
{
	for (size_t n = 0; n < i->nvolumes; n++)
		if (make_disk_nodes(i, &i->volumes[n], err) < 0)
			return -1;
	return 0;
}

static void volume_release(struct machine_volume *v)
{
	free(v->volume);
	free(v->name);
	free(v->alias);
	*v = (struct machine_volume){ .disk.fd = -1 };
}

int machine_add_disk(struct machine *i, const struct instance_disk *d, struct err *err)
{
	struct machine_volume v = { .root = d->root, .disk.fd = -1 };

	if (i->nvolumes == MACHINE_DISKS_MAX)
		return err_set(err, ERR_INVALID, "an instance has at most %d volumes",
			       MACHINE_DISKS_MAX);
	if (!node_name(d->device, &v.name, &v.alias))
		return err_set(err, ERR_INVALID,
			       "%s is no name for a volume's device: use /dev/sdf to /dev/sdz",
			       d->device);
	v.volume = xstrdup(d->volume);
	for (size_t n = 0; n < i->nvolumes; n++) {
		if (streq(i->volumes[n].name, v.name)) {
			err_set(err, ERR_EXISTS, "%s is in use by volume %s", d->device,
				i->volumes[n].volume);
			goto failed;
		}
	}
	if (disk_open(&i->backend->host, d->path, &v.disk, err) < 0) {
		err_prefix(err, "volume %s", d->volume);
		goto failed;
	}
	if (i->cgroup && i->dev >= 0 && make_disk_nodes(i, &v, err) < 0)
		goto failed;
	i->volumes[i->nvolumes++] = v;
	return 0;
failed:
	disk_close(&i->backend->host, &v.disk, CLOSE_LIMIT_MS);
	volume_release(&v);
	return -1;
}

int machine_remove_disk(struct machine *i, size_t at, struct err *err)
{
	struct machine_volume *v = &i->volumes[at];
	bool released;

	if (!disk_is_idle(&i->backend->host, &v->disk))
		return err_set(err, ERR_AGAIN, "volume %s is mounted in the instance", v->volume);
	for (size_t n = 0; n < v->disk.nparts; n++)
		remove_node(i, v, v->disk.parts[n].p.number, v->disk.parts[n].dev);
	remove_node(i, v, 0, v->disk.dev);
	released = disk_close(&i->backend->host, &v->disk, CLOSE_LIMIT_MS);
	if (!released)
		err_set(err, ERR_TIMEOUT,
			"volume %s is still held open by a process of the instance", v->volume);
	volume_release(v);
	memmove(v, v + 1, (--i->nvolumes - at) * sizeof(*v));
	return released ? 0 : -1;
}

void machine_sync(struct machine *i)
{
	/* Flushing a device also writes back the file system that is mounted from it. */
	for (size_t n = 0; n < i->nvolumes; n++) {
		const struct disk *d = &i->volumes[n].disk;

		for (size_t k = 0; k < d->nparts; k++) {
			auto_fd int fd = disk_open_node(&i->backend->host, d->parts[k].dev,
							O_RDONLY);

			if (fd >= 0 && ioctl(fd, BLKFLSBUF) < 0)
				log_line("local cloud: %s: writing back %s: %m", i->id,
					 i->volumes[n].volume);
		}
		if (ioctl(d->fd, BLKFLSBUF) < 0)
			log_line("local cloud: %s: writing back %s: %m", i->id,
				 i->volumes[n].volume);
	}
}

/* What the kernel has changed: nodes follow. The lock is held. */
static void update_nodes(struct machine *i, struct machine_volume *v, const struct disk *before)
{
	AUTO(err) struct err err = ERR_INIT;

	for (size_t n = 0; n < before->nparts; n++) {
		bool stays = false;

		for (size_t k = 0; k < v->disk.nparts; k++)
			stays |= v->disk.parts[k].p.number == before->parts[n].p.number &&
				 v->disk.parts[k].dev == before->parts[n].dev;
		if (!stays)
			remove_node(i, v, before->parts[n].p.number, before->parts[n].dev);
	}
	if (make_disk_nodes(i, v, &err) < 0)
		log_line("local cloud: %s: %s", i->id, err.msg);
}

/* Partitions as one BLKPG call of the guest wants them. Gives an errno. */
static int one_partition(const struct seccomp_notif *q, struct disk *d)
{
	struct blkpg_ioctl_arg call;
	struct blkpg_partition p;
	struct iovec here = { &call, sizeof(call) },
		     there = { (void *)(uintptr_t)q->data.args[2], sizeof(call) };

	if (process_vm_readv((pid_t)q->pid, &here, 1, &there, 1, 0) != sizeof(call))
		return EFAULT;
	here = (struct iovec){ &p, sizeof(p) };
	there = (struct iovec){ call.data, sizeof(p) };
	if (process_vm_readv((pid_t)q->pid, &here, 1, &there, 1, 0) != sizeof(p))
		return EFAULT;
	call.data = &p;
	call.datalen = sizeof(p);
	return ioctl(d->fd, BLKPG, &call) < 0 ? errno : 0;
}

/* Gives an errno. The lock is held. */
static int do_ioctl(struct machine *i, const struct seccomp_notif *q)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/fd/%d", q->pid, (int)q->data.args[0]);
	if (stat(path, &st) < 0)
		return EBADF;
	if (!S_ISBLK(st.st_mode))
		return ENOTTY;
	for (size_t n = 0; n < i->nvolumes; n++) {
		struct machine_volume *v = &i->volumes[n];
		struct disk before = v->disk;
		int ret;

		if (v->disk.dev != st.st_rdev)
			continue;
		if ((unsigned)q->data.args[1] == BLKPG) {
			ret = one_partition(q, &v->disk);
			disk_read_partitions(&i->backend->host, &v->disk);
		} else {
			ret = disk_sync_partitions(&i->backend->host, &v->disk);
		}
		update_nodes(i, v, &before);
		return ret;
	}
	return EINVAL; /* of a partition: as the kernel says */
}

void machine_answer_ioctl(struct machine *i)
{
	struct seccomp_notif q = { 0 };
	struct seccomp_notif_resp a = { 0 };

	if (ioctl(i->notify, SECCOMP_IOCTL_NOTIF_RECV, &q) < 0)
		return;
	a.id = q.id;
	pthread_mutex_lock(&i->lock);
	a.error = -do_ioctl(i, &q);
	pthread_mutex_unlock(&i->lock);
	/* Fails when the caller is gone: nobody waits. */
	if (ioctl(i->notify, SECCOMP_IOCTL_NOTIF_SEND, &a) < 0 && errno != ENOENT)
		log_line("local cloud: %s: answering an ioctl: %m", i->id);
}
