/* The walk over the tree: literals, templates, tuples, objects, and who evaluates the rest. It
 * guards the depth, the steps and the memory, so that no template runs away. */
#include "lang/expr/evaluate.h"

#include "lang/expr/refine.h"
#include "lang/expr/text.h"

#define PREFIX_MAX 128 /* bytes that are kept of an unknown text's known beginning */

struct value eval_apart(struct eval *e, const struct hcl_expr *x, struct diags *apart)
{
	struct diags *was = e->diags;
	struct value v;

	diags_init(apart, e->arena);
	e->diags = apart;
	v = eval_any(e, x);
	e->diags = was;
	return v;
}

/* A text that is known up to there. */
static struct value unknown_text(struct eval *e, const struct hcl_expr *x, struct str prefix)
{
	struct refinement r = {REFINE_NOT_NULL};

	if (prefix.n > PREFIX_MAX)
		for (prefix.n = PREFIX_MAX; ((uint8_t)prefix.p[prefix.n] & 0xc0) == 0x80;)
			prefix.n--;
	r.prefix = refine_safe_prefix(e->arena, arena_str(e->arena, prefix));
	return value_refine(e->arena, value_unknown_of(&type_string, x->span), &r);
}

/* A buffer for a text that is to become a value: with what the memory has left for one. */
static struct buf text_buf(const struct eval *e)
{
	size_t used = arena_size(e->arena);

	return (struct buf){ .max = used < EVAL_MEMORY_MAX ? EVAL_MEMORY_MAX - used : 1 };
}

static struct value text_value(struct eval *e, const struct hcl_expr *x, const struct buf *out)
{
	if (!out->overflow)
		return value_string(text_nfc(e->arena, arena_str(e->arena, buf_str(out))), x->span);
	diag_detail(e->diags, eval_error(e, x->span, NULL, NULL, "This text is too long"),
		    "With it, the values would take more than %zu MiB of memory.",
		    EVAL_MEMORY_MAX >> 20);
	return value_unknown_of(&type_string, x->span);
}

static struct value eval_template(struct eval *e, const struct hcl_expr *x)
{
	size_t errors = e->diags->errors;
	AUTO(buf) struct buf out = text_buf(e);
	bool known = true, marked = false;
	struct value ret;

	if (x->tmpl.wrapped && x->tmpl.nparts == 1)
		return eval_any(e, x->tmpl.parts[0]);
	for (size_t i = 0; i < x->tmpl.nparts; i++) {
		const struct hcl_expr *part = x->tmpl.parts[i];
		AUTO(err) struct err err = ERR_INIT;
		struct value v = eval_any(e, part);

		marked |= v.sensitive;
		if (v.kind == VALUE_NULL) {
			diag_detail(e->diags,
				    eval_error(e, part->span, x, part, "A null value has no text"),
				    "What stands in ${ } becomes part of a text here, and null is "
				    "no text.");
			continue;
		}
		if (v.kind == VALUE_UNKNOWN) {
			known = false;
			continue;
		}
		if (value_convert(e->arena, v, &type_string, &v, &err) < 0) {
			diag_detail(
			    e->diags,
			    eval_error(e, part->span, x, part,
				       "This value cannot become part of a text"),
			    "%s Use jsonencode(), join() or a %%{for} to make a text of it.",
			    eval_sentence(e, err.msg));
			continue;
		}
		marked |= v.sensitive;
		if (known)
			buf_add_str(&out, v.string);
	}
	if (e->diags->errors > errors)
		ret = value_unknown_of(&type_string, x->span);
	else if (!known && !out.overflow)
		ret = unknown_text(e, x, buf_str(&out));
	else
		ret = text_value(e, x, &out);
	return value_mark(ret, marked);
}

struct value eval_join(struct eval *e, const struct hcl_expr *x, struct value results)
{
	AUTO(buf) struct buf out = text_buf(e);
	bool marked = results.sensitive;

	if (results.kind != VALUE_TUPLE)
		return value_mark(value_unknown_of(&type_string, x->span), marked);
	for (size_t i = 0; i < results.seq->n; i++) {
		AUTO(err) struct err err = ERR_INIT;
		struct value v = results.seq->v[i];

		marked |= v.sensitive;
		if (v.kind == VALUE_NULL) {
			diag_detail(e->diags,
				    eval_error(e, x->span, x, NULL, "A null value has no text"),
				    "Pass %zu of this loop gives null.", i + 1);
			return value_unknown_of(&type_string, x->span);
		}
		if (v.kind == VALUE_UNKNOWN)
			return value_mark(value_unknown_of(&type_string, x->span), marked);
		if (value_convert(e->arena, v, &type_string, &v, &err) < 0) {
			diag_detail(e->diags,
				    eval_error(e, x->span, x, NULL,
					       "This value cannot become part of a text"),
				    "In pass %zu of this loop: %s.", i + 1, err.msg);
			return value_unknown_of(&type_string, x->span);
		}
		buf_add_str(&out, v.string);
	}
	return value_mark(text_value(e, x, &out), marked);
}

static struct value eval_tuple(struct eval *e, const struct hcl_expr *x)
{
	struct value *items = arena_new_array(e->arena, struct value, x->tuple.n);

	for (size_t i = 0; i < x->tuple.n; i++)
		items[i] = eval_any(e, x->tuple.items[i]);
	return value_seq_make(e->arena, VALUE_TUPLE, items, x->tuple.n, x->span);
}

/* A path of names without parentheses, such as a.b: it could be meant as a name or a reference. */
static bool is_ambiguous_key(const struct hcl_expr *key)
{
	bool deep = false;

	while (key->kind == HCL_ATTR ||
	       (key->kind == HCL_INDEX && key->index.key->kind == HCL_LITERAL)) {
		key = key->kind == HCL_ATTR ? key->ref.target : key->index.target;
		deep = true;
	}
	return deep && key->kind == HCL_VARIABLE;
}

/* The key as text; false: it could not be had (reported, or not known yet). */
static bool object_key(struct eval *e, const struct hcl_expr *x, const struct hcl_pair *pair,
		       struct str *ret, bool *marked)
{
	AUTO(err) struct err err = ERR_INIT;
	size_t errors = e->diags->errors;
	struct value key;

	if (!pair->bare && is_ambiguous_key(pair->key)) {
		diag_detail(e->diags,
			    eval_error(e, pair->key->span, x, NULL, "This key has two readings"),
			    "Put parentheses around it if it refers to a value, or quotes if it "
			    "is a name with a point or brackets in it.");
		return false;
	}
	key = eval_any(e, pair->key);
	if (e->diags->errors > errors)
		return false;
	if (key.kind == VALUE_NULL) {
		diag_detail(e->diags,
			    eval_error(e, pair->key->span, x, pair->key, "Null is no key"),
			    "The keys of an object are texts.");
		return false;
	}
	*marked |= key.sensitive;
	if (value_convert(e->arena, key, &type_string, &key, &err) < 0) {
		diag_detail(
		    e->diags,
		    eval_error(e, pair->key->span, x, pair->key, "This value cannot be a key"),
		    "%s", eval_sentence(e, err.msg));
		return false;
	}
	if (key.kind != VALUE_STRING)
		return false;
	*ret = key.string;
	return true;
}

static struct value eval_object(struct eval *e, const struct hcl_expr *x)
{
	struct value_attr *v = arena_new_array(e->arena, struct value_attr, x->object.n);
	bool known = true, marked = false;
	size_t n = 0;

	for (size_t i = 0; i < x->object.n; i++) {
		const struct hcl_pair *pair = &x->object.pairs[i];
		struct str key;
		bool has_key = object_key(e, x, pair, &key, &marked);
		struct value item = eval_any(e, pair->value);

		known &= has_key;
		if (has_key)
			v[n++] = (struct value_attr){ key, pair->key->span, item };
	}
	if (!known)
		return value_mark(value_unknown(x->span), marked);
	return value_mark(value_object_last(e->arena, v, n, x->span), marked);
}

static struct value eval_kind(struct eval *e, const struct hcl_expr *x)
{
	struct value v, key;

	switch (x->kind) {
	case HCL_LITERAL:
		v = x->value;
		v.span = x->span;
		return v;
	case HCL_TEMPLATE:
		return eval_template(e, x);
	case HCL_VARIABLE:
	case HCL_SPLAT_ITEM:
		return eval_variable(e, x);
	case HCL_ATTR:
		v = eval_any(e, x->ref.target);
		return eval_attr(e, v, x);
	case HCL_INDEX:
		v = eval_any(e, x->index.target);
		key = eval_any(e, x->index.key);
		return eval_index(e, v, key, x);
	case HCL_SPLAT:
		return eval_splat(e, x);
	case HCL_CALL:
		return eval_call(e, x);
	case HCL_CONDITIONAL:
		return eval_conditional(e, x);
	case HCL_BINARY:
		return eval_binary(e, x);
	case HCL_UNARY:
		return eval_unary(e, x);
	case HCL_PAREN:
		return eval_any(e, x->wrap.inner);
	case HCL_TUPLE:
		return eval_tuple(e, x);
	case HCL_OBJECT:
		return eval_object(e, x);
	case HCL_FOR:
		return eval_for(e, x);
	}
	return value_unknown(x->span);
}

/* True once a ceiling was reached, which is told once. */
static bool exhausted(struct eval *e, const struct hcl_expr *x)
{
	const char *what = NULL;

	if (e->exhausted)
		return true;
	if (e->depth >= EVAL_DEPTH_MAX)
		what = arena_printf(e->arena,
				    "Expressions may stand in one another %d levels deep.",
				    EVAL_DEPTH_MAX);
	else if (++e->steps > EVAL_STEPS_MAX)
		what = arena_printf(e->arena,
				    "It was given up after %d steps: look for loops in loops.",
				    EVAL_STEPS_MAX);
	else if (arena_size(e->arena) > EVAL_MEMORY_MAX)
		what = arena_printf(e->arena,
				    "It was given up when its values took more than %zu MiB of "
				    "memory.",
				    EVAL_MEMORY_MAX >> 20);
	if (!what)
		return false;
	e->exhausted = true;
	diag_detail(e->diags, eval_error(e, x->span, NULL, NULL, "This is too much to evaluate"),
		    "%s", what);
	return true;
}

struct value eval_any(struct eval *e, const struct hcl_expr *x)
{
	struct value v;

	if (exhausted(e, x))
		return value_unknown(x->span);
	e->depth++;
	v = eval_kind(e, x);
	e->depth--;
	return v;
}

int eval_expr(struct eval *e, const struct hcl_expr *x, struct value *ret)
{
	size_t errors = e->diags->errors;
	struct value v = eval_any(e, x);

	if (e->diags->errors == errors && e->exhausted) /* reported, but that was dropped */
		diag_error(e->diags, x->span, "This is too much to evaluate");
	if (e->diags->errors > errors) {
		*ret = value_mark(value_unknown(x->span), v.sensitive);
		return -1;
	}
	*ret = v;
	return 0;
}

int eval_expr_as(struct eval *e, const struct hcl_expr *x, const struct type *want,
		 struct value *ret)
{
	AUTO(err) struct err err = ERR_INIT;
	struct value v;

	if (eval_expr(e, x, &v) < 0) {
		*ret = value_mark(value_unknown_of(want, x->span), v.sensitive);
		return -1;
	}
	if (value_convert(e->arena, v, want, ret, &err) < 0) {
		struct str phrase = type_phrase(e->arena, want);

		diag_detail(
		    e->diags,
		    eval_error(e, x->span, NULL, x, "This is not " STR_FMT, STR_ARG(phrase)), "%s",
		    eval_sentence(e, err.msg));
		*ret = value_mark(value_unknown_of(want, x->span), v.sensitive);
		return -1;
	}
	return 0;
}

bool eval_is_constant(const struct hcl_expr *x)
{
	switch (x->kind) {
	case HCL_LITERAL:
		return true;
	case HCL_TEMPLATE:
		for (size_t i = 0; i < x->tmpl.nparts; i++)
			if (!eval_is_constant(x->tmpl.parts[i]))
				return false;
		return true;
	case HCL_TUPLE:
		for (size_t i = 0; i < x->tuple.n; i++)
			if (!eval_is_constant(x->tuple.items[i]))
				return false;
		return true;
	case HCL_OBJECT:
		for (size_t i = 0; i < x->object.n; i++)
			if (!eval_is_constant(x->object.pairs[i].key) ||
			    !eval_is_constant(x->object.pairs[i].value))
				return false;
		return true;
	case HCL_CONDITIONAL:
		return eval_is_constant(x->choice.cond) && eval_is_constant(x->choice.yes) &&
		       eval_is_constant(x->choice.no);
	case HCL_BINARY:
		return eval_is_constant(x->op.left) && eval_is_constant(x->op.right);
	case HCL_UNARY:
		return eval_is_constant(x->op.right);
	case HCL_PAREN:
		return eval_is_constant(x->wrap.inner);
	case HCL_ATTR:
		return eval_is_constant(x->ref.target);
	case HCL_INDEX:
		return eval_is_constant(x->index.target) && eval_is_constant(x->index.key);
	default:
		return false;
	}
}
