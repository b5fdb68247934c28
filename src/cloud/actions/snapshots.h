/* Snapshot rows, as images and the snapshot actions make them (`pending`). */
#ifndef INGOT_CLOUD_ACTIONS_SNAPSHOTS_H
#define INGOT_CLOUD_ACTIONS_SNAPSHOTS_H

#include "cloud/api/api.h"

struct row *snapshot_row(struct call *c, const struct row *volume, const char *description,
			 const json_t *tags);
struct row *snapshot_copy_row(struct call *c, const struct row *from, const char *description,
			      bool encrypted, const char *kms_key, const json_t *tags);

#endif
