/* Partition tables read by ingot itself: the kernel need not know any, and the guest need not be
 * asked. */
#ifndef INGOT_CLOUD_DISK_PARTITION_H
#define INGOT_CLOUD_DISK_PARTITION_H

#include "base/base.h"

#define PARTITIONS_MAX 64

struct partition {
	unsigned number;	/* from 1; logical ones of an MBR from 5 */
	uint64_t start, length; /* bytes */
	bool logical;		/* in an extended one of an MBR, which ends it */
};

/* Reads the GPT or MBR of a disk of `size` bytes. No (or a damaged) table has no partitions; only a
 * read error gives -1 with errno. Entries that do not fit the disk are left out. */
int partition_read(int fd, uint64_t size, struct partition ret[PARTITIONS_MAX],
		   size_t *ret_n) MUST_USE;

/* Name of the file system that starts at byte `at` ("ext4", "xfs", "btrfs"), or NULL. */
const char *partition_filesystem(int fd, uint64_t at);

#endif
