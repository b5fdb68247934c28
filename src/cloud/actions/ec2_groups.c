/* Security groups and their rules over the API. */
#include "cloud/actions/places.h"
#include "cloud/api/services.h"
#include "cloud/model/groups.h"
#include "cloud/model/lifecycle.h"
#include "cloud/model/vpc.h"

static const struct filter_row filters[] = {
	{ "group-id", "groupId" },
	{ "group-name", "groupName" },
	{ "description", "groupDescription" },
	{ "vpc-id", "vpcId" },
	{ "owner-id", "ownerId" },
	{ "ip-permission.cidr", "ipPermissions[].ipRanges[].cidrIp" },
	{ "ip-permission.ipv6-cidr", "ipPermissions[].ipv6Ranges[].cidrIpv6" },
	{ "ip-permission.from-port", "ipPermissions[].fromPort" },
	{ "ip-permission.to-port", "ipPermissions[].toPort" },
	{ "ip-permission.protocol", "ipPermissions[].ipProtocol" },
	{ "ip-permission.group-id", "ipPermissions[].groups[].groupId" },
	{ "ip-permission.user-id", "ipPermissions[].groups[].userId" },
	{ "egress.ip-permission.cidr", "ipPermissionsEgress[].ipRanges[].cidrIp" },
	{ "egress.ip-permission.ipv6-cidr", "ipPermissionsEgress[].ipv6Ranges[].cidrIpv6" },
	{ "egress.ip-permission.from-port", "ipPermissionsEgress[].fromPort" },
	{ "egress.ip-permission.to-port", "ipPermissionsEgress[].toPort" },
	{ "egress.ip-permission.protocol", "ipPermissionsEgress[].ipProtocol" },
	{ "egress.ip-permission.group-id", "ipPermissionsEgress[].groups[].groupId" },
	{ 0 },
};
static const struct filter_row rule_filters[] = {
	{ "group-id", "groupId" },
	{ "security-group-rule-id", "securityGroupRuleId" },
	{ 0 },
};

static bool named(struct call *c, struct row *r, bool by_id UNUSED)
{
	return call_lists(c, "GroupName", doc_str(r->doc, "groupName"));
}

static struct row *by_name(struct call *c, const char *name)
{
	struct row *vpc = vpc_default(c->cloud, c->region);
	struct row *r = vpc ? group_by_name(c->cloud, vpc->id, name) : NULL;

	if (r && call_sees(c, r))
		return r;
	call_fail(c, "InvalidGroup.NotFound",
		  "The security group '%s' does not exist in default VPC '%s'", name,
		  vpc ? vpc->id : "none");
	return NULL;
}

static int describe_groups(struct call *c)
{
	static const struct listing l = { .kind = KIND_GROUP,
					  .id_param = "GroupId",
					  .set = "securityGroupInfo",
					  .filters = filters,
					  .visible = named };
	size_t n;
	const char **names = call_list(c, &n, "GroupName");

	for (size_t i = 0; i < n; i++)
		if (!by_name(c, names[i]))
			return -1;
	return call_describe(c, &l);
}

static int create_group(struct call *c)
{
	const char *name = call_val(c, "GroupName"), *vpc_id = call_val(c, "VpcId");
	struct row *vpc = vpc_id ? call_find(c, KIND_VPC, vpc_id)
				 : vpc_default(c->cloud, c->region),
		   *r;
	char id[ID_SIZE];
	json_t *tags;

	if (!vpc)
		return vpc_id ? -1
			      : call_fail(c, "VPCIdNotSpecified", "No default VPC for this user");
	if (strncasecmp(name, "sg-", 3) == 0)
		return call_fail(c, "InvalidParameterValue",
				 "Value (%.80s) for parameter GroupName is invalid. Group names "
				 "may not be in the format sg-*",
				 name);
	if (strlen(name) > 255)
		return call_fail(
			c, "InvalidParameterValue",
			"Value for parameter GroupName is invalid: at most 255 characters");
	if (group_by_name(c->cloud, vpc->id, name))
		return call_fail(c, "InvalidGroup.Duplicate",
				 "The security group '%s' already exists for VPC '%s'", name,
				 vpc->id);
	tags = call_tags(c, "security-group", "security-group");
	if (!tags)
		return -1;
	id_new("sg", id);
	r = group_create(c->cloud, c->region, id, vpc->id, name, call_val(c, "GroupDescription"));
	json_array_append_new(c->created, json_string(id));
	json_object_set(r->doc, "tagSet", tags);
	call_save(c, r);
	json_object_set_new(c->out, "groupId", json_string(id));
	json_object_set(c->out, "securityGroupArn", json_object_get(r->doc, "securityGroupArn"));
	if (json_array_size(tags))
		json_object_set(c->out, "tagSet", tags);
	json_decref(tags);
	return 0;
}

/* The group that GroupId or GroupName names. */
static struct row *named_group(struct call *c)
{
	const char *id = call_val(c, "GroupId"), *name = call_val(c, "GroupName");

	if (id)
		return call_find(c, KIND_GROUP, id);
	if (name)
		return by_name(c, name);
	call_missing(c, "GroupId");
	return NULL;
}

static const char *user_of_group(struct call *c, const char *group)
{
	for (size_t i = 0; i < model_count(c->cloud->model, KIND_INSTANCE); i++) {
		struct row *r = model_at(c->cloud->model, KIND_INSTANCE, i);

		if (!streq(doc_str(r->doc, "instanceState.name"), "terminated") &&
		    doc_find(json_object_get(r->doc, "groupSet"), "groupId", group, NULL))
			return r->id;
	}
	for (size_t i = 0; i < model_count(c->cloud->model, KIND_RULE); i++) {
		struct row *r = model_at(c->cloud->model, KIND_RULE, i);

		if (streq(doc_str(r->doc, "referencedGroupInfo.groupId"), group) &&
		    !streq(doc_str(r->doc, "groupId"), group))
			return r->id;
	}
	return NULL;
}

static int delete_group(struct call *c)
{
	struct row *r = named_group(c);

	if (!r)
		return -1;
	if (streq(doc_str(r->doc, "groupName"), "default"))
		return call_fail(
			c, "CannotDelete",
			"the specified group: \"%s\" name: \"default\" cannot be deleted by a user",
			r->id);
	if (user_of_group(c, r->id))
		return call_fail(c, "DependencyViolation", "resource %s has a dependent object",
				 r->id);
	json_object_set_new(c->out, "groupId", json_string(r->id));
	group_remove(c->cloud, r);
	call_return_true(c);
	return 0;
}

/* --- rules ---------------------------------------------------------- */

static const char *protocol_name(const char *p)
{
	static const char *const names[][2] = {
		{ "6", "tcp" },	    { "17", "udp" }, { "1", "icmp" },
		{ "58", "icmpv6" }, { "all", "-1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (streq(names[i][0], p))
			return names[i][1];
	return p;
}

/* What is done with each rule of a request. */
typedef int rule_fn(struct call *c, struct row *group, const struct group_rule *rule);

static int read_ports(struct call *c, const char *prefix, struct group_rule *rule)
{
	const char *protocol = call_val(c, "%sIpProtocol", prefix);
	const char *from = arena_printf(c->arena, "%sFromPort", prefix),
		   *to = arena_printf(c->arena, "%sToPort", prefix);

	if (!protocol)
		return call_missing(c, arena_printf(c->arena, "%sIpProtocol", prefix));
	rule->protocol = protocol_name(protocol);
	rule->from = rule->to = -1;
	if (streq(rule->protocol, "-1"))
		return 0;
	if (call_int(c, from, -1, 65535, &rule->from) < 0 ||
	    call_int(c, to, -1, 65535, &rule->to) < 0)
		return -1;
	if (!streq(rule->protocol, "tcp") && !streq(rule->protocol, "udp"))
		return 0;
	if (!call_val(c, "%s", from) || !call_val(c, "%s", to))
		return call_fail(c, "InvalidParameterValue",
				 "Invalid value for portRange. Must specify both from and to ports "
				 "with TCP/UDP.");
	if (rule->from > rule->to || rule->from < 0)
		return call_fail(c, "InvalidParameterValue",
				 "Invalid TCP/UDP port range (%lld:%lld)", (long long)rule->from,
				 (long long)rule->to);
	return 0;
}

static int check_cidr(struct call *c, const char *cidr)
{
	uint32_t address;
	int bits;

	if (cidr_parse(cidr, &address, &bits))
		return 0;
	return call_fail(c, "InvalidParameterValue", "CIDR block %.60s is malformed",
			 cidr ? cidr : "");
}

/* The four kinds of peers that a permission lists, each checked in its own way: -1 is an error
 * answer. */

static int read_cidr(struct call *c, const char *prefix, struct group_rule *rule)
{
	rule->cidr = call_val(c, "%s.CidrIp", prefix);
	return check_cidr(c, rule->cidr);
}

static int read_cidr6(struct call *c, const char *prefix, struct group_rule *rule)
{
	rule->cidr6 = call_val(c, "%s.CidrIpv6", prefix);
	if (rule->cidr6 && strchr(rule->cidr6, '/'))
		return 0;
	return call_fail(c, "InvalidParameterValue", "CIDR block %.60s is malformed",
			 rule->cidr6 ? rule->cidr6 : "");
}

static int read_group(struct call *c, const char *prefix, struct group_rule *rule)
{
	const char *id = call_val(c, "%s.GroupId", prefix),
		   *name = call_val(c, "%s.GroupName", prefix);
	struct row *peer = id ? call_find(c, KIND_GROUP, id) : by_name(c, name ? name : "");

	rule->group = peer ? peer->id : NULL;
	return peer ? 0 : -1;
}

static int read_prefix_list(struct call *c, const char *prefix, struct group_rule *rule)
{
	rule->prefix_list = call_val(c, "%s.PrefixListId", prefix);
	return rule->prefix_list ? 0 : call_missing(c, "PrefixListId");
}

/* All peers of the permission at `prefix`; `rule` has its protocol and ports. */
static int each_peer(struct call *c, struct row *group, const struct group_rule *rule,
		     const char *prefix, rule_fn *fn, int *count)
{
	static const struct {
		const char *list;
		int (*read)(struct call *c, const char *prefix, struct group_rule *rule);
	} peers[] = {
		{ "IpRanges", read_cidr },
		{ "Ipv6Ranges", read_cidr6 },
		{ "Groups", read_group },
		{ "PrefixListIds", read_prefix_list },
	};

	for (size_t k = 0; k < ARRAY_LEN(peers); k++)
		for (int i = 1; call_any(c, "%s%s.%d", prefix, peers[k].list, i); i++) {
			const char *at = arena_printf(c->arena, "%s%s.%d", prefix,
						      peers[k].list, i);
			struct group_rule one = *rule;

			one.description = call_val(c, "%s.Description", at);
			if (peers[k].read(c, at, &one) < 0 || fn(c, group, &one) < 0)
				return -1;
			(*count)++;
		}
	return 0;
}

static int each_rule(struct call *c, struct row *group, bool egress, rule_fn *fn)
{
	struct group_rule rule = { .egress = egress };
	int count = 0;

	/* The old flat form: one rule. */
	if (call_val(c, "IpProtocol") || call_val(c, "CidrIp")) {
		rule.cidr = call_val(c, "CidrIp");
		if (read_ports(c, "", &rule) < 0 || check_cidr(c, rule.cidr) < 0)
			return -1;
		return fn(c, group, &rule);
	}
	for (int i = 1; call_any(c, "IpPermissions.%d", i); i++) {
		const char *prefix = arena_printf(c->arena, "IpPermissions.%d.", i);

		rule = (struct group_rule){ .egress = egress };
		if (read_ports(c, prefix, &rule) < 0 ||
		    each_peer(c, group, &rule, prefix, fn, &count) < 0)
			return -1;
	}
	if (!count)
		return call_fail(
			c, "MissingParameter",
			"The request must contain the parameter ipPermissions with a source");
	return 0;
}

static const char *peer_text(const struct group_rule *r)
{
	return r->cidr ? r->cidr : r->cidr6 ? r->cidr6 : r->group ? r->group : r->prefix_list;
}

static int check_new(struct call *c, struct row *group, const struct group_rule *rule)
{
	if (!group_find_rule(c->cloud, group, rule))
		return 0;
	return call_fail(
		c, "InvalidPermission.Duplicate",
		"the specified rule \"peer: %s, %s, from port: %lld, to port: %lld, ALLOW\" "
		"already exists",
		peer_text(rule), rule->protocol, (long long)rule->from, (long long)rule->to);
}

static int add_rule(struct call *c, struct row *group, const struct group_rule *rule)
{
	struct row *r = group_add_rule(c->cloud, group, rule);
	json_t *tags;

	if (!r)
		return check_new(c, group, rule);
	tags = call_tags(c, "security-group-rule", "security-group-rule");
	if (!tags)
		return -1;
	json_object_set_new(r->doc, "tagSet", tags);
	call_save(c, r);
	json_array_append(json_object_get(c->out, "securityGroupRuleSet"), r->doc);
	return 0;
}

static int check_there(struct call *c, struct row *group, const struct group_rule *rule)
{
	if (group_find_rule(c->cloud, group, rule))
		return 0;
	return call_fail(c, "InvalidPermission.NotFound",
			 "The specified rule does not exist in this security group.");
}

static int drop_rule(struct call *c, struct row *group, const struct group_rule *rule)
{
	struct row *r = group_find_rule(c->cloud, group, rule);

	if (r)
		group_remove_rule(c->cloud, group, r);
	return 0;
}

/* All is checked before the first rule is added. */
static int authorize(struct call *c, bool egress)
{
	struct row *group = named_group(c);
	AUTO(json) json_t *tags = call_tags(c, "security-group-rule", "security-group-rule");

	if (!group || !tags || each_rule(c, group, egress, check_new) < 0)
		return -1;
	json_object_set_new(c->out, "securityGroupRuleSet", json_array());
	call_return_true(c);
	if (each_rule(c, group, egress, add_rule) < 0)
		return -1;
	lifecycle_ports_changed(c->cloud, group->id);
	return 0;
}

static int authorize_ingress(struct call *c)
{
	return authorize(c, false);
}

static int authorize_egress(struct call *c)
{
	return authorize(c, true);
}

static int revoke_ids(struct call *c, struct row *group, const char **ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct row *r = call_find(c, KIND_RULE, ids[i]);

		if (!r)
			return -1;
		if (!streq(doc_str(r->doc, "groupId"), group->id))
			return call_fail(
				c, "InvalidPermission.NotFound",
				"The specified rule does not exist in this security group.");
	}
	for (size_t i = 0; i < n; i++)
		group_remove_rule(c->cloud, group, model_find(c->cloud->model, KIND_RULE, ids[i]));
	return 0;
}

static int revoke_rules(struct call *c, bool egress)
{
	struct row *group = named_group(c);
	size_t n;
	const char **ids = call_list(c, &n, "SecurityGroupRuleId");

	if (!group)
		return -1;
	if (n ? revoke_ids(c, group, ids, n) < 0 : each_rule(c, group, egress, check_there) < 0)
		return -1;
	if (!n)
		each_rule(c, group, egress, drop_rule);
	call_return_true(c);
	lifecycle_ports_changed(c->cloud, group->id);
	return 0;
}

static int revoke_ingress(struct call *c)
{
	return revoke_rules(c, false);
}

static int revoke_egress(struct call *c)
{
	return revoke_rules(c, true);
}

static int describe_rules(struct call *c)
{
	static const struct listing l = { .kind = KIND_RULE,
					  .id_param = "SecurityGroupRuleId",
					  .set = "securityGroupRuleSet",
					  .filters = rule_filters };

	return call_describe(c, &l);
}

#define RULE_PARAMS "GroupId GroupName IpPermissions IpProtocol FromPort ToPort CidrIp "

const struct action ec2_group_actions[] = {
	{ "DescribeSecurityGroups", describe_groups,
	  "GroupId GroupName Filter MaxResults NextToken", 0 },
	{ "CreateSecurityGroup", create_group,
	  "GroupName! GroupDescription! VpcId TagSpecification", 0 },
	{ "DeleteSecurityGroup", delete_group, "GroupId GroupName", 0 },
	{ "AuthorizeSecurityGroupIngress", authorize_ingress, RULE_PARAMS "TagSpecification", 0 },
	{ "AuthorizeSecurityGroupEgress", authorize_egress, RULE_PARAMS "TagSpecification", 0 },
	{ "RevokeSecurityGroupIngress", revoke_ingress, RULE_PARAMS "SecurityGroupRuleId", 0 },
	{ "RevokeSecurityGroupEgress", revoke_egress, RULE_PARAMS "SecurityGroupRuleId", 0 },
	{ "DescribeSecurityGroupRules", describe_rules,
	  "SecurityGroupRuleId Filter MaxResults NextToken", 0 },
	{ 0 },
};
