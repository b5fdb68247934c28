/* DescribeInstances and DescribeInstanceStatus. */
#include "base/clock.h"
#include "cloud/api/services.h"
#include "cloud/model/lifecycle.h"

#define TERMINATED_SHOWN_SECONDS 3600 /* EC2 shows them about an hour */

static const struct filter_row filters[] = {
	{ "instance-id", "instanceId" },
	{ "image-id", "imageId" },
	{ "instance-type", "instanceType" },
	{ "instance-state-name", "instanceState.name" },
	{ "instance-state-code", "instanceState.code" },
	{ "instance.group-id", "groupSet[].groupId" },
	{ "instance.group-name", "groupSet[].groupName" },
	{ "group-id", "groupSet[].groupId" },
	{ "group-name", "groupSet[].groupName" },
	{ "availability-zone", "placement.availabilityZone" },
	{ "tenancy", "placement.tenancy" },
	{ "key-name", "keyName" },
	{ "vpc-id", "vpcId" },
	{ "subnet-id", "subnetId" },
	{ "private-ip-address", "privateIpAddress" },
	{ "ip-address", "ipAddress" },
	{ "dns-name", "dnsName" },
	{ "private-dns-name", "privateDnsName" },
	{ "reservation-id", "_reservation" },
	{ "requester-id", "_owner" },
	{ "owner-id", "_owner" },
	{ "architecture", "architecture" },
	{ "hypervisor", "hypervisor" },
	{ "virtualization-type", "virtualizationType" },
	{ "root-device-name", "rootDeviceName" },
	{ "root-device-type", "rootDeviceType" },
	{ "client-token", "clientToken" },
	{ "launch-time", "launchTime" },
	{ "launch-index", "amiLaunchIndex" },
	{ "instance-lifecycle", "instanceLifecycle" },
	{ "monitoring-state", "monitoring.state" },
	{ "reason", "reason" },
	{ "state-reason-code", "stateReason.code" },
	{ "state-reason-message", "stateReason.message" },
	{ "source-dest-check", "sourceDestCheck" },
	{ "iam-instance-profile.arn", "iamInstanceProfile.arn" },
	{ "iam-instance-profile.id", "iamInstanceProfile.id" },
	{ "block-device-mapping.volume-id", "blockDeviceMapping[].ebs.volumeId" },
	{ "block-device-mapping.device-name", "blockDeviceMapping[].deviceName" },
	{ "block-device-mapping.status", "blockDeviceMapping[].ebs.status" },
	{ "block-device-mapping.delete-on-termination",
	  "blockDeviceMapping[].ebs.deleteOnTermination" },
	{ "network-interface.network-interface-id", "networkInterfaceSet[].networkInterfaceId" },
	{ "network-interface.mac-address", "networkInterfaceSet[].macAddress" },
	{ "network-interface.subnet-id", "networkInterfaceSet[].subnetId" },
	{ "network-interface.addresses.private-ip-address",
	  "networkInterfaceSet[].privateIpAddress" },
	{ "metadata-options.http-tokens", "metadataOptions.httpTokens" },
	{ "metadata-options.http-endpoint", "metadataOptions.httpEndpoint" },
	{ "hibernation-options.configured", "hibernationOptions.configured" },
	{ "platform-details", "platformDetails" },
	{ "usage-operation", "usageOperation" },
	{ "boot-mode", "bootMode" },
	{ 0 },
};

static void forget_terminated(struct call *c)
{
	for (size_t i = model_count(c->cloud->model, KIND_INSTANCE); i-- > 0;) {
		struct row *r = model_at(c->cloud->model, KIND_INSTANCE, i);

		if (instance_is(r, "terminated") &&
		    doc_int(r->doc, "_terminated") + TERMINATED_SHOWN_SECONDS < clock_unix())
			model_remove(c->cloud->model, r);
	}
}

static int describe_instances(struct call *c)
{
	static const struct listing l = { .kind = KIND_INSTANCE,
					  .id_param = "InstanceId",
					  .filters = filters };
	json_t *set = json_array(), *reservation = NULL;
	size_t n, from, to;
	struct row **v;

	forget_terminated(c);
	json_object_set_new(c->out, "reservationSet", set);
	if (call_select(c, &l, &v, &n) < 0 || call_page(c, 5, 1000, n, &from, &to) < 0)
		return -1;
	for (size_t i = from; i < to; i++) {
		const char *id = doc_str(v[i]->doc, "_reservation");

		if (!reservation || !streq(doc_str(reservation, "reservationId"), id)) {
			reservation =
				json_pack("{s:s, s:s, s:[], s:[]}", "reservationId", id, "ownerId",
					  c->cloud->account, "groupSet", "instancesSet");
			json_array_append_new(set, reservation);
		}
		json_array_append(json_object_get(reservation, "instancesSet"), v[i]->doc);
	}
	return 0;
}

static const struct filter_row status_filters[] = {
	{ "availability-zone", "placement.availabilityZone" },
	{ "instance-state-name", "instanceState.name" },
	{ "instance-state-code", "instanceState.code" },
	{ "instance-status.status", "_status" },
	{ "system-status.status", "_status" },
	{ 0 },
};

static bool running_or_all(struct call *c, struct row *r, bool by_id UNUSED)
{
	doc_set_str(r->doc, "_status", instance_is(r, "running") ? "ok" : "not-applicable");
	return instance_is(r, "running") || streq(call_val(c, "IncludeAllInstances"), "true");
}

/* Only an instance that runs has checks to tell of. */
static json_t *checks(const char *status)
{
	if (!streq(status, "ok"))
		return json_pack("{s:s}", "status", status);
	return json_pack("{s:s, s:[{s:s, s:s}]}", "status", status, "details", "name",
			 "reachability", "status", "passed");
}

static json_t *render_status(struct call *c UNUSED, struct row *r)
{
	const char *status = doc_str(r->doc, "_status");

	return json_pack("{s:s, s:O, s:O, s:o, s:o}", "instanceId", r->id, "availabilityZone",
			 doc_get(r->doc, "placement.availabilityZone"), "instanceState",
			 json_object_get(r->doc, "instanceState"), "systemStatus", checks(status),
			 "instanceStatus", checks(status));
}

static int describe_status(struct call *c)
{
	static const struct listing l = { .kind = KIND_INSTANCE,
					  .id_param = "InstanceId",
					  .set = "instanceStatusSet",
					  .filters = status_filters,
					  .render = render_status };
	static const struct listing visible = { .kind = KIND_INSTANCE,
						.id_param = NULL,
						.set = "instanceStatusSet",
						.filters = status_filters,
						.visible = running_or_all,
						.render = render_status };
	size_t n;

	for (size_t i = 0; i < model_count(c->cloud->model, KIND_INSTANCE); i++)
		running_or_all(c, model_at(c->cloud->model, KIND_INSTANCE, i), false);
	call_list(c, &n, "InstanceId");
	if (!n)
		return call_describe(c, &visible);
	if (call_describe(c, &l) < 0)
		return -1;
	/* Of the ids asked for, only running ones are shown unless all are wanted. */
	json_t *set = json_object_get(c->out, "instanceStatusSet");
	for (size_t i = json_array_size(set); i-- > 0;)
		if (!streq(doc_str(json_array_get(set, i), "instanceState.name"), "running") &&
		    !streq(call_val(c, "IncludeAllInstances"), "true"))
			json_array_remove(set, i);
	return 0;
}

const struct action ec2_instance_actions[] = {
	{ "DescribeInstances", describe_instances, "InstanceId Filter MaxResults NextToken", 0 },
	{ "DescribeInstanceStatus", describe_status,
	  "InstanceId Filter MaxResults NextToken IncludeAllInstances", 0 },
	{ 0 },
};
