/* Scheduler: one thread a build, with a small stack so that a thousand fit; the caller's thread starts them
 * in order and waits. A build never touches another's memory; they meet in the event stream, the journal and
 * the lock that lets one question be asked at a time. */
#include "engine/scheduler.h"

#include "base/clock.h"
#include "base/log.h"

#include <pthread.h>
#include <sys/resource.h>

enum { STACK_BYTES = 1 << 20, FDS_PER_BUILD = 16 };

struct scheduler {
	struct run *run;
	const struct plan *plan;
	pthread_mutex_t lock, ask_lock;
	pthread_cond_t ended;
	size_t running;
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
		journal_finish_build(b->run->journal, b->spec->name, true);
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
	if (!r->ok && s->run->journal)
		journal_finish_build(s->run->journal, r->spec->name, false);
	build_step(&b, "%s", "");
	clock_format_duration(&took, clock_ns() - b.inner->started_ns);
	if (r->ok)
		build_plain(&b, false, "Build '%s' finished after %s.", r->spec->name, buf_cstr(&took));
	else
		build_plain(&b, true, "Build '%s' errored after %s: %s", r->spec->name, buf_cstr(&took), r->err.msg);
	build_release(&b);
}

static void *thread_main(void *data)
{
	struct worker *w = data;
	struct scheduler *s = w->scheduler;

	run_build(w);
	pthread_mutex_lock(&s->lock);
	s->running--;
	pthread_cond_signal(&s->ended);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Waits until fewer than `parallel` builds run. */
static void wait_for_slot(struct scheduler *s, int64_t parallel)
{
	pthread_mutex_lock(&s->lock);
	while (parallel > 0 && s->running >= (size_t)parallel)
		pthread_cond_wait(&s->ended, &s->lock);
	s->running++;
	pthread_mutex_unlock(&s->lock);
}

static bool start(struct worker *w)
{
	pthread_attr_t attr;
	int failure;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	failure = pthread_create(&w->thread, &attr, thread_main, w);
	pthread_attr_destroy(&attr);
	if (failure == 0)
		return true;
	err_errno(&w->result->err, failure, "no thread to be had for build '%s'", w->result->spec->name);
	run_plain(w->scheduler->run, true, "Build '%s' errored: %s", w->result->spec->name, w->result->err.msg);
	pthread_mutex_lock(&w->scheduler->lock);
	w->scheduler->running--;
	pthread_mutex_unlock(&w->scheduler->lock);
	return false;
}

/* Many builds need more descriptors than the usual soft limit of 1024. */
static void raise_descriptor_limit(size_t nbuilds)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= nbuilds * FDS_PER_BUILD)
		return;
	limit.rlim_cur = MIN(limit.rlim_max, MAX(limit.rlim_cur, (rlim_t)(nbuilds * FDS_PER_BUILD)));
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_line("[WARN] descriptor limit stays: %m");
}

static void list_results(const struct plan *plan, struct build_results *ret)
{
	ret->v = xcalloc(plan->nbuilds + 1, sizeof(*ret->v));
	ret->n = 0;
	for (size_t i = 0; i < plan->nbuilds; i++)
		if (!plan->builds[i].broken)
			ret->v[ret->n++].spec = &plan->builds[i];
}

void run_builds(struct run *run, const struct plan *plan, int64_t parallel, struct build_results *ret)
{
	struct scheduler s = { .run = run, .plan = plan };
	int64_t from = clock_ns();
	auto_free struct worker *workers = NULL;

	list_results(plan, ret);
	raise_descriptor_limit(ret->n);
	workers = xcalloc(ret->n + 1, sizeof(*workers));
	pthread_mutex_init(&s.lock, NULL);
	pthread_mutex_init(&s.ask_lock, NULL);
	pthread_cond_init(&s.ended, NULL);
	for (size_t i = 0; i < ret->n; i++) {
		workers[i] = (struct worker){ .scheduler = &s, .result = &ret->v[i], .index = i };
		wait_for_slot(&s, parallel);
		if (cancel_is_set(run->cancel))
			break;
		ret->v[i].started = start(&workers[i]);
	}
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
