/* The file of one run: what the running build (journal.c) and sweep (sweep.c) share. */
#ifndef INGOT_ENGINE_JOURNAL_FILE_H
#define INGOT_ENGINE_JOURNAL_FILE_H

#include "base/err.h"
#include "engine/journal.h"

#include <sqlite3.h>

enum { JOURNAL_SCHEMA = 1 };

/* How a row stands. What is INTENDED or MADE is owed: what is below UNDONE. */
enum journal_state { JOURNAL_INTENDED, JOURNAL_MADE, JOURNAL_UNDONE, JOURNAL_RELEASED };

char *journal_dir(void); /* of all runs; caller frees */
char *journal_file_path(const char *dir, const char *run_id);

/* Opens and locks; make: it may be new. Errors: ERR_AGAIN: another process holds it;
 * ERR_UNSUPPORTED: written by a newer ingot; ERR_IO: all else, with the path. */
int journal_file_open(const char *path, bool make, sqlite3 **ret, struct err *err) MUST_USE;
void journal_file_close(sqlite3 *db);
/* Removes it while it is locked, then closes. */
void journal_file_remove(const char *path, sqlite3 *db);

/* One statement with text parameters (NULL for none); rows are ignored. */
int journal_exec(sqlite3 *db, struct err *err, const char *sql, const char *const *params,
		 size_t n) MUST_USE;
/* A value of the table meta; caller frees; NULL if absent. */
char *journal_meta(sqlite3 *db, const char *key);
int journal_set_meta(sqlite3 *db, const char *key, const char *value, struct err *err) MUST_USE;
/* What is owed, newest first. */
int journal_file_left(sqlite3 *db, struct journal_row **ret, size_t *ret_n,
		      struct err *err) MUST_USE;
void journal_row_release(struct journal_row *row); /* its strings */
/* The id is known now. */
int journal_set_resource(sqlite3 *db, int64_t id, const char *resource, struct err *err) MUST_USE;
int journal_set_state(sqlite3 *db, int64_t id, enum journal_state state, struct err *err) MUST_USE;

/* Who and where this process is. */
void journal_host(char *ret, size_t n);
void journal_boot_id(char *ret, size_t n);

#endif
