/* Volumes and snapshots of the local cloud as files under the data directory.
 *
 * A volume is a sparse raw file. A snapshot is a list of 512 KiB blocks in a store shared by all
 * (digest named), so that it costs what changed. Paths are never reused:
 * the kernel may still write to a file for a while after its last user. Thread-safe.
 */
#ifndef INGOT_CLOUD_DISK_VOLUME_H
#define INGOT_CLOUD_DISK_VOLUME_H

#include "base/base.h"
#include "base/err.h"

struct volume_store;

int volume_store_open(const char *data_dir, struct volume_store **ret, struct err *err) MUST_USE;
void volume_store_close(struct volume_store *s);

/* id: "vol-…". A blank volume, or one from a snapshot (larger size allowed). Errors: no space
 * ("needs N MiB more in DIR"), unknown snapshot. */
int volume_create(struct volume_store *s, const char *id, uint64_t size, const char *snapshot,
		  struct err *err) MUST_USE;
int volume_delete(struct volume_store *s, const char *id, struct err *err);
int volume_grow(struct volume_store *s, const char *id, uint64_t size, struct err *err) MUST_USE;
char *volume_path(struct volume_store *s, const char *id); /* caller frees */

/* A point-in-time copy: the volume may change again when this returns (fast: data ranges or
 * reflink); done(data, err_text or NULL) comes from another thread. */
int snapshot_create(struct volume_store *s, const char *id, const char *volume,
		    void (*done)(void *data, const char *error), void *data,
		    struct err *err) MUST_USE;
/* Blocks that nobody else has go too. */
int snapshot_delete(struct volume_store *s, const char *id, struct err *err);
/* A snapshot made from a raw image file (base images, import). */
int snapshot_import(struct volume_store *s, const char *id, const char *raw_path,
		    struct err *err) MUST_USE;
bool snapshot_exists(struct volume_store *s, const char *id);
/* Bytes of the volume it came from; 0 if it is not there. */
uint64_t snapshot_size(struct volume_store *s, const char *id);
/* Copies share all blocks: waits until those of `from` are stored. */
int snapshot_copy(struct volume_store *s, const char *from, const char *to,
		  struct err *err) MUST_USE;

/* Bytes on disk, of everything. */
uint64_t volume_store_used(struct volume_store *s);

#endif
