/* The shared waiter threads, below aws/wait.h: one for each region and kind of a session. */
#ifndef INGOT_AWS_WAITER_H
#define INGOT_AWS_WAITER_H

#include "aws/call.h"
#include "aws/wait.h"

enum wait_kind { WAIT_INSTANCE, WAIT_IMAGE, WAIT_KINDS };

enum wait_verdict { WAIT_PENDING, WAIT_DONE, WAIT_FAILED };

struct wait_request {
	enum wait_kind kind;
	const char *id;
	const char *what; /* "instance", for messages */
	const char *goal; /* "running" */
	/* Judges one described item; on the waiter's thread. WAIT_FAILED: *ret_why says why (in
	 * item's arena or constant). *ret_state: what counts as progress when it changes. */
	enum wait_verdict (*judge)(const char *goal, const struct xml *item, int64_t age_ms,
				   const char **ret_state, const char **ret_why);
	bool gone_is_done;    /* a thing no longer described has reached the goal */
	int64_t no_progress_ms;
};

/* Blocks until the verdict; ret_item (in the client's arena) is NULL when the thing is gone. */
int waiter_wait(const struct aws_client *c, const struct wait_request *r,
		const struct xml **ret_item, struct err *err) MUST_USE;

#endif
