/* Post-processor chains. Each chain starts with the builder's artifact; within one, each
 * post-processor gets what the one before made. What becomes of an input is said by
 * keep_input_artifact, or else by the post-processor; the builder's artifact stays if any chain
 * wants it. A chain that fails does not stop the others. */
#include "engine/inner.h"

#include "base/log.h"
#include "base/vec.h"

struct chains {
	struct build *b;
	struct artifact *made;
	bool keep_made;
	VEC(struct artifact *) shown, owned;
	VEC(char *) errors;
};

static void keep_owned(struct chains *c, struct artifact *a)
{
	for (size_t i = 0; i < c->owned.n; i++)
		if (c->owned.v[i] == a)
			return;
	vec_push(&c->owned, a);
}

static int run_one(struct chains *c, const struct plan_postprocessor *p, struct artifact *in,
		   struct artifact **ret, bool *keep, bool *must_keep, struct err *err)
{
	struct build *b = c->b;
	AUTO(arena) struct arena *a = arena_new();
	void *config = NULL;
	int rc;

	if (p->c.name && !streq(p->c.name, p->c.type))
		build_say(b, "Running post-processor: %s (type %s)", p->c.name, p->c.type);
	else
		build_say(b, "Running post-processor: %s", p->c.type);
	build_step(b, "post-processor %s", p->c.type);
	if (build_decode(b, &p->c, a, &config, err) < 0)
		return -1;
	b->part = p->c.type;
	b->component = &p->c;
	rc = p->ops->run(b, config, in, ret, keep, must_keep, err);
	b->component = NULL;
	b->part = NULL;
	return rc;
}

/* The template may overrule the post-processor, unless the input is needed. */
static bool decide_keep(const struct plan_postprocessor *p, bool keep, bool must_keep)
{
	if (p->keep_input < 0)
		return keep;
	if (keep && must_keep && p->keep_input == 0) {
		log_line("[INFO] %s needs its input artifact: keep_input_artifact = false is not "
			 "obeyed",
			 p->c.type);
		return true;
	}
	return p->keep_input == 1;
}

static void fail(struct chains *c, const char *what, struct err *err)
{
	vec_push(&c->errors, xasprintf("%s: %s", what, err->msg));
	err_release(err);
}

/* Also after Ctrl-C: what is to go must not stay half there. */
static void destroy(struct chains *c, struct artifact *a, const char *what)
{
	AUTO(err) struct err err = ERR_INIT;
	AUTO(cancel) struct cancel *own = cancel_new(build_gone(c->b));
	struct cancel *outer = build_swap_cancel(c->b, own);

	if (a->destroy && a->destroy(a, c->b, &err) < 0)
		fail(c, what, &err);
	build_swap_cancel(c->b, outer);
}

static void run_chain(struct chains *c, const struct plan_chain *chain)
{
	struct artifact *prior = c->made;

	for (size_t i = 0; i < chain->n; i++) {
		AUTO(err) struct err err = ERR_INIT;
		struct artifact *next = NULL;
		bool keep = false, must_keep = false;

		if (cancel_check(c->b->cancel, &err) < 0) {
			fail(c, "Post-processing stopped", &err);
			return;
		}
		if (run_one(c, &chain->v[i], prior, &next, &keep, &must_keep, &err) < 0) {
			fail(c, "Post-processor failed", &err);
			return;
		}
		if (!next)
			next = prior;
		keep_owned(c, next);
		keep = decide_keep(&chain->v[i], keep, must_keep);
		if (i == 0)
			c->keep_made = c->keep_made || keep;
		else if (keep)
			vec_push(&c->shown, prior);
		else
			destroy(c, prior, "the input artifact could not be removed");
		prior = next;
	}
	vec_push(&c->shown, prior);
}

static int report(struct chains *c, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;

	if (!c->errors.n)
		return 0;
	buf_printf(&text, "%zu error(s) occurred:\n", c->errors.n);
	for (size_t i = 0; i < c->errors.n; i++)
		buf_printf(&text, "\n* %s", c->errors.v[i]);
	return err_set(err, cancel_is_set(c->b->cancel) ? ERR_CANCELLED : ERR_REMOTE, "%s",
		       buf_cstr(&text));
}

int build_chains(struct build *b, struct artifact *made, struct artifacts *ret, struct err *err)
{
	struct chains c = { .b = b, .made = made, .keep_made = b->spec->nchains == 0 };
	int rc;

	keep_owned(&c, made);
	for (size_t i = 0; i < b->spec->nchains; i++)
		run_chain(&c, &b->spec->chains[i]);
	if (c.keep_made) {
		vec_push(&c.shown, NULL);
		memmove(c.shown.v + 1, c.shown.v, (c.shown.n - 1) * sizeof(*c.shown.v));
		c.shown.v[0] = made;
	} else {
		destroy(&c, made, "the builder's artifact could not be removed");
	}
	rc = report(&c, err);
	for (size_t i = 0; i < c.errors.n; i++)
		free(c.errors.v[i]);
	vec_release(&c.errors);
	*ret = (struct artifacts){ c.shown.v, c.shown.n, c.owned.v, c.owned.n };
	return rc;
}

void artifacts_release(struct artifacts *a)
{
	for (size_t i = 0; i < a->nowned; i++)
		artifact_free(a->owned[i]);
	free(a->owned);
	free(a->v);
	*a = (struct artifacts){ 0 };
}
