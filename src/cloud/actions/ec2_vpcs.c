/* VPCs, subnets, and the read side of gateways, route tables and network interfaces. */
#include "cloud/actions/places.h"
#include "cloud/api/services.h"
#include "cloud/model/groups.h"
#include "cloud/model/vpc.h"

static const struct filter_row vpc_filters[] = {
	{ "vpc-id", "vpcId" },
	{ "cidr", "cidrBlock" },
	{ "cidr-block-association.cidr-block", "cidrBlockAssociationSet[].cidrBlock" },
	{ "dhcp-options-id", "dhcpOptionsId" },
	{ "is-default", "isDefault" },
	{ "isDefault", "isDefault" },
	{ "owner-id", "ownerId" },
	{ "state", "state" },
	{ 0 },
};
static const struct filter_row subnet_filters[] = {
	{ "subnet-id", "subnetId" },
	{ "subnet-arn", "subnetArn" },
	{ "vpc-id", "vpcId" },
	{ "cidr-block", "cidrBlock" },
	{ "cidrBlock", "cidrBlock" },
	{ "cidr", "cidrBlock" },
	{ "availability-zone", "availabilityZone" },
	{ "availabilityZone", "availabilityZone" },
	{ "availability-zone-id", "availabilityZoneId" },
	{ "available-ip-address-count", "availableIpAddressCount" },
	{ "default-for-az", "defaultForAz" },
	{ "defaultForAz", "defaultForAz" },
	{ "map-public-ip-on-launch", "mapPublicIpOnLaunch" },
	{ "owner-id", "ownerId" },
	{ "state", "state" },
	{ 0 },
};
static const struct filter_row gateway_filters[] = {
	{ "internet-gateway-id", "internetGatewayId" },
	{ "attachment.vpc-id", "attachmentSet[].vpcId" },
	{ "attachment.state", "attachmentSet[].state" },
	{ "owner-id", "ownerId" },
	{ 0 },
};
static const struct filter_row table_filters[] = {
	{ "route-table-id", "routeTableId" },
	{ "vpc-id", "vpcId" },
	{ "association.main", "associationSet[].main" },
	{ "association.subnet-id", "associationSet[].subnetId" },
	{ "owner-id", "ownerId" },
	{ 0 },
};

static int describe_vpcs(struct call *c)
{
	static const struct listing l = {
		.kind = KIND_VPC, .id_param = "VpcId", .set = "vpcSet", .filters = vpc_filters
	};

	return call_describe(c, &l);
}

static void count_addresses(struct call *c, struct row *r)
{
	doc_set_int(r->doc, "availableIpAddressCount", vpc_free_addresses(c->cloud, r));
}

static int describe_subnets(struct call *c)
{
	static const struct listing l = { .kind = KIND_SUBNET,
					  .id_param = "SubnetId",
					  .set = "subnetSet",
					  .filters = subnet_filters };

	for (size_t i = 0; i < model_count(c->cloud->model, KIND_SUBNET); i++)
		count_addresses(c, model_at(c->cloud->model, KIND_SUBNET, i));
	return call_describe(c, &l);
}

static int describe_gateways(struct call *c)
{
	static const struct listing l = { .kind = KIND_GATEWAY,
					  .id_param = "InternetGatewayId",
					  .set = "internetGatewaySet",
					  .filters = gateway_filters };

	return call_describe(c, &l);
}

static int describe_tables(struct call *c)
{
	static const struct listing l = { .kind = KIND_ROUTE_TABLE,
					  .id_param = "RouteTableId",
					  .set = "routeTableSet",
					  .filters = table_filters };

	return call_describe(c, &l);
}

static int check_cidr(struct call *c, const char *cidr, int min_bits, int max_bits)
{
	uint32_t address;
	int bits;

	if (!cidr_parse(cidr, &address, &bits))
		return call_fail(c, "InvalidParameterValue",
				 "Value (%.40s) for parameter cidrBlock is invalid. This is not "
				 "a valid CIDR block.",
				 cidr);
	if (bits < min_bits || bits > max_bits)
		return call_fail(c, "InvalidVpc.Range",
				 "The CIDR '%s' is invalid: its prefix is between /%d and /%d",
				 cidr, min_bits, max_bits);
	return 0;
}

static int create_vpc(struct call *c)
{
	const char *cidr = call_val(c, "CidrBlock"), *tenancy = "default";
	char id[ID_SIZE];
	struct row *r;
	json_t *tags;

	if (check_cidr(c, cidr, 16, 28) < 0 ||
	    call_enum(c, "InstanceTenancy", "default|dedicated", &tenancy) < 0)
		return -1;
	tags = call_tags(c, "vpc", "vpc");
	if (!tags)
		return -1;
	id_new("vpc", id);
	r = vpc_create(c->cloud, c->region, id, cidr, false);
	json_array_append_new(c->created, json_string(id));
	json_object_set_new(r->doc, "tagSet", tags);
	doc_set_str(r->doc, "instanceTenancy", tenancy);
	call_save(c, r);
	json_object_set(c->out, "vpc", r->doc);
	return 0;
}

static bool uses_vpc(struct call *c, enum kind kind, const char *vpc)
{
	for (size_t i = 0; i < model_count(c->cloud->model, kind); i++)
		if (streq(doc_str(model_at(c->cloud->model, kind, i)->doc, "vpcId"), vpc) &&
		    !streq(doc_str(model_at(c->cloud->model, kind, i)->doc, "groupName"),
			   "default"))
			return true;
	return false;
}

static int delete_vpc(struct call *c)
{
	struct row *vpc = call_find(c, KIND_VPC, call_val(c, "VpcId")), *group;

	if (!vpc)
		return -1;
	if (uses_vpc(c, KIND_SUBNET, vpc->id) || uses_vpc(c, KIND_INSTANCE, vpc->id) ||
	    uses_vpc(c, KIND_GROUP, vpc->id))
		return call_fail(c, "DependencyViolation",
				 "The vpc '%s' has dependencies and cannot be deleted.", vpc->id);
	group = group_by_name(c->cloud, vpc->id, "default");
	if (group)
		group_remove(c->cloud, group);
	model_remove(c->cloud->model, vpc);
	call_return_true(c);
	return 0;
}

static int create_subnet(struct call *c)
{
	struct row *vpc = call_find(c, KIND_VPC, call_val(c, "VpcId")), *r;
	const char *cidr = call_val(c, "CidrBlock"), *zone = call_val(c, "AvailabilityZone");
	uint32_t net, address;
	int net_bits, bits, index = zone ? zone_index(c->region, zone) : 0;
	char id[ID_SIZE];
	json_t *tags;

	if (!vpc || check_cidr(c, cidr, 16, 28) < 0)
		return -1;
	if (index < 0)
		return call_fail(c, "InvalidParameterValue",
				 "Value (%.40s) for parameter availabilityZone is invalid.", zone);
	cidr_parse(doc_str(vpc->doc, "cidrBlock"), &net, &net_bits);
	cidr_parse(cidr, &address, &bits);
	if (bits < net_bits || (address ^ net) >> (32 - net_bits))
		return call_fail(c, "InvalidSubnet.Range", "The CIDR '%s' is invalid.", cidr);
	for (size_t i = 0; i < model_count(c->cloud->model, KIND_SUBNET); i++) {
		const json_t *doc = model_at(c->cloud->model, KIND_SUBNET, i)->doc;
		uint32_t other;
		int other_bits;

		if (streq(doc_str(doc, "vpcId"), vpc->id) &&
		    cidr_parse(doc_str(doc, "cidrBlock"), &other, &other_bits) &&
		    (address ^ other) >> (32 - MIN(bits, other_bits)) == 0)
			return call_fail(c, "InvalidSubnet.Conflict",
					 "The CIDR '%s' conflicts with another subnet", cidr);
	}
	tags = call_tags(c, "subnet", "subnet");
	if (!tags)
		return -1;
	id_new("subnet", id);
	r = vpc_create_subnet(c->cloud, c->region, id, vpc->id, cidr, index, false);
	json_array_append_new(c->created, json_string(id));
	json_object_set_new(r->doc, "tagSet", tags);
	call_save(c, r);
	count_addresses(c, r);
	json_object_set(c->out, "subnet", r->doc);
	return 0;
}

static int delete_subnet(struct call *c)
{
	struct row *r = call_find(c, KIND_SUBNET, call_val(c, "SubnetId"));

	if (!r)
		return -1;
	for (size_t i = 0; i < model_count(c->cloud->model, KIND_INSTANCE); i++)
		if (streq(doc_str(model_at(c->cloud->model, KIND_INSTANCE, i)->doc, "subnetId"),
			  r->id))
			return call_fail(c, "DependencyViolation",
					 "The subnet '%s' has dependencies and cannot be deleted.",
					 r->id);
	model_remove(c->cloud->model, r);
	call_return_true(c);
	return 0;
}

static int modify_subnet(struct call *c)
{
	struct row *r = call_find(c, KIND_SUBNET, call_val(c, "SubnetId"));
	bool v;

	if (!r)
		return -1;
	v = doc_bool(r->doc, "mapPublicIpOnLaunch");
	if (call_bool(c, "MapPublicIpOnLaunch.Value", &v) < 0)
		return -1;
	doc_set_bool(r->doc, "mapPublicIpOnLaunch", v);
	call_save(c, r);
	call_return_true(c);
	return 0;
}

static int describe_vpc_attribute(struct call *c)
{
	static const struct {
		const char *name, *path;
	} attributes[] = { { "enableDnsSupport", "_dns.support" },
			   { "enableDnsHostnames", "_dns.hostnames" } };
	const char *name = call_val(c, "Attribute");
	struct row *r = call_find(c, KIND_VPC, call_val(c, "VpcId"));

	if (!r)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
		if (streq(attributes[i].name, name)) {
			json_object_set_new(c->out, "vpcId", json_string(r->id));
			json_object_set_new(c->out, name,
					    json_pack("{s:b}", "value",
						      (int)doc_bool(r->doc, attributes[i].path)));
			return 0;
		}
	return call_fail(c, "InvalidParameterValue",
			 "Value (%.60s) for parameter attribute is invalid.", name);
}

static int modify_vpc_attribute(struct call *c)
{
	struct row *r = call_find(c, KIND_VPC, call_val(c, "VpcId"));
	bool support, names;

	if (!r)
		return -1;
	support = doc_bool(r->doc, "_dns.support");
	names = doc_bool(r->doc, "_dns.hostnames");
	if (call_bool(c, "EnableDnsSupport.Value", &support) < 0 ||
	    call_bool(c, "EnableDnsHostnames.Value", &names) < 0)
		return -1;
	doc_set_bool(r->doc, "_dns.support", support);
	doc_set_bool(r->doc, "_dns.hostnames", names);
	call_save(c, r);
	call_return_true(c);
	return 0;
}

const struct action ec2_vpc_actions[] = {
	{ "DescribeVpcs", describe_vpcs, "VpcId Filter MaxResults NextToken", 0 },
	{ "DescribeSubnets", describe_subnets, "SubnetId Filter MaxResults NextToken", 0 },
	{ "DescribeInternetGateways", describe_gateways,
	  "InternetGatewayId Filter MaxResults NextToken", 0 },
	{ "DescribeRouteTables", describe_tables, "RouteTableId Filter MaxResults NextToken", 0 },
	{ "CreateVpc", create_vpc, "CidrBlock! InstanceTenancy TagSpecification", 0 },
	{ "DeleteVpc", delete_vpc, "VpcId!", 0 },
	{ "CreateSubnet", create_subnet, "VpcId! CidrBlock! AvailabilityZone TagSpecification", 0 },
	{ "DeleteSubnet", delete_subnet, "SubnetId!", 0 },
	{ "ModifySubnetAttribute", modify_subnet, "SubnetId! MapPublicIpOnLaunch", 0 },
	{ "DescribeVpcAttribute", describe_vpc_attribute, "VpcId! Attribute!", 0 },
	{ "ModifyVpcAttribute", modify_vpc_attribute, "VpcId! EnableDnsSupport EnableDnsHostnames",
	  0 },
	{ 0 },
};
