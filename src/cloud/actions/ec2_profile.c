/* IAM instance profiles of instances. */
#include "cloud/actions/profile.h"
#include "cloud/api/services.h"
#include "cloud/model/lifecycle.h"

struct row *profile_named(struct call *c)
{
	const char *name = call_val(c, "IamInstanceProfile.Name"),
		   *arn = call_val(c, "IamInstanceProfile.Arn"), *slash;
	struct row *r;

	if (arn && (slash = strrchr(arn, '/')))
		name = slash + 1;
	r = name ? call_lookup(c, KIND_PROFILE, name) : NULL;
	if (!r)
		call_fail(c, "InvalidParameterValue",
			  "Value (%.80s) for parameter iamInstanceProfile.name is invalid. "
			  "Invalid IAM Instance Profile name",
			  name ? name : "");
	return r;
}

static json_t *association(const struct row *r)
{
	char id[ID_SIZE];

	id_from("iip-assoc", r->id, id);
	return json_pack("{s:s, s:s, s:O, s:s}", "associationId", id, "instanceId", r->id,
			 "iamInstanceProfile", json_object_get(r->doc, "iamInstanceProfile"),
			 "state", "associated");
}

json_t *profile_reference(const struct row *profile)
{
	return json_pack("{s:O, s:O}", "arn", json_object_get(profile->doc, "Arn"),
			 "id", json_object_get(profile->doc, "InstanceProfileId"));
}

static void attach(struct call *c, struct row *r, const struct row *profile)
{
	json_object_set_new(r->doc, "iamInstanceProfile", profile_reference(profile));
	doc_set_str(r->doc, "_profile", profile->id);
	call_save(c, r);
	json_object_set_new(c->out, "iamInstanceProfileAssociation", association(r));
}

static int associate(struct call *c)
{
	struct row *r = call_find(c, KIND_INSTANCE, call_val(c, "InstanceId")),
		   *p = r ? profile_named(c) : NULL;

	if (!p)
		return -1;
	if (doc_str(r->doc, "_profile"))
		return call_fail(c, "IncorrectState",
				 "There is an existing association for instance %s", r->id);
	attach(c, r, p);
	return 0;
}

static struct row *by_association(struct call *c)
{
	const char *wanted = call_val(c, "AssociationId");
	char id[ID_SIZE];
	struct row *r;

	for (size_t i = 0; (r = call_next(c, KIND_INSTANCE, &i));) {
		id_from("iip-assoc", r->id, id);
		if (streq(id, wanted) && doc_str(r->doc, "_profile"))
			return r;
	}
	call_fail(c, "InvalidAssociationID.NotFound",
		  "An invalid association-id of '%.60s' was given", wanted);
	return NULL;
}

static int disassociate(struct call *c)
{
	struct row *r = by_association(c);
	json_t *a;

	if (!r)
		return -1;
	a = association(r);
	doc_set_str(a, "state", "disassociating");
	json_object_set_new(c->out, "iamInstanceProfileAssociation", a);
	doc_remove(r->doc, "iamInstanceProfile");
	doc_remove(r->doc, "_profile");
	call_save(c, r);
	return 0;
}

static int replace(struct call *c)
{
	struct row *r = by_association(c), *p = r ? profile_named(c) : NULL;

	if (!p)
		return -1;
	attach(c, r, p);
	return 0;
}

static const struct filter_row filters[] = {
	{ "instance-id", "instanceId" },
	{ "state", "state" },
	{ 0 },
};

static int describe(struct call *c)
{
	json_t *set = json_array();
	struct row *r;

	json_object_set_new(c->out, "iamInstanceProfileAssociationSet", set);
	if (call_filter(c, filters, NULL) < 0)
		return -1;
	for (size_t i = 0; (r = call_next(c, KIND_INSTANCE, &i));) {
		if (!doc_str(r->doc, "_profile"))
			continue;
		AUTO(json) json_t *a = association(r);
		if (call_lists(c, "AssociationId", doc_str(a, "associationId")) &&
		    call_filter(c, filters, a))
			json_array_append(set, a);
	}
	return 0;
}

const struct action ec2_profile_actions[] = {
	{ "AssociateIamInstanceProfile", associate, "InstanceId! IamInstanceProfile.!", 0 },
	{ "DisassociateIamInstanceProfile", disassociate, "AssociationId!", 0 },
	{ "ReplaceIamInstanceProfileAssociation", replace, "AssociationId! IamInstanceProfile.!",
	  0 },
	{ "DescribeIamInstanceProfileAssociations", describe, "AssociationId Filter", 0 },
	{ 0 },
};
