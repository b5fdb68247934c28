/* Inside of the waiters: what their thread (waiter.c), its verdicts (waiter_verdict.c) and the look
 * at snapshots (waiter_progress.c) share. */
#ifndef INGOT_AWS_WAITER_IMPL_H
#define INGOT_AWS_WAITER_IMPL_H

#include "aws/session_impl.h"
#include "aws/waiter.h"

#define BATCH 200     /* values of one filter (EC2's limit) */
#define CALL_MS 30000 /* limit of one poll, retries included */

struct wait {
	const struct wait_request *request;
	struct aws_polling polling;
	struct wait *next;
	int fd; /* eventfd: something changed */
	int64_t added_ms, polled_ms, progress_ms;
	bool seen, in_answer;
	int missing;
	char *state;
	char *snapshots; /* of a pending image: how far each is */
	enum wait_verdict verdict;
	struct arena *arena; /* of item */
	const struct xml *item;
	struct err err; /* with WAIT_FAILED */
};

struct waiter {
	struct waiter *next;
	struct waiters *all;
	struct aws_session *session; /* outlives its waiters */
	enum wait_kind kind;
	char *region;
	bool custom;
	struct wait *waits;
	pthread_t thread;
	bool running, joinable;
	int wake; /* eventfd: a wait was added */
	int64_t polled_ms, failing_since, progress_ms;
	int slow; /* 1, doubled by throttling */
	bool progress_refused;
};

struct waiters {
	pthread_mutex_t lock;
	struct waiter *first;
	struct cancel *stop;
};

void waiter_notify(int fd);

/* Under the lock. A wait is judged by its described item, or by its absence from an answer, or by
 * the time it took; a verdict wakes who waits. */
void wait_judge(struct wait *x, const struct xml *item, int64_t now);
void wait_judge_missing(struct wait *x, int64_t now);
void wait_judge_time(struct wait *x, int64_t now);
void waiter_fail_all(struct waiter *w, const struct err *e);

/* Before the poll that may give up; takes the lock itself. */
void waiter_look_if_due(struct waiter *w);

#endif
