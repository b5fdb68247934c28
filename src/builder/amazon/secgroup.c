/* Security groups: the template's, those a filter finds, or a temporary one that lets in as few
 * addresses as will do. Its rule is added when it is known from where the instance will be
 * reached. */
#include "builder/amazon/steps.h"

#include "aws/address.h"
#include "aws/ami_filter.h"
#include "base/os.h"
#include "communicator/config.h"

#include <arpa/inet.h>
#include <sys/socket.h>

/* RFC 1918 and the shared address space of RFC 6598, which VPN and NAT devices use. */
static char *private_ranges[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
				  "100.64.0.0/10" };
static char *everybody[] = { "0.0.0.0/0" };
static char *everybody6[] = { "::/0" };

static int find_groups(struct amazon *s, struct err *err)
{
	const struct str_map *filters = &s->run->security_group_filter->filters;
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	struct ec2_security_group *found;
	size_t n;

	aws_filters_add(&p, filters);
	if (*s->vpc_id && !str_map_get(filters, "vpc-id"))
		aws_params_filter(&p, "vpc-id", s->vpc_id);
	if (ec2_describe_security_groups(&s->ec2, &p, &found, &n, err) < 0)
		return err_prefix(err, "looking for security groups by security_group_filter");
	if (!n) {
		build_say(s->b,
			  "Warning: no security group matches security_group_filter (%s): the "
			  "instance gets the default group of its VPC",
			  aws_filters_text(s->b->arena, filters));
		return 0;
	}
	s->groups = (struct strs){ arena_new_array(s->b->arena, char *, n), n };
	for (size_t i = 0; i < n; i++) {
		s->groups.v[i] = (char *)found[i].id;
		buf_printf(&text, "%s%s", i ? ", " : "", found[i].id);
	}
	build_say(s->b, "Using security groups: %s", buf_cstr(&text));
	return 0;
}

static int make_group(const struct aws_client *c, const char *name, const struct str_map *tags,
		      void *data, const char **ret_id, struct err *err)
{
	const struct amazon *s = data;

	return ec2_create_security_group(c, name, "Temporary group of an image build", s->vpc_id,
					 tags, ret_id, err);
}

int amazon_security_group(struct build *b, void *state, struct err *err)
{
	struct amazon *s = state;
	char uuid[37];
	char *name;

	amazon_undo(s, s->group); /* of a try before this one (-on-error=ask) */
	/* EC2 checks named groups itself when the instance is launched: nothing exists yet that
	 * would be lost. */
	if (s->run->security_group_ids.n) {
		s->groups = s->run->security_group_ids;
		return 0;
	}
	if (s->run->security_group_filter && s->run->security_group_filter->filters.n)
		return find_groups(s, err);
	os_uuid(uuid);
	name = arena_printf(b->arena, "packer_%s", uuid);
	if (amazon_make_temporary(s, "security-group", "security group", name, make_group, s,
				  &s->group, err) < 0)
		return -1;
	s->groups = (struct strs){ arena_new_array(b->arena, char *, 1), 1 };
	s->groups.v[0] = (char *)s->group->id;
	return 0;
}

void amazon_security_group_undo(struct build *b, void *state, bool failed UNUSED)
{
	struct amazon *s = state;

	if (!s->group || (!s->group->id && !s->group->open))
		return;
	/* An instance that will not end holds the group: sweep takes both. */
	if (s->instance_thing && s->instance_thing->id && !s->instance_ends)
		return;
	build_say(b, "Deleting the temporary security group...");
	amazon_undo(s, s->group);
}

/* This machine's own address on the way to an IPv6 one: there is no address translation to ask
 * about. */
static char *own_ipv6(struct amazon *s)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(22) }, me;
	socklen_t len = sizeof(me);
	char text[INET6_ADDRSTRLEN];
	auto_fd int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || !s->instance.ipv6 ||
	    inet_pton(AF_INET6, s->instance.ipv6, &to.sin6_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&me, &len) < 0 ||
	    !inet_ntop(AF_INET6, &me.sin6_addr, text, sizeof(text)))
		return NULL;
	return arena_printf(s->b->arena, "%s/128", text);
}

static bool reached_privately(const struct amazon *s)
{
	const char *i = s->run->ssh_interface;

	if (given(s->comm->ssh_bastion_host) || given(s->comm->ssh_proxy_host))
		return true;
	if (i)
		return starts_with(i, "private_");
	return s->instance.id && !*s->instance.public_ip;
}

/* A rehearsal's machine reaches the instance over loopback, whatever address it has elsewhere. */
static struct strs with_loopback(const struct amazon *s, const struct strs *own)
{
	char **v = arena_new_array(s->b->arena, char *, own->n + 1);

	memcpy(v, own->v, own->n * sizeof(*v));
	v[own->n] = arena_strdup(s->b->arena, "127.0.0.1/32");
	return (struct strs){ v, own->n + 1 };
}

/* Address ranges that are let in; n = 0 where only everybody will do. */
static int choose_ranges(struct amazon *s, struct strs *ret, struct err *err)
{
	const struct amazon_run *r = s->run;
	char **one = arena_new_array(s->b->arena, char *, 1);
	AUTO(err) struct err why = ERR_INIT;
	const char *mine;

	if (r->temporary_security_group_source_cidrs.n) {
		*ret = s->b->run->local
			       ? with_loopback(s, &r->temporary_security_group_source_cidrs)
			       : r->temporary_security_group_source_cidrs;
		return 0;
	}
	if (!aws_session_is_custom(s->session, "ec2") &&
	    !r->temporary_security_group_source_public_ip) {
		if (r->ssh_interface && streq(r->ssh_interface, "ipv6")) {
			*one = own_ipv6(s);
			*ret = (struct strs){ one, *one ? 1 : 0 };
			return 0;
		}
		if (reached_privately(s)) {
			*ret = (struct strs){ private_ranges, ARRAY_LEN(private_ranges) };
			return 0;
		}
	}
	*ret = (struct strs){ one, 1 };
	if (aws_public_address(&s->ec2, &mine, &why) == 0) {
		*one = (char *)mine;
		return 0;
	}
	if (why.code == ERR_CANCELLED || r->temporary_security_group_source_public_ip ||
	    s->b->run->strict_ingress) {
		err_move(err, &why);
		return err_prefix(err,
				  "finding the public address of this machine for the temporary "
				  "security group (set temporary_security_group_source_cidrs to do "
				  "without)");
	}
	build_say(s->b, "The public address of this machine is not known (%s)", why.msg);
	ret->n = 0;
	return 0;
}

/* Whether the ranges depend on addresses that only a running instance has. */
static bool needs_address(const struct amazon *s)
{
	const char *i = s->run->ssh_interface;

	if (s->run->temporary_security_group_source_cidrs.n ||
	    s->run->temporary_security_group_source_public_ip ||
	    aws_session_is_custom(s->session, "ec2") || reached_privately(s))
		return false;
	return !i || streq(i, "ipv6");
}

static int authorize(struct amazon *s, const struct strs *ranges, struct err *err)
{
	int port = (int)comm_config_port(s->comm);
	AUTO(buf) struct buf text = BUF_INIT;

	for (size_t i = 0; i < ranges->n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", ranges->v[i]);
	build_say(s->b, "Opening port %d to %s in the temporary security group...", port,
		  buf_cstr(&text));
	if (ec2_authorize_ingress(&s->ec2, s->group->id, port, port, ranges, err) < 0)
		return err_prefix(err, "opening port %d in security group %s", port, s->group->id);
	s->rule_added = true;
	return 0;
}

static struct strs everywhere(const struct amazon *s)
{
	bool v6 = s->run->ssh_interface && streq(s->run->ssh_interface, "ipv6");

	return (struct strs){ v6 ? everybody6 : everybody, 1 };
}

int amazon_open_port(struct amazon *s, bool before_address, struct err *err)
{
	struct strs ranges;

	if (!s->group || s->rule_added || comm_config_port(s->comm) <= 0 ||
	    (before_address && needs_address(s)))
		return 0;
	if (choose_ranges(s, &ranges, err) < 0)
		return -1;
	if (!ranges.n) {
		s->rule_wide = true;
		ranges = everywhere(s);
	}
	return authorize(s, &ranges, err);
}

void amazon_widen(struct amazon *s)
{
	struct strs all = everywhere(s);
	AUTO(err) struct err err = ERR_INIT;

	if (!s->group || s->rule_wide || s->b->run->strict_ingress ||
	    s->run->temporary_security_group_source_cidrs.n ||
	    s->run->temporary_security_group_source_public_ip)
		return;
	s->rule_wide = true;
	build_say(s->b,
		  "Warning: no connection to %s in 60 seconds. The temporary security group %s "
		  "now allows %s. To prevent this, set temporary_security_group_source_cidrs or "
		  "use -strict-ingress.",
		  s->host ? s->host : "the instance", s->group->id, all.v[0]);
	if (authorize(s, &all, &err) < 0)
		build_error(s->b, "%s", err.msg);
}
