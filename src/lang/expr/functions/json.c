/* jsonencode and jsondecode. */
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/print.h"
#include "lang/expr/refine.h"
#include "lang/expr/text.h"

#include "base/buf.h"
#include "base/cluster.h"
#include "base/diag.h"
#include "lang/jsontext/jsontext.h"

/* Its first character is known, if it cannot be null. */
static struct value unknown_json(struct func_call *c, struct value v)
{
	const struct type *t = type_of(c->arena, v);
	struct refinement r = { REFINE_NOT_NULL };

	if (value_range(v).not_null && t->kind == TYPE_STRING)
		r.prefix = STR("\"");
	else if (value_range(v).not_null && (t->kind == TYPE_MAP || t->kind == TYPE_OBJECT))
		r.prefix = STR("{");
	else if (value_range(v).not_null && !type_is_primitive(t) && t->kind != TYPE_ANY)
		r.prefix = STR("[");
	return value_refine(c->arena, value_unknown_of(&type_string, c->span), &r);
}

static int fn_jsonencode(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;

	if (value_has_unknown(args[0])) {
		*ret = unknown_json(c, args[0]);
		return 0;
	}
	return value_write_jsonencode(&b, args[0], err) < 0 ? -1 : ret_buf(c, &b, ret, err);
}

static struct value from_json(struct func_call *c, struct value v);

static struct value object_from_json(struct func_call *c, struct value v)
{
	struct value_attr *out = arena_new_array(c->arena, struct value_attr, v.attrs->n + 1);

	for (size_t i = 0; i < v.attrs->n; i++) {
		out[i].key = text_nfc(c->arena, v.attrs->v[i].key);
		out[i].value = from_json(c, v.attrs->v[i].value);
	}
	return value_object_last(c->arena, out, v.attrs->n, c->span);
}

/* What the JSON reader made as a value of HCL: texts normalized, objects sorted. */
static struct value from_json(struct func_call *c, struct value v)
{
	struct value *out;

	if (v.kind == VALUE_OBJECT)
		return object_from_json(c, v);
	if (v.kind == VALUE_STRING) {
		ret_text(c, v.string, &v);
		return v;
	}
	v.span = c->span;
	if (v.kind != VALUE_TUPLE)
		return v;
	out = arena_new_array(c->arena, struct value, v.seq->n + 1);
	for (size_t i = 0; i < v.seq->n; i++)
		out[i] = from_json(c, v.seq->v[i]);
	return value_seq_make(c->arena, VALUE_TUPLE, out, v.seq->n, c->span);
}

static bool begins(struct str s, const char *with_one_of)
{
	return s.n && s.p[0] && strchr(with_one_of, s.p[0]);
}

/* Of a text that is not known the beginning may be, which tells the type, or that it is no JSON. */
static int json_to_come(struct func_call *c, struct value text, struct value *ret, struct err *err)
{
	struct str start = str_trim(value_range(text).prefix);
	const struct type *t = &type_any;

	if (begins(start, "-.0123456789"))
		t = &type_number;
	else if (begins(start, "tf"))
		t = &type_bool;
	else if (begins(start, "\""))
		t = &type_string;
	else if (start.n && !begins(start, "{[n"))
		return arg_error(c, 0, err, "no JSON begins with \"%.*s\"",
				 (int)str_cluster(start, 0), start.p);
	*ret = value_unknown_of(t, c->span);
	return 0;
}

static int fn_jsondecode(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err)
{
	struct source *src;
	struct diags d;
	struct value v;

	if (args[0].kind == VALUE_UNKNOWN)
		return json_to_come(c, args[0], ret, err);
	src = source_new(c->arena, "JSON", args[0].string);
	diags_init(&d, c->arena);
	if (jsontext_parse(c->arena, src, JSONTEXT_LATER_WINS, &d, &v) < 0) {
		const struct diag *g = &d.v[0];
		struct position at = g->at.line ? g->at : source_position(src, g->span.from);

		return err_set(err, ERR_INVALID, "this is not JSON, at line %u, column %u. %s.%s%s",
			       at.line, at.column, g->summary, g->detail ? " " : "",
			       g->detail ? g->detail : "");
	}
	*ret = from_json(c, v);
	return 0;
}

static const struct func_param encode_params[] = { { "val", &type_any,
						     PARAM_NULL | PARAM_UNKNOWN | PARAM_DYNAMIC } };
static const struct func_param decode_params[] = { { "str", &type_string, PARAM_UNKNOWN } };

static const struct func_example encode_examples[] = {
	{ "jsonencode({ port = 8080, tags = [\"a\"] })",
	  "\"{\\\"port\\\":8080,\\\"tags\\\":[\\\"a\\\"]}\"" },
	{ "jsonencode(null)", "\"null\"" },
};
static const struct func_example decode_examples[] = {
	{ "jsondecode(\"{\\\"a\\\": [1, 2]}\").a[1]", "2" },
	{ "jsondecode(\"true\")", "true" },
};

static const struct func rows[] = {
	{ "jsondecode", decode_params, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_any, .call = fn_jsondecode,
	  .doc = "Reads JSON: objects and tuples of what stands in it.",
	  FUNC_EXAMPLES(decode_examples) },
	{ "jsonencode", encode_params, 1, .returns = &type_string, .call = fn_jsonencode,
	  .doc = "Writes a value as JSON on one line, with sorted keys. `<`, `>` and `&` are "
		 "escaped.",
	  FUNC_EXAMPLES(encode_examples) },
};
const struct func_group func_group_json = { "JSON", rows, ARRAY_LEN(rows) };
