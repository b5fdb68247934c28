/* Scheduler: one thread a build, with a small stack so that a thousand fit; the caller's thread
 * starts them in order and waits. A build never touches another's memory; they meet in the event
 * stream, the journal and the lock that lets one question be asked at a time. */
#include "engine/scheduler.h"

#include "base/clock.h"
#include "base/log.h"

#include <pthread.h>
#include <sys/resource.h>

enum { STACK_BYTES = 1 << 20, FDS_OF_RUN = 16, FDS_PER_BUILD = 16 };

struct scheduler {
	struct run *run;
	const struct plan *plan;
	pthread_mutex_t lock, ask_lock;
	pthread_cond_t ended;
	size_t running;
	struct build_results *results;
};

struct worker {
	struct scheduler *scheduler;
	struct build_result *result;
	size_t index;
	pthread_t thread;
};

/* Builder, then post-processors. */
static int run_all(struct build *b, struct build_result *r, struct err *err)
{
	const struct plan_component *c = &b->spec->builder;
	struct artifact *made = NULL;

	build_step(b, "start");
	b->component = c;
	/* The plan's own config: nothing of a build's data is known before its builder runs. */
	if (b->spec->ops->run(b, c->config, &made, err) < 0)
		return -1;
	b->component = NULL;
	if (b->run->journal)
		journal_release_build(b->run->journal, b->spec->name);
	return made ? build_chains(b, made, &r->artifacts, err) : 0;
}

static void run_build(struct worker *w)
{
	struct scheduler *s = w->scheduler;
	struct build_result *r = w->result;
	AUTO(buf) struct buf took = BUF_INIT;
	struct build b;

	build_init(&b, s->run, s->plan, r->spec, w->index, &s->ask_lock);
	r->ok = run_all(&b, r, &r->err) == 0;
	build_step(&b, "%s", "");
	clock_format_duration(&took, clock_ns() - b.inner->started_ns);
	if (r->ok)
		build_plain(&b, false, "Build '%s' finished after %s.", r->spec->name,
			    buf_cstr(&took));
	else
		build_plain(&b, true, "Build '%s' errored after %s: %s", r->spec->name,
			    buf_cstr(&took), r->err.msg);
	build_release(&b);
}

static void *thread_main(void *data)
{
	struct worker *w = data;
	struct scheduler *s = w->scheduler;

	run_build(w);
	pthread_mutex_lock(&s->lock);
	w->result->ended = true;
	s->running--;
	pthread_cond_signal(&s->ended);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static struct build_result *result_of(const struct scheduler *s, const struct plan_build *spec)
{
	for (size_t i = 0; i < s->results->n; i++)
		if (s->results->v[i].spec == spec)
			return &s->results->v[i];
	return NULL; /* it could not be prepared */
}

enum readiness { READY, NOT_YET, NEVER };

/* Whether the builds that this one comes after have ended, and ended well. */
static enum readiness readiness_of(const struct scheduler *s, const struct plan_build *spec,
				   const struct plan_build **ret_failed)
{
	enum readiness all = READY;

	for (size_t i = 0; i < spec->nafter; i++) {
		const struct build_result *r = result_of(s, spec->after[i]);

		if (!r || (r->ended && !r->ok)) {
			*ret_failed = spec->after[i];
			return NEVER;
		}
		if (!r->ended)
			all = NOT_YET;
	}
	return all;
}

static void skip(struct scheduler *s, struct build_result *r, const struct plan_build *failed)
{
	r->ended = true;
	err_set(&r->err, ERR_INVALID, "not run: it depends on '%s', which failed", failed->name);
	run_plain(s->run, true, "Build '%s' skipped: %s", r->spec->name, r->err.msg);
}

/* Skips what can never be started any more, and what comes after that. */
static void skip_hopeless(struct scheduler *s)
{
	for (size_t i = 0; i < s->results->n; i++) {
		struct build_result *r = &s->results->v[i];
		const struct plan_build *failed = NULL;

		if (r->started || r->ended || readiness_of(s, r->spec, &failed) != NEVER)
			continue;
		skip(s, r, failed);
		i = (size_t)-1; /* from the beginning: it may stand before this one */
	}
}

/* The first that can be started now, or NULL; *ret_waiting: whether there are any to be started
 * later. */
static struct worker *first_ready(struct scheduler *s, struct worker *workers, bool *ret_waiting)
{
	const struct plan_build *failed;

	*ret_waiting = false;
	for (size_t i = 0; i < s->results->n; i++) {
		const struct build_result *r = &s->results->v[i];

		if (r->started || r->ended)
			continue;
		*ret_waiting = true;
		if (readiness_of(s, r->spec, &failed) == READY)
			return &workers[i];
	}
	return NULL;
}

/* The next build to be started, in the order of the plan, once there is room for it. NULL: none is
 * left, or the run was cancelled. */
static struct worker *next_worker(struct scheduler *s, struct worker *workers, int64_t parallel)
{
	struct worker *found = NULL;

	pthread_mutex_lock(&s->lock);
	while (!cancel_is_set(s->run->cancel)) {
		bool room = parallel <= 0 || s->running < (size_t)parallel, waiting;

		skip_hopeless(s);
		found = first_ready(s, workers, &waiting);
		if (!waiting || (found && room))
			break;
		found = NULL;
		pthread_cond_wait(&s->ended, &s->lock);
	}
	s->running += found != NULL;
	pthread_mutex_unlock(&s->lock);
	return found;
}

static void start(struct worker *w)
{
	pthread_attr_t attr;
	int failure;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	failure = pthread_create(&w->thread, &attr, thread_main, w);
	pthread_attr_destroy(&attr);
	w->result->started = failure == 0;
	if (failure == 0)
		return;
	err_errno(&w->result->err, failure, "cannot start a thread for build '%s'",
		  w->result->spec->name);
	run_plain(w->scheduler->run, true, "Build '%s' errored: %s", w->result->spec->name,
		  w->result->err.msg);
	pthread_mutex_lock(&w->scheduler->lock);
	w->result->ended = true;
	w->scheduler->running--;
	pthread_mutex_unlock(&w->scheduler->lock);
}

int64_t builds_at_once(size_t nbuilds, int64_t *ret_files)
{
	struct rlimit limit;
	rlim_t want = FDS_OF_RUN + nbuilds * FDS_PER_BUILD;

	*ret_files = 0;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return (int64_t)nbuilds;
	if (limit.rlim_cur < want) {
		limit.rlim_cur = MIN(limit.rlim_max, want);
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			log_line("[WARN] descriptor limit stays: %m");
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	*ret_files = (int64_t)MIN(limit.rlim_cur, (rlim_t)INT64_MAX);
	if (limit.rlim_cur >= want)
		return (int64_t)nbuilds;
	return MAX(*ret_files - FDS_OF_RUN, (int64_t)0) / FDS_PER_BUILD;
}

/* Many builds need more descriptors than the usual soft limit of 1024. */
static int64_t fit_descriptors(struct run *run, size_t nbuilds, int64_t parallel)
{
	int64_t asked = parallel > 0 ? MIN(parallel, (int64_t)nbuilds) : (int64_t)nbuilds, files;
	int64_t most = builds_at_once((size_t)asked, &files);

	if (most >= asked)
		return parallel;
	run_plain(run, false,
		  "Only %lld builds run at a time, as this process may open only %lld files "
		  "(ulimit -n).",
		  (long long)most, (long long)files);
	return MAX(most, (int64_t)1);
}

static void list_results(const struct plan *plan, struct build_results *ret)
{
	ret->v = xcalloc(plan->nbuilds + 1, sizeof(*ret->v));
	ret->n = 0;
	for (size_t i = 0; i < plan->nbuilds; i++)
		if (!plan->builds[i].broken)
			ret->v[ret->n++].spec = &plan->builds[i];
}

void run_builds(struct run *run, const struct plan *plan, int64_t parallel,
		struct build_results *ret)
{
	struct scheduler s = { .run = run, .plan = plan, .results = ret };
	struct worker *w;
	int64_t from = clock_ns();
	auto_free struct worker *workers = NULL;

	list_results(plan, ret);
	parallel = fit_descriptors(run, ret->n, parallel);
	workers = xcalloc(ret->n + 1, sizeof(*workers));
	pthread_mutex_init(&s.lock, NULL);
	pthread_mutex_init(&s.ask_lock, NULL);
	pthread_cond_init(&s.ended, NULL);
	for (size_t i = 0; i < ret->n; i++)
		workers[i] = (struct worker){ .scheduler = &s, .result = &ret->v[i], .index = i };
	while ((w = next_worker(&s, workers, parallel)))
		start(w);
	for (size_t i = 0; i < ret->n; i++)
		if (ret->v[i].started)
			pthread_join(workers[i].thread, NULL);
	pthread_mutex_destroy(&s.lock);
	pthread_mutex_destroy(&s.ask_lock);
	pthread_cond_destroy(&s.ended);
	ret->ns = clock_ns() - from;
}

void build_results_release(struct build_results *r)
{
	for (size_t i = 0; i < r->n; i++) {
		err_release(&r->v[i].err);
		artifacts_release(&r->v[i].artifacts);
	}
	free(r->v);
	*r = (struct build_results){ 0 };
}
