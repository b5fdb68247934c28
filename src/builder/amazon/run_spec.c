/* Instance options: the rows. Checks are run.c. */
#include "builder/amazon/run.h"

static const char *const endpoint_states[] = { "enabled", "disabled", NULL };
static const char *const token_states[] = { "optional", "required", NULL };

#define FILTER_ROWS(action) \
	SPEC_MAP(struct amazon_filter, filters, \
		 .doc = "Filters of EC2's " action " by name; several values are separated by " \
			"commas."), \
	SPEC_MAP(struct amazon_filter, filter, .flags = SPEC_KEY_VALUE, \
		 .doc = "The same, one block with `name` and `value` for each filter.")

static const struct spec_row vpc_filter_rows[] = { FILTER_ROWS("DescribeVpcs") };
static const struct spec vpc_filter_spec =
	SPEC("vpc_filter", struct amazon_filter, vpc_filter_rows,
	     .doc = "How to find the VPC; exactly one must match.");
static const struct spec_row group_filter_rows[] = { FILTER_ROWS("DescribeSecurityGroups") };
static const struct spec group_filter_spec =
	SPEC("security_group_filter", struct amazon_filter, group_filter_rows,
	     .doc = "How to find security groups; all that match are used.");
static const struct spec_row subnet_filter_rows[] = {
	FILTER_ROWS("DescribeSubnets"),
	SPEC_BOOL(struct amazon_filter, most_free,
		  .doc = "If several subnets match, use the one with the most free addresses."),
	SPEC_BOOL(struct amazon_filter, random,
		  .doc = "If several subnets match, use a random one. `most_free` takes "
			 "precedence."),
};
static const struct spec subnet_filter_spec =
	SPEC("subnet_filter", struct amazon_filter, subnet_filter_rows,
	     .doc = "How to find the subnet.");

static const struct spec_row license_request_rows[] = {
	SPEC_STR(struct amazon_license_request, license_configuration_arn, .flags = SPEC_REQUIRED,
		 .doc = "ARN of a licence configuration."),
};
static const struct spec license_request_spec =
	SPEC("license_configuration_request", struct amazon_license_request, license_request_rows,
	     .doc = "One licence configuration.");
static const struct spec_row license_rows[] = {
	SPEC_BLOCK(struct amazon_license, license_configuration_request,
		   struct amazon_license_request, &license_request_spec,
		   .doc = "The licence configuration."),
};
static const struct spec license_spec =
	SPEC("license_specifications", struct amazon_license, license_rows,
	     .doc = "Licence that the instance uses.");

static const struct spec_row placement_rows[] = {
	SPEC_STR(struct amazon_placement, host_resource_group_arn,
		 .doc = "ARN of the host resource group to launch into."),
	SPEC_STR(struct amazon_placement, host_id,
		 .doc = "Id of the dedicated host to launch on. Excludes "
			"`host_resource_group_arn`."),
	SPEC_STR(struct amazon_placement, tenancy, .doc = "`default`, `dedicated` or `host`."),
};
static const struct spec placement_spec = SPEC("placement", struct amazon_placement, placement_rows,
					       .doc = "Placement of the instance.");

static const struct spec_row metadata_rows[] = {
	SPEC_STR(struct amazon_metadata, http_endpoint, .choices = endpoint_states,
		 .doc = "Whether the instance can use the metadata service. Default: `enabled`."),
	SPEC_STR(struct amazon_metadata, http_tokens, .choices = token_states,
		 .doc = "Whether version 2 of the service (session tokens) is required. Default: "
			"`optional`."),
	SPEC_INT(struct amazon_metadata, http_put_response_hop_limit,
		 .doc = "Number of network hops a token may travel, 1 to 64. Containers on the "
			"instance need 2. Default: 1."),
	SPEC_STR(struct amazon_metadata, instance_metadata_tags, .choices = endpoint_states,
		 .doc = "Whether the instance can read its tags from the service. Default: "
			"`disabled`."),
};
static const struct spec metadata_spec =
	SPEC("metadata_options", struct amazon_metadata, metadata_rows,
	     .doc = "The instance metadata service.");

static const struct spec_row statement_rows[] = {
	SPEC_STR(struct amazon_statement, effect, .name = "Effect", .doc = "`Allow` or `Deny`."),
	SPEC_STRS(struct amazon_statement, action, .name = "Action",
		  .doc = "Actions, such as `s3:GetObject`."),
	SPEC_STRS(struct amazon_statement, resource, .name = "Resource",
		  .doc = "ARNs of the resources the actions apply to."),
};
static const struct spec statement_spec = SPEC("Statement", struct amazon_statement, statement_rows,
					       .doc = "One statement of the policy.");
static const struct spec_row policy_rows[] = {
	SPEC_STR(struct amazon_policy, version, .name = "Version",
		 .doc = "Version of the policy language. Default: `2012-10-17`."),
	SPEC_BLOCKS(struct amazon_policy, statement, &statement_spec, .name = "Statement",
		    .doc = "The statements."),
};
static const struct spec policy_spec =
	SPEC("temporary_iam_instance_profile_policy_document", struct amazon_policy, policy_rows,
	     .doc = "An IAM policy.");

static const struct spec_row rows[] = {
	SPEC_TRIBOOL(struct amazon_run, associate_public_ip_address,
		     .doc = "Whether the instance gets a public address. Without `subnet_id`, a "
			    "subnet of the default VPC is chosen for it. Default: as configured "
			    "in the subnet."),
	SPEC_STR(struct amazon_run, availability_zone,
		 .doc = "Availability zone to launch in. Default: the subnet's zone, or EC2's "
			"choice."),
	SPEC_INT(struct amazon_run, block_duration_minutes, .flags = SPEC_NOT_YET,
		 .doc = "Reserved duration of a spot instance."),
	SPEC_STR(struct amazon_run, capacity_reservation_preference,
		 .doc = "`open`: use a matching capacity reservation; `none`: use none. Default: "
			"`none`, unless a reservation is named."),
	SPEC_STR(struct amazon_run, capacity_reservation_id,
		 .doc = "Capacity reservation to launch into."),
	SPEC_STR(struct amazon_run, capacity_reservation_group_arn,
		 .doc = "Resource group of capacity reservations to launch into."),
	SPEC_BOOL(struct amazon_run, disable_stop_instance,
		  .doc = "Do not stop the instance, but wait until it has stopped: the last "
			 "provisioner stops it (with sysprep, for example)."),
	SPEC_BOOL(struct amazon_run, ebs_optimized,
		  .doc = "Launch the instance as EBS-optimised, where its type leaves the choice."),
	SPEC_BOOL(struct amazon_run, enable_nitro_enclave,
		  .doc = "Enable Nitro Enclaves on the instance."),
	SPEC_BOOL(struct amazon_run, enable_t2_unlimited, .flags = SPEC_DEPRECATED,
		  .instead = "enable_unlimited_credits",
		  .doc = "Old name of `enable_unlimited_credits`."),
	SPEC_BOOL(struct amazon_run, enable_unlimited_credits,
		  .doc = "Let a burstable instance use more CPU credits than it has earned, at "
			 "extra cost. Without it, ingot requests standard credits."),
	SPEC_STR(struct amazon_run, iam_instance_profile,
		 .doc = "Name of the IAM instance profile of the instance."),
	SPEC_MAP(struct amazon_run, fleet_tags, .flags = SPEC_LATE | SPEC_NOT_YET,
		 .doc = "Tags of the fleet that requests a spot instance."),
	SPEC_MAP(struct amazon_run, fleet_tag, .flags = SPEC_LATE | SPEC_NOT_YET | SPEC_KEY_VALUE,
		 .doc = "The same, one block for each tag."),
	SPEC_BOOL(struct amazon_run, skip_profile_validation,
		  .doc = "Do not check whether `iam_instance_profile` exists."),
	SPEC_BLOCK(struct amazon_run, temporary_iam_instance_profile_policy_document,
		   struct amazon_policy, &policy_spec,
		   .doc = "Create a temporary role and instance profile with this policy for the "
			  "build's instance."),
	SPEC_STR(struct amazon_run, shutdown_behavior,
		 .doc = "What EC2 does when the instance shuts itself down: `stop` (the default) "
			"or `terminate`."),
	SPEC_STR(struct amazon_run, shutdown_behavior, .name = "shutdown_behaviour",
		 .flags = SPEC_DEPRECATED | SPEC_HIDDEN, .instead = "shutdown_behavior",
		 .doc = "Old spelling of `shutdown_behavior`."),
	SPEC_STR(struct amazon_run, instance_type,
		 .doc = "Type of the instance, such as `t3.micro`."),
	SPEC_BLOCK(struct amazon_run, security_group_filter, struct amazon_filter,
		   &group_filter_spec, .doc = "Find the security groups instead of naming them."),
	SPEC_MAP(struct amazon_run, run_tags, .flags = SPEC_LATE,
		 .doc = "Tags of the build's own resources (instance, network interface, key "
			"pair, security group) and, unless `skip_ami_run_tags` is set, of the "
			"image and its snapshots."),
	SPEC_MAP(struct amazon_run, run_tag, .flags = SPEC_LATE | SPEC_KEY_VALUE,
		 .doc = "The same, one block with `key` and `value` for each tag."),
	SPEC_STR(struct amazon_run, security_group_id,
		 .doc = "Security group of the instance. It must allow SSH. Default: a temporary "
			"one is created."),
	SPEC_STRS(struct amazon_run, security_group_ids, .doc = "The same for several groups."),
	SPEC_STR(struct amazon_run, source_ami,
		 .doc = "Id of the image to start from. Alternative: `source_ami_filter`."),
	SPEC_BLOCK(struct amazon_run, source_ami_filter, struct aws_ami_filter,
		   &aws_ami_filter_spec, .doc = "Find the source image instead of naming it."),
	SPEC_STR(struct amazon_run, spot_allocation_strategy, .flags = SPEC_NOT_YET,
		 .doc = "How EC2 chooses among spot pools."),
	SPEC_STRS(struct amazon_run, spot_instance_types, .flags = SPEC_NOT_YET,
		  .doc = "Instance types to try as spot instances."),
	SPEC_STR(struct amazon_run, spot_price,
		 .doc = "Maximum price of a spot instance. Not yet supported: must be empty or "
			"`0` (an on-demand instance)."),
	SPEC_STR(struct amazon_run, spot_price_auto_product, .flags = SPEC_NOT_YET,
		 .doc = "Has no effect in current versions."),
	SPEC_MAP(struct amazon_run, spot_tags, .flags = SPEC_LATE | SPEC_NOT_YET,
		 .doc = "Tags of the spot request."),
	SPEC_MAP(struct amazon_run, spot_tag, .flags = SPEC_LATE | SPEC_NOT_YET | SPEC_KEY_VALUE,
		 .doc = "The same, one block for each tag."),
	SPEC_BLOCK(struct amazon_run, subnet_filter, struct amazon_filter, &subnet_filter_spec,
		   .doc = "Find the subnet instead of naming it; used when `subnet_id` is not "
			  "given."),
	SPEC_STR(struct amazon_run, subnet_id,
		 .doc = "Subnet to launch in. Required in a VPC other than the default one."),
	SPEC_BLOCKS(struct amazon_run, license_specifications, &license_spec,
		    .doc = "Licence configurations of the instance."),
	SPEC_BLOCK(struct amazon_run, placement, struct amazon_placement, &placement_spec,
		   .doc = "Tenancy and dedicated hosts."),
	SPEC_STR(struct amazon_run, tenancy,
		 .doc = "Older form of `tenancy` in `placement`; only one of them may be set."),
	SPEC_STRS(struct amazon_run, temporary_security_group_source_cidrs,
		  .doc = "Address ranges that the temporary security group allows, exactly as "
			 "written. Default: the public address of this machine, or the private "
			 "ranges if the instance is reached by a private address."),
	SPEC_STRS(struct amazon_run, temporary_security_group_source_cidrs,
		  .name = "temporary_security_group_source_cidr",
		  .flags = SPEC_DEPRECATED | SPEC_HIDDEN,
		  .instead = "temporary_security_group_source_cidrs",
		  .doc = "Old name of `temporary_security_group_source_cidrs`."),
	SPEC_BOOL(struct amazon_run, temporary_security_group_source_public_ip,
		  .doc = "Allow only the public address of this machine, and never widen that."),
	SPEC_STR(struct amazon_run, user_data,
		 .doc = "User data of the instance, plain or already encoded in base64."),
	SPEC_STR(struct amazon_run, user_data_file,
		 .doc = "File with the user data. Excludes `user_data`."),
	SPEC_BLOCK(struct amazon_run, vpc_filter, struct amazon_filter, &vpc_filter_spec,
		   .doc = "Find the VPC instead of naming it; used when `vpc_id` is not given."),
	SPEC_STR(struct amazon_run, vpc_id,
		 .doc = "VPC of the temporary security group and for `subnet_filter`."),
	SPEC_DURATION(struct amazon_run, windows_password_timeout, .flags = SPEC_NOT_YET,
		      .doc = "How long to wait for the password of a Windows instance."),
	SPEC_BLOCK(struct amazon_run, metadata_options, struct amazon_metadata, &metadata_spec,
		   .doc = "The instance metadata service."),
	SPEC_STR(struct amazon_run, ssh_interface,
		 .doc = "Address to connect to: `public_ip`, `private_ip`, `public_dns`, "
			"`private_dns` or `ipv6`. Default: the public address or, where there is "
			"none, the private one. `session_manager` is not yet supported."),
	SPEC_BOOL(struct amazon_run, ssh_private_ip, .flags = SPEC_DEPRECATED | SPEC_HIDDEN,
		  .instead = "ssh_interface",
		  .doc = "Old form of `ssh_interface = \"private_ip\"`."),
	SPEC_DURATION(struct amazon_run, pause_before_ssm, .flags = SPEC_NOT_YET,
		      .doc = "How long to wait before opening a session manager tunnel."),
	SPEC_INT(struct amazon_run, session_manager_port, .flags = SPEC_NOT_YET,
		 .doc = "Local port of the session manager tunnel."),
};
const struct spec amazon_run_spec = SPEC("amazon instance", struct amazon_run, rows,
					 .doc = "The instance to build on.");
