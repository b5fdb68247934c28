/* Start, stop, reboot, terminate; what an instance said on its console. */
#include "cloud/api/services.h"
#include "cloud/console.h"
#include "cloud/model/lifecycle.h"

#define CONSOLE_MAX 65536 /* EC2 keeps the last 64 KiB */

/* All ids are checked before any is touched. */
static struct row **find_all(struct call *c, size_t *ret_n)
{
	size_t n;
	const char **ids = call_list(c, &n, "InstanceId");
	struct row **v = arena_new_array(c->arena, struct row *, n + 1);

	for (size_t i = 0; i < n; i++)
		if (!(v[i] = call_find(c, KIND_INSTANCE, ids[i])))
			return NULL;
	if (!n) {
		call_missing(c, "InstanceId");
		return NULL;
	}
	*ret_n = n;
	return v;
}

static void add_change(json_t *set, const struct row *r, json_t *previous)
{
	json_array_append_new(set,
			      json_pack("{s:s, s:o, s:o}", "instanceId", r->id, "currentState",
					json_deep_copy(json_object_get(r->doc, "instanceState")),
					"previousState", previous));
}

static json_t *answer_set(struct call *c)
{
	json_t *set = json_array();

	json_object_set_new(c->out, "instancesSet", set);
	return set;
}

static int terminate(struct call *c)
{
	json_t *set = answer_set(c);
	size_t n;
	struct row **v = find_all(c, &n);

	if (!v)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (doc_bool(v[i]->doc, "_protected"))
			return call_fail(
				c, "OperationNotPermitted",
				"The instance '%s' may not be terminated. Modify its "
				"'disableApiTermination' instance attribute and try again.",
				v[i]->id);
	for (size_t i = 0; i < n; i++) {
		json_t *previous = json_deep_copy(json_object_get(v[i]->doc, "instanceState"));

		if (!instance_is(v[i], "terminated") && !instance_is(v[i], "shutting-down")) {
			instance_set_reason(
				v[i], "Client.UserInitiatedShutdown",
				"Client.UserInitiatedShutdown: User initiated shutdown");
			instance_set_state(c->cloud, v[i], STATE_SHUTTING_DOWN);
			lifecycle_terminate(c->cloud, v[i]);
		}
		add_change(set, v[i], previous);
	}
	return 0;
}

static int stop(struct call *c)
{
	json_t *set = answer_set(c);
	bool force = false;
	size_t n;
	struct row **v = find_all(c, &n);

	if (!v || call_bool(c, "Force", &force) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (instance_is(v[i], "terminated") || instance_is(v[i], "shutting-down") ||
		    instance_is(v[i], "pending"))
			return call_fail(
				c, "IncorrectInstanceState",
				"The instance '%s' is not in a state from which it can be stopped.",
				v[i]->id);
		if (streq(doc_str(v[i]->doc, "instanceLifecycle"), "spot"))
			return call_fail(c, "UnsupportedOperation",
					 "You can't stop the Spot Instance '%s' because it is "
					 "associated with a one-time Spot Instance request. You "
					 "can only stop Spot Instances associated with "
					 "persistent Spot Instance requests.",
					 v[i]->id);
	}
	for (size_t i = 0; i < n; i++) {
		json_t *previous = json_deep_copy(json_object_get(v[i]->doc, "instanceState"));

		if (instance_is(v[i], "running")) {
			instance_set_reason(
				v[i], "Client.UserInitiatedShutdown",
				"Client.UserInitiatedShutdown: User initiated shutdown");
			instance_set_state(c->cloud, v[i], STATE_STOPPING);
			lifecycle_stop(c->cloud, v[i], force);
		} else if (instance_is(v[i], "stopping") && force) {
			lifecycle_stop(c->cloud, v[i], true);
		}
		add_change(set, v[i], previous);
	}
	return 0;
}

static int start(struct call *c)
{
	json_t *set = answer_set(c);
	size_t n;
	struct row **v = find_all(c, &n);

	if (!v)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!instance_is(v[i], "stopped") && !instance_is(v[i], "running") &&
		    !instance_is(v[i], "pending"))
			return call_fail(
				c, "IncorrectInstanceState",
				"The instance '%s' is not in a state from which it can be started.",
				v[i]->id);
	for (size_t i = 0; i < n; i++) {
		json_t *previous = json_deep_copy(json_object_get(v[i]->doc, "instanceState"));

		if (instance_is(v[i], "stopped")) {
			instance_set_reason(v[i], NULL, NULL);
			instance_set_state(c->cloud, v[i], STATE_PENDING);
			lifecycle_start(c->cloud, v[i]);
		}
		add_change(set, v[i], previous);
	}
	return 0;
}

static int reboot(struct call *c)
{
	size_t n;
	struct row **v = find_all(c, &n);

	if (!v)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!instance_is(v[i], "running") && !instance_is(v[i], "pending"))
			return call_fail(
				c, "IncorrectState",
				"Instance is not in the proper state to be rebooted: '%s' is %s",
				v[i]->id, doc_str(v[i]->doc, "instanceState.name"));
	for (size_t i = 0; i < n; i++)
		lifecycle_reboot(c->cloud, v[i]);
	call_return_true(c);
	return 0;
}

static int console_output(struct call *c)
{
	struct row *r = call_find(c, KIND_INSTANCE, call_val(c, "InstanceId"));
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(buf) struct buf b64 = BUF_INIT;
	char now[TIME_SIZE];

	if (!r)
		return -1;
	console_read(c->cloud, r->id, CONSOLE_MAX, &text);
	buf_add_base64(&b64, text.p, text.n);
	json_object_set_new(c->out, "instanceId", json_string(r->id));
	json_object_set_new(c->out, "timestamp", json_string(time_now(now)));
	json_object_set_new(c->out, "output", json_string(buf_cstr(&b64)));
	return 0;
}

static int password_data(struct call *c)
{
	struct row *r = call_find(c, KIND_INSTANCE, call_val(c, "InstanceId"));
	char now[TIME_SIZE];

	if (!r)
		return -1;
	/* No instance here is Windows: there never is one, as on EC2 for Linux. */
	json_object_set_new(c->out, "instanceId", json_string(r->id));
	json_object_set_new(c->out, "timestamp", json_string(time_now(now)));
	json_object_set_new(c->out, "passwordData", json_string(""));
	return 0;
}

const struct action ec2_state_actions[] = {
	{ "TerminateInstances", terminate, "InstanceId.!", 0 },
	{ "StopInstances", stop, "InstanceId.! Force", 0 },
	{ "StartInstances", start, "InstanceId.!", 0 },
	{ "RebootInstances", reboot, "InstanceId.!", 0 },
	{ "GetConsoleOutput", console_output, "InstanceId! Latest", 0 },
	{ "GetPasswordData", password_data, "InstanceId!", 0 },
	{ 0 },
};
