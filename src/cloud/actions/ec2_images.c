/* Images: describing them, their attributes, deregistration. */
#include "base/clock.h"
#include "cloud/actions/images.h"
#include "cloud/actions/permissions.h"
#include "cloud/api/services.h"
#include "cloud/model/lifecycle.h"

static const struct filter_row filters[] = {
	{ "image-id", "imageId" },
	{ "name", "name" },
	{ "description", "description" },
	{ "architecture", "architecture" },
	{ "state", "imageState" },
	{ "is-public", "isPublic" },
	{ "owner-id", "imageOwnerId" },
	{ "owner-alias", "imageOwnerAlias" },
	{ "root-device-name", "rootDeviceName" },
	{ "root-device-type", "rootDeviceType" },
	{ "virtualization-type", "virtualizationType" },
	{ "hypervisor", "hypervisor" },
	{ "image-type", "imageType" },
	{ "manifest-location", "imageLocation" },
	{ "creation-date", "creationDate" },
	{ "ena-support", "enaSupport" },
	{ "sriov-net-support", "sriovNetSupport" },
	{ "platform", "platform" },
	{ "boot-mode", "bootMode" },
	{ "imds-support", "imdsSupport" },
	{ "kernel-id", "kernelId" },
	{ "ramdisk-id", "ramdiskId" },
	{ "product-code", "productCodes[].productCode" },
	{ "source-instance-id", "sourceInstanceId" },
	{ "source-image-id", "sourceImageId" },
	{ "state-reason-code", "stateReason.code" },
	{ "state-reason-message", "stateReason.message" },
	{ "tpm-support", "tpmSupport" },
	{ "usage-operation", "usageOperation" },
	{ "block-device-mapping.snapshot-id", "blockDeviceMapping[].ebs.snapshotId" },
	{ "block-device-mapping.device-name", "blockDeviceMapping[].deviceName" },
	{ "block-device-mapping.volume-size", "blockDeviceMapping[].ebs.volumeSize" },
	{ "block-device-mapping.volume-type", "blockDeviceMapping[].ebs.volumeType" },
	{ "block-device-mapping.delete-on-termination",
	  "blockDeviceMapping[].ebs.deleteOnTermination" },
	{ "block-device-mapping.encrypted", "blockDeviceMapping[].ebs.encrypted" },
	{ 0 },
};

/* Deregistered ids are remembered, as EC2 tells them from ids that never were. */
struct row *image_find(struct call *c, const char *id)
{
	struct row *r = id ? call_find(c, KIND_IMAGE, id) : NULL;

	if (!r)
		return NULL;
	if (doc_bool(r->doc, "_deregistered")) {
		call_fail(c, "InvalidAMIID.Unavailable", "The image ID '%s' is no longer available",
			  id);
		return NULL;
	}
	return r;
}

static struct row *own_image(struct call *c)
{
	struct row *r = image_find(c, call_val(c, "ImageId"));

	if (r && !streq(doc_str(r->doc, "imageOwnerId"), c->cloud->account)) {
		call_fail(c, "AuthFailure", "Not authorized for image:%s", r->id);
		return NULL;
	}
	return r;
}

const char *image_using(struct cloud *c, const char *snapshot)
{
	for (size_t i = 0; i < model_count(c->model, KIND_IMAGE); i++) {
		struct row *r = model_at(c->model, KIND_IMAGE, i);
		size_t k;
		json_t *m;

		if (doc_bool(r->doc, "_deregistered"))
			continue;
		json_array_foreach(json_object_get(r->doc, "blockDeviceMapping"), k, m)
			if (streq(doc_str(m, "ebs.snapshotId"), snapshot))
				return r->id;
	}
	return NULL;
}

/* --- describing ----------------------------------------------------- */

static bool owned_by(struct call *c, const json_t *doc, const char *owner)
{
	if (streq(owner, "self"))
		return streq(doc_str(doc, "imageOwnerId"), c->cloud->account);
	return streq(owner, doc_str(doc, "imageOwnerId")) ||
	       streq(owner, doc_str(doc, "imageOwnerAlias"));
}

static bool visible(struct call *c, struct row *r, bool by_id)
{
	bool deprecated = false, disabled = false;
	const char *until = doc_str(r->doc, "deprecationTime");
	char now[TIME_SIZE];
	size_t n;
	const char **owners = call_list(c, &n, "Owner");

	if (doc_bool(r->doc, "_deregistered") || (!by_id && doc_bool(r->doc, "_by_id_only")))
		return false;
	call_bool(c, "IncludeDisabled", &disabled);
	if (streq(doc_str(r->doc, "imageState"), "disabled") && !by_id && !disabled)
		return false;
	if (until && !streq(doc_str(r->doc, "imageOwnerId"), c->cloud->account) && !by_id) {
		call_bool(c, "IncludeDeprecated", &deprecated);
		if (!deprecated && strcmp(until, time_now(now)) < 0)
			return false;
	}
	for (size_t i = 0; i < n; i++)
		if (owned_by(c, r->doc, owners[i]))
			return true;
	return n == 0;
}

/* ExecutableBy: "self", "all", or an account with a launch permission. */
static bool executable_by(struct call *c, const json_t *doc, const char *who)
{
	size_t i;
	json_t *p;

	if (streq(who, "all"))
		return doc_bool(doc, "isPublic");
	json_array_foreach(json_object_get(doc, "_launch"), i, p)
		if (streq(doc_str(p, "userId"), streq(who, "self") ? c->cloud->account : who))
			return true;
	return false;
}

static bool visible_executable(struct call *c, struct row *r, bool by_id)
{
	size_t n;
	const char **who = call_list(c, &n, "ExecutableBy");
	bool ok = n == 0;

	for (size_t i = 0; i < n; i++)
		ok |= executable_by(c, r->doc, who[i]);
	return ok && visible(c, r, by_id);
}

static int describe_images(struct call *c)
{
	static const struct listing l = { .kind = KIND_IMAGE,
					  .id_param = "ImageId",
					  .set = "imagesSet",
					  .filters = filters,
					  .page_min = 1,
					  .visible = visible_executable };
	size_t n;
	const char **ids = call_list(c, &n, "ImageId");

	for (size_t i = 0; i < n; i++)
		if (!image_find(c, ids[i]))
			return -1;
	return call_describe(c, &l);
}

/* --- attributes ----------------------------------------------------- */

static int describe_attribute(struct call *c)
{
	static const struct {
		const char *name, *member, *answer;
	} simple[] = {
		{ "description", "description", "description" },
		{ "sriovNetSupport", "sriovNetSupport", "sriovNetSupport" },
		{ "bootMode", "bootMode", "bootMode" },
		{ "tpmSupport", "tpmSupport", "tpmSupport" },
		{ "uefiData", "_uefi_data", "uefiData" },
		{ "imdsSupport", "imdsSupport", "imdsSupport" },
		{ "lastLaunchedTime", "lastLaunchedTime", "lastLaunchedTime" },
		{ "deregistrationProtection", "deregistrationProtection",
		  "deregistrationProtection" },
		{ "kernel", "kernelId", "kernel" },
		{ "ramdisk", "ramdiskId", "ramdisk" },
	};
	const char *name = call_val(c, "Attribute");
	struct row *r = image_find(c, call_val(c, "ImageId"));

	if (!r)
		return -1;
	json_object_set_new(c->out, "imageId", json_string(r->id));
	if (streq(name, "launchPermission")) {
		json_object_set(c->out, "launchPermission", json_object_get(r->doc, "_launch"));
		return 0;
	}
	if (streq(name, "blockDeviceMapping") || streq(name, "productCodes")) {
		json_object_set(c->out, name, json_object_get(r->doc, name));
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(simple); i++)
		if (streq(simple[i].name, name)) {
			const char *value = doc_str(r->doc, simple[i].member);

			json_object_set_new(c->out, simple[i].answer,
					    value ? json_pack("{s:s}", "value", value)
						  : json_object());
			return 0;
		}
	return call_fail(c, "InvalidParameterValue",
			 "Value (%.60s) for parameter attribute is invalid.", name);
}

static bool account_known(const char *id)
{
	return strlen(id) == 12 && strspn(id, "0123456789") == 12;
}

/* One permission more or less. */
static void change(json_t *list, const char *member, const char *value, bool add)
{
	size_t at;
	json_t *old = doc_find(list, member, value, &at);

	if (add && !old)
		json_array_append_new(list, json_pack("{s:s}", member, value));
	if (!add && old)
		json_array_remove(list, at);
}

static const struct {
	const char *param, *member, *flat;
} permission_kinds[] = {
	{ "UserId", "userId", "UserId" },
	{ "Group", "group", "UserGroup" },
	{ "OrganizationArn", "organizationArn", "OrganizationArn" },
	{ "OrganizationalUnitArn", "organizationalUnitArn", "OrganizationalUnitArn" },
};

static int check_permission(struct call *c, const char *member, const char *value)
{
	if (streq(member, "userId") && !account_known(value))
		return call_fail(c, "InvalidAMIAttributeItemValue",
				 "Invalid attribute item value \"%.40s\" for userId item type.",
				 value);
	if (streq(member, "group") && !streq(value, "all"))
		return call_fail(c, "InvalidAMIAttributeItemValue",
				 "Invalid attribute item value \"%.40s\" for group item type.",
				 value);
	return 0;
}

int permissions_change(struct call *c, json_t *list, const char *structured)
{
	const char *operation = call_val(c, "OperationType");
	bool add = !operation || streq(operation, "add");
	size_t n;

	for (size_t k = 0; k < ARRAY_LEN(permission_kinds); k++) {
		const char *member = permission_kinds[k].member;
		const char **flat = call_list(c, &n, "%s", permission_kinds[k].flat);

		for (size_t i = 0; i < n; i++) {
			if (check_permission(c, member, flat[i]) < 0)
				return -1;
			change(list, member, flat[i], add);
		}
		for (int remove = 0; remove < 2; remove++)
			for (int i = 1;
			     call_any(c, "%s.%s.%d", structured, remove ? "Remove" : "Add", i);
			     i++) {
				const char *v = call_val(c, "%s.%s.%d.%s", structured,
							 remove ? "Remove" : "Add", i,
							 permission_kinds[k].param);

				if (v && check_permission(c, member, v) < 0)
					return -1;
				if (v)
					change(list, member, v, !remove);
			}
	}
	return 0;
}

static int modify_attribute(struct call *c)
{
	struct row *r = own_image(c);
	const char *attribute = call_val(c, "Attribute"), *value = call_get(c, "Value");
	const char *description = call_get(c, "Description.Value"),
		   *imds = call_val(c, "ImdsSupport.Value");
	json_t *launch;

	if (!r)
		return -1;
	if (streq(attribute, "description"))
		description = value;
	if (streq(attribute, "imdsSupport"))
		imds = value;
	if (imds && !streq(imds, "v2.0"))
		return call_fail(c, "InvalidParameterValue",
				 "Value (%.40s) for imdsSupport is invalid: v2.0 is known", imds);
	launch = json_deep_copy(json_object_get(r->doc, "_launch"));
	if (permissions_change(c, launch, "LaunchPermission") < 0) {
		json_decref(launch);
		return -1;
	}
	json_object_set_new(r->doc, "_launch", launch);
	doc_set_bool(r->doc, "isPublic", doc_find(launch, "group", "all", NULL) != NULL);
	if (description)
		doc_set_str(r->doc, "description", description);
	if (imds)
		doc_set_str(r->doc, "imdsSupport", imds);
	call_save(c, r);
	call_return_true(c);
	return 0;
}

static int reset_attribute(struct call *c)
{
	struct row *r = own_image(c);

	if (!r)
		return -1;
	if (!streq(call_val(c, "Attribute"), "launchPermission"))
		return call_fail(c, "InvalidParameterValue", "Only launchPermission can be reset");
	json_object_set_new(r->doc, "_launch", json_array());
	doc_set_bool(r->doc, "isPublic", false);
	call_save(c, r);
	call_return_true(c);
	return 0;
}

static int enable_deprecation(struct call *c)
{
	struct row *r = own_image(c);
	const char *at = call_val(c, "DeprecateAt");
	int64_t when;
	char text[TIME_SIZE];

	if (!r)
		return -1;
	if (!clock_parse_rfc3339(str_from(at), &when))
		return call_fail(c, "InvalidParameterValue",
				 "Value (%.60s) for parameter DeprecateAt is invalid: not a time",
				 at);
	if (when < clock_unix_ms())
		return call_fail(c, "InvalidParameterValue",
				 "The time to deprecate at must be in the future");
	/* EC2 keeps minutes. */
	doc_set_str(r->doc, "deprecationTime", time_text(when / 60000 * 60000, text));
	call_save(c, r);
	call_return_true(c);
	return 0;
}

static int disable_deprecation(struct call *c)
{
	struct row *r = own_image(c);

	if (!r)
		return -1;
	doc_remove(r->doc, "deprecationTime");
	call_save(c, r);
	call_return_true(c);
	return 0;
}

static int set_protection(struct call *c, const char *value)
{
	struct row *r = own_image(c);

	if (!r)
		return -1;
	doc_set_str(r->doc, "deregistrationProtection", value);
	call_save(c, r);
	json_object_set_new(c->out, "return", json_string(value));
	return 0;
}

static int enable_protection(struct call *c)
{
	bool cooldown = false;

	if (call_bool(c, "WithCooldown", &cooldown) < 0)
		return -1;
	return set_protection(c, cooldown ? "enabled-with-cooldown" : "enabled-without-cooldown");
}

static int disable_protection(struct call *c)
{
	return set_protection(c, "disabled");
}

static int set_state(struct call *c, const char *from, const char *to)
{
	struct row *r = own_image(c);

	if (!r)
		return -1;
	if (!streq(doc_str(r->doc, "imageState"), from) &&
	    !streq(doc_str(r->doc, "imageState"), to))
		return call_fail(c, "IncorrectState", "The image %s is %s", r->id,
				 doc_str(r->doc, "imageState"));
	doc_set_str(r->doc, "imageState", to);
	call_save(c, r);
	call_return_true(c);
	return 0;
}

static int disable_image(struct call *c)
{
	return set_state(c, "available", "disabled");
}

static int enable_image(struct call *c)
{
	return set_state(c, "disabled", "available");
}

static int deregister(struct call *c)
{
	struct row *r = own_image(c);
	const char *protection;
	bool with_snapshots = false;
	json_t *results = json_array(), *m;
	size_t i;

	json_object_set_new(c->out, "deleteSnapshotResultSet", results);
	if (!r || call_bool(c, "DeleteAssociatedSnapshots", &with_snapshots) < 0)
		return -1;
	protection = doc_str(r->doc, "deregistrationProtection");
	if (protection && starts_with(protection, "enabled"))
		return call_fail(c, "OperationNotPermitted",
				 "Deregistration protection is enabled for %s: disable it before "
				 "deregistering the image",
				 r->id);
	/* A tombstone: EC2 says Unavailable of it from now on. */
	doc_set_bool(r->doc, "_deregistered", true);
	call_save(c, r);
	if (with_snapshots)
		json_array_foreach(json_object_get(r->doc, "blockDeviceMapping"), i, m) {
			const char *id = doc_str(m, "ebs.snapshotId");
			struct row *s = id ? model_find(c->cloud->model, KIND_SNAPSHOT, id) : NULL;

			if (!s)
				continue;
			json_array_append_new(
				results,
				json_pack("{s:s, s:s}", "snapshotId", id, "returnCode",
					  image_using(c->cloud, id) ? "skipped" : "success"));
			if (image_using(c->cloud, id))
				continue;
			lifecycle_delete_snapshot(c->cloud, id);
			model_remove(c->cloud->model, s);
		}
	call_return_true(c);
	return 0;
}

const struct action ec2_image_actions[] = {
	{ "DescribeImages", describe_images,
	  "ImageId Owner ExecutableBy Filter IncludeDeprecated IncludeDisabled MaxResults "
	  "NextToken",
	  0 },
	{ "DescribeImageAttribute", describe_attribute, "ImageId! Attribute!", 0 },
	{ "ModifyImageAttribute", modify_attribute,
	  "ImageId! Attribute Value Description LaunchPermission OperationType UserId UserGroup "
	  "OrganizationArn OrganizationalUnitArn ImdsSupport",
	  0 },
	{ "ResetImageAttribute", reset_attribute, "ImageId! Attribute!", 0 },
	{ "EnableImageDeprecation", enable_deprecation, "ImageId! DeprecateAt!", 0 },
	{ "DisableImageDeprecation", disable_deprecation, "ImageId!", 0 },
	{ "EnableImageDeregistrationProtection", enable_protection, "ImageId! WithCooldown", 0 },
	{ "DisableImageDeregistrationProtection", disable_protection, "ImageId!", 0 },
	{ "DisableImage", disable_image, "ImageId!", 0 },
	{ "EnableImage", enable_image, "ImageId!", 0 },
	{ "DeregisterImage", deregister, "ImageId! DeleteAssociatedSnapshots", 0 },
	{ 0 },
};
