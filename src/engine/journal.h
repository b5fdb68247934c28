/* Write-ahead journal: every resource has a row before its creating call leaves, gets its id on the
 * line after, and is marked when undone. One SQLite file a run (RUN.db in the directory `runs` of
 * INGOT_STATE_DIR), rollback journal, locked while the run lives. It never holds a secret. A run
 * that makes nothing makes no file.
 *
 *	if (journal_intend(j, &(struct journal_row){ .kind = "volume", … }, &row, err) < 0)
 *		return -1;
 *	… the creating call …
 *	if (journal_made(j, row, volume_id, err) < 0)
 *		return -1;
 */
#ifndef INGOT_ENGINE_JOURNAL_H
#define INGOT_ENGINE_JOURNAL_H

#include "base/base.h"
#include "base/err.h"

struct journal; /* of one run; thread-safe */

/* Where resources of a row live; strings are copied. Nothing secret. */
struct journal_place {
	const char *platform; /* "aws" */
	const char *account, *region, *endpoint, *profile, *role;
};

struct journal_row {
	int64_t id;
	const char *kind;	/* "instance", "image", "volume", "key-pair", … */
	const char *build;	/* build name */
	struct journal_place place;
	const char *token;	/* client token of the creating call, or NULL */
	const char *name;	/* unique name or tag to find it by, or NULL */
	const char *resource;	/* id, NULL while only intended */
	bool product;		/* outlives a run that ends well */
	/* Unix seconds of the intent; what is younger than minutes may still be invisible. */
	int64_t created;
};

/* run_id: ULID. The file comes with the first intent. */
struct journal *journal_new(const char *run_id) MUST_USE;
/* Before the first intent: the run is a rehearsal on the local cloud of this data directory. */
void journal_set_local(struct journal *j, const char *data_dir);
/* The intent, on disk (synced) before it returns. ret_id names the row for the calls below. Intents
 * of many threads at once share one sync. Errors, after which the creating call must not be made:
 * ERR_IO with the path. */
int journal_intend(struct journal *j, const struct journal_row *row, int64_t *ret_id,
		   struct err *err) MUST_USE;
/* The id of the made resource. */
int journal_made(struct journal *j, int64_t id, const char *resource, struct err *err) MUST_USE;
/* The resource is gone, or was never made. */
void journal_undone(struct journal *j, int64_t id);
/* The build ended well: its products are let go. */
void journal_release_build(struct journal *j, const char *build);
/* Ends the run and frees; the file is removed when nothing is owed. NULL is fine. */
void journal_close(struct journal *j);
/* What is left to undo, newest first; rows in *ret, freed by journal_rows_free. */
int journal_left(struct journal *j, struct journal_row **ret, size_t *ret_n,
		 struct err *err) MUST_USE;
void journal_rows_free(struct journal_row *rows, size_t n);

/* Undo of one kind of resource, for sweep; each platform gives a table (aws/undo.h). All are
 * idempotent, and refuse with ERR_AUTH when the credentials at hand belong to another account than
 * row->place.account. find: an intent without an id is looked for by token, name or tag;
 * *ret_resource NULL when there is none. */
struct journal_undo {
	const char *platform, *kind;
	int (*find)(const struct journal_row *row, const char *run_id, char **ret_resource,
		    struct err *err);
	int (*undo)(const struct journal_row *row, struct err *err);
};

#endif
