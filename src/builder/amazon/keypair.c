/* The key that opens the instance: the template's own, the agent's, or a temporary key pair made by
 * EC2. */
#include "builder/amazon/steps.h"

#include "base/os.h"
#include "communicator/config.h"

#include <unistd.h>

static int make_key(const struct aws_client *c, const char *name, const struct str_map *tags,
		    void *data, const char **ret_id UNUSED, struct err *err)
{
	struct amazon *s = data;
	const char *type = s->comm->temporary_key_pair_type;

	return ec2_create_key_pair(c, name, given(type) ? type : "rsa", tags, &s->key_pem, err);
}

static int save_debug_key(struct amazon *s, struct err *err)
{
	s->debug_key = arena_printf(s->b->arena, "ec2_%s.pem", s->b->spec->bare_name);
	if (os_write_file(s->debug_key, s->key_pem, strlen(s->key_pem), 0600, err) < 0)
		return err_prefix(err, "saving the key for -debug");
	build_say(s->b, "The private key of the instance is in %s until the build ends",
		  s->debug_key);
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
	const char *why = existing_key(s), *name = s->comm->temporary_key_pair_name;
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
	if (amazon_make_temporary(s, "key-pair", "key pair", name, make_key, s, &s->key, err) < 0)
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
