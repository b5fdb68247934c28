/* Data of jobs, and what lifecycle.c and lifecycle_disk.c have from each other. */
#ifndef INGOT_CLOUD_MODEL_TASK_H
#define INGOT_CLOUD_MODEL_TASK_H

#include "base/base.h"
#include "cloud/cloud.h"

struct task {
	struct cloud *cloud;
	char *id, *other;
	int64_t number;
	bool flag;
};

struct task *task_new(struct cloud *c, const char *id, const char *other);
void task_free(void *t);
static inline void task_auto_(struct task **t)
{
	task_free(*t);
}

/* Milliseconds that a state has still to last, by its document's "_since". */
int64_t state_left(struct cloud *c, const json_t *doc);
/* The backend has it running. */
bool instance_is_up(const struct cloud *c, const char *id);
/* Volumes, snapshots and images after a restart: see lifecycle_recover. */
void lifecycle_recover_disks(struct cloud *c);
/* Without the lock: asks the backend to start the instance as its row says. */
int lifecycle_boot(struct cloud *c, const char *id, struct err *err);
/* Without the lock: false when it is still up after the time. */
bool lifecycle_wait_down(struct cloud *c, const char *id, int64_t timeout_ms);

#endif
