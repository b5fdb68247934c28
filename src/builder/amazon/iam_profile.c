/* The instance's IAM profile: one the template names, or a temporary role and profile with the
 * policy that the template holds. */
#include "builder/amazon/steps.h"

#include "aws/iam.h"
#include "base/log.h"
#include "base/os.h"

static void add_list(struct buf *out, const char *name, const struct strs *list)
{
	buf_printf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			buf_addc(out, ',');
		buf_add_json_string(out, str_from(list->v[i]));
	}
	buf_addc(out, ']');
}

static void policy_json(struct buf *out, const struct amazon_policy *p)
{
	buf_adds(out, "{\"Version\":");
	buf_add_json_string(out, str_from(given(p->version) ? p->version : "2012-10-17"));
	buf_adds(out, ",\"Statement\":[");
	for (size_t i = 0; i < p->statement.n; i++) {
		const struct amazon_statement *st = p->statement.v[i];

		buf_adds(out, i ? ",{\"Effect\":" : "{\"Effect\":");
		buf_add_json_string(out, str_from(st->effect));
		add_list(out, "Action", &st->action);
		add_list(out, "Resource", &st->resource);
		buf_addc(out, '}');
	}
	buf_adds(out, "]}");
}

static int check_profile(struct amazon *s, struct err *err)
{
	const char *name = s->run->iam_instance_profile;
	AUTO(err) struct err why = ERR_INIT;

	if (s->run->skip_profile_validation ||
	    iam_get_instance_profile(&s->ec2, name, &why) == 0)
		return 0;
	if (aws_denied(&why)) {
		log_line("%s: instance profile %s is not checked: %s", s->b->spec->name, name,
			 why.msg);
		return 0;
	}
	err_move(err, &why);
	return err_prefix(err, "iam_instance_profile '%s'", name);
}

static int make_role(const struct aws_client *c, const char *name, const struct str_map *tags,
		     void *data UNUSED, const char **ret_id UNUSED, struct err *err)
{
	return iam_create_role(c, name, tags, err);
}

static int make_profile(const struct aws_client *c, const char *name, const struct str_map *tags,
			void *data UNUSED, const char **ret_id UNUSED, struct err *err)
{
	return iam_create_instance_profile(c, name, tags, err);
}

/* Both of the same name and with the same tags. */
static int make_both(struct amazon *s, const char *name, const char *policy, struct err *err)
{
	struct aws_client c = amazon_sure_client(s, s->region, AMAZON_CREATE_MS);
	struct amazon_thing *thing; /* undone by its kind */

	if (amazon_make_temporary(s, "role", "role", name, make_role, NULL, &thing, err) < 0)
		return -1;
	if (iam_put_role_policy(&c, name, policy, err) < 0)
		return err_prefix(err, "putting the policy in the temporary role %s", name);
	if (amazon_make_temporary(s, "instance-profile", "instance profile", name, make_profile,
				  NULL, &thing, err) < 0)
		return -1;
	if (iam_add_role(&c, name, name, err) < 0)
		return err_prefix(err, "putting the role in the temporary profile %s", name);
	return 0;
}

int amazon_instance_profile(struct build *b, void *state, struct err *err)
{
	struct amazon *s = state;
	AUTO(buf) struct buf policy = BUF_INIT;
	char uuid[37], *name;

	if (given(s->run->iam_instance_profile)) {
		s->profile = s->run->iam_instance_profile;
		return check_profile(s, err);
	}
	if (!s->run->temporary_iam_instance_profile_policy_document)
		return 0;
	amazon_instance_profile_undo(b, s, true); /* of a try before this one (-on-error=ask) */
	os_uuid(uuid);
	name = arena_printf(b->arena, "packer-%s", uuid);
	policy_json(&policy, s->run->temporary_iam_instance_profile_policy_document);
	if (make_both(s, name, buf_cstr(&policy), err) < 0)
		return -1;
	s->profile = name;
	return 0;
}

void amazon_instance_profile_undo(struct build *b, void *state, bool failed UNUSED)
{
	struct amazon *s = state;

	for (size_t i = s->things.n; i-- > 0;) {
		struct amazon_thing *t = s->things.v[i];

		if ((!t->id && !t->open) ||
		    (!streq(t->kind, "role") && !streq(t->kind, "instance-profile")))
			continue;
		build_say(b, "Deleting the temporary %s...",
			  t->kind[0] == 'r' ? "role" : "instance profile");
		amazon_undo(s, t);
	}
}
