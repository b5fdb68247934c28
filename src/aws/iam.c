/* Roles and instance profiles that live as long as a build. A create whose answer was lost may be
 * repeated: the names are the run's own, so "exists already" then means done.
 */
#include "aws/iam.h"

#define TRUST_EC2 \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\"," \
	"\"Principal\":{\"Service\":\"ec2.amazonaws.com%s\"},\"Action\":\"sts:AssumeRole\"}]}"

static int call_tolerant(const struct aws_client *c, const char *action, const struct aws_params *p,
			 enum err_code fine, struct err *err)
{
	AUTO(err) struct err e = ERR_INIT;

	if (aws_call(c, action, p, NULL, &e) == 0 || e.code == fine)
		return 0;
	return err_move(err, &e);
}

/* Repeats a create once after a lost answer. */
static int create(const struct aws_client *c, const char *action, const struct aws_params *p,
		  struct err *err)
{
	AUTO(err) struct err e = ERR_INIT;

	if (aws_call(c, action, p, NULL, &e) == 0)
		return 0;
	if (e.code != ERR_LOST)
		return err_move(err, &e);
	return call_tolerant(c, action, p, ERR_EXISTS, err);
}

int iam_get_instance_profile(const struct aws_client *c, const char *name, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct aws_client iam = aws_client_service(c, "iam");

	aws_params_add(&p, "InstanceProfileName", name);
	return aws_call(&iam, "GetInstanceProfile", &p, NULL, err);
}

int iam_create_role(const struct aws_client *c, const char *name, const struct str_map *tags,
		    struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct aws_client iam = aws_client_service(c, "iam");
	auto_free char *trust = xasprintf(TRUST_EC2, starts_with(c->region, "cn-") ? ".cn" : "");

	aws_params_add(&p, "RoleName", name);
	aws_params_add(&p, "AssumeRolePolicyDocument", trust);
	aws_params_add(&p, "Description", "Temporary role of an image build");
	aws_params_pairs(&p, "Tags.member", tags);
	return create(&iam, "CreateRole", &p, err);
}

int iam_put_role_policy(const struct aws_client *c, const char *role, const char *policy_json,
			struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct aws_client iam = aws_client_service(c, "iam");

	aws_params_add(&p, "RoleName", role);
	aws_params_add(&p, "PolicyName", role);
	aws_params_add(&p, "PolicyDocument", policy_json);
	return aws_call(&iam, "PutRolePolicy", &p, NULL, err);
}

int iam_create_instance_profile(const struct aws_client *c, const char *name,
				const struct str_map *tags, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct aws_client iam = aws_client_service(c, "iam");

	aws_params_add(&p, "InstanceProfileName", name);
	aws_params_pairs(&p, "Tags.member", tags);
	return create(&iam, "CreateInstanceProfile", &p, err);
}

int iam_add_role(const struct aws_client *c, const char *profile, const char *role,
		 struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct aws_client iam = aws_client_service(c, "iam");

	aws_params_add(&p, "InstanceProfileName", profile);
	aws_params_add(&p, "RoleName", role);
	return call_tolerant(&iam, "AddRoleToInstanceProfile", &p, ERR_EXISTS, err);
}

int iam_delete_instance_profile(const struct aws_client *c, const char *name, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	AUTO(err) struct err e = ERR_INIT;
	struct aws_client iam = aws_client_service(c, "iam");
	struct aws_client look = aws_client_within(&iam, AWS_LOOK_MS);
	struct xml *root;

	aws_params_add(&p, "InstanceProfileName", name);
	if (aws_call(&look, "GetInstanceProfile", &p, &root, &e) < 0)
		return e.code == ERR_NOT_FOUND ? 0 : err_move(err, &e);
	for (const struct xml *r =
		     xml_first(root, "GetInstanceProfileResult/InstanceProfile/Roles/member");
	     r; r = xml_next(r)) {
		AUTO(aws_params) struct aws_params member = AWS_PARAMS_INIT;

		aws_params_add(&member, "InstanceProfileName", name);
		aws_params_add(&member, "RoleName", xml_text(r, "RoleName"));
		if (call_tolerant(&iam, "RemoveRoleFromInstanceProfile", &member, ERR_NOT_FOUND,
				  err) < 0)
			return -1;
	}
	return call_tolerant(&iam, "DeleteInstanceProfile", &p, ERR_NOT_FOUND, err);
}

int iam_delete_role(const struct aws_client *c, const char *name, struct err *err)
{
	AUTO(aws_params) struct aws_params role = AWS_PARAMS_INIT;
	AUTO(aws_params) struct aws_params policy = AWS_PARAMS_INIT;
	struct aws_client iam = aws_client_service(c, "iam");

	aws_params_add(&role, "RoleName", name);
	aws_params_add(&policy, "RoleName", name);
	aws_params_add(&policy, "PolicyName", name);
	if (call_tolerant(&iam, "DeleteRolePolicy", &policy, ERR_NOT_FOUND, err) < 0)
		return -1;
	return call_tolerant(&iam, "DeleteRole", &role, ERR_NOT_FOUND, err);
}
