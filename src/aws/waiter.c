/* One thread for each region and kind asks for all pending ids at once and tells those who wait.
 *
 * A wait is a struct on the waiting build's stack, linked into its waiter's list; everything in it
 * that both sides touch is under the waiters' lock, and a build takes its wait out of the list
 * before it returns. The thread ends when nobody waits any more and is joined by whoever starts the
 * next one, or by waiters_stop().
 */
#include "aws/waiter.h"

#include "aws/session_impl.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>

#define BATCH 200	       /* values of one filter (EC2's limit) */
#define UNSEEN_MS 120000       /* a new thing may stay invisible this long */
#define GONE_POLLS 5	       /* answers without a thing before it counts as gone */
#define OUTAGE_MS (5 * 60000)  /* how long the service may be out of reach */
#define CALL_MS 30000	       /* limit of one poll, retries included */
#define STACK_BYTES (512 << 10)
#define PROGRESS_MS 30000      /* between two looks at the snapshots of pending images */

static const struct {
	const char *action, *filter, *path, *inner, *id;
	bool own; /* Owner.1=self narrows the search */
} kinds[WAIT_KINDS] = {
	[WAIT_INSTANCE] = { "DescribeInstances", "instance-id", "reservationSet/item",
			    "instancesSet/item", "instanceId", false },
	[WAIT_IMAGE] = { "DescribeImages", "image-id", "imagesSet/item", NULL, "imageId", true },
};

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

struct waiters *waiters_new(void)
{
	struct waiters *w = xcalloc(1, sizeof(*w));

	pthread_mutex_init(&w->lock, NULL);
	w->stop = cancel_new(NULL);
	return w;
}

static void notify(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void drain(int fd)
{
	uint64_t n;

	while (read(fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

void waiters_stop(struct waiters *all)
{
	if (!all)
		return;
	cancel_set(all->stop);
	while (all->first) {
		struct waiter *w = all->first;

		all->first = w->next;
		if (w->joinable)
			pthread_join(w->thread, NULL);
		close(w->wake);
		free(w->region);
		free(w);
	}
	cancel_free(all->stop);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

/* ---- pace ---- */

/* Time between two looks at a thing of this age. */
static int64_t interval(const struct waiter *w, const struct wait *x, int64_t now)
{
	int64_t age = now - x->added_ms;

	if (x->polling.delay_seconds > 0)
		return x->polling.delay_seconds * 1000;
	if (w->custom)
		return MAX(50, MIN(age / 10, 500)) * w->slow;
	return MAX(1000, MIN(age / 20, 5000)) * w->slow;
}

static int64_t next_poll(const struct waiter *w, int64_t now)
{
	int64_t due = CLOCK_NEVER;

	for (const struct wait *x = w->waits; x; x = x->next) {
		int64_t t = x->polled_ms ? x->polled_ms + interval(w, x, now)
					 : x->added_ms + (w->custom ? 0 : 500);

		due = MIN(due, t);
	}
	if (w->polled_ms)
		due = MAX(due, w->polled_ms + (w->custom ? 30 : 1000) * w->slow);
	return due;
}

/* ---- verdicts; all under the lock ---- */

static void finish(struct wait *x, enum wait_verdict v)
{
	x->verdict = v;
	notify(x->fd);
}

static void fail_with(struct wait *x, const struct err *e)
{
	err_set(&x->err, e->code, "waiting for the %s %s to be %s: %s", x->request->what,
		x->request->id, x->request->goal, e->msg);
	x->err.os = e->os;
	err_set_name(&x->err, e->name);
	finish(x, WAIT_FAILED);
}

static void fail_all(struct waiter *w, const struct err *e)
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

static void judge(struct wait *x, const struct xml *item, int64_t now)
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

static void judge_missing(struct wait *x, int64_t now)
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
						     : 15; /* Packer's own */

	if (x->polling.max_attempts > 0)
		return x->polling.max_attempts * delay * 1000;
	return x->request->no_progress_ms;
}

static void judge_time(struct wait *x, int64_t now)
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

static struct wait *wait_for_id(struct wait *x, const char *id)
{
	while (x && (x->verdict != WAIT_PENDING || !streq(x->request->id, id)))
		x = x->next;
	return x;
}

struct poll_state {
	struct waiter *waiter;
	int64_t now;
};

static void take_item(struct poll_state *p, const struct xml *item)
{
	const char *id = xml_text(item, kinds[p->waiter->kind].id);
	struct wait *x = p->waiter->waits;

	while ((x = wait_for_id(x, id))) {
		judge(x, item, p->now);
		x = x->next;
	}
}

static int on_item(void *data, const struct xml *item)
{
	struct poll_state *p = data;
	const char *inner = kinds[p->waiter->kind].inner;

	pthread_mutex_lock(&p->waiter->all->lock);
	if (!inner)
		take_item(p, item);
	for (const struct xml *i = inner ? xml_first(item, inner) : NULL; i; i = xml_next(i))
		take_item(p, i);
	pthread_mutex_unlock(&p->waiter->all->lock);
	return 0;
}

/* ---- polling ---- */

/* The pending ids, each once, as heap strings. */
static void pending_ids(struct waiter *w, struct strs *ret, size_t *ret_cap)
{
	for (struct wait *x = w->waits; x; x = x->next) {
		bool known = false;

		x->in_answer = false;
		for (size_t i = 0; i < ret->n && !known; i++)
			known = streq(ret->v[i], x->request->id);
		if (known || x->verdict != WAIT_PENDING)
			continue;
		ret->v = vec_grow_(ret->v, ret_cap, ret->n + 1, sizeof(*ret->v));
		ret->v[ret->n++] = xstrdup(x->request->id);
	}
}

static int ask(struct waiter *w, const struct strs *ids, struct poll_state *p, struct err *err)
{
	AUTO(arena) struct arena *arena = arena_new();
	struct aws_client c = aws_client(w->session, "ec2", w->region, arena, w->all->stop);

	c.deadline_ms = clock_ms() + CALL_MS;
	for (size_t from = 0; from < ids->n; from += BATCH) {
		AUTO(aws_params) struct aws_params params = AWS_PARAMS_INIT;
		struct strs part = { ids->v + from, MIN(ids->n - from, (size_t)BATCH) };

		aws_params_filter_list(&params, kinds[w->kind].filter, &part);
		if (kinds[w->kind].own)
			aws_params_add(&params, "Owner.1", "self");
		if (aws_call_pages(&c, kinds[w->kind].action, &params, kinds[w->kind].path, on_item,
				   p, err) < 0)
			return -1;
	}
	return 0;
}

/* A throttle answer slows everybody down; an outage is borne for a while; the rest is for the
 * builds. */
static void take_failure(struct waiter *w, const struct err *e, int64_t now)
{
	bool outage = e->code == ERR_LOST || e->code == ERR_TIMEOUT || e->code == ERR_AGAIN ||
		      e->os >= 500;

	if (e->code == ERR_AGAIN)
		w->slow = MIN(w->slow * 2, 8);
	if (!w->failing_since)
		w->failing_since = now;
	if (!outage || now - w->failing_since > OUTAGE_MS)
		fail_all(w, e);
	else
		log_line("aws: a poll failed and will be repeated: %s", e->msg);
}

static void poll_once(struct waiter *w)
{
	struct poll_state p = { .waiter = w, .now = clock_ms() };
	AUTO(err) struct err e = ERR_INIT;
	struct strs ids = { 0 };
	size_t cap = 0;
	int rc;

	pthread_mutex_lock(&w->all->lock);
	pending_ids(w, &ids, &cap);
	pthread_mutex_unlock(&w->all->lock);
	rc = ids.n ? ask(w, &ids, &p, &e) : 0;
	p.now = clock_ms();

	pthread_mutex_lock(&w->all->lock);
	w->polled_ms = p.now;
	if (rc < 0) {
		take_failure(w, &e, p.now);
	} else {
		w->failing_since = 0;
		w->slow = MAX(1, w->slow / 2);
	}
	for (struct wait *x = w->waits; x; x = x->next) {
		bool asked = false;

		for (size_t i = 0; i < ids.n && !asked; i++)
			asked = streq(ids.v[i], x->request->id);
		if (!asked || x->verdict != WAIT_PENDING)
			continue;
		x->polled_ms = p.now;
		if (rc == 0 && !x->in_answer)
			judge_missing(x, p.now);
		if (x->verdict == WAIT_PENDING)
			judge_time(x, p.now);
	}
	pthread_mutex_unlock(&w->all->lock);
	for (size_t i = 0; i < ids.n; i++)
		free(ids.v[i]);
	free(ids.v);
}

/* ---- progress of images: EC2 tells none, but their snapshots do ---- */

/* How often the snapshots are looked at for the most impatient wait; CLOCK_NEVER when nobody needs
 * it. */
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
	for (const struct wait *x = w->waits; x && values.n + 2 <= BATCH; x = x->next) {
		values.v[values.n++] = arena_printf(arena, "Created by CreateImage(*) for %s*",
						    x->request->id);
		values.v[values.n++] = arena_printf(arena, "Copied for DestinationAmi %s*",
						    x->request->id);
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

/* Before the poll that may give up. */
static void look_if_due(struct waiter *w)
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

static bool anybody_waits(const struct waiter *w)
{
	for (const struct wait *x = w->waits; x; x = x->next)
		if (x->verdict == WAIT_PENDING)
			return true;
	return false;
}

static void *waiter_main(void *data)
{
	struct waiter *w = data;
	struct waiters *all = w->all;

	for (;;) {
		struct pollfd fds[2] = { { .fd = w->wake, .events = POLLIN },
					 { .fd = cancel_fd(all->stop), .events = POLLIN } };
		int64_t due, now = clock_ms();

		pthread_mutex_lock(&all->lock);
		if (cancel_is_set(all->stop) || !anybody_waits(w)) {
			w->running = false;
			pthread_mutex_unlock(&all->lock);
			return NULL;
		}
		due = next_poll(w, now);
		pthread_mutex_unlock(&all->lock);
		if (due > now) {
			if (poll(fds, 2, clock_left(due)) > 0 && fds[0].revents)
				drain(w->wake);
			continue;
		}
		look_if_due(w);
		poll_once(w);
	}
}

static int start_thread(struct waiter *w)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int rc;

	if (w->joinable)
		pthread_join(w->thread, NULL); /* it said so itself: it is on its way out */
	w->joinable = false;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, &attr, waiter_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	w->running = w->joinable = rc == 0;
	return rc;
}

static struct waiter *find_waiter(struct waiters *all, const struct aws_client *c,
				  enum wait_kind kind)
{
	struct waiter *w = all->first;

	while (w && (w->kind != kind || !streq(w->region, c->region)))
		w = w->next;
	if (w)
		return w;
	w = xcalloc(1, sizeof(*w));
	w->all = all;
	w->session = c->session;
	w->kind = kind;
	w->region = xstrdup(c->region);
	w->custom = aws_session_is_custom(c->session, "ec2");
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->slow = 1;
	w->next = all->first;
	all->first = w;
	return w;
}

/* ---- the waiting side ---- */

static int enlist(struct waiters *all, const struct aws_client *c, struct wait *x,
		  struct waiter **ret, struct err *err)
{
	struct waiter *w;
	int rc = 0;

	pthread_mutex_lock(&all->lock);
	w = find_waiter(all, c, x->request->kind);
	x->next = w->waits;
	w->waits = x;
	if (w->wake < 0)
		rc = EMFILE;
	else if (!w->running)
		rc = start_thread(w);
	else
		notify(w->wake);
	if (rc)
		w->waits = x->next;
	pthread_mutex_unlock(&all->lock);
	if (rc)
		return err_errno(err, rc, "starting to wait for %s", x->request->id);
	*ret = w;
	return 0;
}

static void leave(struct waiter *w, struct wait *x)
{
	struct wait **p;

	pthread_mutex_lock(&w->all->lock);
	for (p = &w->waits; *p; p = &(*p)->next) {
		if (*p == x) {
			*p = x->next;
			break;
		}
	}
	pthread_mutex_unlock(&w->all->lock);
}

static enum wait_verdict verdict_of(struct waiter *w, const struct wait *x)
{
	enum wait_verdict v;

	pthread_mutex_lock(&w->all->lock);
	v = x->verdict;
	pthread_mutex_unlock(&w->all->lock);
	return v;
}

static int block(const struct aws_client *c, struct waiter *w, struct wait *x, struct err *err)
{
	const struct wait_request *r = x->request;
	int64_t deadline = c->deadline_ms ? c->deadline_ms : CLOCK_NEVER;

	for (;;) {
		struct pollfd fds[2] = { { .fd = x->fd, .events = POLLIN },
					 { .fd = c->cancel ? cancel_fd(c->cancel) : -1,
					   .events = POLLIN } };

		if (c->cancel && cancel_check(c->cancel, err) < 0)
			return -1;
		if (verdict_of(w, x) != WAIT_PENDING)
			return 0;
		if (clock_left(deadline) == 0)
			return err_set(err, ERR_TIMEOUT, "the %s %s did not become %s in "
							 "time", r->what,
				       r->id, r->goal);
		if (poll(fds, 2, clock_left(deadline)) > 0 && fds[0].revents)
			drain(x->fd);
	}
}

int waiter_wait(const struct aws_client *c, const struct wait_request *r,
		const struct xml **ret_item, struct err *err)
{
	AUTO(arena) struct arena *arena = arena_new();
	auto_fd int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int64_t now = clock_ms();
	struct wait x = {
		.request = r,
		.polling = c->polling,
		.fd = fd,
		.added_ms = now,
		.progress_ms = now,
		.arena = arena,
	};
	struct waiter *w = NULL;
	int rc;

	if (fd < 0)
		return err_errno(err, errno, "starting to wait for %s", r->id);
	if (enlist(c->session->waiters, c, &x, &w, err) < 0)
		return -1;
	rc = block(c, w, &x, err);
	leave(w, &x);
	if (rc == 0 && x.verdict == WAIT_FAILED)
		rc = err_move(err, &x.err);
	if (rc == 0)
		*ret_item = x.item ? xml_copy(c->arena, x.item) : NULL;
	err_release(&x.err);
	free(x.state);
	free(x.snapshots);
	return rc;
}
