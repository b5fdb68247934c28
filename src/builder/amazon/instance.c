/* The instance: launched, waited for, and in the end terminated, with those of its volumes that
 * would outlive it. */
#include "builder/amazon/launch.h"
#include "builder/amazon/local.h"
#include "builder/amazon/steps.h"

#include "aws/wait.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"
#include "communicator/config.h"

#define PROFILE_WAIT_MS (60 * 1000) /* until EC2 knows a new instance profile */
#define LAUNCH_WAIT_MS (3 * 60 * 1000)
#define LAUNCH_WINDOW_MS (20 * 1000) /* in which a cancel waits for an answer */

/* The volumes that no termination deletes get their intents before there is an instance. */
int amazon_volumes(struct build *b UNUSED, void *state, struct err *err)
{
	struct amazon *s = state;
	struct strs names = amazon_kept_devices(s);

	for (size_t i = 0; i < names.n; i++) {
		struct amazon_thing *t;

		if (amazon_intend(s, "volume", s->region, names.v[i], NULL, true, &t, err) < 0)
			return -1;
	}
	return 0;
}

static int name_volumes(struct amazon *s, struct err *err)
{
	for (size_t i = 0; i < s->things.n; i++) {
		struct amazon_thing *t = s->things.v[i];
		const char *id = NULL;

		if (!t->open || !streq(t->kind, "volume"))
			continue;
		for (size_t k = 0; k < s->instance.nmappings; k++) {
			const struct ec2_mapping *m = &s->instance.mappings[k];

			if (streq(m->device_name, t->name) && !m->delete_on_termination)
				id = m->volume_id;
		}
		if (!id || !*id)
			amazon_settled(s, t);
		else if (amazon_made(s, t, id, err) < 0)
			return -1;
	}
	return 0;
}

/* The template's own profile may be just as new: something made it for this build. */
static bool profile_unknown(const struct amazon *s, const struct err *err)
{
	return *s->profile && err_is(err, "InvalidParameterValue") && err->msg &&
	       strcasestr(err->msg, "iamInstanceProfile");
}

/* One launch under one token: asking again with it can never give two instances. Each try ends by
 * itself, so that a cancel never leaves an answer behind. */
static int launch(struct amazon *s, const struct aws_params *p, const char *token, struct err *err)
{
	int64_t start = clock_ms();

	for (;;) {
		struct aws_client c = amazon_sure_client(s, s->region, LAUNCH_WINDOW_MS);
		int64_t spent;

		if (ec2_run_instance(&c, p, token, &s->instance, err) == 0)
			return 0;
		spent = clock_ms() - start;
		if (cancel_is_set(s->b->cancel))
			return -1;
		if (!(profile_unknown(s, err) && spent < PROFILE_WAIT_MS) &&
		    !((err->code == ERR_AGAIN || err->code == ERR_TIMEOUT) &&
		      spent < LAUNCH_WAIT_MS))
			return -1;
		log_line("%s: launching again: %s", s->b->spec->name, err->msg);
		err_release(err);
		if (clock_sleep(1000, s->b->cancel) < 0)
			return cancel_check(s->b->cancel, err);
	}
}

static int launch_tagged(struct amazon *s, struct err *err)
{
	for (bool tag = true;; tag = false) {
		AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
		char token[37];

		os_uuid(token);
		if (amazon_launch_params(s, &p, tag, err) < 0 ||
		    amazon_intend(s, "instance", s->region, NULL, token, false, &s->instance_thing,
				  err) < 0)
			return -1;
		if (launch(s, &p, token, err) == 0)
			return amazon_made(s, s->instance_thing, s->instance.id, err);
		amazon_refused(s, s->instance_thing, err);
		if (err_is(err, "VPCIdNotSpecified") && !*s->subnet_id)
			return err_prefix(err, "launching the instance: the account has no default "
					       "VPC, so set subnet_id or subnet_filter");
		if (!tag || !amazon_tag_refused(s, err))
			return err_prefix(err, "launching the instance");
		amazon_without_tag(s, "instance", err);
	}
}

/* A public address can come a moment after the state. */
static void await_public_address(struct amazon *s)
{
	if (s->run->ssh_interface || s->run->associate_public_ip_address == TRIBOOL_FALSE ||
	    comm_config_host(s->comm))
		return;
	for (int i = 0; i < 2 && !*s->instance.public_ip; i++) {
		AUTO(err) struct err err = ERR_INIT;
		struct ec2_instance now;

		if (clock_sleep(1000, s->b->cancel) < 0 ||
		    ec2_get_instance(&s->ec2, s->instance.id, &now, &err) < 0)
			return;
		s->instance = now;
	}
}

static void tell_addresses(struct amazon *s)
{
	const struct ec2_instance *i = &s->instance;

	if (*i->public_dns)
		build_say(s->b, "Public DNS: %s", i->public_dns);
	if (*i->public_ip)
		build_say(s->b, "Public IP: %s", i->public_ip);
	if (*i->private_ip)
		build_say(s->b, "Private IP: %s", i->private_ip);
}

int amazon_run_instance(struct build *b, void *state, struct err *err)
{
	struct amazon *s = state;

	amazon_run_instance_undo(b, s, true); /* of a try before this one (-on-error=ask) */
	s->instance_ends = false;
	build_say(b, "Launching an instance...");
	if (launch_tagged(s, err) < 0)
		return -1;
	build_say(b, "Instance ID: %s", s->instance.id);
	build_set(b, "ID", s->instance.id);
	if (amazon_open_port(s, true, err) < 0)
		return -1;
	build_say(b, "Waiting for instance %s to run...", s->instance.id);
	if (aws_wait_instance(&s->ec2, s->instance.id, "running", &s->instance, err) < 0)
		return err_prefix(err, "waiting for instance %s to run", s->instance.id);
	if (name_volumes(s, err) < 0)
		return -1;
	await_public_address(s);
	if (b->run->debug)
		tell_addresses(s);
	return amazon_open_port(s, false, err);
}

static bool volumes_to_delete(const struct amazon *s)
{
	for (size_t i = 0; i < s->things.n; i++)
		if (streq(s->things.v[i]->kind, "volume") &&
		    (s->things.v[i]->id || s->things.v[i]->open))
			return true;
	return false;
}

/* The end of the instance is waited for only where something cannot go before it. */
void amazon_run_instance_undo(struct build *b, void *state, bool failed UNUSED)
{
	struct amazon *s = state;
	struct amazon_thing *t = s->instance_thing;
	struct aws_client c = amazon_sure_client(s, s->region, AMAZON_UNDO_MS);
	AUTO(err) struct err err = ERR_INIT;

	if (!t || (!t->id && !t->open))
		return;
	amazon_local_notices(s);
	build_say(b, "Terminating the instance...");
	if (!t->id) {
		amazon_undo(s, t);
		return;
	}
	for (int i = 0; i < 3; i++) {
		err_release(&err);
		if (i)
			clock_sleep(1000, NULL);
		if (ec2_terminate_instance(&c, t->id, &err) == 0)
			break;
	}
	if (err_any(&err)) {
		build_error(b,
			    "Terminating instance %s failed: %s\n"
			    "Run `ingot sweep -run %s` to try again.",
			    t->id, err.msg, b->run->id);
		return;
	}
	s->instance_ends = true;
	if ((s->group && s->group->id) || volumes_to_delete(s)) {
		if (aws_wait_instance(&c, t->id, "terminated", NULL, &err) < 0) {
			build_error(b, "Waiting for instance %s to terminate: %s", t->id, err.msg);
			return;
		}
	}
	amazon_settled(s, t);
}

/* Its journal row is a product's: until the build has ended well, sweep would still take it. */
static void keep_volume(struct amazon *s, struct amazon_thing *t)
{
	struct aws_client c = amazon_sure_client(s, t->region, AMAZON_CREATE_MS);
	char *id = (char *)t->id, *key = (char *)s->run_tag;
	AUTO(err) struct err err = ERR_INIT;

	build_say(s->b, "Volume %s (%s) is kept: its mapping does not set delete_on_termination",
		  t->id, t->name);
	if (key &&
	    ec2_delete_tags(&c, &(struct strs){ &id, 1 }, &(struct strs){ &key, 1 }, &err) < 0)
		log_line("%s: volume %s keeps the tag %s: %s", s->b->spec->name, id, key, err.msg);
	t->id = NULL;
}

/* Volumes that the template asked to keep stay when the build ended well; those that only the
 * source image brought along always go. */
void amazon_volumes_undo(struct build *b, void *state, bool failed)
{
	struct amazon *s = state;
	bool open = s->instance_thing && s->instance_thing->open;

	/* Refused for good, the launch has made none. */
	if (!given(s->instance.id) && !open)
		for (size_t i = 0; i < s->things.n; i++)
			if (streq(s->things.v[i]->kind, "volume"))
				amazon_settled(s, s->things.v[i]);
	/* While the instance lives they cannot go: sweep takes both. */
	if (!volumes_to_delete(s) || (s->instance_thing && s->instance_thing->id))
		return;
	build_say(b, "Deleting leftover volumes...");
	for (size_t i = 0; i < s->things.n; i++) {
		struct amazon_thing *t = s->things.v[i];

		if (!streq(t->kind, "volume") || (!t->id && !t->open))
			continue;
		if (!failed && t->id && amazon_launch_device(s, t->name)) {
			keep_volume(s, t);
			continue;
		}
		amazon_undo(s, t);
	}
}
