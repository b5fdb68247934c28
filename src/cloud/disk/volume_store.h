/* Inside of the volume store, shared by the files volume*.c only.
 *
 * Below the data directory:
 *
 *	volumes/VOL.raw        sparse; VOL.parent names the snapshot that it is nearest to
 *	snapshots/SNAP         manifest, text: size, then "INDEX DIGEST" ("-": still in parts/)
 *	parts/SNAP/INDEX       blocks that are not hashed yet
 *	blocks/AB/DIGEST       blocks, shared by all manifests
 *	spares/SNAP.raw        a volume made ahead of its use (where there are no reflinks)
 *
 * What a manifest does not name is no part of the store: opening it again removes the rest, so that
 * a crash at any point costs nothing but work. Block counts live in memory alone.
 */
#ifndef INGOT_CLOUD_DISK_VOLUME_STORE_H
#define INGOT_CLOUD_DISK_VOLUME_STORE_H

#include "base/base.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/vec.h"
#include "cloud/disk/volume.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#define VOLUME_BLOCK ((size_t)512 * 1024)

/* A block that is not all zeros. */
struct block {
	uint32_t index;
	bool stored; /* in blocks/ under its digest; else in parts/ */
	uint8_t digest[SHA256_LEN];
};

/* The content of a snapshot; never changes once it is published, shared by reference. */
struct manifest {
	atomic_uint refs;
	char *id;
	uint64_t size;
	VEC(struct block) blocks; /* by index */
	char *parts;		  /* directory to remove with the last reference, or NULL */
};

struct snapshot {
	char *id;
	struct manifest *m; /* under the store's lock */
	bool deleted;
	char *failure; /* why its blocks could not be stored, until the store is opened again */
};

enum job_kind { JOB_HASH, JOB_SPARE };
struct job {
	enum job_kind kind;
	char *snapshot;
	int64_t due_ms;
};

struct volume_store {
	char *dir;
	bool reflink;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* jobs, stop, a snapshot's state, callbacks */
	pthread_t worker;
	atomic_bool stop;
	unsigned callbacks; /* threads that run a done() */
	VEC(struct job) jobs;
	struct map snapshots; /* id to struct snapshot; deleted ones stay until close */
	struct map blocks;    /* digest to its count of manifests */
};

/* volume_block.c */

/* Copies what is data between two files, by reflink or in the kernel; holes of the source stay
 * holes. */
int block_copy_range(int from, off_t from_at, int to, off_t to_at, uint64_t n);
bool block_is_zero(const void *p, size_t n);
/* pread that fills the rest with zeros at the end of the file; -1 with errno. */
int block_read(int fd, void *p, size_t n, off_t at);
char *block_path(const struct volume_store *s, const uint8_t digest[SHA256_LEN]);
/* Counts a block in (+1) or out (-1); out to nothing removes its file. The lock must be held. */
void block_count(struct volume_store *s, const uint8_t digest[SHA256_LEN], int by);
/* Links a finished file into the store under its digest; the file stays. */
int block_keep(struct volume_store *s, const char *file, const uint8_t digest[SHA256_LEN],
	       struct err *err);
/* Removes block files that no manifest names. */
void block_sweep(struct volume_store *s);
/* Calls fn for each block of fd that may hold data, ascending; stops when it gives not 0. */
int block_each(int fd, uint64_t size, int (*fn)(void *data, uint32_t index), void *data);

/* volume_manifest.c */
struct manifest *manifest_new(const char *id, uint64_t size);
struct manifest *manifest_ref(struct manifest *m);
void manifest_unref(struct manifest *m);
DEFINE_AUTO_PTR(manifest, struct manifest *, manifest_unref);
const struct block *manifest_find(const struct manifest *m, uint32_t index); /* NULL: zeros */
int manifest_write(const struct volume_store *s, const struct manifest *m,
		   struct err *err) MUST_USE;
int manifest_read(const struct volume_store *s, const char *id, struct manifest **ret,
		  struct err *err) MUST_USE;
bool manifest_complete(const struct manifest *m); /* all blocks are stored */
bool digest_parse(struct str hex, uint8_t ret[SHA256_LEN]);
/* Opens the file that holds a block. */
int manifest_open_block(const struct volume_store *s, const struct manifest *m,
			const struct block *b);

/* volume_snapshot.c; the lock must be held */
struct snapshot *snapshot_find(struct volume_store *s, const char *id); /* NULL: none, or deleted */
void store_queue(struct volume_store *s, enum job_kind kind, const char *snapshot, int64_t due_ms);
/* lock not held */
/* The content of a snapshot, its blocks kept from going until manifest_unpin; NULL: there is
 * none. */
struct manifest *snapshot_pin(struct volume_store *s, const char *id);
void manifest_unpin(struct volume_store *s, struct manifest *m); /* NULL is fine */
void *store_worker(void *store);
int store_load_snapshots(struct volume_store *s, struct err *err) MUST_USE;

/* volume.c; lock not held */
void volume_make_spare(struct volume_store *s, const char *snapshot);
/* DIR/NAME SUFFIX below the store, or DIR where name is NULL. Caller frees. */
char *store_path(const struct volume_store *s, const char *dir, const char *name,
		 const char *suffix);

#endif
