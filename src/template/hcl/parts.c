/* Provisioners and post-processors of a build block: what all of them have in common. */
#include "template/hcl/component.h"

#define ONLY_DOC "The sources it is for, as `type.name`."
#define EXCEPT_DOC "The sources it is not for."
#define ENABLED_DOC "`false` leaves it out."

static const struct spec_row part_rows[] = {
	SPEC_STR(struct hcl_part, name, .doc = "A name for `inspect`."),
	SPEC_DURATION(struct hcl_part, pause_before_ns, .name = "pause_before",
		      .doc = "Wait so long before it runs."),
	SPEC_DURATION(struct hcl_part, timeout_ns, .name = "timeout",
		      .doc = "It fails if it takes longer than this."),
	SPEC_INT(struct hcl_part, max_retries, .doc = "Try so often again when it fails."),
	SPEC_BOOL(struct hcl_part, continue_on_error, .doc = "Go on with the build when it fails."),
	SPEC_STRS(struct hcl_part, only, .doc = ONLY_DOC),
	SPEC_STRS(struct hcl_part, except, .doc = EXCEPT_DOC),
	SPEC_VALUE(struct hcl_part, override,
		   .doc = "Other options for some sources, by the source's name."),
	SPEC_TRIBOOL(struct hcl_part, enabled, .flags = SPEC_OWN, .doc = ENABLED_DOC),
};
const struct spec hcl_part_spec = SPEC("provisioner", struct hcl_part, part_rows);

static const struct spec_row post_part_rows[] = {
	SPEC_STR(struct hcl_part, name, .doc = "A name, for `-except` and the output."),
	SPEC_STRS(struct hcl_part, only, .doc = ONLY_DOC),
	SPEC_STRS(struct hcl_part, except, .doc = EXCEPT_DOC),
	SPEC_TRIBOOL(struct hcl_part, keep_input, .name = "keep_input_artifact",
		     .doc = "Whether the artifact it works on is kept."),
	SPEC_TRIBOOL(struct hcl_part, enabled, .flags = SPEC_OWN, .doc = ENABLED_DOC),
};
const struct spec hcl_post_part_spec = SPEC("post-processor", struct hcl_part, post_part_rows);

static const struct spec_row group_rows[] = {
	SPEC_STRS(struct hcl_part, only, .doc = ONLY_DOC),
	SPEC_STRS(struct hcl_part, except, .doc = EXCEPT_DOC),
	SPEC_TRIBOOL(struct hcl_part, enabled, .flags = SPEC_OWN, .doc = ENABLED_DOC),
};
static const struct spec group_spec = SPEC("provisioners", struct hcl_part, group_rows);

/* A source of that name could be meant: one of the template, or one that has the name in this
 * build. */
static bool is_source(const struct hcl_reader *r, const char *name)
{
	if (hcl_find(r->t, "source", name) >= 0)
		return true;
	for (size_t i = 0; i < r->build->nuses; i++)
		if (streq(hcl_use_label(r->t->arena, &r->build->uses[i]), name))
			return true;
	return false;
}

static bool check_filter(struct hcl_reader *r, const struct hcl_part *p)
{
	struct diags *d = r->t->diags;
	const struct strs *names = p->only.n ? &p->only : &p->except;

	if (p->only.n && p->except.n) {
		diag_error(d, p->span, "Give \"only\" or \"except\", not both");
		return false;
	}
	for (size_t i = 0; i < names->n; i++)
		if (names->v[i][0] && !is_source(r, names->v[i]))
			diag_warning(d, p->span, "\"%s\" in \"%s\" is no source of this template",
				     names->v[i], p->only.n ? "only" : "except");
	return true;
}

static bool check_override(struct hcl_reader *r, const struct hcl_part *p)
{
	struct value v = p->override;

	if (v.kind == VALUE_NULL || v.kind == VALUE_UNKNOWN)
		return true;
	if (!value_is_attrs(v)) {
		diag_error(r->t->diags, v.span, "\"override\" takes an object, not %s",
			   value_kind_phrase(v));
		return false;
	}
	for (size_t i = 0; i < v.attrs->n; i++)
		if (!value_is_attrs(v.attrs->v[i].value)) {
			diag_error(r->t->diags, v.attrs->v[i].value.span,
				   "\"override\": what stands for \"" STR_FMT
				   "\" is an object of options, not %s",
				   STR_ARG(v.attrs->v[i].key),
				   value_kind_phrase(v.attrs->v[i].value));
			return false;
		}
	return true;
}

static bool exists(const struct registry *r, enum component_kind kind, const char *type)
{
	return kind == COMPONENT_POSTPROCESSOR ? registry_postprocessor(r, type) != NULL
					       : registry_provisioner(r, type) != NULL;
}

static bool for_each_source(const struct hcl_build *b)
{
	for (size_t i = 0; i < b->nuses; i++)
		if (b->uses[i].each.n)
			return true;
	return false;
}

/* The common attributes of an item's body, with its names bound. They hold for all sources, so
 * that `source` has nothing to give them, but where hcl_part_for() decodes them for each. */
static int decode_common(struct hcl_reader *r, const struct hcl_item *item, const struct spec *spec,
			 struct hcl_part *ret)
{
	const struct eval_scope *around = r->e->scope;
	struct value_attr source = { .key = STR("source"),
				     .value = value_object(r->t->arena, NULL, 0,
							   item->block.span) };
	struct eval_scope all = { .up = around, .v = &source, .n = 1 }, scope;
	int rc;

	if (!for_each_source(r->build))
		r->e->scope = &all;
	scope = hcl_bind(r->e, item->bound);
	r->e->scope = &scope;
	rc = hcl_common_decode(r->t, r->e, item->block.body, spec, ret);
	r->e->scope = around;
	ret->span = item->block.span;
	ret->body = item->block.body;
	if (rc == 0 && (!check_filter(r, ret) || !check_override(r, ret)))
		rc = -1;
	return rc;
}

static const char *placed_title(struct arena *a, const struct hcl_item *item)
{
	return arena_printf(a, "%s (%s)", hcl_block_title(a, &item->block),
			    hcl_place(a, item->block.span));
}

/* The same, with what it has to say placed in the block. */
static int decode_placed(struct hcl_reader *r, const struct hcl_item *item, const struct spec *spec,
			 struct hcl_part *ret)
{
	struct arena *a = r->t->arena;
	struct diags *outer = r->t->diags, own;
	int rc;

	diags_init(&own, a);
	r->t->diags = r->e->diags = &own;
	rc = decode_common(r, item, spec, ret);
	r->t->diags = r->e->diags = outer;
	diags_add(outer, &own, placed_title(a, item));
	return rc;
}

bool hcl_read_part(struct hcl_reader *r, const struct hcl_item *item, struct hcl_bound outer,
		   enum component_kind kind, struct hcl_part *ret)
{
	struct arena *a = r->t->arena;
	const struct registry *registry = r->t->args->registry;
	struct hcl_part p = { 0 };
	int rc = decode_placed(
		r, item, kind == COMPONENT_POSTPROCESSOR ? &hcl_post_part_spec : &hcl_part_spec,
		&p);

	p.type = arena_strndup(a, item->block.labels[0].text.p, item->block.labels[0].text.n);
	p.bound = hcl_bound_join(a, outer, item->bound);
	if (!r->t->listing && !exists(registry, kind, p.type)) {
		component_missing(registry, kind, p.type, item->block.labels[0].span, r->t->diags)
			->subject = placed_title(a, item);
		return false;
	}
	if (rc < 0)
		return false;
	*ret = p;
	return p.enabled != TRIBOOL_FALSE;
}

bool hcl_part_for(struct hcl_template *t, const struct hcl_build *b, const struct hcl_use *use,
		  const struct hcl_part *p, bool post, struct diags *d, struct hcl_part *ret)
{
	struct value_attr names[2];
	struct eval_scope scope = { .v = names, .n = ARRAY_LEN(names) }, bound;
	struct eval e = hcl_eval(t, NULL, t->arena, d);

	*ret = (struct hcl_part){ 0 };
	hcl_name_build(t->arena, b->name, use, p->span, names);
	scope.up = e.scope;
	e.scope = &scope;
	bound = hcl_bind(&e, hcl_bound_join(t->arena, use->each, p->bound));
	e.scope = &bound;
	if (hcl_common_decode(t, &e, p->body, post ? &hcl_post_part_spec : &hcl_part_spec, ret) < 0)
		return false;
	ret->type = p->type;
	ret->span = p->span;
	ret->body = p->body;
	ret->bound = p->bound;
	ret->group = p->group;
	return ret->enabled != TRIBOOL_FALSE;
}

static const struct hcl_block *find_group(struct hcl_reader *r, const struct hcl_label *label)
{
	struct hcl_template *t = r->t;
	const char **names = arena_new_array(t->arena, const char *, t->ngroups + 1), *near;
	struct diag *g;

	for (size_t i = 0; i < t->ngroups; i++) {
		struct str name = t->groups[i]->labels[0].text;

		if (str_eq(name, label->text))
			return t->groups[i];
		names[i] = arena_strndup(t->arena, name.p, name.n);
	}
	g = diag_error(t->diags, label->span, "There is no group of provisioners \"" STR_FMT "\"",
		       STR_ARG(label->text));
	near = str_nearest(arena_strndup(t->arena, label->text.p, label->text.n), names,
			   t->ngroups);
	if (near)
		diag_detail(t->diags, g, "Did you mean \"%s\"?", near);
	else
		diag_detail(
			t->diags, g,
			"A group is a block of its own beside the builds: provisioners \"" STR_FMT
			"\" { … }.",
			STR_ARG(label->text));
	return NULL;
}

static const char *const type_label[] = { "type", NULL };

/* provisioners "NAME" { only, except, enabled }: those of the group of that name stand here. */
void hcl_read_group(struct hcl_reader *r, const struct hcl_item *item)
{
	static const struct hcl_schema_block blocks[] = { { "provisioner", type_label } };
	static const struct hcl_schema schema = { .blocks = blocks, .nblocks = ARRAY_LEN(blocks) };
	struct hcl_part *place = arena_new_obj(r->t->arena, struct hcl_part);
	const struct hcl_block *group = find_group(r, &item->block.labels[0]);
	struct hcl_items items;
	struct hcl_part p;

	hcl_own(r->t, item->block.span, "provisioners");
	if (!group || decode_placed(r, item, &group_spec, place) < 0)
		return;
	(void)hcl_items(r->e, group->body, &schema, &items);
	for (size_t i = 0; i < items.nblocks && place->enabled != TRIBOOL_FALSE; i++) {
		if (!hcl_read_part(r, &items.blocks[i], r->build->bound, COMPONENT_PROVISIONER, &p))
			continue;
		p.group = place;
		HCL_PUSH(r->t->arena, r->build->provisioners, r->build->nprovisioners, p);
	}
}

static bool names_use(const struct strs *s, struct arena *a, const struct hcl_use *use)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->v[i], hcl_use_label(a, use)) ||
		    (use->key && streq(s->v[i], arena_printf(a, "%s.%s", use->type, use->name))))
			return true;
	return false;
}

bool hcl_part_skips(const struct hcl_part *p, struct arena *a, const struct hcl_use *use)
{
	if (p->group && hcl_part_skips(p->group, a, use))
		return true;
	return p->only.n ? !names_use(&p->only, a, use) : names_use(&p->except, a, use);
}
