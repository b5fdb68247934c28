/* Components as both languages have them. A component is decoded once for the plan, which tells its
 * mistakes, and again when it runs, with the build's own data: then by many threads side by side,
 * so nothing here changes the plan but component_decode while place->plan is set. */
#include "template/plan_component.h"

/* What templates reach by {{build `X`}} and build.X in every build. (Fact: packer/provisioner.go.)
 */
static const char *const common_values[] = {
	"ConnType",	 "Host",     "ID",   "PackerHTTPAddr", "PackerHTTPIP", "PackerHTTPPort",
	"PackerRunUUID", "Password", "Port", "SSHPrivateKey",  "SSHPublicKey", "User",
	"WinRMPassword",
};

#define TYPES_MAX 128

/* One decoding on its way, for the render callback. */
struct job {
	const struct plan_component *c;
	const struct component_place *place;
	struct value body;
	struct scope scope;
	struct value dot; /* made when the first action wants it */
	bool has_dot;
	struct arena *arena;
	struct diags *diags;
};

static void release_known(void *map)
{
	map_release(map);
}

struct map *component_known(struct arena *a, const struct builder *ops)
{
	struct map *m = arena_new_obj(a, struct map);

	arena_on_free(a, release_known, m);
	for (size_t i = 0; i < ARRAY_LEN(common_values); i++)
		map_sets(m, common_values[i], m);
	for (size_t i = 0; ops && ops->generated && ops->generated[i]; i++)
		map_sets(m, ops->generated[i], m);
	return m;
}

static struct scope scope_make(const struct plan_component *c, const struct component_place *place,
			       const struct plan_data *data, bool late)
{
	const struct map *known = late || !place->late_only ? place->known : NULL;

	return (struct scope){
		.variables = place->variables,
		.template_dir = place->template_dir,
		.build_name = place->build_name,
		.build_type = place->build_type,
		.component = c->type,
		.now_ms = place->now_ms,
		.known = known,
		.generated = data && known ? data->values : NULL,
	};
}

static int render_option(void *data, const struct spec_row *row, bool late, struct str text,
			 struct str *ret, struct err *err)
{
	struct job *j = data;
	int r;

	*ret = text;
	if (!gotmpl_has_actions(text))
		return 0;
	if (!j->has_dot)
		j->dot = scope_dot(&j->scope, j->arena);
	j->has_dot = true;
	r = scope_render(&j->scope, j->arena, j->dot, late, text, ret, err);
	if (j->scope.old_clean) {
		const struct value_attr *at = value_attr_find_fold(j->body, row->name);
		struct diag *g = diag_warning(j->diags, at ? at->value.span : j->c->span,
					      "clean_ami_name is an old function");

		g->lenient = true;
		diag_detail(j->diags, g, "It is read; write clean_resource_name instead.");
		j->scope.old_clean = false;
	}
	return r;
}

void component_secret(struct plan *p, const char *secret)
{
	if (!*secret)
		return;
	for (size_t i = 0; i < p->nsecrets; i++)
		if (streq(p->secrets[i], secret))
			return;
	p->secrets = arena_grow(p->arena, p->secrets, p->nsecrets * sizeof(*p->secrets),
				(p->nsecrets + 1) * sizeof(*p->secrets));
	p->secrets[p->nsecrets++] = arena_strdup(p->arena, secret);
}

static void add_secret(void *data, const char *secret)
{
	const struct job *j = data;

	if (j->place->plan)
		component_secret(j->place->plan, secret);
}

int component_decode(const struct plan_component *c, const struct component_place *place,
		     struct value body, const struct plan_data *data, struct arena *a,
		     struct diags *d, void **ret_config)
{
	struct job job = { .c = c,
			   .place = place,
			   .body = body,
			   .scope = scope_make(c, place, data, false),
			   .arena = a,
			   .diags = d };
	bool incomplete = false;
	/* Weak in HCL too: its values come here converted to the types it has for the rows, and the
	 * rest of the way is the same in the reference. */
	struct spec_input in = { .arena = a,
				 .diags = d,
				 .render = render_option,
				 .data = &job,
				 .weak = true,
				 .json = place->json,
				 .unknown = "<unknown>",
				 .ret_incomplete = &incomplete,
				 .on_secret = add_secret };
	struct prepare p = {
		.arena = a,
		.diags = d,
		.body = body,
		.component = c->type,
		.build_name = place->build_name,
		.force = place->force,
	};
	size_t errors = d->errors;
	void *config = arena_alloc(a, c->spec->size);

	if (spec_decode(c->spec, body, &in, config) < 0 && !incomplete)
		return -1;
	if (place->prepare)
		place->prepare(&p, config);
	if (d->errors > errors)
		return -1;
	*ret_config = config;
	return 0;
}

/* Late text sees the component's own dot and, in provisioners and post-processors, the build's
 * values. */
static struct value late_dot(const struct component_place *place, const struct scope *s,
			     struct value dot, struct arena *a)
{
	struct value values =
		place->kind == COMPONENT_BUILDER ? value_null((struct span){ 0 }) : scope_dot(s, a);
	struct value_attr *attrs;
	size_t n = 0;

	if (!value_is_attrs(dot) || !value_is_attrs(values))
		return value_is_attrs(dot) ? dot : values;
	attrs = arena_new_array(a, struct value_attr, dot.attrs->n + values.attrs->n);
	for (size_t i = 0; i < dot.attrs->n; i++)
		attrs[n++] = dot.attrs->v[i];
	for (size_t i = 0; i < values.attrs->n; i++)
		attrs[n++] = values.attrs->v[i]; /* found after the dot's own: those win */
	return value_attrs_make(a, dot.kind, attrs, n, (struct span){ 0 });
}

int component_render(const struct plan_component *c, const struct component_place *place,
		     const struct plan_data *data, struct arena *a, struct value dot,
		     struct str text, struct str *ret, struct err *err)
{
	struct scope s = scope_make(c, place, data, true);

	return scope_render_all(&s, a, late_dot(place, &s, dot, a), text, ret, err);
}

static const char *const *later_types(const struct registry *r, enum component_kind kind)
{
	switch (kind) {
	case COMPONENT_BUILDER:
		return r->later_builders;
	case COMPONENT_PROVISIONER:
		return r->later_provisioners;
	case COMPONENT_POSTPROCESSOR:
		break;
	}
	return r->later_postprocessors;
}

bool component_is_later(const struct registry *r, enum component_kind kind, const char *type)
{
	for (const char *const *v = later_types(r, kind); v && *v; v++)
		if (streq(*v, type))
			return true;
	return false;
}

/* Fills names with the types of a NULL-terminated list of components. */
#define COLLECT_TYPES(list, names, n)                                                              \
	for (size_t i_ = 0; (list) && (list)[i_] && (n) < TYPES_MAX; i_++)                         \
	(names)[(n)++] = (list)[i_]->type

struct diag *component_missing(const struct registry *r, enum component_kind kind,
			       const char *type, struct span span, struct diags *d)
{
	static const char *const kinds[] = { "builder", "provisioner", "post-processor" };
	const char *const *later = later_types(r, kind);
	const char *names[TYPES_MAX], *near;
	struct diag *g;
	size_t n = 0;

	if (component_is_later(r, kind, type)) {
		g = diag_error(d, span, "The %s \"%s\" is not yet supported by ingot",
			       kinds[kind], type);
		return diag_detail(d, g,
				   "ingot cannot run Packer plugins yet. Remove it, leave its "
				   "builds out with -except, or use Packer for this template.");
	}
	if (kind == COMPONENT_BUILDER)
		COLLECT_TYPES(r->builders, names, n);
	else if (kind == COMPONENT_PROVISIONER)
		COLLECT_TYPES(r->provisioners, names, n);
	else
		COLLECT_TYPES(r->postprocessors, names, n);
	g = diag_error(d, span, "There is no %s \"%s\"", kinds[kind], type);
	near = str_nearest(type, names, n);
	for (size_t i = 0; later && later[i] && !near; i++)
		near = str_nearest(type, &later[i], 1);
	if (near)
		return diag_detail(d, g, "Did you mean \"%s\"?", near);
	return diag_detail(d, g, "ingot has no such %s, and knows no plugin of Packer that does.",
			   kinds[kind]);
}

static struct value overlay(struct arena *a, struct value under, struct value over, bool fold);

static struct value overlay_attrs(struct arena *a, struct value under, struct value over, bool fold)
{
	struct value_attr *attrs =
		arena_new_array(a, struct value_attr, under.attrs->n + over.attrs->n);
	size_t n = under.attrs->n;

	memcpy(attrs, under.attrs->v, n * sizeof(*attrs));
	for (size_t i = 0; i < over.attrs->n; i++) {
		const struct value_attr *at = &over.attrs->v[i], *old;
		const char *key = arena_strndup(a, at->key.p, at->key.n);

		old = fold ? value_attr_find_fold(under, key) : value_attr_find(under, key);
		if (!old)
			attrs[n++] = *at;
		else
			attrs[old - under.attrs->v].value =
				overlay(a, old->value, at->value, false);
	}
	return value_attrs_make(a, under.kind, attrs, n, fold ? under.span : over.span);
}

static struct value overlay_seq(struct arena *a, struct value under, struct value over)
{
	size_t n = MAX(under.seq->n, over.seq->n);
	struct value *v = arena_new_array(a, struct value, n);

	for (size_t i = 0; i < n; i++)
		v[i] = i >= over.seq->n	 ? under.seq->v[i] :
		       i >= under.seq->n ? over.seq->v[i] :
					   overlay(a, under.seq->v[i], over.seq->v[i], false);
	return value_seq_make(a, VALUE_TUPLE, v, n, over.span);
}

/* One value decoded over another, as the reference does it: maps are merged, lists replaced element
 * by element (what is longer keeps its rest), nothing (null) replaces nothing. */
static struct value overlay(struct arena *a, struct value under, struct value over, bool fold)
{
	if (over.kind == VALUE_NULL)
		return under;
	if (value_is_attrs(under) && value_is_attrs(over))
		return overlay_attrs(a, under, over, fold);
	if (value_is_seq(under) && value_is_seq(over))
		return overlay_seq(a, under, over);
	return over;
}

struct value component_override(struct arena *a, struct value body, struct value over)
{
	return value_is_attrs(over) && value_is_attrs(body) ? overlay(a, body, over, true) : body;
}
