/* Declarations of variables, and the rules of their validation blocks.
 *
 * A default may hold nothing but constants and env(); a condition nothing but its own variable.
 * What is wrong here is wrong whatever value comes, so it is reported with the other mistakes of
 * form. */
#include "template/hcl/hcl.h"

#include "lang/expr/text.h"

#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

/* The one function of defaults. It is no function of other expressions: what a template takes from
 * its environment stands in its variables. */
static int fn_env(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		  struct err *err)
{
	auto_free char *name = xstrndup(args[0].string.p, args[0].string.n);
	const char *value = getenv(name);

	(void)nargs;
	(void)err;
	*ret = value_string(text_nfc(c->arena, arena_str(c->arena, str_from(value ? value : ""))),
			    c->span);
	return 0;
}

static const struct func_param env_params[] = { { "name", &type_string, 0 } };
static const struct func_example env_examples[] = { { "env(\"HOME\")", NULL } };
static const struct func env_rows[] = {
	{ "env", env_params, 1, .returns = &type_string, .call = fn_env,
	  .doc = "The value of an environment variable, or an empty string. In defaults of "
		 "variables alone.",
	  FUNC_EXAMPLES(env_examples) },
};
static const struct func_group env_group = { "environment", env_rows, ARRAY_LEN(env_rows) };
static const struct func_group *const env_alone[] = { &env_group, NULL };
static const struct func_group *const no_functions[] = { NULL };

int hcl_constant(struct hcl_template *t, const struct hcl_expr *x, const struct type *want,
		 bool with_env, const char *subject, struct value *ret)
{
	struct eval e = {
		.arena = t->arena,
		.diags = t->diags,
		.funcs = with_env ? env_alone : no_functions,
		.now_ms = t->now_ms,
		.subject = subject,
	};

	struct hcl_expr literal = { .kind = HCL_LITERAL, .span = x->span };
	struct str text;

	/* The JSON form has templates only where names or functions may stand. */
	if (!with_env && hcl_json_text(t->arena, x, &text)) {
		literal.value = value_string(text, x->span);
		x = &literal;
	}
	if (eval_expr_as(&e, x, want, ret) < 0)
		return -1;
	if (ret->kind == VALUE_NULL && want->kind != TYPE_ANY) {
		diag_error(t->diags, x->span, "This must not be null")->subject = subject;
		return -1;
	}
	return 0;
}

static struct diag *rule_error(struct hcl_template *t, const char *subject, struct span span,
			       const char *summary)
{
	struct diag *g = diag_error(t->diags, span, "%s", summary);

	g->subject = subject;
	return g;
}

/* A sentence: a capital (where the script has them) at its beginning, an end mark at its end. */
static bool is_sentence(struct str s)
{
	ucs4_t first, last;

	s = str_trim(s);
	if (!s.n)
		return false;
	u8_mbtouc(&first, (const uint8_t *)s.p, s.n);
	last = (uint8_t)s.p[s.n - 1];
	if (uc_is_property_alphabetic(first) && uc_is_general_category(first, UC_LETTER) &&
	    !uc_is_general_category(first, UC_UPPERCASE_LETTER))
		return false;
	return last == '.' || last == '?' || last == '!';
}

struct own_name {
	struct hcl_template *t;
	const char *name, *subject;
	bool found;
};

static void check_reference(void *data, const struct hcl_expr *ref)
{
	struct own_name *own = data;
	struct str names[2];
	struct diag *g;

	if (hcl_traversal_names(ref, names, 2) == 2 && str_eqs(names[0], "var") &&
	    str_eqs(names[1], own->name)) {
		own->found = true;
		return;
	}
	g = rule_error(own->t, own->subject, ref->span,
		       "The condition of a variable may look at no other value");
	diag_detail(own->t->diags, g, "var.%s is all that it may name.", own->name);
}

static void check_condition(struct hcl_template *t, const char *name, const char *subject,
			    const struct hcl_expr *x)
{
	struct own_name own = { t, name, subject, false };
	size_t errors = t->diags->errors;
	struct diag *g;

	hcl_each_reference(x, check_reference, &own);
	if (own.found || t->diags->errors > errors)
		return;
	g = rule_error(t, subject, x->span, "The condition does not look at its variable");
	diag_detail(t->diags, g, "Name var.%s in it, to say which values are good.", name);
}

static void take_rule(struct hcl_template *t, struct hcl_variable *v, const char *subject,
		      const struct hcl_block *block)
{
	static const struct hcl_schema_attr attrs[] = { { "condition", true },
							{ "error_message", true } };
	static const struct hcl_schema schema = { .attrs = attrs, .nattrs = ARRAY_LEN(attrs) };
	const struct hcl_attr *condition, *message;
	struct hcl_content c;
	struct value text;
	struct diag *g;

	hcl_content(t->arena, block->body, &schema, t->diags, &c);
	condition = hcl_content_attr(&c, "condition");
	message = hcl_content_attr(&c, "error_message");
	if (condition)
		check_condition(t, v->name, subject, condition->expr);
	if (!message || hcl_constant(t, message->expr, &type_string, false, subject, &text) < 0)
		return;
	if (text.kind != VALUE_STRING || !is_sentence(text.string)) {
		g = rule_error(t, subject, message->expr->span, "error_message must be a sentence");
		diag_detail(t->diags, g,
			    "It is shown as it stands to who gives a wrong value: begin it with a "
			    "capital letter and end it with a "
			    "full stop, question mark or exclamation mark.");
	} else if (condition) {
		HCL_PUSH(t->arena, v->rules, v->nrules,
			 (struct hcl_rule){ condition->expr,
					    arena_strndup(t->arena, text.string.p, text.string.n),
					    block->span });
	}
}

/* A variable without a type takes that of its default; [] and {} say too little for that. */
static bool tells_type(struct value v)
{
	if (v.kind == VALUE_NULL || v.kind == VALUE_UNKNOWN)
		return v.type != NULL;
	return !((v.kind == VALUE_TUPLE || v.kind == VALUE_OBJECT) && value_len(v) == 0);
}

static void take_default(struct hcl_template *t, struct hcl_variable *v, const char *subject,
			 const struct hcl_expr *x)
{
	AUTO(err) struct err err = ERR_INIT;
	struct value def;
	struct diag *g;

	v->def = x;
	v->set = true;
	v->from = x->span;
	if (hcl_constant(t, x, &type_any, true, subject, &def) < 0) {
		v->bad = true;
		return;
	}
	if (value_convert(t->arena, def, v->type, &v->def_value, &err) < 0) {
		g = rule_error(t, subject, x->span,
			       arena_printf(t->arena,
					    "The default is not of the variable's type: %s",
					    err.msg));
		diag_detail(t->diags, g, "The type is " STR_FMT ".",
			    STR_ARG(type_text(t->arena, v->type)));
		g->secret_line = v->sensitive;
		v->bad = true;
		return;
	}
	v->def_value.span = x->span;
	v->value = v->def_value;
	if (v->type->kind == TYPE_ANY && tells_type(v->def_value))
		v->type = type_of(t->arena, v->def_value);
}

static void take_type(struct hcl_template *t, struct hcl_variable *v, const char *subject,
		      const struct hcl_expr *x)
{
	struct eval e = { .arena = t->arena, .diags = t->diags, .subject = subject };

	x = hcl_as_native(t->arena, x, t->diags); /* JSON: "list(string)" */
	if (!x || eval_type(&e, x, &v->type) < 0) {
		v->type = &type_any;
		v->bad = true; /* and its default would be held against the wrong one */
	}
}

/* The parts of a block; each reports its own mistakes. */
static void read_block(struct hcl_template *t, struct hcl_variable *v, const char *subject,
		       const struct hcl_content *c)
{
	const struct hcl_attr *description = hcl_content_attr(c, "description"),
			      *type = hcl_content_attr(c, "type");
	const struct hcl_attr *sensitive = hcl_content_attr(c, "sensitive"),
			      *def = hcl_content_attr(c, "default");
	struct value x;

	if (description &&
	    hcl_constant(t, description->expr, &type_string, false, subject, &x) == 0 &&
	    x.kind == VALUE_STRING)
		v->description = arena_strndup(t->arena, x.string.p, x.string.n);
	if (type)
		take_type(t, v, subject, type->expr);
	if (sensitive && hcl_constant(t, sensitive->expr, &type_bool, false, subject, &x) == 0 &&
	    x.kind == VALUE_BOOL)
		v->sensitive = x.boolean;
	if (def)
		take_default(t, v, subject, def->expr);
	for (size_t i = 0; i < c->nblocks; i++)
		take_rule(t, v, subject, &c->blocks[i]);
}

static void add(struct hcl_template *t, struct hcl_variable v)
{
	if (hcl_define(t, "variable", v.name, v.span, t->nvariables))
		HCL_PUSH(t->arena, t->variables, t->nvariables, v);
}

void hcl_declare(struct hcl_template *t, const struct hcl_block *block)
{
	static const struct hcl_schema_attr attrs[] = {
		{ "description", false },
		{ "default", false },
		{ "type", false },
		{ "sensitive", false },
	};
	static const struct hcl_schema_block blocks[] = { { "validation", NULL } };
	static const struct hcl_schema schema = { .attrs = attrs,
						  .nattrs = ARRAY_LEN(attrs),
						  .blocks = blocks,
						  .nblocks = ARRAY_LEN(blocks) };
	const struct hcl_label *label = &block->labels[0];
	const char *subject = hcl_block_title(t->arena, block);
	struct hcl_variable v = {
		.name = arena_strndup(t->arena, label->text.p, label->text.n),
		.span = block->span,
		.type = &type_any,
		.value = value_unknown(block->span),
		.def_value = value_null(block->span),
	};
	struct hcl_content c;

	if (!hcl_is_identifier(t->arena, label->text)) {
		struct diag *g =
		    rule_error(t, subject, label->span, "This is no name of a variable");

		diag_detail(t->diags, g,
			    "A name begins with a letter or an underscore; letters, digits, - and "
			    "_ may follow.");
		v.bad = true;
	}
	hcl_content(t->arena, block->body, &schema, t->diags, &c);
	read_block(t, &v, subject, &c);
	add(t, v);
}

void hcl_declare_legacy(struct hcl_template *t, const struct hcl_attr *attr)
{
	struct hcl_variable v = {
		.name = arena_strndup(t->arena, attr->name.p, attr->name.n),
		.span = attr->name_span,
		.type = &type_any,
		.value = value_unknown(attr->span),
		.def_value = value_null(attr->span),
	};

	take_default(t, &v, arena_printf(t->arena, "variable \"%s\"", v.name), attr->expr);
	if (!v.bad && v.def_value.kind != VALUE_NULL)
		v.type = type_of(t->arena, v.def_value); /* also of [] and {} */
	add(t, v);
}
