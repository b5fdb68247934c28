/* What builds wait for: how each kind of thing is judged, and its result as a struct. */
#include "aws/wait.h"

#include "aws/waiter.h"

/* An image without its snapshot ids is looked at again this long: they follow the state. */
#define IMAGE_SETTLE_MS 5000

static enum wait_verdict judge_instance(const char *goal, const struct xml *i, int64_t age UNUSED,
					const char **ret_state, const char **ret_why)
{
	const char *state = *ret_state = xml_text(i, "instanceState/name");
	bool dying = streq(state, "terminated") || streq(state, "shutting-down");

	*ret_why = xml_text(i, "stateReason/message");
	if (streq(state, goal))
		return WAIT_DONE;
	return dying && !streq(goal, "terminated") ? WAIT_FAILED : WAIT_PENDING;
}

static bool snapshots_listed(const struct xml *image)
{
	for (const struct xml *m = xml_first(image, "blockDeviceMapping/item"); m; m = xml_next(m))
		if (xml_get(m, "ebs") && !*xml_text(m, "ebs/snapshotId"))
			return false;
	return true;
}

static enum wait_verdict judge_image(const char *goal, const struct xml *i, int64_t age,
				     const char **ret_state, const char **ret_why)
{
	const char *state = *ret_state = xml_text(i, "imageState");

	*ret_why = xml_text(i, "stateReason/message");
	if (streq(state, goal))
		return snapshots_listed(i) || age > IMAGE_SETTLE_MS ? WAIT_DONE : WAIT_PENDING;
	return streq(state, "pending") || streq(state, "transient") || !*state ? WAIT_PENDING
									       : WAIT_FAILED;
}

int aws_wait_instance(const struct aws_client *c, const char *id, const char *state,
		      struct ec2_instance *ret, struct err *err)
{
	struct wait_request r = {
		.kind = WAIT_INSTANCE,
		.id = id,
		.what = "instance",
		.goal = state,
		.judge = judge_instance,
		.gone_is_done = streq(state, "terminated"),
		.no_progress_ms = AWS_WAIT_INSTANCE_MS,
	};
	const struct xml *item;

	if (waiter_wait(c, &r, &item, err) < 0)
		return -1;
	if (!ret)
		return 0;
	ec2_read_instance(c->arena, item, ret);
	if (!item) {
		ret->id = arena_strdup(c->arena, id);
		ret->state = "terminated";
	}
	return 0;
}

int aws_wait_image(const struct aws_client *c, const char *id, struct ec2_image *ret,
		   struct err *err)
{
	struct wait_request r = {
		.kind = WAIT_IMAGE,
		.id = id,
		.what = "image",
		.goal = "available",
		.judge = judge_image,
		.no_progress_ms = AWS_WAIT_IMAGE_MS,
	};
	const struct xml *item;

	if (waiter_wait(c, &r, &item, err) < 0)
		return -1;
	if (ret)
		ec2_read_image(c->arena, item, ret);
	return 0;
}
