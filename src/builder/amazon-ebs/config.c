/* Rows and checks of amazon-ebs. */
#include "builder/amazon-ebs/config.h"

#include "builder/amazon/blockdev.h"

static const struct spec_row rows[] = {
	SPEC_EMBED(struct ebs_config, access, struct aws_config, &aws_config_spec),
	SPEC_EMBED(struct ebs_config, ami, struct amazon_ami, &amazon_ami_spec),
	SPEC_EMBED(struct ebs_config, run, struct amazon_run, &amazon_run_spec),
	SPEC_EMBED(struct ebs_config, comm, struct comm_config, &comm_spec),
	SPEC_BOOL(struct ebs_config, skip_create_ami,
		  .doc = "Run the whole build but do not create the image. For trying out a "
			 "template."),
	SPEC_BOOL(struct ebs_config, skip_ami_run_tags,
		  .doc = "Do not add `run_tags` to the image and its snapshots."),
	SPEC_BLOCKS(struct ebs_config, ami_block_device_mappings, &amazon_block_device_spec,
		    .doc = "Block devices of the image, in addition to those of the instance or "
			   "replacing them."),
	SPEC_BLOCKS(struct ebs_config, launch_block_device_mappings, &amazon_block_device_spec,
		    .doc = "Block devices of the build's instance; the image gets them too. To "
			   "enlarge the root volume, name the root device of the source image "
			   "here. Without `delete_on_termination`, the volume stays in the "
			   "account after the build."),
	SPEC_MAP(struct ebs_config, run_volume_tags, .flags = SPEC_LATE,
		 .doc = "Tags of the instance's volumes. The snapshots of the image do not get "
			"them."),
	SPEC_MAP(struct ebs_config, run_volume_tag, .flags = SPEC_LATE | SPEC_KEY_VALUE,
		 .doc = "The same, one block with `name` and `value` for each tag."),
	SPEC_BOOL(struct ebs_config, no_ephemeral,
		  .doc = "Leave out all instance store volumes. For old Windows images, which "
			 "would keep their drive letters."),
	SPEC_VALUE(struct ebs_config, fast_launch, .flags = SPEC_NOT_YET,
		   .doc = "Pre-provisioned snapshots for faster launches of Windows images."),
};
const struct spec ebs_spec =
	SPEC("amazon-ebs", struct ebs_config, rows,
	     .doc = "Creates an AMI: launches an instance of a source image, provisions it and "
		    "creates an image from its EBS volumes.");

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
