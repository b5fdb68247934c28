/* What makes a stand-in of plain Debian: the files all have, and those of each key. Internal to the
 * base images. */
#ifndef INGOT_CLOUD_BASEIMAGE_STANDIN_H
#define INGOT_CLOUD_BASEIMAGE_STANDIN_H

#include "base/base.h"
#include "base/err.h"

struct standin {
	const char *key, *user, *title; /* "amzn", "ec2-user", "Amazon Linux" */
	const char *groups; /* that the user is in, separated by spaces; made if missing */
};
extern const struct standin standins[];
extern const size_t standins_n;

/* Edits the base disk once, for all. */
int standin_prepare(const char *raw, uint64_t offset, struct err *err) MUST_USE;
/* Edits a copy of the prepared disk. */
int standin_apply(const char *raw, uint64_t offset, const struct standin *s,
		  struct err *err) MUST_USE;

#endif
