/* Inside of the qemu backend: instances are virtual machines of unprivileged processes.
 *
 *	qemu.c           the operations, the table of instances
 *	instance.c       the thread of one instance, from start to INSTANCE_DOWN
 *	command.c        the command line, and starting the process
 *	monitor.c        the machine's monitor (QMP): ports, disks, power
 *	kernel.c         kernel and initrd
 *
 * Nothing of a machine outlives the daemon: the process gets SIGKILL with its thread, all its
 * channels are socket pairs, and its helpers reach ingot by an abstract socket that has no file.
 */
#ifndef INGOT_CLOUD_QEMU_QEMU_H
#define INGOT_CLOUD_QEMU_QEMU_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "base/vec.h"
#include "cloud/backend.h"
#include "cloud/net/proxy.h"
#include "cloud/net/relay.h"
#include "cloud/qemu/kernel.h"

#include <pthread.h>

/* The machine's own address in qemu's network, where forwarded connections arrive. */
#define QEMU_GUEST_ADDRESS "169.254.0.15"
/* Ports below 1024 cannot be listened on by ordinary users: they are offered this much higher as
 * well. */
#define QEMU_PORT_SHIFT 10000

struct json_t;

struct backend {
	struct backend_config config;
	char *dir;	/* DATA/qemu */
	char *kernels;	/* DATA/qemu/kernels */
	char *helper;	/* the guest program as a file: qemu starts it for connections */
	struct relay *relay;
	struct proxy *proxy;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* an instance's thread has ended, or a request is done */
	struct map instances;	/* id to struct instance */
	uint64_t memory, memory_limit;
	unsigned threads;
};

/* What was asked of an instance's thread; bits. */
enum { ASK_STOP = 1, ASK_FORCE = 2, ASK_REBOOT = 4, ASK_PORTS = 8 };

/* A request that waits for its answer. */
struct request {
	enum { REQUEST_ATTACH, REQUEST_DETACH, REQUEST_SYNC } kind;
	struct instance_disk disk;
	struct err err;
	bool done;
	struct request *next;
};

struct forward {
	char *host; /* address and port on the host, as qemu wants them */
	uint16_t port;
	bool kept;
};

struct instance {
	struct backend *backend;
	struct arena *arena;
	struct instance_spec spec; /* copied; ports and disks are below */
	char *socket_name; /* abstract, for the helper */

	/* Under the backend's lock. */
	unsigned asked;
	struct request *requests;
	struct instance_port *ports;
	size_t nports;
	VEC(struct instance_disk) disks;
	int wake; /* eventfd */

	/* The thread's own. */
	pid_t pid;
	int pidfd, console, monitor, agent, errors, listener;
	struct buf monitor_in, agent_in, error_text;
	struct json_t *reply; /* of the command under way */
	VEC(struct forward) forwards;
	bool up, rebooted, exited, agent_there, reboots, stopping;
	char *arrived; /* last disk that the agent told of */
	bool synced;
	char *deleted; /* id of the last device that is gone */
};

/* instance.c */
void *qemu_thread(void *instance);
void qemu_instance_free(struct instance *i);
/* Waits for one batch of events until the monotonic deadline and handles them. -1 at the deadline.
 */
int qemu_pump(struct instance *i, int64_t deadline_ms);

/* command.c: starts the process; the channels are set. */
int qemu_spawn(struct instance *i, const struct qemu_kernel *k, struct err *err) MUST_USE;
int qemu_listen_helper(const char *name, int *ret_fd, struct err *err) MUST_USE;

/* monitor.c */
int qemu_monitor_hello(struct instance *i, struct err *err) MUST_USE;
void qemu_monitor_read(struct instance *i);  /* what is there */
void qemu_monitor_reset(struct instance *i); /* for the next machine */
int qemu_monitor_simple(struct instance *i, const char *command, struct err *err) MUST_USE;
int qemu_attach(struct instance *i, const struct instance_disk *d, struct err *err) MUST_USE;
int qemu_detach(struct instance *i, const char *volume, struct err *err) MUST_USE;
/* Makes the forwards those of ports; what cannot be had is logged. */
void qemu_set_forwards(struct instance *i, const struct instance_port *p, size_t n);

#endif
