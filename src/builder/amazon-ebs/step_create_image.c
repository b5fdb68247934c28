/* The image of the stopped instance. */
#include "builder/amazon-ebs/steps.h"

#include "builder/amazon/image.h"
#include "builder/amazon/launch.h"

int ebs_create_image(struct build *b, void *state, struct err *err)
{
	struct amazon *s = state;
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	bool copied = s->ami->encrypt_boot == TRIBOOL_TRUE && !amazon_encrypts_at_launch(s);

	if (s->skip_create_ami) {
		build_say(b, "Skipping AMI creation (skip_create_ami)");
		return 0;
	}
	if (amazon_plan_images(s, copied, err) < 0)
		return -1;
	build_say(b, "Creating AMI %s from instance %s", s->images[0].name, s->instance.id);
	aws_params_add(&p, "InstanceId", s->instance.id);
	amazon_params_devices(&p, s->ami_mappings);
	if (amazon_make_image(s, &s->ec2, &s->images[0], &p, amazon_create_call, err) < 0)
		return err_prefix(err, "creating AMI %s", s->images[0].name);
	build_say(b, "AMI: %s", s->images[0].thing->id);
	build_say(b, "Waiting for the AMI to become available...");
	return amazon_await_image(&s->ec2, &s->images[0], err);
}

void ebs_create_image_undo(struct build *b, void *state, bool failed UNUSED)
{
	struct amazon *s = state;
	struct amazon_image *m = s->images;

	if (!s->nimages || s->keep || !m->thing || (!m->thing->id && !m->thing->open))
		return;
	build_say(b,
		  "Deregistering the AMI and deleting its snapshots, because the build failed...");
	amazon_undo(s, m->thing);
}
