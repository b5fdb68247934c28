/* Files, directories, environment and random bytes of the operating system. */
#ifndef INGOT_BASE_OS_H
#define INGOT_BASE_OS_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

/* Appends a whole file to ret; at most max bytes (0: BUF_MAX). "-" is not special. Errors:
 * ERR_NOT_FOUND, ERR_IO, ERR_INVALID when larger. The message names the path. */
int os_read_file(const char *path, size_t max, struct buf *ret, struct err *err) MUST_USE;
/* The same from a descriptor to its end; `what` names it in messages. */
int os_read_fd(int fd, const char *what, size_t max, struct buf *ret, struct err *err) MUST_USE;
int os_write_all(int fd, const void *p, size_t n); /* -1 with errno */
/* Writes beside the target, syncs, renames over it: nobody ever sees half a file. Follows links; a
 * pipe or device is written to instead. */
int os_write_file(const char *path, const void *p, size_t n, int mode, struct err *err) MUST_USE;
int os_mkdir_all(const char *path, int mode, struct err *err) MUST_USE;
/* Like rm -rf: a missing path is fine, links are never followed. */
int os_remove_all(const char *path, struct err *err);
bool os_is_dir(const char *path);
bool os_exists(const char *path);

/* A new private file or directory under $TMPDIR whose name begins with the prefix. The caller frees
 * the path and closes the file. */
int os_temp_file(const char *prefix, const char *suffix, char **ret_path, int *ret_fd,
		 struct err *err) MUST_USE;
int os_temp_dir(const char *prefix, char **ret_path, struct err *err) MUST_USE;

const char *os_env(const char *name); /* NULL when unset or empty */
/* Home of the user; under sudo the calling user's if `of_caller`. Caller frees; NULL if unknown. */
char *os_home(bool of_caller);
/* $XDG_<kind>_HOME/ingot or its default; kind is STATE, DATA, CACHE or CONFIG. Caller frees. */
char *os_xdg_dir(const char *kind);
char *os_path_join(const char *a, const char *b); /* caller frees; an absolute b wins */
const char *os_basename(const char *path);	  /* after the last slash */

void os_random(void *p, size_t n);
/* Random UUID (version 4, lower case) into out[37]. */
void os_uuid(char out[37]);
/* ULID (26 characters, Crockford base 32, sorts by time) into out[27]. */
void os_ulid(char out[27]);

#endif
