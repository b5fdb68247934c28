/* Rows as a call sees them: kinds of ids, lookups with EC2's errors. */
#include "cloud/api/api.h"

static const struct kind_info infos[KINDS] = {
	[KIND_INSTANCE] = { "i", "instance", "InvalidInstanceID.NotFound",
			    "InvalidInstanceID.Malformed", "The instance ID '%s' does not exist" },
	[KIND_IMAGE] = { "ami", "image", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed",
			 "The image id '[%s]' does not exist" },
	[KIND_SNAPSHOT] = { "snap", "snapshot", "InvalidSnapshot.NotFound",
			    "InvalidSnapshotID.Malformed", "The snapshot '%s' does not exist." },
	[KIND_VOLUME] = { "vol", "volume", "InvalidVolume.NotFound", "InvalidVolumeID.Malformed",
			  "The volume '%s' does not exist." },
	[KIND_KEY_PAIR] = { "key", "key-pair", "InvalidKeyPair.NotFound", "InvalidKeyPair.NotFound",
			    "The key pair '%s' does not exist" },
	[KIND_GROUP] = { "sg", "security-group", "InvalidGroup.NotFound",
			 "InvalidGroupId.Malformed", "The security group '%s' does not exist" },
	[KIND_RULE] = { "sgr", "security-group-rule", "InvalidSecurityGroupRuleId.NotFound",
			"InvalidSecurityGroupRuleId.Malformed",
			"The security group rule ID '%s' does not exist" },
	[KIND_VPC] = { "vpc", "vpc", "InvalidVpcID.NotFound", "InvalidVpcId.Malformed",
		       "The vpc ID '%s' does not exist" },
	[KIND_SUBNET] = { "subnet", "subnet", "InvalidSubnetID.NotFound",
			  "InvalidSubnetID.Malformed", "The subnet ID '%s' does not exist" },
	[KIND_INTERFACE] = { "eni", "network-interface", "InvalidNetworkInterfaceID.NotFound",
			     "InvalidNetworkInterfaceId.Malformed",
			     "The networkInterface ID '%s' does not exist" },
	[KIND_GATEWAY] = { "igw", "internet-gateway", "InvalidInternetGatewayID.NotFound",
			   "InvalidInternetGatewayId.Malformed",
			   "The internetGateway ID '%s' does not exist" },
	[KIND_ROUTE_TABLE] = { "rtb", "route-table", "InvalidRouteTableID.NotFound",
			       "InvalidRouteTableId.Malformed",
			       "The routeTable ID '%s' does not exist" },
	[KIND_LAUNCH_TEMPLATE] = { "lt", "launch-template", "InvalidLaunchTemplateId.NotFound",
				   "InvalidLaunchTemplateId.Malformed",
				   "The launch template ID '%s' does not exist" },
	[KIND_FLEET] = { "fleet", "fleet", "InvalidFleetId.NotFound", "InvalidFleetId.Malformed",
			 "The fleet ID '%s' does not exist" },
};

const struct kind_info *kind_info(enum kind kind)
{
	return infos[kind].prefix ? &infos[kind] : NULL;
}

bool kind_of_id(const char *id, enum kind *ret)
{
	const char *dash = strchr(id, '-');

	for (int k = 0; dash && k < KINDS; k++)
		if (infos[k].prefix && strlen(infos[k].prefix) == (size_t)(dash - id) &&
		    strncmp(infos[k].prefix, id, (size_t)(dash - id)) == 0) {
			*ret = (enum kind)k;
			return true;
		}
	return false;
}

bool call_sees(struct call *c, struct row *r)
{
	if (!row_in(r, c->region) && r->region[0])
		return false;
	if (r->hidden_in == c->serial)
		return false;
	if (r->hidden_reads) {
		/* A call that looks several times counts once. */
		r->hidden_reads--;
		r->hidden_in = c->serial;
		return false;
	}
	return true;
}

struct row *call_lookup(struct call *c, enum kind kind, const char *id)
{
	struct row *r = model_find(c->cloud->model, kind, id);

	return r && call_sees(c, r) ? r : NULL;
}

struct row *call_find(struct call *c, enum kind kind, const char *id)
{
	const struct kind_info *info = &infos[kind];
	struct row *r = call_lookup(c, kind, id);

	if (r)
		return r;
	/* Stand-ins may have ids of other forms: only what is not there is looked at closer. */
	if (strncmp(id, info->prefix, strlen(info->prefix)) != 0 || id[strlen(info->prefix)] != '-')
		call_fail(c, info->malformed, "Invalid id: \"%.80s\" (expecting \"%s-...\")", id,
			  info->prefix);
	else if (strspn(id + strlen(info->prefix) + 1, "0123456789abcdef") !=
		 strlen(id) - strlen(info->prefix) - 1)
		call_fail(c, info->malformed, "Invalid id: \"%.80s\"", id);
	else
		call_fail(c, info->not_found, info->text, id);
	return NULL;
}

struct row *call_next(struct call *c, enum kind kind, size_t *i)
{
	const struct model *m = c->cloud->model;

	while (*i < model_count(m, kind)) {
		struct row *r = model_at(m, kind, (*i)++);

		if (call_sees(c, r))
			return r;
	}
	return NULL;
}

struct row *call_put(struct call *c, enum kind kind, const char *id, json_t *doc)
{
	json_array_append_new(c->created, json_string(id));
	return model_put(c->cloud->model, kind, c->region, id, doc);
}
