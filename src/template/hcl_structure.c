/* The build blocks of an HCL2 template as they are written: sources looked up, dynamic blocks expanded, and what all
 * provisioners and post-processors have in common. Their own options are left for later: they depend on the source. */
#include "template/hcl_component.h"

#include "base/vec.h"

static const struct spec_row part_rows[] = {
	SPEC_STR(struct hcl_part, name, .doc = "A name for `inspect`."),
	SPEC_DURATION(struct hcl_part, pause_before_ns, .name = "pause_before", .doc = "Wait so long before it runs."),
	SPEC_DURATION(struct hcl_part, timeout_ns, .name = "timeout", .doc = "It fails if it takes longer than this."),
	SPEC_INT(struct hcl_part, max_retries, .doc = "Try so often again when it fails."),
	SPEC_BOOL(struct hcl_part, continue_on_error, .doc = "Go on with the build when it fails."),
	SPEC_STRS(struct hcl_part, only, .doc = "The sources it is for, as `type.name`."),
	SPEC_STRS(struct hcl_part, except, .doc = "The sources it is not for."),
	SPEC_VALUE(struct hcl_part, override, .doc = "Other options for some sources, by the source's name."),
};
const struct spec hcl_part_spec = SPEC("provisioner", struct hcl_part, part_rows);

static const struct spec_row post_part_rows[] = {
	SPEC_STR(struct hcl_part, name, .doc = "A name, for `-except` and the output."),
	SPEC_STRS(struct hcl_part, only, .doc = "The sources it is for, as `type.name`."),
	SPEC_STRS(struct hcl_part, except, .doc = "The sources it is not for."),
	SPEC_TRIBOOL(struct hcl_part, keep_input, .name = "keep_input_artifact",
		     .doc = "Whether the artifact it works on is kept."),
};
const struct spec hcl_post_part_spec = SPEC("post-processor", struct hcl_part, post_part_rows);

struct use_options {
	char *name;
};
static const struct spec_row use_rows[] = {
	SPEC_STR(struct use_options, name, .doc = "The name the source has in this build."),
};
const struct spec hcl_use_spec = SPEC("source", struct use_options, use_rows);

struct build_options {
	char *name, *description;
	struct value sources;
};
static const struct spec_row build_rows[] = {
	SPEC_STR(struct build_options, name, .doc = "The name that goes before those of its sources."),
	SPEC_STR(struct build_options, description, .doc = "What it makes, for `inspect`."),
	SPEC_VALUE(struct build_options, sources, .doc = "The sources to build from, as `source.type.name`."),
};
static const struct spec build_spec = SPEC("build", struct build_options, build_rows);

struct registry_options {
	char *bucket_name, *description;
	struct str_map labels, bucket_labels, build_labels;
	struct strs channels;
};
static const struct spec_row registry_rows[] = {
	SPEC_STR(struct registry_options, bucket_name, .doc = "Name of the bucket."),
	SPEC_STR(struct registry_options, description, .doc = "What is in it."),
	SPEC_MAP(struct registry_options, labels, .doc = "The old name of `bucket_labels`."),
	SPEC_MAP(struct registry_options, bucket_labels, .doc = "Labels of the bucket."),
	SPEC_MAP(struct registry_options, build_labels, .doc = "Labels of the builds."),
	SPEC_STRS(struct registry_options, channels, .doc = "Channels to assign."),
};
static const struct spec registry_spec = SPEC("hcp_packer_registry", struct registry_options, registry_rows);

/* One build block on its way. */
struct reader {
	struct hcl_template *t;
	struct eval *e;
	struct hcl_build *build;
	const char *place; /* of the build block, for messages */
};

static const char *label(struct arena *a, const struct hcl_block *b)
{
	return arena_strndup(a, b->labels[0].text.p, b->labels[0].text.n);
}

/* "source.type.name", "type.name": the two last that count. (Fact: the reference drops the first of three or more.) */
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
	return true;
}

static void unknown_source(struct reader *r, const struct hcl_use *use)
{
	struct hcl_template *t = r->t;
	const char *name = arena_printf(t->arena, "%s.%s", use->type, use->name), *near;
	const char **names = arena_new_array(t->arena, const char *, t->nsources + 1);
	struct diag *g = diag_error(t->diags, use->span, "there is no source \"%s\"", name);

	for (size_t i = 0; i < t->nsources; i++)
		names[i] = arena_printf(t->arena, "%s.%s", t->sources[i].type, t->sources[i].name);
	near = str_nearest(name, names, t->nsources);
	if (near)
		diag_detail(t->diags, g, "Did you mean \"%s\"? The build is at %s.", near, r->place);
	else
		diag_detail(t->diags, g, "The build at %s names it.", r->place);
}

/* Finds the source that ref names, into a use that has its place. false after a diagnostic. */
static bool find_source(struct reader *r, struct str ref, struct hcl_use *use)
{
	struct hcl_template *t = r->t;
	const struct registry *registry = t->args->registry;
	ptrdiff_t at;

	if (!split_reference(t->arena, ref, use)) {
		struct diag *g = diag_error(t->diags, use->span, "\"" STR_FMT "\" names no source", STR_ARG(ref));

		diag_detail(t->diags, g,
			    "A source is named by its two labels, as in \"source.null.web\" or \"null.web\". The build is at %s.",
			    r->place);
		return false;
	}
	use->shown = use->name;
	if (!registry_builder(registry, use->type)) {
		component_missing(registry, COMPONENT_BUILDER, use->type, use->span, t->diags);
		return false;
	}
	at = hcl_find(t, "source", arena_printf(t->arena, "%s.%s", use->type, use->name));
	if (at < 0) {
		unknown_source(r, use);
		return false;
	}
	use->source = &t->sources[at];
	return true;
}

static void add_use(struct reader *r, struct hcl_use use)
{
	HCL_PUSH(r->t->arena, r->build->uses, r->build->nuses, use);
}

static void read_sources(struct reader *r, struct value sources)
{
	AUTO(err) struct err err = ERR_INIT;
	struct diags *d = r->t->diags;

	if (sources.kind == VALUE_NULL)
		return;
	if (value_convert(r->t->arena, sources, &type_list_string, &sources, &err) < 0) {
		diag_error(d, sources.span, "\"sources\": %s", err.msg);
		return;
	}
	if (sources.kind == VALUE_UNKNOWN) {
		diag_error(d, sources.span, "\"sources\" must be known before data sources are asked");
		return;
	}
	for (size_t i = 0; i < sources.seq->n; i++) {
		struct value v = sources.seq->v[i];
		struct hcl_use use = { .span = v.span.src ? v.span : sources.span };

		if (v.kind != VALUE_STRING)
			diag_error(d, use.span, "\"sources\": element %zu is not known before data sources are asked", i);
		else if (find_source(r, v.string, &use))
			add_use(r, use);
	}
}

/* source "type.name" { name, and more options } */
static void read_use(struct reader *r, const struct hcl_item *item)
{
	struct hcl_use use = { .span = item->block.labels[0].span, .body = item->block.body, .bound = item->bound };
	struct use_options o = { 0 };

	if (!find_source(r, item->block.labels[0].text, &use) ||
	    hcl_common_decode(r->e, item->block.body, &hcl_use_spec, &o) < 0)
		return;
	if (o.name && *o.name)
		use.shown = o.name;
	add_use(r, use);
}

static bool check_filter(struct reader *r, const struct hcl_part *p)
{
	struct diags *d = r->t->diags;
	const struct strs *names = p->only.n ? &p->only : &p->except;

	if (p->only.n && p->except.n) {
		diag_error(d, p->span, "give \"only\" or \"except\", not both");
		return false;
	}
	for (size_t i = 0; i < names->n; i++) {
		struct hcl_use use = { 0 };
		bool found = split_reference(r->t->arena, str_from(names->v[i]), &use) &&
			     hcl_find(r->t, "source", names->v[i]) >= 0;

		for (size_t k = 0; k < r->build->nuses && !found; k++)
			found = use.type && streq(use.type, r->build->uses[k].type) &&
				streq(use.name, r->build->uses[k].shown);
		if (!found)
			diag_warning(d, p->span, "\"%s\" in \"%s\" is no source of this template", names->v[i],
				     p->only.n ? "only" : "except");
	}
	return true;
}

static bool check_override(struct reader *r, const struct hcl_part *p)
{
	struct value v = p->override;

	if (v.kind == VALUE_NULL || v.kind == VALUE_UNKNOWN)
		return true;
	if (!value_is_attrs(v)) {
		diag_error(r->t->diags, v.span, "\"override\" takes an object, not %s", value_kind_phrase(v));
		return false;
	}
	for (size_t i = 0; i < v.attrs->n; i++)
		if (!value_is_attrs(v.attrs->v[i].value)) {
			diag_error(r->t->diags, v.attrs->v[i].value.span,
				   "\"override\": what stands for \"" STR_FMT "\" is an object of options, not %s",
				   STR_ARG(v.attrs->v[i].key), value_kind_phrase(v.attrs->v[i].value));
			return false;
		}
	return true;
}

/* A provisioner or post-processor; false after a diagnostic. */
static bool read_part(struct reader *r, const struct hcl_item *item, struct hcl_bound outer, enum component_kind kind,
		      struct hcl_part *ret)
{
	struct arena *a = r->t->arena;
	const struct registry *registry = r->t->args->registry;
	struct eval_scope scope = hcl_bind(r->e, item->bound);
	const struct eval_scope *around = r->e->scope;
	bool post = kind == COMPONENT_POSTPROCESSOR;
	struct hcl_part p = { 0 };
	int rc;

	r->e->scope = &scope;
	rc = hcl_common_decode(r->e, item->block.body, post ? &hcl_post_part_spec : &hcl_part_spec, &p);
	r->e->scope = around;
	p.type = label(a, &item->block);
	p.span = item->block.span;
	p.type_span = item->block.labels[0].span;
	p.body = item->block.body;
	p.bound = hcl_bound_join(a, outer, item->bound);
	if (!(post ? (const void *)registry_postprocessor(registry, p.type)
		   : (const void *)registry_provisioner(registry, p.type))) {
		component_missing(registry, kind, p.type, p.type_span, r->t->diags);
		return false;
	}
	if (rc < 0 || !check_filter(r, &p) || !check_override(r, &p))
		return false;
	*ret = p;
	return true;
}

static void read_provisioner(struct reader *r, const struct hcl_item *item)
{
	struct hcl_part p;

	if (read_part(r, item, r->build->bound, COMPONENT_PROVISIONER, &p))
		HCL_PUSH(r->t->arena, r->build->provisioners, r->build->nprovisioners, p);
}

static void read_cleanup(struct reader *r, const struct hcl_item *item)
{
	struct hcl_part *p = arena_new_obj(r->t->arena, struct hcl_part);

	if (r->build->cleanup)
		diag_error(r->t->diags, item->block.span, "a build has only one error-cleanup-provisioner");
	else if (read_part(r, item, r->build->bound, COMPONENT_PROVISIONER, p))
		r->build->cleanup = p;
}

static void add_chain(struct reader *r, const struct hcl_item *items, size_t n, struct hcl_bound outer)
{
	struct hcl_chain chain = { .v = arena_new_array(r->t->arena, struct hcl_part, n + 1) };

	for (size_t i = 0; i < n; i++)
		if (read_part(r, &items[i], outer, COMPONENT_POSTPROCESSOR, &chain.v[chain.n]))
			chain.n++;
	HCL_PUSH(r->t->arena, r->build->chains, r->build->nchains, chain);
}

static void read_postprocessor(struct reader *r, const struct hcl_item *item)
{
	add_chain(r, item, 1, r->build->bound);
}

static const char *const type_label[] = { "type", NULL };

/* post-processors { post-processor "…" {} … }: one after the other on the same artifact */
static void read_postprocessors(struct reader *r, const struct hcl_item *item)
{
	static const struct hcl_schema_block blocks[] = { { "post-processor", type_label } };
	static const struct hcl_schema schema = { .blocks = blocks, .nblocks = ARRAY_LEN(blocks) };
	const struct eval_scope *around = r->e->scope;
	struct eval_scope scope = hcl_bind(r->e, item->bound);
	struct hcl_items items;

	r->e->scope = &scope;
	(void)hcl_items(r->e, item->block.body, &schema, &items);
	add_chain(r, items.blocks, items.nblocks, hcl_bound_join(r->t->arena, r->build->bound, item->bound));
	r->e->scope = around;
}

static bool is_bucket_name(const char *s)
{
	enum { SHORTEST = 3, LONGEST = 36 };
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!(s[i] == '-' || (s[i] >= '0' && s[i] <= '9') || ((s[i] | 32) >= 'a' && (s[i] | 32) <= 'z')))
			return false;
	return n >= SHORTEST && n <= LONGEST;
}

void hcl_check_registry(struct hcl_template *t, const struct hcl_block *block)
{
	enum { DESCRIPTION_MAX = 255 };
	struct eval e = hcl_eval(t, NULL, t->arena, t->diags);
	struct registry_options o = { 0 };
	struct diag *g;

	if (hcl_common_decode(&e, block->body, &registry_spec, &o) < 0)
		return;
	if (o.bucket_name && *o.bucket_name && !is_bucket_name(o.bucket_name))
		diag_error(t->diags, block->span,
			   "the bucket_name \"%s\" of hcp_packer_registry is not 3 to 36 letters, digits and dashes",
			   o.bucket_name);
	else if (o.description && strlen(o.description) > DESCRIPTION_MAX)
		diag_error(t->diags, block->span, "the description of hcp_packer_registry is longer than %d bytes",
			   (int)DESCRIPTION_MAX);
	else if (o.labels.n && o.bucket_labels.n)
		diag_error(t->diags, block->span,
			   "\"labels\" of hcp_packer_registry is the old name of \"bucket_labels\": give the new one alone");
	else {
		g = diag_warning(t->diags, block->span, "ingot publishes nothing to HCP Packer");
		diag_detail(t->diags, g, "The block \"hcp_packer_registry\" is checked and has no effect.");
	}
}

static void read_registry(struct reader *r, const struct hcl_item *item)
{
	hcl_check_registry(r->t, &item->block);
}

static const char *const reference_label[] = { "reference", NULL };

/* What may stand in a build block. Sources are read first: only and except of the others name them. */
static const struct {
	struct hcl_schema_block form;
	void (*read)(struct reader *r, const struct hcl_item *item);
} kinds[] = {
	{ { "source", reference_label }, read_use },
	{ { "provisioner", type_label }, read_provisioner },
	{ { "error-cleanup-provisioner", type_label }, read_cleanup },
	{ { "post-processor", type_label }, read_postprocessor },
	{ { "post-processors", NULL }, read_postprocessors },
	{ { "hcp_packer_registry", NULL }, read_registry },
};

static void read_items(struct reader *r, const struct hcl_items *items, bool sources)
{
	for (size_t i = 0; i < items->nblocks; i++)
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
			if (str_eqs(items->blocks[i].block.type, kinds[k].form.type) && (kinds[k].read == read_use) == sources)
				kinds[k].read(r, &items->blocks[i]);
}

/* The names that the head and the common options of a build see: nothing of a running build but its name. */
static void name_build(struct reader *r, const char *name, struct value_attr v[2])
{
	struct arena *a = r->t->arena;
	struct value_attr source[] = {
		{ .key = STR("name"), .value = value_unknown_of(&type_string, r->build->span) },
		{ .key = STR("type"), .value = value_unknown_of(&type_string, r->build->span) },
	};
	struct value_attr build[] = { { .key = STR("name"), .value = value_cstring(a, name, r->build->span) } };

	v[0] = (struct value_attr){ .key = STR("source"),
				    .value = value_object(a, source, ARRAY_LEN(source), r->build->span) };
	v[1] = (struct value_attr){ .key = STR("build"), .value = value_object(a, build, 1, r->build->span) };
}

static void read_build(struct hcl_template *t, const struct hcl_block *block, struct hcl_build *ret)
{
	struct hcl_schema_block forms[ARRAY_LEN(kinds)];
	struct hcl_schema_attr attrs[ARRAY_LEN(build_rows)];
	struct hcl_schema schema = {
		.attrs = attrs, .nattrs = ARRAY_LEN(attrs), .blocks = forms, .nblocks = ARRAY_LEN(forms)
	};
	struct value_attr *names = arena_new_array(t->arena, struct value_attr, 2);
	struct eval e = hcl_eval(t, NULL, t->arena, t->diags);
	struct reader r = { .t = t, .e = &e, .build = ret, .place = hcl_place(t->arena, block->span) };
	struct eval_scope scope = { .up = e.scope, .v = names, .n = 2 };
	struct build_options o = { 0 };
	size_t errors = t->diags->errors;
	struct hcl_items items;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		forms[i] = kinds[i].form;
	for (size_t i = 0; i < ARRAY_LEN(build_rows); i++)
		attrs[i] = (struct hcl_schema_attr){ build_rows[i].name, false };
	*ret = (struct hcl_build){ .span = block->span };
	name_build(&r, "", names);
	e.scope = &scope;
	(void)hcl_common_decode(&e, block->body, &build_spec, &o);
	ret->name = o.name ? o.name : "";
	ret->description = o.description ? o.description : "";
	name_build(&r, ret->name, names);
	(void)hcl_items(&e, block->body, &schema, &items);
	read_sources(&r, o.sources);
	read_items(&r, &items, true);
	if (!ret->nuses && t->diags->errors == errors) {
		struct diag *g = diag_error(t->diags, block->span, "the build has no source");

		diag_detail(t->diags, g, "Name at least one: sources = [\"source.TYPE.NAME\"].");
	}
	read_items(&r, &items, false);
}

int hcl_read_builds(struct hcl_template *t, struct hcl_build **ret, size_t *ret_n)
{
	size_t errors = t->diags->errors;

	*ret = arena_new_array(t->arena, struct hcl_build, t->nbuilds + 1);
	*ret_n = t->nbuilds;
	for (size_t i = 0; i < t->nbuilds; i++)
		read_build(t, t->builds[i], &(*ret)[i]);
	return t->diags->errors > errors ? -1 : 0;
}

static bool names_source(const struct strs *s, const char *source)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->v[i], source))
			return true;
	return false;
}

bool hcl_part_skips(const struct hcl_part *p, const char *source)
{
	return p->only.n ? !names_source(&p->only, source) : names_source(&p->except, source);
}
