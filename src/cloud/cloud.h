/* The daemon's state, shared by its parts: one struct, one lock.
 *
 * The lock guards the model and everything here that changes. API handlers hold it; slow work
 * (copies, key generation, the backend) is done without it, in jobs.
 */
#ifndef INGOT_CLOUD_CLOUD_H
#define INGOT_CLOUD_CLOUD_H

#include "base/base.h"
#include "base/err.h"
#include "base/map.h"
#include "cloud/backend.h"
#include "cloud/model/model.h"

#include <pthread.h>

struct volume_store;
struct jobs;
struct faults;
struct reqlog;
struct imds;

#define CLOUD_REGION "us-east-1" /* where nothing else is said */

struct cloud_config {
	char *data_dir;
	char *listen; /* "127.0.0.1" */
	uint16_t port;
	bool port_default; /* taken: the next free one */
	char *backend;	   /* "auto", "container", "qemu", "none" */
	enum net_policy net;
	int64_t delay_ms; /* the least time of each passing state */
	unsigned max_instances;
	uint64_t max_memory; /* bytes of all instances together; 0: what the machine has */
	bool session;	     /* ends with its last attachment */
	struct json_t *faults; /* the plan to start with (api/faults.h), or NULL; borrowed */
	uid_t owner;
	gid_t owner_group;
};

struct cloud {
	struct cloud_config config;
	pthread_mutex_t lock;
	struct model *model;
	struct volume_store *store; /* NULL: backend none, volumes have no bytes */
	const struct backend_ops *ops;
	struct backend *backend;
	struct jobs *jobs;
	struct faults *faults;
	struct reqlog *log;
	struct imds *imds;
	struct map up;	      /* ids of instances that the backend has running */
	pthread_cond_t moved; /* one of them came or went; monotonic clock */
	uint64_t calls;	      /* serial of API calls */
	char account[13];
	char *access_key, *secret_key;
	int address_part;    /* N of 127.77.N.0/24 */
	int address_part_fd; /* holds it */
	struct map notices;  /* instance id -> list of texts not told yet (json_t *) */
	int64_t started_ms;
	bool ending; /* the daemon stops: what goes down now has not shut down by itself */
	char endpoint[64];
};

static inline void cloud_unlock_auto_(struct cloud **c)
{
	if (*c)
		pthread_mutex_unlock(&(*c)->lock);
}
/* Holds the lock to the end of the scope. */
#define CLOUD_LOCK(which) CLOUD_LOCK_(which, __LINE__)
#define CLOUD_LOCK_(which, line) CLOUD_LOCK__(which, line)
#define CLOUD_LOCK__(which, line) \
	__attribute__((cleanup(cloud_unlock_auto_), unused)) struct cloud *locked_##line = \
		(which); \
	pthread_mutex_lock(&locked_##line->lock)

/* Something the user should hear about an instance (lock held). */
void cloud_notice(struct cloud *c, const char *instance_id, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
