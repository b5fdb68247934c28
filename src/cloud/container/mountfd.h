/* Mounts that are known by a descriptor alone until they are moved somewhere; they go with it. */
#ifndef INGOT_CLOUD_CONTAINER_MOUNTFD_H
#define INGOT_CLOUD_CONTAINER_MOUNTFD_H

#include "base/base.h"
#include "base/buf.h"

struct mount_option {
	const char *key, *value; /* value NULL: a flag. key NULL ends a list */
};

/* attributes: MOUNT_ATTR_*. -1 with errno; what the file system says about it goes to `why` unless
 * that is NULL. Linux 5.2. */
int mountfd_new(const char *type, const struct mount_option *options, unsigned attributes,
		struct buf *why);

#endif
