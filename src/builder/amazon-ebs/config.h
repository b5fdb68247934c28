/* Options of the amazon-ebs builder: those of all amazon builders, and a few of its own. */
#ifndef INGOT_BUILDER_AMAZON_EBS_CONFIG_H
#define INGOT_BUILDER_AMAZON_EBS_CONFIG_H

#include "aws/config.h"
#include "builder/amazon/ami.h"
#include "builder/amazon/run.h"
#include "communicator/config.h"

struct ebs_config {
	struct aws_config access;
	struct amazon_ami ami;
	struct amazon_run run;
	struct comm_config comm;
	bool skip_create_ami;
	bool skip_ami_run_tags;
	struct spec_blocks ami_block_device_mappings;
	struct spec_blocks launch_block_device_mappings;
	struct str_map run_volume_tags; /* after prepare: with those of `run_volume_tag` */
	struct str_map run_volume_tag;
	bool no_ephemeral;
	struct value fast_launch;
};

extern const struct spec ebs_spec;

void ebs_prepare(struct prepare *p, void *config);

#endif
