/* Volumes: create, attach, detach, modify, delete. */
#include "cloud/actions/places.h"
#include "cloud/api/services.h"
#include "cloud/model/lifecycle.h"
#include "cloud/model/mappings.h"

static const struct filter_row filters[] = {
	{ "volume-id", "volumeId" },
	{ "status", "status" },
	{ "size", "size" },
	{ "snapshot-id", "snapshotId" },
	{ "availability-zone", "availabilityZone" },
	{ "create-time", "createTime" },
	{ "encrypted", "encrypted" },
	{ "volume-type", "volumeType" },
	{ "multi-attach-enabled", "multiAttachEnabled" },
	{ "attachment.instance-id", "attachmentSet[].instanceId" },
	{ "attachment.device", "attachmentSet[].device" },
	{ "attachment.status", "attachmentSet[].status" },
	{ "attachment.attach-time", "attachmentSet[].attachTime" },
	{ "attachment.delete-on-termination", "attachmentSet[].deleteOnTermination" },
	{ 0 },
};

/* A volume whose row is kept until its file is gone has left for everybody else. */
static bool not_deleting(struct call *c UNUSED, struct row *r, bool by_id)
{
	return !by_id || !streq(doc_str(r->doc, "status"), "deleting");
}

static int describe_volumes(struct call *c)
{
	static const struct listing l = { .kind = KIND_VOLUME,
					  .id_param = "VolumeId",
					  .set = "volumeSet",
					  .filters = filters,
					  .visible = not_deleting };

	return call_describe(c, &l);
}

static int create_volume(struct call *c)
{
	AUTO(json) json_t *spec = json_object();
	const char *zone = call_val(c, "AvailabilityZone"), *snapshot = call_val(c, "SnapshotId"),
		   *type = "gp2";
	struct row *s = NULL, *r;
	int64_t size = 0, iops = 0, throughput = 0;
	bool encrypted = false;
	char id[ID_SIZE];
	json_t *tags;

	if (zone_index(c->region, zone) < 0)
		return call_fail(c, "InvalidZone.NotFound", "The zone '%.40s' does not exist.",
				 zone);
	if (snapshot && !(s = call_find(c, KIND_SNAPSHOT, snapshot)))
		return -1;
	if (call_int(c, "Size", 1, 65536, &size) < 0 ||
	    call_int(c, "Iops", 100, 256000, &iops) < 0 ||
	    call_int(c, "Throughput", 125, 2000, &throughput) < 0 ||
	    call_bool(c, "Encrypted", &encrypted) < 0 ||
	    call_enum(c, "VolumeType", VOLUME_TYPES, &type) < 0)
		return -1;
	if (!size && !s)
		return call_fail(c, "MissingParameter",
				 "The request must contain the parameter size or snapshotId");
	if (s && !streq(doc_str(s->doc, "status"), "completed"))
		return call_fail(c, "IncorrectState", "Snapshot %s is in invalid state %s", s->id,
				 doc_str(s->doc, "status"));
	if (s && size && size < doc_int(s->doc, "volumeSize"))
		return call_fail(
			c, "InvalidParameterValue",
			"The size of the volume is smaller than that of its snapshot (%lld GiB)",
			(long long)doc_int(s->doc, "volumeSize"));
	tags = call_tags(c, "volume", "volume");
	if (!tags)
		return -1;
	doc_set_int(spec, "volumeSize", size ? size : doc_int(s->doc, "volumeSize"));
	doc_set_str(spec, "volumeType", type);
	doc_set_str(spec, "snapshotId", snapshot);
	doc_set_int(spec, "iops", iops);
	doc_set_int(spec, "throughput", throughput);
	doc_set_bool(spec, "encrypted", encrypted || (s && doc_bool(s->doc, "encrypted")));
	doc_set_str(spec, "kmsKeyId",
		    call_val(c, "KmsKeyId") ? call_val(c, "KmsKeyId")
		    : s			    ? doc_str(s->doc, "kmsKeyId")
					    : NULL);
	id_new("vol", id);
	r = call_put(c, KIND_VOLUME, id, volume_doc(c, id, spec, zone));
	json_object_set_new(r->doc, "tagSet", tags);
	lifecycle_create_volume(c->cloud, r);
	json_object_update(c->out, r->doc);
	return 0;
}

static struct row *find_volume(struct call *c)
{
	struct row *r = call_find(c, KIND_VOLUME, call_val(c, "VolumeId"));

	if (r && streq(doc_str(r->doc, "status"), "deleting")) {
		call_fail(c, "InvalidVolume.NotFound", "The volume '%s' does not exist.", r->id);
		return NULL;
	}
	return r;
}

static json_t *attachment(const struct row *v)
{
	return json_array_get(json_object_get(v->doc, "attachmentSet"), 0);
}

static int delete_volume(struct call *c)
{
	struct row *r = find_volume(c);

	if (!r)
		return -1;
	if (attachment(r))
		return call_fail(c, "VolumeInUse", "Volume %s is currently attached to %s", r->id,
				 doc_str(attachment(r), "instanceId"));
	doc_set_str(r->doc, "status", "deleting");
	lifecycle_delete_volume(c->cloud, r);
	call_return_true(c);
	return 0;
}

static int attach_volume(struct call *c)
{
	struct row *v = find_volume(c),
		   *r = v ? call_find(c, KIND_INSTANCE, call_val(c, "InstanceId")) : NULL;
	const char *device = call_val(c, "Device");
	json_t *a;

	if (!v || !r)
		return -1;
	if (!streq(doc_str(v->doc, "status"), "available"))
		return call_fail(c,
				 streq(doc_str(v->doc, "status"), "in-use") ? "VolumeInUse"
									    : "IncorrectState",
				 "%s is in state '%s': it must be available to be attached", v->id,
				 doc_str(v->doc, "status"));
	if (!instance_is(r, "running") && !instance_is(r, "stopped"))
		return call_fail(c, "IncorrectState",
				 "Instance '%s' is not 'running' or 'stopped'.", r->id);
	if (!streq(doc_str(v->doc, "availabilityZone"),
		   doc_str(r->doc, "placement.availabilityZone")))
		return call_fail(
			c, "InvalidVolume.ZoneMismatch",
			"The volume '%s' is not in the same availability zone as instance '%s'",
			v->id, r->id);
	json_t *list = json_object_get(r->doc, "blockDeviceMapping");
	if (doc_find(list, "deviceName", device, NULL))
		return call_fail(c, "InvalidParameterValue",
				 "Invalid value '%.60s' for unixDevice. Attachment point %.60s is "
				 "already in use",
				 device, device);
	a = attachment_doc(v->id, r->id, device, "attaching", false);
	json_array_append_new(json_object_get(v->doc, "attachmentSet"), a);
	doc_set_str(v->doc, "status", "in-use");
	json_array_append_new(list, mapping_doc(device, v->id, false));
	call_save(c, v);
	call_save(c, r);
	lifecycle_attach(c->cloud, v, r);
	json_object_update(c->out, a);
	return 0;
}

static int detach_volume(struct call *c)
{
	const char *instance = call_val(c, "InstanceId"), *device = call_val(c, "Device");
	struct row *v = find_volume(c), *r;
	bool force = false;
	json_t *a;

	if (!v || call_bool(c, "Force", &force) < 0)
		return -1;
	a = attachment(v);
	if (!a)
		return call_fail(c, "IncorrectState", "Volume '%s' is in the 'available' state.",
				 v->id);
	if ((instance && !streq(instance, doc_str(a, "instanceId"))) ||
	    (device && !streq(device, doc_str(a, "device"))))
		return call_fail(c, "InvalidAttachment.NotFound",
				 "Volume '%s' is not attached to instance '%s'", v->id,
				 instance ? instance : doc_str(a, "instanceId"));
	r = model_find(c->cloud->model, KIND_INSTANCE, doc_str(a, "instanceId"));
	if (r && !instance_is(r, "stopped") &&
	    streq(doc_str(r->doc, "rootDeviceName"), doc_str(a, "device")))
		return call_fail(c, "OperationNotPermitted",
				 "Unable to detach root volume '%s' from instance '%s'", v->id,
				 r->id);
	doc_set_str(a, "status", "detaching");
	call_save(c, v);
	lifecycle_detach(c->cloud, v, force);
	json_object_update(c->out, a);
	return 0;
}

static int modify_volume(struct call *c)
{
	struct row *v = find_volume(c);
	int64_t size, old, iops, throughput;
	const char *type;
	char now[TIME_SIZE];
	json_t *m;

	if (!v)
		return -1;
	size = old = doc_int(v->doc, "size");
	iops = doc_int(v->doc, "iops");
	throughput = doc_int(v->doc, "throughput");
	type = doc_str(v->doc, "volumeType");
	if (call_int(c, "Size", 1, 65536, &size) < 0 ||
	    call_int(c, "Iops", 100, 256000, &iops) < 0 ||
	    call_int(c, "Throughput", 125, 2000, &throughput) < 0 ||
	    call_enum(c, "VolumeType", VOLUME_TYPES, &type) < 0)
		return -1;
	if (size < old)
		return call_fail(c, "InvalidParameterValue",
				 "New size cannot be smaller than existing size");
	m = json_pack("{s:s, s:s, s:I, s:s, s:I, s:s?, s:i, s:s}",
		      "volumeId", v->id,
		      "modificationState", "modifying",
		      "originalSize", (json_int_t)old,
		      "originalVolumeType", doc_str(v->doc, "volumeType"),
		      "targetSize", (json_int_t)size,
		      "targetVolumeType", type,
		      "progress", 0,
		      "startTime", time_now(now));
	if (iops)
		doc_set_int(m, "targetIops", iops);
	json_object_set_new(v->doc, "_modification", m);
	doc_set_str(v->doc, "volumeType", type);
	if (iops)
		doc_set_int(v->doc, "iops", iops);
	if (throughput)
		doc_set_int(v->doc, "throughput", throughput);
	call_save(c, v);
	lifecycle_grow(c->cloud, v, size);
	json_object_set_new(c->out, "volumeModification", json_copy(m));
	return 0;
}

static const struct filter_row modification_filters[] = {
	{ "volume-id", "volumeId" },
	{ "modification-state", "_modification.modificationState" },
	{ "target-size", "_modification.targetSize" },
	{ "original-size", "_modification.originalSize" },
	{ 0 },
};

static bool modified(struct call *c UNUSED, struct row *r, bool by_id UNUSED)
{
	return json_object_get(r->doc, "_modification") != NULL;
}

static json_t *render_modification(struct call *c UNUSED, struct row *r)
{
	return json_copy(json_object_get(r->doc, "_modification"));
}

static int describe_modifications(struct call *c)
{
	static const struct listing l = { .kind = KIND_VOLUME,
					  .id_param = "VolumeId",
					  .set = "volumeModificationSet",
					  .filters = modification_filters,
					  .visible = modified,
					  .render = render_modification };

	return call_describe(c, &l);
}

const struct action ec2_volume_actions[] = {
	{ "DescribeVolumes", describe_volumes, "VolumeId Filter MaxResults NextToken", 0 },
	{ "CreateVolume", create_volume,
	  "AvailabilityZone! Size SnapshotId VolumeType Iops Throughput Encrypted KmsKeyId "
	  "TagSpecification ClientToken",
	  0 },
	{ "DeleteVolume", delete_volume, "VolumeId!", 0 },
	{ "AttachVolume", attach_volume, "VolumeId! InstanceId! Device!", 0 },
	{ "DetachVolume", detach_volume, "VolumeId! InstanceId Device Force", 0 },
	{ "ModifyVolume", modify_volume, "VolumeId! Size VolumeType Iops Throughput", 0 },
	{ "DescribeVolumesModifications", describe_modifications,
	  "VolumeId Filter MaxResults NextToken", 0 },
	{ 0 },
};
