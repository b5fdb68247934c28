/* Control groups of instances: which devices they may use, how much memory and how many processes.
 *
 * An instance has a group of ingot's that holds the rules, and one below it that the instance sees
 * as its root: what it changes there cannot lift them. Devices are restricted by a BPF program
 * (cgroup v2) or, where the kernel has no such programs, by the v1 controller; where neither can be
 * had nothing starts. The groups' file systems are mounted for ingot alone: it does not matter what
 * the host shows where.
 */
#ifndef INGOT_CLOUD_CONTAINER_CGROUP_H
#define INGOT_CLOUD_CONTAINER_CGROUP_H

#include "base/base.h"
#include "base/err.h"

#include <sys/types.h>

struct cgroup_host; /* one for a backend; its instances' groups lie below ingot-<key> */
struct cgroup;

enum cgroup_devices { CGROUP_DEVICES_AUTO, CGROUP_DEVICES_V1, CGROUP_DEVICES_BPF };

/* ERR_UNSUPPORTED: devices cannot be restricted here. `devices` other than AUTO is for tests. */
int cgroup_host_open(const char *key, enum cgroup_devices devices, struct cgroup_host **ret,
		     struct err *err) MUST_USE;
void cgroup_host_close(struct cgroup_host *h); /* removes what is empty; NULL is fine */

/* memory: bytes, 0 for no limit. No device but the harmless ones is allowed yet. */
int cgroup_new(struct cgroup_host *h, const char *name, uint64_t memory, struct cgroup **ret,
	       struct err *err) MUST_USE;
/* Removes the groups; call it when the last process is gone. */
void cgroup_free(struct cgroup *c);
/* Lets the instance read and write a block device, or takes that back. */
int cgroup_allow(struct cgroup *c, dev_t dev, bool allow, struct err *err) MUST_USE;

/* The files that a process writes "0" to in order to join; at most CGROUP_JOIN_MAX. Borrowed. */
#define CGROUP_JOIN_MAX 4
size_t cgroup_join_files(const struct cgroup *c, int fds[CGROUP_JOIN_MAX]);

/* Removes the empty groups that a crashed daemon of this key left. */
void cgroup_clean(const char *key);

/* cgroup_bpf.c: device rules as a program with a table. */
struct cgroup_bpf;
bool cgroup_bpf_works(void);
int cgroup_bpf_attach(int group, struct cgroup_bpf **ret);	   /* -1 with errno */
int cgroup_bpf_allow(struct cgroup_bpf *b, dev_t dev, bool allow); /* -1 with errno */
void cgroup_bpf_free(struct cgroup_bpf *b);

#endif
