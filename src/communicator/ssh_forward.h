/* Byte streams through an SSH connection: tunnels of the template, the way through a bastion, the
 * lent agent. ssh_conn_step drives them. Private to this room. */
#ifndef INGOT_COMMUNICATOR_SSH_FORWARD_H
#define INGOT_COMMUNICATOR_SSH_FORWARD_H

#include "communicator/ssh.h"

#include <poll.h>

#define SSH_FORWARD_POLLS 128 /* streams of one connection that are watched at once */

/* A stream to host:port as the server sees it: a local socket that behaves like a connection there,
 * or -1. The connection is not taken. Errors: ERR_AGAIN (the server cannot reach it), ERR_LOST,
 * ERR_CANCELLED. */
int ssh_forward_dial(struct ssh_conn *c, const char *host, int64_t port, int64_t deadline,
		     const struct cancel *cancel, struct err *err) MUST_USE;
/* Opens a port here (local) or on the machine (remote) that leads to host:port there or here. The
 * connection is taken. */
int ssh_forward_local(struct ssh_conn *c, const struct comm_tunnel *t, struct err *err) MUST_USE;
int ssh_forward_remote(struct ssh_conn *c, const struct comm_tunnel *t, int64_t deadline,
		       struct err *err) MUST_USE;
/* Lends the agent: answers the server's requests for it from now on. */
void ssh_forward_agent(struct ssh_conn *c);

/* For ssh_conn_step: what to poll (at most SSH_FORWARD_POLLS entries), and what to do after it. */
size_t ssh_forward_polls(struct ssh_conn *c, struct pollfd *p);
void ssh_forward_step(struct ssh_conn *c);
void ssh_forward_free(struct ssh_conn *c);

#endif
