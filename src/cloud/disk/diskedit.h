/* Files in the ext4 root file system of a raw disk image, read and written without mounting it
 * (debugfs), so that nothing needs rights and only the changed blocks differ from the image it was
 * copied from.
 */
#ifndef INGOT_CLOUD_DISK_DISKEDIT_H
#define INGOT_CLOUD_DISK_DISKEDIT_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

enum disk_edit_kind {
	DISK_FILE,   /* replaced if it is there */
	DISK_DIR,    /* its parent must exist; fine if it is there */
	DISK_LINK,   /* text is the target; replaced if it is there */
	DISK_REMOVE, /* a file or link; fine if it is not there */
};

struct disk_edit {
	enum disk_edit_kind kind;
	const char *path; /* absolute, without spaces or quotes */
	mode_t mode;	  /* permissions; unused for links */
	uid_t user;
	gid_t group;
	const char *text;
};

/* All edits in one run; an image that was not unmounted cleanly is refused by debugfs: see
 * disk_repair. */
int disk_edit(const char *raw, uint64_t offset, const struct disk_edit *edits, size_t n,
	      struct err *err) MUST_USE;
/* The text of a file, not of a link to one; ERR_NOT_FOUND if it is not there. */
int disk_read(const char *raw, uint64_t offset, const char *path, struct buf *ret,
	      struct err *err) MUST_USE;
/* Copies a file out. */
int disk_dump(const char *raw, uint64_t offset, const char *path, const char *to,
	      struct err *err) MUST_USE;
/* Names in a directory, one a line. */
int disk_list(const char *raw, uint64_t offset, const char *path, struct buf *ret,
	      struct err *err) MUST_USE;
/* Replays the journal after a cut-off, as a mount would. */
int disk_repair(const char *raw, uint64_t offset, struct err *err) MUST_USE;
/* The first partition with an ext4 (GPT or MBR): where it begins, and its number from 1; both 0 for
 * a disk that is one bare ext4. ret_number may be NULL. */
int disk_find_root(const char *raw, uint64_t *ret_offset, unsigned *ret_number,
		   struct err *err) MUST_USE;
/* Lets the root partition and its ext4 take the whole disk, as images on EC2 do at their first
 * boot; here before it, as not every backend's guest may resize. Nothing happens when there is
 * little to gain, when the root file system is not on the last partition, or when that is a logical
 * one, which ends with its extended one. The disk must not be in use. */
int disk_grow_root(const char *raw, struct err *err) MUST_USE;

#endif
