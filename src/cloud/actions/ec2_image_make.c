/* Images made: from an instance, from snapshots, from another region's image. */
#include "base/clock.h"
#include "cloud/actions/images.h"
#include "cloud/actions/places.h"
#include "cloud/actions/snapshots.h"
#include "cloud/api/services.h"
#include "cloud/model/lifecycle.h"
#include "cloud/model/mappings.h"

#define NAME_MIN 3
#define NAME_MAX 128

/* Names are unique among an account's images of a region. */
static int check_name(struct call *c, const char *name)
{
	struct row *r;

	if (strlen(name) < NAME_MIN || strlen(name) > NAME_MAX ||
	    strspn(name,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789()[] ./-'@_") !=
		    strlen(name))
		return call_fail(
			c, "InvalidAMIName.Malformed",
			"AMI names must be between %d and %d characters long, and may contain "
			"letters, numbers, '(', ')', '[', ']', ' ', '.', '/', '-', ''', '@' and "
			"'_'",
			NAME_MIN, NAME_MAX);
	for (size_t i = 0; (r = call_next(c, KIND_IMAGE, &i));)
		if (streq(doc_str(r->doc, "name"), name) &&
		    streq(doc_str(r->doc, "imageOwnerId"), c->cloud->account) &&
		    !doc_bool(r->doc, "_deregistered"))
			return call_fail(c, "InvalidAMIName.Duplicate",
					 "AMI name %s is already in use by AMI %s", name, r->id);
	return 0;
}

static json_t *image_doc(struct call *c, const char *id, const char *name)
{
	char now[TIME_SIZE];
	json_t *doc = json_pack("{s:s, s:o, s:s, s:s, s:s, s:b, s:s, s:s}",
				"imageId", id,
				"imageLocation", json_sprintf("%s/%s", c->cloud->account, name),
				"imageState", "pending",
				"imageOwnerId", c->cloud->account,
				"creationDate", time_now(now),
				"isPublic", 0,
				"imageType", "machine",
				"name", name);

	doc_set_str(doc, "description", call_val(c, "Description"));
	doc_set_str(doc, "rootDeviceType", "ebs");
	doc_set_str(doc, "hypervisor", "xen");
	doc_set_str(doc, "deregistrationProtection", "disabled");
	json_object_set_new(doc, "_launch", json_array());
	doc_set_int(doc, "_since", clock_unix_ms());
	return doc;
}

/* What an image takes over from the one it comes from. */
static void inherit(json_t *doc, const json_t *from)
{
	static const char *const members[] = {
		"architecture", "rootDeviceName", "virtualizationType", "sriovNetSupport",
		"enaSupport",	"platform",	  "platformDetails",	"usageOperation",
		"bootMode",	"tpmSupport",	  "imdsSupport",	"_uefi_data",
		"_base",	"_user",	  "kernelId",		"ramdiskId",
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (json_object_get(from, members[i]))
			json_object_set(doc, members[i], json_object_get(from, members[i]));
}

/* --- CreateImage ---------------------------------------------------- */

/* The mapping of one of the instance's volumes, with a pending snapshot of it. */
static json_t *snapshot_mapping(struct call *c, const json_t *m, const char *image,
				const char *instance, json_t *tags, const json_t *asked)
{
	struct row *v = model_find(c->cloud->model, KIND_VOLUME, doc_str(m, "ebs.volumeId")), *s;
	const json_t *ebs = json_object_get(asked, "ebs");
	const char *type = doc_str(ebs, "volumeType");
	json_t *out;

	if (!v)
		return NULL;
	s = snapshot_row(
		c, v, arena_printf(c->arena, "Created by CreateImage(%s) for %s", instance, image),
		tags);
	out = json_pack("{s:s, s:{s:s, s:I, s:b, s:s, s:b}}", "deviceName",
			doc_str(m, "deviceName"), "ebs", "snapshotId", s->id, "volumeSize",
			(json_int_t)(doc_int(ebs, "volumeSize") ? doc_int(ebs, "volumeSize")
								: doc_int(v->doc, "size")),
			"deleteOnTermination",
			(int)(json_object_get(ebs, "deleteOnTermination")
				      ? doc_bool(ebs, "deleteOnTermination")
				      : doc_bool(m, "ebs.deleteOnTermination")),
			"volumeType", type ? type : doc_str(v->doc, "volumeType"), "encrypted",
			(int)doc_bool(v->doc, "encrypted"));
	type = doc_str(json_object_get(out, "ebs"), "volumeType");
	if (doc_int(ebs, "iops") || (!streq(type, "gp2") && doc_int(v->doc, "iops")))
		doc_set_int(out, "ebs.iops",
			    doc_int(ebs, "iops") ? doc_int(ebs, "iops") : doc_int(v->doc, "iops"));
	if (doc_int(ebs, "throughput") || doc_int(v->doc, "throughput"))
		doc_set_int(out, "ebs.throughput",
			    doc_int(ebs, "throughput") ? doc_int(ebs, "throughput")
						       : doc_int(v->doc, "throughput"));
	return out;
}

/* All volumes of the instance, with the request's changes, and what the request adds. */
static json_t *image_mappings(struct call *c, struct row *r, const char *image, json_t *tags,
			      const json_t *asked)
{
	json_t *list = json_array(), *m, *out, *a;
	size_t i;

	json_array_foreach(json_object_get(r->doc, "blockDeviceMapping"), i, m) {
		a = doc_find(asked, "deviceName", doc_str(m, "deviceName"), NULL);
		if (a && json_object_get(a, "noDevice"))
			continue;
		out = snapshot_mapping(c, m, image, r->id, tags, a);
		if (out)
			json_array_append_new(list, out);
	}
	json_array_foreach((json_t *)asked, i, a)
		if (!json_object_get(a, "noDevice") &&
		    !doc_find(json_object_get(r->doc, "blockDeviceMapping"), "deviceName",
			      doc_str(a, "deviceName"), NULL))
			json_array_append_new(list, json_deep_copy(a));
	return list;
}

static int create_image(struct call *c)
{
	struct row *r = call_find(c, KIND_INSTANCE, call_val(c, "InstanceId")), *image;
	AUTO(json) json_t *tags = NULL, *asked = NULL;
	const char *name = call_val(c, "Name");
	bool no_reboot = false;
	char id[ID_SIZE];
	json_t *doc, *image_tags;

	if (!r || call_bool(c, "NoReboot", &no_reboot) < 0)
		return -1;
	if (!instance_is(r, "running") && !instance_is(r, "stopped"))
		return call_fail(c, "IncorrectState",
				 "The instance '%s' is in state '%s': it must be running or "
				 "stopped to make an image",
				 r->id, doc_str(r->doc, "instanceState.name"));
	if (check_name(c, name) < 0 || !(asked = mappings_read(c, "BlockDeviceMapping")) ||
	    !(tags = call_tags(c, "snapshot", "image|snapshot")) || call_dry_run(c) < 0)
		return -1;
	image_tags = call_tags(c, "image", "image|snapshot");
	if (!image_tags)
		return -1;
	id_new("ami", id);
	doc = image_doc(c, id, name);
	inherit(doc, r->doc);
	struct row *source = model_find(c->cloud->model, KIND_IMAGE, doc_str(r->doc, "imageId"));
	if (source) {
		inherit(doc, source->doc);
		doc_set_str(doc, "sourceImageId", source->id);
		doc_set_str(doc, "sourceImageRegion", c->region);
	}
	/* The instance's own flags win over those of its image. */
	inherit(doc, r->doc);
	doc_set_str(doc, "sourceInstanceId", r->id);
	json_object_set_new(doc, "tagSet", image_tags);
	json_object_set_new(doc, "blockDeviceMapping", image_mappings(c, r, id, tags, asked));
	image = call_put(c, KIND_IMAGE, id, doc);
	lifecycle_create_image(c->cloud, image, r, instance_is(r, "running") && !no_reboot);
	json_object_set_new(c->out, "imageId", json_string(id));
	return 0;
}

/* --- RegisterImage -------------------------------------------------- */

static int register_options(struct call *c, json_t *doc)
{
	static const struct {
		const char *param, *member, *allowed, *def;
	} enums[] = {
		{ "Architecture", "architecture", "i386|x86_64|arm64|x86_64_mac|arm64_mac",
		  "i386" },
		{ "VirtualizationType", "virtualizationType", "hvm|paravirtual", "paravirtual" },
		{ "SriovNetSupport", "sriovNetSupport", "simple", NULL },
		{ "BootMode", "bootMode", "legacy-bios|uefi|uefi-preferred", NULL },
		{ "TpmSupport", "tpmSupport", "v2.0", NULL },
		{ "ImdsSupport", "imdsSupport", "v2.0", NULL },
	};
	bool ena = false;

	for (size_t i = 0; i < ARRAY_LEN(enums); i++) {
		const char *v = enums[i].def;

		if (call_enum(c, enums[i].param, enums[i].allowed, &v) < 0)
			return -1;
		doc_set_str(doc, enums[i].member, v);
	}
	if (call_bool(c, "EnaSupport", &ena) < 0)
		return -1;
	doc_set_bool(doc, "enaSupport", ena);
	doc_set_str(doc, "rootDeviceName", call_val(c, "RootDeviceName"));
	doc_set_str(doc, "kernelId", call_val(c, "KernelId"));
	doc_set_str(doc, "ramdiskId", call_val(c, "RamdiskId"));
	doc_set_str(doc, "_uefi_data", call_val(c, "UefiData"));
	doc_set_str(doc, "platformDetails", "Linux/UNIX");
	doc_set_str(doc, "usageOperation", "RunInstances");
	return 0;
}

static int register_image(struct call *c)
{
	AUTO(json) json_t *doc = NULL, *mappings = NULL;
	const char *name = call_val(c, "Name"), *root = call_val(c, "RootDeviceName");
	json_t *tags, *m;
	char id[ID_SIZE];
	size_t i;

	if (call_val(c, "ImageLocation"))
		return call_fail(c, "UnsupportedOperation",
				 "The local cloud registers images from snapshots, not from an "
				 "ImageLocation in S3");
	if (check_name(c, name) < 0)
		return -1;
	id_new("ami", id);
	doc = image_doc(c, id, name);
	if (register_options(c, doc) < 0)
		return -1;
	mappings = mappings_merge(c, NULL, "BlockDeviceMapping");
	if (!mappings)
		return -1;
	m = root ? doc_find(mappings, "deviceName", root, NULL) : NULL;
	if (!m || !doc_str(m, "ebs.snapshotId"))
		return call_fail(
			c, "InvalidBlockDeviceMapping",
			"The root device '%s' needs a block device mapping with a snapshot",
			root ? root : "");
	json_array_foreach(mappings, i, m) {
		struct row *s = doc_str(m, "ebs.snapshotId")
					? model_find(c->cloud->model, KIND_SNAPSHOT,
						     doc_str(m, "ebs.snapshotId"))
					: NULL;

		if (s && !streq(doc_str(s->doc, "status"), "completed"))
			return call_fail(c, "InvalidSnapshot.InvalidState",
					 "The snapshot %s is not completed", s->id);
		if (!json_object_get(json_object_get(m, "ebs"), "encrypted"))
			doc_set_bool(m, "ebs.encrypted", false);
	}
	tags = call_tags(c, "image", "image|snapshot");
	if (!tags || call_dry_run(c) < 0) {
		json_decref(tags);
		return -1;
	}
	json_object_set_new(doc, "tagSet", tags);
	json_object_set(doc, "blockDeviceMapping", mappings);
	call_put(c, KIND_IMAGE, id, json_incref(doc));
	lifecycle_settle_images(c->cloud);
	json_object_set_new(c->out, "imageId", json_string(id));
	return 0;
}

/* --- CopyImage ------------------------------------------------------ */

static struct row *copy_source(struct call *c)
{
	const char *id = call_val(c, "SourceImageId"), *from = call_val(c, "SourceRegion"),
		   *here = c->region;
	struct row *r;

	if (!region_known(from)) {
		call_fail(c, "InvalidParameterValue", "Invalid value '%.40s' for SourceRegion",
			  from);
		return NULL;
	}
	c->region = from;
	r = image_find(c, id);
	c->region = here;
	if (r && !streq(doc_str(r->doc, "imageState"), "available")) {
		call_fail(c, "InvalidAMIID.Unavailable",
			  "The image '%s' is not available: it is %s", id,
			  doc_str(r->doc, "imageState"));
		return NULL;
	}
	return r;
}

/* The copy's mapping; its snapshots are copies too, encrypted when asked for. */
static json_t *copy_mappings(struct call *c, const struct row *source, const char *image,
			     bool encrypt, json_t *tags)
{
	json_t *list = json_deep_copy(json_object_get(source->doc, "blockDeviceMapping")), *m;
	const char *key = call_val(c, "KmsKeyId");
	size_t i;

	json_array_foreach(list, i, m) {
		const char *from = doc_str(m, "ebs.snapshotId");
		struct row *s = from ? model_find(c->cloud->model, KIND_SNAPSHOT, from) : NULL,
			   *copy;
		bool encrypted = encrypt || (s && doc_bool(s->doc, "encrypted"));

		if (!s)
			continue;
		copy = snapshot_copy_row(c, s,
					 arena_printf(c->arena,
						      "Copied for DestinationAmi %s from SourceAmi "
						      "%s for SourceSnapshot %s. Task created on "
						      "%lld.",
						      image, source->id, from,
						      (long long)clock_unix_ms()),
					 encrypted, key, tags);
		doc_set_str(m, "ebs.snapshotId", copy->id);
		doc_set_bool(m, "ebs.encrypted", encrypted);
		lifecycle_copy_snapshot(c->cloud, copy, s->id); /* from went with its document */
	}
	return list;
}

static int copy_image(struct call *c)
{
	struct row *source = copy_source(c);
	AUTO(json) json_t *snapshot_tags = NULL;
	const char *name = call_val(c, "Name");
	bool encrypt = false, with_tags = false;
	char id[ID_SIZE];
	json_t *doc, *tags;

	if (!source || check_name(c, name) < 0 || call_bool(c, "Encrypted", &encrypt) < 0 ||
	    call_bool(c, "CopyImageTags", &with_tags) < 0)
		return -1;
	if (!encrypt && call_val(c, "KmsKeyId"))
		return call_fail(c, "InvalidParameterCombination",
				 "KmsKeyId needs Encrypted to be true");
	snapshot_tags = call_tags(c, "snapshot", "image|snapshot");
	tags = snapshot_tags ? call_tags(c, "image", "image|snapshot") : NULL;
	if (!tags || call_dry_run(c) < 0) {
		json_decref(tags);
		return -1;
	}
	id_new("ami", id);
	doc = image_doc(c, id, name);
	inherit(doc, source->doc);
	if (!call_val(c, "Description") && doc_str(source->doc, "description"))
		doc_set_str(doc, "description",
			    arena_printf(c->arena, "[Copied %s from %s] %s", source->id,
					 call_val(c, "SourceRegion"),
					 doc_str(source->doc, "description")));
	doc_set_str(doc, "sourceImageId", source->id);
	doc_set_str(doc, "sourceImageRegion", call_val(c, "SourceRegion"));
	if (with_tags && !json_array_size(tags))
		json_array_extend(tags, json_object_get(source->doc, "tagSet"));
	json_object_set_new(doc, "tagSet", tags);
	json_object_set_new(doc, "blockDeviceMapping",
			    copy_mappings(c, source, id, encrypt, snapshot_tags));
	call_put(c, KIND_IMAGE, id, doc);
	json_object_set_new(c->out, "imageId", json_string(id));
	return 0;
}

const struct action ec2_image_make_actions[] = {
	{ "CreateImage", create_image,
	  "InstanceId! Name! Description NoReboot BlockDeviceMapping TagSpecification",
	  ACTION_LATE_DRY_RUN },
	{ "RegisterImage", register_image,
	  "Name! Description Architecture RootDeviceName BlockDeviceMapping VirtualizationType "
	  "EnaSupport SriovNetSupport BootMode TpmSupport UefiData ImdsSupport KernelId RamdiskId "
	  "ImageLocation TagSpecification",
	  ACTION_LATE_DRY_RUN },
	{ "CopyImage", copy_image,
	  "Name! SourceImageId! SourceRegion! Description Encrypted KmsKeyId ClientToken "
	  "CopyImageTags TagSpecification",
	  ACTION_LATE_DRY_RUN },
	{ 0 },
};
