/* The programs of the system that make and take apart disk images: found in PATH and in the sbin
 * directories that ordinary users do not have there, run without a shell, their failures told with
 * the step that needed them.
 */
#ifndef INGOT_CLOUD_DISK_IMAGETOOL_H
#define INGOT_CLOUD_DISK_IMAGETOOL_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

/* Full path of a program, or ERR_UNSUPPORTED naming its Debian package and the step. */
int imagetool_find(const char *program, const char *step, char **ret_path,
		   struct err *err) MUST_USE;

struct imagetool {
	const char *const *argv; /* NULL-terminated; argv[0] is in the table of imagetool.c */
	const char *step;	 /* "making the disk": the start of error messages */
	const char *const *env;	 /* "K=V" added, NULL: none */
	/* Lines of both streams as they come; may be NULL. */
	void (*on_line)(void *data, const char *line);
	void *data;
	struct str input; /* its standard input */
	/* Standard output, at most its `max` bytes (0: 256 MiB); may be NULL. */
	struct buf *output;
};

/* Runs to the end. A non-zero status is ERR_EXIT with the last lines the program said; more output
 * than there may be is ERR_INVALID. */
int imagetool_run(const struct imagetool *t, struct err *err) MUST_USE;

#endif
