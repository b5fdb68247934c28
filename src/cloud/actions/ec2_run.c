/* RunInstances. */
#include "base/clock.h"
#include "cloud/actions/images.h"
#include "cloud/actions/places.h"
#include "cloud/actions/profile.h"
#include "cloud/actions/types.h"
#include "cloud/api/services.h"
#include "cloud/model/groups.h"
#include "cloud/model/lifecycle.h"
#include "cloud/model/mappings.h"
#include "cloud/model/vpc.h"

#define USER_DATA_MAX 16384

/* What a RunInstances call asks for, read and checked before anything is made. */
struct launch {
	struct row *image, *subnet, *profile;
	struct instance_type type;
	json_t *groups;	  /* groupSet */
	json_t *mappings; /* volumes to make: see mappings.h */
	json_t *tags, *volume_tags, *nic_tags;
	const char *key_name, *public_key, *user_data, *private_ip, *shutdown, *tokens, *endpoint,
		*instance_tags, *tenancy, *lifecycle;
	int64_t hops, min, max;
	bool public_ip, ebs_optimized, protect, monitoring;
};

static void launch_release(struct launch *l)
{
	json_decref(l->groups);
	json_decref(l->mappings);
	json_decref(l->tags);
	json_decref(l->volume_tags);
	json_decref(l->nic_tags);
}
DEFINE_AUTO(launch, struct launch, launch_release);

static int read_image(struct call *c, struct launch *l)
{
	const char *type = call_val(c, "InstanceType");

	l->image = image_find(c, call_val(c, "ImageId"));
	if (!l->image)
		return -1;
	if (!streq(doc_str(l->image->doc, "imageState"), "available"))
		return call_fail(c,
				 streq(doc_str(l->image->doc, "imageState"), "disabled")
					 ? "InvalidAMIID.Unavailable"
					 : "IncorrectState",
				 "The image id '[%s]' is not available (it is %s)", l->image->id,
				 doc_str(l->image->doc, "imageState"));
	if (!instance_type_find(type ? type : "m1.small", &l->type))
		return call_fail(c, "InvalidParameterValue",
				 "Invalid value '%.60s' for InstanceType.", type);
	if (l->type.arm != streq(doc_str(l->image->doc, "architecture"), "arm64"))
		return call_fail(
			c, "InvalidParameterValue",
			"The architecture '%s' of the specified instance type does not match the "
			"architecture '%s' of the specified AMI.",
			l->type.arm ? "arm64" : "x86_64", doc_str(l->image->doc, "architecture"));
	return 0;
}

static int read_subnet(struct call *c, struct launch *l)
{
	const char *id = call_val(c, "SubnetId"), *zone = call_val(c, "Placement.AvailabilityZone");
	int index = zone ? zone_index(c->region, zone) : -1;

	if (!id)
		id = call_val(c, "NetworkInterface.1.SubnetId");
	if (zone && index < 0)
		return call_fail(c, "InvalidParameterValue", "Invalid availability zone: [%.60s]",
				 zone);
	if (!id) {
		l->subnet = vpc_default_subnet(c->cloud, c->region, index);
		if (!l->subnet)
			return call_fail(
				c, "MissingInput",
				"No subnets found for the default VPC. Please specify a subnet.");
	} else {
		l->subnet = call_find(c, KIND_SUBNET, id);
		if (!l->subnet)
			return -1;
		if (zone && !streq(zone, doc_str(l->subnet->doc, "availabilityZone")))
			return call_fail(
				c, "InvalidParameterValue",
				"The availability zone %s does not match that of the subnet %s",
				zone, id);
	}
	l->public_ip = doc_bool(l->subnet->doc, "mapPublicIpOnLaunch");
	return call_bool(c, "NetworkInterface.1.AssociatePublicIpAddress", &l->public_ip);
}

static int add_group(struct call *c, struct launch *l, struct row *group)
{
	const char *vpc = doc_str(l->subnet->doc, "vpcId");

	if (!group)
		return -1;
	if (!streq(doc_str(group->doc, "vpcId"), vpc))
		return call_fail(c, "InvalidParameter",
				 "Security group %s and subnet %s belong to different networks.",
				 group->id, l->subnet->id);
	json_array_append_new(l->groups, json_pack("{s:s, s:s}", "groupId", group->id, "groupName",
						   doc_str(group->doc, "groupName")));
	return 0;
}

static int read_groups(struct call *c, struct launch *l)
{
	static const char *const lists[] = {
		"SecurityGroupId",
		"NetworkInterface.1.SecurityGroupId",
	};
	const char *vpc = doc_str(l->subnet->doc, "vpcId");
	struct row *group;
	size_t n;

	l->groups = json_array();
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const char **ids = call_list(c, &n, "%s", lists[i]);

		for (size_t k = 0; k < n; k++)
			if (*ids[k] && add_group(c, l, call_find(c, KIND_GROUP, ids[k])) < 0)
				return -1;
	}
	const char **names = call_list(c, &n, "SecurityGroup");
	for (size_t k = 0; k < n; k++) {
		group = group_by_name(c->cloud, vpc, names[k]);
		if (!group)
			return call_fail(c, "InvalidGroup.NotFound",
					 "The security group '%.80s' does not exist in VPC '%s'",
					 names[k], vpc);
		if (add_group(c, l, group) < 0)
			return -1;
	}
	if (json_array_size(l->groups))
		return 0;
	group = group_by_name(c->cloud, vpc, "default");
	return group ? add_group(c, l, group) : 0;
}

static int read_key(struct call *c, struct launch *l)
{
	struct row *r;

	l->key_name = call_val(c, "KeyName");
	if (!l->key_name)
		return 0;
	for (size_t i = 0; (r = call_next(c, KIND_KEY_PAIR, &i));)
		if (streq(doc_str(r->doc, "keyName"), l->key_name)) {
			l->public_key = doc_str(r->doc, "_public");
			return 0;
		}
	return call_fail(c, "InvalidKeyPair.NotFound", "The key pair '%.100s' does not exist",
			 l->key_name);
}

static int read_user_data(struct call *c, struct launch *l)
{
	AUTO(buf) struct buf raw = BUF_INIT;
	const char *text = call_val(c, "UserData");

	if (!text)
		return 0;
	if (buf_add_unbase64(&raw, str_trim(str_from(text))) < 0)
		return call_fail(c, "InvalidUserData.Malformed",
				 "Invalid BASE64 encoding of user data.");
	if (raw.n > USER_DATA_MAX)
		return call_fail(c, "InvalidParameterValue", "User data is limited to %d bytes",
				 USER_DATA_MAX);
	l->user_data = text;
	return 0;
}

static int read_profile(struct call *c, struct launch *l)
{
	if (!call_val(c, "IamInstanceProfile.Name") && !call_val(c, "IamInstanceProfile.Arn"))
		return 0;
	l->profile = profile_named(c);
	return l->profile ? 0 : -1;
}

static int read_options(struct call *c, struct launch *l)
{
	l->shutdown = "stop";
	l->tenancy = "default";
	l->endpoint = "enabled";
	l->hops = 1;
	l->instance_tags = "disabled";
	/* An image made for IMDSv2 asks its instances to use nothing else. */
	l->tokens = doc_str(l->image->doc, "imdsSupport") ? "required" : "optional";
	if (doc_str(l->image->doc, "imdsSupport"))
		l->hops = 2;
	if (call_enum(c, "InstanceInitiatedShutdownBehavior", "stop|terminate", &l->shutdown) < 0 ||
	    call_enum(c, "Placement.Tenancy", "default|dedicated|host", &l->tenancy) < 0 ||
	    call_enum(c, "MetadataOptions.HttpEndpoint", "enabled|disabled", &l->endpoint) < 0 ||
	    call_enum(c, "MetadataOptions.HttpTokens", "optional|required", &l->tokens) < 0 ||
	    call_enum(c, "MetadataOptions.InstanceMetadataTags", "enabled|disabled",
		      &l->instance_tags) < 0 ||
	    call_enum(c, "InstanceMarketOptions.MarketType", "spot", &l->lifecycle) < 0 ||
	    call_int(c, "MetadataOptions.HttpPutResponseHopLimit", 1, 64, &l->hops) < 0 ||
	    call_bool(c, "EbsOptimized", &l->ebs_optimized) < 0 ||
	    call_bool(c, "DisableApiTermination", &l->protect) < 0 ||
	    call_bool(c, "Monitoring.Enabled", &l->monitoring) < 0)
		return -1;
	l->private_ip = call_val(c, "PrivateIpAddress");
	if (!l->private_ip)
		l->private_ip = call_val(c, "NetworkInterface.1.PrivateIpAddress");
	return 0;
}

#define LAUNCH_TAGS "instance|volume|network-interface|spot-instances-request|elastic-gpu"

static int read_tags(struct call *c, struct launch *l)
{
	return (l->tags = call_tags(c, "instance", LAUNCH_TAGS)) &&
			       (l->volume_tags = call_tags(c, "volume", LAUNCH_TAGS)) &&
			       (l->nic_tags = call_tags(c, "network-interface", LAUNCH_TAGS))
		       ? 0
		       : -1;
}

static int check_limits(struct call *c, const struct launch *l)
{
	uint64_t memory = (uint64_t)l->min * instance_type_memory(&l->type, c->cloud);
	int64_t n = 0;

	for (size_t i = 0; i < model_count(c->cloud->model, KIND_INSTANCE); i++) {
		struct row *r = model_at(c->cloud->model, KIND_INSTANCE, i);

		if (instance_is(r, "terminated") || instance_is(r, "stopped"))
			continue;
		n++;
		memory += (uint64_t)doc_int(r->doc, "_memory");
	}
	if (n + l->min > c->cloud->config.max_instances)
		return call_fail(c, "InstanceLimitExceeded",
				 "%lld instances run and %lld more were asked for: this local "
				 "cloud's limit is %u instances (ingot cloud up -max-instances)",
				 (long long)n, (long long)l->min, c->cloud->config.max_instances);
	if (memory > c->cloud->config.max_memory)
		return call_fail(c, "InstanceLimitExceeded",
				 "the instances would use %llu MiB: this local cloud's limit is "
				 "%llu MiB of memory (ingot cloud up -max-memory)",
				 (unsigned long long)memory >> 20,
				 (unsigned long long)c->cloud->config.max_memory >> 20);
	return 0;
}

static json_t *interface_doc(struct call *c, const struct launch *l, const char *ip,
			     const char *dns)
{
	char id[ID_SIZE], attach[ID_SIZE], mac[18], now[TIME_SIZE];
	uint32_t address = 0;

	id_new("eni", id);
	id_new("eni-attach", attach);
	ip_parse(ip, &address);
	mac_address(address, mac);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:O, "
			 "s:{s:s, s:i, s:s, s:s, s:b}, s:[{s:s, s:s, s:b}], s:s}",
			 "networkInterfaceId", id,
			 "subnetId", l->subnet->id,
			 "vpcId", doc_str(l->subnet->doc, "vpcId"),
			 "description", "",
			 "ownerId", c->cloud->account,
			 "status", "in-use",
			 "macAddress", mac,
			 "privateIpAddress", ip,
			 "sourceDestCheck", 1,
			 "groupSet", l->groups,
			 "attachment",
			 "attachmentId", attach, "deviceIndex", 0, "status", "attached",
			 "attachTime", time_now(now), "deleteOnTermination", 1,
			 "privateIpAddressesSet",
			 "privateIpAddress", ip, "privateDnsName", dns, "primary", 1,
			 "interfaceType", "interface");
}

/* "ip-172-31-0-12.ec2.internal" */
static const char *private_name(struct call *c, const char *ip)
{
	char *label = arena_strdup(c->arena, ip);

	for (char *p = label; *p; p++)
		if (*p == '.')
			*p = '-';
	if (streq(c->region, "us-east-1"))
		return arena_printf(c->arena, "ip-%s.ec2.internal", label);
	return arena_printf(c->arena, "ip-%s.%s.compute.internal", label, c->region);
}

/* What it has of its image. */
static void add_image(json_t *doc, const json_t *image)
{
	static const char *const texts[] = {
		"architecture",	   "rootDeviceName",  "virtualizationType",
		"sriovNetSupport", "bootMode",	      "platformDetails",
		"usageOperation",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		doc_set_str(doc, texts[i], doc_str(image, texts[i]));
	doc_set_bool(doc, "enaSupport", doc_bool(image, "enaSupport"));
	doc_set_str(doc, "rootDeviceType", "ebs");
	doc_set_str(doc, "hypervisor", "xen");
	doc_set_str(doc, "currentInstanceBootMode", "legacy-bios");
}

static json_t *instance_doc(struct call *c, const struct launch *l, const char *id, const char *ip,
			    int64_t index)
{
	const char *dns = private_name(c, ip), *reserve;
	char now[TIME_SIZE];
	json_t *doc = json_pack("{s:s, s:s, s:{s:i, s:s}, s:s, s:s, s:s, s:I, s:[], s:s, s:s, "
				"s:{s:O, s:s, s:s}, s:{s:s}, s:s, s:s, s:s, s:b}",
				"instanceId", id,
				"imageId", l->image->id,
				"instanceState", "code", 0, "name", "pending",
				"privateDnsName", dns,
				"dnsName", "",
				"reason", "",
				"amiLaunchIndex", (json_int_t)index,
				"productCodes",
				"instanceType", l->type.name,
				"launchTime", time_now(now),
				"placement",
				"availabilityZone",
				json_object_get(l->subnet->doc, "availabilityZone"),
				"groupName", "", "tenancy", l->tenancy,
				"monitoring", "state", l->monitoring ? "enabled" : "disabled",
				"subnetId", l->subnet->id,
				"vpcId", doc_str(l->subnet->doc, "vpcId"),
				"privateIpAddress", ip,
				"sourceDestCheck", 1);

	doc_set_str(doc, "keyName", l->key_name);
	doc_set_str(doc, "clientToken", call_val(c, "ClientToken"));
	doc_set_str(doc, "instanceLifecycle", l->lifecycle);
	doc_set_bool(doc, "ebsOptimized", l->ebs_optimized);
	add_image(doc, l->image->doc);
	json_object_set(doc, "groupSet", l->groups);
	json_object_set_new(doc, "networkInterfaceSet",
			    json_pack("[o]", interface_doc(c, l, ip, dns)));
	json_object_set_new(doc, "cpuOptions",
			    json_pack("{s:i, s:i}", "coreCount", MAX(1u, l->type.vcpus / 2),
				      "threadsPerCore", l->type.vcpus > 1 ? 2 : 1));
	json_object_set_new(doc, "metadataOptions",
			    json_pack("{s:s, s:s, s:I, s:s, s:s, s:s}",
				      "state", "applied",
				      "httpTokens", l->tokens,
				      "httpPutResponseHopLimit", (json_int_t)l->hops,
				      "httpEndpoint", l->endpoint,
				      "httpProtocolIpv6", "disabled",
				      "instanceMetadataTags", l->instance_tags));
	reserve = call_val(c, "CapacityReservationSpecification.CapacityReservationPreference");
	json_object_set_new(doc, "capacityReservationSpecification",
			    json_pack("{s:s}", "capacityReservationPreference",
				      reserve ? reserve : "open"));
	json_object_set_new(doc, "enclaveOptions",
			    json_pack("{s:b}", "enabled",
				      streq(call_val(c, "EnclaveOptions.Enabled"), "true")));
	json_object_set_new(doc, "hibernationOptions", json_pack("{s:b}", "configured", 0));
	if (l->profile)
		json_object_set_new(doc, "iamInstanceProfile", profile_reference(l->profile));
	json_object_set(doc, "tagSet", l->tags);
	json_object_set_new(doc, "blockDeviceMapping", json_array());
	return doc;
}

/* What only the cloud knows. */
static void add_private(struct call *c, const struct launch *l, json_t *doc,
			const char *reservation)
{
	doc_set_str(doc, "_reservation", reservation);
	doc_set_str(doc, "_owner", c->cloud->account);
	doc_set_str(doc, "_key", l->public_key);
	doc_set_str(doc, "_user_data", l->user_data);
	doc_set_str(doc, "_shutdown_behavior", l->shutdown);
	doc_set_str(doc, "_profile", l->profile ? l->profile->id : NULL);
	doc_set_str(doc, "_credits", call_val(c, "CreditSpecification.CpuCredits"));
	doc_set_bool(doc, "_protected", l->protect);
	doc_set_bool(doc, "_public", l->public_ip);
	doc_set_int(doc, "_memory", (json_int_t)instance_type_memory(&l->type, c->cloud));
	doc_set_int(doc, "_vcpus", l->type.vcpus);
	doc_set_int(doc, "_since", clock_unix_ms());
	json_object_set(doc, "_interface_tags", l->nic_tags);
}

static int run_one(struct call *c, struct launch *l, const char *reservation, int64_t index,
		   json_t *set)
{
	char id[ID_SIZE], ip[16];
	struct row *r;
	uint32_t address;

	if (l->private_ip && !ip_parse(l->private_ip, &address))
		return call_fail(c, "InvalidParameterValue",
				 "invalid value for parameter address: %.40s", l->private_ip);
	if (l->private_ip)
		snprintf(ip, sizeof(ip), "%s", l->private_ip);
	else if (!vpc_take_address(c->cloud, l->subnet, ip))
		return call_fail(c, "InsufficientFreeAddressesInSubnet",
				 "There are not enough free addresses in subnet '%s'",
				 l->subnet->id);
	id_new("i", id);
	r = call_put(c, KIND_INSTANCE, id, instance_doc(c, l, id, ip, index));
	add_private(c, l, r->doc, reservation);
	mappings_make_volumes(c, r, l->mappings, l->volume_tags);
	lifecycle_launch(c->cloud, r);
	json_array_append(set, r->doc);
	return 0;
}

static int run_instances(struct call *c)
{
	AUTO(launch) struct launch l = { 0 };
	char reservation[ID_SIZE];
	json_t *set;

	if (call_int(c, "MinCount", 1, 1000, &l.min) < 0 ||
	    call_int(c, "MaxCount", 1, 1000, &l.max) < 0)
		return -1;
	if (l.min > l.max)
		return call_fail(c, "InvalidParameterValue",
				 "Value (%lld) for parameter minCount is invalid: it is larger "
				 "than maxCount",
				 (long long)l.min);
	if (read_image(c, &l) < 0 || read_subnet(c, &l) < 0 || read_groups(c, &l) < 0 ||
	    read_key(c, &l) < 0 || read_user_data(c, &l) < 0 || read_profile(c, &l) < 0 ||
	    read_options(c, &l) < 0 || read_tags(c, &l) < 0)
		return -1;
	l.mappings = mappings_merge(c, json_object_get(l.image->doc, "blockDeviceMapping"),
				    "BlockDeviceMapping");
	if (!l.mappings || check_limits(c, &l) < 0 || call_dry_run(c) < 0)
		return -1;
	id_new("r", reservation);
	set = json_array();
	json_object_set_new(c->out, "reservationId", json_string(reservation));
	json_object_set_new(c->out, "ownerId", json_string(c->cloud->account));
	json_object_set_new(c->out, "groupSet", json_array());
	json_object_set_new(c->out, "instancesSet", set);
	for (int64_t i = 0; i < l.max; i++) {
		if (i >= l.min) {
			/* More than asked for at least: as many as there is room for. */
			l.min++;
			if (check_limits(c, &l) < 0)
				break;
		}
		if (run_one(c, &l, reservation, i, set) < 0)
			return -1;
	}
	return 0;
}

const struct action ec2_run_actions[] = {
	{ "RunInstances", run_instances,
	  "ImageId! MinCount! MaxCount! InstanceType KeyName SecurityGroupId SecurityGroup "
	  "SubnetId NetworkInterface Placement UserData IamInstanceProfile BlockDeviceMapping "
	  "TagSpecification MetadataOptions DisableApiTermination EbsOptimized Monitoring "
	  "InstanceInitiatedShutdownBehavior CreditSpecification EnclaveOptions "
	  "CapacityReservationSpecification ClientToken PrivateIpAddress InstanceMarketOptions",
	  ACTION_LATE_DRY_RUN },
	{ 0 },
};
