/* The operations of the control socket. */
#include "base/clock.h"
#include "cloud/api/api.h"
#include "cloud/api/faults.h"
#include "cloud/control.h"
#include "cloud/daemon.h"
#include "cloud/disk/volume.h"
#include "cloud/local.h"
#include "cloud/model/catalogue.h"
#include "cloud/model/standins.h"
#include "cloud/reqlog.h"

#include <unistd.h>

/* One request of a connection. */
struct op {
	struct cloud *cloud;
	const json_t *request;
	void (*progress)(void *data, const char *text);
	void *data;
};

/* --- status --------------------------------------------------------- */

static json_t *op_info(const struct op *o, struct err *err UNUSED)
{
	const struct cloud *c = o->cloud;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:b}",
			 "version", INGOT_VERSION,
			 "endpoint", c->endpoint,
			 "access_key", c->access_key,
			 "secret_key", c->secret_key,
			 "region", CLOUD_REGION,
			 "backend", c->ops->name,
			 "data", c->config.data_dir,
			 "pid", (int)getpid(),
			 "session", (int)c->config.session);
}

/* Copies, as all of the lists below: what is answered is read without the lock. */
static json_t *list_instances(struct cloud *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < model_count(c->model, KIND_INSTANCE); i++) {
		struct row *r = model_at(c->model, KIND_INSTANCE, i);

		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?}",
						"id", r->id,
						"region", r->region,
						"state", doc_str(r->doc, "instanceState.name"),
						"image", doc_str(r->doc, "imageId"),
						"public_ip", doc_str(r->doc, "ipAddress"),
						"type", doc_str(r->doc, "instanceType"),
						"launched", doc_str(r->doc, "launchTime")));
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
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?}",
						"id", r->id,
						"region", r->region,
						"name", doc_str(r->doc, "name"),
						"state", doc_str(r->doc, "imageState"),
						"owner", doc_str(r->doc, "imageOwnerId"),
						"description", doc_str(r->doc, "description"),
						"user", doc_str(r->doc, "_user")));
	}
	return list;
}

static json_t *list_disks(struct cloud *c, enum kind kind, const char *state, const char *size)
{
	json_t *list = json_array();

	for (size_t i = 0; i < model_count(c->model, kind); i++) {
		struct row *r = model_at(c->model, kind, i);

		if (r->region[0] != '*')
			json_array_append_new(list,
					      json_pack("{s:s, s:s, s:s?, s:I}",
							"id", r->id,
							"region", r->region,
							"state", doc_str(r->doc, state),
							"gib", (json_int_t)doc_int(r->doc, size)));
	}
	return list;
}

static json_t *op_status(const struct op *o, struct err *err)
{
	struct cloud *c = o->cloud;
	json_t *s = op_info(o, err);
	CLOUD_LOCK(c);

	json_object_del(s, "access_key");
	json_object_del(s, "secret_key");
	json_object_set_new(s, "uptime_ms", json_integer(clock_unix_ms() - c->started_ms));
	json_object_set_new(s, "requests",
			    json_integer((json_int_t)__atomic_load_n(&c->calls, __ATOMIC_RELAXED)));
	json_object_set_new(s, "instances", list_instances(c));
	json_object_set_new(s, "volumes", list_disks(c, KIND_VOLUME, "status", "size"));
	json_object_set_new(s, "snapshots", list_disks(c, KIND_SNAPSHOT, "status", "volumeSize"));
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

static json_t *op_images(const struct op *o, struct err *err UNUSED)
{
	CLOUD_LOCK(o->cloud);

	return json_pack("{s:o, s:o}", "base", list_images(o->cloud, false),
			 "own", list_images(o->cloud, true));
}

/* --- log, faults, reset --------------------------------------------- */

static json_t *op_log(const struct op *o, struct err *err UNUSED)
{
	uint64_t since = (uint64_t)doc_int(o->request, "since");

	return json_pack("{s:o}", "requests", reqlog_since(o->cloud->log, since));
}

static json_t *op_faults(const struct op *o, struct err *err)
{
	const json_t *plan = json_object_get(o->request, "plan");

	return faults_load(o->cloud->faults, plan, err) < 0 ? NULL : json_object();
}

static json_t *op_reset(const struct op *o, struct err *err UNUSED)
{
	daemon_reset(o->cloud);
	return json_object();
}

/* The connection stops the daemon once this is answered. */
static json_t *op_down(const struct op *o UNUSED, struct err *err UNUSED)
{
	return json_object();
}

/* --- import --------------------------------------------------------- */

static int import_file(const struct op *o, const char *file, const char *snapshot, struct err *err)
{
	/* Several may come at once. */
	auto_free char *raw = xasprintf("%s/import-%s.raw", o->cloud->config.data_dir, snapshot);
	int result;

	o->progress(o->data, "reading the file");
	if (base_image_import(file, raw, err) < 0)
		return -1;
	o->progress(o->data, "storing its blocks");
	result = snapshot_import(o->cloud->store, snapshot, raw, err);
	unlink(raw);
	return result;
}

static json_t *op_import(const struct op *o, struct err *err)
{
	const json_t *q = o->request;
	const char *file = doc_str(q, "file"), *root = doc_str(q, "root_device");
	const struct base_image image = { .name = doc_str(q, "name"),
					  .description = doc_str(q, "description"),
					  .root_device = root ? root : "/dev/xvda",
					  .user = doc_str(q, "user") };
	struct cloud *c = o->cloud;
	char snapshot[ID_SIZE];
	struct row *r;

	if (!file || !image.name) {
		err_set(err, ERR_INVALID, "import needs a file and a name");
		return NULL;
	}
	if (!c->store) {
		err_set(err, ERR_UNSUPPORTED, "the backend none has no disks to import to");
		return NULL;
	}
	id_new("snap", snapshot);
	if (import_file(o, file, snapshot, err) < 0)
		return NULL;
	CLOUD_LOCK(c);
	r = catalogue_add_imported(c, &image, snapshot);
	return json_pack("{s:s, s:s}", "image", r->id, "snapshot", snapshot);
}

/* --- for builds ----------------------------------------------------- */

static json_t *op_expect(const struct op *o, struct err *err UNUSED)
{
	json_t *warnings = json_array(), *e;
	struct cloud *c = o->cloud;
	size_t i;
	CLOUD_LOCK(c);

	model_begin(c->model);
	json_array_foreach(json_object_get(o->request, "ids"), i, e)
		standin_expect(c, (enum local_id_kind)doc_int(e, "kind"), doc_str(e, "region"),
			       doc_str(e, "id"), doc_str(e, "hint"), warnings);
	model_commit(c->model);
	return json_pack("{s:o}", "warnings", warnings);
}

static json_t *op_notices(const struct op *o, struct err *err UNUSED)
{
	const char *id = doc_str(o->request, "instance");
	json_t *list;
	CLOUD_LOCK(o->cloud);

	list = id ? map_remove(&o->cloud->notices, str_from(id)) : NULL;
	return json_pack("{s:o}", "notices", list ? list : json_array());
}

static const struct {
	const char *name;
	json_t *(*run)(const struct op *o, struct err *err);
} ops[] = {
	{ "info", op_info },
	{ "status", op_status },
	{ "images", op_images },
	{ "log", op_log },
	{ "faults", op_faults },
	{ "reset", op_reset },
	{ "down", op_down },
	{ "import", op_import },
	{ "expect", op_expect },
	{ "notices", op_notices },
};

json_t *control_answer(struct cloud *c, const json_t *request,
		       void (*progress)(void *data, const char *text), void *data, struct err *err)
{
	const struct op o = { c, request, progress, data };
	const char *name = doc_str(request, "op");

	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (streq(ops[i].name, name))
			return ops[i].run(&o, err);
	err_set(err, ERR_INVALID,
		"the daemon does not know the operation \"%s\": it may be of another version",
		name ? name : "");
	return NULL;
}
