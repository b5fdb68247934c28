/* Loop devices and their partitions.
 *
 * The kernel may have no partition parser, and udev or devtmpfs may be missing where ingot runs; so
 * the table is parsed here, partitions are added by BLKPG, numbers are read from a sysfs and nodes
 * are made in a tmpfs that are ingot's own.
 */
#include "base/clock.h"
#include "cloud/container/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define LOOP_CONTROL makedev(10, 237)
#define ATTACH_TRIES 50

static int open_new_node(const struct host *h, mode_t kind, dev_t dev, int flags)
{
	char name[32];
	int fd, saved;

	snprintf(name, sizeof(name), ".%x.%x.%x", major(dev), minor(dev), (unsigned)gettid());
	unlinkat(h->dev, name, 0);
	if (mknodat(h->dev, name, kind | 0600, dev) < 0)
		return -1;
	fd = openat(h->dev, name, flags | O_CLOEXEC);
	saved = errno;
	unlinkat(h->dev, name, 0);
	errno = saved;
	return fd;
}

int disk_open_node(const struct host *h, dev_t dev, int flags)
{
	return open_new_node(h, S_IFBLK, dev, flags);
}

int disk_open_control(const struct host *h)
{
	return open_new_node(h, S_IFCHR, LOOP_CONTROL, O_RDWR);
}

/* A number "MAJOR:MINOR" or a plain one of a sysfs file. */
static bool read_sys(const struct host *h, const char *path, char *text, size_t n)
{
	auto_fd int fd = openat(h->sys, path, O_RDONLY | O_CLOEXEC);
	ssize_t r = fd >= 0 ? read(fd, text, n - 1) : -1;

	if (r < 0)
		return false;
	text[r] = '\0';
	return true;
}

static bool read_dev(const struct host *h, const char *path, dev_t *ret)
{
	unsigned a, b;
	char text[32];

	if (!read_sys(h, path, text, sizeof(text)) || sscanf(text, "%u:%u", &a, &b) != 2)
		return false;
	*ret = makedev(a, b);
	return true;
}

static bool read_u64(const struct host *h, const char *path, uint64_t *ret)
{
	char text[32];

	return read_sys(h, path, text, sizeof(text)) && parse_u64(str_trim(str_from(text)), ret);
}

/* 0, or -1 with errno: EBUSY when somebody else took the number first. */
static int configure(const struct host *h, unsigned number, int file, const char *path,
		     struct disk *d)
{
	struct loop_config c = { .fd = (uint32_t)file,
				 .block_size = 512,
				 .info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN };
	size_t n = strlen(path), keep = sizeof(c.info.lo_file_name) - 1;
	char name[64];
	auto_fd int fd = -1;

	snprintf(name, sizeof(name), "block/loop%u/dev", number);
	if (!read_dev(h, name, &d->dev))
		return -1;
	fd = disk_open_node(h, d->dev, O_RDWR);
	if (fd < 0)
		return -1;
	memcpy(c.info.lo_file_name, n > keep ? path + n - keep : path, MIN(n, keep));
	if (ioctl(fd, LOOP_CONFIGURE, &c) < 0)
		return -1;
	d->number = number;
	d->fd = steal_fd(fd);
	return 0;
}

static int attach(const struct host *h, int file, const char *path, struct disk *d, struct err *err)
{
	auto_fd int control = disk_open_control(h);

	if (control < 0)
		return err_errno(err, errno,
				 "no loop device: load the module `loop`, or pass "
				 "/dev/loop-control into this container");
	for (int i = 0; i < ATTACH_TRIES; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			return err_errno(err, errno, "no free loop device");
		if (configure(h, (unsigned)number, file, path, d) == 0)
			return 0;
		if (errno != EBUSY && errno != ENOENT && errno != ENXIO)
			return err_errno(err, errno, "attaching %s to loop%d", path, number);
		/* Another process took it, or the kernel is not done making it. */
		clock_sleep(1, NULL);
	}
	return err_set(err, ERR_AGAIN, "no free loop device after %d tries", ATTACH_TRIES);
}

int disk_open(const struct host *h, const char *path, struct disk *ret, struct err *err)
{
	auto_fd int file = open(path, O_RDWR | O_CLOEXEC);
	struct disk d = { .fd = -1 };
	int e;

	if (file < 0)
		return err_errno(err, errno, "opening %s", path);
	if (attach(h, file, path, &d, err) < 0)
		return -1;
	if (ioctl(d.fd, BLKGETSIZE64, &d.size) < 0)
		d.size = 0;
	e = disk_sync_partitions(h, &d);
	if (e) {
		fd_close(&d.fd);
		return err_errno(err, e, "adding the partitions of %s", path);
	}
	*ret = d;
	return 0;
}

void disk_read_partitions(const struct host *h, struct disk *d)
{
	char prefix[32], path[512], dir_name[32];
	struct dirent *e;
	DIR *dir;
	int fd;

	d->nparts = 0;
	snprintf(dir_name, sizeof(dir_name), "block/loop%u", d->number);
	snprintf(prefix, sizeof(prefix), "loop%up", d->number);
	fd = openat(h->sys, dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		fd_close(&fd);
		return;
	}
	while ((e = readdir(dir)) && d->nparts < PARTITIONS_MAX) {
		struct disk_partition p = { 0 };
		uint64_t number;

		if (!starts_with(e->d_name, prefix) ||
		    !parse_u64(str_from(e->d_name + strlen(prefix)), &number))
			continue;
		p.p.number = (unsigned)number;
		snprintf(path, sizeof(path), "%s/%s/dev", dir_name, e->d_name);
		if (!read_dev(h, path, &p.dev))
			continue;
		snprintf(path, sizeof(path), "%s/%s/start", dir_name, e->d_name);
		if (!read_u64(h, path, &p.p.start))
			continue;
		snprintf(path, sizeof(path), "%s/%s/size", dir_name, e->d_name);
		if (!read_u64(h, path, &p.p.length))
			continue;
		p.p.start *= 512;
		p.p.length *= 512;
		d->parts[d->nparts++] = p;
	}
	closedir(dir);
}

static int blkpg(int fd, int op, const struct partition *p)
{
	struct blkpg_partition arg = { .start = (long long)p->start,
				       .length = (long long)p->length,
				       .pno = (int)p->number };
	struct blkpg_ioctl_arg call = { .op = op, .datalen = sizeof(arg), .data = &arg };

	return ioctl(fd, BLKPG, &call) < 0 ? errno : 0;
}

static const struct partition *wanted(const struct partition *v, size_t n, unsigned number)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].number == number)
			return &v[i];
	return NULL;
}

static bool has(const struct disk *d, unsigned number)
{
	for (size_t i = 0; i < d->nparts; i++)
		if (d->parts[i].p.number == number)
			return true;
	return false;
}

int disk_sync_partitions(const struct host *h, struct disk *d)
{
	struct partition want[PARTITIONS_MAX];
	size_t n;
	int ret = 0, e;

	if (partition_read(d->fd, d->size, want, &n) < 0)
		return errno;
	disk_read_partitions(h, d);
	for (size_t i = 0; i < d->nparts; i++) {
		const struct partition *have = &d->parts[i].p, *w = wanted(want, n, have->number);

		if (w && w->start == have->start && w->length == have->length)
			continue;
		e = w && w->start == have->start ? blkpg(d->fd, BLKPG_RESIZE_PARTITION, w)
						 : blkpg(d->fd, BLKPG_DEL_PARTITION, have);
		ret = ret ? ret : e;
	}
	disk_read_partitions(h, d);
	for (size_t i = 0; i < n; i++) {
		if (has(d, want[i].number))
			continue;
		e = blkpg(d->fd, BLKPG_ADD_PARTITION, &want[i]);
		ret = ret ? ret : e;
	}
	disk_read_partitions(h, d);
	return ret;
}

bool disk_is_idle(const struct host *h, const struct disk *d)
{
	auto_fd int fd = disk_open_node(h, d->dev, O_RDONLY | O_EXCL);

	return fd >= 0;
}

bool disk_close(const struct host *h, struct disk *d, int64_t limit_ms)
{
	int64_t end = clock_ms() + limit_ms;
	char path[64], before[512] = "", now[512];

	if (d->fd < 0)
		return true;
	snprintf(path, sizeof(path), "block/loop%u/loop/backing_file", d->number);
	read_sys(h, path, before, sizeof(before));
	fd_close(&d->fd);
	/* The number may be somebody else's by now: then the file differs. */
	while (read_sys(h, path, now, sizeof(now)) && streq(before, now)) {
		if (clock_ms() > end)
			return false;
		clock_sleep(1, NULL);
	}
	return true;
}
