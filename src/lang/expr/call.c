/* Calls of functions: finding them, counting and converting arguments, and what null, unknown and
 * marked ones mean. */
#include "lang/expr/evaluate.h"
#include "lang/expr/refine.h"

struct call {
	struct eval *e;
	const struct hcl_expr *x;
	const struct func *f;
	struct hcl_expr **exprs; /* expanded */
	struct value *args;
	size_t n;
};

static const struct func_group *const *groups_of(const struct eval *e)
{
	return e->funcs ? e->funcs : func_groups;
}

static struct span name_span(const struct hcl_expr *x)
{
	return x->call.name_span.src ? x->call.name_span : x->span;
}

static void tell_unknown(struct eval *e, const struct hcl_expr *x)
{
	const char *name = arena_str(e->arena, x->call.name).p,
		   *near = func_nearest(groups_of(e), name);
	ptrdiff_t colons = str_find(x->call.name, STR("::"));
	struct diag *g;

	if (e->funcs && func_find(func_groups, x->call.name)) {
		g = eval_error(e, name_span(x), x, x, "%s() cannot be called here", name);
		if (*e->funcs) /* defaults of variables */
			diag_detail(e->diags, g, "Only %s() can be.", (*e->funcs)->rows[0].name);
		else
			diag_detail(e->diags, g, "Only constant values can stand here.");
		return;
	}
	g = eval_error(e, name_span(x), x, x, "There is no function \"%s\"", name);
	if (colons > 0)
		diag_detail(e->diags, g,
			    "There are no functions in \"%.*s::\": all are called by one name.",
			    (int)colons, name);
	else if (streq(name, "env"))
		diag_detail(e->diags, g,
			    "Defaults of variables alone may call env(): variable \"x\" { default "
			    "= env(\"X\") }.");
	else if (near)
		diag_detail(e->diags, g, "Did you mean \"%s\"?", near);
	else
		diag_detail(e->diags, g, "`ingot docs functions` lists all functions.");
}

static const struct func_param *param_of(const struct func *f, size_t i)
{
	return &f->params[MIN(i, f->nparams - 1)];
}

/* The number of parameters that must be given. */
static size_t fixed_params(const struct func *f)
{
	return f->flags & FUNC_VARIADIC ? f->nparams - 1 : f->nparams;
}

/* f(list...): the elements of the last argument are arguments. 0; -1: there is nothing to call with
 * (reported, or not known yet). */
static int expand(struct call *c)
{
	const struct hcl_expr *last = c->exprs[c->n - 1];
	size_t errors = c->e->diags->errors, n;
	struct value v = eval_any(c->e, last);
	const struct type *t = type_of(c->e->arena, v);
	struct hcl_expr **exprs;

	if (c->e->diags->errors > errors)
		return -1;
	if (v.kind == VALUE_NULL) {
		diag_detail(
		    c->e->diags,
		    eval_error(c->e, last->span, c->x, last, "Null cannot be expanded with ..."),
		    "What stands before ... must be a list, set or tuple.");
		return -1;
	}
	if (t->kind != TYPE_ANY && t->kind != TYPE_LIST && t->kind != TYPE_SET &&
	    t->kind != TYPE_TUPLE) {
		struct str phrase = type_phrase(c->e->arena, t);

		diag_detail(
		    c->e->diags,
		    eval_error(c->e, last->span, c->x, last, "This cannot be expanded with ..."),
		    "What stands before ... must be a list, set or tuple, and this is " STR_FMT ".",
		    STR_ARG(phrase));
		return -1;
	}
	if (v.kind == VALUE_UNKNOWN)
		return -1;
	n = v.seq->n;
	exprs = arena_new_array(c->e->arena, struct hcl_expr *, c->n - 1 + n);
	memcpy(exprs, c->exprs, (c->n - 1) * sizeof(*exprs));
	for (size_t i = 0; i < n; i++) {
		struct hcl_expr *x = arena_new_obj(c->e->arena, struct hcl_expr);

		*x = (struct hcl_expr){.kind = HCL_LITERAL,
				       .span = last->span,
				       .value = value_mark(v.seq->v[i], v.sensitive)};
		exprs[c->n - 1 + i] = x;
	}
	c->exprs = exprs;
	c->n = c->n - 1 + n;
	return 0;
}

static bool count_fits(struct call *c)
{
	size_t fixed = fixed_params(c->f);
	bool open = c->f->flags & FUNC_VARIADIC;
	struct span end = c->x->span;

	if (c->n < fixed) {
		end.from = end.to > end.from ? end.to - 1 : end.from; /* the closing parenthesis */
		diag_detail(c->e->diags,
			    eval_error(c->e, end, c->x, c->x, "%s needs an argument \"%s\"",
				       c->f->name, c->f->params[c->n].name),
			    "It takes %s%zu, and there %s %zu.", open ? "at least " : "", fixed,
			    c->n == 1 ? "is" : "are", c->n);
		return false;
	}
	if (!open && c->n > fixed) {
		diag_detail(c->e->diags,
			    eval_error(c->e, c->exprs[fixed]->span, c->x, c->x,
				       "%s has too many arguments", c->f->name),
			    "It takes %zu argument%s, and there are %zu.", fixed,
			    fixed == 1 ? "" : "s", c->n);
		return false;
	}
	return true;
}

static void blame(struct call *c, size_t i, const char *why)
{
	diag_detail(c->e->diags,
		    eval_error(c->e, c->exprs[i]->span, c->x, c->exprs[i],
			       "%s cannot take this as \"%s\"", c->f->name,
			       param_of(c->f, i)->name),
		    "%s", eval_sentence(c->e, why));
}

static bool evaluate_args(struct call *c)
{
	size_t errors = c->e->diags->errors;

	c->args = arena_new_array(c->e->arena, struct value, c->n);
	for (size_t i = 0; i < c->n; i++) {
		AUTO(err) struct err err = ERR_INIT;

		c->args[i] = eval_any(c->e, c->exprs[i]);
		if (value_convert(c->e->arena, c->args[i], param_of(c->f, i)->type, &c->args[i],
				  &err) < 0)
			blame(c, i, err.msg);
	}
	return c->e->diags->errors == errors;
}

/* Whether the function may see the arguments. If not, *ret is the result in their place. Marks that
 * it must not see are taken off and noted. */
static bool admit_args(struct call *c, bool *marked, struct value *ret)
{
	bool unknown = false;

	for (size_t i = 0; i < c->n; i++) {
		unsigned flags = param_of(c->f, i)->flags;
		bool one = false;

		if (!(flags & PARAM_MARKED))
			c->args[i] = value_unmark_deep(c->e->arena, c->args[i], &one);
		*marked |= one;
	}
	for (size_t i = 0; i < c->n; i++) {
		unsigned flags = param_of(c->f, i)->flags;
		struct value v = c->args[i];

		if (v.kind == VALUE_NULL && !(flags & PARAM_NULL)) {
			blame(c, i, "It must not be null");
			*ret = value_unknown(c->x->span);
			return false;
		}
		if ((v.kind == VALUE_NULL || v.kind == VALUE_UNKNOWN) && !v.type &&
		    !(flags & PARAM_DYNAMIC)) {
			*ret = value_unknown(c->x->span);
			return false;
		}
		unknown |= !(flags & PARAM_UNKNOWN) && value_has_unknown(v);
	}
	if (unknown)
		*ret = value_unknown_of(c->f->returns, c->x->span);
	return !unknown;
}

static struct value run(struct call *c)
{
	struct func_call fc = {.arena = c->e->arena,
			       .eval = c->e,
			       .func = c->f,
			       .span = c->x->span,
			       .exprs = c->exprs,
			       .nexprs = c->n,
			       .bad_arg = -1};
	bool lazy = c->f->flags & FUNC_LAZY;
	AUTO(err) struct err err = ERR_INIT;
	struct value ret;

	if (c->f->call(&fc, lazy ? NULL : c->args, lazy ? 0 : c->n, &ret, &err) == 0)
		return ret;
	if (!err_any(&err))
		return value_unknown(c->x->span); /* a lazy one has told it itself */
	if (fc.bad_arg >= 0 && (size_t)fc.bad_arg < c->n)
		blame(c, (size_t)fc.bad_arg, err.msg);
	else
		diag_detail(c->e->diags,
			    eval_error(c->e, c->x->span, NULL, c->x, "%s failed", c->f->name), "%s",
			    eval_sentence(c->e, err.msg));
	return value_unknown(c->x->span);
}

struct value eval_call(struct eval *e, const struct hcl_expr *x)
{
	struct call c = {.e = e,
			 .x = x,
			 .exprs = x->call.args,
			 .n = x->call.nargs,
			 .f = func_find(groups_of(e), x->call.name)};
	bool marked = false;
	struct value ret;

	if (!c.f) {
		tell_unknown(e, x);
		return value_unknown(x->span);
	}
	if (x->call.expand && c.n && expand(&c) < 0)
		return value_unknown(x->span);
	if (!count_fits(&c))
		return value_unknown(x->span);
	if (c.f->flags & FUNC_LAZY)
		return run(&c);
	if (!evaluate_args(&c))
		return value_unknown(x->span);
	if (admit_args(&c, &marked, &ret))
		ret = run(&c);
	if (!(c.f->flags & FUNC_UNREFINED))
		ret = value_not_null(e->arena, ret);
	ret.span = x->span;
	return value_mark(ret, marked);
}
