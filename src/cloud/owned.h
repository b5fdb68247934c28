/* Directories that belong to the user for whom a program of root makes them. */
#ifndef INGOT_CLOUD_OWNED_H
#define INGOT_CLOUD_OWNED_H

#include "base/err.h"

#include <sys/types.h>

/* Makes path and what is missing above it, private; what is new belongs to uid and gid where this
 * process may give it away. Directories that are there stay as they are. */
int owned_dir_make(const char *path, uid_t uid, gid_t gid, struct err *err) MUST_USE;

#endif
