/* The model: rows in memory by kind and id, written through to SQLite. Reading happens once, at
 * start. */
#include "cloud/model/model.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/os.h"
#include "base/vec.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA_VERSION 1

struct model {
	char *path;
	sqlite3 *db;
	sqlite3_stmt *put, *del;
	struct map by_id[KINDS];
	VEC(struct row *) rows[KINDS];
	uint64_t next_serial;
	int depth; /* of model_begin */
	char trouble[256];
};

/* Names in the file: never renumbered, unlike the enum. */
static const char *const kind_names[KINDS] = {
	[KIND_INSTANCE] = "instance",
	[KIND_IMAGE] = "image",
	[KIND_SNAPSHOT] = "snapshot",
	[KIND_VOLUME] = "volume",
	[KIND_KEY_PAIR] = "key-pair",
	[KIND_GROUP] = "security-group",
	[KIND_RULE] = "security-group-rule",
	[KIND_VPC] = "vpc",
	[KIND_SUBNET] = "subnet",
	[KIND_INTERFACE] = "network-interface",
	[KIND_GATEWAY] = "internet-gateway",
	[KIND_ROUTE_TABLE] = "route-table",
	[KIND_LAUNCH_TEMPLATE] = "launch-template",
	[KIND_FLEET] = "fleet",
	[KIND_KMS_KEY] = "kms-key",
	[KIND_PROFILE] = "instance-profile",
	[KIND_ROLE] = "role",
	[KIND_ACCESS_KEY] = "access-key",
	[KIND_ACCOUNT] = "account",
	[KIND_PARAMETER] = "parameter",
	[KIND_TOKEN] = "client-token",
	[KIND_SETTING] = "setting",
};

static int damaged(struct model *m, struct err *err, const char *why)
{
	return err_set(err, ERR_INVALID,
		       "%s is damaged (%s): put a copy of it back, or move it away and the cloud "
		       "begins anew with its base images",
		       m->path, why);
}

static int sql_fail(struct model *m, struct err *err, const char *what)
{
	int code = sqlite3_errcode(m->db) & 0xff;

	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return damaged(m, err, sqlite3_errmsg(m->db));
	return err_set(err, ERR_IO, "%s: %s: %s", m->path, what, sqlite3_errmsg(m->db));
}

static int sql_exec(struct model *m, const char *sql, struct err *err)
{
	if (sqlite3_exec(m->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return sql_fail(m, err, "cannot write");
	return 0;
}

static void row_free(struct row *r)
{
	free(r->id);
	free(r->region);
	json_decref(r->doc);
	free(r);
}

static int kind_from_name(const char *name)
{
	for (int k = 0; k < KINDS; k++)
		if (streq(kind_names[k], name))
			return k;
	return -1;
}

static struct row *row_add(struct model *m, enum kind kind, const char *region, const char *id,
			   uint64_t serial, json_t *doc)
{
	struct row *r = xcalloc(1, sizeof(*r));

	*r = (struct row){ .kind = kind,
			   .id = xstrdup(id),
			   .region = xstrdup(region),
			   .doc = doc,
			   .serial = serial };
	map_sets(&m->by_id[kind], id, r);
	vec_push(&m->rows[kind], r);
	if (serial >= m->next_serial)
		m->next_serial = serial + 1;
	return r;
}

static int read_rows(struct model *m, struct err *err)
{
	static const char sql[] = "SELECT kind, region, id, serial, doc FROM row ORDER BY serial";
	sqlite3_stmt *s = NULL;
	int rc;

	if (sqlite3_prepare_v2(m->db, sql, -1, &s, NULL))
		return sql_fail(m, err, "cannot read");
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		int kind = kind_from_name((const char *)sqlite3_column_text(s, 0));
		json_t *doc = json_loads((const char *)sqlite3_column_text(s, 4), 0, NULL);

		if (kind < 0 || !doc) {
			json_decref(doc);
			sqlite3_finalize(s);
			return damaged(m, err, "a row of it cannot be read");
		}
		row_add(m, (enum kind)kind, (const char *)sqlite3_column_text(s, 1),
			(const char *)sqlite3_column_text(s, 2),
			(uint64_t)sqlite3_column_int64(s, 3), doc);
	}
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : sql_fail(m, err, "cannot read");
}

static int64_t schema_version(struct model *m)
{
	sqlite3_stmt *s = NULL;
	int64_t v = -1;

	if (sqlite3_prepare_v2(m->db, "PRAGMA user_version", -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		v = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return v;
}

/* Steps from each version to the next; 0 is a new file. */
static const char *const migrations[SCHEMA_VERSION] = {
	"CREATE TABLE row ("
	"  kind TEXT NOT NULL,"
	"  id TEXT NOT NULL,"
	"  region TEXT NOT NULL,"
	"  serial INTEGER NOT NULL,"
	"  doc TEXT NOT NULL,"
	"  PRIMARY KEY (kind, id)"
	") WITHOUT ROWID;"
	"CREATE INDEX row_serial ON row (serial);",
};

static int migrate(struct model *m, int64_t from, struct err *err)
{
	auto_free char *set = xasprintf("PRAGMA user_version = %d; COMMIT", SCHEMA_VERSION);

	if (sql_exec(m, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	for (int64_t v = from; v < SCHEMA_VERSION; v++)
		if (sql_exec(m, migrations[v], err) < 0)
			return -1;
	return sql_exec(m, set, err);
}

/* By SQLite, as a part of the rows may still be in its log. */
static int keep_copy(struct model *m, int64_t version, struct err *err)
{
	auto_free char *to = xasprintf("%s.schema%lld", m->path, (long long)version);
	char *sql = sqlite3_mprintf("VACUUM INTO %Q", to);
	int ret;

	unlink(to);
	ret = sql_exec(m, sql, err);
	sqlite3_free(sql);
	return ret < 0 ? err_prefix(err, "keeping a copy before the migration") : 0;
}

static int open_file(struct model *m, const char *path, struct err *err)
{
	if (sqlite3_open_v2(path, &m->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
			    NULL))
		return err_set(err, ERR_IO, "cannot open %s: %s", path, sqlite3_errmsg(m->db));
	chmod(path, 0600);
	sqlite3_busy_timeout(m->db, 5000);
	return 0;
}

/* Made beside its place, it gets its name when it is whole: so a file of that name which has
 * nothing in it is no new one, but was emptied. */
static int create_file(struct model *m, struct err *err)
{
	auto_free char *fresh = xasprintf("%s.new", m->path);
	auto_free char *log = xasprintf("%s-wal", m->path);

	unlink(fresh); /* of a start that was killed */
	if (open_file(m, fresh, err) < 0 || migrate(m, 0, err) < 0)
		return -1;
	sqlite3_close(m->db);
	m->db = NULL;
	unlink(log); /* of a file that was moved away: SQLite would read it into this one */
	return rename(fresh, m->path) < 0 ? err_errno(err, errno, "cannot make %s", m->path) : 0;
}

static int check_version(struct model *m, struct err *err)
{
	int64_t version = schema_version(m);

	if (version < 0)
		return sql_fail(m, err, "cannot read");
	if (version == 0)
		return damaged(m, err, "it holds no state");
	if (version > SCHEMA_VERSION)
		return err_set(err, ERR_UNSUPPORTED,
			       "%s was written by a newer ingot (schema %lld, this one knows %d): "
			       "use that ingot, or another directory with -data",
			       m->path, (long long)version, SCHEMA_VERSION);
	if (version < SCHEMA_VERSION)
		return keep_copy(m, version, err) < 0 ? -1 : migrate(m, version, err);
	return 0;
}

/* Memory stays the truth when the disk refuses; the daemon shows the trouble in its status. */
static void note_trouble(struct model *m)
{
	if (!m->trouble[0])
		snprintf(m->trouble, sizeof(m->trouble), "%s", sqlite3_errmsg(m->db));
}

static bool put_row(struct model *m, const struct row *r)
{
	auto_free char *text = json_dumps(r->doc, JSON_COMPACT);
	bool done;

	sqlite3_bind_text(m->put, 1, kind_names[r->kind], -1, SQLITE_STATIC);
	sqlite3_bind_text(m->put, 2, r->id, -1, SQLITE_STATIC);
	sqlite3_bind_text(m->put, 3, r->region, -1, SQLITE_STATIC);
	sqlite3_bind_int64(m->put, 4, (sqlite3_int64)r->serial);
	sqlite3_bind_text(m->put, 5, text, -1, SQLITE_STATIC);
	done = sqlite3_step(m->put) == SQLITE_DONE;
	sqlite3_reset(m->put);
	sqlite3_clear_bindings(m->put);
	return done;
}

static bool put_all(struct model *m)
{
	if (sqlite3_exec(m->db, "DELETE FROM row", NULL, NULL, NULL) != SQLITE_OK)
		return false;
	for (int k = 0; k < KINDS; k++)
		for (size_t i = 0; i < m->rows[k].n; i++)
			if (!put_row(m, m->rows[k].v[i]))
				return false;
	return sqlite3_exec(m->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

/* After writes that failed the file lacks something: it is written whole when there is room again.
 */
static void catch_up(struct model *m)
{
	if (!m->trouble[0] || !m->put ||
	    sqlite3_exec(m->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return;
	if (put_all(m))
		m->trouble[0] = '\0';
	else
		sqlite3_exec(m->db, "ROLLBACK", NULL, NULL, NULL);
}

void model_close(struct model *m)
{
	if (!m)
		return;
	catch_up(m);
	sqlite3_finalize(m->put);
	sqlite3_finalize(m->del);
	sqlite3_close(m->db);
	for (int k = 0; k < KINDS; k++) {
		for (size_t i = 0; i < m->rows[k].n; i++)
			row_free(m->rows[k].v[i]);
		vec_release(&m->rows[k]);
		map_release(&m->by_id[k]);
	}
	free(m->path);
	free(m);
}

static int prepare_statements(struct model *m, struct err *err)
{
	static const char put[] = "INSERT OR REPLACE INTO row (kind, id, region, serial, doc)"
				  " VALUES (?, ?, ?, ?, ?)";
	static const char del[] = "DELETE FROM row WHERE kind = ? AND id = ?";

	if (sqlite3_prepare_v2(m->db, put, -1, &m->put, NULL) ||
	    sqlite3_prepare_v2(m->db, del, -1, &m->del, NULL))
		return sql_fail(m, err, "cannot prepare");
	return 0;
}

static int open_state(struct model *m, struct err *err)
{
	struct stat st;

	if (stat(m->path, &st) == 0) {
		/* Looked at before SQLite does, which would take its log away too. */
		if (st.st_size == 0)
			return damaged(m, err, "it is empty");
	} else if (create_file(m, err) < 0) {
		return -1;
	}
	if (open_file(m, m->path, err) < 0 || check_version(m, err) < 0)
		return -1;
	/* A crash of the daemon loses nothing; one of the machine at most the last answers. */
	if (sql_exec(m, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", err) < 0 ||
	    read_rows(m, err) < 0)
		return -1;
	return prepare_statements(m, err);
}

int model_open(const char *dir, struct model **ret, struct err *err)
{
	struct model *m = xcalloc(1, sizeof(*m));

	m->path = os_path_join(dir, "state.sqlite");
	m->next_serial = 1;
	if (open_state(m, err) < 0) {
		model_close(m);
		return -1;
	}
	*ret = m;
	return 0;
}

void model_begin(struct model *m)
{
	if (m->depth++ == 0 && sqlite3_exec(m->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		note_trouble(m);
}

void model_commit(struct model *m)
{
	if (--m->depth)
		return;
	if (sqlite3_exec(m->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
		note_trouble(m);
		sqlite3_exec(m->db, "ROLLBACK", NULL, NULL, NULL);
	}
	catch_up(m);
}

const char *model_trouble(const struct model *m)
{
	return m->trouble[0] ? m->trouble : NULL;
}

void model_save(struct model *m, struct row *r)
{
	if (!put_row(m, r))
		note_trouble(m);
}

struct row *model_put(struct model *m, enum kind kind, const char *region, const char *id,
		      json_t *doc)
{
	struct row *r = model_find(m, kind, id);

	if (r) {
		json_decref(r->doc);
		r->doc = doc;
	} else {
		r = row_add(m, kind, region, id, m->next_serial, doc);
	}
	model_save(m, r);
	return r;
}

static void remove_from_file(struct model *m, const struct row *r)
{
	sqlite3_bind_text(m->del, 1, kind_names[r->kind], -1, SQLITE_STATIC);
	sqlite3_bind_text(m->del, 2, r->id, -1, SQLITE_STATIC);
	if (sqlite3_step(m->del) != SQLITE_DONE)
		note_trouble(m);
	sqlite3_reset(m->del);
	sqlite3_clear_bindings(m->del);
}

void model_remove(struct model *m, struct row *r)
{
	remove_from_file(m, r);
	map_remove(&m->by_id[r->kind], str_from(r->id));
	for (size_t i = 0; i < m->rows[r->kind].n; i++)
		if (m->rows[r->kind].v[i] == r) {
			vec_remove(&m->rows[r->kind], i);
			break;
		}
	row_free(r);
}

void model_reset(struct model *m, bool (*keep)(const struct row *r))
{
	model_begin(m);
	for (int k = 0; k < KINDS; k++)
		for (size_t i = m->rows[k].n; i-- > 0;)
			if (!keep(m->rows[k].v[i]))
				model_remove(m, m->rows[k].v[i]);
	model_commit(m);
}

struct row *model_find(const struct model *m, enum kind kind, const char *id)
{
	return id ? map_gets(&m->by_id[kind], id) : NULL;
}

size_t model_count(const struct model *m, enum kind kind)
{
	return m->rows[kind].n;
}

struct row *model_at(const struct model *m, enum kind kind, size_t i)
{
	return m->rows[kind].v[i];
}
