/* cloud/volume: what is restored is what was there, blocks are shared, nothing is left. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/os.h"
#include "cloud/disk/volume.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

static int set_up(void **state)
{
	AUTO(err) struct err err = ERR_INIT;
	char *dir;

	if (os_temp_dir("ingot-test-", &dir, &err) < 0)
		return -1;
	*state = dir;
	return 0;
}

static int tear_down(void **state)
{
	AUTO(err) struct err err = ERR_INIT;
	int ret = os_remove_all(*state, &err);

	free(*state);
	return ret;
}

static struct volume_store *store_at(const char *dir)
{
	AUTO(err) struct err err = ERR_INIT;
	struct volume_store *s = NULL;

	if (volume_store_open(dir, &s, &err) < 0)
		fail_msg("%s", err.msg);
	return s;
}

/* Must pass, or the test fails with the message. */
#define OK(call)                                                                                   \
	do {                                                                                       \
		AUTO(err) struct err err = ERR_INIT;                                               \
		if ((call) < 0)                                                                    \
			fail_msg("%s", err.msg);                                                   \
	} while (0)

static void put(struct volume_store *s, const char *volume, uint64_t at, const char *text)
{
	auto_free char *path = volume_path(s, volume);
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, text, strlen(text), (off_t)at), strlen(text));
}

static void expect(struct volume_store *s, const char *volume, uint64_t at, const char *text)
{
	auto_free char *path = volume_path(s, volume);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char got[64] = "";

	assert_int_equal(pread(fd, got, strlen(text), (off_t)at), strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static void expect_zero(struct volume_store *s, const char *volume, uint64_t at)
{
	auto_free char *path = volume_path(s, volume);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char got[16], zero[16] = { 0 };

	assert_int_equal(pread(fd, got, sizeof(got), (off_t)at), sizeof(got));
	assert_memory_equal(got, zero, sizeof(zero));
}

/* Files below a folder of the store. */
static unsigned files_in(const char *dir, const char *folder)
{
	auto_free char *path = os_path_join(dir, folder);
	DIR *d = opendir(path);
	struct dirent *e;
	unsigned n = 0;

	if (!d)
		return 0;
	while ((e = readdir(d))) {
		auto_free char *below = os_path_join(folder, e->d_name);
		auto_free char *whole = os_path_join(dir, below);

		if (e->d_name[0] != '.')
			n += os_is_dir(whole) ? files_in(dir, below) : 1;
	}
	closedir(d);
	return n;
}

/* The worker has nothing left to hash: copying waits for that. */
static void settle(struct volume_store *s, const char *snapshot)
{
	auto_free char *copy = xasprintf("%s-settle", snapshot);

	OK(snapshot_copy(s, snapshot, copy, &err));
	OK(snapshot_delete(s, copy, &err));
}

static void test_blank(void **state)
{
	struct volume_store *s = store_at(*state);
	auto_free char *path = volume_path(s, "vol-1");
	struct stat st;

	OK(volume_create(s, "vol-1", 8192 * MIB, NULL, &err));
	assert_int_equal(stat(path, &st), 0);
	assert_true((uint64_t)st.st_size == 8192 * MIB);
	assert_int_equal(st.st_blocks, 0);
	{
		AUTO(err) struct err err = ERR_INIT;

		assert_int_equal(volume_create(s, "vol-1", MIB, NULL, &err),
				 -1); /* a path is never used twice */
	}
	OK(volume_grow(s, "vol-1", 8193 * MIB, &err));
	{
		AUTO(err) struct err err = ERR_INIT;

		assert_int_equal(volume_grow(s, "vol-1", MIB, &err), -1);
		assert_non_null(strstr(err.msg, "cannot shrink"));
	}
	OK(volume_delete(s, "vol-1", &err));
	OK(volume_delete(s, "vol-1", &err));
	assert_false(os_exists(path));
	volume_store_close(s);
}

struct told {
	sem_t called;
	char text[32];
};

static void done(void *data, const char *error)
{
	struct told *told = data;

	snprintf(told->text, sizeof(told->text), "%s", error ? error : "done");
	sem_post(&told->called);
}

static void test_snapshot_restore(void **state)
{
	struct volume_store *s = store_at(*state);
	struct told told = { 0 };

	sem_init(&told.called, 0, 0);
	OK(volume_create(s, "vol-a", 64 * MIB, NULL, &err));
	put(s, "vol-a", 0, "first");
	put(s, "vol-a", 3 * MIB + 12345, "middle");
	put(s, "vol-a", 64 * MIB - 4, "last");
	put(s, "vol-a", 10 * MIB, "\0\0\0"); /* data, but zeros */
	OK(snapshot_create(s, "snap-a", "vol-a", done, &told, &err));
	put(s, "vol-a", 0, "FIRST"); /* the snapshot does not see this */
	assert_true(snapshot_exists(s, "snap-a"));
	assert_int_equal(snapshot_size(s, "snap-a"), 64 * MIB);

	OK(volume_create(s, "vol-b", 80 * MIB, "snap-a", &err)); /* hashed or not: both must do */
	settle(s, "snap-a");
	while (sem_wait(&told.called) < 0)
		;
	assert_string_equal(told.text, "done");
	assert_int_equal(files_in(*state, "blocks"), 3);
	OK(volume_create(s, "vol-c", 64 * MIB, "snap-a", &err));
	for (size_t i = 0; i < 2; i++) {
		const char *volume = i ? "vol-c" : "vol-b";

		expect(s, volume, 0, "first");
		expect(s, volume, 3 * MIB + 12345, "middle");
		expect(s, volume, 64 * MIB - 4, "last");
		expect_zero(s, volume, 10 * MIB);
	}
	{
		AUTO(err) struct err err = ERR_INIT;

		assert_int_equal(volume_create(s, "vol-d", MIB, "snap-a", &err), -1);
		err_release(&err);
		assert_int_equal(volume_create(s, "vol-e", MIB, "snap-none", &err), -1);
		assert_int_equal(err.code, ERR_NOT_FOUND);
	}
	volume_store_close(s);
	assert_int_equal(files_in(*state, "parts"), 0);
	sem_destroy(&told.called);
}

static void test_only_changes_cost(void **state)
{
	struct volume_store *s = store_at(*state);

	OK(volume_create(s, "vol-a", 64 * MIB, NULL, &err));
	for (uint64_t i = 0; i < 20; i++) {
		auto_free char *text = xasprintf("block %u", (unsigned)i);

		put(s, "vol-a", i * MIB, text);
	}
	OK(snapshot_create(s, "snap-a", "vol-a", NULL, NULL, &err));
	settle(s, "snap-a");
	assert_int_equal(files_in(*state, "blocks"), 20);

	OK(volume_create(s, "vol-b", 64 * MIB, "snap-a", &err));
	put(s, "vol-b", 5 * MIB, "changed");
	put(s, "vol-b", 40 * MIB, "new");
	put(s, "vol-b", 7 * MIB, "\0\0\0\0\0\0\0"); /* "block 7" is no text: erased by hand below */
	{
		auto_free char *path = volume_path(s, "vol-b");
		auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
		char zero[64] = { 0 };

		assert_int_equal(pwrite(fd, zero, sizeof(zero), 7 * MIB), sizeof(zero));
	}
	OK(snapshot_create(s, "snap-b", "vol-b", NULL, NULL, &err));
	settle(s, "snap-b");
	assert_int_equal(files_in(*state, "blocks"), 22);

	/* What only the first has goes with it, once the worker no longer reads it. */
	OK(snapshot_delete(s, "snap-a", &err));
	assert_false(snapshot_exists(s, "snap-a"));
	volume_store_close(s);
	assert_int_equal(files_in(*state, "blocks"), 20);
	s = store_at(*state);
	OK(volume_create(s, "vol-c", 64 * MIB, "snap-b", &err));
	expect(s, "vol-c", 5 * MIB, "changed");
	expect(s, "vol-c", 6 * MIB, "block 6");
	expect(s, "vol-c", 40 * MIB, "new");
	expect_zero(s, "vol-c", 7 * MIB);
	OK(snapshot_delete(s, "snap-b", &err));
	volume_store_close(s);
	assert_int_equal(files_in(*state, "blocks"), 0);
	assert_int_equal(files_in(*state, "snapshots"), 0);
}

static void test_reopen(void **state)
{
	struct volume_store *s = store_at(*state);
	auto_free char *stray =
		os_path_join(*state,
			     "blocks/00/"
			     "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
	auto_free char *half = os_path_join(*state, "snapshots/snap-x.Ab12Cd");
	auto_free char *folder = os_path_join(*state, "blocks/00");

	OK(volume_create(s, "vol-a", 64 * MIB, NULL, &err));
	for (uint64_t i = 0; i < 100; i++)
		put(s, "vol-a", i * 512 * KIB, i % 2 ? "odd" : "even");
	OK(snapshot_create(s, "snap-a", "vol-a", NULL, NULL, &err));
	volume_store_close(s); /* most likely before it is hashed */

	OK(os_mkdir_all(folder, 0700, &err));
	OK(os_write_file(stray, "x", 1, 0600, &err));
	OK(os_write_file(half, "x", 1, 0600, &err));
	s = store_at(*state);
	assert_true(snapshot_exists(s, "snap-a"));
	assert_false(os_exists(stray));
	assert_false(os_exists(half));
	OK(volume_create(s, "vol-b", 64 * MIB, "snap-a", &err));
	expect(s, "vol-b", 3 * 512 * KIB, "odd");
	settle(s, "snap-a");
	assert_int_equal(files_in(*state, "blocks"), 2); /* equal blocks are one */
	OK(snapshot_copy(s, "snap-a", "snap-b", &err));
	OK(snapshot_delete(s, "snap-a", &err));
	volume_store_close(s);

	s = store_at(*state);
	assert_int_equal(files_in(*state, "blocks"), 2);
	OK(volume_create(s, "vol-c", 64 * MIB, "snap-b", &err));
	expect(s, "vol-c", 98 * 512 * KIB, "even");
	volume_store_close(s);
}

/* Blocks that cannot be stored: a copy is refused, and nothing waits for them for ever. */
static void test_copy_without_blocks(void **state)
{
	struct volume_store *s = store_at(*state);
	auto_free char *blocks = os_path_join(*state, "blocks");
	AUTO(err) struct err why = ERR_INIT;

	OK(volume_create(s, "vol-a", 16 * MIB, NULL, &err));
	put(s, "vol-a", 0, "some");
	assert_int_equal(rmdir(blocks), 0);
	OK(os_write_file(blocks, "in the way", 10, 0600, &err));
	OK(snapshot_create(s, "snap-a", "vol-a", NULL, NULL, &err));
	alarm(20);
	assert_int_equal(snapshot_copy(s, "snap-a", "snap-b", &why), -1);
	alarm(0);
	assert_non_null(strstr(why.msg, "snapshot snap-a cannot be copied: "));
	assert_false(snapshot_exists(s, "snap-b"));
	OK(volume_create(s, "vol-b", 16 * MIB, "snap-a", &err));
	expect(s, "vol-b", 0, "some");
	volume_store_close(s);
}

/* Snapshots made, used and deleted side by side: the count of a block is never lost. */
struct busy {
	struct volume_store *s;
	unsigned no;
};

static void *busy_thread(void *data)
{
	struct busy *b = data;

	for (unsigned round = 0; round < 8; round++) {
		auto_free char *snapshot = xasprintf("snap-%u-%u", b->no, round);
		auto_free char *volume = xasprintf("vol-%u-%u", b->no, round);

		OK(snapshot_create(b->s, snapshot, "vol-a", NULL, NULL, &err));
		OK(volume_create(b->s, volume, 16 * MIB, snapshot, &err));
		expect(b->s, volume, 4 * MIB, "shared");
		OK(snapshot_delete(b->s, snapshot, &err));
		OK(volume_delete(b->s, volume, &err));
	}
	return NULL;
}

static void test_busy(void **state)
{
	struct volume_store *s = store_at(*state);
	pthread_t threads[4];
	struct busy busy[4];

	OK(volume_create(s, "vol-a", 16 * MIB, NULL, &err));
	put(s, "vol-a", 4 * MIB, "shared");
	OK(snapshot_create(s, "snap-a", "vol-a", NULL, NULL, &err));
	for (unsigned i = 0; i < 4; i++) {
		busy[i] = (struct busy){ s, i };
		assert_int_equal(pthread_create(&threads[i], NULL, busy_thread, &busy[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	settle(s, "snap-a");
	OK(volume_create(s, "vol-z", 16 * MIB, "snap-a", &err));
	expect(s, "vol-z", 4 * MIB, "shared");
	volume_store_close(s);
	assert_int_equal(files_in(*state, "blocks"), 1);
}

static void test_used(void **state)
{
	struct volume_store *s = store_at(*state);
	uint64_t empty = volume_store_used(s);

	OK(volume_create(s, "vol-a", 64 * MIB, NULL, &err));
	assert_int_equal(volume_store_used(s), empty);
	put(s, "vol-a", 0, "x");
	assert_true(volume_store_used(s) > empty);
	volume_store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_blank, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_snapshot_restore, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_only_changes_cost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reopen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_copy_without_blocks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_busy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_used, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
