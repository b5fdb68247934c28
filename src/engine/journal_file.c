/* SQLite under the journal. The connection holds an exclusive lock on the file from its first write
 * to its end (locking_mode EXCLUSIVE), which is what tells others that the run lives; a killed
 * process loses it. The rollback journal is truncated, not deleted, so that a commit is durable
 * without a sync of the directory. */
#include "engine/journal_file.h"

#include "base/buf.h"
#include "base/os.h"
#include "base/str.h"
#include "base/vec.h"

#include <unistd.h>

static const char schema[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT);"
	"CREATE TABLE resource("
	"	id INTEGER PRIMARY KEY,"
	"	kind TEXT, build TEXT,"
	"	platform TEXT, account TEXT, region TEXT, endpoint TEXT, profile TEXT, role TEXT,"
	"	token TEXT, name TEXT, resource TEXT,"
	"	product INTEGER, state INTEGER, created INTEGER);";

char *journal_dir(void)
{
	const char *set = os_env("INGOT_STATE_DIR");
	auto_free char *state = set ? xstrdup(set) : os_xdg_dir("STATE");

	return os_path_join(state, "runs");
}

char *journal_file_path(const char *dir, const char *run_id)
{
	return xasprintf("%s/%s.db", dir, run_id);
}

static int failed(sqlite3 *db, const char *what, struct err *err)
{
	const char *path = sqlite3_db_filename(db, "main");
	int code = sqlite3_errcode(db);

	return err_set(err, code == SQLITE_BUSY || code == SQLITE_LOCKED ? ERR_AGAIN : ERR_IO,
		       "%s %s: %s", what, path ? path : "the journal", sqlite3_errmsg(db));
}

static int exec_plain(sqlite3 *db, const char *sql, const char *what, struct err *err)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(db, what, err);
}

static int schema_of(sqlite3 *db, int *ret, struct err *err)
{
	sqlite3_stmt *q = NULL;

	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL) != SQLITE_OK ||
	    sqlite3_step(q) != SQLITE_ROW) {
		failed(db, "reading", err);
		sqlite3_finalize(q);
		return -1;
	}
	*ret = sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	return 0;
}

/* Takes the lock and makes the tables of a new file. */
static int begin(sqlite3 *db, const char *path, bool make, struct err *err)
{
	AUTO(buf) struct buf sql = BUF_INIT;
	int version = 0;

	sqlite3_busy_timeout(db, 0);
	if (exec_plain(db,
		       "PRAGMA locking_mode=EXCLUSIVE;"
		       "PRAGMA journal_mode=TRUNCATE;"
		       "PRAGMA synchronous=FULL;"
		       "BEGIN EXCLUSIVE",
		       "locking", err) < 0 ||
	    schema_of(db, &version, err) < 0)
		return -1;
	if (version > JOURNAL_SCHEMA)
		return err_set(err, ERR_UNSUPPORTED,
			       "%s was written by a newer ingot (schema %d, this one knows %d)",
			       path, version, JOURNAL_SCHEMA);
	if (version == 0) {
		if (!make)
			return err_set(err, ERR_NOT_FOUND, "%s is empty", path);
		buf_printf(&sql, "%s PRAGMA user_version=%d;", schema, JOURNAL_SCHEMA);
		if (exec_plain(db, buf_cstr(&sql), "setting up", err) < 0)
			return -1;
	}
	return exec_plain(db, "COMMIT", "writing", err);
}

int journal_file_open(const char *path, bool make, sqlite3 **ret, struct err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX | (make ? SQLITE_OPEN_CREATE : 0);
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
		err_set(err, ERR_IO, "opening the journal %s: %s", path,
			db ? sqlite3_errmsg(db) : "no memory");
		sqlite3_close(db);
		return -1;
	}
	if (begin(db, path, make, err) < 0) {
		sqlite3_close(db);
		return -1;
	}
	*ret = db;
	return 0;
}

void journal_file_close(sqlite3 *db)
{
	auto_free char *rollback = xasprintf("%s-journal", sqlite3_db_filename(db, "main"));

	/* While the lock is held: the next owner may be writing to it already. Inside a transaction
	 * that could not be undone it is needed; else it is empty. */
	if (sqlite3_get_autocommit(db))
		unlink(rollback);
	sqlite3_close(db);
}

void journal_file_remove(const char *path, sqlite3 *db)
{
	unlink(path);
	journal_file_close(db);
}

int journal_exec(sqlite3 *db, struct err *err, const char *sql, const char *const *params, size_t n)
{
	sqlite3_stmt *q = NULL;
	int rc;

	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		return failed(db, "writing", err);
	for (size_t i = 0; i < n; i++)
		sqlite3_bind_text(q, (int)i + 1, params[i], -1, SQLITE_STATIC);
	rc = sqlite3_step(q);
	sqlite3_finalize(q);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : failed(db, "writing", err);
}

char *journal_meta(sqlite3 *db, const char *key)
{
	sqlite3_stmt *q = NULL;
	char *value = NULL;

	if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key = ?", -1, &q, NULL) ==
	    SQLITE_OK) {
		sqlite3_bind_text(q, 1, key, -1, SQLITE_STATIC);
		if (sqlite3_step(q) == SQLITE_ROW)
			value = xstrdup((const char *)sqlite3_column_text(q, 0));
	}
	sqlite3_finalize(q);
	return value;
}

int journal_set_meta(sqlite3 *db, const char *key, const char *value, struct err *err)
{
	return journal_exec(db, err, "INSERT OR REPLACE INTO meta VALUES (?, ?)",
			    (const char *[]){ key, value }, 2);
}

int journal_set_resource(sqlite3 *db, int64_t id, const char *resource, struct err *err)
{
	auto_free char *sql =
		xasprintf("UPDATE resource SET state = %d, resource = ? WHERE id = %lld",
			  JOURNAL_MADE, (long long)id);

	return journal_exec(db, err, sql, &resource, 1);
}

int journal_set_state(sqlite3 *db, int64_t id, enum journal_state state, struct err *err)
{
	auto_free char *sql = xasprintf("UPDATE resource SET state = %d WHERE id = %lld",
					(int)state, (long long)id);

	return journal_exec(db, err, sql, NULL, 0);
}

static const char *column(sqlite3_stmt *q, int i)
{
	return xstrdup((const char *)sqlite3_column_text(q, i));
}

static struct journal_row read_row(sqlite3_stmt *q)
{
	return (struct journal_row){
		.id = sqlite3_column_int64(q, 0),
		.kind = column(q, 1),
		.build = column(q, 2),
		.place = { column(q, 3), column(q, 4), column(q, 5), column(q, 6), column(q, 7),
			   column(q, 8) },
		.token = column(q, 9),
		.name = column(q, 10),
		.resource = column(q, 11),
		.product = sqlite3_column_int(q, 12),
		.created = sqlite3_column_int64(q, 13),
	};
}

int journal_file_left(sqlite3 *db, struct journal_row **ret, size_t *ret_n, struct err *err)
{
	static const char sql[] =
		"SELECT id, kind, build, platform, account, region, endpoint, profile, role,"
		" token, name, resource, product, created "
		"FROM resource WHERE state < ? ORDER BY id DESC";
	VEC(struct journal_row) rows = VEC_INIT;
	sqlite3_stmt *q = NULL;
	int rc;

	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		return failed(db, "reading", err);
	sqlite3_bind_int(q, 1, JOURNAL_UNDONE);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW)
		vec_push(&rows, read_row(q));
	sqlite3_finalize(q);
	if (rc != SQLITE_DONE) {
		journal_rows_free(rows.v, rows.n);
		return failed(db, "reading", err);
	}
	*ret = rows.v;
	*ret_n = rows.n;
	return 0;
}

void journal_row_release(struct journal_row *row)
{
	const char *const owned[] = { row->kind,	   row->build,	      row->token,
				      row->name,	   row->resource,     row->place.platform,
				      row->place.account,  row->place.region, row->place.endpoint,
				      row->place.profile, row->place.role };

	for (size_t i = 0; i < ARRAY_LEN(owned); i++)
		free((char *)owned[i]);
}

void journal_rows_free(struct journal_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		journal_row_release(&rows[i]);
	free(rows);
}

void journal_host(char *ret, size_t n)
{
	if (gethostname(ret, n) < 0)
		snprintf(ret, n, "unknown");
	ret[n - 1] = '\0';
}

void journal_boot_id(char *ret, size_t n)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;

	snprintf(ret, n, "unknown");
	if (os_read_file("/proc/sys/kernel/random/boot_id", 4096, &text, &err) == 0)
		snprintf(ret, n, STR_FMT, STR_ARG(str_trim(buf_str(&text))));
}
