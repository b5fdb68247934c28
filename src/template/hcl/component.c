/* One component of an HCL2 template: its body by its option rows as an object, converted to the
 * types HCL has for them, with the build's values where the moment has some; then decoded as in the
 * other language. */
#include "template/hcl/component.h"

#include "base/vec.h"

static const struct type no_attributes = { .kind = TYPE_OBJECT };

enum { NAMES = 2 }; /* source and build */

/* key and value (or name and value) of a SPEC_KEY_VALUE block. */
struct key_value {
	char *key, *name, *value;
};
static const struct spec_row key_value_rows[] = {
	SPEC_STR(struct key_value, key, .doc = "The key."),
	SPEC_STR(struct key_value, name, .doc = "Another word for `key`."),
	SPEC_STR(struct key_value, value, .doc = "The value."),
};
static const struct spec key_value_spec = SPEC("key and value", struct key_value, key_value_rows);

/* Rows of a spec, embedded ones flattened, as a schema. */
struct rows {
	struct hcl_schema_attr *attrs;
	struct hcl_schema_block *blocks;
	const struct spec_row **block_rows;
	size_t nattrs, nblocks;
};

static const struct spec *block_spec(const struct spec_row *row)
{
	return row->flags & SPEC_KEY_VALUE ? &key_value_spec : row->sub;
}

static bool is_block(const struct spec_row *row)
{
	return row->type == SPEC_T_BLOCK || row->type == SPEC_T_BLOCKS ||
	       row->flags & SPEC_KEY_VALUE;
}

static void count_row(void *data, const struct spec_row *row UNUSED)
{
	++*(size_t *)data;
}

static void add_row(void *data, const struct spec_row *row)
{
	struct rows *r = data;

	/* What is not there yet may be a block as well as a value. */
	if (!is_block(row))
		r->attrs[r->nattrs++] = (struct hcl_schema_attr){ row->name, false };
	if (is_block(row) || (row->type == SPEC_T_VALUE && row->flags & SPEC_NOT_YET)) {
		r->blocks[r->nblocks] = (struct hcl_schema_block){ row->name, NULL };
		r->block_rows[r->nblocks++] = row;
	}
}

static void collect_rows(struct arena *a, const struct spec *spec, struct rows *ret)
{
	size_t n = 0;

	spec_each(spec, count_row, &n);
	*ret = (struct rows){ .attrs = arena_new_array(a, struct hcl_schema_attr, n + 1),
			      .blocks = arena_new_array(a, struct hcl_schema_block, n + 1),
			      .block_rows = arena_new_array(a, const struct spec_row *, n + 1) };
	spec_each(spec, add_row, ret);
}

/* What HCL has for the row: values are converted to that, and no further. (Fact: the SDK's
 * mapstructure-to-hcl2.) */
static const struct type *row_type(const struct spec_row *row)
{
	switch (row->type) {
	case SPEC_T_STR:
	case SPEC_T_DURATION:
		return &type_string;
	case SPEC_T_BOOL:
	case SPEC_T_TRIBOOL:
		return &type_bool;
	case SPEC_T_INT:
		return &type_number;
	case SPEC_T_STRS:
		return &type_list_string;
	case SPEC_T_INTS:
		return &type_list_number;
	case SPEC_T_MAP:
		return &type_map_string;
	case SPEC_T_BLOCK:
	case SPEC_T_BLOCKS:
	case SPEC_T_VALUE:
	case SPEC_T_EMBED:
		break;
	}
	return &type_any;
}

/* An object being made of one body, or of several that are one. */
struct object {
	struct eval *e;
	const struct spec *spec;
	const char *const *common; /* of the piece at hand */
	struct hcl_template *t;	   /* told of what is ingot's own; NULL: nobody */
	bool open;		   /* items that are no rows are somebody else's */
	struct rows rows;
	VEC(struct value_attr) attrs;
	VEC(struct value) *blocks; /* for each of rows.blocks */
};

static bool is_common(const struct object *o, struct str name)
{
	for (size_t i = 0; o->common && o->common[i]; i++)
		if (str_eqs(name, o->common[i]))
			return true;
	return false;
}

/* What all parts have in common is stricter than components' options, but that an empty duration is
 * none. false: nothing is to be set. */
static bool check_common(struct object *o, const struct hcl_attr *at, const struct spec_row *row,
			 struct value v)
{
	bool plain = row->type == SPEC_T_STR || row->type == SPEC_T_INT ||
		     row->type == SPEC_T_BOOL || row->type == SPEC_T_DURATION;

	if (v.kind == VALUE_NULL && plain)
		diag_error(o->e->diags, at->expr->span, "\"%s\" cannot be null", row->name);
	else
		return row->type != SPEC_T_DURATION || v.kind != VALUE_STRING || v.string.n;
	return false;
}

/* Whether HCL has what a row holds: whole numbers for integers, no null among elements. */
static bool check_value(struct object *o, const struct hcl_attr *at, const struct spec_row *row,
			struct value v)
{
	bool listed = row_type(row)->kind != TYPE_ANY && (value_is_seq(v) || value_is_attrs(v));
	struct diag *g = NULL;
	int64_t whole;

	if (v.kind == VALUE_NUMBER && !value_as_i64(v, &whole) &&
	    (row->type == SPEC_T_INT || row->type == SPEC_T_INTS))
		g = diag_error(o->e->diags, at->expr->span, "\"%s\" takes whole numbers",
			       row->name);
	for (size_t i = 0; !g && listed && i < value_len(v); i++) {
		struct value one = value_is_seq(v) ? v.seq->v[i] : v.attrs->v[i].value;

		if (one.kind == VALUE_NULL)
			g = diag_error(o->e->diags, at->expr->span,
				       "\"%s\" cannot have null in it", row->name);
		else if (!check_value(o, at, row, one))
			return false;
	}
	if (g)
		eval_tell_values(o->e, g, at->expr);
	return !g;
}

static void add_attr(struct object *o, const struct hcl_attr *at)
{
	struct arena *a = o->e->arena;
	AUTO(err) struct err err = ERR_INIT;
	const struct spec_row *row;
	struct value v;
	struct diag *g;

	if (is_common(o, at->name))
		return;
	row = spec_find(o->spec, at->name, NULL);
	if (o->t && row->flags & SPEC_OWN)
		hcl_own(o->t, at->name_span, row->name);
	for (size_t i = 0; i < o->attrs.n; i++)
		if (str_eq(o->attrs.v[i].key, at->name)) {
			g = diag_error(o->e->diags, at->name_span, "\"" STR_FMT "\" is set twice",
				       STR_ARG(at->name));
			diag_detail(o->e->diags, g, "It has a value already, at %s.",
				    hcl_place(a, o->attrs.v[i].key_span));
			return;
		}
	if (eval_expr(o->e, at->expr, &v) < 0)
		v = value_unknown(at->expr->span);
	else if (value_convert(a, v, row_type(row), &v, &err) < 0) {
		g = diag_error(o->e->diags, at->expr->span, "\"%s\": %s", row->name, err.msg);
		eval_tell_values(o->e, g, at->expr);
		if (v.kind == VALUE_STRING && row_type(row)->kind == TYPE_LIST)
			diag_detail(o->e->diags, g, "Write it in brackets: %s = [\"…\"].",
				    row->name);
	}
	else if (!check_value(o, at, row, v))
		return;
	if (o->open && !check_common(o, at, row, v))
		return;
	if (!v.span.src)
		v.span = at->expr->span;
	vec_push(&o->attrs, (struct value_attr){ at->name, at->name_span, v });
}

static int body_value(struct eval *e, const struct hcl_piece *pieces, size_t n,
		      const struct spec *spec, struct span span, struct value *ret);

static void add_block(struct object *o, const struct hcl_item *item)
{
	const struct eval_scope *outer = o->e->scope;
	struct eval_scope scope = hcl_bind(o->e, item->bound);
	struct value v = value_unknown(item->block.span);
	struct hcl_piece piece = { .body = item->block.body };
	size_t i = 0;

	while (!str_eqs(item->block.type, o->rows.blocks[i].type))
		i++;
	o->e->scope = &scope;
	if (o->rows.block_rows[i]->type != SPEC_T_VALUE)
		(void)body_value(o->e, &piece, 1, block_spec(o->rows.block_rows[i]),
				 item->block.span, &v);
	o->e->scope = outer;
	vec_push(&o->blocks[i], v);
}

static void add_piece(struct object *o, const struct hcl_piece *piece)
{
	const struct eval_scope *outer = o->e->scope;
	struct eval_scope scope = hcl_bind(o->e, piece->bound);
	size_t ncommon = 0;
	struct hcl_schema_attr *attrs;
	struct hcl_schema schema = { .nattrs = o->rows.nattrs,
				     .blocks = o->rows.blocks,
				     .nblocks = o->rows.nblocks,
				     .open = o->open };
	struct hcl_items items;

	while (piece->common && piece->common[ncommon])
		ncommon++;
	attrs = arena_new_array(o->e->arena, struct hcl_schema_attr, schema.nattrs + ncommon + 1);
	memcpy(attrs, o->rows.attrs, schema.nattrs * sizeof(*attrs));
	for (size_t i = 0; i < ncommon; i++)
		attrs[schema.nattrs++] = (struct hcl_schema_attr){ piece->common[i], false };
	schema.attrs = attrs;
	o->common = piece->common;
	o->e->scope = &scope;
	(void)hcl_items(o->e, piece->body, &schema, &items);
	for (size_t i = 0; i < items.nattrs; i++)
		add_attr(o, &items.attrs[i]);
	for (size_t i = 0; i < items.nblocks; i++)
		add_block(o, &items.blocks[i]);
	o->e->scope = outer;
}

/* The blocks of one type as the option's value. */
static void add_blocks(struct object *o, size_t i)
{
	const struct spec_row *row = o->rows.block_rows[i];
	const struct value *v = o->blocks[i].v;
	size_t n = o->blocks[i].n;
	struct value all;

	if (!n)
		return;
	if (row->type == SPEC_T_BLOCK && n > 1) {
		diag_error(o->e->diags, v[1].span, "Only one block \"%s\" can stand here",
			   row->name);
		n = 1;
	}
	all = row->type == SPEC_T_BLOCK ? v[0]
					: value_seq_make(o->e->arena, VALUE_TUPLE, v, n, v[0].span);
	vec_push(&o->attrs, (struct value_attr){ str_from(row->name), v[0].span, all });
}

static int make_object(struct object *o, const struct hcl_piece *pieces, size_t n, struct span span,
		       struct value *ret)
{
	struct arena *a = o->e->arena;
	size_t errors = o->e->diags->errors;

	collect_rows(a, o->spec, &o->rows);
	o->blocks = xcalloc(o->rows.nblocks + 1, sizeof(*o->blocks));
	for (size_t i = 0; i < n; i++)
		if (pieces[i].body)
			add_piece(o, &pieces[i]);
	for (size_t i = 0; i < o->rows.nblocks; i++) {
		add_blocks(o, i);
		vec_release(&o->blocks[i]);
	}
	free(o->blocks);
	*ret = value_attrs_make(a, VALUE_OBJECT, o->attrs.v, o->attrs.n, span);
	vec_release(&o->attrs);
	return o->e->diags->errors > errors ? -1 : 0;
}

static int body_value(struct eval *e, const struct hcl_piece *pieces, size_t n,
		      const struct spec *spec, struct span span, struct value *ret)
{
	struct object o = { .e = e, .spec = spec };

	return make_object(&o, pieces, n, span, ret);
}

int hcl_common_decode(struct hcl_template *t, struct eval *e, const struct hcl_body *body,
		      const struct spec *spec, void *ret)
{
	struct object o = { .e = e, .spec = spec, .t = t, .open = true };
	struct hcl_piece piece = { .body = body };
	struct spec_input in = { .arena = e->arena, .diags = e->diags, .weak = true };
	struct value v;

	if (make_object(&o, &piece, 1, body->span, &v) < 0)
		return -1;
	return spec_decode(spec, v, &in, ret);
}

struct name_list {
	const char **v;
	size_t n;
};

static void add_name(void *data, const struct spec_row *row)
{
	struct name_list *l = data;

	l->v[l->n++] = row->name;
}

const char *const *hcl_common_names(struct arena *a, const struct spec *spec)
{
	struct name_list l = { .v = arena_new_array(a, const char *, spec->nrows + 1) };

	spec_each(spec, add_name, &l);
	return l.v;
}

int hcl_component_body(struct eval *e, const struct hcl_body *body, const struct spec *spec,
		       const char *const *common, struct value *ret)
{
	struct hcl_piece piece = { .body = body, .common = common };

	return body_value(e, &piece, 1, spec, body->span, ret);
}

/* A value of the build: known once it runs, where its builder has such a one. */
static struct value build_value(struct arena *a, const struct plan_data *data, struct str key,
				struct span span)
{
	const char *text;

	if (!data)
		return value_unknown_of(&type_string, span);
	text = map_get(data->values, key);
	/* The reference leaves its stand-in in texts that name what the builder does not have. */
	return value_cstring(a, text ? text : "<unknown>", span);
}

/* The object `build`. A builder's own options come before there is anything of the build to be
 * told. */
static struct value build_object(struct arena *a, const struct hcl_component *h,
				 const struct plan_data *data)
{
	const struct map *known = h->place.known;
	size_t given = data ? map_len(data->values) : 0, n = 0;
	struct value_attr *v;

	if (!known)
		return value_unknown_of(&no_attributes, h->span);
	v = arena_new_array(a, struct value_attr, map_len(known) + given + 1);
	v[n++] = (struct value_attr){ .key = STR("name"),
				      .value = value_cstring(a, h->build_label, h->span) };
	for (size_t i = 0; i < map_len(known); i++, n++)
		v[n] = (struct value_attr){ .key = map_key_at(known, i),
					    .value = build_value(a, data, map_key_at(known, i),
								 h->span) };
	for (size_t i = 0; i < given; i++)
		if (!map_has(known, map_key_at(data->values, i)) &&
		    !str_eqs(map_key_at(data->values, i), "name"))
			v[n++] = (struct value_attr){
				.key = arena_str(a, map_key_at(data->values, i)),
				.value = build_value(a, data, map_key_at(data->values, i), h->span)
			};
	return value_object(a, v, n, h->span);
}

struct value_attr *hcl_component_names(struct arena *a, const struct hcl_component *h,
				       const struct plan_data *data)
{
	struct value_attr source[] = {
		{ .key = STR("name"), .value = value_cstring(a, h->source_name, h->span) },
		{ .key = STR("type"), .value = value_cstring(a, h->place.build_type, h->span) }
	};
	struct value_attr *names = arena_new_array(a, struct value_attr, NAMES);

	names[0] = (struct value_attr){ .key = STR("source"),
					.value = value_object(a, source, ARRAY_LEN(source),
							      h->span) };
	names[1] = (struct value_attr){ .key = STR("build"), .value = build_object(a, h, data) };
	return names;
}

int hcl_decode(const struct plan_component *c, const struct plan_data *data, struct arena *a,
	       struct diags *d, void **ret_config)
{
	const struct hcl_component *h = c->lang;
	struct eval_scope scope = { .up = &h->t->scope,
				    .v = data ? hcl_component_names(a, h, data) : h->names,
				    .n = NAMES };
	struct eval e = hcl_eval(h->t, &scope, a, d);
	struct value body;

	if (body_value(&e, h->pieces, ARRAY_LEN(h->pieces), c->spec, h->span, &body) < 0)
		return -1;
	return component_decode(c, &h->place, component_override(a, body, h->override), data, a, d,
				ret_config);
}

int hcl_render(const struct plan_component *c, const struct plan_data *data, struct arena *a,
	       struct value dot, struct str text, struct str *ret, struct err *err)
{
	const struct hcl_component *h = c->lang;

	return component_render(c, &h->place, data, a, dot, text, ret, err);
}
