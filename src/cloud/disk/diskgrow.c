/* Grows the root partition and file system of a raw disk whose volume was made larger than its
 * image. */
#include "base/str.h"
#include "cloud/disk/diskedit.h"
#include "cloud/disk/imagetool.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512
#define SLACK ((uint64_t)64 << 20) /* smaller gains are not worth a change of the table */
#define GPT_BACKUP ((uint64_t)1 << 20)

struct partition {
	unsigned number;
	uint64_t start, end; /* bytes */
};

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return le64toh(v);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return le32toh(v);
}

/* The last partition of the disk; number 0 when there is none. */
static struct partition last_partition(int fd)
{
	struct partition last = { 0 };
	uint8_t head[2 * SECTOR], entry[128];
	bool gpt;

	if (pread(fd, head, sizeof(head), 0) != sizeof(head))
		return last;
	gpt = memcmp(head + SECTOR, "EFI PART", 8) == 0;
	for (unsigned i = 0; i < (gpt ? MIN(get32(head + SECTOR + 80), 128u) : 4); i++) {
		struct partition p = { .number = i + 1 };

		if (gpt) {
			uint64_t at = get64(head + SECTOR + 72) * SECTOR +
				      (uint64_t)i * get32(head + SECTOR + 84);

			if (pread(fd, entry, sizeof(entry), (off_t)at) != sizeof(entry))
				break;
			p.start = get64(entry + 32) * SECTOR;
			p.end = (get64(entry + 40) + 1) * SECTOR;
		} else {
			p.start = (uint64_t)get32(head + 446 + i * 16 + 8) * SECTOR;
			p.end = p.start + (uint64_t)get32(head + 446 + i * 16 + 12) * SECTOR;
		}
		if (p.start && p.start > last.start)
			last = p;
	}
	return last;
}

static int grow_partition(const char *raw, unsigned number, struct err *err)
{
	auto_free char *text = xasprintf("%u", number);
	const char *argv[] = { "sfdisk", "-q", "--force", "--no-reread", "--no-tell-kernel",
			       "-N",	 text, raw,	  NULL };
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
	struct partition last;
	uint64_t root;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, errno, "opening %s", raw);
	last = last_partition(fd);
	if (!last.number || (uint64_t)st.st_size < last.end + GPT_BACKUP + SLACK)
		return 0;
	if (disk_root_offset(raw, &root, err) < 0) {
		err_release(err); /* another file system: the guest's own tools may grow it */
		return 0;
	}
	if (root != last.start)
		return 0;
	if (disk_repair(raw, root, err) < 0 ||
	    grow_file_system(raw, root, (uint64_t)st.st_size, err) < 0)
		return -1;
	return grow_partition(raw, last.number, err);
}
