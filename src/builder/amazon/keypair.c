/* The key that opens the instance: the template's own, the agent's, or a temporary key pair made by
 * EC2. */
#include "builder/amazon/steps.h"

#include "base/os.h"
#include "communicator/config.h"

#include <unistd.h>

static int make_key(struct amazon *s, const char *name, const char *type, struct err *err)
{
	for (bool tag = true;; tag = false) {
		struct aws_client c = amazon_sure_client(s, s->region, AMAZON_CREATE_MS);
		struct str_map tags;

		if (amazon_tags(s, &s->run->run_tags, "run_tags", tag, &tags, err) < 0)
			return -1;
		if (amazon_intend(s, "key-pair", s->region, name, NULL, false, &s->key, err) < 0)
			return -1;
		if (ec2_create_key_pair(&c, name, type, &tags, &s->key_pem, err) == 0)
			return amazon_made(s, s->key, name, err);
		amazon_refused(s, s->key, err);
		if (!tag || !amazon_tag_refused(s, err))
			return err_prefix(err, "creating the temporary key pair %s", name);
		amazon_without_tag(s, "key pair", err);
	}
}

static int save_debug_key(struct amazon *s, struct err *err)
{
	s->debug_key = arena_printf(s->b->arena, "ec2_%s.pem", s->b->spec->bare_name);
	if (os_write_file(s->debug_key, s->key_pem, strlen(s->key_pem), 0600, err) < 0)
		return err_prefix(err, "saving the key for -debug");
	build_say(s->b, "The private key of the instance is in %s until the build "
			"ends", s->debug_key);
	return 0;
}

static const char *existing_key(struct amazon *s)
{
	const struct comm_config *c = s->comm;

	if (given(c->ssh_private_key_file))
		return "Using the SSH private key named in the template";
	if (c->ssh_agent_auth)
		return given(c->ssh_keypair_name)
			       ? "Using the SSH agent for the key pair named in the template"
			       : "Using the SSH agent and the keys in the source image";
	if (given(c->ssh_password) && !given(c->temporary_key_pair_name))
		return "Logging in with a password; no key pair is created";
	return NULL;
}

int amazon_key_pair(struct build *b, void *state, struct err *err)
{
	struct amazon *s = state;
	const char *why = existing_key(s), *name = s->comm->temporary_key_pair_name, *type;
	char uuid[37];

	amazon_undo(s, s->key); /* of a try before this one (-on-error=ask) */
	xfree_secret(steal(s->key_pem));
	if (why) {
		build_say(b, "%s", why);
		s->key_name = given(s->comm->ssh_keypair_name) ? s->comm->ssh_keypair_name : "";
		return 0;
	}
	if (!given(name)) {
		os_uuid(uuid);
		name = arena_printf(b->arena, "packer_%s", uuid);
	}
	type = given(s->comm->temporary_key_pair_type) ? s->comm->temporary_key_pair_type : "rsa";
	build_say(b, "Creating the temporary key pair %s", name);
	if (make_key(s, name, type, err) < 0)
		return -1;
	build_secret(b, s->key_pem);
	s->key_name = name;
	return b->run->debug ? save_debug_key(s, err) : 0;
}

void amazon_key_pair_undo(struct build *b, void *state, bool failed UNUSED)
{
	struct amazon *s = state;

	if (s->debug_key && unlink(s->debug_key) < 0)
		build_error(b, "%s could not be deleted: delete it yourself", s->debug_key);
	s->debug_key = NULL;
	if (!s->key || (!s->key->id && !s->key->open))
		return;
	build_say(b, "Deleting the temporary key pair...");
	amazon_undo(s, s->key);
}
