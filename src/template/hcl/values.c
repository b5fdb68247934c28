/* The values of variables: from the environment, files and the command line, over the defaults.
 *
 * Later ones win: PKR_VAR_name, the directory's *.auto.pkrvars.hcl and then .json, -var-file in
 * order, -var. Each must fit the variable's type; that of the one that wins is held against the
 * rules of its validation blocks. */
#include "template/hcl/hcl.h"

#include "base/os.h"
#include "lang/expr/text.h"

#define ENV_PREFIX "PKR_VAR_"

static const struct func_group *const no_functions[] = { NULL };

/* Mistakes in the value of a sensitive variable do not show it. */
static void hide_lines(struct hcl_template *t, const struct hcl_variable *v, size_t from)
{
	for (size_t i = from; v->sensitive && i < t->diags->n; i++)
		t->diags->v[i].secret_line = true;
}

/* Takes a value in; a wrong one is reported and leaves the variable unknown. */
static void give(struct hcl_template *t, struct hcl_variable *v, struct value given,
		 struct span span)
{
	AUTO(err) struct err err = ERR_INIT;
	struct value x;
	struct diag *g;

	v->set = true;
	v->from = span;
	if (value_convert(t->arena, given, v->type, &x, &err) == 0) {
		x.span = span;
		v->value = x;
		v->bad = false;
		return;
	}
	g = diag_error(t->diags, span, "The value of the variable \"%s\" does not fit: %s", v->name,
		       err.msg);
	g->subject = arena_printf(t->arena, "variable \"%s\"", v->name);
	g->secret_line = v->sensitive;
	diag_detail(t->diags, g, "Its type is " STR_FMT ".", STR_ARG(type_text(t->arena, v->type)));
	v->value = value_unknown(span);
	v->bad = true;
}

/* Text from the environment or a flag: as it stands where a string, a number or anything may come,
 * else an expression. `source` names it in messages. */
static void give_text(struct hcl_template *t, struct hcl_variable *v, const char *source,
		      const char *text)
{
	struct source *src = source_new(t->arena, source, arena_str(t->arena, str_from(text)));
	struct span span = { src, 0, (uint32_t)src->text.n };
	size_t before = t->diags->n;
	struct hcl_expr *x;
	struct value given;

	if (v->type->kind == TYPE_STRING || v->type->kind == TYPE_NUMBER ||
	    v->type->kind == TYPE_ANY) {
		give(t, v, value_string(text_nfc(t->arena, src->text), span), span);
		return;
	}
	if (hcl_parse_expr(t->arena, src, t->diags, &x) == 0) {
		struct eval e = { .arena = t->arena,
				  .diags = t->diags,
				  .funcs = no_functions,
				  .subject = arena_printf(t->arena, "variable \"%s\"", v->name) };

		if (eval_expr(&e, x, &given) == 0)
			give(t, v, given, x->span);
	}
	hide_lines(t, v, before);
}

extern char **environ;

static void take_environment(struct hcl_template *t)
{
	size_t prefix = strlen(ENV_PREFIX);

	for (char **v = environ; v && *v; v++) {
		const char *eq = strchr(*v, '=');
		const char *source;
		ptrdiff_t at;

		if (!eq || !starts_with(*v, ENV_PREFIX))
			continue;
		source = arena_strndup(t->arena, *v, (size_t)(eq - *v));
		at = hcl_find(t, "variable", source + prefix);
		if (at >= 0) /* others may be of other templates */
			give_text(t, &t->variables[at], source, eq + 1);
	}
}

/* variable "x" {} belongs into the template. */
static bool has_declarations(struct hcl_template *t, const struct hcl_file *f)
{
	static const char *const labels[] = { "name", NULL };
	static const struct hcl_schema_block block = { "variable", labels };
	static const struct hcl_schema schema = { .blocks = &block, .nblocks = 1, .open = true };
	struct diags scratch;
	struct hcl_content c;

	diags_init(&scratch, t->arena);
	hcl_content(t->arena, f->body, &schema, &scratch, &c);
	for (size_t i = 0; i < c.nblocks; i++) {
		struct str name = c.blocks[i].nlabels ? c.blocks[i].labels[0].text : STR("NAME");
		struct diag *g = diag_error(t->diags, c.blocks[i].span,
					    "A variable file cannot declare variables");

		diag_detail(t->diags, g,
			    "To set the variable here, write " STR_FMT
			    " = VALUE. To declare it, move the block to a .pkr.hcl file.",
			    STR_ARG(name));
	}
	return c.nblocks > 0;
}

static void undeclared(struct hcl_template *t, const char *name, struct span span)
{
	const char **names = arena_new_array(t->arena, const char *, t->nvariables + 1);
	const char *near;
	struct diag *g;

	for (size_t i = 0; i < t->nvariables; i++)
		names[i] = t->variables[i].name;
	near = str_nearest(name, names, t->nvariables);
	g = diag_warning(t->diags, span, "The template has no variable \"%s\"", name);
	if (near)
		diag_detail(t->diags, g, "Did you mean \"%s\"?", near);
	else
		diag_detail(
		    t->diags, g,
		    "Declare it in a .pkr.hcl file (variable \"%s\" {}), or leave the value out.",
		    name);
}

/* A line of a file of values: the variable it is for, or NULL. */
static struct hcl_variable *find_or_warn(struct hcl_template *t, struct str key, struct span span)
{
	const char *name = arena_strndup(t->arena, key.p, key.n);
	ptrdiff_t at = hcl_find(t, "variable", name);

	if (at >= 0)
		return &t->variables[at];
	if (t->args->warn_undeclared)
		undeclared(t, name, span);
	return NULL;
}

static void take_native(struct hcl_template *t, const struct hcl_body *body)
{
	struct hcl_content c;

	hcl_attributes(t->arena, body, t->diags, &c);
	for (size_t i = 0; i < c.nattrs; i++) {
		struct hcl_variable *v = find_or_warn(t, c.attrs[i].name, c.attrs[i].name_span);
		const struct hcl_expr *x = c.attrs[i].expr;
		size_t before = t->diags->n;
		struct value given;

		if (!v)
			continue;
		if (hcl_constant(t, x, &type_any, false,
				 arena_printf(t->arena, "variable \"%s\"", v->name), &given) == 0)
			give(t, v, given, x->span);
		hide_lines(t, v, before);
	}
}

/* A value of JSON text as expressions know it: objects sorted, strings in normal form. */
static struct value json_value(struct arena *a, struct value v)
{
	if (v.kind == VALUE_STRING)
		return value_string(text_nfc(a, v.string), v.span);
	if (value_is_seq(v)) {
		struct value *items = arena_new_array(a, struct value, v.seq->n + 1);

		for (size_t i = 0; i < v.seq->n; i++)
			items[i] = json_value(a, v.seq->v[i]);
		return value_seq_make(a, VALUE_TUPLE, items, v.seq->n, v.span);
	}
	if (value_is_attrs(v)) {
		struct value_attr *attrs = arena_new_array(a, struct value_attr, v.attrs->n + 1);

		for (size_t i = 0; i < v.attrs->n; i++)
			attrs[i] = (struct value_attr){ text_nfc(a, v.attrs->v[i].key),
							v.attrs->v[i].key_span,
							json_value(a, v.attrs->v[i].value) };
		return value_object(a, attrs, v.attrs->n, v.span);
	}
	return v;
}

/* JSON's strings are no templates here: they are taken as they stand. */
static void take_json(struct hcl_template *t, struct value json, struct map *seen)
{
	for (size_t i = 0; i < json.attrs->n; i++) {
		const struct value_attr *a = &json.attrs->v[i];
		const struct value_attr *before = map_set(seen, a->key, (void *)a);
		struct hcl_variable *v = find_or_warn(t, a->key, a->key_span);

		if (before)
			diag_detail(t->diags,
				    diag_error(t->diags, a->key_span,
					       "\"" STR_FMT "\" is set twice", STR_ARG(a->key)),
				    "It is set at %s already. Remove one of the two.",
				    hcl_place(t->arena, before->key_span));
		if (v)
			give(t, v, json_value(t->arena, a->value), a->value.span);
	}
}

static int take_file(struct hcl_template *t, const char *path, struct err *err)
{
	AUTO(map) struct map seen = MAP_INIT;
	struct hcl_file f = { 0 };
	struct diag *g;

	if (!ends_with(path, ".hcl") && !ends_with(path, ".json")) {
		g = diag_error(t->diags, (struct span){ 0 },
			       "-var-file %s: the name must end in .hcl or .json", path);
		diag_detail(t->diags, g, "The name tells the language.");
		return 0;
	}
	if (hcl_parse_file(t->arena, path, t->diags, &f, err) < 0)
		return err_prefix(err, "-var-file");
	if (f.body->is_json && !value_is_attrs(f.body->json))
		diag_error(t->diags, f.body->json.span, "Expected an object, found %s",
			   value_kind_phrase(f.body->json));
	else if (f.body->is_json)
		take_json(t, f.body->json, &seen);
	else if (!has_declarations(t, &f))
		take_native(t, f.body);
	return 0;
}

static int take_files(struct hcl_template *t, struct err *err)
{
	const char **paths = NULL;
	size_t n = 0;

	if (t->args->path && os_is_dir(t->args->path) &&
	    hcl_list_files(t->args->path, ".auto.pkrvars.hcl", ".auto.pkrvars.json", t->arena,
			   &paths, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (take_file(t, paths[i], err) < 0)
			return -1;
	for (size_t i = 0; i < t->args->nvar_files; i++)
		if (take_file(t, t->args->var_files[i], err) < 0)
			return -1;
	return 0;
}

/* The last -var of a name counts. */
static bool is_last(const struct template_args *args, size_t i)
{
	for (size_t j = i + 1; j < args->nvars; j++)
		if (streq(args->vars[i].name, args->vars[j].name))
			return false;
	return true;
}

static void take_flags(struct hcl_template *t)
{
	const struct template_args *args = t->args;

	for (size_t i = 0; i < args->nvars; i++) {
		const char *name = args->vars[i].name;
		ptrdiff_t at = hcl_find(t, "variable", name);
		struct diag *g;

		if (!is_last(args, i))
			continue;
		if (at >= 0) {
			give_text(t, &t->variables[at], arena_printf(t->arena, "-var %s", name),
				  args->vars[i].value);
			continue;
		}
		g = diag_error(t->diags, (struct span){ 0 },
			       "-var %s: the template has no variable \"%s\"", name, name);
		if (strchr(name, ' '))
			diag_detail(t->diags, g, "Write it without spaces: -var NAME=VALUE.");
		else
			diag_detail(t->diags, g,
				    "Declare it in a .pkr.hcl file: variable \"%s\" {}.", name);
	}
}

/* Values of sensitive variables wear the mark, and are kept out of all output. */
static void mark(struct hcl_template *t, struct hcl_variable *v)
{
	if (v->set && !v->bad && v->value.kind != VALUE_UNKNOWN) {
		if (v->sensitive)
			hcl_keep_secret(t, v->value);
	} else {
		v->value = value_unknown_of(v->type, v->span);
	}
	v->value = value_mark(v->value, v->sensitive);
}

int hcl_variables(struct hcl_template *t)
{
	AUTO(err) struct err err = ERR_INIT;

	take_environment(t);
	if (take_files(t, &err) < 0)
		diag_error(t->diags, (struct span){ 0 }, "%s", err.msg);
	take_flags(t);
	for (size_t i = 0; i < t->nvariables; i++)
		mark(t, &t->variables[i]);
	return t->diags->errors ? -1 : 0;
}

static void missing(struct hcl_template *t, const struct hcl_variable *v)
{
	struct diag *g = diag_error(t->diags, v->span, "The variable \"%s\" has no value", v->name);

	diag_detail(t->diags, g,
		    "Set it with -var %s=VALUE, a -var-file or the environment "
		    "variable " ENV_PREFIX
		    "%s, or give it a default.",
		    v->name, v->name);
}

static void check_rule(struct hcl_template *t, const struct hcl_variable *v,
		       const struct hcl_rule *rule)
{
	struct value_attr own = { .key = str_from(v->name), .value = v->value };
	struct value_attr root = { .key = STR("var"),
				   .value = value_object(t->arena, &own, 1, v->span) };
	struct eval_scope scope = { .v = &root, .n = 1 };
	struct eval e = hcl_eval(t, NULL, t->arena, t->diags);
	struct value good;
	struct diag *g;

	e.scope = &scope;
	e.dir = NULL;
	e.subject = arena_printf(t->arena, "variable \"%s\"", v->name);
	if (eval_expr_as(&e, rule->condition, &type_bool, &good) < 0 || good.kind == VALUE_UNKNOWN)
		return;
	if (good.kind == VALUE_NULL) {
		g = diag_error(t->diags, rule->condition->span,
			       "A condition must be true or false, and is null");
		g->subject = e.subject;
	} else if (!good.boolean) {
		g = diag_error(t->diags, v->from, "The value of the variable \"%s\" is not allowed",
			       v->name);
		g->subject = e.subject;
		g->secret_line = v->sensitive;
		diag_detail(t->diags, g, "%s\n\nSo says the validation block at %s.", rule->message,
			    hcl_place(t->arena, rule->span));
	}
}

void hcl_check_variables(struct hcl_template *t)
{
	for (size_t i = 0; i < t->nvariables; i++) {
		const struct hcl_variable *v = &t->variables[i];

		if (!v->set)
			missing(t, v);
		for (size_t j = 0; v->set && !v->bad && j < v->nrules; j++)
			check_rule(t, v, &v->rules[j]);
	}
}
