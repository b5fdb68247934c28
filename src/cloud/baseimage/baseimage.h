/* Base images: stand-ins made from Debian packages under the names that templates search for, and
 * imported ones. Made once for each data directory (cached as a tar for all of the user's).
 */
#ifndef INGOT_CLOUD_BASEIMAGE_BASEIMAGE_H
#define INGOT_CLOUD_BASEIMAGE_BASEIMAGE_H

#include "base/base.h"
#include "base/err.h"
#include "cloud/model/ids.h"

struct volume_store;

/* One image of the catalogue, as data for the model's rows. */
struct base_image {
	const char *key;	/* "amzn", "ubuntu", "debian": which root file system */
	const char *name;	/* "amzn-ami-hvm-2018.03.0.20180811-x86_64-gp2" */
	const char *owner_id, *owner_alias; /* "137112412989", "amazon" */
	const char *user;	/* "ec2-user" */
	const char *description; /* says that it is a stand-in */
	const char *root_device; /* "/dev/xvda" or "/dev/sda1" */
	const char *volume_type; /* "gp2", "gp3" */
	const char *creation_date; /* RFC 3339 */
	const char *const *ids;	   /* that templates name, NULL-terminated; may be NULL */
	const char *const *ssm_parameters; /* public ones that give this image; may be NULL */
};
extern const struct base_image base_images[];
extern const size_t base_images_n;
/* The key whose stand-in has this login user ("ec2-user": "amzn"); "amzn" for any other. For source
 * ids that nobody knows. */
const char *base_image_key_of_user(const char *user);

struct base_image_snapshot {
	char key[16];
	char snapshot[ID_SIZE];
};
/* Makes what is missing: a snapshot in the store for each key; ret lists them, the caller frees it.
 * with_kernel: the kernel layer that qemu needs. progress(data, text) tells where it is. Errors:
 * missing programs by name with the step that needed them, no space, no network. */
int base_images_make(struct volume_store *s, const char *data_dir, bool with_kernel,
		     void (*progress)(void *data, const char *text), void *data,
		     struct base_image_snapshot **ret, size_t *ret_n, struct err *err) MUST_USE;

/* raw, qcow2 or root tar to a raw file at out_path. */
int base_image_import(const char *file, const char *out_path, struct err *err) MUST_USE;

#endif
