/* A "newc" cpio archive in memory: what the kernel takes as an initrd. */
#ifndef INGOT_CLOUD_QEMU_CPIO_H
#define INGOT_CLOUD_QEMU_CPIO_H

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

#include <sys/types.h>

/* name without a leading slash; mode with the file type; dev for nodes. Directories come before
 * what is in them. */
void cpio_add(struct buf *out, const char *name, mode_t mode, dev_t dev, struct str data);
void cpio_end(struct buf *out);

#endif
