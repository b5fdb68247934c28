/* Evaluator: walks the tree and writes the text. A value that does not exist (a field the dot
 * lacks) is VALUE_UNKNOWN in here and prints as "<no value>", as Go has it. */
#include "base/vec.h"
#include "lang/gotmpl/format.h"
#include "lang/gotmpl/tree.h"

struct variable {
	struct str name;
	struct value value;
};

struct exec {
	const struct gotmpl *t;
	struct gotmpl_env *env;
	struct buf *out;
	VEC(struct variable) vars;
	unsigned depth; /* of {{template}} */
	size_t steps;
	size_t memory; /* of the arena before */
	struct err *err;
};

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE, FLOW_ERROR };

static enum flow run_list(struct exec *x, const struct node_list *list, struct value dot);
static int eval_pipe(struct exec *x, const struct node *pipe, struct value dot, struct value *ret);

static const struct value no_value = { .kind = VALUE_UNKNOWN };

static const struct gotmpl_func *find_func(const struct gotmpl_env *env, struct str name)
{
	for (size_t i = 0; i < env->nfuncs; i++)
		if (str_eqs(name, env->funcs[i].name))
			return &env->funcs[i];
	for (size_t i = 0; i < ngotmpl_builtins; i++)
		if (str_eqs(name, gotmpl_builtins[i].name))
			return &gotmpl_builtins[i];
	return NULL;
}

/* Every node that is run counts: ranges inside ranges must end. */
static int step(struct exec *x, uint32_t pos)
{
	if (++x->steps > GOTMPL_STEPS_MAX)
		return gotmpl_error(x->err, pos, "it takes more than %d steps", GOTMPL_STEPS_MAX);
	if (x->out->n > GOTMPL_OUTPUT_MAX)
		return gotmpl_error(x->err, pos, "it gives more than %zu MiB of text",
				    GOTMPL_OUTPUT_MAX >> 20);
	if (arena_size(x->env->arena) > x->memory + GOTMPL_MEMORY_MAX)
		return gotmpl_error(x->err, pos, "its values take more than %zu MiB of memory",
				    GOTMPL_MEMORY_MAX >> 20);
	return 0;
}

static struct value *find_var(struct exec *x, struct str name)
{
	for (size_t i = x->vars.n; i-- > 0;)
		if (str_eq(x->vars.v[i].name, name))
			return &x->vars.v[i].value;
	return NULL;
}

/* A variable set inside parentheses that and/or skipped does not exist. */
static struct value get_var(struct exec *x, struct str name)
{
	struct value *v = find_var(x, name);

	return v ? *v : no_value;
}

static void set_var(struct exec *x, struct str name, bool assigns, struct value v)
{
	struct value *old = assigns ? find_var(x, name) : NULL;

	if (old)
		*old = v;
	else
		vec_push(&x->vars, (struct variable){ name, v });
}

static int eval_fields(struct exec *x, const struct node *n, struct value v, struct value *ret)
{
	for (size_t i = 0; i < n->nfields; i++) {
		const struct value_attr *found = NULL;

		if (value_is_attrs(v))
			for (size_t j = 0; j < v.attrs->n && !found; j++)
				if (str_eq(v.attrs->v[j].key, n->fields[i]))
					found = &v.attrs->v[j];
		if (!found && v.kind != VALUE_UNKNOWN && !value_is_attrs(v))
			return gotmpl_error(x->err, n->pos, "%s has no field %.*s",
					    value_kind_phrase(v), (int)n->fields[i].n,
					    n->fields[i].p);
		if (!found && (x->env->missing_is_error || v.kind == VALUE_OBJECT))
			return gotmpl_error(x->err, n->pos, "there is no field %.*s here",
					    (int)n->fields[i].n, n->fields[i].p);
		v = found ? found->value : no_value;
	}
	*ret = v;
	return 0;
}

static int eval_call(struct exec *x, const struct node *n, const struct command *c,
		     struct value dot, const struct value *final, struct value *ret);

/* An operand that stands alone, as an argument or as a command without arguments. */
static int eval_operand(struct exec *x, const struct node *n, struct value dot, struct value *ret)
{
	const struct command alone = { .n = 1 };
	struct value v;

	if (step(x, n->pos) < 0)
		return -1;
	switch (n->kind) {
	case NODE_DOT:
		*ret = dot;
		return 0;
	case NODE_NIL:
		*ret = value_null((struct span){ 0 });
		return 0;
	case NODE_CONST:
		*ret = n->value;
		return 0;
	case NODE_FIELD:
		return eval_fields(x, n, dot, ret);
	case NODE_VAR:
		return eval_fields(x, n, get_var(x, n->text), ret);
	case NODE_FUNC:
		return eval_call(x, n, &alone, dot, NULL, ret);
	case NODE_PIPE:
		return eval_pipe(x, n, dot, ret);
	case NODE_CHAIN:
		if (eval_operand(x, n->pipe, dot, &v) < 0)
			return -1;
		return eval_fields(x, n, v.kind == VALUE_NULL ? no_value : v, ret);
	default:
		return gotmpl_error(x->err, n->pos, "this is no value");
	}
}

static int check_args(struct exec *x, const struct node *n, const struct gotmpl_func *f,
		      size_t nargs)
{
	if (nargs >= (size_t)f->min_args && (f->max_args < 0 || nargs <= (size_t)f->max_args))
		return 0;
	return gotmpl_error(x->err, n->pos, "%s takes %s%d argument%s, %zu given", f->name,
			    f->max_args == f->min_args	  ? ""
			    : nargs < (size_t)f->min_args ? "at least "
							  : "at most ",
			    nargs < (size_t)f->min_args ? f->min_args : f->max_args,
			    (nargs < (size_t)f->min_args ? f->min_args : f->max_args) == 1 ? ""
											   : "s",
			    nargs);
}

/* and, or: evaluate no more arguments than needed; the result is the deciding one. */
static int eval_short_circuit(struct exec *x, bool is_or, const struct command *c, struct value dot,
			      const struct value *final, struct value *ret)
{
	for (size_t i = 1; i < c->n; i++) {
		if (eval_operand(x, c->args[i], dot, ret) < 0)
			return -1;
		if (gotmpl_is_true(*ret) == is_or)
			return 0;
	}
	if (final)
		*ret = *final;
	return 0;
}

static int eval_call(struct exec *x, const struct node *n, const struct command *c,
		     struct value dot, const struct value *final, struct value *ret)
{
	const struct gotmpl_func *f = find_func(x->env, n->text);
	size_t nargs = c->n - 1 + (final != NULL);
	AUTO(err) struct err inner = ERR_INIT;
	struct value *args;

	if (!f)
		return gotmpl_error(x->err, n->pos, "there is no function \"%.*s\"", (int)n->text.n,
				    n->text.p);
	if (check_args(x, n, f, nargs) < 0)
		return -1;
	if (streq(f->name, "and") || streq(f->name, "or"))
		return eval_short_circuit(x, streq(f->name, "or"), c, dot, final, ret);
	args = arena_new_array(x->env->arena, struct value, nargs + 1);
	for (size_t i = 1; i < c->n; i++)
		if (eval_operand(x, c->args[i], dot, &args[i - 1]) < 0)
			return -1;
	if (final)
		args[nargs - 1] = *final;
	if (f->call(x->env, args, nargs, ret, &inner) < 0)
		return gotmpl_error(x->err, n->pos, "%s: %s", f->name, inner.msg);
	return 0;
}

static int eval_command(struct exec *x, const struct command *c, struct value dot,
			const struct value *final, struct value *ret)
{
	const struct node *first = c->args[0];

	if (first->kind == NODE_FUNC)
		return eval_call(x, first, c, dot, final, ret);
	if (first->kind == NODE_NIL)
		return gotmpl_error(x->err, first->pos, "nil alone is nothing to run");
	if (c->n > 1 || final)
		return gotmpl_error(x->err, first->pos,
				    "only a function takes arguments, and this is none");
	return eval_operand(x, first, dot, ret);
}

static int eval_pipe(struct exec *x, const struct node *pipe, struct value dot, struct value *ret)
{
	struct value v = no_value;

	if (step(x, pipe->pos) < 0)
		return -1;
	for (size_t i = 0; i < pipe->ncommands; i++) {
		struct value next;

		if (eval_command(x, &pipe->commands[i], dot, i ? &v : NULL, &next) < 0)
			return -1;
		v = next;
	}
	for (size_t i = 0; i < pipe->nvars; i++)
		set_var(x, pipe->vars[i], pipe->assigns, v);
	*ret = v;
	return 0;
}

static enum flow run_branch(struct exec *x, const struct node *n, struct value dot)
{
	size_t scope = x->vars.n;
	enum flow flow;
	struct value v;

	if (eval_pipe(x, n->pipe, dot, &v) < 0)
		return FLOW_ERROR;
	if (gotmpl_is_true(v))
		flow = run_list(x, &n->body, n->kind == NODE_WITH ? v : dot);
	else
		flow = run_list(x, &n->otherwise, dot);
	x->vars.n = scope;
	return flow;
}

/* One turn of a range: sets its variables, runs the body. */
static enum flow run_turn(struct exec *x, const struct node *n, struct value key,
			  struct value element)
{
	const struct node *pipe = n->pipe;
	size_t scope = x->vars.n;
	struct value values[2] = { pipe->nvars == 2 ? key : element, element };
	enum flow flow;

	if (step(x, n->pos) < 0)
		return FLOW_ERROR;
	for (size_t i = 0; i < pipe->nvars; i++)
		set_var(x, pipe->vars[i], pipe->assigns, values[i]);
	flow = run_list(x, &n->body, element);
	x->vars.n = scope;
	return flow == FLOW_CONTINUE ? FLOW_ON : flow;
}

static int compare_attrs(const void *a, const void *b)
{
	const struct value_attr *const *x = a, *const *y = b;

	return str_cmp((*x)->key, (*y)->key);
}

const struct value_attr **gotmpl_sorted_attrs(struct arena *a, struct value v)
{
	const struct value_attr **sorted = arena_new_array(a, const struct value_attr *,
							   v.attrs->n);

	for (size_t i = 0; i < v.attrs->n; i++)
		sorted[i] = &v.attrs->v[i];
	qsort(sorted, v.attrs->n, sizeof(*sorted), compare_attrs);
	return sorted;
}

static enum flow range_over(struct exec *x, const struct node *n, struct value v, size_t *ret_turns)
{
	struct arena *a = x->env->arena;
	const struct value_attr **attrs = NULL;
	enum flow flow = FLOW_ON;
	int64_t count = 0;

	if (value_is_seq(v) || value_is_attrs(v))
		count = (int64_t)value_len(v);
	else if (gotmpl_as_int(v, &count) && n->pipe->nvars == 2) {
		gotmpl_error(x->err, n->pipe->pos, "range over a number sets one variable");
		return FLOW_ERROR;
	} else if (!gotmpl_as_int(v, &count) && v.kind != VALUE_NULL && v.kind != VALUE_UNKNOWN) {
		gotmpl_error(x->err, n->pipe->pos, "range cannot go over %s", value_kind_phrase(v));
		return FLOW_ERROR;
	}
	if (value_is_attrs(v))
		attrs = gotmpl_sorted_attrs(a, v);
	*ret_turns = count > 0 ? (size_t)count : 0;
	for (int64_t i = 0; i < count && flow == FLOW_ON; i++) {
		struct value key = value_i64(a, i, (struct span){ 0 });

		if (attrs)
			flow = run_turn(x, n, value_string(attrs[i]->key, (struct span){ 0 }),
					attrs[i]->value);
		else
			flow = run_turn(x, n, key, value_is_seq(v) ? v.seq->v[i] : key);
	}
	return flow == FLOW_BREAK ? FLOW_ON : flow;
}

static enum flow run_range(struct exec *x, const struct node *n, struct value dot)
{
	struct node pipe = *n->pipe;
	size_t scope = x->vars.n, turns = 0;
	enum flow flow;
	struct value v;

	pipe.nvars = 0; /* the variables are set in each turn */
	if (eval_pipe(x, &pipe, dot, &v) < 0)
		return FLOW_ERROR;
	flow = range_over(x, n, v, &turns);
	if (flow == FLOW_ON && !turns)
		flow = run_list(x, &n->otherwise, dot);
	x->vars.n = scope;
	return flow;
}

static enum flow run_template(struct exec *x, const struct node *n, struct value dot)
{
	const struct define *d = NULL;
	struct value v = no_value;
	size_t base;
	enum flow flow;

	for (size_t i = 0; i < x->t->ndefines; i++)
		if (str_eq(x->t->defines[i].name, n->text))
			d = &x->t->defines[i];
	if (!d) {
		gotmpl_error(x->err, n->pos, "the template \"%.*s\" is not defined", (int)n->text.n,
			     n->text.p);
		return FLOW_ERROR;
	}
	if (n->pipe && eval_pipe(x, n->pipe, dot, &v) < 0)
		return FLOW_ERROR;
	if (v.kind == VALUE_NULL)
		v = no_value;
	if (++x->depth > GOTMPL_DEPTH_MAX) {
		gotmpl_error(x->err, n->pos, "templates call each other deeper than %d levels",
			     GOTMPL_DEPTH_MAX);
		return FLOW_ERROR;
	}
	base = x->vars.n;
	vec_push(&x->vars, (struct variable){ STR("$"), v });
	flow = run_list(x, &d->body, v);
	x->vars.n = base;
	x->depth--;
	return flow;
}

static enum flow run_action(struct exec *x, const struct node *n, struct value dot)
{
	struct value v;

	if (eval_pipe(x, n->pipe, dot, &v) < 0)
		return FLOW_ERROR;
	if (n->pipe->nvars)
		return FLOW_ON;
	if (v.kind == VALUE_NULL || v.kind == VALUE_UNKNOWN)
		buf_adds(x->out, "<no value>");
	else
		gotmpl_print_value(x->out, v, x->env->arena);
	return FLOW_ON;
}

static enum flow run_node(struct exec *x, const struct node *n, struct value dot)
{
	if (step(x, n->pos) < 0)
		return FLOW_ERROR;
	switch (n->kind) {
	case NODE_TEXT:
		buf_add_str(x->out, n->text);
		return FLOW_ON;
	case NODE_ACTION:
		return run_action(x, n, dot);
	case NODE_IF:
	case NODE_WITH:
		return run_branch(x, n, dot);
	case NODE_RANGE:
		return run_range(x, n, dot);
	case NODE_TEMPLATE:
		return run_template(x, n, dot);
	case NODE_BREAK:
		return FLOW_BREAK;
	default:
		return FLOW_CONTINUE;
	}
}

static enum flow run_list(struct exec *x, const struct node_list *list, struct value dot)
{
	enum flow flow = FLOW_ON;

	for (size_t i = 0; i < list->n && flow == FLOW_ON; i++)
		flow = run_node(x, list->v[i], dot);
	return flow;
}

bool gotmpl_is_true(struct value v)
{
	double d;

	switch (v.kind) {
	case VALUE_NULL:
	case VALUE_UNKNOWN:
		return false;
	case VALUE_BOOL:
		return v.boolean;
	case VALUE_NUMBER:
		return !value_as_double(v, &d) || d != 0;
	default:
		return value_len(v) > 0;
	}
}

int gotmpl_check(const struct gotmpl *t, const struct gotmpl_env *env, struct err *err)
{
	for (size_t i = 0; i < t->nfuncs; i++) {
		const struct node *n = t->funcs[i];
		const char *names[128], *near;
		size_t count = 0;

		if (find_func(env, n->text))
			continue;
		for (size_t j = 0; j < env->nfuncs && count < ARRAY_LEN(names); j++)
			names[count++] = env->funcs[j].name;
		near = str_nearest(arena_strndup(env->arena, n->text.p, n->text.n), names, count);
		return gotmpl_error(err, n->pos, "there is no function \"%.*s\"%s%s%s",
				    (int)n->text.n, n->text.p, near ? "; did you mean \"" : "",
				    near ? near : "", near ? "\"?" : "");
	}
	return 0;
}

int gotmpl_render(const struct gotmpl *t, struct gotmpl_env *env, struct buf *out, struct err *err)
{
	struct exec x = { .t = t, .env = env, .out = out, .err = err,
			  .memory = arena_size(env->arena) };
	enum flow flow;
	struct value dot;

	if (gotmpl_check(t, env, err) < 0)
		return -1;
	dot = env->dot.kind == VALUE_NULL ? no_value : env->dot;
	vec_push(&x.vars, (struct variable){ STR("$"), dot });
	flow = run_list(&x, &t->body, dot);
	vec_release(&x.vars);
	if (flow != FLOW_ERROR && out->n > GOTMPL_OUTPUT_MAX)
		return gotmpl_error(err, 0, "it gives more than %zu MiB of text",
				    GOTMPL_OUTPUT_MAX >> 20);
	return flow == FLOW_ERROR ? -1 : 0;
}

int gotmpl_render_text(struct gotmpl_env *env, struct str text, struct str *ret, struct err *err)
{
	AUTO(buf) struct buf out = BUF_INIT;
	struct gotmpl *t;

	if (!gotmpl_has_actions(text)) {
		*ret = text;
		return 0;
	}
	if (gotmpl_parse(env->arena, text, &t, err) < 0 || gotmpl_render(t, env, &out, err) < 0)
		return -1;
	*ret = arena_str(env->arena, buf_str(&out));
	return 0;
}
