/* One component of a legacy template: its options decoded with the functions of its place, its late
 * text rendered while a build runs. */
#include "template/legacy.h"

/* One decoding on its way, for the render callback. */
struct job {
	const struct plan_component *c;
	struct scope scope;
	struct value dot;
	struct arena *arena;
	struct diags *diags;
	struct plan *plan;
};

static struct scope scope_make(const struct plan_component *c, const struct plan_data *data)
{
	const struct legacy_component *l = c->lang;

	return (struct scope){
		.variables = &l->t->values,
		.template_dir = l->t->dir,
		.build_name = l->build_name,
		.build_type = l->build_type,
		.component = c->type,
		.now_ms = l->t->now_ms,
		.known = l->known,
		.generated = data && l->known ? data->values : NULL,
	};
}

static int render_option(void *data, const struct spec_row *row, bool late, struct str text,
			 struct str *ret, struct err *err)
{
	struct job *j = data;
	int r = scope_render(&j->scope, j->arena, j->dot, late, text, ret, err);

	if (j->scope.old_clean) {
		const struct value_attr *at = value_attr_find_fold(j->c->body, row->name);
		struct diag *g = diag_warning(j->diags, at ? at->value.span : j->c->span,
					      "clean_ami_name is an old function");

		g->lenient = true;
		diag_detail(j->diags, g, "It is read; write clean_resource_name instead.");
		j->scope.old_clean = false;
	}
	return r;
}

static void add_secret(void *data, const char *secret)
{
	struct job *j = data;
	struct plan *p = j->plan;

	if (!p || !*secret)
		return;
	for (size_t i = 0; i < p->nsecrets; i++)
		if (streq(p->secrets[i], secret))
			return;
	p->secrets = arena_grow(p->arena, p->secrets, p->nsecrets * sizeof(*p->secrets),
				(p->nsecrets + 1) * sizeof(*p->secrets));
	p->secrets[p->nsecrets++] = arena_strdup(p->arena, secret);
}

int legacy_decode(const struct plan_component *c, const struct plan_data *data, struct arena *a,
		  struct diags *d, void **ret_config)
{
	const struct legacy_component *l = c->lang;
	struct job job = {
		.c = c, .scope = scope_make(c, data), .arena = a, .diags = d, .plan = l->plan
	};
	struct spec_input in = { .arena = a,
				 .diags = d,
				 .render = render_option,
				 .data = &job,
				 .weak = true,
				 .on_secret = add_secret };
	struct prepare p = {
		.arena = a,
		.diags = d,
		.body = c->body,
		.component = c->type,
		.build_name = l->build_name,
		.template_dir = l->t->dir,
		.weak = true,
		.force = l->t->force,
		.debug = l->t->debug,
	};
	size_t errors = d->errors;
	void *config = arena_alloc(a, c->spec->size);

	job.dot = scope_dot(&job.scope, a);
	if (spec_decode(c->spec, c->body, &in, config) < 0)
		return -1;
	if (l->prepare)
		l->prepare(&p, config);
	if (d->errors > errors)
		return -1;
	*ret_config = config;
	return 0;
}

/* Late text sees the component's own dot and, in provisioners and post-processors, the build's
 * values. */
static struct value late_dot(const struct legacy_component *l, const struct scope *s,
			     struct value dot, struct arena *a)
{
	struct value values = l->kind == LEGACY_BUILDER ? value_null((struct span){ 0 })
							: scope_dot(s, a);
	struct value_attr *attrs;
	size_t n = 0;

	if (!value_is_attrs(dot) || !value_is_attrs(values))
		return value_is_attrs(dot) ? dot : values;
	attrs = arena_new_array(a, struct value_attr, dot.attrs->n + values.attrs->n);
	for (size_t i = 0; i < dot.attrs->n; i++)
		attrs[n++] = dot.attrs->v[i];
	for (size_t i = 0; i < values.attrs->n; i++)
		attrs[n++] = values.attrs->v[i]; /* found after the dot's own: those win */
	return value_attrs_make(a, VALUE_OBJECT, attrs, n, (struct span){ 0 });
}

int legacy_render(const struct plan_component *c, const struct plan_data *data, struct arena *a,
		  struct value dot, struct str text, struct str *ret, struct err *err)
{
	struct scope s = scope_make(c, data);

	return scope_render_all(&s, a, late_dot(c->lang, &s, dot, a), text, ret, err);
}
