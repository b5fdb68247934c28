/* Instances after the API's answer: launch, start, stop, terminate, reboot, and the backend's
 * events.
 *
 * Each job takes the lock to read and to write rows, never while it copies or asks the backend.
 * Jobs of an instance run in order (its id is the key), so a terminate waits for the launch before
 * it.
 */
#include "cloud/model/lifecycle.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/vec.h"
#include "cloud/api/doc.h"
#include "cloud/console.h"
#include "cloud/disk/volume.h"
#include "cloud/jobs.h"
#include "cloud/model/groups.h"
#include "cloud/model/ids.h"
#include "cloud/model/task.h"
#include "cloud/model/vpc.h"
#include "cloud/net/imds.h"

#define GIB ((uint64_t)1 << 30)

static const struct {
	int code;
	const char *name;
} states[] = {
	[STATE_PENDING] = { 0, "pending" },
	[STATE_RUNNING] = { 16, "running" },
	[STATE_SHUTTING_DOWN] = { 32, "shutting-down" },
	[STATE_TERMINATED] = { 48, "terminated" },
	[STATE_STOPPING] = { 64, "stopping" },
	[STATE_STOPPED] = { 80, "stopped" },
};

bool instance_is(const struct row *r, const char *state)
{
	return streq(doc_str(r->doc, "instanceState.name"), state);
}

void instance_set_state(struct cloud *c, struct row *r, enum instance_state state)
{
	doc_set_int(r->doc, "instanceState.code", states[state].code);
	doc_set_str(r->doc, "instanceState.name", states[state].name);
	doc_set_int(r->doc, "_since", clock_unix_ms());
	model_save(c->model, r);
}

void instance_set_reason(struct row *r, const char *code, const char *message)
{
	char now[TIME_SIZE];
	auto_free char *reason = NULL;

	if (!code) {
		doc_remove(r->doc, "stateReason");
		doc_set_str(r->doc, "reason", "");
		return;
	}
	doc_set_str(r->doc, "stateReason.code", code);
	doc_set_str(r->doc, "stateReason.message", message);
	reason = xasprintf("%s (%s)",
			   strncmp(code, "Client.User", 11) == 0 ? "User initiated" : message,
			   time_now(now));
	doc_set_str(r->doc, "reason", reason);
}

int64_t state_left(struct cloud *c, const json_t *doc)
{
	int64_t left = doc_int(doc, "_since") + c->config.delay_ms - clock_unix_ms();

	return MAX(left, 0);
}

struct task *task_new(struct cloud *c, const char *id, const char *other)
{
	struct task *t = xcalloc(1, sizeof(*t));

	*t = (struct task){ .cloud = c, .id = xstrdup(id), .other = xstrdup(other) };
	return t;
}

void task_free(void *data)
{
	struct task *t = data;

	free(t->id);
	free(t->other);
	free(t);
}

/* --- network -------------------------------------------------------- */

static void give_public_address(struct cloud *c, struct row *r)
{
	char ip[16];

	if (!doc_bool(r->doc, "_public") || doc_str(r->doc, "ipAddress") || !vpc_take_public(c, ip))
		return;
	doc_set_str(r->doc, "ipAddress", ip);
	/* The name must lead somewhere: the address is its own name here. */
	doc_set_str(r->doc, "dnsName", ip);
	json_t *nic = json_array_get(json_object_get(r->doc, "networkInterfaceSet"), 0);
	if (nic)
		json_object_set_new(nic, "association",
				    json_pack("{s:s, s:s, s:s}", "publicIp", ip, "publicDnsName",
					      ip, "ipOwnerId", "amazon"));
}

static void take_public_address(struct row *r)
{
	doc_remove(r->doc, "ipAddress");
	doc_set_str(r->doc, "dnsName", "");
	json_object_del(json_array_get(json_object_get(r->doc, "networkInterfaceSet"), 0),
			"association");
}

/* --- starting ------------------------------------------------------- */

static void add_disk(struct cloud *c, struct arena *a, const json_t *mapping, const char *root,
		     struct instance_disk *ret)
{
	const char *volume = doc_str(mapping, "ebs.volumeId"),
		   *device = doc_str(mapping, "deviceName");
	auto_free char *path = c->store ? volume_path(c->store, volume) : NULL;

	*ret = (struct instance_disk){ arena_strdup(a, device), arena_strdup(a, volume),
				       arena_strdup(a, path ? path : ""), streq(device, root) };
}

/* What the backend is told; all of it in the arena, so that the lock can be let go. */
static void fill_spec(struct cloud *c, const struct row *r, struct arena *a,
		      struct instance_spec *ret)
{
	const json_t *mappings = json_object_get(r->doc, "blockDeviceMapping"),
		     *nic = json_array_get(json_object_get(r->doc, "networkInterfaceSet"), 0);
	const char *name = doc_str(r->doc, "privateDnsName");
	size_t n = json_array_size(mappings), nports;
	struct instance_disk *disks = arena_new_array(a, struct instance_disk, n + 1);
	struct instance_port *ports;

	for (size_t i = 0; i < n; i++)
		add_disk(c, a, json_array_get(mappings, i), doc_str(r->doc, "rootDeviceName"),
			 &disks[i]);
	group_ports(c, json_object_get(r->doc, "groupSet"), &ports, &nports);
	arena_on_free(a, free, ports);
	*ret = (struct instance_spec){
		.id = arena_strdup(a, r->id),
		/* The first label of the private name. */
		.host_name = name ? arena_strndup(a, name, strcspn(name, ".")) : NULL,
		.mac = arena_strdup(a, doc_str(nic, "macAddress")),
		.private_ip = arena_strdup(a, doc_str(r->doc, "privateIpAddress")),
		.public_ip = arena_strdup(a, doc_str(r->doc, "ipAddress")),
		.vpc = arena_strdup(a, doc_str(r->doc, "vpcId")),
		.memory = (uint64_t)doc_int(r->doc, "_memory"),
		.vcpus = (unsigned)doc_int(r->doc, "_vcpus"),
		.disks = disks,
		.ndisks = n,
		.ports = ports,
		.nports = nports,
	};
}

int lifecycle_boot(struct cloud *c, const char *id, struct err *err)
{
	AUTO(arena) struct arena *a = arena_new();
	struct instance_spec spec;
	struct row *r;

	pthread_mutex_lock(&c->lock);
	r = model_find(c->model, KIND_INSTANCE, id);
	if (r)
		fill_spec(c, r, a, &spec);
	pthread_mutex_unlock(&c->lock);
	return r ? c->ops->start(c->backend, &spec, err)
		 : err_set(err, ERR_NOT_FOUND, "%s is gone", id);
}

static void launch_failed(struct cloud *c, const char *id, const char *why);

/* Makes those volumes of the instance that are still `creating`. */
static int make_volumes(struct cloud *c, const char *id, struct err *err)
{
	struct wanted {
		char *id, *snapshot;
		uint64_t size;
	};
	VEC(struct wanted) todo = VEC_INIT;
	struct row *r, *v;
	int result = 0;
	size_t i;
	json_t *m;

	pthread_mutex_lock(&c->lock);
	r = model_find(c->model, KIND_INSTANCE, id);
	json_array_foreach(r ? json_object_get(r->doc, "blockDeviceMapping") : NULL, i, m) {
		v = model_find(c->model, KIND_VOLUME, doc_str(m, "ebs.volumeId"));
		if (v && streq(doc_str(v->doc, "status"), "creating")) {
			const char *snapshot = doc_str(v->doc, "_blocks");
			struct wanted w = { xstrdup(v->id), xstrdup(snapshot),
					    (uint64_t)doc_int(v->doc, "size") * GIB };

			vec_push(&todo, w);
		}
	}
	pthread_mutex_unlock(&c->lock);
	for (i = 0; i < todo.n && result == 0 && c->store; i++)
		result = volume_create(c->store, todo.v[i].id, todo.v[i].size, todo.v[i].snapshot,
				       err);
	pthread_mutex_lock(&c->lock);
	for (i = 0; i < todo.n; i++) {
		v = result == 0 ? model_find(c->model, KIND_VOLUME, todo.v[i].id) : NULL;
		if (v) {
			doc_set_str(v->doc, "status", "in-use");
			model_save(c->model, v);
		}
		free(todo.v[i].id);
		free(todo.v[i].snapshot);
	}
	pthread_mutex_unlock(&c->lock);
	vec_release(&todo);
	return result;
}

static void launch_job(void *data)
{
	AUTO(task) struct task *t = data;
	AUTO(err) struct err err = ERR_INIT;
	bool wanted;

	pthread_mutex_lock(&t->cloud->lock);
	struct row *r = model_find(t->cloud->model, KIND_INSTANCE, t->id);
	wanted = r && instance_is(r, "pending");
	pthread_mutex_unlock(&t->cloud->lock);
	if (!wanted)
		return;
	if (make_volumes(t->cloud, t->id, &err) < 0 || lifecycle_boot(t->cloud, t->id, &err) < 0)
		launch_failed(t->cloud, t->id, err.msg);
}

void lifecycle_launch(struct cloud *c, struct row *r)
{
	give_public_address(c, r);
	model_save(c->model, r);
	jobs_add(c->jobs, r->id, 0, launch_job, task_new(c, r->id, NULL));
}

void lifecycle_start(struct cloud *c, struct row *r)
{
	char now[TIME_SIZE];

	doc_set_bool(r->doc, "_started_before", true);
	doc_set_str(r->doc, "launchTime", time_now(now));
	lifecycle_launch(c, r);
}

static void running_job(void *data)
{
	AUTO(task) struct task *t = data;
	CLOUD_LOCK(t->cloud);
	struct row *r = model_find(t->cloud->model, KIND_INSTANCE, t->id);
	size_t i;
	json_t *m;

	if (!r || !instance_is(r, "pending"))
		return;
	json_array_foreach(json_object_get(r->doc, "blockDeviceMapping"), i, m)
		doc_set_str(m, "ebs.status", "attached");
	instance_set_state(t->cloud, r, STATE_RUNNING);
}

/* --- stopping ------------------------------------------------------- */

static void stopped_job(void *data)
{
	AUTO(task) struct task *t = data;
	CLOUD_LOCK(t->cloud);
	struct row *r = model_find(t->cloud->model, KIND_INSTANCE, t->id);

	if (!r || !instance_is(r, "stopping"))
		return;
	take_public_address(r);
	instance_set_state(t->cloud, r, STATE_STOPPED);
}

static void release_volumes(struct cloud *c, struct row *r)
{
	size_t i;
	json_t *m;

	json_array_foreach(json_object_get(r->doc, "blockDeviceMapping"), i, m) {
		struct row *v = model_find(c->model, KIND_VOLUME, doc_str(m, "ebs.volumeId"));

		if (!v)
			continue;
		json_object_set_new(v->doc, "attachmentSet", json_array());
		if (doc_bool(m, "ebs.deleteOnTermination")) {
			doc_set_str(v->doc, "status", "deleting");
			lifecycle_delete_volume(c, v);
		} else {
			doc_set_str(v->doc, "status", "available");
			model_save(c->model, v);
		}
	}
	json_object_set_new(r->doc, "blockDeviceMapping", json_array());
}

/* EC2 forgets where a terminated instance was. */
static void terminated_job(void *data)
{
	static const char *const gone[] = { "privateIpAddress", "subnetId", "vpcId",
					    "iamInstanceProfile", "_user_data" };
	AUTO(task) struct task *t = data;
	CLOUD_LOCK(t->cloud);
	struct row *r = model_find(t->cloud->model, KIND_INSTANCE, t->id);

	if (!r || instance_is(r, "terminated"))
		return;
	model_begin(t->cloud->model);
	release_volumes(t->cloud, r);
	take_public_address(r);
	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		doc_remove(r->doc, gone[i]);
	doc_set_str(r->doc, "privateDnsName", "");
	json_object_set_new(r->doc, "networkInterfaceSet", json_array());
	json_object_set_new(r->doc, "groupSet", json_array());
	doc_set_int(r->doc, "_terminated", clock_unix());
	instance_set_state(t->cloud, r, STATE_TERMINATED);
	model_commit(t->cloud->model);
}

bool instance_is_up(const struct cloud *c, const char *id)
{
	return map_gets(&c->up, id) != NULL;
}

/* Its disks are free now: the state moves on when it has lasted long enough. */
static void came_down(struct cloud *c, struct row *r)
{
	if (instance_is(r, "stopping"))
		jobs_add(c->jobs, NULL, state_left(c, r->doc), stopped_job,
			 task_new(c, r->id, NULL));
	else if (instance_is(r, "shutting-down"))
		jobs_add(c->jobs, NULL, state_left(c, r->doc), terminated_job,
			 task_new(c, r->id, NULL));
}

/* The backend is asked even when it has not told INSTANCE_UP: it may be starting the machine just
 * now, which would else run on with nobody to end it. */
static void stop_job(void *data)
{
	AUTO(task) struct task *t = data;
	AUTO(err) struct err err = ERR_INIT;
	struct cloud *c = t->cloud;

	if (c->ops->stop(c->backend, t->id, t->flag, &err) == 0)
		return; /* INSTANCE_DOWN brings the rest */
	CLOUD_LOCK(c);
	struct row *r = model_find(c->model, KIND_INSTANCE, t->id);
	if (r)
		came_down(c, r);
}

void lifecycle_stop(struct cloud *c, struct row *r, bool force)
{
	struct task *t = task_new(c, r->id, NULL);

	t->flag = force;
	jobs_add(c->jobs, r->id, 0, stop_job, t);
}

void lifecycle_terminate(struct cloud *c, struct row *r)
{
	/* Nobody will read the disks again: no time is lost with an orderly shutdown unless a
	 * volume stays. */
	bool keeps = false;
	size_t i;
	json_t *m;

	json_array_foreach(json_object_get(r->doc, "blockDeviceMapping"), i, m)
		keeps |= !doc_bool(m, "ebs.deleteOnTermination");
	lifecycle_stop(c, r, !keeps);
}

static void reboot_job(void *data)
{
	AUTO(task) struct task *t = data;
	AUTO(err) struct err err = ERR_INIT;

	if (t->cloud->ops->reboot(t->cloud->backend, t->id, &err) < 0) {
		CLOUD_LOCK(t->cloud);
		cloud_notice(t->cloud, t->id, "reboot of %s: %s", t->id, err.msg);
	}
}

void lifecycle_reboot(struct cloud *c, struct row *r)
{
	jobs_add(c->jobs, r->id, 0, reboot_job, task_new(c, r->id, NULL));
}

/* --- failures ------------------------------------------------------- */

static void launch_failed(struct cloud *c, const char *id, const char *why)
{
	CLOUD_LOCK(c);
	struct row *r = model_find(c->model, KIND_INSTANCE, id);

	if (!r)
		return;
	cloud_notice(c, id, "%s could not start: %s", id, why);
	instance_set_reason(r, "Server.InternalError", why);
	if (doc_bool(r->doc, "_started_before")) {
		take_public_address(r);
		instance_set_state(c, r, STATE_STOPPED);
		return;
	}
	instance_set_state(c, r, STATE_SHUTTING_DOWN);
	jobs_add(c->jobs, NULL, 0, terminated_job, task_new(c, id, NULL));
}

/* --- ports ---------------------------------------------------------- */

static void ports_job(void *data)
{
	AUTO(task) struct task *t = data;
	AUTO(err) struct err err = ERR_INIT;
	struct instance_port *ports = NULL;
	struct cloud *c = t->cloud;
	size_t n = 0;
	bool up;

	pthread_mutex_lock(&c->lock);
	struct row *r = model_find(c->model, KIND_INSTANCE, t->id);
	up = r && instance_is_up(c, t->id);
	if (up)
		group_ports(c, json_object_get(r->doc, "groupSet"), &ports, &n);
	pthread_mutex_unlock(&c->lock);
	if (up && c->ops->set_ports(c->backend, t->id, ports, n, &err) < 0) {
		CLOUD_LOCK(c);
		cloud_notice(c, t->id, "ports of %s: %s", t->id, err.msg);
	}
	free(ports);
}

void lifecycle_instance_ports(struct cloud *c, struct row *r)
{
	jobs_add(c->jobs, r->id, 0, ports_job, task_new(c, r->id, NULL));
}

void lifecycle_ports_changed(struct cloud *c, const char *group)
{
	for (size_t i = 0; i < model_count(c->model, KIND_INSTANCE); i++) {
		struct row *r = model_at(c->model, KIND_INSTANCE, i);

		if (doc_find(json_object_get(r->doc, "groupSet"), "groupId", group, NULL))
			lifecycle_instance_ports(c, r);
	}
}

/* --- events --------------------------------------------------------- */

static void went_down(struct cloud *c, struct row *r)
{
	bool terminate = streq(doc_str(r->doc, "_shutdown_behavior"), "terminate");

	if (doc_bool(r->doc, "_imaging") || c->ending)
		return;
	if (instance_is(r, "running") || instance_is(r, "pending")) {
		instance_set_reason(
			r, "Client.InstanceInitiatedShutdown",
			"Client.InstanceInitiatedShutdown: Instance initiated shutdown");
		instance_set_state(c, r, terminate ? STATE_SHUTTING_DOWN : STATE_STOPPING);
	}
	came_down(c, r);
}

static void on_event(void *data, const char *id, enum instance_event e, const char *text)
{
	struct cloud *c = data;
	struct row *r;

	if (e == INSTANCE_FAILED)
		launch_failed(c, id, text ? text : "the backend gave no reason");
	CLOUD_LOCK(c);
	r = model_find(c->model, KIND_INSTANCE, id);
	if (e == INSTANCE_UP)
		map_sets(&c->up, id, c);
	else if (e == INSTANCE_DOWN || e == INSTANCE_FAILED)
		map_remove(&c->up, str_from(id));
	pthread_cond_broadcast(&c->moved);
	if (!r)
		return;
	if (e == INSTANCE_UP)
		lifecycle_instance_ports(c, r); /* rules may have come while it started */
	if (e == INSTANCE_UP && instance_is(r, "pending"))
		jobs_add(c->jobs, NULL, state_left(c, r->doc), running_job, task_new(c, id, NULL));
	else if (e == INSTANCE_DOWN)
		went_down(c, r);
}

static void on_console(void *data, const char *id, const char *p, size_t n)
{
	console_add(data, id, p, n);
}

static void on_imds(void *data, const char *id, int fd)
{
	struct cloud *c = data;

	imds_serve(c->imds, id, fd);
}

static void on_refused(void *data, const char *id, const char *host)
{
	struct cloud *c = data;
	CLOUD_LOCK(c);

	cloud_notice(c, id,
		     "%s asked for %s, which the local cloud's proxy does not let through: "
		     "`ingot cloud up -net any` allows any http(s) host",
		     id, host);
}

const struct instance_events lifecycle_events_template = {
	.on_event = on_event,
	.on_console = on_console,
	.on_imds = on_imds,
	.on_refused = on_refused,
};

bool lifecycle_wait_down(struct cloud *c, const char *id, int64_t timeout_ms)
{
	int64_t due = clock_ms() + timeout_ms;
	struct timespec at = { .tv_sec = due / 1000, .tv_nsec = due % 1000 * 1000000 };
	CLOUD_LOCK(c);

	while (instance_is_up(c, id) && clock_ms() < due)
		pthread_cond_timedwait(&c->moved, &c->lock, &at);
	return !instance_is_up(c, id);
}

/* --- after a restart of the daemon ---------------------------------- */

void lifecycle_recover(struct cloud *c)
{
	for (size_t i = 0; i < model_count(c->model, KIND_INSTANCE); i++) {
		struct row *r = model_at(c->model, KIND_INSTANCE, i);

		doc_remove(r->doc, "_imaging");
		if (instance_is(r, "shutting-down")) {
			jobs_add(c->jobs, NULL, 0, terminated_job, task_new(c, r->id, NULL));
		} else if (!instance_is(r, "stopped") && !instance_is(r, "terminated")) {
			take_public_address(r);
			instance_set_reason(
				r, "Server.LocalCloudStopped",
				"Server.LocalCloudStopped: the local cloud was stopped");
			instance_set_state(c, r, STATE_STOPPED);
		}
	}
	lifecycle_recover_disks(c);
}
