/* Reading trees without evaluating them: keywords, traversals, references. */
#include "lang/hcl/hcl.h"

static bool is_identifier(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		      (uint8_t)c >= 0x80 || (i && ((c >= '0' && c <= '9') || c == '-'))))
			return false;
	}
	return s.n > 0;
}

struct str hcl_keyword(const struct hcl_expr *x)
{
	if (x->kind == HCL_VARIABLE)
		return x->ref.name;
	if (x->kind == HCL_LITERAL && x->json && x->value.kind == VALUE_STRING &&
	    is_identifier(x->value.string))
		return x->value.string;
	if (x->kind == HCL_LITERAL && !x->json && x->value.kind == VALUE_BOOL)
		return x->value.boolean ? STR("true") : STR("false");
	if (x->kind == HCL_LITERAL && !x->json && x->value.kind == VALUE_NULL)
		return STR("null");
	return (struct str){ "", 0 };
}

/* One step towards the root of a traversal; NULL at the root. */
static const struct hcl_expr *target_of(const struct hcl_expr *x)
{
	switch (x->kind) {
	case HCL_ATTR:
		return x->ref.target;
	case HCL_INDEX:
		return x->index.target;
	case HCL_SPLAT:
		return x->splat.target;
	default:
		return NULL;
	}
}

/* The name of one step, where it has a constant one. */
static bool step_name(const struct hcl_expr *x, struct str *ret)
{
	const struct hcl_expr *key;

	if (x->kind == HCL_ATTR || x->kind == HCL_VARIABLE) {
		*ret = x->ref.name;
		return true;
	}
	if (x->kind != HCL_INDEX)
		return false;
	key = x->index.key;
	if (key->kind != HCL_LITERAL || key->value.kind != VALUE_STRING)
		return false;
	*ret = key->value.string;
	return true;
}

size_t hcl_traversal_names(const struct hcl_expr *x, struct str *names, size_t max)
{
	size_t depth = 0, found = 0;
	const struct hcl_expr *root = x;

	for (const struct hcl_expr *t; (t = target_of(root)); root = t)
		depth++;
	if (root->kind != HCL_VARIABLE)
		return 0;
	while (found < max) {
		const struct hcl_expr *step = x;

		if (found > depth)
			break;
		/* From the outermost step inwards: max is small. */
		for (size_t i = found; i < depth; i++)
			step = target_of(step);
		if (!step_name(step, &names[found]))
			break;
		found++;
	}
	return found;
}

/* Names that a for expression binds inside it. */
struct bound {
	const struct bound *up;
	struct str key, value;
};

struct walk {
	void (*fn)(void *data, const struct hcl_expr *ref);
	void *data;
};

static bool is_bound(const struct bound *b, struct str name)
{
	for (; b; b = b->up)
		if ((b->key.n && str_eq(b->key, name)) || str_eq(b->value, name))
			return true;
	return false;
}

static void walk(const struct walk *w, const struct hcl_expr *x, const struct bound *b);

static void walk_list(const struct walk *w, struct hcl_expr *const *v, size_t n,
		      const struct bound *b)
{
	for (size_t i = 0; i < n; i++)
		walk(w, v[i], b);
}

static void walk_traversal(const struct walk *w, const struct hcl_expr *x, const struct bound *b)
{
	const struct hcl_expr *root = x;

	for (const struct hcl_expr *t; (t = target_of(root)); root = t) {
		if (root->kind == HCL_INDEX)
			walk(w, root->index.key, b);
		else if (root->kind == HCL_SPLAT)
			walk(w, root->splat.each, b);
	}
	if (root->kind == HCL_VARIABLE) {
		if (!is_bound(b, root->ref.name))
			w->fn(w->data, x);
	} else if (root->kind != HCL_SPLAT_ITEM) {
		walk(w, root, b);
	}
}

static void walk_for(const struct walk *w, const struct hcl_expr *x, const struct bound *b)
{
	struct bound inner = { .up = b, .key = x->loop.key_name, .value = x->loop.value_name };

	walk(w, x->loop.coll, b);
	if (x->loop.key)
		walk(w, x->loop.key, &inner);
	walk(w, x->loop.value, &inner);
	if (x->loop.cond)
		walk(w, x->loop.cond, &inner);
}

static void walk(const struct walk *w, const struct hcl_expr *x, const struct bound *b)
{
	for (; x->kind == HCL_BINARY; x = x->op.left) /* long sums are deep on their left */
		walk(w, x->op.right, b);
	switch (x->kind) {
	case HCL_LITERAL:
	case HCL_SPLAT_ITEM:
	case HCL_BINARY:
		return;
	case HCL_VARIABLE:
	case HCL_ATTR:
	case HCL_INDEX:
	case HCL_SPLAT:
		walk_traversal(w, x, b);
		return;
	case HCL_TEMPLATE:
		walk_list(w, x->tmpl.parts, x->tmpl.nparts, b);
		return;
	case HCL_CALL:
		walk_list(w, x->call.args, x->call.nargs, b);
		return;
	case HCL_TUPLE:
		walk_list(w, x->tuple.items, x->tuple.n, b);
		return;
	case HCL_OBJECT:
		for (size_t i = 0; i < x->object.n; i++) {
			walk(w, x->object.pairs[i].key, b);
			walk(w, x->object.pairs[i].value, b);
		}
		return;
	case HCL_CONDITIONAL:
		walk(w, x->choice.cond, b);
		walk(w, x->choice.yes, b);
		walk(w, x->choice.no, b);
		return;
	case HCL_UNARY:
		walk(w, x->op.right, b);
		return;
	case HCL_PAREN:
		walk(w, x->wrap.inner, b);
		return;
	case HCL_FOR:
		walk_for(w, x, b);
		return;
	}
}

void hcl_each_reference(const struct hcl_expr *x,
			void (*fn)(void *data, const struct hcl_expr *ref), void *data)
{
	struct walk w = { fn, data };

	walk(&w, x, NULL);
}
