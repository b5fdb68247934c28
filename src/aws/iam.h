/* IAM: instance profiles and roles for temporary_iam_instance_profile_policy_document. The client
 * may be an EC2 one: service and signing region are IAM's own. Journal intents are the caller's
 * (kinds "role", "instance-profile"; resource = name).
 */
#ifndef INGOT_AWS_IAM_H
#define INGOT_AWS_IAM_H

#include "aws/call.h"

/* Whether it is there: ERR_NOT_FOUND. */
int iam_get_instance_profile(const struct aws_client *c, const char *name,
			     struct err *err) MUST_USE;
/* A role that EC2 may take. */
int iam_create_role(const struct aws_client *c, const char *name, const struct str_map *tags,
		    struct err *err) MUST_USE;
/* Puts the policy (JSON) in the role, under the role's name. */
int iam_put_role_policy(const struct aws_client *c, const char *role, const char *policy_json,
			struct err *err) MUST_USE;
int iam_create_instance_profile(const struct aws_client *c, const char *name,
				const struct str_map *tags, struct err *err) MUST_USE;
int iam_add_role(const struct aws_client *c, const char *profile, const char *role,
		 struct err *err) MUST_USE;
/* Undo, in the order IAM needs; gone is fine. */
int iam_delete_instance_profile(const struct aws_client *c, const char *name,
				struct err *err) MUST_USE;
int iam_delete_role(const struct aws_client *c, const char *name, struct err *err) MUST_USE;

#endif
