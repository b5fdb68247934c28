/* The table of services. A new family is one file and one name here. */
#include "cloud/api/services.h"

static const struct action *const ec2[] = {
	ec2_run_actions,
	ec2_instance_actions,
	ec2_state_actions,
	ec2_attribute_actions,
	ec2_profile_actions,
	ec2_image_actions,
	ec2_image_make_actions,
	ec2_snapshot_actions,
	ec2_volume_actions,
	ec2_key_actions,
	ec2_group_actions,
	ec2_vpc_actions,
	ec2_place_actions,
	ec2_type_actions,
	ec2_tag_actions,
	NULL,
};
static const struct action *const sts[] = { sts_actions, NULL };
static const struct action *const iam[] = { iam_actions, iam_role_actions, NULL };
static const struct action *const ssm[] = { ssm_actions, NULL };

const struct service services[] = {
	{ .name = "ec2",
	  .version = "2016-11-15",
	  .xmlns = "http://ec2.amazonaws.com/doc/2016-11-15/",
	  .families = ec2 },
	{ .name = "sts",
	  .version = "2011-06-15",
	  .xmlns = "https://sts.amazonaws.com/doc/2011-06-15/",
	  .families = sts,
	  .results = true },
	{ .name = "iam",
	  .version = "2010-05-08",
	  .xmlns = "https://iam.amazonaws.com/doc/2010-05-08/",
	  .families = iam,
	  .results = true },
	{ .name = "ssm", .version = "2014-11-06", .families = ssm, .json = true },
};
const size_t services_n = ARRAY_LEN(services);
