/* The services of the local cloud and the action tables of their families. */
#ifndef INGOT_CLOUD_API_SERVICES_H
#define INGOT_CLOUD_API_SERVICES_H

#include "cloud/api/api.h"

extern const struct service services[];
extern const size_t services_n;

/* EC2, one file each: ec2_NAME.c */
extern const struct action ec2_run_actions[], ec2_instance_actions[], ec2_state_actions[],
	ec2_attribute_actions[], ec2_profile_actions[], ec2_image_actions[],
	ec2_image_make_actions[], ec2_snapshot_actions[], ec2_volume_actions[], ec2_key_actions[],
	ec2_group_actions[], ec2_vpc_actions[], ec2_place_actions[], ec2_type_actions[],
	ec2_tag_actions[];
extern const struct action sts_actions[], iam_actions[], iam_role_actions[], ssm_actions[];

#endif
