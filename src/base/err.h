/* Errors of functions: `int f(obj, in…, ret_out, struct err *err)`, 0 or -1.
 *
 * `err` is last, never NULL, owned by the caller and empty when it is set. The code decides retry
 * and exit status; the message has the outermost context first and says what was tried, what came
 * back and what the user can do.
 *
 *	AUTO(err) struct err err = ERR_INIT;
 *	if (thing_open(path, &thing, &err) < 0)
 *		return err_prefix(&err, "reading the key %s", path);
 */
#ifndef INGOT_BASE_ERR_H
#define INGOT_BASE_ERR_H

#include "base/base.h"

#include <stdarg.h>

enum err_code {
	ERR_NONE = 0,
	ERR_INVALID,	 /* the template, a flag or a parameter is wrong: the user must edit */
	ERR_AUTH,	 /* credentials are missing, refused, or may not do this */
	ERR_NOT_FOUND,	 /* the named thing is not there */
	ERR_EXISTS,	 /* a thing of that name is there already */
	ERR_AGAIN,	 /* throttled or not ready: a later try may pass */
	ERR_REMOTE,	 /* the other side answered with a final error */
	ERR_LOST,	 /* a connection broke off: nobody knows whether the work was done */
	ERR_TIMEOUT,	 /* a deadline passed */
	ERR_CANCELLED,	 /* the user asked to stop */
	ERR_IO,		 /* the operating system refused; os holds errno */
	ERR_EXIT,	 /* a command ended with a status that is not allowed; os holds it */
	ERR_UNSUPPORTED, /* ingot, or this machine, cannot do this */
};

struct err {
	enum err_code code;
	int os;	    /* errno, HTTP status or exit status; 0 if none */
	char *name; /* the other side's own code ("InvalidAMIID.NotFound"), or NULL; heap */
	char *msg;  /* heap */
};

#define ERR_INIT { .code = ERR_NONE }

/* Sets an empty err; always returns -1. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
int err_vset(struct err *err, enum err_code code, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);
/* The same with errno kept in os and its text put after the message. */
int err_errno(struct err *err, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Puts context before the message of a set err; returns -1. */
int err_prefix(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Moves `from` (left empty) to the empty `to`; returns -1. */
int err_move(struct err *to, struct err *from);
void err_set_name(struct err *err, const char *name);
bool err_is(const struct err *err, const char *name); /* by name */
static inline bool err_any(const struct err *err)
{
	return err->code != ERR_NONE;
}
void err_release(struct err *err); /* empties it; may be set again after */
DEFINE_AUTO(err, struct err, err_release);

#endif
