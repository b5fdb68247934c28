/* Calls side by side. Each group gets new threads: they are few, and the calls take far longer. */
#include "builder/amazon/parallel.h"

#include "base/log.h"

#include <pthread.h>

struct worker {
	struct amazon *s;
	struct amazon_task *task;
	struct aws_client client;
	pthread_t thread;
	bool started;
	int result;
};

static void free_arena(void *a)
{
	arena_free(a);
}

static void *work(void *data)
{
	struct worker *w = data;

	w->result = w->task->run(w->task, w->s, &w->client, &w->task->err);
	return NULL;
}

int amazon_parallel(struct amazon *s, struct amazon_task **tasks, size_t n, struct err *err)
{
	auto_free struct worker *workers = xcalloc(n ? n : 1, sizeof(*workers));
	int result = 0;

	for (size_t i = n; i-- > 0;) {
		struct worker *w = &workers[i];

		*w = (struct worker){ .s = s, .task = tasks[i], .client = s->ec2 };
		tasks[i]->err = (struct err)ERR_INIT;
		if (i) {
			w->client.arena = arena_new();
			arena_on_free(s->b->arena, free_arena, w->client.arena);
			w->started = pthread_create(&w->thread, NULL, work, w) == 0;
		}
		if (!w->started)
			work(w);
	}
	for (size_t i = 0; i < n; i++) {
		if (workers[i].started)
			pthread_join(workers[i].thread, NULL);
		if (workers[i].result < 0 && result == 0)
			result = err_move(err, &tasks[i]->err);
		else if (workers[i].result < 0)
			log_line("%s: %s", s->b->spec->name, tasks[i]->err.msg);
		err_release(&tasks[i]->err);
	}
	return result;
}
