/* The journal: what a run owes survives its death, a live run is left alone, sweep undoes newest
 * first. */
#include "engine/journal_file.h"
#include "engine/sweep.h"

#include "base/buf.h"
#include "base/os.h"
#include "base/str.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char *state_dir;

static int set_up(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	if (os_temp_dir("ingot-journal-", &state_dir, &err) < 0)
		return -1;
	setenv("INGOT_STATE_DIR", state_dir, 1);
	setenv("INGOT_SWEEP_PATIENCE", "0", 1);
	return 0;
}

static int tear_down(void **state)
{
	struct err err = ERR_INIT;
	int rc = os_remove_all(state_dir, &err);

	(void)state;
	free(steal(state_dir));
	return rc;
}

static int64_t intend(struct journal *j, const char *kind, const char *name, bool product)
{
	AUTO(err) struct err err = ERR_INIT;
	int64_t id = 0;

	assert_int_equal(journal_intend(j,
					&(struct journal_row){
						.kind = kind,
						.build = "web",
						.name = name,
						.product = product,
						.place = { .platform = "fake", .region = "r1" } },
					&id, &err),
			 0);
	return id;
}

static void made(struct journal *j, int64_t id, const char *resource)
{
	AUTO(err) struct err err = ERR_INIT;

	assert_int_equal(journal_made(j, id, resource, &err), 0);
}

/* What the fake account was asked, and what it holds under a name only. */
static struct buf calls = BUF_INIT;
static int invisible; /* how often a find says no */
static bool refuse;

static int fake_find(const struct journal_row *row, const char *run_id, char **ret, struct err *err)
{
	(void)run_id;
	(void)err;
	buf_printf(&calls, "find %s;", row->name);
	*ret = streq(row->name, "there") && invisible-- <= 0 ? xstrdup("id-there") : NULL;
	return 0;
}

static int fake_undo(const struct journal_row *row, struct err *err)
{
	buf_printf(&calls, "undo %s;", row->resource);
	return refuse ? err_set(err, ERR_AUTH, "another account") : 0;
}

static const struct journal_undo undos[] = { { "fake", "volume", fake_find, fake_undo },
					     { "fake", "image", fake_find, fake_undo } };
static const size_t nundos = ARRAY_LEN(undos);
static const struct sweep_table tables[] = { { undos, &nundos } };

static void hush(void *data, bool problem, const char *text)
{
	buf_printf(data, "%s%s\n", problem ? "! " : "", text);
}

/* Sweeps; gives what was called and what was told. */
static int sweep(const char *run_id, bool dry, struct sweep *ret, struct buf *told)
{
	AUTO(err) struct err err = ERR_INIT;

	*ret = (struct sweep){ .run_id = run_id,
			       .dry_run = dry,
			       .tables = tables,
			       .ntables = 1,
			       .tell = hush,
			       .data = told };
	buf_reset(&calls);
	return sweep_runs(ret, &err);
}

static size_t count_files(void)
{
	auto_free char *command = xasprintf("%s/runs", state_dir);
	size_t n = 0;
	const char *const names[] = { "A", "B", "C" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *path = xasprintf("%s/%s.db", command, names[i]);

		n += os_exists(path);
	}
	return n;
}

/* Runs fn in a process of its own that then dies by SIGKILL. */
static void die_after(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fn();
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void test_nothing_owed_no_file(void **state)
{
	struct journal *j = journal_new("A");
	int64_t v;

	(void)state;
	journal_release_build(j, "web");
	journal_close(j);
	assert_int_equal(count_files(), 0);
	j = journal_new("A");
	v = intend(j, "volume", "v", false);
	made(j, v, "vol-1");
	assert_int_equal(count_files(), 1);
	journal_undone(j, v);
	made(j, intend(j, "image", "i", true), "ami-1");
	journal_release_build(j, "web");
	journal_close(j);
	assert_int_equal(count_files(), 0);
}

static void test_left(void **state)
{
	AUTO(err) struct err err = ERR_INIT;
	struct journal *j = journal_new("A");
	struct journal_row *rows;
	size_t n;

	(void)state;
	made(j, intend(j, "volume", "v", false), "vol-1");
	made(j, intend(j, "image", "i", true), "ami-1");

	intend(j, "volume", "w", false);
	assert_int_equal(journal_left(j, &rows, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_null(rows[0].resource);
	assert_string_equal(rows[0].name, "w");
	assert_string_equal(rows[1].resource, "ami-1");
	assert_string_equal(rows[2].resource, "vol-1");
	assert_string_equal(rows[2].place.region, "r1");
	assert_true(rows[1].product);
	journal_rows_free(rows, n);
	journal_close(j);
	assert_int_equal(count_files(), 1);
}

static void leave_things(void)
{
	struct journal *j = journal_new("B");

	made(j, intend(j, "volume", "v", false), "vol-1");
	made(j, intend(j, "image", "i", true), "ami-1");
	intend(j, "volume", "there", false);
	intend(j, "volume", "never", false);
}

static void test_sweep_after_death(void **state)
{
	AUTO(buf) struct buf told = BUF_INIT;
	struct sweep s;

	(void)state;
	die_after(leave_things);
	assert_int_equal(sweep(NULL, true, &s, &told), 0);
	assert_int_equal(s.removed, 4);
	assert_string_equal(buf_cstr(&calls), "");
	assert_int_equal(sweep("B", false, &s, &told), 0);
	assert_string_equal(buf_cstr(&calls),
			    "find never;find there;undo id-there;undo ami-1;undo vol-1;");
	assert_int_equal(s.removed, 3);
	assert_int_equal(s.left, 0);
	assert_int_equal(count_files(), 0);
	assert_int_equal(sweep("B", false, &s, &told), -1); /* no such run */
	assert_int_equal(sweep(NULL, false, &s, &told), 0);
}

static void test_sweep_refused_then_again(void **state)
{
	AUTO(buf) struct buf told = BUF_INIT;
	struct sweep s;

	(void)state;
	die_after(leave_things);
	refuse = true;
	assert_int_equal(sweep(NULL, false, &s, &told), 0);
	refuse = false;
	assert_int_equal(s.left, 3);
	assert_int_equal(count_files(), 1);
	assert_int_equal(sweep(NULL, false, &s, &told), 0);
	/* The one found by name is known by its id now; the one never made is closed. */
	assert_string_equal(buf_cstr(&calls), "undo id-there;undo ami-1;undo vol-1;");
	assert_int_equal(count_files(), 0);
}

static void test_looks_again(void **state)
{
	AUTO(buf) struct buf told = BUF_INIT;
	struct sweep s;

	(void)state;
	die_after(leave_things);
	setenv("INGOT_SWEEP_PATIENCE", "3", 1);
	invisible = 1;
	assert_int_equal(sweep(NULL, false, &s, &told), 0);
	setenv("INGOT_SWEEP_PATIENCE", "0", 1);
	assert_non_null(strstr(buf_cstr(&calls), "find there;find there;undo id-there;"));
	assert_int_equal(s.left, 0);
}

/* Another process may not touch a live run. */
static void test_alive(void **state)
{
	struct journal *j = journal_new("C");
	int status;
	pid_t pid;

	(void)state;
	made(j, intend(j, "volume", "v", false), "vol-1");
	pid = fork();
	if (pid == 0) {
		AUTO(buf) struct buf told = BUF_INIT;
		struct sweep s;
		bool all = sweep(NULL, false, &s, &told) == 0 && s.left == 0 && s.removed == 0;
		bool one = sweep("C", false, &s, &told) == 0 && s.left == 1 && s.removed == 0;

		_exit(all && one && !calls.n ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	journal_close(j);
	assert_int_equal(count_files(), 1);
}

enum { NTHREADS = 8, NROWS = 20 };

static void *many(void *data)
{
	for (int i = 0; i < NROWS; i++) {
		int64_t id = intend(data, "volume", "v", false);

		made(data, id, "vol");
		if (i % 2)
			journal_undone(data, id);
	}
	return NULL;
}

static void test_threads(void **state)
{
	AUTO(err) struct err err = ERR_INIT;
	struct journal *j = journal_new("A");
	struct journal_row *rows;
	pthread_t threads[NTHREADS];
	size_t n;

	(void)state;
	for (int i = 0; i < NTHREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, many, j), 0);
	for (int i = 0; i < NTHREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(journal_left(j, &rows, &n, &err), 0);
	assert_int_equal(n, NTHREADS * NROWS / 2);
	journal_rows_free(rows, n);
	journal_close(j);
}

static void test_cannot_write(void **state)
{
	AUTO(err) struct err err = ERR_INIT;
	struct journal *j;
	int64_t id;

	(void)state;
	setenv("INGOT_STATE_DIR", "/proc/nowhere", 1);
	j = journal_new("A");
	assert_int_equal(journal_intend(j, &(struct journal_row){ .kind = "volume" }, &id, &err),
			 -1);
	assert_non_null(strstr(err.msg, "/proc/nowhere"));
	journal_close(j);
}

/* Writes beyond that many bytes of a file fail, as on a full disk. */
static void limit_files(rlim_t most)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = MIN(most, limit.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void no_room(bool on)
{
	limit_files(on ? 0 : RLIM_INFINITY);
}

/* What was undone or let go meanwhile is owed no more: neither is it told, nor does sweep undo a
 * product. */
static void test_full_disk(void **state)
{
	AUTO(buf) struct buf told = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct journal_row *rows;
	struct sweep s;

	(void)state;
	for (int room_again = 0; room_again < 2; room_again++) {
		struct journal *j = journal_new("A");
		int64_t volume = intend(j, "volume", "v", false);
		size_t n;

		made(j, volume, "vol-1");
		made(j, intend(j, "image", "i", true), "ami-1");
		if (room_again)
			made(j, intend(j, "volume", "w", false), "vol-2");
		no_room(true);
		journal_undone(j, volume);
		journal_release_build(j, "web");
		assert_int_equal(journal_left(j, &rows, &n, &err), 0);
		if (room_again)
			no_room(false);
		journal_close(j);
		no_room(false);
		assert_int_equal(n, room_again);
		journal_rows_free(rows, n);
		assert_int_equal(count_files(), room_again);
	}
	assert_int_equal(sweep(NULL, false, &s, &told), 0);
	assert_string_equal(buf_cstr(&calls), "undo vol-2;");
}

/* Removed is removed, written down or not. */
static void test_sweep_on_a_full_disk(void **state)
{
	AUTO(buf) struct buf told = BUF_INIT;
	struct sweep s;

	(void)state;
	die_after(leave_things);
	no_room(true);
	sweep(NULL, false, &s, &told);
	no_room(false);
	assert_null(strstr(buf_cstr(&told), "vol-1: "));
	assert_int_equal(s.left, 1); /* "there" gets no id while that cannot be kept */
	assert_int_equal(sweep(NULL, false, &s, &told), 0);
	assert_int_equal(s.left, 0);
	assert_int_equal(count_files(), 0);
}

/* Whose file it is stands in it also when the first write did not succeed. */
static void test_first_write_fails(void **state)
{
	enum { ROOM = 64 << 10, TOO_MUCH = 1 << 20 };
	struct journal *j = journal_new("A");
	auto_free char *dir = journal_dir(), *path = journal_file_path(dir, "A");
	auto_free char *name = xmalloc(TOO_MUCH), *host = NULL;
	AUTO(err) struct err err = ERR_INIT;
	sqlite3 *db = NULL;
	int64_t id;

	(void)state;
	memset(name, 'x', TOO_MUCH - 1);
	name[TOO_MUCH - 1] = '\0';
	limit_files(ROOM);
	assert_int_equal(journal_intend(j, &(struct journal_row){ .kind = "volume", .name = name },
					&id, &err),
			 -1);
	assert_non_null(strstr(err.msg, path));
	no_room(false);
	intend(j, "volume", "v", false);
	journal_close(j);
	err_release(&err);
	assert_int_equal(journal_file_open(path, false, &db, &err), 0);
	host = journal_meta(db, "host");
	assert_non_null(host);
	journal_file_close(db);
}

static int forget_calls(void **state)
{
	(void)state;
	buf_release(&calls);
	return 0;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_owed_no_file),
		TEST(test_left),
		TEST(test_sweep_after_death),
		TEST(test_sweep_refused_then_again),
		TEST(test_looks_again),
		TEST(test_alive),
		TEST(test_threads),
		TEST(test_cannot_write),
		TEST(test_full_disk),
		TEST(test_sweep_on_a_full_disk),
		TEST(test_first_write_fails),
	};

	return cmocka_run_group_tests(tests, NULL, forget_calls);
}
