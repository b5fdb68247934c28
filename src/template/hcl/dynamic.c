/* Dynamic blocks: `dynamic "TYPE"` stands for as many blocks of that type as its for_each has
 * elements, each with the iterator's key and value in scope. What else stands in the body is passed
 * on in the order written. */
#include "template/hcl/builds.h"

#include "base/vec.h"

static const struct hcl_schema_attr dynamic_attrs[] = { { "for_each", true },
							{ "iterator", false },
							{ "labels", false } };
static const struct hcl_schema_block dynamic_blocks[] = { { "content", NULL } };
static const struct hcl_schema dynamic_schema = {
	.attrs = dynamic_attrs,
	.nattrs = ARRAY_LEN(dynamic_attrs),
	.blocks = dynamic_blocks,
	.nblocks = ARRAY_LEN(dynamic_blocks),
};
static const char *const type_label[] = { "type", NULL };

#define BLOCKS_MAX 10000 /* nobody means more, and each takes its time at every decoding */

struct item_list { /* as VEC of base/vec.h */
	struct hcl_item *v;
	size_t n, cap;
};

struct expansion {
	struct eval *e;
	const struct hcl_block *block; /* the dynamic block */
	const struct hcl_schema_block *wanted;
	struct str iterator;
	struct value coll;
	const struct hcl_expr *labels; /* a list, or NULL */
	const struct hcl_block *content;
	struct item_list *out;
};

struct eval_scope hcl_bind(const struct eval *e, struct hcl_bound bound)
{
	return (struct eval_scope){ .up = e->scope, .v = bound.v, .n = bound.n };
}

struct hcl_bound hcl_bound_join(struct arena *a, struct hcl_bound outer, struct hcl_bound inner)
{
	struct value_attr *v;

	if (!outer.n || !inner.n)
		return outer.n ? outer : inner;
	v = arena_new_array(a, struct value_attr, outer.n + inner.n);
	/* A name is looked for from the front: the inner one hides the outer. */
	memcpy(v, inner.v, inner.n * sizeof(*v));
	memcpy(v + inner.n, outer.v, outer.n * sizeof(*v));
	return (struct hcl_bound){ v, outer.n + inner.n };
}

static size_t count_labels(const struct hcl_schema_block *b)
{
	size_t n = 0;

	while (b->labels && b->labels[n])
		n++;
	return n;
}

/* Looks at everything but the elements; false after a diagnostic. */
static bool read_dynamic(struct expansion *x, const struct hcl_content *c)
{
	struct eval *e = x->e;
	const struct hcl_attr *each = hcl_content_attr(c, "for_each");
	const struct hcl_attr *iterator = hcl_content_attr(c, "iterator");
	const struct hcl_attr *labels = hcl_content_attr(c, "labels");
	size_t want = count_labels(x->wanted);

	x->iterator = x->block->labels[0].text;
	if (iterator) {
		x->iterator = hcl_keyword(iterator->expr);
		if (!x->iterator.n) {
			diag_error(e->diags, iterator->expr->span,
				   "\"iterator\" is one name, without quotes");
			return false;
		}
	}
	if (labels) {
		x->labels = labels->expr;
		if (x->labels->kind != HCL_TUPLE) {
			diag_error(e->diags, labels->expr->span,
				   "\"labels\" is a list written out: [\"…\"]");
			return false;
		}
	}
	if ((x->labels ? x->labels->tuple.n : 0) != want) {
		diag_error(e->diags, labels ? labels->expr->span : x->block->span,
			   "Blocks \"" STR_FMT "\" have %zu label%s: \"labels\" gives %zu",
			   STR_ARG(x->block->labels[0].text), want, want == 1 ? "" : "s",
			   x->labels ? x->labels->tuple.n : (size_t)0);
		return false;
	}
	if (c->nblocks != 1) {
		diag_error(e->diags, c->nblocks ? c->blocks[1].span : x->block->span,
			   c->nblocks ? "A dynamic block has only one \"content\" block"
				      : "A dynamic block needs a \"content\" block: the body of "
					"each block it makes");
		return false;
	}
	x->content = &c->blocks[0];
	return eval_expr(e, each->expr, &x->coll) == 0;
}

static bool check_collection(struct expansion *x, const struct hcl_expr *each)
{
	struct value v = x->coll;
	struct span span = each->span;

	if ((value_is_seq(v) || value_is_attrs(v)) && value_len(v) > BLOCKS_MAX) {
		diag_error(x->e->diags, span, "\"for_each\" has %zu elements; at most %d can be",
			   value_len(v), BLOCKS_MAX);
		return false;
	}
	if (value_is_seq(v) || value_is_attrs(v))
		return true;
	if (v.kind == VALUE_UNKNOWN &&
	    (!v.type || v.type->kind == TYPE_ANY || !type_is_primitive(v.type)))
		return true;
	eval_tell_values(x->e,
			 diag_error(x->e->diags, span,
				    "\"for_each\" takes a list, set, map or object, not %s",
				    v.kind == VALUE_NULL ? "null" : value_kind_phrase(v)),
			 each);
	return false;
}

static int read_label(struct expansion *x, struct eval *e, size_t i, struct hcl_label *ret)
{
	const struct hcl_expr *expr = x->labels->tuple.items[i];
	struct value v;

	if (eval_expr_as(e, expr, &type_string, &v) < 0)
		return -1;
	if (v.kind != VALUE_STRING) {
		diag_error(e->diags, expr->span, "The label of a dynamic block %s",
			   v.kind == VALUE_NULL ? "cannot be null"
						: "must be known before the build");
		return -1;
	}
	*ret = (struct hcl_label){ v.string, expr->span };
	return 0;
}

/* One block of those that the dynamic block stands for. */
static void add_one(struct expansion *x, struct value key, struct value value)
{
	struct eval *e = x->e;
	struct arena *a = e->arena;
	struct value_attr pair[] = { { .key = STR("key"), .value = key },
				     { .key = STR("value"), .value = value } };
	struct value_attr *name = arena_new_obj(a, struct value_attr);
	struct hcl_item item = { .bound = { name, 1 } };
	const struct eval_scope *outer = e->scope;
	struct eval_scope scope = hcl_bind(e, item.bound);
	size_t n = count_labels(x->wanted);
	bool good = true;

	*name = (struct value_attr){
		.key = x->iterator, .value = value_object(a, pair, ARRAY_LEN(pair), x->block->span)
	};
	item.block = (struct hcl_block){ .type = x->block->labels[0].text,
					 .type_span = x->block->labels[0].span,
					 .span = x->block->span,
					 .labels = arena_new_array(a, struct hcl_label, n + 1),
					 .nlabels = n,
					 .body = x->content->body };
	e->scope = &scope;
	for (size_t i = 0; i < n; i++)
		good &= read_label(x, e, i, &item.block.labels[i]) == 0;
	e->scope = outer;
	if (good)
		vec_push(x->out, item);
}

static void add_all(struct expansion *x)
{
	struct value v = x->coll;
	bool marked = v.sensitive;

	if (v.kind == VALUE_UNKNOWN) {
		add_one(x, value_unknown(v.span), value_unknown(v.span));
		return;
	}
	for (size_t i = 0; i < value_len(v); i++) {
		struct value value = value_is_seq(v) ? v.seq->v[i] : v.attrs->v[i].value;
		struct value key = value_is_attrs(v) ? value_string(v.attrs->v[i].key, v.span)
				   : v.kind == VALUE_SET
					   ? value
					   : value_i64(x->e->arena, (int64_t)i, v.span);

		value.sensitive |= marked;
		add_one(x, key, value);
	}
}

static const struct hcl_schema_block *find_block(const struct hcl_schema *schema, struct str type)
{
	for (size_t i = 0; i < schema->nblocks; i++)
		if (str_eqs(type, schema->blocks[i].type))
			return &schema->blocks[i];
	return NULL;
}

static void unknown_type(struct eval *e, const struct hcl_schema *schema,
			 const struct hcl_label *label)
{
	const char **names = arena_new_array(e->arena, const char *, schema->nblocks + 1);
	const char *near;
	struct diag *g;

	for (size_t i = 0; i < schema->nblocks; i++)
		names[i] = schema->blocks[i].type;
	g = diag_error(e->diags, label->span, "There are no blocks \"" STR_FMT "\" here",
		       STR_ARG(label->text));
	near = str_nearest(arena_strndup(e->arena, label->text.p, label->text.n), names,
			   schema->nblocks);
	if (near)
		diag_detail(e->diags, g, "Did you mean \"%s\"?", near);
}

static int expand(struct eval *e, const struct hcl_schema *schema, const struct hcl_block *block,
		  struct item_list *out)
{
	struct expansion x = { .e = e, .block = block, .out = out };
	struct hcl_content c;

	x.wanted = find_block(schema, block->labels[0].text);
	if (!x.wanted) {
		if (schema->open)
			return 0;
		unknown_type(e, schema, &block->labels[0]);
		return -1;
	}
	if (hcl_content(e->arena, block->body, &dynamic_schema, e->diags, &c) < 0 ||
	    !read_dynamic(&x, &c) ||
	    !check_collection(&x, hcl_content_attr(&c, "for_each")->expr))
		return -1;
	add_all(&x);
	return 0;
}

int hcl_items(struct eval *e, const struct hcl_body *body, const struct hcl_schema *schema,
	      struct hcl_items *ret)
{
	struct hcl_schema with = *schema;
	struct hcl_schema_block *blocks =
		arena_new_array(e->arena, struct hcl_schema_block, schema->nblocks + 1);
	struct item_list out = VEC_INIT;
	size_t errors = e->diags->errors;
	struct hcl_content c;

	memcpy(blocks, schema->blocks, schema->nblocks * sizeof(*blocks));
	blocks[with.nblocks++] = (struct hcl_schema_block){ "dynamic", type_label };
	with.blocks = blocks;
	(void)hcl_content(e->arena, body, &with, e->diags, &c);
	for (size_t i = 0; i < c.nblocks; i++)
		if (str_eqs(c.blocks[i].type, "dynamic"))
			expand(e, schema, &c.blocks[i], &out);
		else
			vec_push(&out, (struct hcl_item){ .block = c.blocks[i] });
	*ret = (struct hcl_items){ .attrs = c.attrs,
				   .nattrs = c.nattrs,
				   .blocks = arena_new_array(e->arena, struct hcl_item, out.n + 1),
				   .nblocks = out.n };
	if (out.n)
		memcpy(ret->blocks, out.v, out.n * sizeof(*out.v));
	vec_release(&out);
	return e->diags->errors > errors ? -1 : 0;
}
