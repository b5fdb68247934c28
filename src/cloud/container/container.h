/* Inside of the container backend: what its files share. A machine is an instance as it runs here.
 *
 *	container.c           the operations, the table of instances
 *	machine.c             the thread of one instance, from start to INSTANCE_DOWN
 *	boot.c                prepares the file systems of a boot and starts pid 1
 *	child.c               what runs between clone and exec, and may only make system calls
 *	seccomp.c             system calls that are refused, or answered by ingot
 *	devices.c             disks and their nodes inside
 *	ports.c               the public address
 */
#ifndef INGOT_CLOUD_CONTAINER_CONTAINER_H
#define INGOT_CLOUD_CONTAINER_CONTAINER_H

#include "base/arena.h"
#include "base/base.h"
#include "base/err.h"
#include "base/map.h"
#include "base/vec.h"
#include "cloud/backend.h"
#include "cloud/container/cgroup.h"
#include "cloud/container/disk.h"
#include "cloud/container/netns.h"
#include "cloud/net/proxy.h"
#include "cloud/net/relay.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

/* Names for 16 disks, as EC2 offers. */
#define MACHINE_DISKS_MAX 32

struct backend {
	struct backend_config config;
	char *key; /* of the data directory: names the control groups */
	struct host host;
	struct relay *relay;
	struct proxy *proxy;
	struct cgroup_host *cgroups;
	pthread_mutex_t lock;
	pthread_cond_t ended; /* an instance's thread is done */
	struct map instances; /* id to struct machine */
	struct map vpcs;      /* name to its namespace's fd + 1 */
	unsigned threads;
	unsigned links; /* numbers given */
	bool stopping;
};

struct machine_volume {
	char *volume;
	char *name;  /* of the node: "xvdf" */
	char *alias; /* "sdf", a link to it, or NULL */
	bool root;
	struct disk disk;
};

struct port_listener {
	struct machine *instance;
	uint16_t port;
	struct relay_listener *listener;
};

/* What was asked of the instance's thread; bits. */
enum {
	ASK_STOP = 1,
	ASK_FORCE = 2,
	ASK_REBOOT = 4,
	ASK_SOON = 8 /* with STOP: do not wait long */
};

struct machine {
	struct backend *backend;
	struct arena *arena; /* of the copied spec */
	char *id, *host_name;
	uint64_t memory;
	struct in_addr private_ip, public_ip; /* public 0.0.0.0: none */
	struct instance_disk *want;	      /* disks of the spec */
	size_t nwant;

	pthread_mutex_t lock; /* of what follows; not held while events are told */
	struct machine_volume volumes[MACHINE_DISKS_MAX];
	size_t nvolumes;
	VEC(struct instance_port) want_ports;
	bool has_address; /* ports can be opened */
	VEC(struct port_listener *) ports;
	struct map refused;    /* hosts of the proxy that were told */
	struct cgroup *cgroup; /* NULL between boots */
	int dev;	       /* the tmpfs at its /dev, -1 between boots */
	bool closing;	       /* nothing is added any more */

	/* The thread's own. */
	int netns, vpc;
	struct netns_link link;
	bool linked;
	struct relay_listener *imds, *web;
	int pidfd, console, notify;
	int tty; /* the other side of the console: without a user it would end */
	pid_t pid;
	int ask_fd; /* eventfd */
	atomic_uint asked;
	_Atomic int64_t booted_ms;
};

/* machine.c */
struct machine *machine_new(struct backend *b, const struct instance_spec *spec, struct err *err);
void machine_free(struct machine *i);
void *machine_thread(void *instance);
void machine_ask(struct machine *i, unsigned what);

/* boot.c: starts pid 1; i->pidfd, console, notify and pid are set. */
int machine_boot(struct machine *i, struct err *err) MUST_USE;

/* devices.c; the instance's lock must be held */
int machine_add_disk(struct machine *i, const struct instance_disk *d, struct err *err) MUST_USE;
int machine_remove_disk(struct machine *i, size_t at, struct err *err) MUST_USE;
/* Nodes and rules of all disks for a new /dev. */
int machine_make_nodes(struct machine *i, struct err *err) MUST_USE;
/* What the instance has in memory goes to its volumes. */
void machine_sync(struct machine *i);
/* Answers what waits on the seccomp listener; the lock must not be held. */
void machine_answer_ioctl(struct machine *i);

/* ports.c; the machine's lock must be held */
/* Notes which ports are wanted, and opens and closes them once it has its address. */
int machine_set_ports(struct machine *i, const struct instance_port *p, size_t n,
		      struct err *err) MUST_USE;
int machine_open_ports(struct machine *i, struct err *err) MUST_USE;
void machine_close_ports(struct machine *i); /* the lock must not be held */

/* seccomp.c: installs the filter in the calling process and gives the listener, or -1 without one.
 * Only system calls. -errno on failure. */
int container_filter(int *ret_listener);

/* child.c */
struct child_plan {
	int root, dev, run, sys, pts; /* mounts */
	int join[CGROUP_JOIN_MAX];
	size_t njoin;
	int channel; /* socket: a byte says go; the seccomp listener goes back */
	int errors;  /* pipe: a struct child_error if it fails */
	int program;
	const char *host_name;
	char console[32]; /* "/dev/pts/0" */
};
struct child_error {
	int step; /* index of child_step_name() */
	int error;
};
NORETURN void container_child(const struct child_plan *p);
const char *child_step_name(int step);

#endif
