/* Copies of the first image: into the regions of ami_regions, and into the build's own region where
 * the first one is only a step on the way (Packer's way to encrypt_boot, skip_save_build_region).
 * All at once. */
#include "builder/amazon/image.h"
#include "builder/amazon/launch.h"
#include "builder/amazon/parallel.h"
#include "builder/amazon/steps.h"

struct copy_task {
	struct amazon_task task;
	struct amazon_image *image;
	const char *source;
};

static int copy(struct amazon_task *t, struct amazon *s, const struct aws_client *c,
		struct err *err)
{
	struct copy_task *me = (struct copy_task *)t;
	struct aws_client there = aws_client_region(c, me->image->region);
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

	aws_params_add(&p, "SourceRegion", s->region);
	aws_params_add(&p, "SourceImageId", me->source);
	if (s->ami->encrypt_boot != TRIBOOL_UNSET)
		aws_params_bool(&p, "Encrypted", s->ami->encrypt_boot == TRIBOOL_TRUE);
	if (s->ami->encrypt_boot == TRIBOOL_TRUE)
		aws_params_add(&p, "KmsKeyId", amazon_kms_key(s, me->image->region));
	if (s->ami->snapshot_copy_duration_minutes)
		aws_params_int(&p, "SnapshotCopyCompletionDurationMinutes",
			       s->ami->snapshot_copy_duration_minutes);
	if (amazon_make_image(s, &there, me->image, &p, ec2_copy_image, err) < 0)
		return err_prefix(err, "copying AMI %s to %s", me->source, me->image->region);
	build_say(s->b, "Copy in %s: %s", me->image->region, me->image->thing->id);
	return amazon_await_image(&there, me->image, err);
}

int amazon_copy_image(struct build *b, void *state, struct err *err)
{
	struct amazon *s = state;

	if (s->nimages < 2)
		return 0;
	auto_free struct copy_task *v = xcalloc(s->nimages, sizeof(*v));
	auto_free struct amazon_task **tasks = xcalloc(s->nimages, sizeof(*tasks));

	build_say(b, "Copying AMI %s...", s->images[0].thing->id);
	for (size_t i = 1; i < s->nimages; i++) {
		build_say(b, "Copying to: %s", s->images[i].region);
		v[i] = (struct copy_task){ .task.run = copy,
					   .image = &s->images[i],
					   .source = s->images[0].thing->id };
		tasks[i - 1] = &v[i].task;
	}
	build_say(b, "Waiting for the copies to finish...");
	return amazon_parallel(s, tasks, s->nimages - 1, err);
}

void amazon_copy_image_undo(struct build *b, void *state, bool failed)
{
	struct amazon *s = state;

	for (size_t i = s->nimages; i-- > 0;) {
		struct amazon_image *m = &s->images[i];

		if (!m->thing || (!m->thing->id && !m->thing->open) ||
		    (!m->temporary && (!failed || s->keep || i == 0)))
			continue;
		build_say(b, "Deregistering %s AMI %s in %s and deleting its snapshots...",
			  m->temporary ? "the temporary" : "the",
			  m->thing->id ? m->thing->id : m->name, m->region);
		amazon_undo(s, m->thing);
	}
}
