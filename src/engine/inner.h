/* What the files of the engine share about a running build and nobody else needs. */
#ifndef INGOT_ENGINE_INNER_H
#define INGOT_ENGINE_INNER_H

#include "engine/build.h"

#include <pthread.h>

struct build_inner {
	pthread_mutex_t *ask_lock; /* one question at a time, of all builds */
	char *provision_error; /* why the provisioners failed; the cleanup provisioner is owed */
	char *cleanup_error;	   /* why the cleanup provisioner failed */
	int64_t started_ns;
};

/* A build in a struct of the caller's, ready to run. */
void build_init(struct build *b, struct run *run, const struct plan *plan,
		const struct plan_build *spec, size_t index, pthread_mutex_t *ask_lock);
void build_release(struct build *b);

/* The step that runs now, for the status line. */
void build_step(struct build *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A line without an arrow. */
void build_plain(struct build *b, bool error, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Text for nobody's build. */
void run_plain(struct run *run, bool error, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Only for -machine-readable; data ends with NULL, target may be NULL. */
void run_machine(struct run *run, const char *target, const char *type, ...)
	__attribute__((sentinel));

/* -debug: waits for Enter where there is a terminal. */
void build_pause(struct build *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Decodes a component for the moment, with the build's values; the config lives in the arena. */
int build_decode(struct build *b, const struct plan_component *c, struct arena *a, void **ret,
		 struct err *err) MUST_USE;

/* The build's thread, and everything it calls, obeys another cancel flag until it is put back. */
struct cancel *build_swap_cancel(struct build *b, struct cancel *c);

/* The post-processor chains (chain.c): takes the builder's artifact (never NULL) and gives the list
 * that the build is left with, each once to be freed: see struct artifacts. */
struct artifacts {
	struct artifact **v; /* as they are shown; one may stand twice */
	size_t n;
	struct artifact **owned; /* each once */
	size_t nowned;
};
int build_chains(struct build *b, struct artifact *made, struct artifacts *ret,
		 struct err *err) MUST_USE;
void artifacts_release(struct artifacts *a);

#endif
