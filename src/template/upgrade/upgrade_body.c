/* Options and their values as HCL. Where the component's table is known, it tells blocks from
 * attributes and what JSON's loose typing allowed; else the value's own look has to (as the
 * reference decides). */
#include "template/upgrade/upgrade_impl.h"

#include "base/clock.h"
#include "lang/hcl/token.h"
#include "spec/spec.h"

bool upgrade_is_identifier(struct str name)
{
	AUTO(arena) struct arena *a = arena_new();
	struct hcl_tokens tokens = hcl_lex(a, name, HCL_LEX_CONFIG);

	return tokens.n == 2 && tokens.v[0].kind == HCL_T_IDENT && tokens.v[0].from == 0 &&
	       tokens.v[0].to == name.n;
}

static int by_key(const void *a, const void *b)
{
	return str_cmp(((const struct value_attr *)a)->key, ((const struct value_attr *)b)->key);
}

static const struct value_attr *sorted(struct arena *a, struct value object)
{
	struct value_attr *v = arena_new_array(a, struct value_attr, object.attrs->n);

	if (object.attrs->n)
		memcpy(v, object.attrs->v, object.attrs->n * sizeof(*v));
	qsort(v, object.attrs->n, sizeof(*v), by_key);
	return v;
}

static void write_value(struct upgrade *u, struct value v, struct buf *out);

static void write_object(struct upgrade *u, struct value v, struct buf *out)
{
	const struct value_attr *attrs = sorted(u->arena, v);

	buf_adds(out, v.attrs->n ? "{\n" : "{");
	for (size_t i = 0; i < v.attrs->n; i++) {
		if (upgrade_is_identifier(attrs[i].key))
			buf_add_str(out, attrs[i].key);
		else
			upgrade_text(u, attrs[i].key, attrs[i].key_span, out);
		buf_adds(out, " = ");
		write_value(u, attrs[i].value, out);
		buf_addc(out, '\n');
	}
	buf_addc(out, '}');
}

static void write_value(struct upgrade *u, struct value v, struct buf *out)
{
	if (v.kind == VALUE_STRING) {
		upgrade_text(u, v.string, v.span, out);
	} else if (v.kind == VALUE_NUMBER) {
		buf_add_str(out, value_number_text(u->arena, v));
	} else if (v.kind == VALUE_BOOL) {
		buf_adds(out, v.boolean ? "true" : "false");
	} else if (value_is_attrs(v)) {
		write_object(u, v, out);
	} else if (value_is_seq(v)) {
		buf_addc(out, '[');
		for (size_t i = 0; i < v.seq->n; i++) {
			buf_adds(out, i ? ", " : "");
			write_value(u, v.seq->v[i], out);
		}
		buf_addc(out, ']');
	} else {
		buf_adds(out, "null");
	}
}

void upgrade_attribute(struct upgrade *u, const char *key, struct value v, struct buf *out)
{
	buf_printf(out, "%s = ", key);
	write_value(u, v, out);
	buf_addc(out, '\n');
}

static void write_block(struct upgrade *u, const char *type, struct value v,
			const struct spec *spec, struct buf *out)
{
	buf_printf(out, "%s {\n", type);
	upgrade_body(u, v, spec, out);
	buf_adds(out, "}\n");
}

static bool is_plain(struct value v)
{
	return v.kind == VALUE_STRING || v.kind == VALUE_NUMBER || v.kind == VALUE_BOOL;
}

/* Without a table: an object is a block unless it holds nothing but plain values. These three
 * always are blocks. */
static bool looks_like_block(const char *key, struct value v)
{
	static const char *const blocks[] = { "linux_options", "network_interface",
					      "shared_image_gallery" };

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		if (streq(key, blocks[i]))
			return true;
	for (size_t i = 0; i < v.attrs->n; i++)
		if (!is_plain(v.attrs->v[i].value) && v.attrs->v[i].value.kind != VALUE_NULL)
			return true;
	return v.attrs->n == 0;
}

static bool all_objects(struct value v)
{
	for (size_t i = 0; i < v.seq->n; i++)
		if (!value_is_attrs(v.seq->v[i]))
			return false;
	return v.seq->n > 0;
}

/* A text for an option that takes a list: JSON split it at its commas. */
static void write_split(struct upgrade *u, const char *key, struct value v, struct buf *out)
{
	struct str rest = v.string, one;
	bool first = true;

	buf_printf(out, "%s = ", key);
	if (str_find(v.string, STR("{{")) >= 0) {
		buf_adds(out, "split(\",\", ");
		upgrade_text(u, v.string, v.span, out);
		buf_adds(out, ")\n");
		return;
	}
	buf_addc(out, '[');
	while (v.string.n && str_split(&rest, ',', &one)) {
		buf_adds(out, first ? "" : ", ");
		upgrade_text(u, one, v.span, out);
		first = false;
	}
	buf_adds(out, "]\n");
}

/* What JSON took for a value of the row's type and HCL does not; true if it is written (or left
 * out: no value). */
static bool write_loose(struct upgrade *u, const struct spec_row *row, const char *key,
			struct value v, struct buf *out)
{
	AUTO(buf) struct buf text = BUF_INIT;
	int64_t n;

	switch (row->type) {
	case SPEC_T_STRS:
		if (v.kind == VALUE_STRING)
			write_split(u, key, v, out);
		return v.kind == VALUE_STRING;
	case SPEC_T_BOOL:
	case SPEC_T_TRIBOOL:
		if (v.kind == VALUE_NUMBER && value_as_i64(v, &n))
			buf_printf(out, "%s = %s\n", key, n ? "true" : "false");
		return v.kind == VALUE_NUMBER || (v.kind == VALUE_STRING && !v.string.n);
	case SPEC_T_DURATION:
		if (v.kind != VALUE_NUMBER || !value_as_i64(v, &n))
			return v.kind == VALUE_STRING && !v.string.n;
		clock_print_duration(&text, n);
		buf_printf(out, "%s = \"%s\"\n", key, buf_cstr(&text));
		return true;
	case SPEC_T_INT:
		return v.kind == VALUE_STRING && !v.string.n;
	default:
		return false;
	}
}

static void write_option(struct upgrade *u, const struct value_attr *at, const struct spec_row *row,
			 struct buf *out)
{
	const char *key = row ? row->name : arena_strndup(u->arena, at->key.p, at->key.n);
	bool block = row && (row->type == SPEC_T_BLOCK || row->type == SPEC_T_BLOCKS ||
			     (row->flags & SPEC_KEY_VALUE));
	const struct spec *sub = row ? row->sub : NULL;
	struct value v = at->value;

	if (!row && !upgrade_is_identifier(at->key)) {
		diag_error(u->diags, at->key_span,
			   "HCL2 has no options named \"%s\": it is left out", key);
		return;
	}
	if (value_is_attrs(v) && (block || (!row && looks_like_block(key, v)))) {
		write_block(u, key, v, sub, out);
	} else if (value_is_seq(v) && all_objects(v) && (block || !row)) {
		for (size_t i = 0; i < v.seq->n; i++)
			write_block(u, key, v.seq->v[i], sub, out);
	} else if (value_is_seq(v) && !v.seq->n) {
		return; /* as if it were not there */
	} else if (!row || !write_loose(u, row, key, v, out)) {
		upgrade_attribute(u, key, v, out);
	}
}

void upgrade_body(struct upgrade *u, struct value object, const struct spec *spec, struct buf *out)
{
	const struct value_attr *attrs = sorted(u->arena, object);

	for (size_t i = 0; i < object.attrs->n; i++)
		write_option(u, &attrs[i], spec ? spec_find(spec, attrs[i].key, NULL) : NULL, out);
}
