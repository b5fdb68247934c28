/* Instance options: checks and what follows from them. The rows are run_spec.c. */
#include "builder/amazon/run.h"

#include "base/os.h"
#include "builder/amazon/ami.h"
#include "communicator/config.h"

#include <arpa/inet.h>

bool amazon_is_burstable(const char *type)
{
	return starts_with(type, "t2.") || starts_with(type, "t3.") || starts_with(type, "t3a.") ||
	       starts_with(type, "t4g.");
}

bool amazon_is_cidr(const char *text)
{
	unsigned char addr[16];
	const char *slash = strchr(text, '/');
	uint64_t bits;
	char host[64];

	if (!slash || (size_t)(slash - text) >= sizeof(host) ||
	    !parse_u64(str_from(slash + 1), &bits))
		return false;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	if (inet_pton(AF_INET, host, addr) == 1)
		return bits <= 32;
	return inet_pton(AF_INET6, host, addr) == 1 && bits <= 128;
}

static void check_source(struct prepare *p, const struct amazon_run *c)
{
	const struct aws_ami_filter *f = c->source_ami_filter;

	if (given(c->source_ami))
		return;
	if (!f || (!f->filters.n && !f->owners.n))
		prepare_error(p, f ? "source_ami_filter" : "source_ami",
			      "there is no source image: set source_ami or source_ami_filter");
	if (!f || !f->owners.n)
		prepare_error(p, f ? "source_ami_filter" : "source_ami",
			      "source_ami_filter needs owners, because anybody can publish an "
			      "image under any name");
}

static void check_type(struct prepare *p, struct amazon_run *c)
{
	if (given(c->spot_price) && !streq(c->spot_price, "0"))
		prepare_error(p, "spot_price",
			      "spot instances (spot_price) are not yet supported by ingot");
	if (!given(c->instance_type)) {
		if (!c->spot_instance_types.n)
			prepare_error(p, "instance_type", "instance_type is missing");
		return;
	}
	c->enable_unlimited_credits |= c->enable_t2_unlimited;
	if (c->enable_unlimited_credits && !amazon_is_burstable(c->instance_type))
		prepare_error(p, "enable_unlimited_credits",
			      "enable_unlimited_credits is for burstable instances (T2, T3, T3a, "
			      "T4g) only, not for %s",
			      c->instance_type);
	if (c->enable_nitro_enclave && c->instance_type[0] == 't')
		prepare_error(p, "enable_nitro_enclave",
			      "burstable instances such as %s do not support Nitro enclaves",
			      c->instance_type);
}

static void check_network(struct prepare *p, struct amazon_run *c)
{
	static const char *const names[] = { "public_ip", "private_ip", "public_dns", "private_dns",
					     "ipv6", NULL };
	size_t i = 0;

	if (c->ssh_private_ip && !given(c->ssh_interface))
		c->ssh_interface = arena_strdup(p->arena, "private_ip");
	if (!given(c->ssh_interface))
		c->ssh_interface = NULL;
	while (c->ssh_interface && names[i] && !streq(names[i], c->ssh_interface))
		i++;
	if (c->ssh_interface && streq(c->ssh_interface, "session_manager"))
		prepare_error(p, "ssh_interface",
			      "ssh_interface 'session_manager' is not yet supported by ingot");
	else if (c->ssh_interface && !names[i])
		prepare_error(p, "ssh_interface",
			      "ssh_interface must be public_ip, private_ip, public_dns, "
			      "private_dns or ipv6, not '%s'",
			      c->ssh_interface);
	if (given(c->security_group_id)) {
		if (c->security_group_ids.n)
			prepare_error(p, "security_group_id",
				      "set security_group_id or security_group_ids, not both");
		c->security_group_ids = (struct strs){ arena_new_array(p->arena, char *, 1), 1 };
		c->security_group_ids.v[0] = c->security_group_id;
	}
	for (i = 0; i < c->temporary_security_group_source_cidrs.n; i++)
		if (!amazon_is_cidr(c->temporary_security_group_source_cidrs.v[i]))
			prepare_error(p, "temporary_security_group_source_cidrs",
				      "'%s' in temporary_security_group_source_cidrs is not an "
				      "address range such as 10.0.0.0/8",
				      c->temporary_security_group_source_cidrs.v[i]);
}

static void check_key(struct prepare *p, const struct comm_config *comm)
{
	const char *type = comm->temporary_key_pair_type;

	if (given(type) && !streq(type, "rsa") && !streq(type, "ed25519"))
		prepare_error(p, "temporary_key_pair_type",
			      "temporary_key_pair_type must be rsa or ed25519, not '%s'", type);
	if (given(comm->ssh_keypair_name) && !given(comm->ssh_private_key_file) &&
	    !comm->ssh_agent_auth)
		prepare_error(p, "ssh_keypair_name",
			      "ssh_keypair_name needs the private key: set ssh_private_key_file "
			      "or ssh_agent_auth");
}

static void check_user_data(struct prepare *p, const struct amazon_run *c)
{
	if (given(c->user_data) && given(c->user_data_file))
		prepare_error(p, "user_data", "set user_data or user_data_file, not both");
	else if (given(c->user_data_file) && !os_exists(c->user_data_file))
		prepare_error(p, "user_data_file", "user_data_file '%s' does not exist",
			      c->user_data_file);
}

static void check_placement(struct prepare *p, struct amazon_run *c)
{
	const struct amazon_placement *l = c->placement;
	bool host = l && (given(l->host_id) || given(l->host_resource_group_arn));

	if (l && given(l->host_id) && given(l->host_resource_group_arn))
		prepare_error(p, "placement", "set host_id or host_resource_group_arn, not both");
	if (l && given(l->tenancy) && given(c->tenancy))
		prepare_error(p, "tenancy", "set tenancy inside or outside placement, not both");
	if (host && given(l->tenancy) && !streq(l->tenancy, "host"))
		prepare_error(p, "placement",
			      "host_id and host_resource_group_arn need tenancy 'host', not '%s'",
			      l->tenancy);
	if (l && given(l->tenancy))
		c->tenancy = l->tenancy;
	if (given(c->tenancy) && !streq(c->tenancy, "default") && !streq(c->tenancy, "dedicated") &&
	    !streq(c->tenancy, "host"))
		prepare_error(p, l && given(l->tenancy) ? "placement" : "tenancy",
			      "tenancy must be default, dedicated or host, not '%s'", c->tenancy);
}

static void check_capacity(struct prepare *p, struct amazon_run *c)
{
	bool id = given(c->capacity_reservation_id),
	     group = given(c->capacity_reservation_group_arn);
	char **pref = &c->capacity_reservation_preference;

	if (id && group)
		prepare_error(p, "capacity_reservation_id",
			      "set capacity_reservation_id or capacity_reservation_group_arn, not "
			      "both");
	if ((id || group) && given(*pref))
		prepare_error(p, "capacity_reservation_preference",
			      "capacity_reservation_preference excludes capacity_reservation_id "
			      "and capacity_reservation_group_arn");
	if (!id && !group && !given(*pref))
		*pref = arena_strdup(p->arena, "none");
	if (given(*pref) && !streq(*pref, "none") && !streq(*pref, "open"))
		prepare_error(p, "capacity_reservation_preference",
			      "capacity_reservation_preference must be open or none, not '%s'",
			      *pref);
}

static void settle_metadata(struct prepare *p, struct amazon_run *c)
{
	struct amazon_metadata *m = c->metadata_options;

	if (!m)
		m = c->metadata_options = arena_new_obj(p->arena, struct amazon_metadata);
	if (!given(m->http_endpoint))
		m->http_endpoint = arena_strdup(p->arena, "enabled");
	if (!given(m->http_tokens))
		m->http_tokens = arena_strdup(p->arena, "optional");
	if (!given(m->instance_metadata_tags))
		m->instance_metadata_tags = arena_strdup(p->arena, "disabled");
	if (!m->http_put_response_hop_limit)
		m->http_put_response_hop_limit = 1;
	if (m->http_put_response_hop_limit < 1 || m->http_put_response_hop_limit > 64)
		prepare_error(p, "metadata_options",
			      "http_put_response_hop_limit must be between 1 and 64");
}

/* Nothing is granted that was not said. */
static void check_policy(struct prepare *p, const struct amazon_policy *policy)
{
	for (size_t i = 0; policy && i < policy->statement.n; i++) {
		const struct amazon_statement *s = policy->statement.v[i];

		if (!given(s->effect))
			prepare_error(p, "temporary_iam_instance_profile_policy_document",
				      "each Statement needs an Effect, Allow or Deny");
	}
}

static void merge_filter(struct arena *a, struct amazon_filter *f)
{
	if (!f)
		return;
	amazon_merge_tags(a, &f->filters, &f->filter);
	f->filter = (struct str_map){ 0 };
}

void amazon_run_prepare(struct prepare *p, struct amazon_run *c, const struct comm_config *comm)
{
	amazon_merge_tags(p->arena, &c->run_tags, &c->run_tag);
	c->run_tag = (struct str_map){ 0 };
	merge_filter(p->arena, c->vpc_filter);
	merge_filter(p->arena, c->subnet_filter);
	merge_filter(p->arena, c->security_group_filter);
	check_source(p, c);
	check_type(p, c);
	check_network(p, c);
	check_key(p, comm);
	check_user_data(p, c);
	check_placement(p, c);
	check_capacity(p, c);
	settle_metadata(p, c);
	check_policy(p, c->temporary_iam_instance_profile_policy_document);
	if (!given(c->shutdown_behavior))
		c->shutdown_behavior = arena_strdup(p->arena, "stop");
	if (!streq(c->shutdown_behavior, "stop") && !streq(c->shutdown_behavior, "terminate"))
		prepare_error(p, "shutdown_behavior",
			      "shutdown_behavior must be stop or terminate, not '%s'",
			      c->shutdown_behavior);
}
