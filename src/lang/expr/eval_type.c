/* Type constraints: expressions that are read, not evaluated, as list(string) or object({a =
 * optional(number, 1)}). */
#include "lang/expr/evaluate.h"

#include "lang/hcl/hcl.h"

struct constraint {
	struct eval *e;
	bool defaults; /* optional() may have a second argument */
};

static const struct type *read_type(const struct constraint *c, const struct hcl_expr *x);

static const struct type *wrong(const struct constraint *c, const struct hcl_expr *x,
				const struct hcl_expr *whole, const char *detail)
{
	diag_detail(c->e->diags, eval_error(c->e, x->span, whole, NULL, "This is no type"), "%s",
		    detail);
	return &type_any;
}

static const struct type *named(const struct constraint *c, const struct hcl_expr *x,
				struct str name)
{
	static const struct {
		const char *name;
		const struct type *type;
		const char *needs;
	} names[] = {
	    {"any", &type_any, NULL},
	    {"bool", &type_bool, NULL},
	    {"number", &type_number, NULL},
	    {"string", &type_string, NULL},
	    {"list", NULL, "the type of its elements, as list(string)"},
	    {"set", NULL, "the type of its elements, as set(string)"},
	    {"map", NULL, "the type of its elements, as map(string)"},
	    {"tuple", NULL, "the types of its elements, as tuple([string, number])"},
	    {"object", NULL, "the types of its attributes, as object({ name = string })"},
	};
	const char *candidates[ARRAY_LEN(names)], *near;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		candidates[i] = names[i].name;
		if (!str_eqs(name, names[i].name))
			continue;
		if (names[i].type)
			return names[i].type;
		return wrong(
		    c, x, NULL,
		    arena_printf(c->e->arena, "A %s needs %s.", names[i].name, names[i].needs));
	}
	near = str_nearest(arena_str(c->e->arena, name).p, candidates, ARRAY_LEN(names));
	return wrong(c, x, NULL,
		     arena_printf(c->e->arena, "\"" STR_FMT "\" is not the name of a type.%s",
				  STR_ARG(name),
				  near ? arena_printf(c->e->arena, " Did you mean \"%s\"?", near)
				       : " There are any, bool, number, string, list(), set(), "
					 "map(), tuple() and object()."));
}

/* optional(TYPE) and optional(TYPE, DEFAULT) of an attribute: the type's expression; NULL where it
 * is none. */
static const struct hcl_expr *unwrap_optional(const struct constraint *c, const struct hcl_expr *x,
					      const struct hcl_expr **ret_default,
					      bool *ret_optional)
{
	size_t most = c->defaults ? 2 : 1;

	if (x->kind != HCL_CALL || !str_eqs(x->call.name, "optional"))
		return x;
	if (!x->call.nargs) {
		wrong(c, x, NULL, "optional() needs the type of the attribute.");
		return NULL;
	}
	if (x->call.nargs > most)
		wrong(c, x, NULL,
		      c->defaults
			  ? "optional() takes a type and a default value, and nothing more."
			  : "optional() takes only a type here: convert() has no default values.");
	else
		*ret_optional = true;
	if (x->call.nargs == 2 && c->defaults)
		*ret_default = x->call.args[1];
	return x->call.args[0];
}

/* The default value, which is a constant, in the type of its attribute; NULL: it is wrong. */
static const struct value *read_default(const struct constraint *c, const struct hcl_expr *x,
					const struct type *t)
{
	static const struct func_group *const none[] = {NULL};
	struct value *ret = arena_new_obj(c->e->arena, struct value);
	struct eval plain = *c->e;
	struct value v;
	AUTO(err) struct err err = ERR_INIT;

	plain.scope = NULL;
	plain.funcs = none;
	if (eval_expr(&plain, x, &v) < 0)
		return NULL;
	if (value_convert(c->e->arena, v, t, ret, &err) < 0) {
		diag_detail(c->e->diags,
			    eval_error(c->e, x->span, NULL, NULL,
				       "This default does not fit its attribute"),
			    "%s", eval_sentence(c->e, err.msg));
		return NULL;
	}
	return ret;
}

static bool has_attr(const struct type_attr *v, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].name, name))
			return true;
	return false;
}

static const struct type *object_type(const struct constraint *c, const struct hcl_expr *x)
{
	const struct hcl_expr *arg = x->call.args[0];
	struct type_attr *v;
	size_t n = 0;

	if (arg->kind != HCL_OBJECT)
		return wrong(c, arg, x,
			     "object() takes the types of its attributes in braces, as object({ "
			     "name = string }).");
	v = arena_new_array(c->e->arena, struct type_attr, arg->object.n);
	for (size_t i = 0; i < arg->object.n; i++) {
		const struct hcl_pair *pair = &arg->object.pairs[i];
		const struct hcl_expr *def = NULL, *of;
		struct type_attr attr = {0};

		if (!pair->bare || pair->key->kind != HCL_LITERAL) {
			wrong(c, pair->key, x,
			      "The attributes of object() have plain names, without quotes.");
			continue;
		}
		attr.name = pair->key->value.string;
		if (has_attr(v, n, attr.name)) {
			wrong(c, pair->key, x,
			      arena_printf(c->e->arena,
					   "The attribute \"" STR_FMT "\" is there twice.",
					   STR_ARG(attr.name)));
			continue;
		}
		of = unwrap_optional(c, pair->value, &def, &attr.optional);
		if (!of)
			continue;
		attr.type = read_type(c, of);
		if (def)
			attr.def = read_default(c, def, attr.type);
		v[n++] = attr;
	}
	return type_object(c->e->arena, v, n);
}

static const struct type *tuple_type(const struct constraint *c, const struct hcl_expr *x)
{
	const struct hcl_expr *arg = x->call.args[0];
	const struct type **elems;

	if (arg->kind != HCL_TUPLE)
		return wrong(c, arg, x,
			     "tuple() takes the types of its elements in brackets, as "
			     "tuple([string, number]).");
	elems = arena_new_array(c->e->arena, const struct type *, arg->tuple.n);
	for (size_t i = 0; i < arg->tuple.n; i++)
		elems[i] = read_type(c, arg->tuple.items[i]);
	return type_tuple(c->e->arena, elems, arg->tuple.n);
}

static const struct type *constructed(const struct constraint *c, const struct hcl_expr *x)
{
	static const char *const makers[] = {"list", "set", "map", "tuple", "object"};
	struct str name = x->call.name;
	const struct type *elem;
	size_t which = 0;

	while (which < ARRAY_LEN(makers) && !str_eqs(name, makers[which]))
		which++;
	if (str_eqs(name, "any") || str_eqs(name, "bool") || str_eqs(name, "number") ||
	    str_eqs(name, "string"))
		return wrong(c, x, NULL,
			     arena_printf(c->e->arena,
					  "\"" STR_FMT "\" is a type by itself, and takes no "
					  "arguments.",
					  STR_ARG(name)));
	if (str_eqs(name, "optional"))
		return wrong(c, x, NULL,
			     "optional() stands only around the type of an attribute in object().");
	if (which == ARRAY_LEN(makers))
		return named(c, x, name);
	if (x->call.nargs != 1)
		return wrong(c, x->call.nargs ? x->call.args[1] : x, x,
			     arena_printf(c->e->arena,
					  "%s() takes one argument, and there are %zu.",
					  makers[which], x->call.nargs));
	if (which == 4)
		return object_type(c, x);
	if (which == 3)
		return tuple_type(c, x);
	elem = read_type(c, x->call.args[0]);
	return which == 0   ? type_list(c->e->arena, elem)
	       : which == 1 ? type_set(c->e->arena, elem)
			    : type_map(c->e->arena, elem);
}

static const struct type *read_type(const struct constraint *c, const struct hcl_expr *x)
{
	struct str name = hcl_keyword(x);
	const struct type *t = &type_any;

	if (c->e->depth >= EVAL_DEPTH_MAX)
		return wrong(c, x, NULL, "Its parts are nested too deeply.");
	c->e->depth++;
	if (name.n)
		t = named(c, x, name);
	else if (x->kind == HCL_CALL)
		t = constructed(c, x);
	else
		wrong(c, x, NULL,
		      "A type is a name (any, bool, number, string) or made of types, as "
		      "list(string) or object({ name = string }).");
	c->e->depth--;
	return t;
}

static int type_or_error(struct eval *e, const struct hcl_expr *x, bool defaults,
			 const struct type **ret)
{
	struct constraint c = {.e = e, .defaults = defaults};
	size_t errors = e->diags->errors;
	const struct type *t = read_type(&c, x);

	if (e->diags->errors > errors)
		return -1;
	*ret = t;
	return 0;
}

int eval_type(struct eval *e, const struct hcl_expr *x, const struct type **ret)
{
	return type_or_error(e, x, true, ret);
}

int eval_type_plain(struct eval *e, const struct hcl_expr *x, const struct type **ret)
{
	return type_or_error(e, x, false, ret);
}
