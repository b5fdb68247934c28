/* Runs one case of the HCL project's specification suite: hclspec PATH, without an extension.
 * PATH.hcl (or PATH.hcl.json) is decoded by PATH.hcldec, and PATH.t says what comes out: a value, a
 * type, or where the mistakes are. Of the decoding language only what the suite uses is here.
 * Prints what differs; exit status 1 if anything does. */
#include "base/os.h"
#include "lang/expr/eval.h"
#include "lang/expr/print.h"
#include "lang/expr/type.h"
#include "lang/hcl/hcl.h"

#include <stdio.h>

static struct eval ev; /* of the case */
static struct eval_scope variables;

/* NULL if there is no such file. */
static struct hcl_body *load(const char *path, const char *ext, struct diags *d)
{
	const char *name = arena_printf(ev.arena, "%s%s", path, ext);
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	struct hcl_body *body;
	struct source *src;

	if (os_read_file(name, HCL_SIZE_MAX, &text, &err) < 0)
		return NULL;
	src = source_new(ev.arena, name, arena_str(ev.arena, buf_str(&text)));
	if (ends_with(ext, ".json"))
		hcl_parse_json(ev.arena, src, d, &body);
	else
		hcl_parse(ev.arena, src, d, &body);
	return body;
}

static const struct hcl_attr *attr_of(const struct hcl_body *body, const char *name)
{
	for (size_t i = 0; i < body->nattrs; i++)
		if (str_eqs(body->attrs[i].name, name))
			return &body->attrs[i];
	return NULL;
}

static struct value eval_value(const struct hcl_expr *x)
{
	struct value v = value_null((struct span){ 0 });

	eval_expr(&ev, x, &v);
	return v;
}

static struct value attr_value(const struct hcl_body *body, const char *name)
{
	const struct hcl_attr *attr = attr_of(body, name);

	return attr ? eval_value(attr->expr) : value_null((struct span){ 0 });
}

static const struct type *attr_type(const struct hcl_body *body, const char *name)
{
	const struct hcl_attr *attr = attr_of(body, name);
	const struct type *t = &type_any;

	if (attr)
		eval_type(&ev, attr->expr, &t);
	return t;
}

static bool is_block(const struct hcl_block *spec)
{
	return str_starts(spec->type, "block");
}

/* What an attr or block decodes: the label stands for the name where no other is given. */
static const char *spec_name(const struct hcl_block *spec)
{
	struct value v = attr_value(spec->body, is_block(spec) ? "block_type" : "name");

	if (v.kind == VALUE_STRING)
		return arena_str(ev.arena, v.string).p;
	return spec->nlabels ? spec->labels[0].text.p : "";
}

static void add_to_schema(const struct hcl_block *spec, struct hcl_schema_attr *attrs,
			  struct hcl_schema_block *blocks, struct hcl_schema *schema)
{
	struct value labels = attr_value(spec->body, "labels");
	const char **names;

	if (str_eqs(spec->type, "attr")) {
		attrs[schema->nattrs++] = (struct hcl_schema_attr){ spec_name(spec), false };
	} else if (is_block(spec)) {
		names = arena_new_array(ev.arena, const char *, value_len(labels) + 1);
		for (size_t i = 0; i < value_len(labels); i++)
			names[i] = arena_str(ev.arena, labels.seq->v[i].string).p;
		blocks[schema->nblocks++] = (struct hcl_schema_block){ spec_name(spec), names };
	} else if (str_eqs(spec->type, "object")) {
		for (size_t i = 0; i < spec->body->nblocks; i++)
			add_to_schema(&spec->body->blocks[i], attrs, blocks, schema);
	}
}

static struct value decode(const struct hcl_block *spec, const struct hcl_content *c,
			   struct diags *d);

static struct value decode_body(const struct hcl_block *spec, const struct hcl_body *body,
				struct diags *d)
{
	struct hcl_schema_attr attrs[32];
	struct hcl_schema_block blocks[32];
	struct hcl_schema schema = { .attrs = attrs, .blocks = blocks };
	struct hcl_content c;

	add_to_schema(spec, attrs, blocks, &schema);
	hcl_content(ev.arena, body, &schema, d, &c);
	return decode(spec, &c, d);
}

static struct value decode_blocks(const struct hcl_block *spec, const struct hcl_content *c,
				  struct diags *d)
{
	const struct hcl_block *inner = &spec->body->blocks[0];
	struct value_attr *v = arena_new_array(ev.arena, struct value_attr, c->nblocks);
	struct value *list = arena_new_array(ev.arena, struct value, c->nblocks);
	size_t n = 0;

	for (size_t i = 0; i < c->nblocks; i++) {
		if (!str_eqs(c->blocks[i].type, spec_name(spec)))
			continue;
		list[n] = decode_body(inner, c->blocks[i].body, d);
		v[n] = (struct value_attr){ .value = list[n] };
		if (c->blocks[i].nlabels)
			v[n].key = c->blocks[i].labels[0].text;
		n++;
	}
	if (str_eqs(spec->type, "block_map"))
		return value_object(ev.arena, v, n, (struct span){ 0 });
	if (str_eqs(spec->type, "block_list"))
		return value_seq_make(ev.arena, VALUE_TUPLE, list, n, (struct span){ 0 });
	return n ? list[0] : value_null((struct span){ 0 });
}

static struct value decode_object(const struct hcl_block *spec, const struct hcl_content *c,
				  struct diags *d)
{
	size_t n = spec->body->nblocks;
	struct value_attr *v = arena_new_array(ev.arena, struct value_attr, n);

	for (size_t i = 0; i < n; i++)
		v[i] = (struct value_attr){ .key = spec->body->blocks[i].labels[0].text,
					    .value = decode(&spec->body->blocks[i], c, d) };
	return value_object(ev.arena, v, n, (struct span){ 0 });
}

static struct value decode(const struct hcl_block *spec, const struct hcl_content *c,
			   struct diags *d)
{
	const struct hcl_attr *attr;
	AUTO(err) struct err err = ERR_INIT;
	struct value v;

	if (str_eqs(spec->type, "literal"))
		return attr_value(spec->body, "value");
	if (str_eqs(spec->type, "object"))
		return decode_object(spec, c, d);
	if (is_block(spec))
		return decode_blocks(spec, c, d);
	attr = hcl_content_attr(c, spec_name(spec));
	v = attr ? eval_value(attr->expr) : value_null((struct span){ 0 });
	if (value_convert(ev.arena, v, attr_type(spec->body, "type"), &v, &err) < 0)
		diag_error(d, attr->span, "%s", err.msg);
	return v;
}

/* from and to of the case's diagnostics against ours, in order. */
static int check_diags(const struct hcl_body *want, const struct diags *got)
{
	size_t n = want ? want->nblocks : 0;
	AUTO(buf) struct buf shown = BUF_INIT;
	int bad = got->errors != n;

	for (size_t i = 0; i < MIN(n, got->n); i++)
		for (int end = 0; end < 2; end++) {
			const struct hcl_body *at = want->blocks[i].body->blocks[end].body;
			struct span s = got->v[i].span;
			struct position pos = source_position(s.src, end ? s.to : s.from);
			int64_t line = 0, column = 0, byte = 0;

			if (!value_as_i64(attr_value(at, "line"), &line) ||
			    !value_as_i64(attr_value(at, "column"), &column) ||
			    !value_as_i64(attr_value(at, "byte"), &byte) || line != pos.line ||
			    column != pos.column_chars || byte != (end ? s.to : s.from)) {
				printf("mistake %zu: wanted %ld:%ld, byte %ld\n", i + 1, (long)line,
				       (long)column, (long)byte);
				bad = 1;
			}
		}
	if (bad) {
		diags_render(got, &shown);
		printf("%zu mistakes wanted, these are found:\n%s", n, buf_cstr(&shown));
	}
	return bad;
}

static int check_value(const struct hcl_body *test, struct value got)
{
	const struct type *type = attr_type(test, "result_type");
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf shown = BUF_INIT;
	struct value want;

	if (value_convert(ev.arena, got, type, &got, &err) < 0) {
		printf("%s\n", err.msg);
		return 1;
	}
	if (!attr_of(test, "result"))
		return 0;
	want = attr_value(test, "result");
	if (value_convert(ev.arena, want, type, &want, &err) == 0 && value_equal(want, got))
		return 0;
	value_write_hcl(&shown, got);
	buf_adds(&shown, "\nwanted: ");
	value_write_hcl(&shown, want);
	printf("came:   %s\n", buf_cstr(&shown));
	return 1;
}

static void read_variables(const struct hcl_body *spec)
{
	for (size_t i = 0; i < spec->nblocks; i++) {
		const struct hcl_body *b = spec->blocks[i].body;
		struct value_attr *v;

		if (!str_eqs(spec->blocks[i].type, "variables"))
			continue;
		v = arena_new_array(ev.arena, struct value_attr, b->nattrs);
		for (size_t k = 0; k < b->nattrs; k++)
			v[k] = (struct value_attr){ .key = b->attrs[k].name,
						    .value = eval_value(b->attrs[k].expr) };
		variables = (struct eval_scope){ .v = v, .n = b->nattrs };
		ev.scope = &variables;
	}
}

static int run(const char *path, const char *ext, const struct hcl_body *spec,
	       const struct hcl_body *test)
{
	const struct hcl_body *want = NULL;
	const struct hcl_block *root = &spec->blocks[spec->nblocks - 1];
	struct value v = value_null((struct span){ 0 });
	struct hcl_body *body;
	struct diags d;

	diags_init(&d, ev.arena);
	body = load(path, ext, &d);
	if (!body)
		return 0;
	for (size_t i = 0; i < test->nblocks; i++)
		if (str_eqs(test->blocks[i].type, "diagnostics"))
			want = test->blocks[i].body;
	if (!d.errors)
		v = decode_body(root, body, &d);
	return check_diags(want, &d) | (want ? 0 : check_value(test, v));
}

int main(int argc, char **argv)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf shown = BUF_INIT;
	struct hcl_body *spec, *test;
	struct diags d;
	int bad;

	if (argc != 2)
		return 2;
	diags_init(&d, a);
	ev = (struct eval){ .arena = a, .diags = &d };
	spec = load(argv[1], ".hcldec", &d);
	test = load(argv[1], ".t", &d);
	if (!spec || !test || !spec->nblocks)
		return 2;
	read_variables(spec);
	bad = run(argv[1], ".hcl", spec, test) | run(argv[1], ".hcl.json", spec, test);
	if (d.errors) {
		diags_render(&d, &shown);
		printf("%s", buf_cstr(&shown));
	}
	return bad || d.errors;
}
