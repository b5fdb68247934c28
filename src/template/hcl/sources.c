/* Which sources a build block builds from: its list `sources` and its source blocks, each looked
 * up, and each instance of one with for_each a use of its own. */
#include "template/hcl/component.h"

#define ENABLED_DOC "`false` leaves it out."

struct source_options {
	struct value for_each;
	enum tribool enabled;
};
static const struct spec_row source_rows[] = {
	SPEC_VALUE(struct source_options, for_each, .flags = SPEC_OWN,
		   .doc = "One build for each element."),
	SPEC_TRIBOOL(struct source_options, enabled, .flags = SPEC_OWN, .doc = ENABLED_DOC),
};
const struct spec hcl_source_spec = SPEC("source", struct source_options, source_rows);

struct use_options {
	char *name;
	enum tribool enabled;
};
static const struct spec_row use_rows[] = {
	SPEC_STR(struct use_options, name, .doc = "The name the source has in this build."),
	SPEC_TRIBOOL(struct use_options, enabled, .flags = SPEC_OWN, .doc = ENABLED_DOC),
};
const struct spec hcl_use_spec = SPEC("source", struct use_options, use_rows);

const char *hcl_use_name(struct arena *a, const struct hcl_use *use)
{
	return use->key ? arena_printf(a, "%s.%s", use->shown, use->key) : use->shown;
}

const char *hcl_use_label(struct arena *a, const struct hcl_use *use)
{
	return arena_printf(a, "%s.%s", use->type, hcl_use_name(a, use));
}

/* "source.type.name", "type.name": of three or more the second and third count, as in the
 * reference; what comes fourth names an instance. */
static bool split_reference(struct arena *a, struct str ref, struct hcl_use *ret)
{
	struct str field[3], rest = ref;
	size_t n = 0;

	while (n < ARRAY_LEN(field) && rest.n && str_split(&rest, '.', &field[n]))
		n++;
	if (n < 2 || !hcl_is_identifier(a, field[n - 2]) || !hcl_is_identifier(a, field[n - 1]))
		return false;
	ret->type = arena_strndup(a, field[n - 2].p, field[n - 2].n);
	ret->name = arena_strndup(a, field[n - 1].p, field[n - 1].n);
	ret->shown = ret->name;
	ret->key = n == 3 && rest.n ? arena_strndup(a, rest.p, rest.n) : NULL;
	return true;
}

static void unknown_source(struct hcl_reader *r, const struct hcl_use *use)
{
	struct hcl_template *t = r->t;
	const char *name = arena_printf(t->arena, "%s.%s", use->type, use->name), *near;
	const char **names = arena_new_array(t->arena, const char *, t->nsources + 1);
	struct diag *g = diag_error(t->diags, use->span, "There is no source \"%s\"", name);

	for (size_t i = 0; i < t->nsources; i++)
		names[i] = arena_printf(t->arena, "%s.%s", t->sources[i].type, t->sources[i].name);
	near = str_nearest(name, names, t->nsources);
	if (near)
		diag_detail(t->diags, g, "Did you mean \"%s\"? The build is at %s.", near,
			    r->place);
	else
		diag_detail(t->diags, g, "The build at %s names it.", r->place);
}

/* Finds the source that ref names, into a use that has its place. false after a diagnostic. */
static bool find_source(struct hcl_reader *r, struct str ref, struct hcl_use *use)
{
	struct hcl_template *t = r->t;
	const struct registry *registry = t->args->registry;
	struct diag *g;
	ptrdiff_t at;

	if (!split_reference(t->arena, ref, use)) {
		g = diag_error(t->diags, use->span, "\"" STR_FMT "\" names no source",
			       STR_ARG(ref));
		diag_detail(t->diags, g,
			    "A source is named by its two labels, as in \"source.null.web\" or "
			    "\"null.web\". The build is at %s.",
			    r->place);
		return false;
	}
	at = hcl_find(t, "source", arena_printf(t->arena, "%s.%s", use->type, use->name));
	use->source = at < 0 ? NULL : &t->sources[at];
	if (t->listing)
		return true;
	if (!registry_builder(registry, use->type)) {
		component_missing(registry, COMPONENT_BUILDER, use->type, use->span, t->diags)
			->subject = arena_printf(t->arena, "build (%s)", r->place);
		return false;
	}
	if (!use->source)
		unknown_source(r, use);
	return use->source != NULL;
}

/* Adds a use whose source has for_each once for each element; use->key, if there is one, says which
 * alone. */
static void add_instances(struct hcl_reader *r, struct hcl_use use, struct value each)
{
	struct hcl_instance *v;
	size_t n, added = 0;
	const char *only = use.key;

	if (!hcl_instances(r->t, each, &v, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		if (only && !streq(only, v[i].key) && each.kind != VALUE_UNKNOWN)
			continue;
		use.key = v[i].key;
		use.each = v[i].bound;
		use.source_bound = hcl_bound_join(r->t->arena, r->build->bound, v[i].bound);
		HCL_PUSH(r->t->arena, r->build->uses, r->build->nuses, use);
		added++;
	}
	if (only && !added)
		diag_error(r->t->diags, use.span,
			   "The source \"%s.%s\" has no \"%s\" in its for_each", use.type, use.name,
			   only);
}

static void add_use(struct hcl_reader *r, struct hcl_use use)
{
	const struct eval_scope *around = r->e->scope;
	struct eval_scope scope = hcl_bind(r->e, r->build->bound);
	struct source_options o = { 0 };
	int rc = 0;

	r->e->scope = &scope;
	if (use.source)
		rc = hcl_common_decode(r->t, r->e, use.source->block->body, &hcl_source_spec, &o);
	r->e->scope = around;
	r->nsources++;
	if (rc < 0 || o.enabled == TRIBOOL_FALSE)
		return;
	if (o.for_each.kind != VALUE_NULL) {
		add_instances(r, use, o.for_each);
		return;
	}
	use.key = NULL;
	use.source_bound = r->build->bound;
	HCL_PUSH(r->t->arena, r->build->uses, r->build->nuses, use);
}

void hcl_read_sources(struct hcl_reader *r, struct value sources)
{
	AUTO(err) struct err err = ERR_INIT;
	struct diags *d = r->t->diags;
	struct span span = sources.span;

	if (sources.kind == VALUE_NULL)
		return;
	if (value_convert(r->t->arena, sources, &type_list_string, &sources, &err) < 0) {
		diag_error(d, span, "\"sources\": %s", err.msg);
		return;
	}
	for (size_t i = 0; sources.kind == VALUE_LIST && i < sources.seq->n; i++) {
		struct value v = sources.seq->v[i];
		struct hcl_use use = { .span = v.span.src ? v.span : span };

		if (v.kind != VALUE_STRING)
			diag_error(d, use.span,
				   "\"sources\": element %zu cannot be told before data sources "
				   "are asked",
				   i);
		else if (find_source(r, v.string, &use))
			add_use(r, use);
	}
	if (sources.kind == VALUE_UNKNOWN)
		diag_error(d, span, "\"sources\" cannot be told before data sources are asked");
}

/* The reference takes constant text alone as the name. */
static void check_name(struct hcl_reader *r, const struct hcl_item *item)
{
	static const struct hcl_schema_attr attrs[] = { { "name", false } };
	static const struct hcl_schema schema = { .attrs = attrs,
						  .nattrs = ARRAY_LEN(attrs),
						  .open = true };
	const struct hcl_attr *name;
	struct hcl_content c;
	struct diag *g;

	if (hcl_content(r->t->arena, item->block.body, &schema, r->t->diags, &c) < 0)
		return;
	name = hcl_content_attr(&c, "name");
	if (!name || item->bound.n || r->build->bound.n || eval_is_constant(name->expr))
		return;
	g = diag_warning(r->t->diags, name->expr->span,
			 "\"name\" of a source in a build is computed");
	g->lenient = true;
	diag_detail(r->t->diags, g, "ingot takes it; Packer wants a text without any names in it.");
}

/* source "type.name" { name, and more options } */
void hcl_read_use(struct hcl_reader *r, const struct hcl_item *item)
{
	struct hcl_use use = { .span = item->block.labels[0].span, .body = item->block.body };
	const struct eval_scope *around = r->e->scope;
	struct eval_scope scope = hcl_bind(r->e, item->bound);
	struct use_options o = { 0 };
	int rc;

	check_name(r, item);
	r->e->scope = &scope;
	rc = hcl_common_decode(r->t, r->e, item->block.body, &hcl_use_spec, &o);
	r->e->scope = around;
	use.body_bound = hcl_bound_join(r->t->arena, r->build->bound, item->bound);
	if (!find_source(r, item->block.labels[0].text, &use) || rc < 0)
		return;
	if (o.name)
		use.shown = o.name;
	if (o.enabled == TRIBOOL_FALSE)
		r->nsources++;
	else
		add_use(r, use);
}
