/* The amazon-ebs builder: launch, provision, stop, image, clean up. */
#include "builder/amazon-ebs/config.h"
#include "builder/amazon-ebs/steps.h"
#include "builder/amazon/artifact.h"
#include "builder/amazon/steps.h"

/* The second names are Packer's, as -debug and -on-error=abort print them. */
static const struct step steps[] = {
	{ "check", "StepPreValidate", amazon_preflight, NULL, false },
	{ "find source image", "StepSourceAMIInfo", amazon_source_image, NULL, false },
	{ "find network", "StepNetworkInfo", amazon_network, NULL, false },
	{ "key pair", "StepKeyPair", amazon_key_pair, amazon_key_pair_undo, false },
	{ "security group", "StepSecurityGroup", amazon_security_group, amazon_security_group_undo,
	  false },
	{ "instance profile", "StepIamInstanceProfile", amazon_instance_profile,
	  amazon_instance_profile_undo, false },
	{ "volumes", "StepCleanupVolumes", amazon_volumes, amazon_volumes_undo, false },
	{ "launch instance", "StepRunSourceInstance", amazon_run_instance, amazon_run_instance_undo,
	  false },
	{ "connect", "StepConnect", amazon_connect, amazon_connect_undo, false },
	{ "build values", "StepSetGeneratedData", amazon_source_values, NULL, false },
	BUILD_STEP_PROVISION,
	{ "clear temporary keys", "StepCleanupTempKeys", amazon_clear_keys, NULL, false },
	{ "stop instance", "StepStopEBSBackedInstance", amazon_stop_instance, NULL, false },
	{ "modify instance", "StepModifyEBSBackedInstance", amazon_modify_instance, NULL, false },
	{ "create image", "stepCreateAMI", ebs_create_image, ebs_create_image_undo, true },
	{ "copy image", "StepAMIRegionCopy", amazon_copy_image, amazon_copy_image_undo, false },
	{ "deprecation", "StepEnableDeprecation", amazon_image_deprecation, NULL, false },
	{ "image attributes", "StepModifyAMIAttributes", amazon_image_attributes, NULL, false },
	{ "image tags", "StepCreateTags", amazon_image_tags, NULL, false },
	{ "replace images", "StepDeregisterAMI", amazon_replace_images, NULL, false },
	{ "protection", "StepEnableDeregistrationProtection", amazon_image_protection, NULL,
	  false },
	{ "release images", "StepReleaseImages", amazon_image_untag, NULL, false },
};

static int run(struct build *b, void *config, struct artifact **ret, struct err *err)
{
	struct ebs_config *c = config;
	struct amazon s = {
		.b = b,
		.access = &c->access,
		.run = &c->run,
		.ami = &c->ami,
		.comm = &c->comm,
		.launch_mappings = &c->launch_block_device_mappings,
		.ami_mappings = &c->ami_block_device_mappings,
		.volume_tags = &c->run_volume_tags,
		.no_ephemeral = c->no_ephemeral,
		.skip_create_ami = c->skip_create_ami,
		.skip_ami_run_tags = c->skip_ami_run_tags,
		.root_device_type = "ebs",
	};
	int result = amazon_open(&s, err);

	if (result == 0)
		result = build_run_steps(b, steps, ARRAY_LEN(steps), &s, err);
	if (result == 0)
		*ret = amazon_artifact(&s, "mitchellh.amazonebs");
	amazon_release(&s);
	return result;
}

const struct builder builder_amazon_ebs = {
	.type = "amazon-ebs",
	.spec = &ebs_spec,
	.generated = amazon_source_names,
	.prepare = ebs_prepare,
	.run = run,
};
