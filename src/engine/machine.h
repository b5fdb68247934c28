/* Lines of -machine-readable: TIMESTAMP,TARGET,TYPE,DATA…. */
#ifndef INGOT_ENGINE_MACHINE_H
#define INGOT_ENGINE_MACHINE_H

#include "base/buf.h"

/* Appends one line. target may be NULL; data: NULL-terminated, or NULL. In data a comma becomes
 * %!(PACKER_COMMA), a newline \n, a carriage return \r. */
void machine_line(struct buf *out, int64_t unix_s, const char *target, const char *type,
		  const char *const *data);

#endif
