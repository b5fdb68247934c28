/* Blocked gzip (BGZF, SAM specification section 4.1): gzip members of at most 64 KiB, each with its
 * own size in an extra field, and an empty one at the end. */
#ifndef INGOT_POSTPROCESSOR_BGZF_H
#define INGOT_POSTPROCESSOR_BGZF_H

#include "base/buf.h"
#include "base/err.h"

struct bgzf {
	int fd, level; /* level -1: zlib's default, else 0 to 9 */
	struct buf block; /* not yet written, at most one block */
};

int bgzf_open(struct bgzf *z, int fd, int level, struct err *err) MUST_USE;
int bgzf_write(struct bgzf *z, const void *p, size_t n, struct err *err) MUST_USE;
int bgzf_close(struct bgzf *z,
	       struct err *err) MUST_USE; /* writes the rest and the end; fd stays open */
void bgzf_release(struct bgzf *z);

#endif
