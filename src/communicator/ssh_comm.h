/* The ssh communicator: a connection with what is needed to open it again. Private to this room. */
#ifndef INGOT_COMMUNICATOR_SSH_COMM_H
#define INGOT_COMMUNICATOR_SSH_COMM_H

#include "communicator/communicator.h"
#include "communicator/connect.h"
#include "communicator/ssh.h"

struct ssh_comm {
	struct communicator base;
	struct build *b;
	const struct comm_config *config;
	char *host; /* where the machine was found last */
	int64_t port;
	char *key_text; /* wiped when freed */
	/* Fingerprints that count from the first login on; NULL before. */
	char *pinned, *bastion_pinned;
	char *known_keys; /* what the machine is known to have, from elsewhere; NULL */
	char *warned;	  /* the last warning of the library's doings */
	bool announced;	  /* a restart was expected: a new host key is no surprise */
	struct ssh_conn *bastion, *conn;
};

struct ssh_comm *ssh_comm_new(struct build *b, const struct comm_config *c, const char *key_text);
/* One try at host:port. Errors: those of ssh_conn_open. */
int ssh_comm_open(struct ssh_comm *s, int64_t dial_ms, int64_t deadline, struct err *err) MUST_USE;
void ssh_comm_close(struct ssh_comm *s);
/* Takes the connection for the calling thread; opens it again first if it broke off while idle. */
int ssh_comm_take(struct ssh_comm *s, struct err *err) MUST_USE;
void ssh_comm_give(struct ssh_comm *s);

/* A command of ours, on no terminal: its output in buffers, at most SSH_TEXT_MAX bytes each. */
#define SSH_TEXT_MAX ((size_t)256 * 1024)
struct ssh_text {
	struct buf out, err;
	size_t max; /* 0: SSH_TEXT_MAX */
};
void ssh_text_feed(void *text, bool is_stderr, const char *p, size_t n);
bool ssh_text_says(const struct ssh_text *t, const char *part); /* on stdout */
void ssh_text_release(struct ssh_text *t);
DEFINE_AUTO(ssh_text, struct ssh_text, ssh_text_release);
/* ERR_REMOTE with the first lines the command said on stderr, or with its status. */
int ssh_text_failed(const struct ssh_text *t, int status, struct err *err);
/* Puts what a machine without a shell said before the ERR_REMOTE of the way that was tried instead
 * ("Please login as the user …"); always -1. */
int ssh_text_answered(const struct ssh_text *t, struct err *err);
/* `sh -c` of a script of ours as one command line, whatever the user's login shell is. The script
 * must hold neither newline nor "!" (csh). "$1"… are args; the first is a path, whose leading ~ or
 * $NAME counts. */
void ssh_shell_command(struct buf *out, const char *script, const char *const *args, size_t nargs);

/* ssh_script.c, ssh_copy.c, ssh_tree.c */
int ssh_run_script(struct communicator *c, struct comm_script *script,
		   const struct comm_command *cmd, int *ret_status, struct err *err);
int ssh_upload(struct communicator *c, int fd, off_t size, const char *name, const char *remote,
	       int mode, struct err *err);
int ssh_download(struct communicator *c, const char *remote, int fd, struct err *err);
int ssh_upload_dir(struct communicator *c, const char *local, const char *remote, struct err *err);
int ssh_download_dir(struct communicator *c, const char *remote, const char *local,
		     struct err *err);

#endif
