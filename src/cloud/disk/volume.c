/* The volume store: opening and closing it, and volumes, which are sparse raw files.
 *
 * A volume from a snapshot is a copy of its blocks: a reflink where the file system has them, else
 * bytes. There a spare copy of the snapshots used last is kept ready, so that launching from them
 * takes no time.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"
#include "cloud/disk/volume.h"
#include "cloud/disk/volume_store.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB ((uint64_t)1024 * 1024)
#define SPARES_MAX 3
/* A spare is made again when the boot that used the last one has had its time. */
#define SPARE_DELAY_MS 4000

static const char *const dirs[] = { "volumes", "snapshots", "parts", "blocks", "spares" };

char *store_path(const struct volume_store *s, const char *dir, const char *name,
		 const char *suffix)
{
	if (!name)
		return xasprintf("%s/%s", s->dir, dir);
	assert(!strchr(name, '/'));
	return xasprintf("%s/%s/%s%s", s->dir, dir, name, suffix ? suffix : "");
}

/* Tries it: that is the only sure way to know. */
static bool can_reflink(const char *dir)
{
	auto_free char *a = xasprintf("%s/.reflink.XXXXXX", dir),
		       *b = xasprintf("%s/.reflink.XXXXXX", dir);
	auto_fd int from = mkostemp(a, O_CLOEXEC), to = mkostemp(b, O_CLOEXEC);
	bool can = false;

	if (from >= 0 && to >= 0 && pwrite(from, "x", 1, 0) == 1)
		can = ioctl(to, FICLONE, from) == 0;
	if (from >= 0)
		unlink(a);
	if (to >= 0)
		unlink(b);
	return can;
}

static void remove_leftover_spares(struct volume_store *s)
{
	auto_free char *dir = store_path(s, "spares", NULL, NULL);
	DIR *d = opendir(dir);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		auto_free char *id = xstrdup(e->d_name);
		char *dot = strchr(id, '.');

		if (e->d_name[0] == '.')
			continue;
		if (dot)
			*dot = '\0';
		if (!ends_with(e->d_name, ".raw") || s->reflink || !snapshot_find(s, id))
			unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
}

int volume_store_open(const char *data_dir, struct volume_store **ret, struct err *err)
{
	struct volume_store *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t attr;

	s->dir = xstrdup(data_dir);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	s->stop = true; /* until the worker runs */

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		auto_free char *dir = store_path(s, dirs[i], NULL, NULL);

		if (os_mkdir_all(dir, 0700, err) < 0)
			goto failed;
	}
	s->reflink = can_reflink(s->dir);
	if (store_load_snapshots(s, err) < 0)
		goto failed;
	block_sweep(s);
	remove_leftover_spares(s);
	s->stop = false;
	if (pthread_create(&s->worker, NULL, store_worker, s) != 0) {
		s->stop = true;
		err_set(err, ERR_IO, "no thread for the volume store");
		goto failed;
	}
	*ret = s;
	return 0;
failed:
	volume_store_close(s);
	return -1;
}

void volume_store_close(struct volume_store *s)
{
	bool running;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	running = !s->stop;
	s->stop = true;
	pthread_cond_broadcast(&s->changed);
	while (s->callbacks)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
	if (running)
		pthread_join(s->worker, NULL);
	for (size_t i = 0; i < map_len(&s->snapshots); i++) {
		struct snapshot *snap = map_at(&s->snapshots, i);

		manifest_unref(snap->m);
		free(snap->id);
		free(snap->failure);
		free(snap);
	}
	for (size_t i = 0; i < s->jobs.n; i++)
		free(s->jobs.v[i].snapshot);
	vec_release(&s->jobs);
	map_release(&s->snapshots);
	map_release(&s->blocks);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s->dir);
	free(s);
}

/* With room for a tenth of a GiB left, so that the host itself is not stopped dead. */
static int check_room(struct volume_store *s, uint64_t need, struct err *err)
{
	struct statvfs v;
	uint64_t have;

	if (statvfs(s->dir, &v) < 0)
		return err_errno(err, errno, "looking at the free space of %s", s->dir);
	have = (uint64_t)v.f_bavail * v.f_frsize;
	if (need + 100 * MIB <= have)
		return 0;
	return err_set(err, ERR_IO, "no space: needs %llu MiB more in %s",
		       (unsigned long long)((need + 100 * MIB - have + MIB - 1) / MIB), s->dir);
}

/* Writes the content of a snapshot into an empty file. */
static int fill(struct volume_store *s, const struct manifest *m, int fd, struct err *err)
{
	if (!s->reflink && check_room(s, m->blocks.n * VOLUME_BLOCK, err) < 0)
		return -1;
	if (ftruncate(fd, (off_t)m->size) < 0)
		return err_errno(err, errno, "making a volume of %llu MiB in %s",
				 (unsigned long long)(m->size / MIB), s->dir);
	for (size_t i = 0; i < m->blocks.n; i++) {
		const struct block *b = &m->blocks.v[i];
		uint64_t at = (uint64_t)b->index * VOLUME_BLOCK;
		auto_fd int from = manifest_open_block(s, m, b);

		if (from < 0)
			return err_errno(err, errno, "opening block %u of snapshot %s", b->index,
					 m->id);
		if (block_copy_range(from, 0, fd, (off_t)at, MIN(VOLUME_BLOCK, m->size - at)) < 0) {
			if (errno == ENOSPC &&
			    check_room(s, (m->blocks.n - i) * VOLUME_BLOCK, err) < 0)
				return -1;
			return err_errno(err, errno, "copying block %u of snapshot %s", b->index,
					 m->id);
		}
	}
	return 0;
}

static int fill_from_snapshot(struct volume_store *s, const char *snapshot, uint64_t size, int fd,
			      struct err *err)
{
	struct manifest *m = snapshot_pin(s, snapshot);
	int ret = 0;

	if (!m)
		return err_set(err, ERR_NOT_FOUND, "there is no snapshot %s", snapshot);
	if (size < m->size)
		ret = err_set(err, ERR_INVALID, "%llu MiB is less than snapshot %s has (%llu MiB)",
			      (unsigned long long)(size / MIB), snapshot,
			      (unsigned long long)(m->size / MIB));
	else
		ret = fill(s, m, fd, err);
	manifest_unpin(s, m);
	return ret;
}

/* True when a spare was there and is the volume now. */
static bool use_spare(struct volume_store *s, const char *snapshot, uint64_t size, const char *path)
{
	auto_free char *spare = store_path(s, "spares", snapshot, ".raw");
	struct snapshot *snap;
	bool used;

	pthread_mutex_lock(&s->lock);
	snap = snapshot_find(s, snapshot);
	used = snap && size >= snap->m->size &&
	       renameat2(AT_FDCWD, spare, AT_FDCWD, path, RENAME_NOREPLACE) == 0;
	pthread_mutex_unlock(&s->lock);
	if (used && truncate(path, (off_t)size) < 0) {
		unlink(path);
		used = false;
	}
	return used;
}

static int make_volume_file(struct volume_store *s, const char *path, uint64_t size,
			    const char *snapshot, struct err *err)
{
	auto_fd int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int ret = 0;

	if (fd < 0)
		return err_errno(err, errno, "making %s", path);
	if (snapshot)
		ret = fill_from_snapshot(s, snapshot, size, fd, err);
	if (ret == 0 && ftruncate(fd, (off_t)size) < 0)
		ret = err_errno(err, errno, "making a volume of %llu MiB in %s",
				(unsigned long long)(size / MIB), s->dir);
	if (ret < 0)
		unlink(path);
	return ret;
}

int volume_create(struct volume_store *s, const char *id, uint64_t size, const char *snapshot,
		  struct err *err)
{
	auto_free char *path = volume_path(s, id),
		       *parent = store_path(s, "volumes", id, ".parent");

	if (snapshot && use_spare(s, snapshot, size, path))
		log_line("local cloud: volume %s is the spare of %s", id, snapshot);
	else if (make_volume_file(s, path, size, snapshot, err) < 0)
		return err_prefix(err, "volume %s", id);
	if (!snapshot)
		return 0;
	if (os_write_file(parent, snapshot, strlen(snapshot), 0600, err) < 0)
		return -1;
	if (!s->reflink) {
		pthread_mutex_lock(&s->lock);
		store_queue(s, JOB_SPARE, snapshot, clock_ms() + SPARE_DELAY_MS);
		pthread_mutex_unlock(&s->lock);
	}
	return 0;
}

int volume_delete(struct volume_store *s, const char *id, struct err *err)
{
	auto_free char *path = volume_path(s, id),
		       *parent = store_path(s, "volumes", id, ".parent");

	if (unlink(path) < 0 && errno != ENOENT)
		return err_errno(err, errno, "removing volume %s", id);
	if (unlink(parent) < 0 && errno != ENOENT)
		return err_errno(err, errno, "removing volume %s", id);
	return 0;
}

int volume_grow(struct volume_store *s, const char *id, uint64_t size, struct err *err)
{
	auto_free char *path = volume_path(s, id);
	struct stat st;

	if (stat(path, &st) < 0)
		return err_errno(err, errno, "volume %s", id);
	if ((uint64_t)st.st_size > size)
		return err_set(err, ERR_INVALID, "volume %s has %llu MiB and cannot shrink", id,
			       (unsigned long long)st.st_size / MIB);
	if (truncate(path, (off_t)size) < 0)
		return err_errno(err, errno, "growing volume %s", id);
	return 0;
}

char *volume_path(struct volume_store *s, const char *id)
{
	return store_path(s, "volumes", id, ".raw");
}

/* Keeps the newest spares; the file's time is that of its making. */
static void drop_old_spares(struct volume_store *s)
{
	auto_free char *dir = store_path(s, "spares", NULL, NULL);

	for (;;) {
		DIR *d = opendir(dir);
		struct timespec oldest = { INT64_MAX, 0 };
		auto_free char *victim = NULL;
		struct dirent *e;
		unsigned n = 0;

		if (!d)
			return;
		while ((e = readdir(d))) {
			struct stat st;

			if (!ends_with(e->d_name, ".raw") ||
			    fstatat(dirfd(d), e->d_name, &st, 0) < 0)
				continue;
			n++;
			if (st.st_mtim.tv_sec < oldest.tv_sec ||
			    (st.st_mtim.tv_sec == oldest.tv_sec &&
			     st.st_mtim.tv_nsec < oldest.tv_nsec)) {
				oldest = st.st_mtim;
				free(victim);
				victim = xstrdup(e->d_name);
			}
		}
		if (n > SPARES_MAX && victim)
			unlinkat(dirfd(d), victim, 0);
		closedir(d);
		if (n <= SPARES_MAX + 1)
			return;
	}
}

void volume_make_spare(struct volume_store *s, const char *snapshot)
{
	auto_free char *path = store_path(s, "spares", snapshot, ".raw");
	auto_free char *temp = store_path(s, "spares", snapshot, ".tmp");
	AUTO(err) struct err err = ERR_INIT;
	struct manifest *m;
	bool alive;

	if (s->reflink || os_exists(path) || !(m = snapshot_pin(s, snapshot)))
		return;
	{
		auto_fd int fd = open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		/* Spares are a comfort: they never take the last space. */
		if (fd < 0 || check_room(s, m->blocks.n * VOLUME_BLOCK + 4096 * MIB, &err) < 0 ||
		    fill(s, m, fd, &err) < 0) {
			log_line("local cloud: no spare of %s: %s", snapshot,
				 err.msg ? err.msg : strerror(errno));
			unlink(temp);
			manifest_unpin(s, m);
			return;
		}
	}
	manifest_unpin(s, m);
	pthread_mutex_lock(&s->lock);
	alive = snapshot_find(s, snapshot) && rename(temp, path) == 0;
	pthread_mutex_unlock(&s->lock);
	if (!alive)
		unlink(temp);
	drop_old_spares(s);
}

static uint64_t used_below(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	uint64_t sum = 0;
	struct dirent *e;

	if (!d) {
		fd_close(&fd);
		return 0;
	}
	while ((e = readdir(d))) {
		struct stat st;

		if (streq(e->d_name, ".") || streq(e->d_name, "..") ||
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			sum += used_below(fd, e->d_name);
		else
			/* parts/ may share with blocks/ */
			sum += (uint64_t)st.st_blocks * 512 / MAX(st.st_nlink, 1u);
	}
	closedir(d);
	return sum;
}

uint64_t volume_store_used(struct volume_store *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		auto_free char *dir = store_path(s, dirs[i], NULL, NULL);

		sum += used_below(AT_FDCWD, dir);
	}
	return sum;
}
