/* How instances run: container (namespaces, loop devices; root) or qemu (no root).
 *
 * The API server asks; the backend knows nothing of EC2's model. All calls return soon and are
 * thread-safe; what happens later comes through instance_events on a thread of the backend.
 */
#ifndef INGOT_CLOUD_BACKEND_H
#define INGOT_CLOUD_BACKEND_H

#include "base/base.h"
#include "base/err.h"

struct instance_disk {
	char *device; /* "/dev/xvda", "/dev/sdf": the name inside */
	char *volume; /* "vol-…" */
	char *path;   /* raw file on the host */
	bool root;
};

struct instance_port {
	uint16_t from, to; /* TCP, at most 64 wide */
};

struct instance_spec {
	const char *id; /* "i-…" */
	const char *host_name; /* "ip-172-31-0-12" */
	const char *mac, *private_ip, *public_ip; /* text; public may be NULL */
	const char *vpc; /* instances of one see each other */
	uint64_t memory; /* bytes */
	unsigned vcpus;
	const struct instance_disk *disks;
	size_t ndisks;
	const struct instance_port *ports; /* that security groups open to this host */
	size_t nports;
};

enum instance_event {
	INSTANCE_UP,	  /* the kernel or init runs */
	INSTANCE_DOWN,	  /* pid 1 ended, all disks are released: the volumes may be read now */
	INSTANCE_REBOOT,  /* the guest rebooted itself and is up again */
	INSTANCE_FAILED,  /* could not start; text says why */
};

struct instance_events {
	void (*on_event)(void *data, const char *id, enum instance_event e, const char *text);
	/* Raw console bytes as they come. */
	void (*on_console)(void *data, const char *id, const char *p, size_t n);
	/* A connection to 169.254.169.254:80 of that instance; the callee owns fd. */
	void (*on_imds)(void *data, const char *id, int fd);
	/* A refused host of the forward proxy, once for each instance and host. */
	void (*on_refused)(void *data, const char *id, const char *host);
	void *data;
};

enum net_policy { NET_MIRROR, NET_ANY, NET_NONE }; /* cloud up -net */

struct backend_config {
	const char *data_dir;
	struct instance_events events;
	enum net_policy net;
};

struct backend; /* an opened one */

struct backend_ops {
	const char *name; /* "container", "qemu" */
	/* Can it work here? Errors say what is missing and what to do. */
	int (*probe)(struct err *err);
	int (*open)(const struct backend_config *c, struct backend **ret, struct err *err);
	int (*start)(struct backend *b, const struct instance_spec *spec, struct err *err);
	/* INSTANCE_DOWN follows. */
	int (*stop)(struct backend *b, const char *id, bool force, struct err *err);
	int (*reboot)(struct backend *b, const char *id, struct err *err);
	int (*set_ports)(struct backend *b, const char *id, const struct instance_port *p, size_t n,
			 struct err *err);
	int (*attach)(struct backend *b, const char *id, const struct instance_disk *d,
		      struct err *err);
	int (*detach)(struct backend *b, const char *id, const char *volume, struct err *err);
	/* Writes what the guest has in memory to its disks: before a snapshot of a running
	 * instance's volume. NULL: there is nothing to write. */
	int (*sync)(struct backend *b, const char *id, struct err *err);
	void (*close)(struct backend *b); /* stops everything; nothing stays mounted or running */
};
extern const struct backend_ops backend_container, backend_qemu;

/* Removes what a crashed daemon of this data directory has left: control groups; all else goes with
 * its processes. Idempotent. */
void backend_clean(const char *data_dir);

#endif
