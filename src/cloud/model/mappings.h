/* Block device mappings of requests and images, and the volumes made for them. */
#ifndef INGOT_CLOUD_MODEL_MAPPINGS_H
#define INGOT_CLOUD_MODEL_MAPPINGS_H

#include "cloud/api/api.h"

#define VOLUME_TYPES "standard|gp2|gp3|io1|io2|st1|sc1"

/* PREFIX.N of the request in the form of an answer: deviceName, virtualName, noDevice (""), ebs{…}.
 * NULL after an error answer. */
json_t *mappings_read(struct call *c, const char *prefix);
/* Those of the image changed by those of the request; sizes, snapshots and types filled in and
 * checked. Only entries with a volume are left. NULL after an error answer. */
json_t *mappings_merge(struct call *c, const json_t *image, const char *prefix);
/* Makes the volume rows (`creating`) and the instance's blockDeviceMapping. */
void mappings_make_volumes(struct call *c, struct row *instance, const json_t *mappings,
			   json_t *tags);
/* A volume's document; `spec` is the ebs object of a mapping. */
json_t *volume_doc(struct call *c, const char *id, const json_t *spec, const char *zone);
/* An entry of a volume's attachmentSet, and of an instance's blockDeviceMapping ("attaching"), as
 * of now. */
json_t *attachment_doc(const char *volume, const char *instance, const char *device,
		       const char *status, bool delete_on_termination);
json_t *mapping_doc(const char *device, const char *volume, bool delete_on_termination);
/* The key that encrypts: the ARN for what a request names, or of the account's default. */
const char *kms_key_arn(struct call *c, const char *key);

#endif
