/* cloud/partition: tables as disks have them, and disks that only look like it. */
#include "base/os.h"
#include "cloud/disk/partition.h"

#include <endian.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SECTORS 204800 /* 100 MiB */

struct image {
	char *path;
	int fd;
};

static int set_up(void **state)
{
	AUTO(err) struct err err = ERR_INIT;
	struct image *i = xcalloc(1, sizeof(*i));

	*state = i;
	if (os_temp_file("ingot-test-", ".raw", &i->path, &i->fd, &err) < 0)
		return -1;
	return ftruncate(i->fd, SECTORS * 512LL);
}

static int tear_down(void **state)
{
	struct image *i = *state;

	unlink(i->path);
	close(i->fd);
	free(i->path);
	free(i);
	return 0;
}

static void put(struct image *i, uint64_t at, const void *p, size_t n)
{
	assert_int_equal(pwrite(i->fd, p, n, (off_t)at), n);
}

static void put_mbr_entry(struct image *i, uint64_t sector, unsigned n, uint8_t type,
			  uint32_t first, uint32_t count)
{
	uint8_t e[16] = { 0 };
	uint32_t a = htole32(first), b = htole32(count);

	e[4] = type;
	memcpy(e + 8, &a, 4);
	memcpy(e + 12, &b, 4);
	put(i, sector * 512 + 446 + n * 16, e, sizeof(e));
	put(i, sector * 512 + 510, "\x55\xaa", 2);
}

static void put_gpt(struct image *i, uint32_t entry_size)
{
	uint8_t head[92] = "EFI PART";
	uint64_t table = htole64(2);
	uint32_t n = htole32(128), size = htole32(entry_size);

	put_mbr_entry(i, 0, 0, 0xee, 1, SECTORS - 1);
	memcpy(head + 72, &table, 8);
	memcpy(head + 80, &n, 4);
	memcpy(head + 84, &size, 4);
	put(i, 512, head, sizeof(head));
}

static void put_gpt_entry(struct image *i, uint32_t entry_size, unsigned n, uint64_t first,
			  uint64_t last)
{
	uint8_t e[128] = "type";

	first = htole64(first);
	last = htole64(last);
	memcpy(e + 32, &first, 8);
	memcpy(e + 40, &last, 8);
	put(i, 1024 + (uint64_t)n * entry_size, e, sizeof(e));
}

struct want {
	unsigned number;
	uint64_t first, count;
};

static void expect(struct image *i, const struct want *w, size_t n)
{
	struct partition got[PARTITIONS_MAX];
	size_t have = 99;

	assert_int_equal(partition_read(i->fd, SECTORS * 512ULL, got, &have), 0);
	assert_int_equal(have, n);
	for (size_t k = 0; k < n; k++) {
		assert_int_equal(got[k].number, w[k].number);
		assert_int_equal(got[k].start, w[k].first * 512);
		assert_int_equal(got[k].length, w[k].count * 512);
	}
}

static void test_none(void **state)
{
	struct image *i = *state;
	uint8_t code[512];

	expect(i, NULL, 0);
	memset(code, 0xe9, sizeof(code)); /* a boot sector with code */
	memcpy(code + 510, "\x55\xaa", 2);
	put(i, 0, code, sizeof(code));
	expect(i, NULL, 0);
}

static void test_gpt(void **state)
{
	struct image *i = *state;
	const struct want want[] = { { 1, 2048, 2048 }, { 14, 4096, 100 }, { 128, 8192, 1 } };

	put_gpt(i, 128);
	put_gpt_entry(i, 128, 0, 2048, 4095);
	put_gpt_entry(i, 128, 13, 4096, 4195);
	put_gpt_entry(i, 128, 127, 8192, 8192);
	put_gpt_entry(i, 128, 5, 4096, SECTORS); /* beyond the end */
	put_gpt_entry(i, 128, 6, 5000, 4000);	 /* backwards */
	expect(i, want, ARRAY_LEN(want));
}

static void test_gpt_bad_sizes(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 127, 5000, UINT32_MAX };

	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		put_gpt(*state, sizes[k]);
		expect(*state, NULL, 0);
	}
}

static void test_gpt_large_entries(void **state)
{
	struct image *i = *state;
	const struct want want[] = { { 2, 4096, 100 } };

	put_gpt(i, 256);
	put_gpt_entry(i, 256, 1, 4096, 4195);
	expect(i, want, 1);
}

static void test_mbr(void **state)
{
	struct image *i = *state;
	const struct want want[] = {
		{ 1, 2048, 100 }, { 3, 10000, 2 }, { 5, 10010, 50 }, { 6, 10110, 60 }
	};

	put_mbr_entry(i, 0, 0, 0x83, 2048, 100);
	put_mbr_entry(i, 0, 2, 0x05, 10000, 5000);
	put_mbr_entry(i, 10000, 0, 0x83, 10, 50);
	put_mbr_entry(i, 10000, 1, 0x05, 100, 70);
	put_mbr_entry(i, 10100, 0, 0x83, 10, 60);
	expect(i, want, ARRAY_LEN(want));
}

static void test_mbr_loop(void **state)
{
	struct image *i = *state;
	struct partition got[PARTITIONS_MAX];
	size_t n;

	put_mbr_entry(i, 0, 0, 0x05, 10000, 5000);
	put_mbr_entry(i, 10000, 0, 0x83, 10, 50);
	put_mbr_entry(i, 10000, 1, 0x05, 1, 70);
	put_mbr_entry(i, 10001, 0, 0x83, 10, 50);
	put_mbr_entry(i, 10001, 1, 0x05, 1, 70); /* itself */
	assert_int_equal(partition_read(i->fd, SECTORS * 512ULL, got, &n), 0);
	assert_true(n <= PARTITIONS_MAX);
}

static void test_filesystem(void **state)
{
	struct image *i = *state;

	assert_null(partition_filesystem(i->fd, 0));
	put(i, 1048576 + 1080, "\x53\xef", 2);
	put(i, 2097152, "XFSB", 4);
	assert_string_equal(partition_filesystem(i->fd, 1048576), "ext4");
	assert_string_equal(partition_filesystem(i->fd, 2097152), "xfs");
	assert_null(partition_filesystem(i->fd, SECTORS * 512ULL + 4096));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gpt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gpt_bad_sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gpt_large_entries, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mbr, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mbr_loop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_filesystem, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
