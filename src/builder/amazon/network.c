/* Where the instance goes: VPC, subnet and zone, by id, by filter, or in the default VPC when the
 * template asks for (or forbids) a public address without naming a subnet. */
#include "builder/amazon/steps.h"

#include "aws/ami_filter.h"
#include "base/os.h"

static int find_vpc(struct amazon *s, struct err *err)
{
	const struct str_map *filters = &s->run->vpc_filter->filters;
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct ec2_vpc *found;
	size_t n;

	aws_filters_add(&p, filters);
	if (!str_map_get(filters, "state"))
		aws_params_filter(&p, "state", "available");
	if (ec2_describe_vpcs(&s->ec2, &p, &found, &n, err) < 0)
		return err_prefix(err, "looking for a VPC by vpc_filter");
	if (n != 1)
		return err_set(err, n ? ERR_INVALID : ERR_NOT_FOUND,
			       "vpc_filter (%s) must match exactly one VPC; it matches %zu",
			       aws_filters_text(s->b->arena, filters), n);
	s->vpc_id = found[0].id;
	build_say(s->b, "Using VPC %s", s->vpc_id);
	return 0;
}

static const struct ec2_subnet *most_free(const struct ec2_subnet *v, size_t n)
{
	const struct ec2_subnet *best = v;

	for (size_t i = 1; i < n; i++)
		if (v[i].free_addresses > best->free_addresses)
			best = &v[i];
	return best;
}

static void take_subnet(struct amazon *s, const struct ec2_subnet *subnet)
{
	s->subnet_id = subnet->id;
	if (!*s->vpc_id)
		s->vpc_id = subnet->vpc_id;
	if (!*s->zone)
		s->zone = subnet->zone;
}

static int find_subnet(struct amazon *s, struct err *err)
{
	const struct amazon_filter *f = s->run->subnet_filter;
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	const struct ec2_subnet *chosen;
	struct ec2_subnet *found;
	uint32_t dice;
	size_t n;

	aws_filters_add(&p, &f->filters);
	if (!str_map_get(&f->filters, "state"))
		aws_params_filter(&p, "state", "available");
	if (*s->vpc_id && !str_map_get(&f->filters, "vpc-id"))
		aws_params_filter(&p, "vpc-id", s->vpc_id);
	if (*s->zone)
		aws_params_filter(&p, "availability-zone", s->zone);
	if (ec2_describe_subnets(&s->ec2, &p, &found, &n, err) < 0)
		return err_prefix(err, "looking for a subnet by subnet_filter");
	if (!n)
		return err_set(err, ERR_NOT_FOUND, "no subnet matches subnet_filter (%s)",
			       aws_filters_text(s->b->arena, &f->filters));
	if (n > 1 && !f->most_free && !f->random)
		return err_set(err, ERR_INVALID,
			       "%zu subnets match subnet_filter (%s): narrow it, or set "
			       "most_free or random in it",
			       n, aws_filters_text(s->b->arena, &f->filters));
	os_random(&dice, sizeof(dice));
	chosen = f->most_free ? most_free(found, n) : &found[dice % n];
	take_subnet(s, chosen);
	build_say(s->b, "Using subnet %s", s->subnet_id);
	return 0;
}

static int read_subnet(struct amazon *s, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct ec2_subnet *found;
	size_t n;

	aws_params_add(&p, "SubnetId.1", s->subnet_id);
	if (ec2_describe_subnets(&s->ec2, &p, &found, &n, err) < 0)
		return err_prefix(err, "looking at subnet_id %s", s->subnet_id);
	if (n)
		take_subnet(s, &found[0]);
	return 0;
}

/* Zones that offer the instance type, each followed by a space; NULL when that cannot be asked. */
static const char *zones_with_type(struct amazon *s)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf zones = BUF_INIT;
	struct xml *answer;

	aws_params_add(&p, "LocationType", "availability-zone");
	aws_params_filter(&p, "instance-type", s->run->instance_type);
	if (aws_call(&s->ec2, "DescribeInstanceTypeOfferings", &p, &answer, &err) < 0) {
		build_say(s->b,
			  "Cannot find out which zones offer %s (%s); using the subnet with the "
			  "most free addresses",
			  s->run->instance_type, err.msg);
		return NULL;
	}
	for (const struct xml *i = xml_first(answer, "instanceTypeOfferingSet/item"); i;
	     i = xml_next(i))
		buf_printf(&zones, "%s ", xml_text(i, "location"));
	return arena_strdup(s->b->arena, buf_cstr(&zones));
}

static bool has_zone(const char *zones, const char *zone)
{
	size_t n = strlen(zone);

	for (const char *at = zones; (at = strstr(at, zone)); at++)
		if ((at == zones || at[-1] == ' ') && at[n] == ' ')
			return true;
	return false;
}

static int default_vpc(struct amazon *s, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct ec2_vpc *found;
	size_t n;

	aws_params_filter(&p, "is-default", "true");
	if (ec2_describe_vpcs(&s->ec2, &p, &found, &n, err) < 0)
		return -1;
	if (n != 1)
		return err_set(err, ERR_NOT_FOUND, "there is no default VPC");
	s->vpc_id = found[0].id;
	return 0;
}

/* The subnet that fits best in the VPC or the default one. */
static int infer_subnet(struct amazon *s, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct ec2_subnet *found;
	const char *zones;
	size_t n, kept = 0;

	if (!*s->vpc_id && default_vpc(s, err) < 0)
		return -1;
	aws_params_filter(&p, "vpc-id", s->vpc_id);
	aws_params_filter(&p, "state", "available");
	if (ec2_describe_subnets(&s->ec2, &p, &found, &n, err) < 0)
		return -1;
	zones = zones_with_type(s);
	for (size_t i = 0; zones && *zones && i < n; i++)
		if (has_zone(zones, found[i].zone) && (!*s->zone || streq(s->zone, found[i].zone)))
			found[kept++] = found[i];
	if (kept)
		n = kept;
	if (!n)
		return err_set(err, ERR_NOT_FOUND, "%s has no subnet", s->vpc_id);
	take_subnet(s, most_free(found, n));
	build_say(s->b, "Using subnet %s of %s, because associate_public_ip_address needs one",
		  s->subnet_id, s->vpc_id);
	return 0;
}

int amazon_network(struct build *b, void *state, struct err *err)
{
	struct amazon *s = state;
	const struct amazon_run *r = s->run;

	s->vpc_id = r->vpc_id ? r->vpc_id : "";
	s->subnet_id = r->subnet_id ? r->subnet_id : "";
	s->zone = r->availability_zone ? r->availability_zone : "";
	if (!given(s->vpc_id) && r->vpc_filter && r->vpc_filter->filters.n && find_vpc(s, err) < 0)
		return -1;
	if (!given(s->subnet_id) && r->subnet_filter && r->subnet_filter->filters.n &&
	    find_subnet(s, err) < 0)
		return -1;
	if (!given(s->subnet_id) && r->associate_public_ip_address != TRIBOOL_UNSET) {
		AUTO(err) struct err why = ERR_INIT;

		if (infer_subnet(s, &why) < 0) {
			if (why.code == ERR_CANCELLED)
				return err_move(err, &why);
			build_say(b,
				  "associate_public_ip_address is ignored, because no subnet was "
				  "found for it: %s",
				  why.msg);
		}
	}
	/* Only a temporary security group needs to know the subnet's VPC; EC2 knows its zone. */
	if (given(s->subnet_id) && !given(s->vpc_id) && !r->security_group_ids.n)
		return read_subnet(s, err);
	return 0;
}
