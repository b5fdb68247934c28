/* Session and resources of one build. A thing whose creating call broke off stays "open" until undo
 * has looked for it; what undo cannot settle stays in the journal for sweep. */
#include "builder/amazon/state.h"

#include "aws/undo.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"

static void use_local(struct amazon *s)
{
	const struct run_local *l = s->b->run->local;
	struct aws_config *c = arena_new_obj(s->b->arena, struct aws_config);

	c->region = s->access->region;
	c->max_retries = s->access->max_retries;
	c->aws_polling = s->access->aws_polling;
	c->local_endpoint = l->endpoint;
	c->local_access_key = l->access_key;
	c->local_secret_key = l->secret_key;
	c->local_region = l->region;
	s->access = c;
}

/* Keys that were found, not given, are hidden in all output as well: scripts may print their
 * environment. AWS's own have 40 characters; the short words that simulators take would hit half of
 * the output. */
#define FOUND_SECRET_MIN 20

static void hide(struct amazon *s, const char *secret)
{
	if (secret && strlen(secret) >= FOUND_SECRET_MIN)
		build_secret(s->b, secret);
}

static int hide_keys(struct amazon *s, struct err *err)
{
	struct aws_credentials keys;

	if (aws_session_credentials(s->session, s->b->cancel, s->b->arena, &keys, err) < 0)
		return -1;
	hide(s, keys.secret_key);
	hide(s, keys.token);
	return 0;
}

static struct aws_client region_client(const struct amazon *s, const char *region)
{
	struct aws_client c = aws_client(s->session, "ec2", region, s->b->arena, s->b->cancel);

	c.polling = aws_config_polling(s->access);
	return c;
}

int amazon_open(struct amazon *s, struct err *err)
{
	if (s->b->run->local)
		use_local(s);
	if (aws_session_open(s->access, &s->session, err) < 0)
		return -1;
	if (aws_session_region(s->session, s->b->cancel, &s->region, err) < 0)
		return -1;
	s->ec2 = region_client(s, s->region);
	pthread_mutex_init(&s->lock, NULL);
	s->things_arena = arena_new();
	s->run_tag = aws_run_tag();
	s->vpc_id = s->subnet_id = s->zone = s->profile = s->key_name = "";
	build_secret(s->b, s->access->secret_key);
	build_secret(s->b, s->access->token);
	return hide_keys(s, err);
}

void amazon_release(struct amazon *s)
{
	xfree_secret(steal(s->key_pem));
	vec_release(&s->things);
	if (s->things_arena)
		pthread_mutex_destroy(&s->lock);
	arena_free(steal(s->things_arena));
	aws_session_close(steal(s->session));
}

struct aws_client amazon_sure_client(const struct amazon *s, const char *region, int64_t ms)
{
	struct aws_client c = region_client(s, region);

	c.cancel = build_gone(s->b);
	c.deadline_ms = clock_ms() + ms;
	return c;
}

int amazon_intend(struct amazon *s, const char *kind, const char *region, const char *name,
		  const char *token, bool product, struct amazon_thing **ret, struct err *err)
{
	struct amazon_thing *t;
	struct journal_row row = {
		.kind = kind,
		.build = s->b->spec->name,
		.place = {
			.platform = "aws",
			.account = s->account,
			.region = region,
			.endpoint = aws_session_custom_endpoint(s->session),
			.profile = aws_session_profile(s->session),
			.role = aws_session_role(s->session),
		},
		.token = token,
		.name = name,
		.product = product,
	};
	int64_t id;

	if (journal_intend(s->b->run->journal, &row, &id, err) < 0)
		return err_prefix(err, "writing the intent of a new %s to the journal", kind);
	pthread_mutex_lock(&s->lock);
	t = arena_new_obj(s->things_arena, struct amazon_thing);
	*t = (struct amazon_thing){
		.kind = kind,
		.region = arena_strdup(s->things_arena, region),
		.name = arena_strdup(s->things_arena, name),
		.token = arena_strdup(s->things_arena, token),
		.row = id,
		.product = product,
		.open = true,
	};
	vec_push(&s->things, t);
	pthread_mutex_unlock(&s->lock);
	*ret = t;
	return 0;
}

int amazon_made(struct amazon *s, struct amazon_thing *t, const char *id, struct err *err)
{
	t->id = id;
	t->open = false;
	if (journal_made(s->b->run->journal, t->row, id, err) < 0)
		return err_prefix(err, "writing down the new %s %s", t->kind, id);
	return 0;
}

void amazon_settled(struct amazon *s, struct amazon_thing *t)
{
	journal_undone(s->b->run->journal, t->row);
	t->open = false;
	t->id = NULL;
}

/* Whether nobody knows if the call was carried out. */
static bool unsure(const struct err *err)
{
	return err->code == ERR_LOST || err->code == ERR_TIMEOUT || err->code == ERR_CANCELLED ||
	       err->code == ERR_IO;
}

void amazon_refused(struct amazon *s, struct amazon_thing *t, const struct err *why)
{
	if (!unsure(why))
		amazon_settled(s, t);
}

/* EC2 shows new things late: an intent is looked for a little while before it is left to sweep. */
#define FIND_TRIES 8
#define FIND_PAUSE_MS 500
/* What is refused for a final reason may pass a moment later, when EC2 has caught up. */
#define UNDO_TRIES 3
#define UNDO_PAUSE_MS 1000

static int find_open(struct amazon *s, const struct aws_client *c, struct amazon_thing *t,
		     struct err *err)
{
	struct journal_row row = {
		.id = t->row,
		.kind = t->kind,
		.build = s->b->spec->name,
		.place = { .platform = "aws", .region = t->region },
		.token = t->token,
		.name = t->name,
		.product = t->product,
	};

	for (int i = 0; i < FIND_TRIES; i++) {
		const char *id = NULL;

		if (i)
			clock_sleep(FIND_PAUSE_MS, NULL);
		if (aws_find_resource(c, &row, s->b->run->id, &id, err) < 0)
			return -1;
		if (id) {
			t->id = id;
			return 0;
		}
	}
	return 0;
}

void amazon_undo(struct amazon *s, struct amazon_thing *t)
{
	AUTO(err) struct err err = ERR_INIT;

	if (!t || (!t->id && !t->open))
		return;
	struct aws_client c = amazon_sure_client(s, t->region, AMAZON_UNDO_MS);

	if (!t->id && find_open(s, &c, t, &err) < 0) {
		build_error(s->b,
			    "Looking for the %s %s failed: %s\n"
			    "Run `ingot sweep -run %s` to look again.",
			    t->kind, t->name ? t->name : "of this build", err.msg, s->b->run->id);
		return;
	}
	if (!t->id) {
		log_line("%s: the %s %s was never seen; its intent stays in the journal",
			 s->b->spec->name, t->kind, t->name ? t->name : "");
		return;
	}
	for (int i = 0; i < UNDO_TRIES && t->id; i++) {
		err_release(&err);
		if (i)
			clock_sleep(UNDO_PAUSE_MS, NULL);
		if (aws_undo_resource(&c, t->kind, t->id, &err) == 0)
			break;
	}
	if (err_any(&err)) {
		build_error(s->b,
			    "Removing the %s %s failed: %s\n"
			    "Run `ingot sweep -run %s` to try again.",
			    t->kind, t->id, err.msg, s->b->run->id);
		return;
	}
	amazon_settled(s, t);
}
