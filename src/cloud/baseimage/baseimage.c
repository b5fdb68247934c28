/* Makes the snapshots of the base images in a data directory: root tar → raw disk → one snapshot,
 * from which each stand-in is a volume with small edits and a snapshot of its own, so that they
 * share almost all blocks.
 *
 * Which snapshot belongs to a key is kept in DATA/base/KEY (KEY.kernel for images with a kernel); a
 * file is written when its snapshot is complete, so a broken start makes only what is missing.
 */
#include "base/os.h"
#include "base/str.h"
#include "cloud/baseimage/baseimage.h"
#include "cloud/baseimage/root.h"
#include "cloud/baseimage/standin.h"
#include "cloud/disk/volume.h"
#include "cloud/model/ids.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct make {
	struct volume_store *store;
	char *dir; /* DATA/base */
	bool with_kernel;
	struct base_progress progress;
};

static void say(const struct make *m, const char *text)
{
	m->progress.say(m->progress.data, text);
}

static char *record_path(const struct make *m, const char *key)
{
	return xasprintf("%s/%s%s", m->dir, key, m->with_kernel ? ".kernel" : "");
}

/* The recorded snapshot of a key, if it is still in the store. */
static bool read_record(const struct make *m, const char *key, char ret[ID_SIZE])
{
	auto_free char *path = record_path(m, key);
	AUTO(err) struct err ignored = ERR_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	struct str id;

	if (os_read_file(path, 64, &text, &ignored) < 0)
		return false;
	id = str_trim(buf_str(&text));
	if (!str_starts(id, "snap-") || id.n >= ID_SIZE)
		return false;
	snprintf(ret, ID_SIZE, STR_FMT, STR_ARG(id));
	return snapshot_exists(m->store, ret);
}

/* Waiting for snapshot_create's callback. */
struct wait {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
	char *error;
};

static void on_done(void *data, const char *error)
{
	struct wait *w = data;

	pthread_mutex_lock(&w->lock);
	w->done = true;
	w->error = xstrdup(error);
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static int snapshot_and_wait(struct volume_store *s, const char *id, const char *volume,
			     struct err *err)
{
	struct wait w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, NULL };
	auto_free char *error = NULL;

	if (snapshot_create(s, id, volume, on_done, &w, err) < 0)
		return -1;
	pthread_mutex_lock(&w.lock);
	while (!w.done)
		pthread_cond_wait(&w.changed, &w.lock);
	pthread_mutex_unlock(&w.lock);
	error = w.error;
	return error ? err_set(err, ERR_IO, "storing the base image: %s", error) : 0;
}

static int make_standin(const struct make *m, const char *base, const struct standin *s,
			struct err *err)
{
	auto_free char *path = NULL, *record = record_path(m, s->key);
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err ignored = ERR_INIT;
	char volume[ID_SIZE], snapshot[ID_SIZE];
	int ret;

	id_new("vol", volume);
	id_new("snap", snapshot);
	if (volume_create(m->store, volume, BASE_DISK_SIZE, base, err) < 0)
		return -1;
	path = volume_path(m->store, volume);
	ret = standin_apply(path, BASE_PARTITION_OFFSET, s, err);
	if (ret == 0)
		ret = snapshot_and_wait(m->store, snapshot, volume, err);
	volume_delete(m->store, volume, &ignored);
	if (ret < 0)
		return -1;
	buf_printf(&text, "%s\n", snapshot);
	return os_write_file(record, buf_cstr(&text), text.n, 0600, err);
}

/* The snapshot of the disk that all stand-ins start from. */
static int make_base(const struct make *m, char ret_id[ID_SIZE], struct err *err)
{
	auto_free char *tar = NULL, *raw = xasprintf("%s/disk.raw", m->dir);
	int ret;

	if (base_root_tar(m->with_kernel, &m->progress, &tar, err) < 0)
		return -1;
	say(m, "base image: writing the disk");
	unlink(raw);
	if (base_root_disk(tar, raw, err) < 0)
		return -1;
	ret = standin_prepare(raw, BASE_PARTITION_OFFSET, err);
	id_new("snap", ret_id);
	if (ret == 0) {
		say(m, "base image: storing its blocks");
		ret = snapshot_import(m->store, ret_id, raw, err);
	}
	unlink(raw);
	return ret;
}

static int make_missing(const struct make *m, struct err *err)
{
	AUTO(err) struct err ignored = ERR_INIT;
	char base[ID_SIZE], have[ID_SIZE];
	bool missing = false;
	int ret = 0;

	for (size_t i = 0; i < standins_n; i++)
		missing = missing || !read_record(m, standins[i].key, have);
	if (!missing)
		return 0;
	if (make_base(m, base, err) < 0)
		return -1;
	for (size_t i = 0; i < standins_n && ret == 0; i++) {
		AUTO(buf) struct buf text = BUF_INIT;

		if (read_record(m, standins[i].key, have))
			continue;
		buf_printf(&text, "base image: making the stand-in %s", standins[i].key);
		say(m, buf_cstr(&text));
		ret = make_standin(m, base, &standins[i], err);
	}
	snapshot_delete(m->store, base, &ignored);
	return ret;
}

int base_images_make(struct volume_store *s, const char *data_dir, bool with_kernel,
		     void (*progress)(void *data, const char *text), void *data,
		     struct base_image_snapshot **ret, size_t *ret_n, struct err *err)
{
	auto_free char *dir = xasprintf("%s/base", data_dir);
	struct make m = { s, dir, with_kernel, { progress, data } };
	auto_free struct base_image_snapshot *list = NULL;

	if (os_mkdir_all(dir, 0700, err) < 0 || make_missing(&m, err) < 0)
		return -1;
	list = xcalloc(standins_n, sizeof(*list));
	for (size_t i = 0; i < standins_n; i++) {
		snprintf(list[i].key, sizeof(list[i].key), "%s", standins[i].key);
		if (!read_record(&m, standins[i].key, list[i].snapshot))
			return err_set(err, ERR_IO, "%s/%s: the snapshot it names is gone", dir,
				       standins[i].key);
	}
	*ret = steal(list);
	*ret_n = standins_n;
	return 0;
}
