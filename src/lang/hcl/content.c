/* What a schema finds in a body, native or JSON. */
#include "base/map.h"
#include "base/vec.h"
#include "lang/hcl/json.h"

#define NAMES_SHOWN 12

struct sorting {
	struct arena *arena;
	const struct hcl_body *body;
	const struct hcl_schema *schema;
	struct diags *diags;
	VEC(struct hcl_attr) attrs;
	VEC(struct hcl_block) blocks;
	struct map seen; /* properties that are arguments, by name */
};

static const struct hcl_schema_attr *schema_attr(const struct hcl_schema *schema, struct str name)
{
	for (size_t i = 0; i < schema->nattrs; i++)
		if (str_eqs(name, schema->attrs[i].name))
			return &schema->attrs[i];
	return NULL;
}

static const struct hcl_schema_block *schema_block(const struct hcl_schema *schema, struct str type)
{
	for (size_t i = 0; i < schema->nblocks; i++)
		if (str_eqs(type, schema->blocks[i].type))
			return &schema->blocks[i];
	return NULL;
}

static const struct hcl_attr *find(const struct sorting *s, const char *name)
{
	for (size_t i = 0; i < s->attrs.n; i++)
		if (str_eqs(s->attrs.v[i].name, name))
			return &s->attrs.v[i];
	return NULL;
}

/* The name of the schema nearest to `name`; arguments that are set already are not offered. */
static const char *nearest(const struct sorting *s, struct str name, bool attrs, bool blocks)
{
	VEC(const char *) names = VEC_INIT;
	const char *near;

	for (size_t i = 0; attrs && i < s->schema->nattrs; i++)
		if (!find(s, s->schema->attrs[i].name))
			vec_push(&names, s->schema->attrs[i].name);
	for (size_t i = 0; blocks && i < s->schema->nblocks; i++)
		vec_push(&names, s->schema->blocks[i].type);
	near = str_nearest(arena_str(s->arena, name).p, names.v, names.n);
	vec_release(&names);
	return near;
}

static size_t nlabels(const struct hcl_schema_block *schema)
{
	size_t n = 0;

	while (schema->labels && schema->labels[n])
		n++;
	return n;
}

static const char *label_list(struct sorting *s, const struct hcl_schema_block *schema)
{
	const char *text = "";

	for (size_t i = 0; i < nlabels(schema); i++)
		text = arena_printf(s->arena, "%s \"%s\"", text, schema->labels[i]);
	return text;
}

/* The detail of a name that is like no other: a short list of what there is. */
static void tell_names(struct sorting *s, struct diag *g, bool attrs)
{
	size_t n = attrs ? s->schema->nattrs : s->schema->nblocks;
	AUTO(buf) struct buf b = BUF_INIT;

	if (n > NAMES_SHOWN)
		return;
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? ", " : "",
			   attrs ? s->schema->attrs[i].name : s->schema->blocks[i].type);
	if (n)
		diag_detail(s->diags, g, "%s that can stand here: %s.",
			    attrs ? "Arguments" : "Blocks", buf_cstr(&b));
	else
		diag_detail(s->diags, g, "No %s can stand here.", attrs ? "arguments" : "blocks");
}

static void unknown_attr(struct sorting *s, const struct hcl_attr *attr)
{
	const struct hcl_schema_block *block = schema_block(s->schema, attr->name);
	const char *near = nearest(s, attr->name, true, s->body->is_json);
	struct diag *g =
	    diag_error(s->diags, attr->name_span, "There is no argument \"" STR_FMT "\" here",
		       STR_ARG(attr->name));

	if (!s->body->is_json && block)
		diag_detail(s->diags, g, "It is a block, written without '=': %s%s { … }.",
			    block->type, label_list(s, block));
	else if (near)
		diag_detail(s->diags, g, "Did you mean \"%s\"?", near);
	else
		tell_names(s, g, true);
}

static void unknown_block(struct sorting *s, const struct hcl_block *b)
{
	const char *near = nearest(s, b->type, false, true);
	struct diag *g = diag_error(s->diags, b->type_span,
				    "There is no block \"" STR_FMT "\" here", STR_ARG(b->type));

	if (schema_attr(s->schema, b->type))
		diag_detail(s->diags, g,
			    "It is an argument, written with '=': " STR_FMT " = VALUE.",
			    STR_ARG(b->type));
	else if (near)
		diag_detail(s->diags, g, "Did you mean \"%s\"?", near);
	else
		tell_names(s, g, false);
}

static bool labels_fit(struct sorting *s, const struct hcl_schema_block *schema,
		       const struct hcl_block *b)
{
	size_t want = nlabels(schema);
	struct diag *g;

	if (b->nlabels == want)
		return true;
	if (b->nlabels < want)
		g = diag_error(s->diags, b->span, "This %s block lacks its %s", schema->type,
			       schema->labels[b->nlabels]);
	else
		g = diag_error(s->diags, b->labels[want].span,
			       "This label is one too many for a %s block", schema->type);
	diag_detail(s->diags, g, "It is written: %s%s { … }.", schema->type, label_list(s, schema));
	return false;
}

static void sort_native(struct sorting *s)
{
	const struct hcl_body *body = s->body;

	for (size_t i = 0; i < body->nattrs; i++)
		if (schema_attr(s->schema, body->attrs[i].name))
			vec_push(&s->attrs, body->attrs[i]);
	for (size_t i = 0; i < body->nattrs && !s->schema->open; i++)
		if (!schema_attr(s->schema, body->attrs[i].name))
			unknown_attr(s, &body->attrs[i]);
	for (size_t i = 0; i < body->nblocks; i++) {
		const struct hcl_schema_block *schema =
		    schema_block(s->schema, body->blocks[i].type);

		if (schema && labels_fit(s, schema, &body->blocks[i]))
			vec_push(&s->blocks, body->blocks[i]);
		else if (!schema && !s->schema->open)
			unknown_block(s, &body->blocks[i]);
	}
}

static struct hcl_attr property(struct sorting *s, const struct value_attr *v)
{
	return (struct hcl_attr){ .name = v->key,
				  .name_span = v->key_span,
				  .expr = json_expr(s->arena, v->value, s->diags),
				  .span = { v->key_span.src, v->key_span.from, v->value.span.to } };
}

static bool set_twice(struct sorting *s, const struct value_attr *v)
{
	const struct value_attr *first = map_get(&s->seen, v->key);

	if (!first) {
		map_set(&s->seen, v->key, (void *)v);
		return false;
	}
	diag_detail(s->diags,
		    diag_error(s->diags, v->key_span, "The argument \"" STR_FMT "\" is set twice",
			       STR_ARG(v->key)),
		    "It was set before on line %u. Remove one of the two.",
		    source_position(first->key_span.src, first->key_span.from).line);
	return true;
}

struct unpacking {
	const struct hcl_schema_block *schema;
	const struct value_attr *type;
	struct hcl_label *labels;
	size_t want;
};

static void add_json_block(struct sorting *s, const struct unpacking *u, struct value v)
{
	struct hcl_block b = { .type = u->type->key,
			       .type_span = u->type->key_span,
			       .span = u->type->key_span,
			       .labels = arena_copy_array(s->arena, u->labels, u->want),
			       .nlabels = u->want,
			       .body = json_body(s->arena, v) };

	if (u->want)
		b.span = b.labels[u->want - 1].span;
	vec_push(&s->blocks, b);
}

/* Each label is one level of objects, then come one object or an array of them. */
static void unpack(struct sorting *s, struct unpacking *u, size_t level, struct value v)
{
	const struct value_attr **props;
	size_t n;

	if (level < u->want) {
		const char *what = arena_printf(s->arena, "the %s of %s blocks as its keys",
						u->schema->labels[level], u->schema->type);
		size_t before = s->diags->errors;

		n = json_properties(s->arena, v, true, what, s->diags, &props);
		if (!n && s->diags->errors == before)
			diag_error(s->diags, v.span,
				   "These %s blocks lack their %s: no key is here", u->schema->type,
				   u->schema->labels[level]);
		for (size_t i = 0; i < n; i++) {
			u->labels[level] = (struct hcl_label){ props[i]->key, props[i]->key_span };
			unpack(s, u, level + 1, props[i]->value);
		}
		return;
	}
	if (v.kind == VALUE_TUPLE)
		for (size_t i = 0; i < v.seq->n; i++)
			add_json_block(s, u, v.seq->v[i]);
	else if (v.kind == VALUE_OBJECT)
		add_json_block(s, u, v);
	else if (v.kind != VALUE_NULL)
		diag_error(s->diags, v.span,
			   "Expected an object with the arguments of a %s block, or an array of "
			   "them, found %s",
			   u->schema->type, value_kind_phrase(v));
}

static void sort_json(struct sorting *s)
{
	const struct value_attr **props;
	size_t n = json_properties(s->arena, s->body->json, false, "arguments and blocks", s->diags,
				   &props);

	for (size_t i = 0; i < n; i++) {
		const struct hcl_schema_block *block = schema_block(s->schema, props[i]->key);

		if (schema_attr(s->schema, props[i]->key)) {
			if (!set_twice(s, props[i]))
				vec_push(&s->attrs, property(s, props[i]));
		} else if (block) {
			struct unpacking u = { .schema = block,
					       .type = props[i],
					       .want = nlabels(block) };

			u.labels = arena_new_array(s->arena, struct hcl_label, u.want);
			unpack(s, &u, 0, props[i]->value);
		} else if (!s->schema->open) {
			struct hcl_attr attr = { .name = props[i]->key,
						 .name_span = props[i]->key_span };

			unknown_attr(s, &attr);
		}
	}
}

/* Moves what was found to the arena. */
static void finish(struct sorting *s, struct hcl_content *ret)
{
	ret->nattrs = s->attrs.n;
	ret->attrs = arena_copy_array(s->arena, s->attrs.v, ret->nattrs);
	ret->nblocks = s->blocks.n;
	ret->blocks = arena_copy_array(s->arena, s->blocks.v, ret->nblocks);
	vec_release(&s->attrs);
	vec_release(&s->blocks);
	map_release(&s->seen);
}

int hcl_content(struct arena *a, const struct hcl_body *body, const struct hcl_schema *schema,
		struct diags *d, struct hcl_content *ret)
{
	struct sorting s = { .arena = a, .body = body, .schema = schema, .diags = d };
	size_t before = d->errors;
	/* Something missing is missing where the body begins; the JSON form says so at its end. */
	struct span where = { body->span.src, body->span.from,
			      MIN(body->span.from + 1, body->span.to) };

	if (body->is_json)
		sort_json(&s);
	else
		sort_native(&s);
	for (size_t i = 0; i < schema->nattrs; i++)
		if (schema->attrs[i].required && !find(&s, schema->attrs[i].name))
			diag_error(d, body->is_json ? body->end : where,
				   "The argument \"%s\" is missing here", schema->attrs[i].name);
	finish(&s, ret);
	return d->errors > before ? -1 : 0;
}

int hcl_attributes(struct arena *a, const struct hcl_body *body, struct diags *d,
		   struct hcl_content *ret)
{
	struct sorting s = { .arena = a, .body = body, .diags = d };
	size_t before = d->errors;

	if (!body->is_json) {
		if (body->nblocks)
			diag_detail(d,
				    diag_error(d, body->blocks[0].type_span,
					       "No blocks can stand here, only arguments"),
				    "An argument is written with '=': " STR_FMT " = VALUE.",
				    STR_ARG(body->blocks[0].type));
		*ret = (struct hcl_content){ .attrs = body->attrs, .nattrs = body->nattrs };
		return d->errors > before ? -1 : 0;
	}
	if (body->json.kind != VALUE_OBJECT) {
		diag_error(d, body->json.span, "Expected an object with arguments, found %s",
			   value_kind_phrase(body->json));
	} else {
		const struct value_attr **props;
		size_t n = json_properties(a, body->json, false, "arguments", d, &props);

		for (size_t i = 0; i < n; i++)
			if (!set_twice(&s, props[i]))
				vec_push(&s.attrs, property(&s, props[i]));
	}
	finish(&s, ret);
	return d->errors > before ? -1 : 0;
}

const struct hcl_attr *hcl_content_attr(const struct hcl_content *c, const char *name)
{
	for (size_t i = 0; i < c->nattrs; i++)
		if (str_eqs(c->attrs[i].name, name))
			return &c->attrs[i];
	return NULL;
}
