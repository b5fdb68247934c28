/* Work that is done apart from API calls: a few threads, in order for each key.
 *
 * Jobs of one key (an instance, a volume) run one after the other as they were added; a delayed one
 * holds back the later ones of its key.
 */
#ifndef INGOT_CLOUD_JOBS_H
#define INGOT_CLOUD_JOBS_H

#include "base/base.h"

struct jobs;

struct jobs *jobs_new(int threads);
/* fn(data) on a worker, at the earliest delay_ms from now. fn owns data. key NULL: no order. */
void jobs_add(struct jobs *j, const char *key, int64_t delay_ms, void (*fn)(void *data),
	      void *data);
/* Waits until nothing is left to do, at most timeout_ms; false if something is. */
bool jobs_drain(struct jobs *j, int64_t timeout_ms);
/* Forgets what has not begun (drop(data) for each), waits for the rest, ends the threads. */
void jobs_free(struct jobs *j, void (*drop)(void *data));

#endif
