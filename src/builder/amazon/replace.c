/* force_deregister: the new images, made under temporary names and available everywhere, take the
 * place of the old ones. AMI names are unique and cannot be changed, so for each region: deregister
 * the old image, give the final name to an image of the same snapshots, drop the temporary name. If
 * the final name cannot be had, the old image is registered again from its snapshots and the new
 * one stays as it is.
 *
 * From the moment the first old image is gone nothing new is taken back any more (struct amazon,
 * keep). */
#include "builder/amazon/image.h"
#include "builder/amazon/launch.h"
#include "builder/amazon/steps.h"

#include "aws/wait.h"
#include "base/log.h"
#include "base/os.h"

/* UEFI variables are only to be had as an attribute; images without them say nothing. */
static const char *uefi_data(const struct aws_client *c, const struct ec2_image *from)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct xml *answer;

	if (!starts_with(from->boot_mode, "uefi"))
		return "";
	aws_params_add(&p, "ImageId", from->id);
	aws_params_add(&p, "Attribute", "uefiData");
	if (aws_call(c, "DescribeImageAttribute", &p, &answer, &err) < 0) {
		log_line("no UEFI data of %s: %s", from->id, err.msg);
		return "";
	}
	return xml_text(answer, "uefiData/value");
}

/* RegisterImage with everything of `from` that it can carry over. */
static void register_params(struct aws_params *p, const struct aws_client *c,
			    const struct ec2_image *from)
{
	aws_params_add_given(p, "Architecture", from->architecture);
	aws_params_add_given(p, "RootDeviceName", from->root_device_name);
	aws_params_add_given(p, "VirtualizationType", from->virtualization);
	aws_params_add_given(p, "KernelId", from->kernel_id);
	aws_params_add_given(p, "RamdiskId", from->ramdisk_id);
	aws_params_add_given(p, "SriovNetSupport", from->sriov);
	aws_params_add_given(p, "BootMode", from->boot_mode);
	aws_params_add_given(p, "TpmSupport", from->tpm_support);
	aws_params_add_given(p, "ImdsSupport", from->imds_support);
	aws_params_add_given(p, "UefiData", uefi_data(c, from));
	if (from->ena_support)
		aws_params_bool(p, "EnaSupport", true);
	for (size_t i = 0; i < from->nmappings; i++) {
		struct amazon_block_device d = amazon_device_of(&from->mappings[i]);

		d.snapshot_id = (char *)from->mappings[i].snapshot_id;
		amazon_params_device(p, (int)i + 1, &d);
	}
}

/* RegisterImage would lose what the image is billed by. */
static bool keeps_billing(const struct ec2_image *m)
{
	return m->nproduct_codes ||
	       (*m->usage_operation && !streq(m->usage_operation, "RunInstances"));
}

static int register_(const struct aws_client *c, const struct aws_params *p,
		     const char *token UNUSED, const char **ret_id, struct err *err)
{
	return ec2_register_image(c, p, ret_id, err);
}

/* Has no journal row: it is the user's from the start, and its snapshots may be the temporary
 * image's, which nobody may delete any more. */
static int call_final(struct amazon *s, const struct aws_client *c, struct amazon_image *final,
		      struct aws_params *p, amazon_make_fn *make, struct err *err)
{
	const struct amazon_image_tags *t = s->image_tags;
	struct amazon_thing *thing = arena_new_obj(c->arena, struct amazon_thing);
	char token[37];

	os_uuid(token);
	aws_params_add(p, "Name", final->name);
	aws_params_add_given(p, "Description", t->description);
	aws_params_tags(p, "image", &t->image);
	aws_params_tags(p, "snapshot", make == register_ ? &(struct str_map){ 0 } : &t->snapshot);
	*thing = (struct amazon_thing){
		.kind = "image", .region = final->region, .name = final->name, .product = true
	};
	if (make(c, p, token, &thing->id, err) < 0)
		return -1;
	final->thing = thing;
	return amazon_await_image(c, final, err);
}

/* The final image beside the temporary one. */
static int make_final(struct amazon *s, const struct aws_client *c, const struct amazon_image *temp,
		      struct amazon_image *final, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

	if (!keeps_billing(&temp->image)) {
		register_params(&p, c, &temp->image);
		return call_final(s, c, final, &p, register_, err);
	}
	if (temp == &s->images[0]) {
		aws_params_add(&p, "InstanceId", s->instance.id);
		amazon_params_devices(&p, s->ami_mappings);
		return call_final(s, c, final, &p, amazon_create_call, err);
	}
	aws_params_add(&p, "SourceRegion", temp->region);
	aws_params_add(&p, "SourceImageId", temp->image.id);
	return call_final(s, c, final, &p, ec2_copy_image, err);
}

/* A final image that did not become available. */
static void drop_final(struct amazon *s, const struct aws_client *c,
		       const struct amazon_image *final)
{
	AUTO(err) struct err err = ERR_INIT;

	if (final->thing && ec2_deregister_image(c, final->thing->id, &err) < 0)
		build_error(s->b, "AMI %s in %s could not be deregistered: %s", final->thing->id,
			    final->region, err.msg);
}

/* The old image again, as far as EC2 lets it be made from its snapshots. */
static void restore_old(struct amazon *s, const struct aws_client *c, const struct ec2_image *old)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	AUTO(err) struct err err = ERR_INIT;
	const char *id;

	aws_params_add(&p, "Name", old->name);
	aws_params_add_given(&p, "Description", old->description);
	register_params(&p, c, old);
	if (ec2_register_image(c, &p, &id, &err) < 0) {
		build_error(s->b,
			    "The old AMI '%s' (%s) could not be registered again: %s. Its "
			    "snapshots still exist.",
			    old->name, old->id, err.msg);
		return;
	}
	build_say(s->b, "The old AMI '%s' is registered again as %s", old->name, id);
	if (old->tags.n) {
		struct str_map tags = { arena_new_array(c->arena, struct str_pair, old->tags.n),
					old->tags.n };
		char *ids = (char *)id;

		for (size_t i = 0; i < tags.n; i++)
			tags.v[i] = (struct str_pair){ (char *)old->tags.v[i].key,
						       (char *)old->tags.v[i].value };
		if (ec2_create_tags(c, &(struct strs){ &ids, 1 }, &tags, &err) < 0)
			build_error(s->b, "Its tags could not be set: %s", err.msg);
	}
}

/* Everything the template says about images, once more on the final one. */
static int apply_all(struct amazon *s, const struct aws_client *c, struct amazon_image *m,
		     struct err *err)
{
	if (amazon_apply_attributes(s, c, m, err) < 0 || amazon_apply_deprecation(s, c, m, err) < 0)
		return -1;
	return amazon_apply_tags(s, c, m, err);
}

static bool shares_snapshots(const struct ec2_image *a, const struct ec2_image *b)
{
	for (size_t i = 0; i < a->nmappings; i++)
		for (size_t k = 0; k < b->nmappings; k++)
			if (*a->mappings[i].snapshot_id &&
			    streq(a->mappings[i].snapshot_id, b->mappings[k].snapshot_id))
				return true;
	return false;
}

/* The temporary name goes; its snapshots are the final image's now, or go with it. */
static void drop_temporary(struct amazon *s, const struct aws_client *c, struct amazon_image *temp,
			   const struct amazon_image *final)
{
	AUTO(err) struct err err = ERR_INIT;

	if (ec2_delete_image(c, temp->image.id, !shares_snapshots(&temp->image, &final->image),
			     &err) < 0) {
		build_error(s->b, "The temporary AMI %s (%s) in %s could not be deregistered: %s",
			    temp->image.id, temp->name, temp->region, err.msg);
		return;
	}
	temp->thing->id = NULL;
}

static void delete_old_snapshots(struct amazon *s, const struct aws_client *c,
				 const struct amazon_image *m)
{
	for (size_t i = 0; i < m->nold; i++) {
		struct strs ids = amazon_snapshots(c->arena, &m->old[i]);

		for (size_t k = 0; k < ids.n; k++) {
			AUTO(err) struct err err = ERR_INIT;

			if (ec2_delete_snapshot(c, ids.v[k], &err) < 0)
				build_error(s->b,
					    "Snapshot %s of the old AMI could not be deleted: %s",
					    ids.v[k], err.msg);
			else
				build_say(s->b, "Deleted snapshot %s", ids.v[k]);
		}
	}
}

static int deregister_old(struct amazon *s, const struct aws_client *c,
			  const struct amazon_image *m, struct err *err)
{
	for (size_t i = 0; i < m->nold; i++) {
		if (ec2_deregister_image(c, m->old[i].id, err) < 0) {
			err_prefix(err, "deregistering the old AMI %s in %s", m->old[i].id,
				   m->region);
			for (size_t k = 0; k < i; k++)
				restore_old(s, c, &m->old[k]);
			return -1;
		}
		s->keep = true;
		build_say(s->b, "Deregistered AMI %s (%s)", s->ami->ami_name, m->old[i].id);
	}
	return 0;
}

/* One region. */
static int replace(struct amazon *s, const struct aws_client *c, struct amazon_image *m,
		   struct err *err)
{
	struct amazon_image final = { .region = m->region, .name = s->ami->ami_name };

	if (!m->nold)
		return 0;
	build_say(s->b, "Replacing AMI %s in %s...", s->ami->ami_name, m->region);
	/* If this process is killed from here on, sweep must not remove the only image there is. */
	journal_undone(s->b->run->journal, m->thing->row);
	if (deregister_old(s, c, m, err) < 0)
		return -1;
	if (make_final(s, c, m, &final, err) < 0) {
		err_prefix(err, "giving the name '%s' to the new AMI in %s, which keeps the name "
				"%s (%s)",
			   s->ami->ami_name, m->region, m->image.id, m->name);
		drop_final(s, c, &final);
		for (size_t i = 0; i < m->nold; i++)
			restore_old(s, c, &m->old[i]);
		return -1;
	}
	build_say(s->b, "AMI: %s", final.image.id);
	if (apply_all(s, c, &final, err) < 0)
		err_prefix(err, "AMI %s replaced the old one, but not all of its options could "
				"be set",
			   final.image.id);
	drop_temporary(s, c, m, &final);
	if (s->ami->force_delete_snapshot)
		delete_old_snapshots(s, c, m);
	final.old = m->old;
	final.nold = m->nold;
	*m = final;
	return err_any(err) ? -1 : 0;
}

/* What is there now is the user's, however the build ends. */
static void let_go(struct amazon *s)
{
	for (size_t i = 0; i < s->nimages; i++) {
		struct amazon_image *m = &s->images[i];

		if (m->temporary || !m->thing || !m->thing->id)
			continue;
		struct aws_client c = amazon_sure_client(s, m->region, AMAZON_CREATE_MS);

		build_say(s->b, "This AMI was kept: %s: %s (%s)", m->region, m->image.id, m->name);
		amazon_untag_image(s, &c, m);
		if (m->thing->row)
			journal_undone(s->b->run->journal, m->thing->row);
	}
}

int amazon_replace_images(struct build *b UNUSED, void *state, struct err *err)
{
	struct amazon *s = state;
	int result = 0;

	/* One region after the other, and not to be interrupted in the middle of one. */
	for (size_t i = 0; i < s->nimages && result == 0; i++) {
		struct aws_client c = amazon_sure_client(s, s->images[i].region, AMAZON_UNDO_MS);

		if (s->images[i].nold)
			result = replace(s, &c, &s->images[i], err);
	}
	if (result < 0 && s->keep)
		let_go(s);
	return result;
}
