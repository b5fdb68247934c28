/* Security groups of the model: rules as rows, permission lists made from them, open ports. */
#include "cloud/model/groups.h"

#include "base/str.h"
#include "base/vec.h"
#include "cloud/api/doc.h"
#include "cloud/model/ids.h"
#include "cloud/model/vpc.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define RANGE_MAX 64 /* of the relay on the public address */

struct row *group_by_name(struct cloud *c, const char *vpc, const char *name)
{
	for (size_t i = 0; i < model_count(c->model, KIND_GROUP); i++) {
		struct row *r = model_at(c->model, KIND_GROUP, i);

		if (streq(doc_str(r->doc, "vpcId"), vpc) &&
		    streq(doc_str(r->doc, "groupName"), name))
			return r;
	}
	return NULL;
}

/* The entry of a permission list with the rule's protocol and ports. */
static json_t *permission(json_t *list, const json_t *rule)
{
	const char *protocol = doc_str(rule, "ipProtocol");
	size_t i;
	json_t *p;

	json_array_foreach(list, i, p)
		if (streq(doc_str(p, "ipProtocol"), protocol) &&
		    doc_int(p, "fromPort") == doc_int(rule, "fromPort") &&
		    doc_int(p, "toPort") == doc_int(rule, "toPort"))
			return p;
	p = json_pack("{s:s}", "ipProtocol", protocol);
	if (!streq(protocol, "-1")) {
		doc_set_int(p, "fromPort", doc_int(rule, "fromPort"));
		doc_set_int(p, "toPort", doc_int(rule, "toPort"));
	}
	json_object_set_new(p, "groups", json_array());
	json_object_set_new(p, "ipRanges", json_array());
	json_object_set_new(p, "ipv6Ranges", json_array());
	json_object_set_new(p, "prefixListIds", json_array());
	json_array_append_new(list, p);
	return p;
}

static void add_peer(json_t *p, const json_t *rule)
{
	static const struct {
		const char *from, *list, *member;
	} peers[] = {
		{ "cidrIpv4", "ipRanges", "cidrIp" },
		{ "cidrIpv6", "ipv6Ranges", "cidrIpv6" },
		{ "prefixListId", "prefixListIds", "prefixListId" },
		{ "referencedGroupInfo.groupId", "groups", "groupId" },
	};

	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		const char *value = doc_str(rule, peers[i].from);
		json_t *e;

		if (!value)
			continue;
		e = json_pack("{s:s}", peers[i].member, value);
		doc_set_str(e, "description", doc_str(rule, "description"));
		if (doc_str(rule, "referencedGroupInfo.userId"))
			doc_set_str(e, "userId", doc_str(rule, "referencedGroupInfo.userId"));
		json_array_append_new(json_object_get(p, peers[i].list), e);
	}
}

static void renew_lists(struct cloud *c, struct row *group)
{
	json_t *in = json_array(), *out = json_array();

	for (size_t i = 0; i < model_count(c->model, KIND_RULE); i++) {
		const json_t *rule = model_at(c->model, KIND_RULE, i)->doc;

		if (streq(doc_str(rule, "groupId"), group->id))
			add_peer(permission(doc_bool(rule, "isEgress") ? out : in, rule), rule);
	}
	json_object_set_new(group->doc, "ipPermissions", in);
	json_object_set_new(group->doc, "ipPermissionsEgress", out);
	model_save(c->model, group);
}

static bool same_rule(const json_t *a, const json_t *b)
{
	static const char *const texts[] = {
		"groupId",  "ipProtocol",   "cidrIpv4",
		"cidrIpv6", "prefixListId", "referencedGroupInfo.groupId",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!streq(doc_str(a, texts[i]), doc_str(b, texts[i])))
			return false;
	return doc_bool(a, "isEgress") == doc_bool(b, "isEgress") &&
	       doc_int(a, "fromPort") == doc_int(b, "fromPort") &&
	       doc_int(a, "toPort") == doc_int(b, "toPort");
}

static json_t *rule_doc(struct cloud *c, const struct row *group, const struct group_rule *rule)
{
	json_t *doc = json_pack("{s:s, s:s, s:s, s:b, s:s, s:I, s:I}",
				"securityGroupRuleId", "",
				"groupId", group->id,
				"groupOwnerId", c->account,
				"isEgress", (int)rule->egress,
				"ipProtocol", rule->protocol,
				"fromPort", (json_int_t)rule->from,
				"toPort", (json_int_t)rule->to);

	doc_set_str(doc, "cidrIpv4", rule->cidr);
	doc_set_str(doc, "cidrIpv6", rule->cidr6);
	doc_set_str(doc, "prefixListId", rule->prefix_list);
	doc_set_str(doc, "description", rule->description);
	if (rule->group)
		json_object_set_new(
			doc, "referencedGroupInfo",
			json_pack("{s:s, s:s}", "groupId", rule->group, "userId", c->account));
	json_object_set_new(doc, "tagSet", json_array());
	return doc;
}

static struct row *find_like(struct cloud *c, const json_t *doc)
{
	for (size_t i = 0; i < model_count(c->model, KIND_RULE); i++)
		if (same_rule(model_at(c->model, KIND_RULE, i)->doc, doc))
			return model_at(c->model, KIND_RULE, i);
	return NULL;
}

struct row *group_find_rule(struct cloud *c, const struct row *group, const struct group_rule *rule)
{
	AUTO(json) json_t *doc = rule_doc(c, group, rule);

	return find_like(c, doc);
}

struct row *group_add_rule(struct cloud *c, struct row *group, const struct group_rule *rule)
{
	json_t *doc = rule_doc(c, group, rule);
	char id[ID_SIZE];
	struct row *r;

	if (find_like(c, doc)) {
		json_decref(doc);
		return NULL;
	}
	id_new("sgr", id);
	doc_set_str(doc, "securityGroupRuleId", id);
	r = model_put(c->model, KIND_RULE, group->region, id, doc);
	renew_lists(c, group);
	return r;
}

void group_remove_rule(struct cloud *c, struct row *group, struct row *rule)
{
	model_remove(c->model, rule);
	renew_lists(c, group);
}

struct row *group_create(struct cloud *c, const char *region, const char *id, const char *vpc,
			 const char *name, const char *description)
{
	json_t *arn = json_sprintf("arn:aws:ec2:%s:%s:security-group/%s", region, c->account, id);
	struct row *r = model_put(c->model, KIND_GROUP, region, id,
				  json_pack("{s:s, s:s, s:s, s:s, s:[], s:[], s:s, s:[], s:o}",
					    "ownerId", c->account,
					    "groupName", name,
					    "groupId", id,
					    "groupDescription", description,
					    "ipPermissions",
					    "ipPermissionsEgress",
					    "vpcId", vpc,
					    "tagSet",
					    "securityGroupArn", arn));

	group_add_rule(c, r,
		       &(struct group_rule){ .egress = true,
					     .protocol = "-1",
					     .from = -1,
					     .to = -1,
					     .cidr = "0.0.0.0/0" });
	return r;
}

void group_remove(struct cloud *c, struct row *group)
{
	for (size_t i = model_count(c->model, KIND_RULE); i-- > 0;) {
		struct row *r = model_at(c->model, KIND_RULE, i);

		if (streq(doc_str(r->doc, "groupId"), group->id))
			model_remove(c->model, r);
	}
	model_remove(c->model, group);
}

/* One of this host's own addresses is in the range: on AWS such a rule would let it in. (Behind a
 * NAT its public address is known to nobody here, and no rule for it counts.) */
static bool has_own_address(uint32_t net, int bits)
{
	struct ifaddrs *all;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (const struct ifaddrs *a = all; a && !found; a = a->ifa_next) {
		struct sockaddr_in v4;

		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET)
			continue;
		memcpy(&v4, a->ifa_addr, sizeof(v4));
		found = bits == 0 || (ntohl(v4.sin_addr.s_addr) ^ net) >> (32 - bits) == 0;
	}
	freeifaddrs(all);
	return found;
}

/* Does a source range mean this host? Loopback does, and private ranges, since the host stands for
 * the network that such rules are written for. */
static bool reaches_host(const char *cidr)
{
	static const struct {
		uint32_t net;
		int bits;
	} near[] = {
		{ 0x7f000000, 8 },  { 0x0a000000, 8 },	{ 0xac100000, 12 },
		{ 0xc0a80000, 16 }, { 0x64400000, 10 },
	};
	uint32_t net;
	int bits;

	if (!cidr_parse(cidr, &net, &bits))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(near); i++) {
		int common = MIN(bits, near[i].bits);

		if (common == 0 || (net ^ near[i].net) >> (32 - common) == 0)
			return true;
	}
	return has_own_address(net, bits);
}

struct port_list {
	VEC(struct instance_port) v;
};

static void add_range(struct port_list *l, int64_t from, int64_t to)
{
	static const uint16_t usual[] = { 22, 80, 443, 2222, 3389, 5985, 5986, 8000, 8080, 8443 };
	struct instance_port p = { (uint16_t)from, (uint16_t)to };

	if (to - from < RANGE_MAX) {
		vec_push(&l->v, p);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (usual[i] >= from && usual[i] <= to) {
			p = (struct instance_port){ usual[i], usual[i] };
			vec_push(&l->v, p);
		}
}

static bool in_groups(const json_t *group_set, const char *id)
{
	return doc_find(group_set, "groupId", id, NULL) != NULL;
}

void group_ports(struct cloud *c, const json_t *group_set, struct instance_port **ret,
		 size_t *ret_n)
{
	struct port_list l = { 0 };

	for (size_t i = 0; i < model_count(c->model, KIND_RULE); i++) {
		const json_t *rule = model_at(c->model, KIND_RULE, i)->doc;
		const char *protocol = doc_str(rule, "ipProtocol");
		int64_t from = doc_int(rule, "fromPort"), to = doc_int(rule, "toPort");

		if (doc_bool(rule, "isEgress") || !in_groups(group_set, doc_str(rule, "groupId")) ||
		    !reaches_host(doc_str(rule, "cidrIpv4")))
			continue;
		if (streq(protocol, "-1"))
			add_range(&l, 1, 65535);
		else if (streq(protocol, "tcp"))
			add_range(&l, MAX(from, 1), MIN(MAX(to, 1), 65535));
	}
	*ret = l.v.v;
	*ret_n = l.v.n;
}
