/* Rows of images that nobody made over the API: base images, stand-ins for others, imported
 * ones. */
#ifndef INGOT_CLOUD_MODEL_CATALOGUE_H
#define INGOT_CLOUD_MODEL_CATALOGUE_H

#include "cloud/baseimage/baseimage.h"
#include "cloud/cloud.h"

/* The base images and their snapshots, in all regions. snapshots: what base_images_make gave, or
 * none where volumes have no bytes. Lock held, as for all of these. */
void catalogue_add(struct cloud *c, const struct base_image_snapshot *snapshots, size_t n);
/* An image of that id which is the base image of `key` ("amzn"…); seen only by its id. NULL if
 * there is no such key. */
struct row *catalogue_add_stand_in(struct cloud *c, const char *region, const char *id,
				   const char *key);
/* The account's own image of a snapshot that the store has: name, description, root_device and user
 * as `b` says. */
struct row *catalogue_add_imported(struct cloud *c, const struct base_image *b,
				   const char *snapshot);

#endif
