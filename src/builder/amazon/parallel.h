/* Independent API calls of one build side by side: each runs on its own thread with its own arena,
 * the first on the caller's.
 *
 *	struct ask { struct amazon_task task; struct ec2_image *ret; size_t n; };
 *	struct ask a = { { .run = ask_images } }, b = …;
 *	struct amazon_task *tasks[] = { &a.task, &b.task };
 *
 *	if (amazon_parallel(s, tasks, 2, err) < 0)
 *		…
 */
#ifndef INGOT_BUILDER_AMAZON_PARALLEL_H
#define INGOT_BUILDER_AMAZON_PARALLEL_H

#include "builder/amazon/state.h"

struct amazon_task {
	/* client: EC2 in the build's region; what it answers lives as long as the build. The task
	 * reads of the state only what no other task changes; it does not use the build's arena. */
	int (*run)(struct amazon_task *t, struct amazon *s, const struct aws_client *client,
		   struct err *err);
	struct err err; /* after amazon_parallel: released */
};

/* Runs all to their ends. -1 with the first task's error, in the order of the list, if any failed;
 * the others' errors go to the log. */
int amazon_parallel(struct amazon *s, struct amazon_task **tasks, size_t n,
		    struct err *err) MUST_USE;

#endif
