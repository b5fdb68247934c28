/* Paths as text: what Go's path/filepath makes of them on Unix, which is what templates mean. */
#ifndef INGOT_BASE_PATH_H
#define INGOT_BASE_PATH_H

#include "base/base.h"
#include "base/str.h"

/* Without doubled slashes, "." and as many ".." as can be taken back; "." of "". Caller frees. */
char *path_clean(struct str path);
/* Both joined by a slash and cleaned, empty ones left out; "" of two empty ones. Unlike
 * os_path_join an absolute b does not win. Caller frees. */
char *path_join(const char *a, const char *b);
/* The cleaned path that leads from base to target, both relative or both absolute; NULL if there is
 * none that does not name base's parents. Caller frees. */
char *path_rel(const char *base, const char *target);
/* The last part ("." of "", "/" of "/"), and what is before it, cleaned. Caller frees. */
char *path_basename(struct str path);
char *path_dirname(struct str path);
/* "~" and "~/x" with the user's home put in (cleaned then); anything else as it is. NULL where it
 * names another user's home, or the user has none. Caller frees. */
char *path_expand_home(struct str path);
/* The working directory: $PWD where it names it (through links, as the user went there), else
 * without links. Caller frees; NULL with errno. */
char *path_cwd(void);
/* path from the working directory on, cleaned; links stay. Caller frees. */
char *path_abs(const char *path);

#endif
