/* What instances wrote to their consoles: a file each in the data directory, of which the end is
 * kept. */
#ifndef INGOT_CLOUD_CONSOLE_H
#define INGOT_CLOUD_CONSOLE_H

#include "base/buf.h"
#include "cloud/cloud.h"

void console_add(struct cloud *c, const char *instance_id, const char *p, size_t n);
/* The last `max` bytes; nothing if there are none. */
void console_read(struct cloud *c, const char *instance_id, size_t max, struct buf *ret);
void console_remove(struct cloud *c, const char *instance_id);

#endif
