/* Looking into values: names of the scope, attributes, indices. */
#include "lang/expr/evaluate.h"

#include "lang/expr/number.h"

#define NAMES_MAX 256 /* candidates of "did you mean" */

/* The nearest of names[n] to a text, as a sentence; else an empty text. */
static const char *did_you_mean(struct eval *e, struct str word, const char *const *names, size_t n)
{
	const char *near = str_nearest(arena_str(e->arena, word).p, names, n);

	return near ? arena_printf(e->arena, " Did you mean \"%s\"?", near) : "";
}

static const char *near_key(struct eval *e, struct str word, struct value v)
{
	const char *names[NAMES_MAX];
	size_t n = MIN(value_len(v), (size_t)NAMES_MAX);

	for (size_t i = 0; i < n; i++)
		names[i] = arena_str(e->arena, v.attrs->v[i].key).p;
	return did_you_mean(e, word, names, n);
}

static const struct value *value_of_scope(const struct eval_scope *scope, struct str name)
{
	for (size_t i = scope->n; i-- > 0;)
		if (str_eq(scope->v[i].key, name))
			return &scope->v[i].value;
	return NULL;
}

static const struct value *find_name(const struct eval_scope *scope, struct str name)
{
	const struct value *found = NULL;

	for (; scope && !found; scope = scope->up)
		found = value_of_scope(scope, name);
	return found;
}

/* The item of a splat is bound to the empty name, which nothing that was parsed can have. */
struct value eval_variable(struct eval *e, const struct hcl_expr *x)
{
	struct str name = x->kind == HCL_VARIABLE ? x->ref.name : STR("");
	const struct value *found = find_name(e->scope, name);
	const char *names[NAMES_MAX];
	AUTO(buf) struct buf all = BUF_INIT;
	size_t n = 0;

	if (found)
		return *found;
	if (x->kind == HCL_SPLAT_ITEM)
		return value_unknown(x->span);
	for (const struct eval_scope *s = e->scope; s; s = s->up)
		for (size_t i = 0; i < s->n && n < NAMES_MAX; i++)
			if (s->v[i].key.n && find_name(e->scope, s->v[i].key) == &s->v[i].value) {
				names[n] = arena_str(e->arena, s->v[i].key).p;
				buf_printf(&all, "%s%s", n ? ", " : "", names[n]);
				n++;
			}
	if (!n)
		diag_detail(e->diags,
			    eval_error(e, x->span, NULL, NULL, "\"" STR_FMT "\" cannot stand here",
				       STR_ARG(name)),
			    "Only constants are allowed here. If it is a string, put it in double "
			    "quotes.");
	else
		diag_detail(
		    e->diags,
		    eval_error(e, x->span, NULL, NULL, "Unknown name \"" STR_FMT "\"",
			       STR_ARG(name)),
		    "Names that can stand here: %s.%s%s", buf_cstr(&all),
		    did_you_mean(e, name, names, n),
		    func_find(e->funcs ? e->funcs : func_groups, name)
			? " There is a function of this name: it is called with parentheses."
			: "");
	return value_unknown(x->span);
}

static struct value unknown_part(const struct type *t, struct value of, struct span span)
{
	return value_mark(value_unknown_of(t, span), of.sensitive);
}

/* Where the dot and the name are, to underline them alone. */
static struct span attr_span(const struct hcl_expr *x)
{
	return x->ref.name_span.src ? x->ref.name_span : x->span;
}

static struct value no_attribute(struct eval *e, struct value v, const struct type *t,
				 const struct hcl_expr *x)
{
	struct str name = x->ref.name, phrase = type_phrase(e->arena, t);
	const char *each = "";

	if (t->elem && t->elem->kind == TYPE_OBJECT && t->kind == TYPE_LIST)
		each = type_attr_find(t->elem, name)
			   ? " Its elements have it: use [*] for all of them, or an index for one."
			   : " Use [*] for all of its elements, or an index for one.";
	else if (t->elem && t->elem->kind == TYPE_OBJECT && t->kind == TYPE_SET)
		each = " A for expression reaches the elements of a set.";
	diag_detail(e->diags,
		    eval_error(e, attr_span(x), x, v.sensitive ? NULL : x->ref.target,
			       "No attribute \"" STR_FMT "\" here", STR_ARG(name)),
		    "A value of type " STR_FMT " has no attributes.%s", STR_ARG(phrase), each);
	return value_unknown(x->span);
}

/* What the names of a root are for who writes a template. */
static const struct {
	const char *root, *what, *all, *remedy;
} roots[] = {
	{ "data", "data source of the type", "The types are", "Add a data block of this type." },
	{ "local", "local", "The locals are", "Define it in a locals block." },
	{ "var", "variable", "The variables are", "Declare it in a variable block." },
};

/* The row of roots[] that x is an attribute of, or -1. (A for may call its own values by these
 * names: it binds two at most, and a template's roots are more.) */
static int root_of(const struct eval *e, const struct hcl_expr *x)
{
	const struct hcl_expr *of = x->kind == HCL_ATTR ? x->ref.target : NULL;
	const struct eval_scope *s = e->scope;

	if (!of || of->kind != HCL_VARIABLE)
		return -1;
	while (s && !value_of_scope(s, of->ref.name))
		s = s->up;
	for (size_t i = 0; s && s->n > 2 && i < ARRAY_LEN(roots); i++)
		if (str_eqs(of->ref.name, roots[i].root))
			return (int)i;
	return -1;
}

static void missing_root(struct eval *e, struct value v, const struct hcl_expr *x, size_t root)
{
	struct str name = x->ref.name;
	struct diag *g = eval_error(e, attr_span(x), x, NULL, "There is no %s \"" STR_FMT "\"",
				    roots[root].what, STR_ARG(name));
	const char *near = near_key(e, name, v);

	if (*near)
		diag_detail(e->diags, g, "%s", near + 1);
	else if (v.attrs->n)
		diag_detail(e->diags, g, "%s: %s. %s", roots[root].all, eval_keys(e, v),
			    roots[root].remedy);
	else
		diag_detail(e->diags, g, "%s", roots[root].remedy);
}

static struct value missing_key(struct eval *e, struct value v, struct str name, struct span span,
				const struct hcl_expr *x)
{
	const char *what = v.kind == VALUE_MAP ? "element" : "attribute",
		   *kind = v.kind == VALUE_MAP ? "map" : "object";
	int root = root_of(e, x);
	struct diag *g;

	if (root >= 0) {
		missing_root(e, v, x, (size_t)root);
		return value_unknown(x->span);
	}
	g = eval_error(e, span, x, NULL, "This %s has no %s \"" STR_FMT "\"", kind, what,
		       STR_ARG(name));
	if (!v.attrs->n)
		diag_detail(e->diags, g, "It is empty.");
	else
		diag_detail(e->diags, g, "It has %s.%s", eval_keys(e, v), near_key(e, name, v));
	return value_unknown(x->span);
}

struct value eval_attr(struct eval *e, struct value v, const struct hcl_expr *x)
{
	const struct value_attr *found;
	const struct type_attr *attr;
	const struct type *t;

	if (value_is_attrs(v)) { /* var and local may have thousands: their type is not asked for */
		found = value_attr_get(v, x->ref.name);
		return found ? value_mark(found->value, v.sensitive)
			     : missing_key(e, v, x->ref.name, attr_span(x), x);
	}
	t = type_of(e->arena, v);
	if (v.kind == VALUE_NULL) {
		diag_detail(e->diags,
			    eval_error(e, attr_span(x), x, x->ref.target, "Null has no attributes"),
			    "\"" STR_FMT "\" was asked of a value that is null.",
			    STR_ARG(x->ref.name));
		return value_unknown(x->span);
	}
	if (t->kind == TYPE_ANY)
		return unknown_part(NULL, v, x->span);
	if (t->kind != TYPE_OBJECT && t->kind != TYPE_MAP)
		return no_attribute(e, v, t, x);
	attr = type_attr_find(t, x->ref.name); /* what has attributes and no value is unknown */
	if (!attr && t->kind == TYPE_OBJECT) {
		diag_detail(e->diags,
			    eval_error(e, attr_span(x), x, NULL,
				       "This object has no attribute \"" STR_FMT "\"",
				       STR_ARG(x->ref.name)),
			    "Its value is not known yet, but its type is.");
		return value_unknown(x->span);
	}
	return unknown_part(attr ? attr->type : t->elem, v, x->span);
}

static struct value bad_index(struct eval *e, const struct hcl_expr *x, const char *why)
{
	diag_detail(e->diags,
		    eval_error(e, x->index.key->span, x, x->index.key, "No element has this index"),
		    "%s", why);
	return value_unknown(x->span);
}

static struct value index_sequence(struct eval *e, struct value v, const struct type *t,
				   struct value key, const struct hcl_expr *x)
{
	const struct type *elem = t->elem;
	bool marked = v.sensitive || key.sensitive;
	size_t n = t->kind == TYPE_TUPLE ? t->n : value_len(v);
	int64_t i;

	if (key.kind == VALUE_UNKNOWN)
		return value_mark(value_unknown_of(elem, x->span), marked);
	if (v.kind == VALUE_UNKNOWN && t->kind == TYPE_LIST)
		return value_mark(value_unknown_of(elem, x->span), marked);
	if (!mpfr_integer_p(key.number->v))
		return bad_index(
		    e, x, "An index is a whole number: a division may have to go through floor().");
	if (mpfr_sgn(key.number->v) < 0)
		return bad_index(e, x, "An index counts from 0, and never backwards.");
	if (!value_as_i64(key, &i) || (uint64_t)i >= n)
		return bad_index(
		    e, x,
		    n ? arena_printf(e->arena, "There %s %zu element%s, with the ind%s 0%s.",
				     n == 1 ? "is" : "are", n, n == 1 ? "" : "s",
				     n == 1 ? "ex" : "ices",
				     n == 1 ? "" : arena_printf(e->arena, " to %zu", n - 1))
		      : "There are no elements.");
	if (v.kind == VALUE_UNKNOWN)
		return value_mark(value_unknown_of(t->elems[i], x->span), marked);
	return value_mark(v.seq->v[i], marked);
}

static struct value index_by_name(struct eval *e, struct value v, const struct type *t,
				  struct value key, bool was_number, const struct hcl_expr *x)
{
	/* As in the reference, the key of an object leaves no mark, that of a map does. Here both
	 * do. */
	bool marked = v.sensitive || key.sensitive;
	const struct value_attr *found;
	const struct type_attr *attr;

	if (key.kind == VALUE_UNKNOWN)
		return value_mark(value_unknown_of(t->elem, x->span), marked);
	if (v.kind == VALUE_UNKNOWN) {
		attr = type_attr_find(t, key.string);
		if (!attr && t->kind == TYPE_OBJECT)
			return bad_index(
			    e, x,
			    "Its value is not known yet, but its type has no such attribute.");
		return value_mark(value_unknown_of(attr ? attr->type : t->elem, x->span), marked);
	}
	found = value_attr_get(v, key.string);
	if (found)
		return value_mark(found->value, marked);
	if (key.sensitive)
		return bad_index(e, x,
				 "No element has this key, which is sensitive and not shown.");
	if (was_number && v.kind == VALUE_OBJECT)
		return bad_index(e, x,
				 "An object has attributes with names, and no numbered elements.");
	return missing_key(e, v, key.string, x->index.key->span, x);
}

struct value eval_index(struct eval *e, struct value v, struct value key, const struct hcl_expr *x)
{
	const struct type *t = type_of(e->arena, v), *kt = type_of(e->arena, key);
	bool was_number = kt->kind == TYPE_NUMBER,
	     by_name = t->kind == TYPE_MAP || t->kind == TYPE_OBJECT;
	AUTO(err) struct err err = ERR_INIT;
	struct str phrase;

	if (v.kind == VALUE_NULL) {
		diag_detail(
		    e->diags,
		    eval_error(e, x->index.key->span, x, x->index.target, "Null has no elements"),
		    "An index was asked of a value that is null.");
		return value_unknown(x->span);
	}
	if (key.kind == VALUE_NULL)
		return bad_index(e, x, "The index is null.");
	if (t->kind == TYPE_ANY || kt->kind == TYPE_ANY)
		return value_mark(value_unknown(x->span), v.sensitive || key.sensitive);
	if (t->kind == TYPE_SET)
		return bad_index(e, x,
				 "The elements of a set have no order and no keys: a for "
				 "expression reaches them, or convert it to a list.");
	if (!by_name && t->kind != TYPE_LIST && t->kind != TYPE_TUPLE) {
		phrase = type_phrase(e->arena, t);
		return bad_index(e, x,
				 arena_printf(e->arena,
					      "A value of type " STR_FMT " has no elements.",
					      STR_ARG(phrase)));
	}
	if (value_convert(e->arena, key, by_name ? &type_string : &type_number, &key, &err) < 0)
		return bad_index(e, x,
				 arena_printf(e->arena, "The index of a %s: %s.",
					      by_name ? "map or object" : "list or tuple",
					      err.msg));
	if (by_name)
		return index_by_name(e, v, t, key, was_number, x);
	return index_sequence(e, v, t, key, x);
}
