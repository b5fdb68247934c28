/* What a poll means for those who wait: reached, still on the way, never to be reached, gone, or
 * too long without progress. All under the waiters' lock. */
#include "aws/waiter_impl.h"

#include "base/clock.h"

#include <errno.h>
#include <unistd.h>

#define UNSEEN_MS 120000 /* a new thing may stay invisible this long */
#define GONE_POLLS 5	 /* answers without a thing before it counts as gone */

void waiter_notify(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void finish(struct wait *x, enum wait_verdict v)
{
	x->verdict = v;
	waiter_notify(x->fd);
}

static void fail_with(struct wait *x, const struct err *e)
{
	err_set(&x->err, e->code, "waiting for the %s %s to be %s: %s", x->request->what,
		x->request->id, x->request->goal, e->msg);
	x->err.os = e->os;
	err_set_name(&x->err, e->name);
	finish(x, WAIT_FAILED);
}

void waiter_fail_all(struct waiter *w, const struct err *e)
{
	for (struct wait *x = w->waits; x; x = x->next)
		if (x->verdict == WAIT_PENDING)
			fail_with(x, e);
}

static void note_state(struct wait *x, const char *state, int64_t now)
{
	if (streq(x->state, state))
		return;
	free(x->state);
	x->state = xstrdup(state);
	x->progress_ms = now;
}

void wait_judge(struct wait *x, const struct xml *item, int64_t now)
{
	const struct wait_request *r = x->request;
	const char *state = "", *why = "";
	enum wait_verdict v = r->judge(r->goal, item, now - x->added_ms, &state, &why);

	x->seen = x->in_answer = true;
	x->missing = 0;
	note_state(x, state, now);
	if (v == WAIT_DONE)
		x->item = xml_copy(x->arena, item);
	if (v == WAIT_FAILED)
		err_set(&x->err, ERR_REMOTE, "the %s %s cannot become %s: it is %s%s%s", r->what,
			r->id, r->goal, state, *why ? ": " : "", why);
	if (v != WAIT_PENDING)
		finish(x, v);
}

void wait_judge_missing(struct wait *x, int64_t now)
{
	const struct wait_request *r = x->request;
	int64_t age = now - x->added_ms;

	x->missing++;
	if (r->gone_is_done) {
		if ((x->seen && x->missing > 1) || (x->missing >= GONE_POLLS && age > 2000))
			finish(x, WAIT_DONE);
		return;
	}
	if (x->seen && x->missing >= GONE_POLLS && now - x->progress_ms > 5000)
		err_set(&x->err, ERR_NOT_FOUND, "the %s %s is gone; it was %s", r->what, r->id,
			x->state);
	else if (!x->seen && age > UNSEEN_MS)
		err_set(&x->err, ERR_NOT_FOUND, "the %s %s does not exist", r->what, r->id);
	if (err_any(&x->err))
		finish(x, WAIT_FAILED);
}

static int64_t patience(const struct wait *x)
{
	int64_t delay = x->polling.delay_seconds > 0 ? x->polling.delay_seconds
						     : AWS_POLL_DELAY_S;

	if (x->polling.max_attempts > 0)
		return x->polling.max_attempts * delay * 1000;
	return x->request->no_progress_ms;
}

void wait_judge_time(struct wait *x, int64_t now)
{
	const struct wait_request *r = x->request;
	bool counted = x->polling.max_attempts > 0;
	int64_t since = counted ? x->added_ms : x->progress_ms;

	if (now - since <= patience(x))
		return;
	err_set(&x->err, ERR_TIMEOUT, "the %s %s is not %s after %lld s%s (it is %s)%s", r->what,
		r->id, r->goal, (long long)((now - since) / 1000),
		counted ? "" : " without progress", x->state ? x->state : "unknown",
		counted ? "; raise max_attempts or delay_seconds of aws_polling"
			: "; aws_polling can allow more time");
	finish(x, WAIT_FAILED);
}
