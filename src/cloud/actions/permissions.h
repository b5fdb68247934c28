/* Sharing of images and snapshots: lists of {userId | group | …}. */
#ifndef INGOT_CLOUD_ACTIONS_PERMISSIONS_H
#define INGOT_CLOUD_ACTIONS_PERMISSIONS_H

#include "cloud/api/api.h"

/* Changes `list` by the flat parameters (UserId.N with OperationType) and by
 * STRUCTURED.Add/Remove.N. */
int permissions_change(struct call *c, json_t *list, const char *structured);

#endif
