/* The local cloud's daemon: everything put together, run until it is told to stop. */
#ifndef INGOT_CLOUD_DAEMON_H
#define INGOT_CLOUD_DAEMON_H

#include "cloud/cloud.h"

/* progress: what it is doing before it is ready; ready: once, with the endpoint; false when nobody
 * hears it any more, which ends a session. Returns when it was told to stop (control socket,
 * SIGTERM, SIGINT) and everything is down. Errors: ERR_EXISTS: a daemon of this data directory
 * runs already; others before it was ready. Takes signals of the process for itself. */
int daemon_run(const struct cloud_config *config, void (*progress)(void *data, const char *text),
	       bool (*ready)(void *data, const char *endpoint), void *data,
	       struct err *err) MUST_USE;
/* Removes what a daemon that was killed has left behind. Nothing is done while one runs. */
void daemon_clean(const char *data_dir);
/* Holds when a daemon runs; waits up to timeout_ms until none does. */
bool daemon_gone(const char *data_dir, int64_t timeout_ms);

/* For the control socket. */
void daemon_stop(struct cloud *c); /* returns at once */
/* Forgets everything but the base images. Without the lock. */
void daemon_reset(struct cloud *c);

#endif
