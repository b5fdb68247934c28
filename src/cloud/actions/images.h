/* Images: lookups that other families need. */
#ifndef INGOT_CLOUD_ACTIONS_IMAGES_H
#define INGOT_CLOUD_ACTIONS_IMAGES_H

#include "cloud/api/api.h"

/* The image if the caller may use it; else the error answer. */
struct row *image_find(struct call *c, const char *id);
/* An image that uses the snapshot, or NULL. */
const char *image_using(struct cloud *c, const char *snapshot);

#endif
