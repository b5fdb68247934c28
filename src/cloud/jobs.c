/* A small pool of workers over one ordered list: the list is short, so it is simply searched. */
#include "cloud/jobs.h"

#include "base/clock.h"
#include "base/str.h"
#include "base/vec.h"

#include <pthread.h>

struct job {
	char *key; /* or NULL */
	int64_t due; /* monotonic ms */
	void (*fn)(void *data);
	void *data;
	bool running;
};

struct jobs {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	VEC(struct job *) list; /* waiting and running, oldest first */
	pthread_t *threads;
	int nthreads;
	bool ending;
};

/* Is an older job of the same key in the list before index i? */
static bool held_back(const struct jobs *j, size_t i)
{
	if (!j->list.v[i]->key)
		return false;
	for (size_t k = 0; k < i; k++)
		if (streq(j->list.v[k]->key, j->list.v[i]->key))
			return true;
	return false;
}

/* The first job that may run now, or NULL with the time when the next may. */
static struct job *next_job(const struct jobs *j, int64_t now, int64_t *ret_due)
{
	*ret_due = CLOCK_NEVER;
	for (size_t i = 0; i < j->list.n; i++) {
		struct job *job = j->list.v[i];

		if (job->running || held_back(j, i))
			continue;
		if (job->due <= now)
			return job;
		*ret_due = MIN(*ret_due, job->due);
	}
	return NULL;
}

static void wait_until(struct jobs *j, int64_t due)
{
	struct timespec at = { .tv_sec = due / 1000, .tv_nsec = due % 1000 * 1000000 };

	if (due == CLOCK_NEVER)
		pthread_cond_wait(&j->changed, &j->lock);
	else
		pthread_cond_timedwait(&j->changed, &j->lock, &at);
}

static void remove_job(struct jobs *j, struct job *job)
{
	for (size_t i = 0; i < j->list.n; i++)
		if (j->list.v[i] == job) {
			vec_remove(&j->list, i);
			break;
		}
	free(job->key);
	free(job);
}

static void *worker(void *data)
{
	struct jobs *j = data;
	struct job *job;
	int64_t due;

	pthread_mutex_lock(&j->lock);
	while (!j->ending) {
		job = next_job(j, clock_ms(), &due);
		if (!job) {
			wait_until(j, due);
			continue;
		}
		job->running = true;
		pthread_mutex_unlock(&j->lock);
		job->fn(job->data);
		pthread_mutex_lock(&j->lock);
		remove_job(j, job);
		pthread_cond_broadcast(&j->changed);
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

struct jobs *jobs_new(int threads)
{
	struct jobs *j = xcalloc(1, sizeof(*j));
	pthread_condattr_t attr;

	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->changed, &attr);
	pthread_condattr_destroy(&attr);
	j->threads = xcalloc((size_t)threads, sizeof(*j->threads));
	while (j->nthreads < threads &&
	       pthread_create(&j->threads[j->nthreads], NULL, worker, j) == 0)
		j->nthreads++;
	return j;
}

void jobs_add(struct jobs *j, const char *key, int64_t delay_ms, void (*fn)(void *data), void *data)
{
	struct job *job = xcalloc(1, sizeof(*job));

	*job = (struct job){
		.key = xstrdup(key), .due = clock_ms() + delay_ms, .fn = fn, .data = data
	};
	pthread_mutex_lock(&j->lock);
	vec_push(&j->list, job);
	pthread_cond_broadcast(&j->changed);
	pthread_mutex_unlock(&j->lock);
}

bool jobs_drain(struct jobs *j, int64_t timeout_ms)
{
	int64_t end = clock_ms() + timeout_ms;
	bool empty;

	pthread_mutex_lock(&j->lock);
	while (j->list.n && clock_ms() < end)
		wait_until(j, end);
	empty = j->list.n == 0;
	pthread_mutex_unlock(&j->lock);
	return empty;
}

void jobs_free(struct jobs *j, void (*drop)(void *data))
{
	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	j->ending = true;
	pthread_cond_broadcast(&j->changed);
	pthread_mutex_unlock(&j->lock);
	for (int i = 0; i < j->nthreads; i++)
		pthread_join(j->threads[i], NULL);
	while (j->list.n) {
		drop(j->list.v[0]->data);
		remove_job(j, j->list.v[0]);
	}
	vec_release(&j->list);
	free(j->threads);
	pthread_cond_destroy(&j->changed);
	pthread_mutex_destroy(&j->lock);
	free(j);
}
