/* Attributes of instances. */
#include "cloud/actions/types.h"
#include "cloud/api/services.h"
#include "cloud/model/lifecycle.h"

/* Attributes that are one value: the name in requests and answers, the place in the document. */
static const struct {
	const char *name, *path;
	bool boolean;
	bool stopped; /* changes only while the instance is stopped */
} values[] = {
	{ "instanceType", "instanceType", false, true },
	{ "userData", "_user_data", false, true },
	{ "disableApiTermination", "_protected", true, false },
	{ "disableApiStop", "_stop_protected", true, false },
	{ "instanceInitiatedShutdownBehavior", "_shutdown_behavior", false, false },
	{ "rootDeviceName", "rootDeviceName", false, false },
	{ "ebsOptimized", "ebsOptimized", true, true },
	{ "enaSupport", "enaSupport", true, true },
	{ "sriovNetSupport", "sriovNetSupport", false, true },
	{ "sourceDestCheck", "sourceDestCheck", true, false },
	{ "kernel", "kernelId", false, true },
	{ "ramdisk", "ramdiskId", false, true },
};

static int describe(struct call *c)
{
	struct row *r = call_find(c, KIND_INSTANCE, call_val(c, "InstanceId"));
	const char *name = call_val(c, "Attribute");

	if (!r)
		return -1;
	json_object_set_new(c->out, "instanceId", json_string(r->id));
	if (streq(name, "groupSet") || streq(name, "blockDeviceMapping") ||
	    streq(name, "productCodes")) {
		json_object_set(c->out, name, json_object_get(r->doc, name));
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		json_t *v = doc_get(r->doc, values[i].path);

		if (!streq(values[i].name, name))
			continue;
		if (!v && values[i].boolean)
			json_object_set_new(c->out, name, json_pack("{s:b}", "value", 0));
		else
			json_object_set_new(c->out, name,
					    v ? json_pack("{s:O}", "value", v) : json_object());
		return 0;
	}
	return call_fail(c, "InvalidParameterValue",
			 "Value (%.60s) for parameter attribute is invalid.", name);
}

static int set_type(struct call *c, struct row *r, const char *name)
{
	struct instance_type t;

	if (!instance_type_find(name, &t))
		return call_fail(c, "InvalidInstanceAttributeValue",
				 "'%.60s' is not a valid instance type", name);
	doc_set_int(r->doc, "_vcpus", t.vcpus);
	doc_set_int(r->doc, "_memory", (int64_t)instance_type_memory(&t, c->cloud));
	return 0;
}

static int set_value(struct call *c, struct row *r, size_t i, const char *text)
{
	const char *name = values[i].name;

	if (values[i].stopped && !instance_is(r, "stopped"))
		return call_fail(c, "IncorrectInstanceState",
				 "The instance '%s' is not in the 'stopped' state.", r->id);
	if (streq(name, "rootDeviceName"))
		return call_fail(c, "InvalidParameterValue", "rootDeviceName cannot be changed");
	if (streq(name, "instanceType") && set_type(c, r, text) < 0)
		return -1;
	if (streq(name, "instanceInitiatedShutdownBehavior") && !streq(text, "stop") &&
	    !streq(text, "terminate"))
		return call_fail(c, "InvalidParameterValue",
				 "Value (%.40s) for %s is invalid: stop and terminate are known",
				 text, name);
	if (!values[i].boolean) {
		doc_set_str(r->doc, values[i].path, text);
		return 0;
	}
	if (!str_ieqs(str_from(text), "true") && !str_ieqs(str_from(text), "false"))
		return call_fail(c, "InvalidParameterValue",
				 "Value (%.40s) for %s is invalid. It must be true or false", text,
				 name);
	doc_set_bool(r->doc, values[i].path, str_ieqs(str_from(text), "true"));
	return 0;
}

static int set_groups(struct call *c, struct row *r)
{
	json_t *set = json_array();
	size_t n;
	const char **ids = call_list(c, &n, "GroupId");

	for (size_t i = 0; i < n; i++) {
		struct row *g = call_find(c, KIND_GROUP, ids[i]);

		if (!g) {
			json_decref(set);
			return -1;
		}
		json_array_append_new(set, json_pack("{s:s, s:O}", "groupId", g->id, "groupName",
						     json_object_get(g->doc, "groupName")));
	}
	if (n) {
		json_object_set(r->doc, "groupSet", set);
		lifecycle_instance_ports(c->cloud, r);
	}
	json_decref(set);
	return 0;
}

static int set_mappings(struct call *c, struct row *r)
{
	json_t *list = json_object_get(r->doc, "blockDeviceMapping"), *m;
	bool v;

	for (int i = 1; call_any(c, "BlockDeviceMapping.%d", i); i++) {
		const char *device = call_val(c, "BlockDeviceMapping.%d.DeviceName", i);
		const char *name =
			arena_printf(c->arena, "BlockDeviceMapping.%d.Ebs.DeleteOnTermination", i);

		m = doc_find(list, "deviceName", device, NULL);
		if (!m)
			return call_fail(c, "InvalidInstanceAttributeValue",
					 "No device is currently mapped at %.60s",
					 device ? device : "");
		v = doc_bool(m, "ebs.deleteOnTermination");
		if (call_bool(c, name, &v) < 0)
			return -1;
		doc_set_bool(m, "ebs.deleteOnTermination", v);
	}
	return 0;
}

static int modify(struct call *c)
{
	struct row *r = call_find(c, KIND_INSTANCE, call_val(c, "InstanceId"));
	const char *attribute = call_val(c, "Attribute"), *value = call_get(c, "Value");

	if (!r)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		/* Both forms: Attribute=x&Value=v, and X.Value=v. */
		char *name = arena_strdup(c->arena, values[i].name);
		const char *v;

		name[0] = (char)(name[0] & ~0x20);
		v = streq(attribute, values[i].name) ? value : call_get(c, "%s.Value", name);
		if (!v && streq(name, "UserData"))
			v = call_get(c, "UserData");
		if (v && set_value(c, r, i, v) < 0)
			return -1;
	}
	if (set_groups(c, r) < 0 || set_mappings(c, r) < 0)
		return -1;
	call_save(c, r);
	call_return_true(c);
	return 0;
}

static int reset(struct call *c)
{
	struct row *r = call_find(c, KIND_INSTANCE, call_val(c, "InstanceId"));

	if (!r)
		return -1;
	if (!streq(call_val(c, "Attribute"), "sourceDestCheck"))
		return call_fail(c, "InvalidParameterValue",
				 "Only sourceDestCheck can be reset here");
	doc_set_bool(r->doc, "sourceDestCheck", true);
	call_save(c, r);
	call_return_true(c);
	return 0;
}

static int modify_metadata(struct call *c)
{
	struct row *r = call_find(c, KIND_INSTANCE, call_val(c, "InstanceId"));
	const char *endpoint, *tokens, *tags;
	int64_t hops;

	if (!r)
		return -1;
	endpoint = doc_str(r->doc, "metadataOptions.httpEndpoint");
	tokens = doc_str(r->doc, "metadataOptions.httpTokens");
	tags = doc_str(r->doc, "metadataOptions.instanceMetadataTags");
	hops = doc_int(r->doc, "metadataOptions.httpPutResponseHopLimit");
	if (call_enum(c, "HttpEndpoint", "enabled|disabled", &endpoint) < 0 ||
	    call_enum(c, "HttpTokens", "optional|required", &tokens) < 0 ||
	    call_enum(c, "InstanceMetadataTags", "enabled|disabled", &tags) < 0 ||
	    call_int(c, "HttpPutResponseHopLimit", 1, 64, &hops) < 0)
		return -1;
	doc_set(r->doc, "metadataOptions",
		json_pack("{s:s, s:s, s:I, s:s, s:s, s:s}",
			  "state", "applied",
			  "httpTokens", tokens,
			  "httpPutResponseHopLimit", (json_int_t)hops,
			  "httpEndpoint", endpoint,
			  "httpProtocolIpv6", "disabled",
			  "instanceMetadataTags", tags));
	call_save(c, r);
	json_object_set_new(c->out, "instanceId", json_string(r->id));
	json_object_set(c->out, "instanceMetadataOptions",
			json_object_get(r->doc, "metadataOptions"));
	return 0;
}

const struct action ec2_attribute_actions[] = {
	{ "DescribeInstanceAttribute", describe, "InstanceId! Attribute!", 0 },
	{ "ModifyInstanceAttribute", modify,
	  "InstanceId! Attribute Value InstanceType UserData DisableApiTermination "
	  "DisableApiStop InstanceInitiatedShutdownBehavior EbsOptimized EnaSupport "
	  "SriovNetSupport SourceDestCheck Kernel Ramdisk GroupId BlockDeviceMapping",
	  0 },
	{ "ResetInstanceAttribute", reset, "InstanceId! Attribute!", 0 },
	{ "ModifyInstanceMetadataOptions", modify_metadata,
	  "InstanceId! HttpEndpoint HttpTokens HttpPutResponseHopLimit InstanceMetadataTags", 0 },
	{ 0 },
};
