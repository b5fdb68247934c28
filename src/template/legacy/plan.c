/* The builds of a legacy template: names, selection, and each component decoded and prepared. */
#include "template/legacy/legacy.h"

#include "template/plan_diags.h"

struct maker {
	struct legacy *t;
	const struct template_args *args;
	struct plan *plan;
	struct plan_diags diags;
	struct map *common_known;
	const struct plan_build *build;
	const struct map *known; /* of the build at hand */
	const char *raw_name;
	bool types_only; /* the build has a component that ingot lacks: only such are reported */
};

/* Whether the build has a component that ingot knows by name alone. Then nothing can be built, and
 * mistakes in the options of the others would only hide the one message that matters. */
static bool lacks_component(const struct maker *m, const struct legacy_builder *builder)
{
	const struct registry *r = m->args->registry;
	const struct legacy *t = m->t;

	if (component_is_later(r, COMPONENT_BUILDER, builder->type))
		return true;
	for (size_t i = 0; i < t->nprovisioners; i++)
		if (!legacy_skips(&t->provisioners[i].filter, builder->name) &&
		    component_is_later(r, COMPONENT_PROVISIONER, t->provisioners[i].type))
			return true;
	if (t->cleanup && component_is_later(r, COMPONENT_PROVISIONER, t->cleanup->type))
		return true;
	for (size_t i = 0; i < t->nchains; i++)
		for (size_t j = 0; j < t->chains[i].n; j++)
			if (!legacy_skips(&t->chains[i].v[j].filter, builder->name) &&
			    component_is_later(r, COMPONENT_POSTPROCESSOR, t->chains[i].v[j].type))
				return true;
	return false;
}

static void drop_errors(struct diags *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].severity != DIAG_ERROR)
			d->v[n++] = d->v[i];
	d->n = n;
	d->errors = 0;
}

static int legacy_decode(const struct plan_component *c, const struct plan_data *data,
			 struct arena *a, struct diags *d, void **ret_config)
{
	return component_decode(c, c->lang, c->body, data, a, d, ret_config);
}

static int legacy_render(const struct plan_component *c, const struct plan_data *data,
			 struct arena *a, struct value dot, struct str text, struct str *ret,
			 struct err *err)
{
	return component_render(c, c->lang, data, a, dot, text, ret, err);
}

/* Decodes and prepares c for the build; false if it had errors. */
static bool make_component(struct maker *m, struct plan_component *c, enum component_kind kind,
			   void (*prepare)(struct prepare *, void *), struct diags *d)
{
	struct component_place *place = arena_new_obj(m->plan->arena, struct component_place);
	bool good;

	*place = (struct component_place){
		.kind = kind,
		.variables = &m->t->values,
		.template_dir = m->t->dir,
		.now_ms = m->t->now_ms,
		.force = m->t->force,
		.json = true,
		.build_name = m->build->bare_name,
		.build_type = m->build->type,
		.known = kind == COMPONENT_BUILDER ? NULL : m->known,
		.prepare = prepare,
		.plan = m->plan,
	};
	c->lang = place;
	c->decode = legacy_decode;
	c->render = legacy_render;
	good = legacy_decode(c, NULL, m->plan->arena, d, &c->config) == 0;
	if (m->types_only)
		drop_errors(d);
	place->plan = NULL; /* from now on builds read it side by side */
	return good;
}

/* An override may repeat the type; it is no option. */
static struct value without_type(struct arena *a, struct value body)
{
	struct value_attr *kept = arena_new_array(a, struct value_attr, body.attrs->n);
	size_t n = 0;

	for (size_t i = 0; i < body.attrs->n; i++)
		if (!str_eqs(body.attrs->v[i].key, "type"))
			kept[n++] = body.attrs->v[i];
	return value_attrs_make(a, body.kind, kept, n, body.span);
}

/* The provisioner's options with the override for this build on top. */
static struct value overridden(struct maker *m, const struct legacy_provisioner *p)
{
	const struct value_attr *over = value_attr_find(p->override, m->raw_name);

	if (!over)
		return p->body;
	return without_type(m->plan->arena,
			    component_override(m->plan->arena, p->body, over->value));
}

static int64_t max_retries(struct maker *m, const struct legacy_provisioner *p, struct diags *d)
{
	struct scope s = { .variables = &m->t->values,
			   .template_dir = m->t->dir,
			   .now_ms = m->t->now_ms };
	AUTO(err) struct err err = ERR_INIT;
	struct str text;
	int64_t n;

	if (p->max_retries.kind != VALUE_STRING || !p->max_retries.string.n)
		return 0;
	if (scope_render_all(&s, m->plan->arena, value_null((struct span){ 0 }),
			     p->max_retries.string, &text, &err) < 0) {
		diag_error(d, p->max_retries.span, "\"max_retries\": %s", err.msg);
		return 0;
	}
	if (!parse_i64(text, &n)) {
		diag_error(d, p->max_retries.span,
			   "\"max_retries\" takes a whole number, not \"" STR_FMT "\"",
			   STR_ARG(text));
		return 0;
	}
	return n;
}

static bool make_provisioner(struct maker *m, const struct legacy_provisioner *from,
			     struct plan_provisioner *ret)
{
	struct diags d;
	bool good = false;

	diags_init(&d, m->plan->arena);
	*ret = (struct plan_provisioner){
		.c = { .type = from->type, .body = overridden(m, from), .span = from->span },
		.ops = registry_provisioner(m->args->registry, from->type),
		.pause_before_ns = from->pause_before_ns,
		.timeout_ns = from->timeout_ns,
	};
	ret->max_retries = max_retries(m, from, &d);
	if (!ret->ops) {
		component_missing(m->args->registry, COMPONENT_PROVISIONER, from->type,
				  from->type_span, &d);
	} else {
		ret->c.spec = ret->ops->spec;
		good = make_component(m, &ret->c, COMPONENT_PROVISIONER, ret->ops->prepare, &d) &&
		       !d.errors;
	}
	if (d.n)
		plan_diags_take(&m->diags, &d,
				arena_printf(m->plan->arena, "provisioner \"%s\"", from->type),
				m->build->bare_name);
	return good;
}

static bool make_provisioners(struct maker *m, struct plan_build *b)
{
	const struct legacy *t = m->t;
	bool good = true;

	b->provisioners = arena_new_array(m->plan->arena, struct plan_provisioner,
					  t->nprovisioners);
	for (size_t i = 0; i < t->nprovisioners; i++)
		if (!legacy_skips(&t->provisioners[i].filter, m->raw_name))
			good &= make_provisioner(m, &t->provisioners[i],
						 &b->provisioners[b->nprovisioners++]);
	if (t->cleanup) {
		b->cleanup = arena_new_obj(m->plan->arena, struct plan_provisioner);
		good &= make_provisioner(m, t->cleanup, b->cleanup);
	}
	return good;
}

static bool make_postprocessor(struct maker *m, const struct legacy_postprocessor *from,
			       struct plan_postprocessor *ret)
{
	struct diags d;
	bool good = false;

	diags_init(&d, m->plan->arena);
	*ret = (struct plan_postprocessor){
		.c = { .type = from->type,
		       .name = from->named ? from->name : NULL,
		       .body = from->body,
		       .span = from->span },
		.ops = registry_postprocessor(m->args->registry, from->type),
		.keep_input = from->keep_input,
	};
	if (!ret->ops) {
		component_missing(m->args->registry, COMPONENT_POSTPROCESSOR, from->type,
				  from->type_span, &d);
	} else {
		ret->c.spec = ret->ops->spec;
		good = make_component(m, &ret->c, COMPONENT_POSTPROCESSOR, ret->ops->prepare, &d);
	}
	if (d.n)
		plan_diags_take(&m->diags, &d,
				arena_printf(m->plan->arena, "post-processor \"%s\"", from->type),
				m->build->bare_name);
	return good;
}

static bool in_list(char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (streq(*list, name))
			return true;
	return false;
}

/* A post-processor that -except names ends its chain. */
static bool make_chains(struct maker *m, struct plan_build *b)
{
	const struct legacy *t = m->t;
	bool good = true;

	b->chains = arena_new_array(m->plan->arena, struct plan_chain, t->nchains);
	for (size_t i = 0; i < t->nchains; i++) {
		struct plan_chain *chain = &b->chains[b->nchains];

		chain->v = arena_new_array(m->plan->arena, struct plan_postprocessor,
					   t->chains[i].n);
		for (size_t j = 0; j < t->chains[i].n; j++) {
			const struct legacy_postprocessor *p = &t->chains[i].v[j];

			if (legacy_skips(&p->filter, m->raw_name))
				continue;
			if (in_list(m->args->except, p->name))
				break;
			good &= make_postprocessor(m, p, &chain->v[chain->n++]);
		}
		b->nchains += chain->n > 0;
	}
	return good;
}

static int compare_names(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static struct span span_of(const struct legacy *t, struct str name)
{
	for (size_t i = 0; i < t->nvariables; i++)
		if (str_eqs(name, t->variables[i].name))
			return t->variables[i].span;
	return (struct span){ 0 };
}

/* Variables are handed to each component with its options, and rendered once more with them: what
 * has no use of that must bear it all the same (a fact of the reference). */
static bool bears_rendering(const struct maker *m, struct diags *d)
{
	const struct map *values = &m->t->values;
	struct arena *a = m->plan->arena;
	auto_free struct str *names = xcalloc(map_len(values) + 1, sizeof(*names));
	size_t errors = d->errors, n = 0;

	/* Thousands of builds may have thousands of variables: only what can fail is looked at. */
	for (size_t i = 0; i < map_len(values); i++)
		if (strstr(map_at(values, i), "{{"))
			names[n++] = map_key_at(values, i);
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n && d->errors == errors; i++) {
		struct scope s = { .variables = values,
				   .template_dir = m->t->dir,
				   .build_name = m->build->bare_name,
				   .build_type = m->build->type,
				   .component = m->build->type,
				   .now_ms = m->t->now_ms };
		struct str text = str_from(map_get(values, names[i]));
		AUTO(err) struct err err = ERR_INIT;

		if (scope_render(&s, a, scope_dot(&s, a), false, text, &text, &err) < 0)
			diag_error(d, span_of(m->t, names[i]),
				   "The value of the variable \"" STR_FMT "\" is rendered once "
				   "more with the options, and cannot be: %s",
				   STR_ARG(names[i]), err.msg);
	}
	return d->errors == errors;
}

static void make_build(struct maker *m, const struct legacy_builder *from, struct plan_build *b)
{
	struct arena *a = m->plan->arena;
	bool good = false;
	struct diags d;

	diags_init(&d, a);
	b->type = from->type;
	b->name = streq(from->type, from->name)
		      ? b->bare_name
		      : arena_printf(a, "%s.%s", from->type, b->bare_name);
	b->ops = registry_builder(m->args->registry, from->type);
	b->builder = (struct plan_component){
		.type = from->type, .name = from->name, .body = from->body, .span = from->span
	};
	m->build = b;
	m->raw_name = from->name;
	m->types_only = lacks_component(m, from);
	m->known = b->ops && b->ops->generated ? component_known(a, b->ops) : m->common_known;
	if (!b->ops) {
		component_missing(m->args->registry, COMPONENT_BUILDER, from->type, from->type_span,
				  &d);
	} else if (bears_rendering(m, &d)) {
		b->builder.spec = b->ops->spec;
		good = make_component(m, &b->builder, COMPONENT_BUILDER, b->ops->prepare, &d);
	}
	plan_diags_take(&m->diags, &d, NULL, b->bare_name);
	good &= make_provisioners(m, b);
	good &= make_chains(m, b);
	b->broken = !good;
}

struct named {
	const char *name; /* rendered */
	const struct legacy_builder *builder;
};

static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->builder > y->builder) - (x->builder < y->builder);
}

/* Rendered names, sorted; of builders whose names become equal the last one is left. */
static struct named *render_names(struct legacy *t, struct diags *d, size_t *ret_n)
{
	struct named *v = arena_new_array(t->arena, struct named, t->nbuilders);
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < t->nbuilders; i++) {
		struct scope s = { .variables = &t->values,
				   .template_dir = t->dir,
				   .now_ms = t->now_ms };
		AUTO(err) struct err err = ERR_INIT;
		struct str name;

		if (scope_render_all(&s, t->arena, value_null((struct span){ 0 }),
				     str_from(t->builders[i].name), &name, &err) < 0)
			diag_error(d, t->builders[i].name_span, "The name of builder \"%s\": %s",
				   t->builders[i].name, err.msg);
		else
			v[n++] = (struct named){ arena_strndup(t->arena, name.p, name.n),
						 &t->builders[i] };
	}
	qsort(v, n, sizeof(*v), compare_named);
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || !streq(v[i].name, v[i + 1].name))
			v[kept++] = v[i];
	*ret_n = kept;
	return v;
}

void legacy_builds(struct legacy *t, const struct template_args *args, struct plan *plan)
{
	struct maker m = { .t = t, .args = args, .plan = plan, .diags = { .plan = plan } };
	size_t n;
	struct named *names = render_names(t, &plan->diags, &n);

	m.common_known = component_known(plan->arena, NULL);
	plan->builds = arena_new_array(plan->arena, struct plan_build, n);
	for (size_t i = 0; i < n; i++) {
		struct plan_build *b = &plan->builds[plan->nbuilds];

		if ((args->only && *args->only && !in_list(args->only, names[i].name)) ||
		    in_list(args->except, names[i].name))
			continue;
		b->bare_name = names[i].name;
		make_build(&m, names[i].builder, b);
		plan->nbuilds++;
	}
	plan_diags_finish(&m.diags);
}
