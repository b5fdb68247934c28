/* What an image gets once it is available. What the creating call could say already (description,
 * tags) is only sent again where the endpoint did not take it over. */
#include "builder/amazon/image.h"
#include "builder/amazon/steps.h"

#include "base/clock.h"
#include "base/log.h"

static int modify(struct amazon *s, const struct aws_client *c, const struct amazon_image *image,
		  const char *what, const struct aws_params *p, struct err *err)
{
	build_say(s->b, "AMI %s: setting its %s...", image->image.id, what);
	if (ec2_modify_image(c, image->image.id, p, err) < 0)
		return err_prefix(err, "%s of AMI %s in %s", what, image->image.id, image->region);
	return 0;
}

static int add_permissions(struct aws_params *p, const char *prefix, const char *field,
			   const struct strs *list, int n)
{
	for (size_t i = 0; i < list->n; i++)
		aws_params_addf(p, list->v[i], "%s.Add.%d.%s", prefix, ++n, field);
	return n;
}

static int share_image(struct amazon *s, const struct aws_client *c,
		       const struct amazon_image *image, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	int n = 0;

	n = add_permissions(&p, "LaunchPermission", "UserId", &s->ami->ami_users, n);
	n = add_permissions(&p, "LaunchPermission", "Group", &s->ami->ami_groups, n);
	n = add_permissions(&p, "LaunchPermission", "OrganizationArn", &s->ami->ami_org_arns, n);
	n = add_permissions(&p, "LaunchPermission", "OrganizationalUnitArn", &s->ami->ami_ou_arns,
			    n);
	return n ? modify(s, c, image, "launch permissions", &p, err) : 0;
}

static int share_snapshots(struct amazon *s, const struct aws_client *c,
			   const struct amazon_image *image, struct err *err)
{
	struct strs ids = amazon_snapshots(c->arena, &image->image);

	if (!s->ami->snapshot_users.n && !s->ami->snapshot_groups.n)
		return 0;
	for (size_t i = 0; i < ids.n; i++) {
		AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

		build_say(s->b, "Sharing snapshot %s...", ids.v[i]);
		aws_params_add(&p, "Attribute", "createVolumePermission");
		aws_params_add(&p, "OperationType", "add");
		aws_params_list(&p, "UserId", &s->ami->snapshot_users);
		aws_params_list(&p, "UserGroup", &s->ami->snapshot_groups);
		if (ec2_modify_snapshot(c, ids.v[i], &p, err) < 0)
			return err_prefix(err, "sharing snapshot %s in %s", ids.v[i],
					  image->region);
	}
	return 0;
}

int amazon_apply_attributes(struct amazon *s, const struct aws_client *c,
			    struct amazon_image *image, struct err *err)
{
	const char *description = s->image_tags->description;

	if (given(description) && !streq(description, image->image.description)) {
		AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

		aws_params_add(&p, "Description.Value", description);
		if (modify(s, c, image, "description", &p, err) < 0)
			return -1;
	}
	if (share_image(s, c, image, err) < 0)
		return -1;
	if (s->ami->ami_product_codes.n) {
		AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

		aws_params_list(&p, "ProductCode", &s->ami->ami_product_codes);
		if (modify(s, c, image, "product codes", &p, err) < 0)
			return -1;
	}
	if (given(s->ami->imds_support) &&
	    !streq(image->image.imds_support, s->ami->imds_support)) {
		AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

		aws_params_add(&p, "ImdsSupport.Value", s->ami->imds_support);
		if (modify(s, c, image, "imds_support", &p, err) < 0)
			return -1;
	}
	return share_snapshots(s, c, image, err);
}

int amazon_apply_deprecation(struct amazon *s, const struct aws_client *c,
			     struct amazon_image *image, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	AUTO(buf) struct buf at = BUF_INIT;
	int64_t ms;

	if (!s->ami->deprecate_at || !clock_parse_rfc3339(str_from(s->ami->deprecate_at), &ms))
		return 0;
	clock_format_rfc3339(&at, ms, false);
	build_say(s->b, "AMI %s in %s: setting its deprecation to %s", image->image.id,
		  image->region, buf_cstr(&at));
	aws_params_add(&p, "ImageId", image->image.id);
	aws_params_add(&p, "DeprecateAt", buf_cstr(&at));
	if (aws_call(c, "EnableImageDeprecation", &p, NULL, err) < 0)
		return err_prefix(err, "deprecate_at of AMI %s in %s", image->image.id,
				  image->region);
	return 0;
}

int amazon_apply_protection(struct amazon *s, const struct aws_client *c,
			    struct amazon_image *image, struct err *err)
{
	const struct amazon_deregistration_protection *d = s->ami->deregistration_protection;
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

	if (!d || !d->enabled)
		return 0;
	build_say(s->b, "AMI %s in %s: turning on deregistration protection", image->image.id,
		  image->region);
	aws_params_add(&p, "ImageId", image->image.id);
	aws_params_bool(&p, "WithCooldown", d->with_cooldown);
	if (aws_call(c, "EnableImageDeregistrationProtection", &p, NULL, err) < 0)
		return err_prefix(err, "deregistration_protection of AMI %s in %s", image->image.id,
				  image->region);
	return 0;
}

static bool has_tags(const struct ec2_tags *have, const struct str_map *want)
{
	for (size_t i = 0; i < want->n; i++) {
		const char *value = ec2_tag(have, want->v[i].key);

		if (!value || !streq(value, want->v[i].value))
			return false;
	}
	return true;
}

static int tag(struct amazon *s, const struct aws_client *c, const struct strs *ids,
	       const struct str_map *tags, struct err *err)
{
	for (size_t i = 0; i < ids->n; i++)
		build_say(s->b, "Adding tags to %s...", ids->v[i]);
	if (ec2_create_tags(c, ids, tags, err) < 0)
		return err_prefix(err, "adding tags to %s", ids->v[0]);
	return 0;
}

/* Snapshots whose tags the creating call did not set; EC2 shows them only here. Who may not look
 * sets them once more on all. */
static int missing_snapshot_tags(const struct aws_client *c, const struct strs *ids,
				 const struct str_map *want, struct strs *ret, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	AUTO(err) struct err why = ERR_INIT;
	struct ec2_snapshot *v;
	size_t n;

	*ret = (struct strs){ arena_new_array(c->arena, char *, ids->n + 1), 0 };
	aws_params_list(&p, "SnapshotId", ids);
	if (ec2_describe_snapshots(c, &p, &v, &n, &why) < 0) {
		if (!aws_denied(&why))
			return err_move(err, &why);
		*ret = *ids;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		if (!has_tags(&v[i].tags, want))
			ret->v[ret->n++] = (char *)v[i].id;
	return 0;
}

int amazon_apply_tags(struct amazon *s, const struct aws_client *c, struct amazon_image *image,
		      struct err *err)
{
	const struct amazon_image_tags *t = s->image_tags;
	struct strs snapshots = amazon_snapshots(c->arena, &image->image), missing;
	char *id = (char *)image->image.id;

	if (!has_tags(&image->image.tags, &t->image) &&
	    tag(s, c, &(struct strs){ &id, 1 }, &t->image, err) < 0)
		return -1;
	if (!t->snapshot.n || !snapshots.n)
		return 0;
	if (missing_snapshot_tags(c, &snapshots, &t->snapshot, &missing, err) < 0)
		return err_prefix(err, "reading the tags of the snapshots of %s", image->image.id);
	return missing.n ? tag(s, c, &missing, &t->snapshot, err) : 0;
}

void amazon_untag_image(struct amazon *s, const struct aws_client *c,
			const struct amazon_image *image)
{
	struct strs ids = amazon_snapshots(c->arena, &image->image);
	char *key = (char *)s->run_tag;
	AUTO(err) struct err err = ERR_INIT;

	if (!s->run_tag || !*image->image.id)
		return;
	ids.v[ids.n++] = (char *)image->image.id;
	if (ec2_delete_tags(c, &ids, &(struct strs){ &key, 1 }, &err) < 0)
		log_line("%s: AMI %s keeps the tag %s: %s", s->b->spec->name, image->image.id,
			 s->run_tag, err.msg);
}

int amazon_image_attributes(struct build *b UNUSED, void *state, struct err *err)
{
	return amazon_each_image(state, amazon_apply_attributes, err);
}

int amazon_image_deprecation(struct build *b UNUSED, void *state, struct err *err)
{
	return amazon_each_image(state, amazon_apply_deprecation, err);
}

/* A protected image could not be taken back or replaced: it comes last. */
int amazon_image_protection(struct build *b UNUSED, void *state, struct err *err)
{
	return amazon_each_image(state, amazon_apply_protection, err);
}

int amazon_image_tags(struct build *b UNUSED, void *state, struct err *err)
{
	return amazon_each_image(state, amazon_apply_tags, err);
}

static int untag(struct amazon *s, const struct aws_client *c, struct amazon_image *image,
		 struct err *err UNUSED)
{
	amazon_untag_image(s, c, image);
	return 0;
}

int amazon_image_untag(struct build *b UNUSED, void *state, struct err *err)
{
	return amazon_each_image(state, untag, err);
}
