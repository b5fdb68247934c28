/* The operations of the control socket. */
#include "base/clock.h"
#include "cloud/actions/images.h"
#include "cloud/api/api.h"
#include "cloud/api/faults.h"
#include "cloud/control.h"
#include "cloud/daemon.h"
#include "cloud/disk/volume.h"
#include "cloud/local.h"
#include "cloud/model/standins.h"
#include "cloud/reqlog.h"

#include <stdio.h>
#include <sys/stat.h>

/* --- status --------------------------------------------------------- */

static json_t *op_info(struct cloud *c, const json_t *q UNUSED,
		       void (*p)(void *, const char *) UNUSED, void *d UNUSED,
		       struct err *err UNUSED)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:b}", "version", INGOT_VERSION,
			 "endpoint", c->endpoint, "access_key", c->access_key, "secret_key",
			 c->secret_key, "region", CLOUD_REGION, "backend", c->ops->name, "data",
			 c->config.data_dir, "pid", (int)getpid(), "session",
			 (int)c->config.session);
}

/* Copies, as all of the lists below: what is answered is read without the lock. */
static json_t *list_instances(struct cloud *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < model_count(c->model, KIND_INSTANCE); i++) {
		struct row *r = model_at(c->model, KIND_INSTANCE, i);

		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?}", "id",
						r->id, "region", r->region, "state",
						doc_str(r->doc, "instanceState.name"), "image",
						doc_str(r->doc, "imageId"), "public_ip",
						doc_str(r->doc, "ipAddress"), "type",
						doc_str(r->doc, "instanceType"), "launched",
						doc_str(r->doc, "launchTime")));
	}
	return list;
}

static json_t *list_images(struct cloud *c, bool own)
{
	json_t *list = json_array();

	for (size_t i = 0; i < model_count(c->model, KIND_IMAGE); i++) {
		struct row *r = model_at(c->model, KIND_IMAGE, i);
		bool base = r->region[0] == '*' || doc_bool(r->doc, "_stand_in");

		if (doc_bool(r->doc, "_deregistered") || base == own)
			continue;
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?}", "id", r->id, "region",
				  r->region, "name", doc_str(r->doc, "name"), "state",
				  doc_str(r->doc, "imageState"), "owner",
				  doc_str(r->doc, "imageOwnerId"), "description",
				  doc_str(r->doc, "description"), "user",
				  doc_str(r->doc, "_user")));
	}
	return list;
}

static json_t *list_simple(struct cloud *c, enum kind kind, const char *state, const char *size)
{
	json_t *list = json_array();

	for (size_t i = 0; i < model_count(c->model, kind); i++) {
		struct row *r = model_at(c->model, kind, i);

		if (r->region[0] != '*')
			json_array_append_new(
				list, json_pack("{s:s, s:s, s:s?, s:I}", "id", r->id, "region",
						r->region, "state", doc_str(r->doc, state), "gib",
						(json_int_t)doc_int(r->doc, size)));
	}
	return list;
}

static json_t *op_status(struct cloud *c, const json_t *q, void (*p)(void *, const char *), void *d,
			 struct err *err)
{
	json_t *s = op_info(c, q, p, d, err);
	CLOUD_LOCK(c);

	json_object_del(s, "access_key");
	json_object_del(s, "secret_key");
	json_object_set_new(s, "uptime_ms", json_integer(clock_unix_ms() - c->started_ms));
	json_object_set_new(s, "requests",
			    json_integer((json_int_t)__atomic_load_n(&c->calls, __ATOMIC_RELAXED)));
	json_object_set_new(s, "instances", list_instances(c));
	json_object_set_new(s, "volumes", list_simple(c, KIND_VOLUME, "status", "size"));
	json_object_set_new(s, "snapshots", list_simple(c, KIND_SNAPSHOT, "status", "volumeSize"));
	json_object_set_new(s, "images", list_images(c, true));
	json_object_set_new(s, "disk_bytes",
			    json_integer(c->store ? (json_int_t)volume_store_used(c->store) : 0));
	json_object_set_new(s, "max_instances", json_integer(c->config.max_instances));
	json_object_set_new(s, "max_memory_mib",
			    json_integer((json_int_t)(c->config.max_memory >> 20)));
	if (model_trouble(c->model))
		json_object_set_new(s, "trouble", json_string(model_trouble(c->model)));
	return s;
}

static json_t *op_images(struct cloud *c, const json_t *q UNUSED,
			 void (*p)(void *, const char *) UNUSED, void *d UNUSED,
			 struct err *err UNUSED)
{
	CLOUD_LOCK(c);

	return json_pack("{s:o, s:o}", "base", list_images(c, false), "own", list_images(c, true));
}

/* --- log, faults, reset --------------------------------------------- */

static json_t *op_log(struct cloud *c, const json_t *q, void (*p)(void *, const char *) UNUSED,
		      void *d UNUSED, struct err *err UNUSED)
{
	return json_pack("{s:o}", "requests", reqlog_since(c->log, (uint64_t)doc_int(q, "since")));
}

static json_t *op_faults(struct cloud *c, const json_t *q, void (*p)(void *, const char *) UNUSED,
			 void *d UNUSED, struct err *err)
{
	return faults_load(c->faults, json_object_get(q, "plan"), err) < 0 ? NULL : json_object();
}

static json_t *op_reset(struct cloud *c, const json_t *q UNUSED,
			void (*p)(void *, const char *) UNUSED, void *d UNUSED,
			struct err *err UNUSED)
{
	daemon_reset(c);
	return json_object();
}

static json_t *op_down(struct cloud *c UNUSED, const json_t *q UNUSED,
		       void (*p)(void *, const char *) UNUSED, void *d UNUSED,
		       struct err *err UNUSED)
{
	return json_object();
}

/* --- import --------------------------------------------------------- */

static struct row *add_imported(struct cloud *c, const json_t *q, const char *snapshot, int64_t gib)
{
	const char *name = doc_str(q, "name"), *user = doc_str(q, "user"),
		   *root = doc_str(q, "root_device");
	char id[ID_SIZE], now[TIME_SIZE];
	json_t *doc;

	if (!root)
		root = "/dev/xvda";
	id_new("ami", id);
	time_now(now);
	model_put(c->model, KIND_SNAPSHOT, "*", snapshot,
		  json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:b, s:[], s:s, s:[]}",
			    "snapshotId", snapshot, "volumeId", "vol-ffffffff", "status",
			    "completed", "startTime", now, "progress", "100%", "ownerId",
			    c->account, "description", json_sprintf("imported for %s", id),
			    "volumeSize", (json_int_t)gib, "encrypted", 0, "tagSet", "storageTier",
			    "standard", "_share"));
	doc = json_pack("{s:s, s:o, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, "
			"s:s, s:s, s:[], s:[]}",
			"imageId", id, "imageLocation", json_sprintf("%s/%s", c->account, name),
			"imageState", "available", "imageOwnerId", c->account, "creationDate", now,
			"isPublic", 0, "architecture", "x86_64", "imageType", "machine", "name",
			name, "rootDeviceType", "ebs", "rootDeviceName", root, "virtualizationType",
			"hvm", "hypervisor", "xen", "enaSupport", 1, "platformDetails",
			"Linux/UNIX", "usageOperation", "RunInstances", "tagSet", "_launch");
	doc_set_str(doc, "description", doc_str(q, "description"));
	doc_set_str(doc, "_user", user);
	json_object_set_new(doc, "blockDeviceMapping",
			    json_pack("[{s:s, s:{s:s, s:I, s:b, s:s, s:b}}]", "deviceName", root,
				      "ebs", "snapshotId", snapshot, "volumeSize", (json_int_t)gib,
				      "deleteOnTermination", 1, "volumeType", "gp2", "encrypted",
				      0));
	return model_put(c->model, KIND_IMAGE, "*", id, doc);
}

static json_t *op_import(struct cloud *c, const json_t *q,
			 void (*progress)(void *data, const char *text), void *data,
			 struct err *err)
{
	const char *file = doc_str(q, "file"), *name = doc_str(q, "name");
	auto_free char *raw = NULL;
	char snapshot[ID_SIZE];
	struct stat st;
	int result;

	if (!file || !name)
		return err_set(err, ERR_INVALID, "import needs a file and a name"), NULL;
	id_new("snap", snapshot);
	if (!c->store)
		return err_set(err, ERR_UNSUPPORTED, "the backend none has no disks to import to"),
		       NULL;
	raw = xasprintf("%s/import-%s.raw", c->config.data_dir,
			snapshot); /* several may come at once */
	progress(data, "reading the file");
	if (base_image_import(file, raw, err) < 0)
		return NULL;
	progress(data, "storing its blocks");
	result = snapshot_import(c->store, snapshot, raw, err);
	if (stat(raw, &st) < 0)
		st.st_size = 0;
	unlink(raw);
	if (result < 0)
		return NULL;
	CLOUD_LOCK(c);
	struct row *r = add_imported(
		c, q, snapshot, (int64_t)(((uint64_t)st.st_size + ((uint64_t)1 << 30) - 1) >> 30));
	return json_pack("{s:s, s:s}", "image", r->id, "snapshot", snapshot);
}

/* --- for builds ----------------------------------------------------- */

static json_t *op_expect(struct cloud *c, const json_t *q, void (*p)(void *, const char *) UNUSED,
			 void *d UNUSED, struct err *err UNUSED)
{
	json_t *warnings = json_array(), *e;
	size_t i;
	CLOUD_LOCK(c);

	model_begin(c->model);
	json_array_foreach(json_object_get(q, "ids"), i, e)
		standin_expect(c, (enum local_id_kind)doc_int(e, "kind"), doc_str(e, "region"),
			       doc_str(e, "id"), doc_str(e, "hint"), warnings);
	model_commit(c->model);
	return json_pack("{s:o}", "warnings", warnings);
}

static json_t *op_notices(struct cloud *c, const json_t *q, void (*p)(void *, const char *) UNUSED,
			  void *d UNUSED, struct err *err UNUSED)
{
	const char *id = doc_str(q, "instance");
	json_t *list;
	CLOUD_LOCK(c);

	list = id ? map_remove(&c->notices, str_from(id)) : NULL;
	return json_pack("{s:o}", "notices", list ? list : json_array());
}

static const struct {
	const char *name;
	json_t *(*run)(struct cloud *c, const json_t *q,
		       void (*progress)(void *data, const char *text), void *data, struct err *err);
} ops[] = {
	{ "info", op_info },	   { "status", op_status }, { "images", op_images },
	{ "log", op_log },	   { "faults", op_faults }, { "reset", op_reset },
	{ "down", op_down },	   { "import", op_import }, { "expect", op_expect },
	{ "notices", op_notices },
};

json_t *control_answer(struct cloud *c, const json_t *q,
		       void (*progress)(void *data, const char *text), void *data, struct err *err)
{
	const char *op = doc_str(q, "op");

	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (streq(ops[i].name, op))
			return ops[i].run(c, q, progress, data, err);
	err_set(err, ERR_INVALID,
		"the daemon does not know the operation \"%s\": it may be of another version",
		op ? op : "");
	return NULL;
}
