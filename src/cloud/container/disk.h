/* A volume as a block device of the host: one loop device, its partitions added by ingot.
 *
 * The loop goes by itself with its last user (autoclear), also after a crash.
 */
#ifndef INGOT_CLOUD_CONTAINER_DISK_H
#define INGOT_CLOUD_CONTAINER_DISK_H

#include "base/base.h"
#include "base/err.h"
#include "cloud/disk/partition.h"

#include <sys/types.h>

/* Handles on kernel file systems that do not depend on what is mounted where ingot runs. */
struct host {
	int sys; /* a sysfs of our own */
	int dev; /* a tmpfs of our own for device nodes */
};

struct disk_partition {
	struct partition p;
	dev_t dev;
};

struct disk {
	int fd;		 /* the whole device, read-write */
	unsigned number; /* of loopN */
	dev_t dev;
	uint64_t size;
	struct disk_partition parts[PARTITIONS_MAX];
	size_t nparts;
};

/* Errors say what is missing: no loop device, file in use. */
int disk_open(const struct host *h, const char *path, struct disk *ret, struct err *err) MUST_USE;
/* Makes the kernel's partitions those of the table on the disk. 0, or an errno (EBUSY: one that
 * should go is in use). d->parts tells what is there afterwards in either case. */
int disk_sync_partitions(const struct host *h, struct disk *d);
/* Reads from sysfs what partitions the kernel has now. */
void disk_read_partitions(const struct host *h, struct disk *d);
/* Nobody has it or a part of it mounted any more. */
bool disk_is_idle(const struct host *h, const struct disk *d);
/* Lets the loop go and waits until the kernel has released the file: all that was written is in it
 * then. False: it still had it after limit_ms. */
bool disk_close(const struct host *h, struct disk *d, int64_t limit_ms);

/* The node that gives out loop devices. -1 with errno. */
int disk_open_control(const struct host *h);
/* Opens a block device by its number. -1 with errno. */
int disk_open_node(const struct host *h, dev_t dev, int flags);

#endif
