/* One SSH connection: opened, used by one thread at a time, kept alive by another while nobody uses
 * it. Private to this room.
 *
 *	ssh_conn_take(c, cancel);
 *	if (ssh_chan_exec(c, &chan, "uname", 0, &err) == 0)
 *		while (!chan.closed && ssh_conn_step(c, deadline, &err) == 0)
 *			;
 *	ssh_chan_release(&chan);
 *	ssh_conn_give(c);
 *
 * The library's session never blocks: all waiting is in ssh_conn_step, which watches the socket,
 * the cancel flag and everything that is forwarded.
 */
#ifndef INGOT_COMMUNICATOR_SSH_H
#define INGOT_COMMUNICATOR_SSH_H

#include "base/cancel.h"
#include "base/err.h"
#include "base/str.h"
#include "communicator/config.h"
#include "communicator/libssh.h"
#include "communicator/net.h"

#include <pthread.h>

struct ssh_conn;
struct ssh_pair; /* ssh_forward.h */

/* What is shown at the door. All borrowed; NULL: not given. */
struct ssh_login {
	const char *user, *password;
	const char *key_file, *cert_file;
	const char *key_text; /* a key that is in no file */
	bool agent;	      /* the agent's keys only */
	bool interactive;     /* answers are asked of the user */
};

/* How to open a connection. All borrowed, and needed again only to open another one. */
struct ssh_params {
	const char *host;
	int64_t port;
	const struct net_proxy *proxy; /* or NULL */
	struct ssh_conn *via;	       /* bastion, or NULL; must outlive the connection */
	struct ssh_login login;
	struct strs ciphers, key_exchange;
	int64_t dial_ms;       /* for the TCP connection, name lookup included */
	int64_t keep_alive_ms; /* <= 0: never */
	int64_t silence_ms;    /* lost when nothing came for this long; 0: never */
	bool forward_agent;
	bool for_streams; /* a bastion: no command will run on it */
	/* Told of the key's fingerprint before any login; -1 with err refuses it. May be NULL. */
	int (*host_key)(void *data, const char *fingerprint, const char *public_key,
			struct err *err);
	void (*warn)(void *data, const char *text);
	int (*ask)(void *data, const char *question, bool secret, char **ret_answer,
		   struct err *err);
	void *data;
};

struct ssh_conn {
	ssh_session session;
	ssh_event event;
	int fd;
	bool fd_given; /* the session owns it now */
	char *name; /* "HOST port N" */
	const struct cancel *cancel; /* of the current user; NULL: none */
	struct ssh_counter_struct counter;
	int64_t keep_alive_ms, silence_ms;
	int64_t last_heard, last_asked; /* clock_ms */
	uint64_t heard;			/* counter.in_bytes at last_heard */
	unsigned unanswered;		/* questions since last_heard */
	char *lost;			/* why the connection is gone; NULL while it is there */

	ssh_channel spare; /* a session asked for in advance */
	bool no_spare;	   /* the server refuses a second one */
	bool forward_agent;
	struct ssh_callbacks_struct callbacks;

	struct ssh_pair *pairs; /* what is forwarded now */
	struct ssh_tunnel *tunnels;

	/* The keeper: a thread that runs ssh_conn_step while nobody has taken the connection. */
	pthread_t keeper;
	bool has_keeper, stop, keeping;
	int takers, wake_fd;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

/* TCP, proxy or bastion, version, keys, login. Errors: those of net_dial; ERR_AGAIN (broke off
 * before the login), ERR_REMOTE (no method in common; with name "host-key": refused by
 * p->host_key), ERR_AUTH (login refused), ERR_INVALID (the key cannot be used), ERR_CANCELLED,
 * ERR_TIMEOUT. */
int ssh_conn_open(const struct ssh_params *p, int64_t deadline, const struct cancel *c,
		  struct ssh_conn **ret, struct err *err) MUST_USE;
void ssh_conn_free(struct ssh_conn *c);
DEFINE_AUTO_PTR(ssh_conn, struct ssh_conn *, ssh_conn_free);

/* Exclusive use, from any thread; nested takes of one thread are not allowed. */
void ssh_conn_take(struct ssh_conn *c, const struct cancel *cancel);
void ssh_conn_give(struct ssh_conn *c);
/* Waits for something to happen, until deadline (clock_ms) at most, and lets it happen. 0 also when
 * the time ran out. Errors: ERR_LOST, ERR_CANCELLED. */
int ssh_conn_step(struct ssh_conn *c, int64_t deadline, struct err *err) MUST_USE;
/* ERR_LOST with the reason the connection is known to be gone. */
int ssh_conn_lost(struct ssh_conn *c, struct err *err);
/* Sets c->lost if the library says that the connection is gone. */
void ssh_conn_check(struct ssh_conn *c);

/* Asks for a session in advance, unless there is one or the server would refuse it. Taken. */
void ssh_conn_ask_spare(struct ssh_conn *c);

/* Logs in (ssh_auth.c). The connection is taken. */
int ssh_auth(struct ssh_conn *c, const struct ssh_params *p, int64_t deadline,
	     struct err *err) MUST_USE;

/* A command on the other side. */
struct ssh_chan {
	struct ssh_conn *conn;
	ssh_channel ch;
	struct ssh_channel_callbacks_struct callbacks;
	void (*on_data)(void *data, bool is_stderr, const char *p, size_t n);
	void *data;
	const char *command; /* while the server has not agreed to run it */
	unsigned flags;
	bool opening, was_spare, requested;
	bool eof, closed, has_status;
	int status;
	size_t unacked; /* bytes since the window was last widened */
	/* clock_ms: of the first request for a session and of the next one; of the request for the
	 * command and of the "yes" to it. */
	int64_t opened_first, retry_at;
	int64_t asked, answered;
};

enum ssh_exec_flags { SSH_EXEC_PTY = 1, SSH_EXEC_AGENT = 2, SSH_EXEC_SUBSYSTEM = 4 };

/* Asks for a session and for the command (or subsystem) on it, without waiting for the answer to
 * the latter. on_data and data are set before. command is borrowed until the channel is released.
 * Errors: ERR_LOST, ERR_CANCELLED, ERR_REMOTE (refused). */
int ssh_chan_exec(struct ssh_conn *c, struct ssh_chan *chan, const char *command, unsigned flags,
		  struct err *err) MUST_USE;
/* The same without waiting for the session either: chan->opening until a step finds it open. */
int ssh_chan_start(struct ssh_conn *c, struct ssh_chan *chan, const char *command, unsigned flags,
		   struct err *err) MUST_USE;
/* Takes the server's answers to what was asked of it. Errors: ERR_REMOTE (refused), ERR_LOST. */
int ssh_chan_advance(struct ssh_chan *chan, struct err *err) MUST_USE;
/* ssh_conn_step and ssh_chan_advance. */
int ssh_chan_step(struct ssh_chan *chan, int64_t deadline, struct err *err) MUST_USE;
/* As much of p as the other side has room for now, maybe 0 bytes. */
int ssh_chan_write_some(struct ssh_chan *chan, const char *p, size_t n, size_t *ret,
			struct err *err) MUST_USE;
/* All of p. Errors: ERR_LOST; ERR_REMOTE when the command stopped reading (name "early"). */
int ssh_chan_write(struct ssh_chan *chan, const char *p, size_t n, struct err *err) MUST_USE;
void ssh_chan_eof(struct ssh_chan *chan);
/* Until the command is over. Errors: ERR_LOST when it ended without a status, ERR_TIMEOUT. */
int ssh_chan_finish(struct ssh_chan *chan, int64_t deadline, int *ret_status,
		    struct err *err) MUST_USE;
/* Tells the command to stop: TERM, to its process group too where that is known (> 1), then the end
 * of its session. OpenSSH passes no signal on to a session of root, so the group gets it by a
 * command. */
void ssh_chan_kill(struct ssh_chan *chan, int64_t group);
void ssh_chan_release(struct ssh_chan *chan);
DEFINE_AUTO(ssh_chan, struct ssh_chan, ssh_chan_release);

#endif
