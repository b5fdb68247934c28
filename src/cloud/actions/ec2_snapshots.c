/* Snapshots: create, copy, share, delete. */
#include "base/clock.h"
#include "cloud/actions/images.h"
#include "cloud/actions/permissions.h"
#include "cloud/actions/places.h"
#include "cloud/actions/snapshots.h"
#include "cloud/api/services.h"
#include "cloud/disk/volume.h"
#include "cloud/model/lifecycle.h"
#include "cloud/model/mappings.h"

static const struct filter_row filters[] = {
	{ "snapshot-id", "snapshotId" },
	{ "volume-id", "volumeId" },
	{ "status", "status" },
	{ "description", "description" },
	{ "owner-id", "ownerId" },
	{ "owner-alias", "ownerAlias" },
	{ "progress", "progress" },
	{ "start-time", "startTime" },
	{ "volume-size", "volumeSize" },
	{ "encrypted", "encrypted" },
	{ "storage-tier", "storageTier" },
	{ 0 },
};

static json_t *snapshot_doc(struct call *c, const char *id, const char *volume,
			    const char *description, int64_t size, bool encrypted,
			    const char *kms_key, const json_t *tags)
{
	char now[TIME_SIZE];
	json_t *doc = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:o, s:s, s:[]}",
				"snapshotId", id,
				"volumeId", volume,
				"status", "pending",
				"startTime", time_now(now),
				"progress", "",
				"ownerId", c->cloud->account,
				"description", description ? description : "",
				"volumeSize", (json_int_t)size,
				"encrypted", (int)encrypted,
				"tagSet", json_deep_copy(tags),
				"storageTier", "standard",
				"_share");

	if (encrypted)
		doc_set_str(doc, "kmsKeyId", kms_key_arn(c, kms_key));
	doc_set_int(doc, "_since", clock_unix_ms());
	return doc;
}

struct row *snapshot_row(struct call *c, const struct row *v, const char *description,
			 const json_t *tags)
{
	char id[ID_SIZE];

	id_new("snap", id);
	return call_put(c, KIND_SNAPSHOT, id,
			snapshot_doc(c, id, v->id, description, doc_int(v->doc, "size"),
				     doc_bool(v->doc, "encrypted"), doc_str(v->doc, "kmsKeyId"),
				     tags));
}

struct row *snapshot_copy_row(struct call *c, const struct row *from, const char *description,
			      bool encrypted, const char *kms_key, const json_t *tags)
{
	char id[ID_SIZE];

	id_new("snap", id);
	return call_put(c, KIND_SNAPSHOT, id,
			snapshot_doc(c, id, "vol-ffffffff", description,
				     doc_int(from->doc, "volumeSize"), encrypted,
				     kms_key ? kms_key : doc_str(from->doc, "kmsKeyId"), tags));
}

/* RestorableBy: who may make volumes of it. */
static bool restorable(struct call *c, struct row *r)
{
	const json_t *share = json_object_get(r->doc, "_share");
	size_t n;
	const char **who = call_list(c, &n, "RestorableBy");

	for (size_t i = 0; i < n; i++) {
		const char *id = streq(who[i], "self") ? c->cloud->account : who[i];

		if (streq(id, doc_str(r->doc, "ownerId")) || doc_find(share, "userId", id, NULL) ||
		    (streq(id, "all") && doc_find(share, "group", "all", NULL)))
			return true;
	}
	return n == 0;
}

static bool visible(struct call *c, struct row *r, bool by_id)
{
	bool own = streq(doc_str(r->doc, "ownerId"), c->cloud->account);
	size_t n;
	const char **owners = call_list(c, &n, "Owner");

	if (!restorable(c, r))
		return false;
	for (size_t i = 0; i < n; i++)
		if (streq(owners[i], "self") ? own : streq(owners[i], doc_str(r->doc, "ownerId")))
			return true;
	/* Others' public snapshots are many on EC2: here they are shown when asked for. */
	return n == 0 && (own || by_id || call_any(c, "Filter") || call_any(c, "RestorableBy"));
}

static json_t *render(struct call *c, struct row *r)
{
	json_t *doc = json_copy(r->doc);

	if (streq(doc_str(doc, "status"), "pending") && c->cloud->store &&
	    snapshot_exists(c->cloud->store, r->id))
		json_object_set_new(doc, "progress", json_string("99%"));
	return doc;
}

static int describe_snapshots(struct call *c)
{
	static const struct listing l = { .kind = KIND_SNAPSHOT,
					  .id_param = "SnapshotId",
					  .set = "snapshotSet",
					  .filters = filters,
					  .visible = visible,
					  .render = render };

	return call_describe(c, &l);
}

static int create_snapshot(struct call *c)
{
	AUTO(json) json_t *tags = call_tags(c, "snapshot", "snapshot");
	struct row *v = tags ? call_find(c, KIND_VOLUME, call_val(c, "VolumeId")) : NULL, *s;
	const char *status;

	if (!v)
		return -1;
	status = doc_str(v->doc, "status");
	if (!streq(status, "available") && !streq(status, "in-use"))
		return call_fail(c, "IncorrectState", "The volume %s is %s", v->id, status);
	s = snapshot_row(c, v, call_val(c, "Description"), tags);
	lifecycle_create_snapshot(c->cloud, s);
	json_object_update(c->out, s->doc);
	return 0;
}

static int copy_snapshot(struct call *c)
{
	AUTO(json) json_t *tags = call_tags(c, "snapshot", "snapshot");
	const char *from_region = call_val(c, "SourceRegion"), *here = c->region,
		   *description = call_val(c, "Description");
	bool encrypt = false;
	struct row *from, *s;

	if (!tags || call_bool(c, "Encrypted", &encrypt) < 0)
		return -1;
	if (!region_known(from_region))
		return call_fail(c, "InvalidParameterValue",
				 "Invalid value '%.40s' for SourceRegion", from_region);
	c->region = from_region;
	from = call_find(c, KIND_SNAPSHOT, call_val(c, "SourceSnapshotId"));
	c->region = here;
	if (!from)
		return -1;
	if (!streq(doc_str(from->doc, "status"), "completed"))
		return call_fail(c, "IncorrectState", "Snapshot %s is in invalid state %s",
				 from->id, doc_str(from->doc, "status"));
	s = snapshot_copy_row(
		c, from,
		description ? description
			    : arena_printf(c->arena, "[Copied %s from %s]", from->id, from_region),
		encrypt || doc_bool(from->doc, "encrypted"), call_val(c, "KmsKeyId"), tags);
	lifecycle_copy_snapshot(c->cloud, s, from->id);
	json_object_set_new(c->out, "snapshotId", json_string(s->id));
	json_object_set(c->out, "tagSet", tags);
	return 0;
}

static struct row *own_snapshot(struct call *c)
{
	struct row *r = call_find(c, KIND_SNAPSHOT, call_val(c, "SnapshotId"));

	if (r && !streq(doc_str(r->doc, "ownerId"), c->cloud->account)) {
		call_fail(c, "AuthFailure", "Not authorized for snapshot:%s", r->id);
		return NULL;
	}
	return r;
}

static int delete_snapshot(struct call *c)
{
	struct row *r = own_snapshot(c);
	const char *image;

	if (!r)
		return -1;
	image = image_using(c->cloud, r->id);
	if (image)
		return call_fail(c, "InvalidSnapshot.InUse",
				 "The snapshot %s is currently in use by %s", r->id, image);
	lifecycle_delete_snapshot(c->cloud, r->id);
	model_remove(c->cloud->model, r);
	call_return_true(c);
	return 0;
}

static int describe_attribute(struct call *c)
{
	struct row *r = call_find(c, KIND_SNAPSHOT, call_val(c, "SnapshotId"));
	const char *name = call_val(c, "Attribute");

	if (!r)
		return -1;
	json_object_set_new(c->out, "snapshotId", json_string(r->id));
	if (streq(name, "createVolumePermission"))
		json_object_set(c->out, "createVolumePermission",
				json_object_get(r->doc, "_share"));
	else if (streq(name, "productCodes"))
		json_object_set_new(c->out, "productCodes", json_array());
	else
		return call_fail(c, "InvalidParameterValue",
				 "Value (%.60s) for parameter attribute is invalid.", name);
	return 0;
}

static int modify_attribute(struct call *c)
{
	struct row *r = own_snapshot(c);
	json_t *list;

	if (!r)
		return -1;
	/* Keys of the account's own default cannot be shared. */
	if (doc_bool(r->doc, "encrypted") &&
	    ends_with(doc_str(r->doc, "kmsKeyId"), "alias/aws/ebs"))
		return call_fail(
			c, "InvalidParameter",
			"Snapshot %s is encrypted with the default key and cannot be shared",
			r->id);
	list = json_deep_copy(json_object_get(r->doc, "_share"));
	if (permissions_change(c, list, "CreateVolumePermission") < 0) {
		json_decref(list);
		return -1;
	}
	json_object_set_new(r->doc, "_share", list);
	call_save(c, r);
	call_return_true(c);
	return 0;
}

const struct action ec2_snapshot_actions[] = {
	{ "DescribeSnapshots", describe_snapshots,
	  "SnapshotId Owner RestorableBy Filter MaxResults NextToken", 0 },
	{ "CreateSnapshot", create_snapshot, "VolumeId! Description TagSpecification", 0 },
	{ "CopySnapshot", copy_snapshot,
	  "SourceSnapshotId! SourceRegion! Description Encrypted KmsKeyId DestinationRegion "
	  "PresignedUrl TagSpecification",
	  0 },
	{ "DeleteSnapshot", delete_snapshot, "SnapshotId!", 0 },
	{ "DescribeSnapshotAttribute", describe_attribute, "SnapshotId! Attribute!", 0 },
	{ "ModifySnapshotAttribute", modify_attribute,
	  "SnapshotId! Attribute OperationType UserId UserGroup CreateVolumePermission", 0 },
	{ 0 },
};
