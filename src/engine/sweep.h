/* Finishes the undo of runs that are no longer alive, from their journals.
 *
 * A run is alive while a process holds the lock of its file, or, for a file of another host, while
 * its heartbeat is younger than ten minutes. An intent without an id is looked for until it is five
 * minutes old (INGOT_SWEEP_PATIENCE: seconds instead), for a resource may be there and not be seen
 * yet.
 */
#ifndef INGOT_ENGINE_SWEEP_H
#define INGOT_ENGINE_SWEEP_H

#include "base/cancel.h"
#include "engine/journal.h"

struct sweep_table {
	const struct journal_undo *rows;
	const size_t *n;
};

struct sweep {
	const char *run_id; /* only this one; NULL: all */
	bool dry_run;	    /* tell, do nothing */
	const struct sweep_table *tables;
	size_t ntables;
	struct cancel *cancel;
	/* For a run that was a rehearsal: makes the local cloud of that data directory reachable,
	 * with its keys known to the tables, and gives the endpoint it has now (heap). May be NULL:
	 * such runs stay. */
	int (*local)(void *data, const char *data_dir, char **ret_endpoint, struct err *err);
	/* One line for people; problem: something stays because of it. */
	void (*tell)(void *data, bool problem, const char *text);
	void *data;
	/* Out: resources removed (with dry_run: found), runs and resources that stay. */
	size_t removed, left;
	int64_t started; /* Unix seconds; set by sweep_runs */
};

/* 0 also when something is left: see left. Errors: ERR_NOT_FOUND: no such run; ERR_IO: the
 * directory of the journals cannot be read. */
int sweep_runs(struct sweep *s, struct err *err) MUST_USE;

#endif
