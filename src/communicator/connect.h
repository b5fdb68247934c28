/* The connect step of builders: waits for the machine, logs in, sets b->comm.
 *
 *	static int connect_run(struct build *b, void *state, struct err *err)
 *	{
 *		struct comm_target t = { .address = instance_address, .data = state,
 *					 .private_key = state->key_pem,
 *					 .console = instance_console };
 *
 *		return comm_connect(b, &state->config->comm, &t, err);
 *	}
 *	… and in its undo: comm_disconnect(b);
 */
#ifndef INGOT_COMMUNICATOR_CONNECT_H
#define INGOT_COMMUNICATOR_CONNECT_H

#include "base/buf.h"
#include "communicator/config.h"
#include "engine/build.h"

struct comm_target {
	/* Where the machine is now; asked before each try, as addresses come late and change. Sets
	 * *ret_host (heap) and, where it differs from the config's, *ret_port. ERR_AGAIN: not known
	 * yet, try later; any other error ends the wait. NULL: ssh_host and ssh_port of the config.
	 */
	int (*address)(void *data, char **ret_host, int64_t *ret_port, struct err *err);
	/* Text of the machine's console, for the error when connecting fails; best effort. May be
	 * NULL. */
	int (*console)(void *data, struct buf *ret, struct err *err);
	/* Appends the host key fingerprints ("SHA256:…") or public keys that the machine is known
	 * to have, one a line, asked once when it first answers; nothing appended: not known. May
	 * be NULL. */
	int (*host_keys)(void *data, struct buf *ret, struct err *err);
	/* Told once when no TCP connection came about in the first 60 s, e.g. to widen a firewall
	 * rule. May be NULL. */
	void (*unreachable)(void *data, const char *host);
	void *data;
	/* PEM or OpenSSH text of a temporary key, or NULL; borrowed for this call. */
	const char *private_key;
};

/* Waits, logs in and sets b->comm; communicator "none" leaves it NULL and says nothing. What it
 * says are Packer's lines. Also sets the build values Host, Port, User, Password, ConnType. Errors:
 * ERR_TIMEOUT, ERR_AUTH, ERR_REMOTE (host key differs), ERR_CANCELLED; the message names the last
 * reason and, where there is one, the end of the console text. */
int comm_connect(struct build *b, const struct comm_config *c, const struct comm_target *t,
		 struct err *err) MUST_USE;
/* Idempotent. */
void comm_disconnect(struct build *b);

/* ssh_clear_authorized_keys: takes the lines that end in the key's name out of the user's and
 * root's authorized_keys. Best effort; does nothing unless the option is set and there is a
 * connection. */
void comm_clear_temporary_key(struct build *b, const struct comm_config *c, const char *key_name);

#endif
