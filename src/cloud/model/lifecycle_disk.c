/* Volumes, snapshots and images after the API's answer. */
#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"
#include "cloud/api/doc.h"
#include "cloud/disk/volume.h"
#include "cloud/jobs.h"
#include "cloud/model/ids.h"
#include "cloud/model/lifecycle.h"
#include "cloud/model/task.h"

#define GIB ((uint64_t)1 << 30)
#define STOP_FOR_IMAGE_MS 120000 /* an instance that does not shut down by then is cut off */

/* --- volumes -------------------------------------------------------- */

static void volume_ready_job(void *data)
{
	AUTO(task) struct task *t = data;
	CLOUD_LOCK(t->cloud);
	struct row *r = model_find(t->cloud->model, KIND_VOLUME, t->id);

	if (!r || !streq(doc_str(r->doc, "status"), "creating"))
		return;
	doc_set_str(r->doc, "status", t->other ? "error" : "available");
	doc_set_str(r->doc, "_error", t->other);
	model_save(t->cloud->model, r);
}

static void create_volume_job(void *data)
{
	AUTO(task) struct task *t = data;
	AUTO(err) struct err err = ERR_INIT;
	struct cloud *c = t->cloud;
	int64_t left;

	if (c->store &&
	    volume_create(c->store, t->id, (uint64_t)t->number * GIB, t->other, &err) < 0) {
		CLOUD_LOCK(c);
		cloud_notice(c, t->id, "%s: %s", t->id, err.msg);
	}
	pthread_mutex_lock(&c->lock);
	struct row *r = model_find(c->model, KIND_VOLUME, t->id);
	left = r ? state_left(c, r->doc) : 0;
	pthread_mutex_unlock(&c->lock);
	jobs_add(c->jobs, NULL, left, volume_ready_job, task_new(c, t->id, err.msg));
}

void lifecycle_create_volume(struct cloud *c, struct row *v)
{
	struct task *t = task_new(c, v->id, doc_str(v->doc, "_blocks"));

	t->number = doc_int(v->doc, "size");
	doc_set_int(v->doc, "_since", clock_unix_ms());
	model_save(c->model, v);
	jobs_add(c->jobs, v->id, 0, create_volume_job, t);
}

static void delete_volume_job(void *data)
{
	AUTO(task) struct task *t = data;
	AUTO(err) struct err err = ERR_INIT;
	struct row *r;

	if (t->cloud->store && volume_delete(t->cloud->store, t->id, &err) < 0 &&
	    err.code != ERR_NOT_FOUND) {
		CLOUD_LOCK(t->cloud);
		cloud_notice(t->cloud, t->id, "%s: %s", t->id, err.msg);
	}
	CLOUD_LOCK(t->cloud);
	r = model_find(t->cloud->model, KIND_VOLUME, t->id);
	if (r)
		model_remove(t->cloud->model, r);
}

void lifecycle_delete_volume(struct cloud *c, struct row *v)
{
	model_save(c->model, v);
	jobs_add(c->jobs, v->id, 0, delete_volume_job, task_new(c, v->id, NULL));
}

static json_t *mapping_of(struct cloud *c, const char *instance, const char *volume,
			  size_t *ret_index)
{
	struct row *r = model_find(c->model, KIND_INSTANCE, instance);
	size_t i;
	json_t *m;

	json_array_foreach(r ? json_object_get(r->doc, "blockDeviceMapping") : NULL, i, m)
		if (streq(doc_str(m, "ebs.volumeId"), volume)) {
			if (ret_index)
				*ret_index = i;
			return m;
		}
	return NULL;
}

static void forget_attachment(struct cloud *c, const char *volume, const char *instance)
{
	struct row *r = model_find(c->model, KIND_INSTANCE, instance),
		   *v = model_find(c->model, KIND_VOLUME, volume);
	size_t i;

	if (mapping_of(c, instance, volume, &i)) {
		json_array_remove(json_object_get(r->doc, "blockDeviceMapping"), i);
		model_save(c->model, r);
	}
	if (v) {
		json_object_set_new(v->doc, "attachmentSet", json_array());
		doc_set_str(v->doc, "status", "available");
		model_save(c->model, v);
	}
}

static void attached_job(void *data)
{
	AUTO(task) struct task *t = data;
	CLOUD_LOCK(t->cloud);
	struct row *v = model_find(t->cloud->model, KIND_VOLUME, t->id);
	json_t *a = v ? json_array_get(json_object_get(v->doc, "attachmentSet"), 0) : NULL;
	json_t *m = mapping_of(t->cloud, t->other, t->id, NULL);

	if (!a || !m || !streq(doc_str(a, "status"), "attaching"))
		return;
	doc_set_str(a, "status", "attached");
	doc_set_str(m, "ebs.status", "attached");
	model_save(t->cloud->model, v);
	model_save(t->cloud->model, model_find(t->cloud->model, KIND_INSTANCE, t->other));
}

static void attach_job(void *data)
{
	AUTO(task) struct task *t = data;
	AUTO(err) struct err err = ERR_INIT;
	struct cloud *c = t->cloud;
	struct instance_disk d = { 0 };
	bool up;

	pthread_mutex_lock(&c->lock);
	json_t *m = mapping_of(c, t->other, t->id, NULL);
	up = m && instance_is_up(c, t->other);
	if (m)
		d = (struct instance_disk){ xstrdup(doc_str(m, "deviceName")), xstrdup(t->id),
					    c->store ? volume_path(c->store, t->id) : xstrdup(""),
					    false };
	pthread_mutex_unlock(&c->lock);
	if (up && c->ops->attach(c->backend, t->other, &d, &err) < 0) {
		CLOUD_LOCK(c);
		cloud_notice(c, t->other, "%s cannot be attached: %s", t->id, err.msg);
		forget_attachment(c, t->id, t->other);
	} else {
		jobs_add(c->jobs, NULL, c->config.delay_ms, attached_job,
			 task_new(c, t->id, t->other));
	}
	free(d.device);
	free(d.volume);
	free(d.path);
}

void lifecycle_attach(struct cloud *c, struct row *v, struct row *r)
{
	jobs_add(c->jobs, r->id, 0, attach_job, task_new(c, v->id, r->id));
}

static void detached_job(void *data)
{
	AUTO(task) struct task *t = data;
	CLOUD_LOCK(t->cloud);

	forget_attachment(t->cloud, t->id, t->other);
}

static void detach_job(void *data)
{
	AUTO(task) struct task *t = data;
	AUTO(err) struct err err = ERR_INIT;
	struct cloud *c = t->cloud;
	bool up;

	pthread_mutex_lock(&c->lock);
	up = instance_is_up(c, t->other);
	pthread_mutex_unlock(&c->lock);
	if (up && c->ops->detach(c->backend, t->other, t->id, &err) < 0 && !t->flag) {
		/* In use inside: EC2 leaves it `busy` too. */
		CLOUD_LOCK(c);
		cloud_notice(c, t->other, "%s cannot be detached: %s", t->id, err.msg);
		struct row *v = model_find(c->model, KIND_VOLUME, t->id);
		if (v) {
			doc_set_str(json_array_get(json_object_get(v->doc, "attachmentSet"), 0),
				    "status", "busy");
			model_save(c->model, v);
		}
		return;
	}
	jobs_add(c->jobs, NULL, c->config.delay_ms, detached_job, task_new(c, t->id, t->other));
}

void lifecycle_detach(struct cloud *c, struct row *v, bool force)
{
	const char *instance =
		doc_str(json_array_get(json_object_get(v->doc, "attachmentSet"), 0), "instanceId");
	struct task *t = task_new(c, v->id, instance);

	t->flag = force;
	jobs_add(c->jobs, instance, 0, detach_job, t);
}

static void grow_job(void *data)
{
	AUTO(task) struct task *t = data;
	AUTO(err) struct err err = ERR_INIT;
	int result = t->cloud->store
			     ? volume_grow(t->cloud->store, t->id, (uint64_t)t->number * GIB, &err)
			     : 0;
	CLOUD_LOCK(t->cloud);
	struct row *v = model_find(t->cloud->model, KIND_VOLUME, t->id);

	if (!v)
		return;
	if (result < 0)
		cloud_notice(t->cloud, t->id, "%s cannot grow: %s", t->id, err.msg);
	doc_set_str(v->doc, "_modification.modificationState", result < 0 ? "failed" : "completed");
	doc_set_int(v->doc, "_modification.progress", 100);
	if (result == 0)
		doc_set_int(v->doc, "size", t->number);
	model_save(t->cloud->model, v);
}

void lifecycle_grow(struct cloud *c, struct row *v, int64_t size_gib)
{
	struct task *t = task_new(c, v->id, NULL);

	t->number = size_gib;
	jobs_add(c->jobs, v->id, 0, grow_job, t);
}

/* --- snapshots ------------------------------------------------------ */

static void image_failed(struct cloud *c, struct row *image, const char *why)
{
	doc_set_str(image->doc, "imageState", "failed");
	doc_set(image->doc, "stateReason",
		json_pack("{s:s, s:s}", "code", "Server.InternalError", "message", why));
	model_save(c->model, image);
}

/* Images wait for their snapshots. */
static void settle_images(struct cloud *c)
{
	for (size_t i = 0; i < model_count(c->model, KIND_IMAGE); i++) {
		struct row *image = model_at(c->model, KIND_IMAGE, i);
		bool ready = true;
		size_t k;
		json_t *m;

		if (!streq(doc_str(image->doc, "imageState"), "pending"))
			continue;
		json_array_foreach(json_object_get(image->doc, "blockDeviceMapping"), k, m) {
			const char *id = doc_str(m, "ebs.snapshotId");
			struct row *s = id ? model_find(c->model, KIND_SNAPSHOT, id) : NULL;
			const char *status = s	  ? doc_str(s->doc, "status")
					     : id ? "error"
						  : "completed";

			if (streq(status, "error")) {
				image_failed(c, image,
					     s ? doc_str(s->doc, "statusMessage")
					       : "a snapshot of it was deleted");
				ready = false;
				break;
			}
			ready &= streq(status, "completed");
		}
		if (ready) {
			doc_set_str(image->doc, "imageState", "available");
			model_save(c->model, image);
		}
	}
}

/* t->other: what went wrong, or NULL. */
static void snapshot_done_job(void *data)
{
	AUTO(task) struct task *t = data;
	CLOUD_LOCK(t->cloud);
	struct row *s = model_find(t->cloud->model, KIND_SNAPSHOT, t->id);

	if (!s)
		return;
	doc_set_str(s->doc, "status", t->other ? "error" : "completed");
	doc_set_str(s->doc, "statusMessage", t->other);
	if (!t->other) {
		char now[TIME_SIZE];

		doc_set_str(s->doc, "progress", "100%");
		doc_set_str(s->doc, "completionTime", time_now(now));
	}
	model_save(t->cloud->model, s);
	settle_images(t->cloud);
}

static void snapshot_done(void *data, const char *error)
{
	AUTO(task) struct task *t = data;
	int64_t left = 0;
	CLOUD_LOCK(t->cloud);
	struct row *s = model_find(t->cloud->model, KIND_SNAPSHOT, t->id);

	if (s)
		left = state_left(t->cloud, s->doc);
	jobs_add(t->cloud->jobs, NULL, error ? 0 : left, snapshot_done_job,
		 task_new(t->cloud, t->id, error));
}

/* What a running instance still has in memory goes to the volume first. Without the lock. */
static void write_back(struct cloud *c, const char *volume)
{
	auto_free char *instance = NULL;
	AUTO(err) struct err err = ERR_INIT;

	pthread_mutex_lock(&c->lock);
	struct row *v = model_find(c->model, KIND_VOLUME, volume);
	const json_t *a = v ? json_array_get(json_object_get(v->doc, "attachmentSet"), 0) : NULL;

	if (a && instance_is_up(c, doc_str(a, "instanceId")))
		instance = xstrdup(doc_str(a, "instanceId"));
	pthread_mutex_unlock(&c->lock);
	if (instance && c->ops->sync && c->ops->sync(c->backend, instance, &err) < 0)
		log_line("local cloud: %s is as a power cut would leave it: %s", volume, err.msg);
}

/* Takes it now; what comes later comes through snapshot_done. Without the lock. */
static void take_snapshot(struct cloud *c, const char *id, const char *volume)
{
	AUTO(err) struct err err = ERR_INIT;
	struct task *t = task_new(c, id, NULL);

	if (c->store)
		write_back(c, volume);
	if (!c->store)
		snapshot_done(t, NULL);
	else if (snapshot_create(c->store, id, volume, snapshot_done, t, &err) < 0)
		snapshot_done(t, err.msg);
}

static void snapshot_job(void *data)
{
	AUTO(task) struct task *t = data;

	take_snapshot(t->cloud, t->id, t->other);
}

void lifecycle_create_snapshot(struct cloud *c, struct row *s)
{
	const char *volume = doc_str(s->doc, "volumeId");
	struct row *v = model_find(c->model, KIND_VOLUME, volume);
	const char *instance =
		v ? doc_str(json_array_get(json_object_get(v->doc, "attachmentSet"), 0),
			    "instanceId")
		  : NULL;

	jobs_add(c->jobs, instance ? instance : volume, 0, snapshot_job,
		 task_new(c, s->id, volume));
}

static void copy_snapshot_job(void *data)
{
	AUTO(task) struct task *t = data;
	AUTO(err) struct err err = ERR_INIT;
	int result = t->cloud->store ? snapshot_copy(t->cloud->store, t->other, t->id, &err) : 0;

	snapshot_done(task_new(t->cloud, t->id, NULL), result < 0 ? err.msg : NULL);
}

void lifecycle_copy_snapshot(struct cloud *c, struct row *s, const char *from)
{
	jobs_add(c->jobs, s->id, 0, copy_snapshot_job, task_new(c, s->id, from));
}

static void delete_snapshot_job(void *data)
{
	AUTO(task) struct task *t = data;
	AUTO(err) struct err err = ERR_INIT;

	if (t->cloud->store && snapshot_delete(t->cloud->store, t->id, &err) < 0 &&
	    err.code != ERR_NOT_FOUND) {
		CLOUD_LOCK(t->cloud);
		cloud_notice(t->cloud, t->id, "%s: %s", t->id, err.msg);
	}
}

void lifecycle_delete_snapshot(struct cloud *c, const char *id)
{
	jobs_add(c->jobs, id, 0, delete_snapshot_job, task_new(c, id, NULL));
}

/* --- images --------------------------------------------------------- */

struct pair {
	char *snapshot, *volume;
};
struct pair_list {
	VEC(struct pair) v;
};

static void list_snapshots(struct cloud *c, const char *image, struct pair_list *list)
{
	CLOUD_LOCK(c);
	struct row *r = model_find(c->model, KIND_IMAGE, image);
	size_t i;
	json_t *m;

	json_array_foreach(r ? json_object_get(r->doc, "blockDeviceMapping") : NULL, i, m) {
		const char *id = doc_str(m, "ebs.snapshotId");
		struct row *s = id ? model_find(c->model, KIND_SNAPSHOT, id) : NULL;

		if (s && streq(doc_str(s->doc, "status"), "pending")) {
			struct pair p = { xstrdup(id), xstrdup(doc_str(s->doc, "volumeId")) };

			vec_push(&list->v, p);
		}
	}
}

static void set_imaging(struct cloud *c, const char *instance, bool on)
{
	CLOUD_LOCK(c);
	struct row *r = model_find(c->model, KIND_INSTANCE, instance);

	if (!r)
		return;
	doc_set_bool(r->doc, "_imaging", on);
	model_save(c->model, r);
}

static void stop_for_image(struct cloud *c, const char *instance)
{
	AUTO(err) struct err err = ERR_INIT;

	if (c->ops->stop(c->backend, instance, false, &err) == 0 &&
	    lifecycle_wait_down(c, instance, STOP_FOR_IMAGE_MS))
		return;
	err_release(&err);
	if (c->ops->stop(c->backend, instance, true, &err) == 0)
		lifecycle_wait_down(c, instance, STOP_FOR_IMAGE_MS);
}

/* t->id image, t->other instance, t->flag: stop and start it. */
static void image_job(void *data)
{
	AUTO(task) struct task *t = data;
	AUTO(err) struct err err = ERR_INIT;
	struct pair_list list = { 0 };

	if (t->flag) {
		set_imaging(t->cloud, t->other, true);
		stop_for_image(t->cloud, t->other);
	}
	list_snapshots(t->cloud, t->id, &list);
	for (size_t i = 0; i < list.v.n; i++) {
		take_snapshot(t->cloud, list.v.v[i].snapshot, list.v.v[i].volume);
		free(list.v.v[i].snapshot);
		free(list.v.v[i].volume);
	}
	vec_release(&list.v);
	if (t->flag) {
		set_imaging(t->cloud, t->other, false);
		if (lifecycle_boot(t->cloud, t->other, &err) < 0) {
			CLOUD_LOCK(t->cloud);
			cloud_notice(t->cloud, t->other,
				     "%s did not start again after CreateImage: %s", t->other,
				     err.msg);
		}
	}
	CLOUD_LOCK(t->cloud);
	settle_images(t->cloud); /* one without snapshots is ready */
}

void lifecycle_create_image(struct cloud *c, struct row *image, struct row *instance, bool restart)
{
	struct task *t = task_new(c, image->id, instance->id);

	t->flag = restart;
	jobs_add(c->jobs, instance->id, 0, image_job, t);
}

static void settle_job(void *data)
{
	AUTO(task) struct task *t = data;
	CLOUD_LOCK(t->cloud);

	settle_images(t->cloud);
}

void lifecycle_settle_images(struct cloud *c)
{
	jobs_add(c->jobs, NULL, c->config.delay_ms, settle_job, task_new(c, "", NULL));
}

/* --- after a restart of the daemon ---------------------------------- */

void lifecycle_recover_disks(struct cloud *c)
{
	for (size_t i = model_count(c->model, KIND_VOLUME); i-- > 0;) {
		struct row *r = model_at(c->model, KIND_VOLUME, i);

		if (streq(doc_str(r->doc, "status"), "deleting"))
			lifecycle_delete_volume(c, r);
		else if (streq(doc_str(r->doc, "status"), "creating") &&
			 !json_array_size(json_object_get(r->doc, "attachmentSet")))
			lifecycle_create_volume(c, r);
	}
	for (size_t i = 0; i < model_count(c->model, KIND_SNAPSHOT); i++) {
		struct row *r = model_at(c->model, KIND_SNAPSHOT, i);

		if (!streq(doc_str(r->doc, "status"), "pending"))
			continue;
		doc_set_str(r->doc, "status", "error");
		doc_set_str(r->doc, "statusMessage",
			    "the local cloud was stopped before it was complete");
		model_save(c->model, r);
	}
	for (size_t i = 0; i < model_count(c->model, KIND_IMAGE); i++) {
		struct row *r = model_at(c->model, KIND_IMAGE, i);

		if (streq(doc_str(r->doc, "imageState"), "pending"))
			image_failed(c, r,
				     "the local cloud was stopped before the image was complete");
	}
}
