/* The journal of the running process. Threads queue their writes; whoever finds nobody writing
 * becomes the writer and commits all that waits in one transaction, so that fifty builds that
 * create something at the same moment cost one sync. A thread keeps the heartbeat. */
#include "engine/journal.h"

#include "engine/journal_file.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"
#include "base/str.h"
#include "base/vec.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

enum { HEARTBEAT_S = 60 };

/* One waiting write; lives on the stack of its thread. */
struct op {
	int (*write)(struct journal *j, const struct op *op, struct err *err);
	int64_t id;
	const struct journal_row *row;
	const char *text;
	bool done;
	struct err err;
	struct op *next;
};

/* What is settled, but could not be written down, as on a full disk: without it `sweep` would
 * remove the product of a build that ended well. */
struct settled {
	int64_t id;  /* of a row that is undone, or */
	char *build; /* whose products are let go */
};

struct journal {
	char run_id[27];
	char *dir, *path;
	char *local_dir; /* NULL: no rehearsal */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* the writer is done, or the journal ends */
	bool busy;		/* somebody writes or reads, without the lock */
	bool ending;
	struct op *waiting, **last;
	int64_t next_id;
	VEC(struct settled) unwritten;
	sqlite3 *db;	 /* NULL until the first intent; used by whoever set busy */
	bool identified; /* the file says whose it is */
	pthread_t heart;
	bool beating;
};

struct journal *journal_new(const char *run_id)
{
	struct journal *j = xcalloc(1, sizeof(*j));
	pthread_condattr_t monotonic;

	snprintf(j->run_id, sizeof(j->run_id), "%s", run_id);
	j->dir = journal_dir();
	j->path = journal_file_path(j->dir, run_id);
	j->last = &j->waiting;
	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&j->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return j;
}

void journal_set_local(struct journal *j, const char *data_dir)
{
	free(j->local_dir);
	j->local_dir = xstrdup(data_dir);
}

static int write_heartbeat(struct journal *j, const struct op *op, struct err *err)
{
	auto_free char *now = xasprintf("%lld", (long long)clock_unix());

	(void)op;
	return journal_set_meta(j->db, "heartbeat", now, err);
}

static int write_identity(struct journal *j, struct err *err)
{
	char host[256], boot[64];
	auto_free char *pid = xasprintf("%ld", (long)getpid());

	journal_host(host, sizeof(host));
	journal_boot_id(boot, sizeof(boot));
	if (journal_set_meta(j->db, "run", j->run_id, err) < 0 ||
	    journal_set_meta(j->db, "host", host, err) < 0 ||
	    journal_set_meta(j->db, "boot", boot, err) < 0 ||
	    journal_set_meta(j->db, "pid", pid, err) < 0 ||
	    (j->local_dir && journal_set_meta(j->db, "local", j->local_dir, err) < 0))
		return -1;
	return write_heartbeat(j, NULL, err);
}

static void submit(struct journal *j, struct op *op);

static void *beat(void *data)
{
	struct journal *j = data;

	pthread_mutex_lock(&j->lock);
	while (!j->ending) {
		struct timespec next;
		struct op op = { .write = write_heartbeat };

		clock_gettime(CLOCK_MONOTONIC, &next);
		next.tv_sec += HEARTBEAT_S;
		while (!j->ending &&
		       pthread_cond_timedwait(&j->changed, &j->lock, &next) != ETIMEDOUT)
			;
		if (j->ending)
			break;
		pthread_mutex_unlock(&j->lock);
		submit(j, &op);
		if (err_any(&op.err))
			log_line("[WARN] heartbeat: %s", op.err.msg);
		err_release(&op.err);
		pthread_mutex_lock(&j->lock);
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

/* The file comes with the first intent. */
static int ensure_file(struct journal *j, struct err *err)
{
	if (j->db)
		return 0;
	if (os_mkdir_all(j->dir, 0700, err) < 0 ||
	    journal_file_open(j->path, true, &j->db, err) < 0)
		return err_prefix(err,
				  "cannot create the journal of this run in %s (INGOT_STATE_DIR "
				  "names another place), so nothing is built",
				  j->dir);
	if (pthread_create(&j->heart, NULL, beat, j) == 0)
		j->beating = true;
	return 0;
}

/* Everything that waits, in one transaction. A write whose own statement fails fails alone; without
 * the commit all fail. */
static void commit(struct journal *j, struct op *list)
{
	struct err err = ERR_INIT;

	if (ensure_file(j, &err) == 0 && journal_exec(j->db, &err, "BEGIN", NULL, 0) == 0 &&
	    (j->identified || write_identity(j, &err) == 0)) {
		for (struct op *op = list; op; op = op->next)
			op->write(j, op, &op->err);
		if (journal_exec(j->db, &err, "COMMIT", NULL, 0) == 0) {
			j->identified = true;
			return;
		}
	}
	if (j->db && !sqlite3_get_autocommit(j->db)) {
		struct err ignored = ERR_INIT;

		if (journal_exec(j->db, &ignored, "ROLLBACK", NULL, 0) < 0)
			log_line("[ERROR] %s", ignored.msg);
		err_release(&ignored);
	}
	for (struct op *op = list; op; op = op->next)
		if (!err_any(&op->err))
			err_set(&op->err, err.code, "%s", err.msg);
	err_release(&err);
}

/* With the lock held: writes what waits, without the lock meanwhile. */
static void write_waiting(struct journal *j)
{
	struct op *list = j->waiting, *next;

	j->waiting = NULL;
	j->last = &j->waiting;
	j->busy = true;
	pthread_mutex_unlock(&j->lock);
	commit(j, list);
	pthread_mutex_lock(&j->lock);
	j->busy = false;
	for (struct op *op = list; op; op = next) {
		next = op->next; /* op is gone as soon as its thread sees done */
		op->done = true;
	}
	pthread_cond_broadcast(&j->changed);
}

static void submit(struct journal *j, struct op *op)
{
	pthread_mutex_lock(&j->lock);
	*j->last = op;
	j->last = &op->next;
	while (!op->done) {
		if (j->busy)
			pthread_cond_wait(&j->changed, &j->lock);
		else
			write_waiting(j);
	}
	pthread_mutex_unlock(&j->lock);
}

static int submit_checked(struct journal *j, struct op *op, struct err *err)
{
	submit(j, op);
	return err_any(&op->err) ? err_move(err, &op->err) : 0;
}

static int write_intent(struct journal *j, const struct op *op, struct err *err)
{
	const struct journal_row *r = op->row;
	const char *params[] = { r->kind,	   r->build,	    r->place.platform,
				 r->place.account, r->place.region, r->place.endpoint,
				 r->place.profile, r->place.role,   r->token,
				 r->name,	   r->resource };
	auto_free char *sql = xasprintf(
		"INSERT INTO resource VALUES (%lld, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, %d, %d, %lld)",
		(long long)op->id, r->product, r->resource ? JOURNAL_MADE : JOURNAL_INTENDED,
		(long long)clock_unix());

	return journal_exec(j->db, err, sql, params, ARRAY_LEN(params));
}

int journal_intend(struct journal *j, const struct journal_row *row, int64_t *ret_id,
		   struct err *err)
{
	struct op op = { .write = write_intent, .row = row };

	pthread_mutex_lock(&j->lock);
	op.id = ++j->next_id;
	pthread_mutex_unlock(&j->lock);
	if (submit_checked(j, &op, err) < 0)
		return -1;
	*ret_id = op.id;
	return 0;
}

static int write_made(struct journal *j, const struct op *op, struct err *err)
{
	return journal_set_resource(j->db, op->id, op->text, err);
}

int journal_made(struct journal *j, int64_t id, const char *resource, struct err *err)
{
	struct op op = { .write = write_made, .id = id, .text = resource };

	return submit_checked(j, &op, err);
}

static int write_undone(struct journal *j, const struct op *op, struct err *err)
{
	return journal_set_state(j->db, op->id, JOURNAL_UNDONE, err);
}

static void submit_settled(struct journal *j, struct op *op)
{
	submit(j, op);
	if (err_any(&op->err)) {
		log_line("[ERROR] journal: %s", op->err.msg);
		pthread_mutex_lock(&j->lock);
		vec_push(&j->unwritten, (struct settled){ op->id, xstrdup(op->text) });
		pthread_mutex_unlock(&j->lock);
	}
	err_release(&op->err);
}

void journal_undone(struct journal *j, int64_t id)
{
	struct op op = { .write = write_undone, .id = id };

	submit_settled(j, &op);
}

static int write_release(struct journal *j, const struct op *op, struct err *err)
{
	auto_free char *sql = xasprintf(
		"UPDATE resource SET state = %d WHERE state = %d AND product AND build = ?",
		JOURNAL_RELEASED, JOURNAL_MADE);

	return journal_exec(j->db, err, sql, &op->text, 1);
}

static bool has_file(struct journal *j)
{
	bool has;

	pthread_mutex_lock(&j->lock);
	has = j->next_id > 0;
	pthread_mutex_unlock(&j->lock);
	return has;
}

void journal_release_build(struct journal *j, const char *build)
{
	struct op op = { .write = write_release, .text = build };

	if (has_file(j))
		submit_settled(j, &op);
}

static bool is_settled(const struct journal *j, const struct journal_row *row)
{
	for (size_t i = 0; i < j->unwritten.n; i++) {
		const struct settled *u = &j->unwritten.v[i];

		if (u->build ? row->product && row->resource && streq(row->build, u->build)
			     : row->id == u->id)
			return true;
	}
	return false;
}

/* What the file says is left, without what is known to be settled. */
static int read_left(struct journal *j, struct journal_row **ret, size_t *ret_n, struct err *err)
{
	struct journal_row *rows;
	size_t n, kept = 0;

	if (journal_file_left(j->db, &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (is_settled(j, &rows[i]))
			journal_row_release(&rows[i]);
		else
			rows[kept++] = rows[i];
	}
	*ret = rows;
	*ret_n = kept;
	return 0;
}

int journal_left(struct journal *j, struct journal_row **ret, size_t *ret_n, struct err *err)
{
	int rc = 0;

	*ret = NULL;
	*ret_n = 0;
	pthread_mutex_lock(&j->lock);
	while (j->busy)
		pthread_cond_wait(&j->changed, &j->lock);
	if (j->db)
		rc = read_left(j, ret, ret_n, err);
	pthread_mutex_unlock(&j->lock);
	return rc;
}

/* Once more, as there may be room by now. */
static void write_settled(struct journal *j)
{
	for (size_t i = 0; i < j->unwritten.n; i++) {
		const struct settled *u = &j->unwritten.v[i];
		struct op op = { .write = u->build ? write_release : write_undone,
				 .id = u->id,
				 .text = u->build };

		submit(j, &op);
		err_release(&op.err);
	}
}

static void stop_heart(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	j->ending = true;
	pthread_cond_broadcast(&j->changed);
	pthread_mutex_unlock(&j->lock);
	if (j->beating)
		pthread_join(j->heart, NULL);
}

void journal_close(struct journal *j)
{
	AUTO(err) struct err err = ERR_INIT;
	struct journal_row *rows = NULL;
	size_t n = 0;

	if (!j)
		return;
	stop_heart(j);
	if (j->db) {
		write_settled(j);
		if (read_left(j, &rows, &n, &err) == 0 && n == 0)
			journal_file_remove(j->path, j->db);
		else
			journal_file_close(j->db);
		journal_rows_free(rows, n);
	}
	for (size_t i = 0; i < j->unwritten.n; i++)
		free(j->unwritten.v[i].build);
	vec_release(&j->unwritten);
	pthread_mutex_destroy(&j->lock);
	pthread_cond_destroy(&j->changed);
	free(j->dir);
	free(j->path);
	free(j->local_dir);
	free(j);
}
