/* One thread for each region and kind asks for all pending ids at once and tells those who wait.
 *
 * A wait is a struct on the waiting build's stack, linked into its waiter's list; everything in it
 * that both sides touch is under the waiters' lock, and a build takes its wait out of the list
 * before it returns. The thread ends when nobody waits any more and is joined by whoever starts the
 * next one, or by waiters_stop().
 */
#include "aws/waiter_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#define OUTAGE_MS (5 * 60000) /* how long the service may be out of reach */
#define STACK_BYTES (512 << 10)

static const struct {
	const char *action, *filter, *path, *inner, *id;
	bool own; /* Owner.1=self narrows the search */
} kinds[WAIT_KINDS] = {
	[WAIT_INSTANCE] = { "DescribeInstances", "instance-id", "reservationSet/item",
			    "instancesSet/item", "instanceId", false },
	[WAIT_IMAGE] = { "DescribeImages", "image-id", "imagesSet/item", NULL, "imageId", true },
};

struct waiters *waiters_new(void)
{
	struct waiters *w = xcalloc(1, sizeof(*w));

	pthread_mutex_init(&w->lock, NULL);
	w->stop = cancel_new(NULL);
	return w;
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
		wait_judge(x, item, p->now);
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

/* Copies of ids. */
struct ids {
	char **v;
	size_t n, cap;
};

static void ids_release(struct ids *ids)
{
	for (size_t i = 0; i < ids->n; i++)
		free(ids->v[i]);
	vec_release(ids);
}
DEFINE_AUTO(ids, struct ids, ids_release);

static bool ids_have(const struct ids *ids, const char *id)
{
	for (size_t i = 0; i < ids->n; i++)
		if (streq(ids->v[i], id))
			return true;
	return false;
}

/* The pending ones, each once. */
static void pending_ids(struct waiter *w, struct ids *ret)
{
	for (struct wait *x = w->waits; x; x = x->next) {
		x->in_answer = false;
		if (x->verdict == WAIT_PENDING && !ids_have(ret, x->request->id))
			vec_push(ret, xstrdup(x->request->id));
	}
}

static int ask(struct waiter *w, const struct ids *ids, struct poll_state *p, struct err *err)
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
		waiter_fail_all(w, e);
	else
		log_line("aws: a poll failed and will be repeated: %s", e->msg);
}

static void poll_once(struct waiter *w)
{
	struct poll_state p = { .waiter = w, .now = clock_ms() };
	AUTO(err) struct err e = ERR_INIT;
	AUTO(ids) struct ids ids = VEC_INIT;
	int rc;

	pthread_mutex_lock(&w->all->lock);
	pending_ids(w, &ids);
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
		if (x->verdict != WAIT_PENDING || !ids_have(&ids, x->request->id))
			continue;
		x->polled_ms = p.now;
		if (rc == 0 && !x->in_answer)
			wait_judge_missing(x, p.now);
		if (x->verdict == WAIT_PENDING)
			wait_judge_time(x, p.now);
	}
	pthread_mutex_unlock(&w->all->lock);
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
		waiter_look_if_due(w);
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
		waiter_notify(w->wake);
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
			return err_set(err, ERR_TIMEOUT, "the %s %s did not become %s in time",
				       r->what, r->id, r->goal);
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
