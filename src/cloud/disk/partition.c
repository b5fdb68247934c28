/* GPT (UEFI specification, 5.3) and MBR with logical partitions, in sectors of 512 bytes. */
#include "cloud/disk/partition.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512u
#define GPT_ENTRIES_MAX 1024u
#define GPT_ENTRY_MAX 4096u
#define LOGICAL_MAX 60u /* an extended chain that goes round must end */

static uint32_t le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* 1 read, 0 beyond the end, -1 error. */
static int read_at(int fd, void *p, size_t n, uint64_t at)
{
	ssize_t r;

	do
		r = pread(fd, p, n, (off_t)at);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -1 : (size_t)r == n;
}

struct list {
	struct partition *v;
	size_t n;
	uint64_t sectors; /* of the disk */
};

static void add(struct list *l, unsigned number, uint64_t first, uint64_t count, bool logical)
{
	if (l->n == PARTITIONS_MAX || count == 0 || first >= l->sectors ||
	    count > l->sectors - first)
		return;
	l->v[l->n++] = (struct partition){ number, first * SECTOR, count * SECTOR, logical };
}

static int read_gpt(int fd, struct list *l)
{
	uint8_t head[SECTOR], entry[128];
	uint64_t table;
	uint32_t entries, size;
	int ret = read_at(fd, head, sizeof(head), SECTOR);

	if (ret <= 0 || memcmp(head, "EFI PART", 8) != 0)
		return ret < 0 ? -1 : 0;
	table = le64(head + 72);
	entries = MIN(le32(head + 80), GPT_ENTRIES_MAX);
	size = le32(head + 84);
	if (size < sizeof(entry) || size > GPT_ENTRY_MAX || table >= l->sectors)
		return 0;
	for (uint32_t i = 0; i < entries; i++) {
		static const uint8_t unused[16];
		uint64_t first, last;

		ret = read_at(fd, entry, sizeof(entry), table * SECTOR + (uint64_t)i * size);
		if (ret <= 0)
			return ret;
		first = le64(entry + 32);
		last = le64(entry + 40);
		if (memcmp(entry, unused, sizeof(unused)) != 0 && last >= first)
			add(l, i + 1, first, last - first + 1, false);
	}
	return 0;
}

enum { MBR_ENTRIES = 446, MBR_ENTRY = 16, MBR_TYPE = 4, MBR_FIRST = 8, MBR_COUNT = 12 };

static bool is_mbr(const uint8_t *sector)
{
	if (sector[510] != 0x55 || sector[511] != 0xaa)
		return false;
	/* A boot sector of a file system ends so too, but has code where the flags are. */
	for (unsigned i = 0; i < 4; i++)
		if (sector[MBR_ENTRIES + i * MBR_ENTRY] & 0x7f)
			return false;
	return true;
}

static bool is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

static int read_logical(int fd, struct list *l, uint64_t base)
{
	uint64_t at = base;

	for (unsigned number = 5; number < 5 + LOGICAL_MAX; number++) {
		uint8_t sector[SECTOR];
		const uint8_t *e = sector + MBR_ENTRIES, *next = e + MBR_ENTRY;
		int ret = read_at(fd, sector, sizeof(sector), at * SECTOR);

		if (ret <= 0 || !is_mbr(sector))
			return ret < 0 ? -1 : 0;
		add(l, number, at + le32(e + MBR_FIRST), le32(e + MBR_COUNT), true);
		if (!is_extended(next[MBR_TYPE]) || le32(next + MBR_FIRST) == 0)
			return 0;
		at = base + le32(next + MBR_FIRST);
	}
	return 0;
}

static int read_mbr(int fd, const uint8_t *sector, struct list *l)
{
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *e = sector + MBR_ENTRIES + i * MBR_ENTRY;

		if (e[MBR_TYPE] == 0)
			continue;
		/* The kernel gives an extended one two sectors: room for its own boot sector. */
		if (is_extended(e[MBR_TYPE]))
			add(l, i + 1, le32(e + MBR_FIRST), MIN(le32(e + MBR_COUNT), 2u), false);
		else
			add(l, i + 1, le32(e + MBR_FIRST), le32(e + MBR_COUNT), false);
	}
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *e = sector + MBR_ENTRIES + i * MBR_ENTRY;

		if (is_extended(e[MBR_TYPE]) && read_logical(fd, l, le32(e + MBR_FIRST)) < 0)
			return -1;
	}
	return 0;
}

int partition_read(int fd, uint64_t size, struct partition out[PARTITIONS_MAX], size_t *ret_n)
{
	struct list l = { out, 0, size / SECTOR };
	uint8_t sector[SECTOR];
	int ret = read_at(fd, sector, sizeof(sector), 0);
	bool protective = false;

	if (ret < 0)
		return -1;
	if (ret > 0 && is_mbr(sector)) {
		for (unsigned i = 0; i < 4; i++)
			protective |= sector[MBR_ENTRIES + i * MBR_ENTRY + MBR_TYPE] == 0xee;
		ret = protective ? read_gpt(fd, &l) : read_mbr(fd, sector, &l);
		if (ret < 0)
			return -1;
	}
	*ret_n = l.n;
	return 0;
}

const char *partition_filesystem(int fd, uint64_t at)
{
	static const struct {
		const char *name, *magic;
		size_t n;
		uint64_t offset;
	} known[] = {
		{ "ext4", "\x53\xef", 2, 1080 },
		{ "xfs", "XFSB", 4, 0 },
		{ "btrfs", "_BHRfS_M", 8, 65536 + 64 },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		char got[8];

		if (read_at(fd, got, known[i].n, at + known[i].offset) == 1 &&
		    memcmp(got, known[i].magic, known[i].n) == 0)
			return known[i].name;
	}
	return NULL;
}
