/* Block device rows and checks. Limits are EC2's (CreateVolume): io1 and io2 100 to 64,000 IOPS at
 * 50 and 500 a GiB, gp3 3,000 to 16,000 IOPS and 125 to 1,000 MiB/s. Unknown volume types are EC2's
 * to refuse: it learns new ones faster than this table. */
#include "builder/amazon/blockdev.h"

static const struct spec_row rows[] = {
	SPEC_BOOL(struct amazon_block_device, delete_on_termination,
		  .doc = "Delete the volume when its instance is terminated. Volumes that "
			 "outlive the build's instance stay in the account and cost money."),
	SPEC_STR(struct amazon_block_device, device_name,
		 .doc = "Device name as the instance sees it, such as `/dev/sdh` or `xvdh`. "
			"Required in every mapping."),
	SPEC_TRIBOOL(struct amazon_block_device, encrypted,
		     .doc = "Encrypt the volume. Default: as its snapshot, or the account's "
			    "default."),
	SPEC_INT(struct amazon_block_device, iops, .min = 0, .max = 256000,
		 .doc = "I/O operations per second, for `io1`, `io2` and `gp3`; other types "
			"ignore it."),
	SPEC_BOOL(struct amazon_block_device, no_device,
		  .doc = "Leave out the source image's device of this name."),
	SPEC_STR(struct amazon_block_device, snapshot_id,
		 .doc = "Snapshot to create the volume from."),
	SPEC_INT(struct amazon_block_device, throughput, .min = 0, .max = 10000,
		 .doc = "Throughput in MiB per second, 125 to 1000; for `gp3` only."),
	SPEC_STR(struct amazon_block_device, virtual_name,
		 .doc = "`ephemeral0` to `ephemeral23`: an instance store volume instead of an EBS "
			"volume."),
	SPEC_STR(struct amazon_block_device, volume_type,
		 .doc = "`gp3`, `gp2`, `io1`, `io2`, `st1`, `sc1` or `standard`. Not given: EC2's "
			"default."),
	SPEC_INT(struct amazon_block_device, volume_size, .min = 0, .max = 65536,
		 .doc = "Size in GiB. Required without a snapshot."),
	SPEC_STR(struct amazon_block_device, kms_key_id,
		 .doc = "KMS key (id, alias or ARN) to encrypt with; needs `encrypted`."),
};
const struct spec amazon_block_device_spec = SPEC("block device", struct amazon_block_device, rows,
						  .doc = "One block device mapping.");

static void check_ratio(struct prepare *p, const char *option, const struct amazon_block_device *d,
			int64_t ratio)
{
	if (!d->volume_size || !d->iops)
		return;
	if (d->iops / d->volume_size > ratio)
		prepare_error(p, option,
			      "%s: %s volumes allow at most %lld iops per GiB of volume_size",
			      d->device_name, d->volume_type, (long long)ratio);
	if (d->iops < 100 || d->iops > 64000)
		prepare_error(p, option, "%s: iops must be between 100 and 64000", d->device_name);
}

static void check_one(struct prepare *p, const char *option, const struct amazon_block_device *d)
{
	const char *type = d->volume_type ? d->volume_type : "";

	if (!given(d->device_name)) {
		prepare_error(p, option, "every block device needs a device_name");
		return;
	}
	if (given(d->kms_key_id) && d->encrypted == TRIBOOL_FALSE)
		prepare_error(p, option, "%s: kms_key_id needs encrypted = true", d->device_name);
	if (streq(type, "io1"))
		check_ratio(p, option, d, 50);
	else if (streq(type, "io2"))
		check_ratio(p, option, d, 500);
	if (!streq(type, "gp3")) {
		if (d->throughput)
			prepare_error(p, option,
				      "%s: throughput is for gp3 volumes only; this one is %s",
				      d->device_name, *type ? type : "of no given volume_type");
		return;
	}
	if (d->throughput && (d->throughput < 125 || d->throughput > 1000))
		prepare_error(p, option, "%s: throughput must be between 125 and 1000",
			      d->device_name);
	if (d->iops && (d->iops < 3000 || d->iops > 16000))
		prepare_error(p, option, "%s: iops of a gp3 volume must be between 3000 and 16000",
			      d->device_name);
}

void amazon_block_devices_prepare(struct prepare *p, const char *option,
				  const struct spec_blocks *list)
{
	for (size_t i = 0; i < list->n; i++)
		check_one(p, option, list->v[i]);
}
