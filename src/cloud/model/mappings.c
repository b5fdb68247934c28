/* Block device mappings: read, merged with an image's, turned into volumes. */
#include "cloud/model/mappings.h"

#define DEFAULT_GIB 8

const char *kms_key_arn(struct call *c, const char *key)
{
	if (!key)
		key = "alias/aws/ebs";
	if (starts_with(key, "arn:"))
		return key;
	if (starts_with(key, "alias/"))
		return arena_printf(c->arena, "arn:aws:kms:%s:%s:%s", c->region, c->cloud->account,
				    key);
	return arena_printf(c->arena, "arn:aws:kms:%s:%s:key/%s", c->region, c->cloud->account,
			    key);
}

static int read_ebs(struct call *c, const char *prefix, json_t *ebs)
{
	static const struct {
		const char *param, *member;
		int64_t max;
	} numbers[] = { { "VolumeSize", "volumeSize", 65536 },
			{ "Iops", "iops", 256000 },
			{ "Throughput", "throughput", 2000 } };
	static const struct {
		const char *param, *member;
	} flags[] = { { "DeleteOnTermination", "deleteOnTermination" },
		      { "Encrypted", "encrypted" } };
	const char *type = NULL, *text;
	bool flag;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		int64_t v = 0;

		if (call_int(c, arena_printf(c->arena, "%s.%s", prefix, numbers[i].param), 1,
			     numbers[i].max, &v) < 0)
			return -1;
		if (v)
			doc_set_int(ebs, numbers[i].member, v);
	}
	if (call_enum(c, arena_printf(c->arena, "%s.VolumeType", prefix), VOLUME_TYPES, &type) < 0)
		return -1;
	doc_set_str(ebs, "volumeType", type);
	text = call_val(c, "%s.SnapshotId", prefix);
	if (text && !call_find(c, KIND_SNAPSHOT, text))
		return -1;
	doc_set_str(ebs, "snapshotId", text);
	doc_set_str(ebs, "kmsKeyId", call_val(c, "%s.KmsKeyId", prefix));
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		const char *name = arena_printf(c->arena, "%s.%s", prefix, flags[i].param);

		if (call_bool(c, name, &flag) < 0)
			return -1;
		if (call_val(c, "%s", name))
			doc_set_bool(ebs, flags[i].member, flag);
	}
	return 0;
}

json_t *mappings_read(struct call *c, const char *prefix)
{
	json_t *list = json_array();

	for (int i = 1; call_any(c, "%s.%d", prefix, i); i++) {
		const char *device = call_val(c, "%s.%d.DeviceName", prefix, i), *virtual_name;
		json_t *m = json_object();

		json_array_append_new(list, m);
		if (!device) {
			call_fail(c, "MissingParameter",
				  "The request must contain the parameter %s.%d.DeviceName", prefix,
				  i);
			goto fail;
		}
		if (strlen(device) > 64 ||
		    strspn(device,
			   "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
			    strlen(device)) {
			call_fail(c, "InvalidBlockDeviceMapping", "Invalid device name %.80s",
				  device);
			goto fail;
		}
		doc_set_str(m, "deviceName", device);
		if (call_get(c, "%s.%d.NoDevice", prefix, i)) {
			doc_set_str(m, "noDevice", "");
			continue;
		}
		virtual_name = call_val(c, "%s.%d.VirtualName", prefix, i);
		doc_set_str(m, "virtualName", virtual_name);
		if (virtual_name)
			continue;
		json_object_set_new(m, "ebs", json_object());
		if (read_ebs(c, arena_printf(c->arena, "%s.%d.Ebs", prefix, i),
			     json_object_get(m, "ebs")) < 0)
			goto fail;
	}
	return list;
fail:
	json_decref(list);
	return NULL;
}

/* Fills in what follows from the snapshot and the type; checks the size. */
static int complete(struct call *c, json_t *m)
{
	json_t *ebs = json_object_get(m, "ebs");
	const char *snapshot = doc_str(ebs, "snapshotId"), *device = doc_str(m, "deviceName");
	struct row *s = snapshot ? model_find(c->cloud->model, KIND_SNAPSHOT, snapshot) : NULL;
	int64_t size = doc_int(ebs, "volumeSize"), least = s ? doc_int(s->doc, "volumeSize") : 1;

	if (snapshot && !s)
		return call_fail(c, "InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.",
				 snapshot);
	if (size && size < least)
		return call_fail(c, "InvalidBlockDeviceMapping",
				 "Volume of size %lldGB is smaller than snapshot '%s', expect size "
				 ">= %lldGB",
				 (long long)size, snapshot, (long long)least);
	if (!size && !s && !json_object_size(ebs))
		return call_fail(c, "InvalidBlockDeviceMapping",
				 "The device '%s' has neither a size nor a snapshot", device);
	doc_set_int(ebs, "volumeSize", size ? size : s ? least : DEFAULT_GIB);
	if (!doc_str(ebs, "volumeType"))
		doc_set_str(ebs, "volumeType", "gp2");
	if (!json_object_get(ebs, "deleteOnTermination"))
		doc_set_bool(ebs, "deleteOnTermination", true);
	if (s && doc_bool(s->doc, "encrypted")) {
		if (json_is_false(json_object_get(ebs, "encrypted")))
			return call_fail(
				c, "InvalidBlockDeviceMapping",
				"The volume of %s cannot be unencrypted: its snapshot is encrypted",
				device);
		doc_set_bool(ebs, "encrypted", true);
		if (!doc_str(ebs, "kmsKeyId"))
			doc_set_str(ebs, "kmsKeyId", doc_str(s->doc, "kmsKeyId"));
	}
	return 0;
}

/* The request's words for one device over what the image says of it. */
static void override(json_t *list, const json_t *m)
{
	const char *device = doc_str(m, "deviceName");
	size_t at;
	json_t *old = doc_find(list, "deviceName", device, &at);

	if (json_object_get(m, "noDevice") || json_object_get(m, "virtualName")) {
		if (old)
			json_array_remove(list, at);
		return;
	}
	if (old)
		json_object_update(json_object_get(old, "ebs"), json_object_get(m, "ebs"));
	else
		json_array_append_new(list, json_deep_copy(m));
}

json_t *mappings_merge(struct call *c, const json_t *image, const char *prefix)
{
	AUTO(json) json_t *asked = mappings_read(c, prefix);
	json_t *list = json_array(), *m;
	size_t i;

	if (!asked)
		goto fail;
	json_array_foreach((json_t *)image, i, m)
		if (json_object_get(m, "ebs"))
			json_array_append_new(list, json_deep_copy(m));
	json_array_foreach(asked, i, m)
		override(list, m);
	json_array_foreach(list, i, m)
		if (complete(c, m) < 0)
			goto fail;
	return list;
fail:
	json_decref(list);
	return NULL;
}

json_t *volume_doc(struct call *c, const char *id, const json_t *spec, const char *zone)
{
	const char *type = doc_str(spec, "volumeType"), *snapshot = doc_str(spec, "snapshotId");
	int64_t size = doc_int(spec, "volumeSize"), iops = doc_int(spec, "iops"),
		throughput = doc_int(spec, "throughput");
	char now[TIME_SIZE];
	json_t *doc = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:[], s:s, s:b, s:b, s:[]}",
				"volumeId", id,
				"size", (json_int_t)size,
				"snapshotId", snapshot ? snapshot : "",
				"availabilityZone", zone,
				"status", "creating",
				"createTime", time_now(now),
				"attachmentSet",
				"volumeType", type,
				"encrypted", (int)doc_bool(spec, "encrypted"),
				"multiAttachEnabled", 0,
				"tagSet");

	/* What AWS gives these types when nothing is asked. */
	if (!iops && streq(type, "gp3"))
		iops = 3000;
	if (!iops && streq(type, "gp2"))
		iops = MIN(MAX(size * 3, 100), 16000);
	if (!throughput && streq(type, "gp3"))
		throughput = 125;
	if (iops)
		doc_set_int(doc, "iops", iops);
	if (throughput)
		doc_set_int(doc, "throughput", throughput);
	if (doc_bool(spec, "encrypted"))
		doc_set_str(doc, "kmsKeyId", kms_key_arn(c, doc_str(spec, "kmsKeyId")));
	doc_set_str(doc, "_blocks", snapshot);
	return doc;
}

json_t *attachment_doc(const char *volume, const char *instance, const char *device,
		       const char *status, bool delete_on_termination)
{
	char now[TIME_SIZE];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}",
			 "volumeId", volume,
			 "instanceId", instance,
			 "device", device,
			 "status", status,
			 "attachTime", time_now(now),
			 "deleteOnTermination", (int)delete_on_termination);
}

json_t *mapping_doc(const char *device, const char *volume, bool delete_on_termination)
{
	char now[TIME_SIZE];

	return json_pack("{s:s, s:{s:s, s:s, s:s, s:b}}",
			 "deviceName", device,
			 "ebs",
			 "volumeId", volume,
			 "status", "attaching",
			 "attachTime", time_now(now),
			 "deleteOnTermination", (int)delete_on_termination);
}

void mappings_make_volumes(struct call *c, struct row *r, const json_t *mappings, json_t *tags)
{
	const char *zone = doc_str(r->doc, "placement.availabilityZone");
	json_t *list = json_array(), *m;
	char id[ID_SIZE];
	size_t i;

	json_array_foreach((json_t *)mappings, i, m) {
		const json_t *ebs = json_object_get(m, "ebs");
		const char *device = doc_str(m, "deviceName");
		bool gone = doc_bool(ebs, "deleteOnTermination");
		struct row *v;

		id_new("vol", id);
		v = call_put(c, KIND_VOLUME, id, volume_doc(c, id, ebs, zone));
		json_array_append_new(json_object_get(v->doc, "attachmentSet"),
				      attachment_doc(id, r->id, device, "attached", gone));
		json_object_set_new(v->doc, "tagSet", json_deep_copy(tags));
		call_save(c, v);
		json_array_append_new(list, mapping_doc(device, id, gone));
	}
	json_object_set_new(r->doc, "blockDeviceMapping", list);
	call_save(c, r);
}
