/* Images: lookups that other families need, and the catalogue of base images. */
#ifndef INGOT_CLOUD_ACTIONS_IMAGES_H
#define INGOT_CLOUD_ACTIONS_IMAGES_H

#include "cloud/api/api.h"
#include "cloud/baseimage/baseimage.h"

/* The image if the caller may use it; else the error answer. */
struct row *image_find(struct call *c, const char *id);
/* An image that uses the snapshot, or NULL. */
const char *image_using(struct cloud *c, const char *snapshot);

/* Rows of the catalogue: images and their snapshots, in all regions. snapshots: what
 * base_images_make gave, or none where volumes have no bytes. */
void images_add_catalogue(struct cloud *c, const struct base_image_snapshot *snapshots, size_t n);
/* An image of that id which is the base image of `key` ("amzn"…); seen only by its id. */
struct row *images_add_stand_in(struct cloud *c, const char *region, const char *id,
				const char *key);

#endif
