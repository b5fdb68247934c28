/* IAM: roles with their inline and attached policies. */
#include "cloud/api/services.h"

static struct row *find_role(struct call *c)
{
	const char *name = call_val(c, "RoleName");
	struct row *r = call_lookup(c, KIND_ROLE, name);

	if (!r)
		call_fail(c, "NoSuchEntity", "The role with name %s cannot be found.", name);
	return r;
}

static bool policy_ok(const char *text)
{
	AUTO(json) json_t *j = json_loads(text, 0, NULL);

	return json_is_object(j) && json_object_get(j, "Statement");
}

/* IAM hands policy documents out URL-encoded. */
static json_t *encoded(const char *text)
{
	AUTO(buf) struct buf b = BUF_INIT;

	buf_add_uri(&b, str_from(text), false);
	return json_string(buf_cstr(&b));
}

static int create_role(struct call *c)
{
	const char *name = call_val(c, "RoleName"), *path = call_val(c, "Path"),
		   *trust = call_val(c, "AssumeRolePolicyDocument");
	int64_t seconds = 3600;
	char id[ID_SIZE], now[TIME_SIZE];
	json_t *doc;

	if (model_find(c->cloud->model, KIND_ROLE, name))
		return call_fail(c, "EntityAlreadyExists", "Role with name %s already exists.",
				 name);
	if (!policy_ok(trust))
		return call_fail(c, "MalformedPolicyDocument", "This policy contains invalid Json");
	if (call_int(c, "MaxSessionDuration", 3600, 43200, &seconds) < 0)
		return -1;
	id_new("x", id);
	time_now(now);
	time_cut_to_seconds(now);
	if (!path)
		path = "/";
	doc = json_pack("{s:s, s:s, s:o, s:o, s:s, s:o, s:I, s:{}, s:{}}",
			"RoleName", name,
			"Path", path,
			"RoleId", json_sprintf("AROA%.16s", id + 3),
			"Arn", json_sprintf("arn:aws:iam::%s:role%s%s", c->cloud->account, path,
					    name),
			"CreateDate", now,
			"AssumeRolePolicyDocument", encoded(trust),
			"MaxSessionDuration", (json_int_t)seconds,
			"_policies",
			"_attached");
	doc_set_str(doc, "Description", call_val(c, "Description"));
	json_array_append_new(c->created, json_string(name));
	model_put(c->cloud->model, KIND_ROLE, "", name, doc);
	json_object_set(c->out, "Role", doc);
	return 0;
}

static int get_role(struct call *c)
{
	struct row *r = find_role(c);

	if (r)
		json_object_set(c->out, "Role", r->doc);
	return r ? 0 : -1;
}

static int list_roles(struct call *c)
{
	json_t *set = json_array();
	struct row *r;

	json_object_set_new(c->out, "Roles", set);
	json_object_set_new(c->out, "IsTruncated", json_false());
	for (size_t i = 0; (r = call_next(c, KIND_ROLE, &i));)
		json_array_append(set, r->doc);
	return 0;
}

static int delete_role(struct call *c)
{
	struct row *r = find_role(c), *p;

	if (!r)
		return -1;
	if (json_object_size(json_object_get(r->doc, "_policies")) ||
	    json_object_size(json_object_get(r->doc, "_attached")))
		return call_fail(c, "DeleteConflict",
				 "Cannot delete entity, must delete policies first.");
	for (size_t i = 0; (p = call_next(c, KIND_PROFILE, &i));)
		if (doc_find(json_object_get(p->doc, "Roles"), "RoleName", r->id, NULL))
			return call_fail(c, "DeleteConflict",
					 "Cannot delete entity, must remove roles from instance "
					 "profile first.");
	model_remove(c->cloud->model, r);
	return 0;
}

static int put_policy(struct call *c)
{
	struct row *r = find_role(c);

	if (!r)
		return -1;
	if (!policy_ok(call_val(c, "PolicyDocument")))
		return call_fail(c, "MalformedPolicyDocument", "Syntax errors in policy.");
	json_object_set_new(json_object_get(r->doc, "_policies"), call_val(c, "PolicyName"),
			    json_string(call_val(c, "PolicyDocument")));
	call_save(c, r);
	return 0;
}

static int get_policy(struct call *c)
{
	struct row *r = find_role(c);
	const char *name = call_val(c, "PolicyName"), *text;

	if (!r)
		return -1;
	text = json_string_value(json_object_get(json_object_get(r->doc, "_policies"), name));
	if (!text)
		return call_fail(c, "NoSuchEntity", "The role policy with name %s cannot be found.",
				 name);
	json_object_set_new(c->out, "RoleName", json_string(r->id));
	json_object_set_new(c->out, "PolicyName", json_string(name));
	json_object_set_new(c->out, "PolicyDocument", encoded(text));
	return 0;
}

static int delete_policy(struct call *c)
{
	struct row *r = find_role(c);

	if (!r)
		return -1;
	if (json_object_del(json_object_get(r->doc, "_policies"), call_val(c, "PolicyName")) < 0)
		return call_fail(c, "NoSuchEntity", "The role policy with name %s cannot be found.",
				 call_val(c, "PolicyName"));
	call_save(c, r);
	return 0;
}

static int list_policies(struct call *c)
{
	struct row *r = find_role(c);
	json_t *set = json_array(), *v;
	const char *name;

	json_object_set_new(c->out, "PolicyNames", set);
	json_object_set_new(c->out, "IsTruncated", json_false());
	if (!r)
		return -1;
	json_object_foreach(json_object_get(r->doc, "_policies"), name, v)
		json_array_append_new(set, json_string(name));
	return 0;
}

static int attach_policy(struct call *c)
{
	struct row *r = find_role(c);

	if (!r)
		return -1;
	json_object_set_new(json_object_get(r->doc, "_attached"), call_val(c, "PolicyArn"),
			    json_true());
	call_save(c, r);
	return 0;
}

static int detach_policy(struct call *c)
{
	struct row *r = find_role(c);

	if (!r)
		return -1;
	if (json_object_del(json_object_get(r->doc, "_attached"), call_val(c, "PolicyArn")) < 0)
		return call_fail(c, "NoSuchEntity", "Policy %s was not found.",
				 call_val(c, "PolicyArn"));
	call_save(c, r);
	return 0;
}

static int list_attached(struct call *c)
{
	struct row *r = find_role(c);
	json_t *set = json_array(), *v;
	const char *arn;

	json_object_set_new(c->out, "AttachedPolicies", set);
	json_object_set_new(c->out, "IsTruncated", json_false());
	if (!r)
		return -1;
	json_object_foreach(json_object_get(r->doc, "_attached"), arn, v) {
		const char *slash = strrchr(arn, '/');

		json_array_append_new(set, json_pack("{s:s, s:s}",
						     "PolicyName", slash ? slash + 1 : arn,
						     "PolicyArn", arn));
	}
	return 0;
}

const struct action iam_role_actions[] = {
	{ "CreateRole", create_role,
	  "RoleName! AssumeRolePolicyDocument! Path Description MaxSessionDuration Tags", 0 },
	{ "GetRole", get_role, "RoleName!", 0 },
	{ "ListRoles", list_roles, "PathPrefix Marker MaxItems", 0 },
	{ "DeleteRole", delete_role, "RoleName!", 0 },
	{ "PutRolePolicy", put_policy, "RoleName! PolicyName! PolicyDocument!", 0 },
	{ "GetRolePolicy", get_policy, "RoleName! PolicyName!", 0 },
	{ "DeleteRolePolicy", delete_policy, "RoleName! PolicyName!", 0 },
	{ "ListRolePolicies", list_policies, "RoleName! Marker MaxItems", 0 },
	{ "AttachRolePolicy", attach_policy, "RoleName! PolicyArn!", 0 },
	{ "DetachRolePolicy", detach_policy, "RoleName! PolicyArn!", 0 },
	{ "ListAttachedRolePolicies", list_attached, "RoleName! PathPrefix Marker MaxItems", 0 },
	{ 0 },
};
