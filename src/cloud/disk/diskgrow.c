/* Grows the root partition and file system of a raw disk whose volume was made larger than its
 * image. */
#include "base/str.h"
#include "cloud/disk/diskedit.h"
#include "cloud/disk/imagetool.h"
#include "cloud/disk/partition.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLACK ((uint64_t)64 << 20) /* smaller gains are not worth a change of the table */
#define GPT_BACKUP ((uint64_t)1 << 20)

static int grow_partition(const char *raw, unsigned number, struct err *err)
{
	auto_free char *text = xasprintf("%u", number);
	const char *argv[] = {
		"sfdisk", "-q", "--force", "--no-reread", "--no-tell-kernel", "-N", text, raw, NULL
	};
	const struct imagetool tool = { .argv = argv,
					.step = "growing the root partition",
					.input = STR(", +\n") };

	return imagetool_run(&tool, err);
}

/* resize2fs cuts a regular file to the size of the file system before it writes, whatever the
 * offset: the length is put back afterwards, and the partition table, whose copy was at the end,
 * written last. */
static int grow_file_system(const char *raw, uint64_t root, uint64_t disk_size, struct err *err)
{
	auto_free char *device = xasprintf("%s?offset=%llu", raw, (unsigned long long)root);
	auto_free char *size = xasprintf(
		"%lluk", (unsigned long long)((disk_size - root - GPT_BACKUP) / 4096 * 4));
	/* -f: a full check is not needed, the journal was replayed. */
	const char *argv[] = { "resize2fs", "-f", device, size, NULL };
	const struct imagetool tool = { .argv = argv, .step = "growing the root file system" };
	int ret = imagetool_run(&tool, err);

	if (truncate(raw, (off_t)disk_size) < 0 && ret == 0)
		return err_errno(err, errno, "sizing %s", raw);
	return ret;
}

int disk_grow_root(const char *raw, struct err *err)
{
	auto_fd int fd = open(raw, O_RDONLY | O_CLOEXEC);
	struct partition parts[PARTITIONS_MAX], last = { 0 };
	struct stat st;
	uint64_t root;
	size_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || partition_read(fd, (uint64_t)st.st_size, parts, &n) < 0)
		return err_errno(err, errno, "reading %s", raw);
	for (size_t i = 0; i < n; i++)
		if (parts[i].start > last.start)
			last = parts[i];
	if (!last.number || (uint64_t)st.st_size < last.start + last.length + GPT_BACKUP + SLACK)
		return 0;
	if (disk_find_root(raw, &root, NULL, err) < 0) {
		err_release(err); /* another file system: the guest's own tools may grow it */
		return 0;
	}
	if (root != last.start || last.logical)
		return 0;
	if (disk_repair(raw, root, err) < 0 ||
	    grow_file_system(raw, root, (uint64_t)st.st_size, err) < 0)
		return -1;
	return grow_partition(raw, last.number, err);
}
