/* Grows the root partition and file system of a raw disk whose volume was made larger than its image. */
#include "cloud/diskedit.h"
#include "cloud/imagetool.h"
#include "base/str.h"

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
			uint64_t at = get64(head + SECTOR + 72) * SECTOR + (uint64_t)i * get32(head + SECTOR + 84);

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
	const char *argv[] = { "sfdisk", "-q", "--force", "--no-reread", "--no-tell-kernel", "-N", text, raw, NULL };
	const struct imagetool tool = { .argv = argv, .step = "growing the root partition", .input = STR(", +\n") };

	return imagetool_run(&tool, err);
}

int disk_grow_root(const char *raw, struct err *err)
{
	auto_fd int fd = open(raw, O_RDONLY | O_CLOEXEC);
	auto_free char *device = NULL;
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
	if (disk_repair(raw, root, err) < 0 || grow_partition(raw, last.number, err) < 0)
		return -1;
	device = xasprintf("%s?offset=%llu", raw, (unsigned long long)root);

	/* Its own check of the file system is skipped: the journal was replayed above. The size is given in
	 * sectors, as a file has no partition's end to stop at. */
	last = last_partition(fd);
	auto_free char *size = xasprintf("%llus", (unsigned long long)((last.end - last.start) / SECTOR));
	const char *argv[] = { "resize2fs", "-f", device, size, NULL };
	const struct imagetool tool = { .argv = argv, .step = "growing the root file system" };

	return imagetool_run(&tool, err);
}
