/* Partition tables of disks, from anywhere: entries lie inside the disk. The first two bytes say
 * how much larger than its written part the disk is. */
#include "cloud/disk/partition.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct partition found[PARTITIONS_MAX];
	static int fd = -1;
	uint64_t size;
	size_t count = 0;

	if (n < 2)
		return 0;
	size = n - 2 + (((uint64_t)data[0] << 8 | data[1]) << 16);
	if (fd < 0)
		fd = memfd_create("disk", 0);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data + 2, n - 2, 0) != (ssize_t)n - 2 ||
	    ftruncate(fd, (off_t)size) < 0)
		return 0;
	if (partition_read(fd, size, found, &count) < 0)
		abort(); /* the disk can be read */
	for (size_t i = 0; i < count; i++) {
		if (!found[i].number || !found[i].length || found[i].start >= size ||
		    found[i].length > size - found[i].start)
			abort();
		partition_filesystem(fd, found[i].start);
	}
	return 0;
}
