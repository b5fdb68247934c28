/* The JSON form: what is an argument and what a block is for the schema to say (content.c); here
 * are the objects' own properties, and values as expressions, in which any text is a template. */
#include "lang/hcl/json.h"

#include "lang/expr/text.h"
#include "lang/hcl/parse.h"
#include "lang/jsontext/jsontext.h"

struct hcl_body *json_body(struct arena *a, struct value v)
{
	struct hcl_body *body = arena_new_obj(a, struct hcl_body);

	body->is_json = true;
	body->json = v;
	body->span = body->end = v.span;
	if (body->end.to > body->end.from)
		body->end.from = body->end.to - 1;
	return body;
}

/* All mistakes in the place of the first one, which the reader of values stopped at. */
static void tell_mistakes(struct arena *a, struct source *src, struct diags *d, size_t before,
			  size_t errors)
{
	struct diags all;

	diags_init(&all, a);
	json_mistakes(a, src, &all);
	if (all.errors) {
		d->n = before;
		d->errors = errors;
		diags_add(d, &all, NULL);
	}
	/* The legacy templates' way of counting columns is not that of HCL. */
	for (size_t i = before; i < d->n; i++)
		d->v[i].at = (struct position){ 0 };
}

int hcl_parse_json(struct arena *a, struct source *src, struct diags *d, struct hcl_body **ret)
{
	size_t before = d->n, errors = d->errors;
	struct value v;

	if (jsontext_parse(a, src, JSONTEXT_LATER_WINS, d, &v) < 0)
		tell_mistakes(a, src, d, before, errors);
	else if (v.kind != VALUE_OBJECT && v.kind != VALUE_TUPLE)
		diag_error(d, v.span, "Expected an object, found %s", value_kind_phrase(v));
	if (d->errors == errors) {
		*ret = json_body(a, v);
		return 0;
	}
	*ret = json_body(a, value_attrs_make(a, VALUE_OBJECT, NULL, 0,
					     (struct span){ src, 0, (uint32_t)src->text.n }));
	return -1;
}

size_t json_properties(struct arena *a, struct value v, bool labels, const char *what,
		       struct diags *d, const struct value_attr ***ret)
{
	VEC(const struct value_attr *) found = VEC_INIT;
	size_t n = v.kind == VALUE_TUPLE ? v.seq->n : v.kind == VALUE_NULL ? 0 : 1;

	for (size_t i = 0; i < n; i++) {
		struct value o = v.kind == VALUE_TUPLE ? v.seq->v[i] : v;

		if (o.kind != VALUE_OBJECT) {
			diag_error(d, o.span, "Expected an object with %s, found %s", what,
				   value_kind_phrase(o));
			continue;
		}
		for (size_t k = 0; k < o.attrs->n; k++)
			if (labels || !str_eqs(o.attrs->v[k].key, "//"))
				vec_push(&found, &o.attrs->v[k]);
	}
	n = found.n;
	*ret = arena_copy_array(a, found.v, n);
	vec_release(&found);
	return n;
}

/* Where each byte of a text with escapes is in the source; NULL if it stands there as it is. */
static const uint32_t *places(struct arena *a, struct str text, struct span span)
{
	uint32_t *v;

	if (span.to - span.from == text.n + 2)
		return NULL;
	v = arena_new_array(a, uint32_t, text.n + 1);
	jsontext_string_places(span, v, text.n + 1);
	return v;
}

/* False for text that is the same as a template and as it is. */
static bool has_sequence(struct str s)
{
	for (size_t i = 0; i + 1 < s.n; i++)
		if ((s.p[i] == '$' || s.p[i] == '%') && s.p[i + 1] == '{')
			return true;
	return false;
}

static struct hcl_expr *text_expr(struct arena *a, struct str text, struct span span,
				  struct diags *d)
{
	struct hcl_expr *x = NULL;

	if (has_sequence(text)) {
		AUTO(parser) struct parser p = { 0 };

		parser_init(&p, a, span.src, text, d, HCL_LEX_TEMPLATE);
		p.base = span.from + 1;
		p.places = places(a, text, span);
		x = parse_bare_template(&p);
		if (!x)
			x = expr_unknown(&p, span);
	} else {
		x = arena_new_obj(a, struct hcl_expr);
		x->kind = HCL_LITERAL;
		x->value = value_string(text_nfc(a, text), span);
	}
	x->span = span;
	x->json = true;
	return x;
}

struct hcl_expr *json_expr(struct arena *a, struct value v, struct diags *d)
{
	struct hcl_expr *x;

	if (v.kind == VALUE_STRING)
		return text_expr(a, v.string, v.span, d);
	x = arena_new_obj(a, struct hcl_expr);
	x->span = v.span;
	x->json = true;
	if (v.kind == VALUE_TUPLE) {
		x->kind = HCL_TUPLE;
		x->tuple.n = v.seq->n;
		x->tuple.items = arena_new_array(a, struct hcl_expr *, v.seq->n);
		for (size_t i = 0; i < v.seq->n; i++)
			x->tuple.items[i] = json_expr(a, v.seq->v[i], d);
	} else if (v.kind == VALUE_OBJECT) {
		jsontext_check_keys(v.attrs->v, v.attrs->n, d);
		x->kind = HCL_OBJECT;
		x->object.n = v.attrs->n;
		x->object.pairs = arena_new_array(a, struct hcl_pair, v.attrs->n);
		for (size_t i = 0; i < v.attrs->n; i++)
			x->object.pairs[i] =
			    (struct hcl_pair){ .key = text_expr(a, v.attrs->v[i].key,
								v.attrs->v[i].key_span, d),
					       .value = json_expr(a, v.attrs->v[i].value, d) };
	} else {
		x->kind = HCL_LITERAL;
		x->value = v;
	}
	return x;
}

const struct hcl_expr *hcl_as_native(struct arena *a, const struct hcl_expr *x, struct diags *d)
{
	AUTO(parser) struct parser p = { 0 };
	size_t before = d->errors;
	struct hcl_expr *ret;

	if (!x->json || x->kind != HCL_LITERAL || x->value.kind != VALUE_STRING)
		return x;
	parser_init(&p, a, x->span.src, x->value.string, d, HCL_LEX_EXPR);
	p.base = x->span.from + 1;
	p.places = places(a, x->value.string, x->span);
	ret = parse_expr(&p);
	if (ret && parser_peek(&p) != HCL_T_EOF)
		parser_unexpected(&p, parser_next(&p), "nothing more after the expression", NULL);
	return d->errors == before ? ret : NULL;
}

bool hcl_json_text(struct arena *a, const struct hcl_expr *x, struct str *ret)
{
	struct str quoted;
	struct diags none;
	struct value v;

	if (!x->json || !x->span.src || x->span.src->text.p[x->span.from] != '"')
		return false;
	quoted = str_slice(x->span.src->text, x->span.from, x->span.to);
	diags_init(&none, a);
	if (jsontext_parse(a, source_new(a, x->span.src->name, quoted), 0, &none, &v) < 0)
		return false;
	*ret = text_nfc(a, v.string);
	return true;
}
