/* The rows of the catalogue: each image is one of the table in baseimage/catalogue.c, and shares
 * the snapshot of its key. */
#include "cloud/model/catalogue.h"

#include "base/str.h"
#include "cloud/api/doc.h"
#include "cloud/disk/volume.h"
#include "cloud/model/ids.h"

#define GIB ((uint64_t)1 << 30)
#define SIZE_WITHOUT_BYTES 8 /* GiB of a base image where volumes have none */

static json_t *image_doc(const struct base_image *b, const char *id, const char *snapshot,
			 int64_t size)
{
	const char *owner = b->owner_alias ? b->owner_alias : b->owner_id;
	json_t *doc = json_pack("{s:s, s:o, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
				"s:b, s:s, s:s, s:[]}",
				"imageId", id,
				"imageLocation", json_sprintf("%s/%s", owner, b->name),
				"imageState", "available",
				"imageOwnerId", b->owner_id,
				"creationDate", b->creation_date,
				"isPublic", 0,
				"architecture", "x86_64",
				"imageType", "machine",
				"name", b->name,
				"rootDeviceType", "ebs",
				"rootDeviceName", b->root_device,
				"virtualizationType", "hvm",
				"hypervisor", "xen",
				"enaSupport", 1,
				"platformDetails", "Linux/UNIX",
				"usageOperation", "RunInstances",
				"tagSet");

	doc_set_str(doc, "imageOwnerAlias", b->owner_alias);
	doc_set_str(doc, "description", b->description);
	doc_set(doc, "blockDeviceMapping",
		json_pack("[{s:s, s:{s:s, s:I, s:b, s:s, s:b}}]",
			  "deviceName", b->root_device,
			  "ebs",
			  "snapshotId", snapshot,
			  "volumeSize", (json_int_t)size,
			  "deleteOnTermination", 1,
			  "volumeType", b->volume_type ? b->volume_type : "gp2",
			  "encrypted", 0));
	doc_set(doc, "_launch", json_array());
	doc_set_str(doc, "_base", b->key);
	doc_set_str(doc, "_user", b->user);
	return doc;
}

static json_t *public_image_doc(const struct base_image *b, const char *id, const char *snapshot,
				int64_t size)
{
	json_t *doc = image_doc(b, id, snapshot, size);

	doc_set_bool(doc, "isPublic", true);
	doc_set_str(doc, "sriovNetSupport", "simple");
	doc_set(doc, "_launch", json_pack("[{s:s}]", "group", "all"));
	return doc;
}

/* The snapshot of an image's root file system; `share` is taken over. */
static void put_snapshot(struct cloud *c, const struct base_image *b, const char *id,
			 const char *description, int64_t size, json_t *share)
{
	model_put(c->model, KIND_SNAPSHOT, "*", id,
		  json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:[], s:s, s:o}",
			    "snapshotId", id,
			    "volumeId", "vol-ffffffff",
			    "status", "completed",
			    "startTime", b->creation_date,
			    "progress", "100%",
			    "ownerId", b->owner_id,
			    "description", description,
			    "volumeSize", (json_int_t)size,
			    "encrypted", 0,
			    "tagSet",
			    "storageTier", "standard",
			    "_share", share));
}

static int64_t size_of(struct cloud *c, const char *snapshot)
{
	if (!c->store || !snapshot_exists(c->store, snapshot))
		return SIZE_WITHOUT_BYTES;
	return (int64_t)((snapshot_size(c->store, snapshot) + GIB - 1) / GIB);
}

static void put_base_image(struct cloud *c, const struct base_image *b, const char *snapshot)
{
	int64_t size = size_of(c, snapshot);
	char id[ID_SIZE];

	put_snapshot(c, b, snapshot, b->description, size, json_pack("[{s:s}]", "group", "all"));
	id_from("ami", b->name, id);
	if (b->ids && b->ids[0])
		snprintf(id, sizeof(id), "%s", b->ids[0]);
	model_put(c->model, KIND_IMAGE, "*", id, public_image_doc(b, id, snapshot, size));
	/* The first of the ids that templates name is the image's own; the others are seen by id
	 * only. */
	for (size_t k = 1; b->ids && b->ids[0] && b->ids[k]; k++) {
		json_t *doc = public_image_doc(b, b->ids[k], snapshot, size);

		doc_set_bool(doc, "_by_id_only", true);
		model_put(c->model, KIND_IMAGE, "*", b->ids[k], doc);
	}
	for (size_t k = 0; b->ssm_parameters && b->ssm_parameters[k]; k++)
		model_put(c->model, KIND_PARAMETER, "*", b->ssm_parameters[k],
			  json_pack("{s:s, s:s, s:s, s:s}",
				    "Name", b->ssm_parameters[k],
				    "Type", "String",
				    "Value", id,
				    "_date", b->creation_date));
}

void catalogue_add(struct cloud *c, const struct base_image_snapshot *snapshots, size_t n)
{
	model_begin(c->model);
	for (size_t i = 0; i < base_images_n; i++) {
		const struct base_image *b = &base_images[i];
		char snapshot[ID_SIZE];

		id_from("snap", b->key, snapshot);
		for (size_t k = 0; k < n; k++)
			if (streq(snapshots[k].key, b->key))
				snprintf(snapshot, sizeof(snapshot), "%s", snapshots[k].snapshot);
		put_base_image(c, b, snapshot);
	}
	model_commit(c->model);
}

struct row *catalogue_add_stand_in(struct cloud *c, const char *region, const char *id,
				   const char *key)
{
	for (size_t i = model_count(c->model, KIND_IMAGE); i-- > 0;) {
		struct row *r = model_at(c->model, KIND_IMAGE, i);
		json_t *doc;

		if (!streq(doc_str(r->doc, "_base"), key) || doc_bool(r->doc, "_by_id_only"))
			continue;
		doc = json_deep_copy(r->doc);
		doc_set_str(doc, "imageId", id);
		doc_set_bool(doc, "_by_id_only", true);
		doc_set_bool(doc, "_stand_in", true);
		return model_put(c->model, KIND_IMAGE, region, id, doc);
	}
	return NULL;
}

struct row *catalogue_add_imported(struct cloud *c, const struct base_image *b,
				   const char *snapshot)
{
	struct base_image own = *b;
	char id[ID_SIZE], now[TIME_SIZE];
	int64_t size = size_of(c, snapshot);
	auto_free char *description = NULL;

	own.owner_id = c->account;
	own.creation_date = time_now(now);
	id_new("ami", id);
	description = xasprintf("imported for %s", id);
	put_snapshot(c, &own, snapshot, description, size, json_array());
	return model_put(c->model, KIND_IMAGE, "*", id, image_doc(&own, id, snapshot, size));
}
