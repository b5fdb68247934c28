/* Progress of pending images: EC2 tells none, but the snapshots made for them do. */
#include "aws/waiter_impl.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#define PROGRESS_MS 30000 /* between two looks at the snapshots */

/* How often to look at the snapshots for the most impatient wait; CLOCK_NEVER: nobody needs it. */
static int64_t progress_interval(const struct waiter *w, int64_t now)
{
	int64_t least = CLOCK_NEVER;

	for (const struct wait *x = w->waits; x; x = x->next) {
		int64_t i = MIN(x->request->no_progress_ms / 4, PROGRESS_MS);

		if (x->verdict == WAIT_PENDING && x->polling.max_attempts <= 0 &&
		    now - x->added_ms > i)
			least = MIN(least, i);
	}
	return least;
}

/* A snapshot's description names the image it is made for; all of an image's are one text, whose
 * change is progress. */
static void take_snapshots(struct waiter *w, const struct ec2_snapshot *v, size_t n, int64_t now)
{
	for (struct wait *x = w->waits; x; x = x->next) {
		AUTO(buf) struct buf text = BUF_INIT;

		for (size_t i = 0; i < n; i++)
			if (strstr(v[i].description, x->request->id))
				buf_printf(&text, "%s %s %s;", v[i].id, v[i].state, v[i].progress);
		if (!text.n || streq(x->snapshots, buf_cstr(&text)))
			continue;
		free(x->snapshots);
		x->snapshots = buf_steal(&text);
		x->progress_ms = now;
	}
}

static void look_for_progress(struct waiter *w)
{
	AUTO(arena) struct arena *arena = arena_new();
	AUTO(err) struct err e = ERR_INIT;
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct aws_client c = aws_client(w->session, "ec2", w->region, arena, w->all->stop);
	struct ec2_snapshot *v = NULL;
	struct strs values = { arena_new_array(arena, char *, BATCH), 0 };
	size_t n = 0;

	pthread_mutex_lock(&w->all->lock);
	for (const struct wait *x = w->waits; x && values.n + EC2_IMAGE_DESCRIPTIONS <= BATCH;
	     x = x->next) {
		ec2_snapshot_descriptions(arena, x->request->id, values.v + values.n);
		values.n += EC2_IMAGE_DESCRIPTIONS;
	}
	pthread_mutex_unlock(&w->all->lock);
	c.deadline_ms = clock_ms() + CALL_MS;
	aws_params_add(&p, "Owner.1", "self");
	aws_params_filter_list(&p, "description", &values);
	if (ec2_describe_snapshots(&c, &p, &v, &n, &e) < 0) {
		log_line("aws: the snapshots of pending images could not be looked at: %s", e.msg);
		w->progress_refused = aws_denied(&e);
	}
	w->progress_ms = clock_ms();
	pthread_mutex_lock(&w->all->lock);
	take_snapshots(w, v, n, w->progress_ms);
	pthread_mutex_unlock(&w->all->lock);
}

void waiter_look_if_due(struct waiter *w)
{
	int64_t now = clock_ms(), interval_ms;

	if (w->kind != WAIT_IMAGE || w->progress_refused)
		return;
	pthread_mutex_lock(&w->all->lock);
	interval_ms = progress_interval(w, now);
	pthread_mutex_unlock(&w->all->lock);
	if (interval_ms != CLOCK_NEVER && now - w->progress_ms >= interval_ms)
		look_for_progress(w);
}
