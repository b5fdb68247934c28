/* Disk images without mounts: apt sources of the host, editing, growing, and the cpio archive for
 * the kernel. */
#include "base/os.h"
#include "base/str.h"
#include "cloud/baseimage/root.h"
#include "cloud/disk/diskedit.h"
#include "cloud/disk/imagetool.h"
#include "cloud/qemu/cpio.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void put(const char *dir, const char *name, const char *text)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	AUTO(err) struct err err = ERR_INIT;

	assert_int_equal(os_write_file(path, text, strlen(text), 0644, &err), 0);
}

static void sources_of_debian_only(void **state UNUSED)
{
	static const struct {
		const char *name, *text, *want, *never;
	} cases[] = {
		{ "sources.list", "# c\ndeb http://me:secret@mirror/debian bookworm main contrib\n",
		  "URIs: http://mirror/debian\n", "secret" },
		{ "sources.list",
		  "deb [arch=amd64 signed-by=/k/other.gpg] http://other/x bookworm main\n",
		  "deb.debian.org", "other" },
		{ "sources.list", "deb [ arch=amd64 ] http://m/d bookworm-security main\n",
		  "Suites: bookworm-security\n", "deb.debian.org" },
		{ "sources.list",
		  "deb http://u/ubuntu jammy main\ndeb-src http://s/d bookworm main\n",
		  "deb.debian.org", "http://s" },
		{ "sources.list.d/x.sources",
		  "Types: deb\n"
		  "URIs: http://a/d http://b/d\n"
		  "Suites: bookworm trixie\n"
		  "Components: main\n",
		  "URIs: http://b/d\nSuites: bookworm\n", "trixie" },
		{ "sources.list.d/x.sources",
		  "Enabled: no\nTypes: deb\nURIs: http://a/d\nSuites: bookworm\nComponents: main\n",
		  "deb.debian.org", "http://a" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *dir = NULL, *parts = NULL;
		AUTO(err) struct err err = ERR_INIT;
		AUTO(buf) struct buf got = BUF_INIT;

		assert_int_equal(os_temp_dir("ingot-test-", &dir, &err), 0);
		parts = xasprintf("%s/sources.list.d", dir);
		assert_int_equal(mkdir(parts, 0755), 0);
		put(dir, cases[i].name, cases[i].text);
		base_apt_sources(dir, &got);
		assert_non_null(strstr(buf_cstr(&got), cases[i].want));
		assert_null(strstr(buf_cstr(&got), cases[i].never));
		assert_int_equal(os_remove_all(dir, &err), 0);
	}
}

#define ONE_PARTITION STR("label: gpt\nstart=2048\n"), "offset=1048576"
#define LOGICAL_PARTITION \
	STR("label: dos\nstart=2048, type=5\nstart=4096, type=83\n"), "offset=2097152"
#define JOURNALED_BLOCK 100001 /* free in a new file system of make_disk */

/* 256 MiB with a file system where the table's last partition is: "offset=BYTES". */
static char *make_disk(const char *dir, struct str partitions, const char *offset)
{
	char *raw = xasprintf("%s/disk.raw", dir);
	const char *table[] = { "sfdisk", "-q", raw, NULL };
	const char *format[] = {
		"mkfs.ext4", "-q", "-F", "-E", offset, raw, "253952k", NULL
	};
	const struct imagetool tools[] = {
		{ .argv = table, .step = "test", .input = partitions },
		{ .argv = format, .step = "test" },
	};

	put(dir, "disk.raw", "");
	assert_int_equal(truncate(raw, 256 << 20), 0);
	for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
		AUTO(err) struct err err = ERR_INIT;

		if (imagetool_run(&tools[i], &err) < 0)
			fail_msg("%s", err.msg);
	}
	return raw;
}

static void edits_and_growth(void **state UNUSED)
{
	static const struct disk_edit edits[] = {
		{ DISK_DIR, "/etc", 0755, 0, 0, NULL },
		{ DISK_DIR, "/etc", 0755, 0, 0, NULL },
		{ DISK_FILE, "/etc/a", 0640, 7, 42, "one\n" },
		{ DISK_FILE, "/etc/a", 0640, 7, 42, "two\n" },
		{ DISK_FILE, "/top", 0600, 0, 0, "" },
		{ DISK_LINK, "/etc/l", 0, 0, 0, "a" },
		{ DISK_REMOVE, "/etc/none", 0, 0, 0, NULL },
	};
	auto_free char *dir = NULL, *raw = NULL, *device = NULL;
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf text = BUF_INIT, names = BUF_INIT, none = BUF_INIT;
	uint64_t offset = 0;
	unsigned number = 0;
	struct stat st;

	assert_int_equal(os_temp_dir("ingot-test-", &dir, &err), 0);
	raw = make_disk(dir, ONE_PARTITION);
	assert_int_equal(disk_find_root(raw, &offset, &number, &err), 0);
	assert_int_equal(offset, 1 << 20);
	assert_int_equal(number, 1);
	assert_int_equal(disk_edit(raw, offset, edits, ARRAY_LEN(edits), &err), 0);
	assert_int_equal(disk_read(raw, offset, "/etc/a", &text, &err), 0);
	assert_string_equal(buf_cstr(&text), "two\n");
	assert_int_equal(disk_list(raw, offset, "/etc", &names, &err), 0);
	assert_string_equal(buf_cstr(&names), "a\nl\n");
	assert_int_equal(disk_read(raw, offset, "/etc/none", &none, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	err_release(&err);

	assert_int_equal(truncate(raw, 1 << 30), 0);
	assert_int_equal(disk_grow_root(raw, &err), 0);
	assert_int_equal(stat(raw, &st), 0);
	assert_int_equal(st.st_size, 1 << 30);

	device = xasprintf("%s?offset=1048576", raw);
	const char *check[] = { "e2fsck", "-fn", device, NULL },
		   *table[] = { "sfdisk", "-V", raw, NULL };
	const struct imagetool tools[] = { { .argv = check, .step = "test" },
					   { .argv = table, .step = "test" } };

	for (size_t i = 0; i < ARRAY_LEN(tools); i++)
		if (imagetool_run(&tools[i], &err) < 0)
			fail_msg("%s", err.msg);
	assert_int_equal(os_remove_all(dir, &err), 0);
}

static void read_superblock(const char *raw, uint64_t offset, char ret[1024])
{
	auto_fd int fd = open(raw, O_RDONLY | O_CLOEXEC);

	assert_int_equal(pread(fd, ret, 1024, (off_t)offset + 1024), 1024);
}

/* What cannot grow beyond its extended partition keeps its file system as it is. */
static void logical_root_does_not_grow(void **state UNUSED)
{
	auto_free char *dir = NULL, *raw = NULL;
	AUTO(err) struct err err = ERR_INIT;
	char before[1024], after[1024];
	uint64_t offset = 0;
	unsigned number = 0;

	assert_int_equal(os_temp_dir("ingot-test-", &dir, &err), 0);
	raw = make_disk(dir, LOGICAL_PARTITION);
	assert_int_equal(disk_find_root(raw, &offset, &number, &err), 0);
	assert_int_equal(offset, 2 << 20);
	assert_int_equal(number, 5);
	read_superblock(raw, offset, before);
	assert_int_equal(truncate(raw, 1 << 30), 0);
	assert_int_equal(disk_grow_root(raw, &err), 0);
	read_superblock(raw, offset, after);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(os_remove_all(dir, &err), 0);
}

/* A machine that was cut off leaves a journal: it is replayed and the file system is whole. */
static void journal_is_replayed(void **state UNUSED)
{
	auto_free char *dir = NULL, *raw = NULL, *device = NULL, *script = NULL;
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf disk = BUF_INIT;
	uint64_t offset = 0;
	char block[4097];

	assert_int_equal(os_temp_dir("ingot-test-", &dir, &err), 0);
	raw = make_disk(dir, ONE_PARTITION);
	assert_int_equal(disk_find_root(raw, &offset, NULL, &err), 0);
	device = xasprintf("%s?offset=%llu", raw, (unsigned long long)offset);
	memset(block, 'x', sizeof(block) - 1);
	block[sizeof(block) - 1] = '\0';
	put(dir, "block", block);
	script = xasprintf("jo\njw -b %d %s/block\njc\n", JOURNALED_BLOCK, dir);
	const char *argv[] = { "debugfs", "-w", device, NULL },
		   *check[] = { "e2fsck", "-fn", device, NULL };
	const struct imagetool tools[] = {
		{ .argv = argv, .step = "test", .input = str_from(script) },
		{ .argv = check, .step = "test" },
	};
	if (imagetool_run(&tools[0], &err) < 0 || disk_repair(raw, offset, &err) < 0 ||
	    disk_repair(raw, offset, &err) < 0 || imagetool_run(&tools[1], &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(os_read_file(raw, 0, &disk, &err), 0);
	assert_non_null(memmem(disk.p, disk.n, block, 1024)); /* of one block at least */
	assert_int_equal(os_remove_all(dir, &err), 0);
}

static void missing_programs_are_named(void **state UNUSED)
{
	AUTO(err) struct err err = ERR_INIT;
	char *path;

	assert_int_equal(imagetool_find("no-such-program", "making it", &path, &err), -1);
	assert_string_equal(
		err.msg,
		"making it: no-such-program is not installed; install the package no-such-program");
}

static void archive_is_aligned(void **state UNUSED)
{
	AUTO(buf) struct buf out = BUF_INIT;

	cpio_add(&out, "init", S_IFREG | 0755, 0, STR("12345"));
	assert_int_equal(out.n % 4, 0);
	assert_memory_equal(out.p, "070701", 6);
	assert_memory_equal(out.p + 54, "00000005", 8);
	assert_memory_equal(out.p + 110, "init", 5);
	assert_memory_equal(out.p + 116, "12345", 5);
	cpio_end(&out);
	assert_int_equal(out.n % 512, 0);
}

static void output_has_a_ceiling(void **state UNUSED)
{
	AUTO(buf) struct buf said = { .max = 4 };
	AUTO(err) struct err err = ERR_INIT;
	const char *argv[] = { "tar", "--version", NULL };
	const struct imagetool tool = { .argv = argv, .step = "test", .output = &said };

	assert_int_equal(imagetool_run(&tool, &err), -1);
	assert_string_equal(err.msg, "test: tar gave more than 4 bytes");
}

static void sources_with_a_nul_byte(void **state UNUSED)
{
	static const char text[] = "deb http://m/d bookworm \0main\ndeb http://n/d bookworm main\n";
	auto_free char *dir = NULL, *path = NULL;
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf got = BUF_INIT;

	assert_int_equal(os_temp_dir("ingot-test-", &dir, &err), 0);
	path = xasprintf("%s/sources.list", dir);
	assert_int_equal(os_write_file(path, text, sizeof(text) - 1, 0644, &err), 0);
	alarm(20);
	base_apt_sources(dir, &got);
	alarm(0);
	assert_non_null(strstr(buf_cstr(&got), "URIs: http://n/d\n"));
	assert_int_equal(os_remove_all(dir, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_of_debian_only),
		cmocka_unit_test(edits_and_growth),
		cmocka_unit_test(logical_root_does_not_grow),
		cmocka_unit_test(journal_is_replayed),
		cmocka_unit_test(missing_programs_are_named),
		cmocka_unit_test(output_has_a_ceiling),
		cmocka_unit_test(sources_with_a_nul_byte),
		cmocka_unit_test(archive_is_aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
