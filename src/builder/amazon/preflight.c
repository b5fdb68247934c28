/* Before anything is made: who we are, whether the regions exist, whether the image's name is free,
 * and which source image it is. None of these questions waits for another, so all are asked at
 * once. */
#include "builder/amazon/parallel.h"
#include "builder/amazon/steps.h"

#include "aws/ami_filter.h"
#include "aws/sts.h"
#include "base/clock.h"
#include "base/log.h"
#include "builder/amazon/local.h"

struct identity_task {
	struct amazon_task task;
	struct sts_identity who;
};

static int ask_identity(struct amazon_task *t, struct amazon *s, const struct aws_client *c,
			struct err *err)
{
	struct identity_task *me = (struct identity_task *)t;
	struct aws_client sts = aws_client_service(c, "sts");
	AUTO(err) struct err why = ERR_INIT;

	if (sts_caller_identity(&sts, &me->who, &why) == 0)
		return 0;
	/* An endpoint of the template's own may well have no STS. Refused keys are refused keys. */
	if (why.code == ERR_CANCELLED ||
	    (why.code == ERR_AUTH && !aws_session_is_custom(s->session, "sts")))
		return err_move(err, &why);
	log_line("%s: the account is not known: %s", s->b->spec->name, why.msg);
	return 0;
}

static int ask_regions(struct amazon_task *t UNUSED, struct amazon *s, const struct aws_client *c,
		       struct err *err)
{
	struct strs known;

	if (ec2_describe_regions(c, &known, err) < 0)
		return err_prefix(err, "listing the account's regions");
	for (size_t i = 0; i < s->ami->ami_regions.n; i++) {
		const char *r = s->ami->ami_regions.v[i];

		if (strs_has(&known, r))
			continue;
		const char *near = str_nearest(r, (const char *const *)known.v, known.n);

		return err_set(err, ERR_INVALID,
			       "ami_regions: the account has no region '%s'%s%s%s", r,
			       near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	return 0;
}

static int ask_name(struct amazon_task *t UNUSED, struct amazon *s, const struct aws_client *c,
		    struct err *err)
{
	struct ec2_image *found;
	size_t n;

	if (ec2_find_images(c, s->ami->ami_name, &found, &n, err) < 0)
		return err_prefix(err, "checking whether the AMI name '%s' is free",
				  s->ami->ami_name);
	if (!n)
		return 0;
	return err_set(err, ERR_EXISTS,
		       "the AMI name '%s' is already used by %s; choose another name, or replace "
		       "that image with -force or force_deregister",
		       s->ami->ami_name, found[0].id);
}

static int ask_vpc(struct amazon_task *t UNUSED, struct amazon *s, const struct aws_client *c,
		   struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct ec2_vpc *found;
	size_t n;

	aws_params_add(&p, "VpcId.1", s->run->vpc_id);
	if (ec2_describe_vpcs(c, &p, &found, &n, err) < 0)
		return err_prefix(err, "looking at vpc_id %s", s->run->vpc_id);
	if (n == 1 && !found[0].is_default)
		return err_set(err, ERR_INVALID,
			       "vpc_id %s is not the default VPC, so set subnet_id or "
			       "subnet_filter",
			       s->run->vpc_id);
	return 0;
}

struct source_task {
	struct amazon_task task;
	struct ec2_image image;
};

static int ask_source(struct amazon_task *t, struct amazon *s, const struct aws_client *c,
		      struct err *err)
{
	struct source_task *me = (struct source_task *)t;

	return aws_ami_find(c, s->run->source_ami, s->run->source_ami_filter, &me->image, err);
}

int amazon_preflight(struct build *b, void *state, struct err *err)
{
	struct amazon *s = state;
	struct identity_task who = { .task.run = ask_identity };
	struct source_task source = { .task.run = ask_source };
	struct amazon_task regions = { .run = ask_regions }, name = { .run = ask_name },
			   vpc = { .run = ask_vpc };
	struct amazon_task *tasks[5];
	size_t n = 0;

	if (b->run->local && amazon_tell_local(s, err) < 0)
		return -1;
	if (!s->access->skip_credential_validation)
		tasks[n++] = &who.task;
	if (s->ami && s->ami->ami_regions.n && !s->access->skip_region_validation)
		tasks[n++] = &regions;
	if (s->ami && s->ami->force_deregister) {
		build_say(b, "An existing image named %s will be replaced", s->ami->ami_name);
	} else if (s->ami && !s->skip_create_ami && !s->ami->skip_save_build_region) {
		build_say(b, "Checking that the AMI name is free: %s", s->ami->ami_name);
		tasks[n++] = &name;
	}
	if (given(s->run->vpc_id) && !given(s->run->subnet_id) &&
	    !(s->run->subnet_filter && s->run->subnet_filter->filters.n))
		tasks[n++] = &vpc;
	tasks[n++] = &source.task;
	if (amazon_parallel(s, tasks, n, err) < 0)
		return -1;
	s->account = who.who.account;
	s->source = source.image;
	return 0;
}

static int check_networking(const struct amazon *s, struct err *err)
{
	const char *type = s->ami->ami_virtualization_type;

	if (s->ami->ena_support != TRIBOOL_TRUE && !s->ami->sriov_support)
		return 0;
	if (!given(type))
		type = s->source.virtualization;
	if (*type && !streq(type, "hvm"))
		return err_set(err, ERR_INVALID,
			       "ena_support and sriov_support need an HVM image; source image %s "
			       "is %s",
			       s->source.id, type);
	return 0;
}

int amazon_source_image(struct build *b, void *state, struct err *err)
{
	struct amazon *s = state;
	const char *root = s->source.root_device_type;

	build_say(b, "Source image: %s (%s)", s->source.id,
		  *s->source.name ? s->source.name : "without a name");
	amazon_set_source_values(s);
	amazon_local_source(s);
	if (s->root_device_type && *root && !streq(root, s->root_device_type) &&
	    !streq(root, "standard"))
		return err_set(err, ERR_INVALID,
			       "source image %s has the root device type '%s'; this builder "
			       "needs '%s'",
			       s->source.id, root, s->root_device_type);
	return s->ami ? check_networking(s, err) : 0;
}
