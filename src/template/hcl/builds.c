/* The builds of an HCL2 template: one for each source of each build block that -only and -except
 * leave, each component decoded and prepared. */
#include "template/hcl/component.h"
#include "template/hcl/glob.h"
#include "template/plan_diags.h"

struct maker {
	struct hcl_template *t;
	struct plan *plan;
	struct plan_diags diags;
	/* Attributes that are not the component's own. */
	const char *const *source_common, *const *use_common;
	const char *const *part_common, *const *post_common;
	struct map *common_known;
	/* the build at hand */
	const struct hcl_build *block;
	const struct hcl_use *use;
	const char *source_name; /* source.name */
	struct plan_build *build;
	const struct map *known;
	const struct value_attr *names; /* of all its provisioners and post-processors */
	bool wrong; /* something of it besides the components' own options */
};

/* Decodes and prepares c for the build; false if it had errors. */
static bool make_component(struct maker *m, struct plan_component *c, struct hcl_component *h,
			   struct diags *d)
{
	bool good;

	h->t = m->t;
	h->source_name = m->source_name;
	h->build_label = m->block->name;
	h->span = c->span;
	h->place.now_ms = m->t->now_ms;
	h->place.force = m->t->args->force;
	h->place.build_name = m->build->bare_name;
	h->place.build_type = m->build->type;
	h->place.late_only = true;
	h->place.plan = m->plan;
	if (!h->place.known)
		h->names = hcl_component_names(m->plan->arena, h, NULL);
	else if (!m->names)
		h->names = m->names = hcl_component_names(m->plan->arena, h, NULL);
	else
		h->names = m->names;
	c->lang = h;
	c->decode = hcl_decode;
	c->render = hcl_render;
	good = hcl_decode(c, NULL, m->plan->arena, d, &c->config) == 0;
	h->place.plan = NULL; /* from now on builds read it side by side */
	return good;
}

/* Takes what a component had to say; title: `provisioner "shell"`. */
static void take(struct maker *m, const struct diags *d, const char *title, struct span span)
{
	plan_diags_take(
		&m->diags, d,
		arena_printf(m->plan->arena, "%s (%s)", title, hcl_place(m->plan->arena, span)),
		m->build->name);
}

/* As take, of a provisioner or post-processor, which may have a name. */
static void take_of_part(struct maker *m, const struct diags *d, const char *what,
			 const struct hcl_part *p)
{
	struct arena *a = m->plan->arena;

	take(m, d,
	     p->name ? arena_printf(a, "%s \"%s\" \"%s\"", what, p->type, p->name)
		     : arena_printf(a, "%s \"%s\"", what, p->type),
	     p->span);
}

static bool make_builder(struct maker *m)
{
	struct plan_build *b = m->build;
	struct arena *a = m->plan->arena;
	const struct hcl_use *use = m->use;
	struct hcl_component *h = arena_new_obj(a, struct hcl_component);
	struct diags d;
	bool good;

	diags_init(&d, a);
	*h = (struct hcl_component){
		.place = { .kind = COMPONENT_BUILDER, .prepare = b->ops->prepare },
		.pieces = { { use->source->block->body, use->source_bound, m->source_common },
			    { use->body, hcl_bound_join(a, use->each, use->body_bound),
			      m->use_common } },
	};
	b->builder = (struct plan_component){ .type = use->type,
					      .name = use->name,
					      .spec = b->ops->spec,
					      .span = use->source->block->span };
	good = make_component(m, &b->builder, h, &d);
	if (d.n)
		take(m, &d, arena_printf(a, "source \"%s\" \"%s\"", use->type, use->name),
		     use->source->block->span);
	return good;
}

static bool make_provisioner(struct maker *m, const struct hcl_part *from,
			     struct plan_provisioner *ret)
{
	struct arena *a = m->plan->arena;
	const struct provisioner *ops = registry_provisioner(m->t->args->registry, from->type);
	struct hcl_component *h = arena_new_obj(a, struct hcl_component);
	const struct value_attr *over = NULL;
	struct diags d;
	bool good;

	diags_init(&d, a);
	if (value_is_attrs(from->override))
		over = value_attr_find(from->override, m->source_name);
	if (value_is_attrs(from->override) && !over && m->use->key)
		over = value_attr_find(from->override, m->use->shown); /* for all instances */
	*h = (struct hcl_component){
		.place = { .kind = COMPONENT_PROVISIONER,
			   .known = m->known,
			   .prepare = ops->prepare },
		.pieces = { { from->body, hcl_bound_join(a, m->use->each, from->bound),
			      m->part_common } },
		.override = over ? over->value : value_null(from->span),
	};
	*ret = (struct plan_provisioner){
		.c = { .type = from->type,
		       .name = from->name,
		       .spec = ops->spec,
		       .span = from->span },
		.ops = ops,
		.pause_before_ns = from->pause_before_ns,
		.timeout_ns = from->timeout_ns,
		.max_retries = from->max_retries,
		.continue_on_error = from->continue_on_error,
	};
	good = make_component(m, &ret->c, h, &d);
	if (d.n)
		take_of_part(m, &d, "provisioner", from);
	return good;
}

/* The part as this build's source sees it; NULL: it has none of it. */
static const struct hcl_part *select_part(struct maker *m, const struct hcl_part *p, bool post)
{
	struct hcl_part *own;
	struct diags d;
	bool has;

	if (hcl_part_skips(p, m->plan->arena, m->use))
		return NULL;
	if (!m->use->each.n)
		return p;
	own = arena_new_obj(m->plan->arena, struct hcl_part);
	diags_init(&d, m->plan->arena);
	has = hcl_part_for(m->t, m->block, m->use, p, post, &d, own);
	if (d.n)
		take_of_part(m, &d, post ? "post-processor" : "provisioner", p);
	m->wrong |= d.errors > 0;
	return has ? own : NULL;
}

static bool make_provisioners(struct maker *m)
{
	const struct hcl_build *block = m->block;
	struct plan_build *b = m->build;
	const struct hcl_part *cleanup;
	bool good = true;

	b->provisioners =
		arena_new_array(m->plan->arena, struct plan_provisioner, block->nprovisioners + 1);
	for (size_t i = 0; i < block->nprovisioners; i++) {
		const struct hcl_part *p = select_part(m, &block->provisioners[i], false);

		if (p)
			good &= make_provisioner(m, p, &b->provisioners[b->nprovisioners++]);
	}
	cleanup = block->cleanup ? select_part(m, block->cleanup, false) : NULL;
	if (cleanup) {
		b->cleanup = arena_new_obj(m->plan->arena, struct plan_provisioner);
		good &= make_provisioner(m, cleanup, b->cleanup);
	}
	return good;
}

static bool make_postprocessor(struct maker *m, const struct hcl_part *from,
			       struct plan_postprocessor *ret)
{
	struct arena *a = m->plan->arena;
	const struct postprocessor *ops = registry_postprocessor(m->t->args->registry, from->type);
	struct hcl_component *h = arena_new_obj(a, struct hcl_component);
	struct diags d;
	bool good;

	diags_init(&d, a);
	*h = (struct hcl_component){
		.place = { .kind = COMPONENT_POSTPROCESSOR,
			   .known = m->known,
			   .prepare = ops->prepare },
		.pieces = { { from->body, hcl_bound_join(a, m->use->each, from->bound),
			      m->post_common } },
	};
	*ret = (struct plan_postprocessor){
		.c = { .type = from->type,
		       .name = from->name,
		       .spec = ops->spec,
		       .span = from->span },
		.ops = ops,
		.keep_input =
			from->keep_input == TRIBOOL_UNSET ? -1 : from->keep_input == TRIBOOL_TRUE,
	};
	good = make_component(m, &ret->c, h, &d);
	if (d.n)
		take_of_part(m, &d, "post-processor", from);
	return good;
}

static bool any_match(char *const *patterns, const char *name)
{
	for (; patterns && *patterns; patterns++)
		if (hcl_glob_match(*patterns, name))
			return true;
	return false;
}

/* A post-processor that -except names ends its chain. */
static bool make_chains(struct maker *m)
{
	const struct hcl_build *block = m->block;
	struct plan_build *b = m->build;
	bool good = true;

	b->chains = arena_new_array(m->plan->arena, struct plan_chain, block->nchains + 1);
	for (size_t i = 0; i < block->nchains; i++) {
		struct plan_chain *chain = &b->chains[b->nchains];

		chain->v = arena_new_array(m->plan->arena, struct plan_postprocessor,
					   block->chains[i].n + 1);
		for (size_t j = 0; j < block->chains[i].n; j++) {
			const struct hcl_part *p = select_part(m, &block->chains[i].v[j], true);

			if (!p)
				continue;
			if (any_match(m->t->args->except, p->name ? p->name : p->type))
				break;
			good &= make_postprocessor(m, p, &chain->v[chain->n++]);
		}
		b->nchains += chain->n > 0;
	}
	return good;
}

static void make_build(struct maker *m, const struct hcl_candidate *from)
{
	struct arena *a = m->plan->arena;
	const struct hcl_use *use = from->use;
	struct plan_build *b = from->build;
	bool good;

	*b = (struct plan_build){ .name = from->name, .type = use->type };
	b->bare_name = use->key ? arena_printf(a, "%s.%s", use->name, use->key) : use->name;
	b->ops = registry_builder(m->t->args->registry, use->type);
	m->block = from->block;
	m->use = use;
	m->source_name = hcl_use_name(a, use);
	m->build = b;
	m->known = b->ops->generated ? component_known(a, b->ops) : m->common_known;
	m->names = NULL;
	m->wrong = false;
	good = make_builder(m);
	good &= make_provisioners(m);
	good &= make_chains(m);
	b->broken = !good || m->wrong;
}

static bool check_patterns(struct diags *d, char *const *patterns, const char *flag)
{
	bool good = true;

	for (; patterns && *patterns; patterns++) {
		AUTO(err) struct err err = ERR_INIT;

		if (hcl_glob_check(*patterns, &err) < 0) {
			diag_error(d, (struct span){ 0 }, "-%s=%s is no pattern: %s", flag,
				   *patterns, err.msg);
			good = false;
		}
	}
	return good;
}

static bool matches_post_processor(const struct hcl_build *blocks, size_t n, const char *pattern)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < blocks[i].nchains; j++)
			for (size_t k = 0; k < blocks[i].chains[j].n; k++) {
				const struct hcl_part *p = &blocks[i].chains[j].v[k];

				if (hcl_glob_match(pattern, p->name ? p->name : p->type))
					return true;
			}
	return false;
}

/* A pattern that nothing answers to is most likely a slip. */
static void warn_unmatched(struct diags *d, char *const *patterns, const char *flag,
			   const struct hcl_candidate *v, size_t n, const struct hcl_build *blocks,
			   size_t nblocks)
{
	for (; patterns && *patterns; patterns++) {
		AUTO(buf) struct buf all = BUF_INIT;
		bool found = blocks && matches_post_processor(blocks, nblocks, *patterns);
		struct diag *g;

		for (size_t i = 0; i < n; i++) {
			found |= hcl_glob_match(*patterns, v[i].name);
			buf_printf(&all, "%s%s", i ? ", " : "", v[i].name);
		}
		if (found)
			continue;
		g = diag_warning(d, (struct span){ 0 }, "-%s=%s matches no build", flag, *patterns);
		diag_detail(d, g,
			    "The builds are: %s.\nA pattern such as \"null.*\" matches several.",
			    buf_cstr(&all));
	}
}

static const char *build_name(struct arena *a, const struct hcl_build *block,
			      const struct hcl_use *use)
{
	const char *label = hcl_use_label(a, use);

	return *block->name ? arena_printf(a, "%s.%s", block->name, label) : label;
}

static size_t list_candidates(struct maker *m, const struct hcl_build *blocks, size_t nblocks,
			      struct hcl_candidate **ret)
{
	struct arena *a = m->plan->arena;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < nblocks; i++)
		n += blocks[i].nuses;
	*ret = arena_new_array(a, struct hcl_candidate, n + 1);
	for (size_t i = 0; i < nblocks; i++)
		for (size_t j = 0; j < blocks[i].nuses; j++)
			(*ret)[at++] = (struct hcl_candidate){
				.name = build_name(a, &blocks[i], &blocks[i].uses[j]),
				.block = &blocks[i],
				.use = &blocks[i].uses[j],
			};
	return n;
}

static void make_builds(struct maker *m, struct hcl_candidate *v, size_t n)
{
	const struct template_args *args = m->t->args;
	struct plan *plan = m->plan;

	plan->builds = arena_new_array(plan->arena, struct plan_build, n + 1);
	for (size_t i = 0; i < n; i++) {
		if ((args->only && *args->only && !any_match(args->only, v[i].name)) ||
		    any_match(args->except, v[i].name))
			continue;
		v[i].build = &plan->builds[plan->nbuilds++];
		make_build(m, &v[i]);
	}
}

int hcl_builds(struct hcl_template *t, struct plan *plan)
{
	struct maker m = { .t = t, .plan = plan, .diags = { .plan = plan } };
	struct hcl_candidate *candidates;
	struct hcl_build *blocks;
	size_t n, nblocks, errors = t->diags->errors;
	bool sound;

	if (!t->nbuilds) {
		struct diag *g =
			diag_error(t->diags, (struct span){ 0 }, "The template has no build block");

		diag_detail(t->diags, g,
			    "Add one that names at least one source: build { sources = "
			    "[\"source.TYPE.NAME\"] }.");
		return -1;
	}
	check_patterns(t->diags, t->args->only, "only");
	check_patterns(t->diags, t->args->except, "except");
	if (t->diags->errors > errors)
		return -1;
	sound = hcl_read_builds(t, &blocks, &nblocks) == 0;
	n = list_candidates(&m, blocks, nblocks, &candidates);
	m.common_known = component_known(plan->arena, NULL);
	m.source_common = hcl_common_names(plan->arena, &hcl_source_spec);
	m.use_common = hcl_common_names(plan->arena, &hcl_use_spec);
	m.part_common = hcl_common_names(plan->arena, &hcl_part_spec);
	m.post_common = hcl_common_names(plan->arena, &hcl_post_part_spec);
	make_builds(&m, candidates, n);
	sound = hcl_depends(t, candidates, n) && sound;
	warn_unmatched(&plan->diags, t->args->only, "only", candidates, n, NULL, 0);
	warn_unmatched(&plan->diags, t->args->except, "except", candidates, n, blocks, nblocks);
	plan_diags_finish(&m.diags);
	return sound ? 0 : -1;
}
