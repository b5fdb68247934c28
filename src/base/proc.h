/* Child processes: started without a shell, output read by one poll loop, killed with their group.
 *
 *	struct proc_spec spec = { .argv = argv, .env = env, .on_line = fn, .data = d, .cancel = c };
 *	if (proc_run(&spec, &status, &err) < 0) ...
 */
#ifndef INGOT_BASE_PROC_H
#define INGOT_BASE_PROC_H

#include "base/base.h"
#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/str.h"

enum proc_stream { PROC_STDOUT, PROC_STDERR };

struct proc_spec {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
	const char *const *env;	 /* "K=V" is set in the environment, "K" taken away; or NULL */
	bool clean_env;		 /* only what env says */
	const char *dir;	 /* working directory or NULL */
	struct str input;	 /* its standard input; empty: /dev/null */
	bool own_terminal;	 /* inherit stdin, stdout, stderr; callbacks unused */
	bool new_session;	 /* setsid: no controlling terminal */
	/* Raw output as it comes; NULL: thrown away. Runs on the caller's thread. */
	void (*on_output)(void *data, enum proc_stream s, const char *p, size_t n);
	void *data;
	struct cancel *cancel; /* kills the process group (TERM, after 1 s KILL) */
	int64_t timeout_ms;    /* 0: none */
};

/* Runs to the end. ret_status: exit status, or -signal. Errors: not startable (ERR_NOT_FOUND,
 * ERR_IO), ERR_CANCELLED, ERR_TIMEOUT. */
int proc_run(const struct proc_spec *spec, int *ret_status, struct err *err) MUST_USE;
/* Kills what runs, with its groups, at once: for a process that is about to end without cleaning
 * up. Not what inherited the terminal or has a session of its own. */
void proc_kill_all(void);
/* Runs and returns its standard output (at most max bytes); a non-zero status is ERR_EXIT with the
 * end of its standard error in the message. */
int proc_output(const struct proc_spec *spec, size_t max, struct buf *ret,
		struct err *err) MUST_USE;

/* A new private executable file under $TMPDIR with that text. Unlike a file written by hand it can
 * be run at once, whatever children other threads start meanwhile. The caller unlinks and frees the
 * path. */
int proc_temp_program(const char *prefix, const char *suffix, struct str text, char **ret_path,
		      struct err *err) MUST_USE;

#endif
