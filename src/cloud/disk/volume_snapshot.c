/* Snapshots: made by comparing a volume's bytes with the snapshot it is nearest to, so that only
 * what differs is copied (while the caller waits) and hashed (by the worker, later).
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"
#include "cloud/disk/volume_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct snapshot *snapshot_find(struct volume_store *s, const char *id)
{
	struct snapshot *snap = map_gets(&s->snapshots, id);

	return snap && !snap->deleted ? snap : NULL;
}

static void count_blocks(struct volume_store *s, const struct manifest *m, int by)
{
	for (size_t i = 0; i < m->blocks.n; i++)
		if (m->blocks.v[i].stored)
			block_count(s, m->blocks.v[i].digest, by);
}

/* A reference that also keeps the blocks from going. The lock must be held. */
static struct manifest *pin(struct volume_store *s, struct manifest *m)
{
	count_blocks(s, m, 1);
	return manifest_ref(m);
}

struct manifest *snapshot_pin(struct volume_store *s, const char *id)
{
	struct manifest *m = NULL;
	struct snapshot *snap;

	pthread_mutex_lock(&s->lock);
	snap = snapshot_find(s, id);
	if (snap)
		m = pin(s, snap->m);
	pthread_mutex_unlock(&s->lock);
	return m;
}

void manifest_unpin(struct volume_store *s, struct manifest *m)
{
	if (!m)
		return;
	pthread_mutex_lock(&s->lock);
	count_blocks(s, m, -1);
	pthread_mutex_unlock(&s->lock);
	manifest_unref(m);
}

void store_queue(struct volume_store *s, enum job_kind kind, const char *snapshot, int64_t due_ms)
{
	for (size_t i = 0; i < s->jobs.n; i++)
		if (s->jobs.v[i].kind == kind && streq(s->jobs.v[i].snapshot, snapshot))
			return;
	vec_push(&s->jobs, (struct job){ kind, xstrdup(snapshot), due_ms });
	pthread_cond_broadcast(&s->changed);
}

/* A new or read manifest becomes a snapshot; its blocks are counted. The lock must be held. */
static struct snapshot *publish(struct volume_store *s, struct manifest *m)
{
	struct snapshot *snap = xcalloc(1, sizeof(*snap));

	snap->id = xstrdup(m->id);
	snap->m = m;
	count_blocks(s, m, 1);
	map_sets(&s->snapshots, snap->id, snap);
	if (!manifest_complete(m))
		store_queue(s, JOB_HASH, snap->id, 0);
	return snap;
}

/* Making one */

struct capture {
	struct volume_store *s;
	int fd;
	const char *parts;
	const struct manifest *parent; /* may be NULL */
	struct manifest *m;
	char *bytes, *other; /* VOLUME_BLOCK each */
	bool have_dir;
};

/* The parent's block at this index when its bytes are those in c->bytes. */
static const struct block *same_as_parent(struct capture *c, uint32_t index)
{
	const struct block *b = c->parent ? manifest_find(c->parent, index) : NULL;

	if (!b || !b->stored)
		return NULL;
	{
		auto_fd int fd = manifest_open_block(c->s, c->parent, b);

		if (fd < 0 || block_read(fd, c->other, VOLUME_BLOCK, 0) < 0)
			return NULL;
	}
	return memcmp(c->bytes, c->other, VOLUME_BLOCK) == 0 ? b : NULL;
}

static int capture_block(void *data, uint32_t index)
{
	struct capture *c = data;
	uint64_t at = (uint64_t)index * VOLUME_BLOCK;
	const struct block *same;
	auto_free char *path = NULL;
	auto_fd int fd = -1;

	if (block_read(c->fd, c->bytes, MIN(VOLUME_BLOCK, c->m->size - at), (off_t)at) < 0)
		return -1;
	if (c->m->size - at < VOLUME_BLOCK)
		memset(c->bytes + (c->m->size - at), 0, VOLUME_BLOCK - (c->m->size - at));
	if (block_is_zero(c->bytes, VOLUME_BLOCK))
		return 0;
	same = same_as_parent(c, index);
	if (same) {
		vec_push(&c->m->blocks, *same);
		return 0;
	}
	if (!c->have_dir && mkdir(c->parts, 0700) < 0)
		return -1;
	c->have_dir = true;
	path = xasprintf("%s/%u", c->parts, index);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)VOLUME_BLOCK) < 0 ||
	    block_copy_range(c->fd, (off_t)at, fd, 0, MIN(VOLUME_BLOCK, c->m->size - at)) < 0)
		return -1;
	vec_push(&c->m->blocks, (struct block){ .index = index });
	return 0;
}

static int capture(struct volume_store *s, const char *id, const char *path,
		   const struct manifest *parent, struct manifest **ret, struct err *err)
{
	auto_free char *parts = store_path(s, "parts", id, NULL);
	auto_free char *bytes = xmalloc(VOLUME_BLOCK), *other = xmalloc(VOLUME_BLOCK);
	AUTO(manifest) struct manifest *m = NULL;
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct capture c = { s, fd, parts, parent, NULL, bytes, other, false };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, errno, "opening %s", path);
	if (st.st_size == 0)
		return err_set(err, ERR_INVALID, "%s is empty: a disk image is wanted", path);
	m = manifest_new(id, (uint64_t)st.st_size);
	c.m = m;
	if (block_each(fd, m->size, capture_block, &c) < 0) {
		int saved = errno;

		m->parts = steal(parts);
		return saved == ENOSPC
			       ? err_set(err, ERR_IO, "no space: needs up to %llu MiB more in %s",
					 (unsigned long long)st.st_blocks / 2048, s->dir)
			       : err_errno(err, saved, "copying %s", path);
	}
	if (manifest_write(s, m, err) < 0) {
		m->parts = steal(parts);
		return -1;
	}
	*ret = steal(m);
	return 0;
}

/* The snapshot that a volume is nearest to, pinned; NULL is fine. */
static struct manifest *pin_parent(struct volume_store *s, const char *volume)
{
	auto_free char *path = store_path(s, "volumes", volume, ".parent");
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf b = BUF_INIT;

	if (os_read_file(path, 256, &b, &err) < 0)
		return NULL;
	return snapshot_pin(s, buf_cstr(&b));
}

static int make_snapshot(struct volume_store *s, const char *id, const char *path,
			 const char *volume, struct err *err)
{
	struct manifest *parent = volume ? pin_parent(s, volume) : NULL, *m = NULL;
	int64_t from = clock_ms();
	int ret = capture(s, id, path, parent, &m, err);

	if (ret == 0) {
		size_t blocks = m->blocks.n;

		pthread_mutex_lock(&s->lock);
		publish(s, m); /* the worker may replace it as soon as the lock is let go */
		pthread_mutex_unlock(&s->lock);
		log_line("local cloud: snapshot %s: %zu blocks in %lld ms", id, blocks,
			 (long long)(clock_ms() - from));
	}
	manifest_unpin(s, parent);
	return ret;
}

struct callback {
	struct volume_store *s;
	void (*done)(void *data, const char *error);
	void *data;
};

static void *run_callback(void *data)
{
	struct callback *c = data;

	c->done(c->data, NULL);
	pthread_mutex_lock(&c->s->lock);
	c->s->callbacks--;
	pthread_cond_broadcast(&c->s->changed);
	pthread_mutex_unlock(&c->s->lock);
	free(c);
	return NULL;
}

static int call_later(struct volume_store *s, void (*done)(void *data, const char *error),
		      void *data, struct err *err)
{
	struct callback *c = xmalloc(sizeof(*c));
	pthread_t thread;

	*c = (struct callback){ s, done, data };
	pthread_mutex_lock(&s->lock);
	s->callbacks++;
	pthread_mutex_unlock(&s->lock);
	if (pthread_create(&thread, NULL, run_callback, c) != 0) {
		pthread_mutex_lock(&s->lock);
		s->callbacks--;
		pthread_mutex_unlock(&s->lock);
		free(c);
		return err_set(err, ERR_IO, "no thread for the volume store");
	}
	pthread_detach(thread);
	return 0;
}

int snapshot_create(struct volume_store *s, const char *id, const char *volume,
		    void (*done)(void *data, const char *error), void *data, struct err *err)
{
	auto_free char *path = volume_path(s, volume),
		       *parent = store_path(s, "volumes", volume, ".parent");
	AUTO(err) struct err ignored = ERR_INIT;

	if (make_snapshot(s, id, path, volume, err) < 0)
		return err_prefix(err, "snapshot of volume %s", volume);
	/* The next one of this volume differs least from this one; without the note it only costs
	 * more. */
	if (os_write_file(parent, id, strlen(id), 0600, &ignored) < 0)
		log_line("local cloud: %s", ignored.msg);
	return done ? call_later(s, done, data, err) : 0;
}

int snapshot_import(struct volume_store *s, const char *id, const char *raw_path, struct err *err)
{
	return make_snapshot(s, id, raw_path, NULL, err);
}

/* Asking and removing */

bool snapshot_exists(struct volume_store *s, const char *id)
{
	bool found;

	pthread_mutex_lock(&s->lock);
	found = snapshot_find(s, id) != NULL;
	pthread_mutex_unlock(&s->lock);
	return found;
}

uint64_t snapshot_size(struct volume_store *s, const char *id)
{
	struct snapshot *snap;
	uint64_t size;

	pthread_mutex_lock(&s->lock);
	snap = snapshot_find(s, id);
	size = snap ? snap->m->size : 0;
	pthread_mutex_unlock(&s->lock);
	return size;
}

int snapshot_delete(struct volume_store *s, const char *id, struct err *err)
{
	auto_free char *path = store_path(s, "snapshots", id, NULL);
	auto_free char *spare = store_path(s, "spares", id, ".raw");
	struct manifest *m = NULL;
	struct snapshot *snap;
	int ret = 0;

	pthread_mutex_lock(&s->lock);
	snap = snapshot_find(s, id);
	if (snap && unlink(path) < 0 && errno != ENOENT)
		ret = err_errno(err, errno, "removing snapshot %s", id);
	else if (snap) {
		snap->deleted = true;
		unlink(spare);
		m = steal(snap->m);
		if (!m->parts && !manifest_complete(m))
			m->parts = store_path(s, "parts", id, NULL);
		count_blocks(s, m, -1);
	}
	pthread_mutex_unlock(&s->lock);
	manifest_unref(m);
	return ret;
}

/* Its content, pinned, once all blocks have a name: then they can be shared. NULL with err. */
static struct manifest *pin_stored(struct volume_store *s, const char *id, struct err *err)
{
	struct manifest *m = NULL;
	struct snapshot *snap;

	pthread_mutex_lock(&s->lock);
	while ((snap = snapshot_find(s, id)) && !manifest_complete(snap->m) && !snap->failure &&
	       !s->stop)
		pthread_cond_wait(&s->changed, &s->lock);
	if (!snap)
		err_set(err, ERR_NOT_FOUND, "there is no snapshot %s", id);
	else if (manifest_complete(snap->m))
		m = pin(s, snap->m);
	else
		err_set(err, ERR_IO, "snapshot %s cannot be copied: %s", id,
			snap->failure ? snap->failure : "the local cloud is stopping");
	pthread_mutex_unlock(&s->lock);
	return m;
}

int snapshot_copy(struct volume_store *s, const char *from, const char *to, struct err *err)
{
	struct manifest *m = pin_stored(s, from, err), *copy;
	int ret;

	if (!m)
		return -1;
	copy = manifest_new(to, m->size);
	for (size_t i = 0; i < m->blocks.n; i++)
		vec_push(&copy->blocks, m->blocks.v[i]);
	ret = manifest_write(s, copy, err);
	if (ret < 0) {
		manifest_unref(copy);
	} else {
		pthread_mutex_lock(&s->lock);
		publish(s, copy);
		pthread_mutex_unlock(&s->lock);
	}
	manifest_unpin(s, m);
	return ret;
}

/* The worker */

/* Gives every block of m that has no digest yet one, in the new manifest. */
static int hash_parts(struct volume_store *s, const struct manifest *m, struct manifest *ret,
		      struct err *err)
{
	auto_free char *bytes = xmalloc(VOLUME_BLOCK);

	for (size_t i = 0; i < m->blocks.n; i++) {
		struct block b = m->blocks.v[i];

		if (!b.stored) {
			auto_free char *path = xasprintf("%s/parts/%s/%u", s->dir, m->id, b.index);
			auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

			if (fd < 0 || block_read(fd, bytes, VOLUME_BLOCK, 0) < 0)
				return err_errno(err, errno, "reading %s", path);
			hash_sha256(bytes, VOLUME_BLOCK, b.digest);
			/* Counted before it is linked: nobody may remove it in between. */
			pthread_mutex_lock(&s->lock);
			block_count(s, b.digest, 1);
			pthread_mutex_unlock(&s->lock);
			b.stored = true;
			vec_push(&ret->blocks, b);
			if (block_keep(s, path, b.digest, err) < 0)
				return -1;
			if (s->stop)
				return err_set(err, ERR_CANCELLED, "stopped");
		} else {
			pthread_mutex_lock(&s->lock);
			block_count(s, b.digest, 1);
			pthread_mutex_unlock(&s->lock);
			vec_push(&ret->blocks, b);
		}
	}
	return 0;
}

/* What the manifest will name must be on the disk before it does. */
static void sync_store(struct volume_store *s)
{
	auto_fd int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		syncfs(fd);
}

static void hash_snapshot(struct volume_store *s, const char *id)
{
	AUTO(err) struct err err = ERR_INIT;
	struct manifest *old = NULL, *hashed, *replaced = NULL;
	struct snapshot *snap;
	int ret;

	pthread_mutex_lock(&s->lock);
	snap = snapshot_find(s, id);
	if (snap && !manifest_complete(snap->m))
		old = pin(s, snap->m);
	pthread_mutex_unlock(&s->lock);
	if (!old)
		return;
	hashed = manifest_new(id, old->size);
	ret = hash_parts(s, old, hashed, &err);
	if (ret == 0) {
		sync_store(s);
		ret = manifest_write(s, hashed, &err);
	}
	pthread_mutex_lock(&s->lock);
	snap = snapshot_find(s, id);
	if (!snap) {
		auto_free char *path = store_path(s, "snapshots", id, NULL);

		unlink(path); /* deleted meanwhile: it must not come back */
	}
	if (snap && ret == 0) {
		replaced = snap->m;
		snap->m = hashed; /* with the counts that hash_parts took */
		replaced->parts = store_path(s, "parts", id, NULL);
		count_blocks(s, replaced, -1);
	} else {
		count_blocks(s, hashed, -1);
		manifest_unref(hashed);
	}
	if (snap && err_any(&err) && err.code != ERR_CANCELLED)
		snap->failure = xstrdup(err.msg);
	if (replaced && !s->reflink)
		store_queue(s, JOB_SPARE, id, 0);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (err_any(&err) && err.code != ERR_CANCELLED)
		log_line("local cloud: snapshot %s stays unhashed: %s", id, err.msg);
	manifest_unref(replaced);
	manifest_unpin(s, old);
}

/* Index of the job that is due first, SIZE_MAX if none. */
static size_t next_job(const struct volume_store *s)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < s->jobs.n; i++)
		if (best == SIZE_MAX || s->jobs.v[i].due_ms < s->jobs.v[best].due_ms)
			best = i;
	return best;
}

void *store_worker(void *store)
{
	struct volume_store *s = store;

	setpriority(PRIO_PROCESS, 0, 10); /* this thread only: builds go first */
	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		size_t i = next_job(s);
		int64_t due = i == SIZE_MAX ? CLOCK_NEVER : s->jobs.v[i].due_ms;
		struct job job;

		if (due == CLOCK_NEVER) {
			pthread_cond_wait(&s->changed, &s->lock);
			continue;
		}
		if (due > clock_ms()) {
			struct timespec at = { due / 1000, due % 1000 * 1000000 };

			pthread_cond_timedwait(&s->changed, &s->lock, &at);
			continue;
		}
		job = s->jobs.v[i];
		vec_remove(&s->jobs, i);
		pthread_mutex_unlock(&s->lock);
		if (job.kind == JOB_HASH)
			hash_snapshot(s, job.snapshot);
		else
			volume_make_spare(s, job.snapshot);
		free(job.snapshot);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Opening */

/* Parts whose snapshot needs them no more. */
static void remove_leftover_parts(struct volume_store *s)
{
	auto_free char *dir = store_path(s, "parts", NULL, NULL);
	DIR *d = opendir(dir);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		struct snapshot *snap = e->d_name[0] == '.' ? NULL : snapshot_find(s, e->d_name);
		auto_free char *path = xasprintf("%s/%s", dir, e->d_name);
		AUTO(err) struct err err = ERR_INIT;

		if (e->d_name[0] != '.' && (!snap || manifest_complete(snap->m)) &&
		    os_remove_all(path, &err) < 0)
			log_line("local cloud: %s", err.msg);
	}
	closedir(d);
}

int store_load_snapshots(struct volume_store *s, struct err *err)
{
	auto_free char *dir = store_path(s, "snapshots", NULL, NULL);
	DIR *d = opendir(dir);
	struct dirent *e;
	int ret = 0;

	if (!d)
		return err_errno(err, errno, "reading %s", dir);
	while (ret == 0 && (e = readdir(d))) {
		struct manifest *m = NULL;

		if (e->d_name[0] == '.')
			continue;
		if (strchr(e->d_name, '.')) { /* half written when it stopped */
			unlinkat(dirfd(d), e->d_name, 0);
			continue;
		}
		ret = manifest_read(s, e->d_name, &m, err);
		if (ret == 0)
			publish(s, m);
	}
	closedir(d);
	if (ret == 0)
		remove_leftover_parts(s);
	return ret;
}
