/* Networks of the model: defaults of a region, address arithmetic. */
#include "cloud/model/vpc.h"

#include "base/str.h"
#include "cloud/actions/places.h"
#include "cloud/api/doc.h"
#include "cloud/model/groups.h"
#include "cloud/model/ids.h"

#include <arpa/inet.h>
#include <stdio.h>

#define DEFAULT_CIDR "172.31.0.0/16"
#define RESERVED_PER_SUBNET 5 /* EC2 keeps the first four addresses and the last */

bool ip_parse(const char *text, uint32_t *ret)
{
	struct in_addr in;

	if (!text || inet_pton(AF_INET, text, &in) != 1)
		return false;
	*ret = ntohl(in.s_addr);
	return true;
}

static void ip_text(uint32_t a, char out[16])
{
	snprintf(out, 16, "%u.%u.%u.%u", a >> 24, a >> 16 & 0xff, a >> 8 & 0xff, a & 0xff);
}

bool cidr_parse(const char *text, uint32_t *ret_address, int *ret_bits)
{
	const char *slash = text ? strchr(text, '/') : NULL;
	char address[16];
	int64_t bits;

	if (!slash || slash - text > 15 || !parse_i64(str_from(slash + 1), &bits) || bits < 0 ||
	    bits > 32)
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	if (!ip_parse(address, ret_address))
		return false;
	*ret_bits = (int)bits;
	return true;
}

static bool address_used(struct cloud *c, const char *vpc, const char *address)
{
	for (size_t i = 0; i < model_count(c->model, KIND_INSTANCE); i++) {
		const json_t *doc = model_at(c->model, KIND_INSTANCE, i)->doc;

		if (streq(doc_str(doc, "vpcId"), vpc) &&
		    streq(doc_str(doc, "privateIpAddress"), address))
			return true;
	}
	return false;
}

bool vpc_take_address(struct cloud *c, const struct row *subnet, char out[16])
{
	uint32_t net;
	int bits;

	if (!cidr_parse(doc_str(subnet->doc, "cidrBlock"), &net, &bits))
		return false;
	for (uint32_t i = 4; i + 1 < (bits ? 1u << (32 - bits) : UINT32_MAX); i++) {
		ip_text(net + i, out);
		if (!address_used(c, doc_str(subnet->doc, "vpcId"), out))
			return true;
	}
	return false;
}

int vpc_free_addresses(struct cloud *c, const struct row *subnet)
{
	uint32_t net;
	int bits, used = 0;

	if (!cidr_parse(doc_str(subnet->doc, "cidrBlock"), &net, &bits) || bits < 1)
		return 0;
	for (size_t i = 0; i < model_count(c->model, KIND_INSTANCE); i++) {
		const json_t *doc = model_at(c->model, KIND_INSTANCE, i)->doc;

		used += streq(doc_str(doc, "subnetId"), subnet->id) &&
			doc_str(doc, "privateIpAddress");
	}
	return (int)(1u << (32 - bits)) - RESERVED_PER_SUBNET - used;
}

bool vpc_take_public(struct cloud *c, char out[16])
{
	for (int host = 1; host < 255; host++) {
		bool used = false;

		snprintf(out, 16, "127.77.%d.%d", c->address_part, host);
		for (size_t i = 0; i < model_count(c->model, KIND_INSTANCE) && !used; i++)
			used = streq(
				doc_str(model_at(c->model, KIND_INSTANCE, i)->doc, "ipAddress"),
				out);
		if (!used)
			return true;
	}
	return false;
}

struct row *vpc_default(struct cloud *c, const char *region)
{
	for (size_t i = 0; i < model_count(c->model, KIND_VPC); i++) {
		struct row *r = model_at(c->model, KIND_VPC, i);

		if (row_in(r, region) && doc_bool(r->doc, "isDefault"))
			return r;
	}
	return NULL;
}

struct row *vpc_default_subnet(struct cloud *c, const char *region, int zone)
{
	char name[32];

	if (zone >= 0)
		zone_name(region, zone, name);
	for (size_t i = 0; i < model_count(c->model, KIND_SUBNET); i++) {
		struct row *r = model_at(c->model, KIND_SUBNET, i);

		if (row_in(r, region) && doc_bool(r->doc, "defaultForAz") &&
		    (zone < 0 || streq(doc_str(r->doc, "availabilityZone"), name)))
			return r;
	}
	return NULL;
}

static void create_gateway(struct cloud *c, const char *region, const char *vpc)
{
	char igw[ID_SIZE], rtb[ID_SIZE], assoc[ID_SIZE];

	id_from("igw", vpc, igw);
	id_from("rtb", vpc, rtb);
	id_from("rtbassoc", vpc, assoc);
	model_put(c->model, KIND_GATEWAY, region, igw,
		  json_pack("{s:s, s:s, s:[{s:s, s:s}], s:[]}",
			    "internetGatewayId", igw,
			    "ownerId", c->account,
			    "attachmentSet", "vpcId", vpc, "state", "available",
			    "tagSet"));
	model_put(c->model, KIND_ROUTE_TABLE, region, rtb,
		  json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, s:s}], "
			    "s:[{s:s, s:s, s:b, s:{s:s}}], s:[], s:[]}",
			    "routeTableId", rtb,
			    "vpcId", vpc,
			    "ownerId", c->account,
			    "routeSet",
			    "destinationCidrBlock", DEFAULT_CIDR, "gatewayId", "local",
			    "state", "active", "origin", "CreateRouteTable",
			    "destinationCidrBlock", "0.0.0.0/0", "gatewayId", igw,
			    "state", "active", "origin", "CreateRoute",
			    "associationSet",
			    "routeTableAssociationId", assoc, "routeTableId", rtb, "main", 1,
			    "associationState", "state", "associated",
			    "propagatingVgwSet",
			    "tagSet"));
}

struct row *vpc_create(struct cloud *c, const char *region, const char *id, const char *cidr,
		       bool is_default)
{
	char sg[ID_SIZE], assoc[ID_SIZE];
	struct row *vpc, *group;

	if (!cidr)
		cidr = DEFAULT_CIDR;
	id_from("sg", id, sg);
	id_from("vpc-cidr-assoc", id, assoc);
	vpc = model_put(c->model, KIND_VPC, region, id,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:[{s:s, s:s, s:{s:s}}], "
				  "s:[], s:{s:b, s:b}}",
				  "vpcId", id,
				  "ownerId", c->account,
				  "state", "available",
				  "cidrBlock", cidr,
				  "dhcpOptionsId", "dopt-0local00",
				  "instanceTenancy", "default",
				  "isDefault", (int)is_default,
				  "cidrBlockAssociationSet",
				  "associationId", assoc, "cidrBlock", cidr,
				  "cidrBlockState", "state", "associated",
				  "tagSet",
				  "_dns", "support", 1, "hostnames", (int)is_default));
	group = group_create(c, region, sg, id, "default", "default VPC security group");
	/* Members of the default group reach each other. */
	group_add_rule(c, group,
		       &(struct group_rule){ .protocol = "-1", .from = -1, .to = -1, .group = sg });
	return vpc;
}

struct row *vpc_create_subnet(struct cloud *c, const char *region, const char *id, const char *vpc,
			      const char *cidr, int zone, bool public_ip)
{
	json_t *arn = json_sprintf("arn:aws:ec2:%s:%s:subnet/%s", region, c->account, id);
	char name[32], zid[32];

	zone_name(region, zone, name);
	zone_id(region, zone, zid);
	return model_put(c->model, KIND_SUBNET, region, id,
			 json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:[], "
				   "s:[]}",
				   "subnetId", id,
				   "subnetArn", arn,
				   "state", "available",
				   "ownerId", c->account,
				   "vpcId", vpc,
				   "cidrBlock", cidr,
				   "availabilityZone", name,
				   "availabilityZoneId", zid,
				   "defaultForAz", 0,
				   "mapPublicIpOnLaunch", (int)public_ip,
				   "assignIpv6AddressOnCreation", 0,
				   "ipv6CidrBlockAssociationSet",
				   "tagSet"));
}

void vpc_ensure_default(struct cloud *c, const char *region)
{
	auto_free char *mark = xasprintf("region/%s", region);
	char vpc[ID_SIZE];

	/* The mark stays when a user deletes the default VPC, so that it stays deleted. */
	if (model_find(c->model, KIND_SETTING, mark))
		return;
	model_begin(c->model);
	id_from("vpc", mark, vpc);
	vpc_create(c, region, vpc, DEFAULT_CIDR, true);
	create_gateway(c, region, vpc);
	for (int zone = 0; zone < ZONES_PER_REGION; zone++) {
		auto_free char *seed = xasprintf("%s/%d", mark, zone);
		char subnet[ID_SIZE], cidr[32];
		struct row *r;

		id_from("subnet", seed, subnet);
		snprintf(cidr, sizeof(cidr), "172.31.%d.0/20", zone * 16);
		r = vpc_create_subnet(c, region, subnet, vpc, cidr, zone, true);
		doc_set_bool(r->doc, "defaultForAz", true);
		model_save(c->model, r);
	}
	model_put(c->model, KIND_SETTING, region, mark, json_pack("{s:b}", "made", 1));
	model_commit(c->model);
}
