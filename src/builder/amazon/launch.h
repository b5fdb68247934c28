/* Parameters of the call that launches the instance. */
#ifndef INGOT_BUILDER_AMAZON_LAUNCH_H
#define INGOT_BUILDER_AMAZON_LAUNCH_H

#include "builder/amazon/state.h"

/* BlockDeviceMapping.n of one device; what does not belong to the call's form is left out. */
void amazon_params_device(struct aws_params *p, int n, const struct amazon_block_device *d);
/* BlockDeviceMapping.1… of a list of them. */
void amazon_params_devices(struct aws_params *p, const struct spec_blocks *list);
/* All of RunInstances but counts and token. with_run_tag: on instance, interface and volumes. */
int amazon_launch_params(struct amazon *s, struct aws_params *p, bool with_run_tag,
			 struct err *err) MUST_USE;
/* The key that the image gets in a region: region_kms_key_ids, or in the build's own region
 * kms_key_id; NULL: the account's default. */
const char *amazon_kms_key(const struct amazon *s, const char *region);
/* True when encrypt_boot is done by launching with encrypted volumes, so that no copy is needed. */
bool amazon_encrypts_at_launch(const struct amazon *s);
/* Devices whose volumes will outlive the instance; those of the source image that the template does
 * not map count too. In the build's arena. */
struct strs amazon_kept_devices(const struct amazon *s);
/* The template's mapping of a device in launch_block_device_mappings; NULL: none. */
const struct amazon_block_device *amazon_launch_device(const struct amazon *s, const char *name);
/* A device as EC2 describes it, as a mapping of its kind, without snapshot and key. */
struct amazon_block_device amazon_device_of(const struct ec2_mapping *m);

#endif
