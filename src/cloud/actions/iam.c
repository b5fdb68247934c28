/* IAM: instance profiles. Permissions are not enforced: roles have policies to be read back. */
#include "cloud/api/services.h"

static struct row *find_profile(struct call *c)
{
	const char *name = call_val(c, "InstanceProfileName");
	struct row *r = call_lookup(c, KIND_PROFILE, name);

	if (!r)
		call_fail(c, "NoSuchEntity", "Instance Profile %s cannot be found.", name);
	return r;
}

static int create_profile(struct call *c)
{
	const char *name = call_val(c, "InstanceProfileName"), *path = call_val(c, "Path");
	char id[ID_SIZE], now[TIME_SIZE];
	json_t *doc;

	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_-") !=
		    strlen(name) ||
	    strlen(name) > 128)
		return call_fail(c, "ValidationError",
				 "The specified value for instanceProfileName is invalid");
	if (model_find(c->cloud->model, KIND_PROFILE, name))
		return call_fail(c, "EntityAlreadyExists", "Instance Profile %s already exists.",
				 name);
	if (!path)
		path = "/";
	id_new("x", id);
	time_now(now);
	time_cut_to_seconds(now);
	doc = json_pack("{s:s, s:s, s:o, s:o, s:s, s:[]}",
			"InstanceProfileName", name,
			"Path", path,
			"InstanceProfileId", json_sprintf("AIPA%.16s", id + 3),
			"Arn", json_sprintf("arn:aws:iam::%s:instance-profile%s%s",
					    c->cloud->account, path, name),
			"CreateDate", now,
			"Roles");
	json_array_append_new(c->created, json_string(name));
	model_put(c->cloud->model, KIND_PROFILE, "", name, doc);
	json_object_set(c->out, "InstanceProfile", doc);
	return 0;
}

static int get_profile(struct call *c)
{
	struct row *r = find_profile(c);

	if (r)
		json_object_set(c->out, "InstanceProfile", r->doc);
	return r ? 0 : -1;
}

static int delete_profile(struct call *c)
{
	struct row *r = find_profile(c);

	if (!r)
		return -1;
	if (json_array_size(json_object_get(r->doc, "Roles")))
		return call_fail(
			c, "DeleteConflict",
			"Cannot delete entity, must remove roles from instance profile first.");
	model_remove(c->cloud->model, r);
	return 0;
}

/* All, or those with the role that is asked for. */
static int list_profiles(struct call *c)
{
	const char *role = call_val(c, "RoleName");
	json_t *set = json_array();
	struct row *r;

	json_object_set_new(c->out, "InstanceProfiles", set);
	json_object_set_new(c->out, "IsTruncated", json_false());
	for (size_t i = 0; (r = call_next(c, KIND_PROFILE, &i));)
		if (!role || doc_find(json_object_get(r->doc, "Roles"), "RoleName", role, NULL))
			json_array_append(set, r->doc);
	return 0;
}

static int add_role(struct call *c)
{
	struct row *r = find_profile(c), *role;
	const char *name = call_val(c, "RoleName");
	json_t *roles;

	if (!r)
		return -1;
	role = call_lookup(c, KIND_ROLE, name);
	if (!role)
		return call_fail(c, "NoSuchEntity", "The role with name %s cannot be found.", name);
	roles = json_object_get(r->doc, "Roles");
	if (json_array_size(roles))
		return call_fail(c, "LimitExceeded",
				 "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
	json_array_append_new(roles, json_deep_copy(role->doc));
	call_save(c, r);
	return 0;
}

static int remove_role(struct call *c)
{
	struct row *r = find_profile(c);
	const char *name = call_val(c, "RoleName");
	size_t at;

	if (!r)
		return -1;
	if (!doc_find(json_object_get(r->doc, "Roles"), "RoleName", name, &at))
		return call_fail(c, "NoSuchEntity",
				 "The role with name %s cannot be found in the instance profile.",
				 name);
	json_array_remove(json_object_get(r->doc, "Roles"), at);
	call_save(c, r);
	return 0;
}

const struct action iam_actions[] = {
	{ "CreateInstanceProfile", create_profile, "InstanceProfileName! Path Tags", 0 },
	{ "GetInstanceProfile", get_profile, "InstanceProfileName!", 0 },
	{ "DeleteInstanceProfile", delete_profile, "InstanceProfileName!", 0 },
	{ "ListInstanceProfiles", list_profiles, "PathPrefix Marker MaxItems", 0 },
	{ "ListInstanceProfilesForRole", list_profiles, "RoleName! Marker MaxItems", 0 },
	{ "AddRoleToInstanceProfile", add_role, "InstanceProfileName! RoleName!", 0 },
	{ "RemoveRoleFromInstanceProfile", remove_role, "InstanceProfileName! RoleName!", 0 },
	{ 0 },
};
