/* The build blocks of an HCL2 template as they are written: for_each and dynamic blocks expanded,
 * the sources and parts of each read by sources.c and parts.c. The components' own options
 * are left for later: they depend on the source. */
#include "template/hcl/component.h"

struct build_options {
	char *name, *description;
	struct value sources;
	enum tribool enabled;
	struct strs depends_on;
};
static const struct spec_row build_rows[] = {
	SPEC_STR(struct build_options, name,
		 .doc = "The name that goes before those of its sources."),
	SPEC_STR(struct build_options, description, .doc = "What it makes, for `inspect`."),
	SPEC_VALUE(struct build_options, sources,
		   .doc = "The sources to build from, as `source.type.name`."),
	SPEC_TRIBOOL(struct build_options, enabled, .flags = SPEC_OWN,
		     .doc = "`false` leaves it out."),
	SPEC_STRS(struct build_options, depends_on, .flags = SPEC_OWN,
		  .doc = "Builds that must have ended well before."),
};
const struct spec hcl_build_spec = SPEC("build", struct build_options, build_rows);

struct each_options {
	struct value for_each;
};
static const struct spec_row each_rows[] = {
	SPEC_VALUE(struct each_options, for_each, .flags = SPEC_OWN,
		   .doc = "The whole block for each element."),
};
const struct spec hcl_each_spec = SPEC("build", struct each_options, each_rows);

static void read_provisioner(struct hcl_reader *r, const struct hcl_item *item)
{
	struct hcl_part p;

	if (hcl_read_part(r, item, r->build->bound, COMPONENT_PROVISIONER, &p))
		HCL_PUSH(r->t->arena, r->build->provisioners, r->build->nprovisioners, p);
}

static void read_cleanup(struct hcl_reader *r, const struct hcl_item *item)
{
	struct hcl_part *p = arena_new_obj(r->t->arena, struct hcl_part);

	if (r->build->cleanup)
		diag_error(r->t->diags, item->block.span,
			   "A build has only one error-cleanup-provisioner");
	else if (hcl_read_part(r, item, r->build->bound, COMPONENT_PROVISIONER, p))
		r->build->cleanup = p;
}

static void add_chain(struct hcl_reader *r, const struct hcl_item *items, size_t n,
		      struct hcl_bound outer)
{
	struct hcl_chain chain = { .v = arena_new_array(r->t->arena, struct hcl_part, n + 1) };

	for (size_t i = 0; i < n; i++)
		if (hcl_read_part(r, &items[i], outer, COMPONENT_POSTPROCESSOR, &chain.v[chain.n]))
			chain.n++;
	HCL_PUSH(r->t->arena, r->build->chains, r->build->nchains, chain);
}

static void read_postprocessor(struct hcl_reader *r, const struct hcl_item *item)
{
	add_chain(r, item, 1, r->build->bound);
}

/* A block of times before there were sources: the reference takes it, and does nothing with it. */
static void read_from(struct hcl_reader *r, const struct hcl_item *item)
{
	diag_warning(r->t->diags, item->block.span, "A block \"from\" has no effect");
}

static const char *const type_label[] = { "type", NULL };
static const char *const name_label[] = { "name", NULL };
static const char *const reference_label[] = { "reference", NULL };

/* post-processors { post-processor "…" {} … }: one after the other on the same artifact */
static void read_postprocessors(struct hcl_reader *r, const struct hcl_item *item)
{
	static const struct hcl_schema_block blocks[] = { { "post-processor", type_label } };
	static const struct hcl_schema schema = { .blocks = blocks, .nblocks = ARRAY_LEN(blocks) };
	const struct eval_scope *around = r->e->scope;
	struct eval_scope scope = hcl_bind(r->e, item->bound);
	struct hcl_items items;

	r->e->scope = &scope;
	(void)hcl_items(r->e, item->block.body, &schema, &items);
	add_chain(r, items.blocks, items.nblocks,
		  hcl_bound_join(r->t->arena, r->build->bound, item->bound));
	r->e->scope = around;
}

static void read_registry(struct hcl_reader *r, const struct hcl_item *item)
{
	if (r->has_registry)
		diag_error(r->t->diags, item->block.span,
			   "A build has only one hcp_packer_registry");
	else
		hcl_check_registry(r->t, &item->block);
	r->has_registry = true;
}

/* What may stand in a build block. Sources are read first: the others name them. */
static const struct {
	struct hcl_schema_block form;
	void (*read)(struct hcl_reader *r, const struct hcl_item *item);
} kinds[] = {
	{ { "source", reference_label }, hcl_read_use },
	{ { "provisioner", type_label }, read_provisioner },
	{ { "provisioners", name_label }, hcl_read_group },
	{ { "error-cleanup-provisioner", type_label }, read_cleanup },
	{ { "post-processor", type_label }, read_postprocessor },
	{ { "post-processors", NULL }, read_postprocessors },
	{ { "hcp_packer_registry", NULL }, read_registry },
	{ { "from", type_label }, read_from },
};

static void read_items(struct hcl_reader *r, const struct hcl_items *items, bool sources)
{
	for (size_t i = 0; i < items->nblocks; i++)
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
			if (str_eqs(items->blocks[i].block.type, kinds[k].form.type) &&
			    (kinds[k].read == hcl_read_use) == sources)
				kinds[k].read(r, &items->blocks[i]);
}

/* The parts see `each` of their source, one for each source: see hcl_part_for(). */
static struct hcl_bound each_of_sources(struct hcl_reader *r)
{
	struct value_attr *each;

	for (size_t i = 0; i < r->build->nuses && !r->build->bound.n; i++)
		if (r->build->uses[i].each.n) {
			each = arena_new_obj(r->t->arena, struct value_attr);
			*each = (struct value_attr){ .key = STR("each"),
						     .value = value_unknown(r->build->span) };
			return (struct hcl_bound){ each, 1 };
		}
	return (struct hcl_bound){ 0 };
}

/* errors: how many there were before the block; with one of its own, no source need be missing. */
static void read_body(struct hcl_reader *r, const struct hcl_body *body, struct value sources,
		      size_t errors)
{
	struct hcl_schema_block forms[ARRAY_LEN(kinds)];
	struct hcl_schema_attr attrs[ARRAY_LEN(build_rows) + 1];
	struct hcl_schema schema = { .attrs = attrs,
				     .nattrs = ARRAY_LEN(attrs),
				     .blocks = forms,
				     .nblocks = ARRAY_LEN(forms) };
	const struct eval_scope *around = r->e->scope;
	struct diags *d = r->t->diags;
	struct eval_scope scope;
	struct hcl_items items;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		forms[i] = kinds[i].form;
	for (size_t i = 0; i < ARRAY_LEN(build_rows); i++)
		attrs[i] = (struct hcl_schema_attr){ build_rows[i].name, false };
	attrs[ARRAY_LEN(build_rows)] = (struct hcl_schema_attr){ each_rows[0].name, false };
	(void)hcl_items(r->e, body, &schema, &items);
	for (size_t i = 0; i < items.nattrs; i++)
		if (str_eqs(items.attrs[i].name, "sources"))
			sources.span = items.attrs[i].expr->span; /* not where a variable got it */
	hcl_read_sources(r, sources);
	read_items(r, &items, true);
	if (!r->nsources && d->errors == errors)
		diag_detail(d, diag_error(d, r->build->span, "The build has no source"),
			    "Name at least one: sources = [\"source.TYPE.NAME\"].");
	scope = hcl_bind(r->e, each_of_sources(r));
	r->e->scope = &scope;
	read_items(r, &items, false);
	r->e->scope = around;
}

void hcl_name_build(struct arena *a, const char *name, const struct hcl_use *use, struct span span,
		    struct value_attr v[2])
{
	struct value unknown = value_unknown_of(&type_string, span);
	struct value_attr source[] = {
		{ .key = STR("name"),
		  .value = use ? value_cstring(a, hcl_use_name(a, use), span) : unknown },
		{ .key = STR("type"), .value = use ? value_cstring(a, use->type, span) : unknown },
	};
	struct value_attr build[] = { { .key = STR("name"),
					.value = value_cstring(a, name, span) } };

	v[0] = (struct value_attr){ .key = STR("source"),
				    .value = value_object(a, source, ARRAY_LEN(source), span) };
	v[1] = (struct value_attr){ .key = STR("build"),
				    .value = value_object(a, build, ARRAY_LEN(build), span) };
}

/* The block's own arguments say what it is called and what it builds: they cannot ask for it. */
static void bind_nothing(struct arena *a, struct span span, struct value_attr v[2])
{
	struct value empty = value_object(a, NULL, 0, span);

	v[0] = (struct value_attr){ .key = STR("source"), .value = empty };
	v[1] = (struct value_attr){ .key = STR("build"), .value = empty };
}

/* One build block with the names of its for_each bound. false: it is not enabled. */
static bool read_build(struct hcl_template *t, const struct hcl_block *block,
		       const struct hcl_instance *instance, struct hcl_build *ret)
{
	struct value_attr *names = arena_new_array(t->arena, struct value_attr, 2);
	struct eval e = hcl_eval(t, NULL, t->arena, t->diags);
	struct hcl_reader r = {
		.t = t, .e = &e, .build = ret, .place = hcl_place(t->arena, block->span)
	};
	struct eval_scope scope = { .up = e.scope, .v = names, .n = 2 }, each;
	struct build_options o = { 0 };
	size_t errors = t->diags->errors;

	*ret = (struct hcl_build){ .span = block->span };
	if (instance)
		ret->bound = instance->bound;
	bind_nothing(t->arena, block->span, names);
	e.scope = &scope;
	each = hcl_bind(&e, ret->bound);
	e.scope = &each;
	(void)hcl_common_decode(t, &e, block->body, &hcl_build_spec, &o);
	ret->name = o.name ? o.name : instance ? instance->key : "";
	ret->description = o.description ? o.description : "";
	ret->depends_on = o.depends_on;
	if (o.enabled == TRIBOOL_FALSE)
		return false;
	hcl_name_build(t->arena, ret->name, NULL, block->span, names);
	read_body(&r, block->body, o.sources, errors);
	return true;
}

/* The instances of a block with for_each; one, which is NULL, without. false after a diagnostic. */
static bool block_instances(struct hcl_template *t, const struct hcl_block *block,
			    struct hcl_instance **ret, size_t *ret_n)
{
	struct eval e = hcl_eval(t, NULL, t->arena, t->diags);
	struct each_options o = { 0 };

	*ret = NULL;
	*ret_n = 1;
	if (hcl_common_decode(t, &e, block->body, &hcl_each_spec, &o) < 0)
		return false;
	return o.for_each.kind == VALUE_NULL || hcl_instances(t, o.for_each, ret, ret_n);
}

/* Two builds that look the same in all output are no help to anybody. */
static void check_names(struct hcl_template *t, const struct hcl_build *v, size_t n,
			const struct hcl_block *block)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (streq(v[i].name, v[j].name)) {
				diag_detail(
					t->diags,
					diag_error(
						t->diags, block->span,
						"Several builds of this for_each are named \"%s\"",
						v[i].name),
					"Let the name tell them apart: name = \"…-${each.key}\".");
				return;
			}
}

int hcl_read_builds(struct hcl_template *t, struct hcl_build **ret, size_t *ret_n)
{
	size_t errors = t->diags->errors, n = 0;
	struct hcl_build *v = NULL;

	for (size_t i = 0; i < t->nbuilds; i++) {
		struct hcl_instance *instances;
		size_t count, first = n;

		if (!block_instances(t, t->builds[i], &instances, &count))
			continue;
		for (size_t k = 0; k < count; k++) {
			size_t before = t->diags->errors;
			struct hcl_build b;

			if (read_build(t, t->builds[i], instances ? &instances[k] : NULL, &b) &&
			    !(t->listing && t->diags->errors > before))
				HCL_PUSH(t->arena, v, n, b);
		}
		if (n > first)
			check_names(t, v + first, n - first, t->builds[i]);
	}
	*ret = v;
	*ret_n = n;
	return t->diags->errors > errors ? -1 : 0;
}
