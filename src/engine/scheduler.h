/* Runs the builds of a plan, a thread each, and tells how they ended.
 *
 *	run_legend(run, plan);
 *	run_builds(run, plan, parallel, &results);
 *	code = run_summary(run, plan, &results);
 *	build_results_release(&results);
 */
#ifndef INGOT_ENGINE_SCHEDULER_H
#define INGOT_ENGINE_SCHEDULER_H

#include "engine/inner.h"

struct build_result {
	const struct plan_build *spec;
	bool started, ended, ok;    /* one that was skipped ended without being started */
	struct err err;		    /* why it failed */
	struct artifacts artifacts; /* of a build that ended well */
};

struct build_results {
	struct build_result *v; /* in the order of the plan, without the broken ones */
	size_t n;
	int64_t ns; /* how long all took */
};

/* How many of so many builds the limit of open files lets run at once; it is raised first, as far
 * as that is allowed. 0: not even one. *ret_files: the limit. */
int64_t builds_at_once(size_t nbuilds, int64_t *ret_files);
/* Starts builds in order, at most `parallel` at a time (0 or less: all), until all are done or
 * cancelled. One that comes after others waits for them, and is skipped if one of them fails. */
void run_builds(struct run *run, const struct plan *plan, int64_t parallel,
		struct build_results *ret);
void build_results_release(struct build_results *r);

/* Which build has which colour. */
void run_legend(struct run *run, const struct plan *plan);
/* The closing lines; returns the exit code (broken builds count as failed). */
int run_summary(struct run *run, const struct plan *plan, const struct build_results *r);

#endif
