/* Parser: items to a tree. Variables are resolved while parsing (an undefined one is an error of
 * the text); functions are looked up later, since only the renderer knows them. */
#include "base/vec.h"
#include "lang/gotmpl/tree.h"

struct parser {
	struct lexer lex;
	struct arena *arena;
	struct item item; /* the one looked at */
	VEC(struct str) vars; /* in scope */
	size_t vars_from;     /* a define sees none before its own */
	VEC(const struct node *) funcs;
	VEC(struct define) defines;
	unsigned depth, range_depth;
	struct err *err;
};

typedef VEC(struct node *) node_vec;

/* How a list of nodes ended. */
enum list_end { END_EOF, END_END, END_ELSE };

static int parse_pipeline(struct parser *p, enum item_kind end, struct node **ret);
static int parse_list(struct parser *p, struct node_list *ret, enum list_end *ret_end);

static int advance(struct parser *p)
{
	return lex_next(&p->lex, &p->item, p->err);
}

static int skip_space(struct parser *p)
{
	while (p->item.kind == ITEM_SPACE)
		if (advance(p) < 0)
			return -1;
	return 0;
}

static int next_item(struct parser *p)
{
	return advance(p) < 0 ? -1 : skip_space(p);
}

static int unexpected(struct parser *p, const char *where)
{
	if (p->item.kind == ITEM_EOF)
		return gotmpl_error(p->err, p->item.pos, "the text ends %s", where);
	if (p->item.kind == ITEM_RIGHT)
		return gotmpl_error(p->err, p->item.pos, "'}}' %s", where);
	return gotmpl_error(p->err, p->item.pos, "\"%.*s\" cannot stand %s", (int)p->item.text.n,
			    p->item.text.p, where);
}

static struct node *node_new(struct parser *p, enum node_kind kind, uint32_t pos)
{
	struct node *n = arena_new_obj(p->arena, struct node);

	n->kind = kind;
	n->pos = pos;
	return n;
}

static bool keyword(const struct parser *p, const char *word)
{
	return p->item.kind == ITEM_IDENT && str_eqs(p->item.text, word);
}

static int close_action(struct parser *p)
{
	return p->item.kind == ITEM_RIGHT ? 0 : unexpected(p, "here; '}}' belongs");
}

static bool has_var(const struct parser *p, struct str name)
{
	for (size_t i = p->vars.n; i-- > p->vars_from;)
		if (str_eq(p->vars.v[i], name))
			return true;
	return false;
}

/* .A.B directly behind an operand. */
static int parse_fields(struct parser *p, struct node *n)
{
	VEC(struct str) fields = VEC_INIT;
	int r = 0;

	while (r == 0 && p->item.kind == ITEM_FIELD) {
		vec_push(&fields, str_slice(p->item.text, 1, p->item.text.n));
		r = advance(p);
	}
	n->nfields = fields.n;
	n->fields = arena_copy_array(p->arena, fields.v, fields.n);
	vec_release(&fields);
	return r;
}

/* Puts the fields that follow n into a chain around it, if there are any. */
static int parse_chain(struct parser *p, struct node **n)
{
	struct node *chain;

	if (p->item.kind != ITEM_FIELD)
		return 0;
	if ((*n)->kind == NODE_CONST || (*n)->kind == NODE_NIL || (*n)->kind == NODE_DOT)
		return unexpected(p, "behind a constant");
	chain = node_new(p, NODE_CHAIN, (*n)->pos);
	chain->pipe = *n;
	*n = chain;
	return parse_fields(p, chain);
}

static int parse_word(struct parser *p, struct node **ret)
{
	struct node *n;

	if (keyword(p, "nil")) {
		n = node_new(p, NODE_NIL, p->item.pos);
	} else if (keyword(p, "true") || keyword(p, "false")) {
		n = node_new(p, NODE_CONST, p->item.pos);
		n->value = value_bool(keyword(p, "true"), (struct span){ 0 });
	} else {
		n = node_new(p, NODE_FUNC, p->item.pos);
		n->text = p->item.text;
		vec_push(&p->funcs, n);
	}
	*ret = n;
	return advance(p) < 0 ? -1 : parse_chain(p, ret);
}

static int parse_parens(struct parser *p, struct node **ret)
{
	if (++p->depth > GOTMPL_DEPTH_MAX)
		return gotmpl_error(p->err, p->item.pos, "nested deeper than %d levels",
				    GOTMPL_DEPTH_MAX);
	if (next_item(p) < 0 || parse_pipeline(p, ITEM_CLOSE, ret) < 0 || advance(p) < 0)
		return -1;
	p->depth--;
	return parse_chain(p, ret);
}

/* One operand; *ret NULL if the item begins none. */
static int parse_operand(struct parser *p, struct node **ret)
{
	struct node *n;

	*ret = NULL;
	switch (p->item.kind) {
	case ITEM_IDENT:
		return parse_word(p, ret);
	case ITEM_OPEN:
		return parse_parens(p, ret);
	case ITEM_DOT:
		*ret = node_new(p, NODE_DOT, p->item.pos);
		return advance(p) < 0 ? -1 : parse_chain(p, ret);
	case ITEM_FIELD:
		*ret = n = node_new(p, NODE_FIELD, p->item.pos);
		return parse_fields(p, n);
	case ITEM_VAR:
		*ret = n = node_new(p, NODE_VAR, p->item.pos);
		n->text = p->item.text;
		if (!has_var(p, n->text))
			return gotmpl_error(p->err, n->pos, "the variable \"%.*s\" is not defined",
					    (int)n->text.n, n->text.p);
		return advance(p) < 0 ? -1 : parse_fields(p, n);
	case ITEM_STRING:
	case ITEM_CHAR:
	case ITEM_NUMBER:
		*ret = n = node_new(p, NODE_CONST, p->item.pos);
		n->value = p->item.value;
		n->text = p->item.text;
		return advance(p) < 0 ? -1 : parse_chain(p, ret);
	default:
		return 0;
	}
}

/* Operands up to '|' or the end of the pipeline. */
static int parse_command(struct parser *p, enum item_kind end, struct command *ret)
{
	node_vec args = VEC_INIT;
	struct node *n;
	int r = 0;

	while (p->item.kind != end && p->item.kind != ITEM_PIPE) {
		if (args.n && p->item.kind != ITEM_SPACE) {
			r = unexpected(p, "here without a space before it");
			break;
		}
		r = skip_space(p);
		if (r < 0 || p->item.kind == end || p->item.kind == ITEM_PIPE)
			break;
		r = parse_operand(p, &n);
		if (r == 0 && !n)
			r = unexpected(p, "here");
		if (r < 0)
			break;
		vec_push(&args, n);
	}
	if (r == 0 && !args.n)
		r = gotmpl_error(p->err, p->item.pos, "nothing to run stands here");
	ret->n = args.n;
	ret->args = arena_copy_array(p->arena, args.v, args.n);
	vec_release(&args);
	return r;
}

/* A constant can take nothing from a pipe. */
static int check_pipeline(struct parser *p, const struct node *pipe)
{
	for (size_t i = 1; i < pipe->ncommands; i++) {
		const struct node *first = pipe->commands[i].args[0];

		if (first->kind == NODE_CONST || first->kind == NODE_DOT || first->kind == NODE_NIL)
			return gotmpl_error(p->err, first->pos,
					    "a value cannot stand behind '|'; a function belongs "
					    "there");
	}
	return 0;
}

/* $x := / $x = / $i, $e := in front of a pipeline. A plain $x stays for parse_command. */
static int parse_declaration(struct parser *p, struct node *pipe)
{
	while (p->item.kind == ITEM_VAR && pipe->nvars < 2) {
		struct lexer saved = p->lex;
		struct item var = p->item;

		if (next_item(p) < 0)
			return -1;
		if (p->item.kind != ITEM_DECLARE && p->item.kind != ITEM_ASSIGN &&
		    p->item.kind != ITEM_COMMA) {
			p->lex = saved;
			p->item = var;
			return pipe->nvars ? unexpected(p, "here; ':=' belongs") : 0;
		}
		if (p->item.kind == ITEM_ASSIGN && !has_var(p, var.text))
			return gotmpl_error(p->err, var.pos, "the variable \"%.*s\" is not defined",
					    (int)var.text.n, var.text.p);
		pipe->vars[pipe->nvars++] = var.text;
		if (p->item.kind == ITEM_COMMA) {
			if (pipe->nvars == 2)
				return unexpected(p, "behind two variables");
			if (next_item(p) < 0)
				return -1;
			continue;
		}
		pipe->assigns = p->item.kind == ITEM_ASSIGN;
		return next_item(p);
	}
	return pipe->nvars ? unexpected(p, "here; ':=' belongs") : 0;
}

static int parse_pipeline(struct parser *p, enum item_kind end, struct node **ret)
{
	struct node *pipe = node_new(p, NODE_PIPE, p->item.pos);
	VEC(struct command) commands = VEC_INIT;
	struct command c = { 0 };
	int r = skip_space(p);

	if (r == 0)
		r = parse_declaration(p, pipe);
	while (r == 0) {
		r = parse_command(p, end, &c);
		if (r == 0)
			vec_push(&commands, c);
		if (r < 0 || p->item.kind == end)
			break;
		r = next_item(p);
		if (p->item.kind == end) /* a '|' may end it */
			break;
	}
	pipe->ncommands = commands.n;
	pipe->commands = arena_copy_array(p->arena, commands.v, commands.n);
	vec_release(&commands);
	if (r == 0)
		r = check_pipeline(p, pipe);
	if (r == 0 && !pipe->assigns)
		for (size_t i = 0; i < pipe->nvars; i++)
			vec_push(&p->vars, pipe->vars[i]);
	*ret = pipe;
	return r;
}

static int two_variables(struct parser *p, const struct node *n)
{
	return gotmpl_error(p->err, n->pos, "only range sets two variables");
}

/* {{else if …}} is an if inside the else, with one end for both; {{else with …}} a with. */
static int parse_control(struct parser *p, enum node_kind kind, struct node **ret)
{
	struct node *n = node_new(p, kind, p->item.pos), *inner;
	size_t scope = p->vars.n;
	enum list_end end;

	*ret = n;
	if (++p->depth > GOTMPL_DEPTH_MAX)
		return gotmpl_error(p->err, n->pos, "nested deeper than %d levels",
				    GOTMPL_DEPTH_MAX);
	if (next_item(p) < 0 || parse_pipeline(p, ITEM_RIGHT, &n->pipe) < 0)
		return -1;
	if (n->pipe->nvars == 2 && kind != NODE_RANGE)
		return two_variables(p, n);
	p->range_depth += kind == NODE_RANGE;
	if (parse_list(p, &n->body, &end) < 0)
		return -1;
	p->range_depth -= kind == NODE_RANGE;
	if (end == END_ELSE && kind != NODE_RANGE && keyword(p, kind == NODE_IF ? "if" : "with")) {
		if (parse_control(p, kind, &inner) < 0)
			return -1;
		n->otherwise.n = 1;
		n->otherwise.v = arena_new_array(p->arena, struct node *, 1);
		n->otherwise.v[0] = inner;
	} else if (end == END_ELSE) {
		if (close_action(p) < 0 || parse_list(p, &n->otherwise, &end) < 0)
			return -1;
		if (end == END_ELSE)
			return gotmpl_error(p->err, p->item.pos, "a second {{else}}");
	}
	if (end == END_EOF)
		return gotmpl_error(p->err, n->pos, "{{end}} is missing for this action");
	p->vars.n = scope;
	p->depth--;
	return 0;
}

static int parse_name(struct parser *p, struct str *ret)
{
	if (p->item.kind != ITEM_STRING)
		return unexpected(p, "here; the template's name in quotes belongs");
	*ret = p->item.value.string;
	return next_item(p);
}

static int parse_template(struct parser *p, struct node **ret)
{
	struct node *n = *ret = node_new(p, NODE_TEMPLATE, p->item.pos);

	if (next_item(p) < 0 || parse_name(p, &n->text) < 0)
		return -1;
	return p->item.kind == ITEM_RIGHT ? 0 : parse_pipeline(p, ITEM_RIGHT, &n->pipe);
}

static bool is_blank(const struct node_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i]->kind != NODE_TEXT || str_trim(l->v[i]->text).n)
			return false;
	return true;
}

/* A name is defined once; a blank definition never hides another. */
static int add_define(struct parser *p, const struct node *n, struct define d)
{
	for (size_t i = 0; i < p->defines.n; i++) {
		struct define *old = &p->defines.v[i];

		if (!str_eq(old->name, d.name))
			continue;
		if (is_blank(&old->body))
			*old = d;
		else if (!is_blank(&d.body))
			return gotmpl_error(p->err, n->pos,
					    "the template \"%.*s\" is defined twice", (int)d.name.n,
					    d.name.p);
		return 0;
	}
	vec_push(&p->defines, d);
	return 0;
}

/* {{define "x"}} … {{end}}, and {{block "x" pipe}} which also calls it there. */
static int parse_define(struct parser *p, bool block, struct node **ret)
{
	struct node *n = node_new(p, NODE_TEMPLATE, p->item.pos);
	size_t scope = p->vars.n, scope_from = p->vars_from;
	unsigned range_depth = p->range_depth;
	struct define d = { 0 };
	enum list_end end;

	*ret = block ? n : NULL;
	if (!block && p->depth)
		return gotmpl_error(p->err, n->pos,
				    "{{define}} stands outside of all other actions");
	p->range_depth = 0; /* a jump out of a template has no aim */
	if (++p->depth > GOTMPL_DEPTH_MAX)
		return gotmpl_error(p->err, n->pos, "nested deeper than %d levels",
				    GOTMPL_DEPTH_MAX);
	if (next_item(p) < 0 || parse_name(p, &d.name) < 0)
		return -1;
	n->text = d.name;
	if (block ? parse_pipeline(p, ITEM_RIGHT, &n->pipe) < 0 : close_action(p) < 0)
		return -1;
	p->vars_from = p->vars.n;
	vec_push(&p->vars, STR("$"));
	if (parse_list(p, &d.body, &end) < 0)
		return -1;
	if (end != END_END)
		return gotmpl_error(p->err, n->pos, "{{end}} is missing for this action");
	p->vars.n = scope;
	p->vars_from = scope_from;
	p->range_depth = range_depth;
	p->depth--;
	return add_define(p, n, d);
}

static int parse_jump(struct parser *p, enum node_kind kind, struct node **ret)
{
	*ret = node_new(p, kind, p->item.pos);
	if (!p->range_depth)
		return gotmpl_error(p->err, p->item.pos, "{{%s}} outside of {{range}}",
				    kind == NODE_BREAK ? "break" : "continue");
	return next_item(p) < 0 ? -1 : close_action(p);
}

/* The item is the first of an action. *ret NULL: it made no node. */
static int parse_action(struct parser *p, struct node **ret)
{
	static const struct {
		const char *word;
		enum node_kind kind;
	} controls[] = { { "if", NODE_IF }, { "with", NODE_WITH }, { "range", NODE_RANGE } };

	*ret = NULL;
	for (size_t i = 0; i < ARRAY_LEN(controls); i++)
		if (keyword(p, controls[i].word))
			return parse_control(p, controls[i].kind, ret);
	if (keyword(p, "template"))
		return parse_template(p, ret);
	if (keyword(p, "define") || keyword(p, "block"))
		return parse_define(p, keyword(p, "block"), ret);
	if (keyword(p, "break") || keyword(p, "continue"))
		return parse_jump(p, keyword(p, "break") ? NODE_BREAK : NODE_CONTINUE, ret);
	*ret = node_new(p, NODE_ACTION, p->item.pos);
	if (parse_pipeline(p, ITEM_RIGHT, &(*ret)->pipe) < 0)
		return -1;
	return (*ret)->pipe->nvars == 2 ? two_variables(p, *ret) : 0;
}

static int parse_one(struct parser *p, node_vec *nodes, enum list_end *ret_end, bool *ret_done)
{
	struct node *n;

	if (p->item.kind == ITEM_TEXT) {
		n = node_new(p, NODE_TEXT, p->item.pos);
		n->text = p->item.text;
		if (n->text.n)
			vec_push(nodes, n);
		if (!p->lex.inside)
			return 0;
		if (next_item(p) < 0)
			return -1;
	} else if (next_item(p) < 0) { /* two actions without text between them */
		return -1;
	}
	if (keyword(p, "end") || keyword(p, "else")) {
		*ret_end = keyword(p, "end") ? END_END : END_ELSE;
		*ret_done = true;
		if (next_item(p) < 0)
			return -1;
		return *ret_end == END_END ? close_action(p) : 0;
	}
	if (parse_action(p, &n) < 0)
		return -1;
	if (n)
		vec_push(nodes, n);
	return 0;
}

static int parse_list(struct parser *p, struct node_list *ret, enum list_end *ret_end)
{
	node_vec nodes = VEC_INIT;
	bool done = false;
	int r = 0;

	*ret_end = END_EOF;
	while (r == 0 && !done) {
		r = advance(p);
		if (r < 0 || p->item.kind == ITEM_EOF)
			break;
		r = parse_one(p, &nodes, ret_end, &done);
	}
	ret->n = nodes.n;
	ret->v = arena_copy_array(p->arena, nodes.v, nodes.n);
	vec_release(&nodes);
	return r;
}

static int parse_top(struct parser *p, struct gotmpl *t)
{
	enum list_end end;

	vec_push(&p->vars, STR("$"));
	if (parse_list(p, &t->body, &end) < 0)
		return -1;
	if (end != END_EOF)
		return gotmpl_error(p->err, p->item.pos,
				    "{{%s}} without an action that it belongs to",
				    end == END_END ? "end" : "else");
	return 0;
}

bool gotmpl_has_actions(struct str text)
{
	return str_find(text, STR("{{")) >= 0;
}

int gotmpl_parse(struct arena *a, struct str text, struct gotmpl **ret, struct err *err)
{
	struct parser p = { .lex = { .arena = a, .text = text }, .arena = a, .err = err };
	struct gotmpl *t = arena_new_obj(a, struct gotmpl);
	int r = parse_top(&p, t);

	t->nfuncs = p.funcs.n;
	t->funcs = arena_copy_array(a, p.funcs.v, p.funcs.n);
	t->ndefines = p.defines.n;
	t->defines = arena_copy_array(a, p.defines.v, p.defines.n);
	vec_release(&p.vars);
	vec_release(&p.funcs);
	vec_release(&p.defines);
	if (r == 0)
		*ret = t;
	return r;
}
