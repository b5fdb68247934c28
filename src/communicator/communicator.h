/* A way into a machine: run commands, move files. ssh, winrm, ssm, local give one each.
 *
 * All calls block the build's thread, obey its cancel flag at once, and report a dropped connection
 * as ERR_LOST, never as an exit status.
 */
#ifndef INGOT_COMMUNICATOR_COMMUNICATOR_H
#define INGOT_COMMUNICATOR_COMMUNICATOR_H

#include "base/cancel.h"
#include "base/err.h"
#include "base/proc.h"
#include "base/str.h"

#include <sys/types.h>

struct communicator;

struct comm_command {
	const char *command; /* a shell line */
	struct str input;    /* its standard input; empty: closed at once */
	bool pty;
	/* Raw output as it comes, on the caller's thread; NULL: thrown away. */
	void (*on_output)(void *data, enum proc_stream s, const char *p, size_t n);
	void *data;
	int64_t timeout_ms; /* 0: none */
};

/* A script on its way to a machine. */
struct comm_script {
	struct str text;
	const char *remote; /* path there */
	int mode;	    /* as of chmod */
	bool remove;	    /* after a success */
	/* Results, also of a failure. */
	bool started; /* the file is complete and the command may have begun */
	bool removed; /* the machine has said that the file is gone */
};

struct communicator_ops {
	const char *type; /* "ssh" */
	/* ret_status: exit status. */
	int (*run)(struct communicator *c, const struct comm_command *cmd, int *ret_status,
		   struct err *err);
	/* Puts a script into its file and runs cmd, in as few round trips as it can. With
	 * script->remove it may remove the file too: where script->removed stays false, that is the
	 * caller's. */
	int (*run_script)(struct communicator *c, struct comm_script *script,
			  const struct comm_command *cmd, int *ret_status, struct err *err);
	/* Streams size bytes from fd (size -1: to its end) to a remote file; mode as of chmod.
	 * Verified by size: a cut is an error. A destination ending in / is a directory: `name`
	 * is added. */
	int (*upload)(struct communicator *c, int fd, off_t size, const char *name,
		      const char *remote, int mode, struct err *err);
	/* A directory, as Packer's file provisioner does: with a trailing slash on local its
	 * contents. */
	int (*upload_dir)(struct communicator *c, const char *local, const char *remote,
			  struct err *err);
	/* A remote file into fd; verified as above. */
	int (*download)(struct communicator *c, const char *remote, int fd, struct err *err);
	/* A remote directory, or what a pattern with * or ? names, into the directory local. */
	int (*download_dir)(struct communicator *c, const char *remote, const char *local,
			    struct err *err);
	/* Connects again after an announced reboot, until deadline (clock_ms). */
	int (*reconnect)(struct communicator *c, int64_t deadline_ms, struct err *err);
	void (*free)(struct communicator *c); /* closes it too */
};

struct communicator {
	const struct communicator_ops *ops;
	struct cancel *cancel;
};

static inline void communicator_free(struct communicator *c)
{
	if (c)
		c->ops->free(c);
}

#endif
