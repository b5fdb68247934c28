/* depends_on: ingot's own. A block names builds by their full names or by the name of their block;
 * the scheduler lets its builds wait for those. */
#include "template/hcl/builds.h"

static bool is_meant(const struct hcl_candidate *c, const char *name)
{
	return *name && (streq(c->name, name) || streq(c->block->name, name));
}

static void unknown_build(struct hcl_template *t, const struct hcl_build *block, const char *name,
			  const struct hcl_candidate *v, size_t n)
{
	const char **names = arena_new_array(t->arena, const char *, 2 * n + 1), *near;
	struct diag *g =
		diag_error(t->diags, block->span,
			   "\"depends_on\" names \"%s\", and there is no such build", name);

	for (size_t i = 0; i < n; i++) {
		names[2 * i] = v[i].name;
		names[2 * i + 1] = v[i].block->name;
	}
	near = str_nearest(name, names, 2 * n);
	if (near)
		diag_detail(t->diags, g, "Did you mean \"%s\"?", near);
}

/* The blocks that a block names, as indices of their first candidates. */
struct visit {
	struct hcl_template *t;
	const struct hcl_candidate *v;
	size_t n;
	enum { NEW, OPEN, DONE } *state; /* for each candidate; only the first of a block counts */
	bool good;
};

static size_t first_of(const struct visit *x, const struct hcl_build *block)
{
	size_t i = 0;

	while (x->v[i].block != block)
		i++;
	return i;
}

/* Depth first; `at` is the first candidate of its block. */
static void visit(struct visit *x, size_t at)
{
	const struct hcl_build *block = x->v[at].block;

	if (x->state[at] == DONE)
		return;
	if (x->state[at] == OPEN) {
		diag_error(x->t->diags, block->span,
			   "The build %s%s%s waits for itself by its \"depends_on\"",
			   *block->name ? "\"" : "", *block->name ? block->name : x->v[at].name,
			   *block->name ? "\"" : "");
		x->good = false;
		x->state[at] = DONE;
		return;
	}
	x->state[at] = OPEN;
	for (size_t i = 0; i < block->depends_on.n; i++)
		for (size_t k = 0; k < x->n && x->state[at] == OPEN; k++)
			if (is_meant(&x->v[k], block->depends_on.v[i]))
				visit(x, first_of(x, x->v[k].block));
	x->state[at] = DONE;
}

static void wait_for(struct hcl_template *t, const struct hcl_candidate *c,
		     const struct hcl_candidate *other)
{
	struct plan_build *b = c->build;

	if (!b || !other->build)
		return;
	for (size_t i = 0; i < b->nafter; i++)
		if (b->after[i] == other->build)
			return;
	HCL_PUSH(t->arena, b->after, b->nafter, other->build);
}

static bool settle(struct hcl_template *t, const struct hcl_candidate *c,
		   const struct hcl_candidate *v, size_t n)
{
	bool good = true;

	for (size_t i = 0; i < c->block->depends_on.n; i++) {
		const char *name = c->block->depends_on.v[i];
		bool found = false;

		for (size_t k = 0; k < n; k++)
			if (is_meant(&v[k], name)) {
				found = true;
				wait_for(t, c, &v[k]);
			}
		if (!found && (c == v || c[-1].block != c->block)) /* once for each block */
			unknown_build(t, c->block, name, v, n);
		good &= found;
	}
	return good;
}

bool hcl_depends(struct hcl_template *t, const struct hcl_candidate *v, size_t n)
{
	struct visit x = { .t = t, .v = v, .n = n, .good = true };

	x.state = arena_alloc(t->arena, (n + 1) * sizeof(*x.state));
	for (size_t i = 0; i < n; i++) {
		if (!v[i].block->depends_on.n)
			continue;
		x.good &= settle(t, &v[i], v, n);
		visit(&x, first_of(&x, v[i].block));
	}
	return x.good;
}
