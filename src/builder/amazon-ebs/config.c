/* Rows and checks of amazon-ebs. */
#include "builder/amazon-ebs/config.h"

#include "builder/amazon/blockdev.h"

static const struct spec_row rows[] = {
	SPEC_EMBED(struct ebs_config, access, struct aws_config, &aws_config_spec),
	SPEC_EMBED(struct ebs_config, ami, struct amazon_ami, &amazon_ami_spec),
	SPEC_EMBED(struct ebs_config, run, struct amazon_run, &amazon_run_spec),
	SPEC_EMBED(struct ebs_config, comm, struct comm_config, &comm_spec),
	SPEC_BOOL(struct ebs_config, skip_create_ami,
		  .doc = "Do everything but make the image: for templates that are tried out."),
	SPEC_BOOL(struct ebs_config, skip_ami_run_tags,
		  .doc = "Do not give `run_tags` to the image and its snapshots."),
	SPEC_BLOCKS(struct ebs_config, ami_block_device_mappings, &amazon_block_device_spec,
		    .doc = "Devices of the image, beside or instead of those of the instance."),
	SPEC_BLOCKS(struct ebs_config, launch_block_device_mappings, &amazon_block_device_spec,
		    .doc = "Devices of the build's instance; the image gets them too. To enlarge "
			   "the root volume name the source image's root device here. Without "
			   "`delete_on_termination` the volume stays in the account when the "
			   "build is done."),
	SPEC_MAP(struct ebs_config, run_volume_tags, .flags = SPEC_LATE,
		 .doc = "Tags of the instance's volumes. The image's snapshots do not get them."),
	SPEC_MAP(struct ebs_config, run_volume_tag, .flags = SPEC_LATE | SPEC_KEY_VALUE,
		 .doc = "The same, one block with `name` and `value` for each tag."),
	SPEC_BOOL(struct ebs_config, no_ephemeral,
		  .doc = "Leave out all instance store volumes, for old Windows images that would "
			 "keep their letters."),
	SPEC_VALUE(struct ebs_config, fast_launch, .flags = SPEC_NOT_YET,
		   .doc = "Pre-provisioned snapshots for faster launches of Windows images."),
};
const struct spec ebs_spec = SPEC("amazon-ebs", struct ebs_config, rows,
				  .doc = "Makes an AMI by launching an instance of a source image, "
					 "provisioning it and taking an "
					 "image of its EBS volumes.");

void ebs_prepare(struct prepare *p, void *config)
{
	struct ebs_config *c = config;

	amazon_merge_tags(p->arena, &c->run_volume_tags, &c->run_volume_tag);
	c->run_volume_tag = (struct str_map){ 0 };
	aws_config_prepare(p, &c->access);
	amazon_ami_prepare(p, &c->ami, &c->access);
	amazon_block_devices_prepare(p, "ami_block_device_mappings", &c->ami_block_device_mappings);
	amazon_block_devices_prepare(p, "launch_block_device_mappings",
				     &c->launch_block_device_mappings);
	comm_prepare(p, &c->comm);
	amazon_run_prepare(p, &c->run, &c->comm);
}
