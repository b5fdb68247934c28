/* Sweep: one run's file after the other, in it the newest resource first, as a build would undo
 * them. */
#include "engine/sweep.h"

#include "engine/journal_file.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"
#include "base/str.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

enum { PATIENCE_S = 300, ALIVE_S = 600, LOOK_AGAIN_MS = 1000, LOOKS_MIN = 5, SHOWN_MAX = 512 };

static void tell(struct sweep *s, bool problem, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void tell(struct sweep *s, bool problem, const char *fmt, ...)
{
	AUTO(buf) struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	s->tell(s->data, problem, buf_cstr(&text));
}

/* "instance i-0123 in eu-west-1", into `text`. */
static const char *shown(const struct journal_row *row, char *text, size_t n)
{
	const char *id = row->resource ? row->resource
			 : row->name   ? row->name
				       : "without an id yet";
	const char *region = row->place.region;

	snprintf(text, n, "%s %s%s%s", row->kind, id, region ? " in " : "", region ? region : "");
	return text;
}

static const struct journal_undo *find_undo(const struct sweep *s, const struct journal_row *row)
{
	for (size_t t = 0; t < s->ntables; t++)
		for (size_t i = 0; i < *s->tables[t].n; i++)
			if (streq(s->tables[t].rows[i].platform, row->place.platform) &&
			    streq(s->tables[t].rows[i].kind, row->kind))
				return &s->tables[t].rows[i];
	return NULL;
}

static int64_t patience_s(void)
{
	const char *set = os_env("INGOT_SWEEP_PATIENCE");
	int64_t s;

	return set && parse_i64(str_from(set), &s) && s >= 0 ? s : PATIENCE_S;
}

/* Looks for what an intent without an id may have made. *ret NULL: it was never made. */
static int look_for(struct sweep *s, const struct journal_undo *undo, const struct journal_row *row,
		    const char *run_id, char **ret, struct err *err)
{
	int64_t left_s = MAX((int64_t)0, row->created + patience_s() - clock_unix());
	int64_t end_ms = clock_ms() + left_s * 1000;
	/* Several also when the search for another took all the time: a read may not see it yet. */
	int looks = row->created + patience_s() > s->started ? LOOKS_MIN : 1;
	bool told = false;

	*ret = NULL;
	while (undo->find) {
		if (undo->find(row, run_id, ret, err) < 0)
			return -1;
		if (*ret || (--looks <= 0 && clock_ms() >= end_ms))
			return 0;
		if (!told)
			tell(s, false,
			     "Looking for the %s of build '%s' for up to %lld s: its creation "
			     "was requested, but no answer was recorded",
			     row->kind, row->build ? row->build : "?", (long long)left_s);
		told = true;
		if (clock_sleep(LOOK_AGAIN_MS, s->cancel) < 0)
			return err_set(err, ERR_CANCELLED, "cancelled");
	}
	return 0;
}

static int undo_row(struct sweep *s, sqlite3 *db, const char *run_id, struct journal_row *row,
		    struct err *err)
{
	const struct journal_undo *undo = find_undo(s, row);
	struct journal_row known = *row;
	auto_free char *found = NULL;
	AUTO(err) struct err unwritten = ERR_INIT;
	char id[SHOWN_MAX];

	if (!undo)
		return err_set(err, ERR_UNSUPPORTED,
			       "this version of ingot does not know how to remove it");
	if (!row->resource) {
		if (look_for(s, undo, row, run_id, &found, err) < 0)
			return -1;
		known.resource = found;
		/* On record before it goes: a sweep may be killed too. */
		if (found && journal_set_resource(db, row->id, found, err) < 0)
			return -1;
	}
	if (known.resource) {
		if (undo->undo(&known, err) < 0)
			return -1;
		s->removed++;
		tell(s, false, "Removed %s", shown(&known, id, sizeof(id)));
	}
	/* A row that stays is undone once more by the next sweep, which finds nothing. */
	if (journal_set_state(db, row->id, JOURNAL_UNDONE, &unwritten) < 0)
		log_line("[ERROR] journal: %s", unwritten.msg);
	return 0;
}

static void sweep_row(struct sweep *s, sqlite3 *db, const char *run_id, struct journal_row *row)
{
	AUTO(err) struct err err = ERR_INIT;
	char id[SHOWN_MAX];

	if (s->dry_run) {
		s->removed++;
		tell(s, false, "Would remove %s", shown(row, id, sizeof(id)));
		return;
	}
	if (cancel_check(s->cancel, &err) == 0 && undo_row(s, db, run_id, row, &err) == 0)
		return;
	s->left++;
	tell(s, true, "Left behind: %s: %s", shown(row, id, sizeof(id)), err.msg);
}

/* A lock that is free says nothing about a process of another host: file systems differ. */
static bool lives_elsewhere(sqlite3 *db)
{
	char here[256];
	auto_free char *host = journal_meta(db, "host");
	auto_free char *beat = journal_meta(db, "heartbeat");
	int64_t last;

	journal_host(here, sizeof(here));
	if (!host || streq(host, here))
		return false;
	return beat && parse_i64(str_from(beat), &last) && clock_unix() - last < ALIVE_S;
}

/* A local cloud that was started again may have another port: its rows get the endpoint of now. */
static int reach_local(struct sweep *s, sqlite3 *db, struct journal_row *rows, size_t n,
		       struct err *err)
{
	auto_free char *dir = journal_meta(db, "local");
	auto_free char *endpoint = NULL;

	if (!dir || !n || s->dry_run)
		return 0;
	if (!s->local)
		return err_set(err, ERR_UNSUPPORTED, "it was a rehearsal on the local cloud in %s",
			       dir);
	if (s->local(s->data, dir, &endpoint, err) < 0)
		return err_prefix(err, "it was a rehearsal on the local cloud in %s", dir);
	for (size_t i = 0; i < n; i++) {
		free((char *)rows[i].place.endpoint);
		rows[i].place.endpoint = xstrdup(endpoint);
	}
	return 0;
}

static void sweep_open_run(struct sweep *s, sqlite3 *db, const char *path, const char *run_id)
{
	AUTO(err) struct err err = ERR_INIT;
	struct journal_row *rows = NULL;
	size_t n = 0, left = s->left;

	if (lives_elsewhere(db)) {
		tell(s, s->run_id != NULL, "Run %s is still alive on another host: skipped",
		     run_id);
		s->left += s->run_id != NULL;
		journal_file_close(db);
		return;
	}
	if (journal_file_left(db, &rows, &n, &err) < 0 || reach_local(s, db, rows, n, &err) < 0) {
		tell(s, true, "Run %s: %s", run_id, err.msg);
		s->left += MAX(n, (size_t)1);
		journal_rows_free(rows, n);
		journal_file_close(db);
		return;
	}
	for (size_t i = 0; i < n; i++)
		sweep_row(s, db, run_id, &rows[i]);
	journal_rows_free(rows, n);
	if (!s->dry_run && s->left == left)
		journal_file_remove(path, db);
	else
		journal_file_close(db);
}

static void sweep_run(struct sweep *s, const char *dir, const char *run_id)
{
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *path = journal_file_path(dir, run_id);
	sqlite3 *db = NULL;

	if (journal_file_open(path, false, &db, &err) == 0) {
		sweep_open_run(s, db, path, run_id);
	} else if (err.code == ERR_AGAIN) {
		/* Asked for by name it is a failure, else just somebody at work. */
		tell(s, s->run_id != NULL, "Run %s is still alive: skipped", run_id);
		s->left += s->run_id != NULL;
	} else if (err.code == ERR_NOT_FOUND) {
		unlink(path); /* killed before its first row: nothing was made */
	} else {
		tell(s, true, "Run %s: %s", run_id, err.msg);
		s->left++;
	}
}

static int list_runs(const char *dir, char ***ret, size_t *ret_n, struct err *err)
{
	VEC(char *) ids = VEC_INIT;
	DIR *d = opendir(dir);

	*ret = NULL;
	*ret_n = 0;
	if (!d)
		return errno == ENOENT
			       ? 0
			       : err_errno(err, errno, "reading the journal directory %s", dir);
	for (struct dirent *e; (e = readdir(d));)
		if (ends_with(e->d_name, ".db"))
			vec_push(&ids, xstrndup(e->d_name, strlen(e->d_name) - 3));
	closedir(d);
	sort_strings((const char **)ids.v, ids.n);
	*ret = ids.v;
	*ret_n = ids.n;
	return 0;
}

int sweep_runs(struct sweep *s, struct err *err)
{
	auto_free char *dir = journal_dir();
	char **ids = NULL;
	size_t n = 0;
	bool found = false;

	s->removed = s->left = 0;
	s->started = clock_unix();
	if (list_runs(dir, &ids, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!s->run_id || streq(s->run_id, ids[i])) {
			found = true;
			if (!cancel_is_set(s->cancel))
				sweep_run(s, dir, ids[i]);
		}
		free(ids[i]);
	}
	free(ids);
	if (s->run_id && !found)
		return err_set(err, ERR_NOT_FOUND,
			       "there is no journal of run %s in %s: it left nothing behind or was "
			       "already swept",
			       s->run_id, dir);
	return 0;
}
