/* The calls that change things, and those that take them away. */
#include "aws/ec2.h"

#include "base/clock.h"

#define IN_USE_MS 120000 /* how long a dying instance or image may still hold a group or snapshot */
#define TAGS_IDS 500     /* resources of one CreateTags call; EC2 takes 1000 */

static bool gone(const struct err *e)
{
	return e->code == ERR_NOT_FOUND;
}

/* One call with one id, whose answer holds nothing. */
static int simple(const struct aws_client *c, const char *action, const char *key, const char *id,
		  bool gone_ok, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	AUTO(err) struct err e = ERR_INIT;

	aws_params_add(&p, key, id);
	if (aws_call(c, action, &p, NULL, &e) == 0 || (gone_ok && gone(&e)))
		return 0;
	err_move(err, &e);
	return err_prefix(err, "%s", id);
}

/* The same, repeated while something still uses the thing. */
static int simple_unless_used(const struct aws_client *c, const char *action, const char *key,
			      const char *id, const char *used_code, struct err *err)
{
	int64_t until = clock_ms() + IN_USE_MS;
	int64_t pause = aws_session_is_custom(c->session, "ec2") ? 100 : 1000;

	for (;;) {
		AUTO(err) struct err e = ERR_INIT;

		if (simple(c, action, key, id, true, &e) == 0)
			return 0;
		if (!err_is(&e, used_code) || clock_ms() + pause > until ||
		    (c->deadline_ms && clock_ms() + pause > c->deadline_ms))
			return err_move(err, &e);
		if (clock_sleep(pause, c->cancel) < 0)
			return err_set(err, ERR_CANCELLED, "cancelled");
		pause = MIN(pause * 3 / 2, 5000);
	}
}

int ec2_stop_instance(const struct aws_client *c, const char *id, bool force, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

	aws_params_add(&p, "InstanceId.1", id);
	if (force)
		aws_params_bool(&p, "Force", true);
	return aws_call(c, "StopInstances", &p, NULL, err);
}

int ec2_terminate_instance(const struct aws_client *c, const char *id, struct err *err)
{
	return simple(c, "TerminateInstances", "InstanceId.1", id, true, err);
}

int ec2_create_tags(const struct aws_client *c, const struct strs *ids, const struct str_map *tags,
		    struct err *err)
{
	for (size_t from = 0; from < ids->n && tags->n; from += TAGS_IDS) {
		AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
		struct strs part = { ids->v + from, MIN(ids->n - from, (size_t)TAGS_IDS) };

		aws_params_list(&p, "ResourceId", &part);
		aws_params_pairs(&p, "Tag", tags);
		if (aws_call(c, "CreateTags", &p, NULL, err) < 0)
			return -1;
	}
	return 0;
}

int ec2_delete_tags(const struct aws_client *c, const struct strs *ids, const struct strs *keys,
		    struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

	if (ids->n == 0 || keys->n == 0)
		return 0;
	aws_params_list(&p, "ResourceId", ids);
	for (size_t i = 0; i < keys->n; i++)
		aws_params_addf(&p, keys->v[i], "Tag.%zu.Key", i + 1);
	return aws_call(c, "DeleteTags", &p, NULL, err);
}

static int modify(const struct aws_client *c, const char *action, const char *key, const char *id,
		  const struct aws_params *p, struct err *err)
{
	AUTO(aws_params) struct aws_params q = AWS_PARAMS_INIT;

	aws_params_add(&q, key, id);
	aws_params_add_all(&q, p);
	if (aws_call(c, action, &q, NULL, err) < 0)
		return err_prefix(err, "%s", id);
	return 0;
}

int ec2_modify_instance(const struct aws_client *c, const char *id, const struct aws_params *p,
			struct err *err)
{
	return modify(c, "ModifyInstanceAttribute", "InstanceId", id, p, err);
}

int ec2_modify_image(const struct aws_client *c, const char *id, const struct aws_params *p,
		     struct err *err)
{
	return modify(c, "ModifyImageAttribute", "ImageId", id, p, err);
}

int ec2_modify_snapshot(const struct aws_client *c, const char *id, const struct aws_params *p,
			struct err *err)
{
	return modify(c, "ModifySnapshotAttribute", "SnapshotId", id, p, err);
}

int ec2_deregister_image(const struct aws_client *c, const char *id, struct err *err)
{
	return simple(c, "DeregisterImage", "ImageId", id, true, err);
}

int ec2_delete_snapshot(const struct aws_client *c, const char *id, struct err *err)
{
	return simple_unless_used(c, "DeleteSnapshot", "SnapshotId", id, "InvalidSnapshot.InUse",
				  err);
}

int ec2_delete_volume(const struct aws_client *c, const char *id, struct err *err)
{
	return simple_unless_used(c, "DeleteVolume", "VolumeId", id, "VolumeInUse", err);
}

int ec2_delete_key_pair(const struct aws_client *c, const char *name, struct err *err)
{
	return simple(c, "DeleteKeyPair", "KeyName", name, true, err);
}

int ec2_delete_security_group(const struct aws_client *c, const char *id, struct err *err)
{
	return simple_unless_used(c, "DeleteSecurityGroup", "GroupId", id, "DependencyViolation",
				  err);
}

int ec2_delete_image(const struct aws_client *c, const char *id, bool with_snapshots,
		     struct err *err)
{
	AUTO(err) struct err e = ERR_INIT;
	struct ec2_image image = { 0 };
	struct aws_client look = aws_client_within(c, AWS_LOOK_MS);

	if (ec2_get_image(&look, id, &image, &e) < 0 && !gone(&e))
		return err_move(err, &e);
	if (ec2_deregister_image(c, id, err) < 0)
		return -1;
	for (size_t i = 0; with_snapshots && i < image.nmappings; i++)
		if (*image.mappings[i].snapshot_id &&
		    ec2_delete_snapshot(c, image.mappings[i].snapshot_id, err) < 0)
			return -1;
	return 0;
}
