/* Values as text: as HCL source, as jsonencode writes them, and in one line. (As the console shows
 * them: show.c.) */
#include "lang/expr/print.h"

#include "lang/expr/inner.h"
#include "lang/expr/number.h"

#define BRIEF_MAX 60 /* bytes of a string in one line */

void hcl_write_quoted(struct buf *out, struct str s)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c == '\n')
			buf_adds(out, "\\n");
		else if (c == '\r')
			buf_adds(out, "\\r");
		else if (c == '\t')
			buf_adds(out, "\\t");
		else if (c < 0x20 || c == 0x7f)
			buf_printf(out, "\\u%04x", c);
		else if ((c == '$' || c == '%') && i + 1 < s.n && s.p[i + 1] == '{')
			buf_printf(out, "%c%c", c, c);
		else
			buf_addc(out, (char)c);
	}
	buf_addc(out, '"');
}

static bool is_identifier(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool letter = (s.p[i] >= 'a' && s.p[i] <= 'z') ||
			      (s.p[i] >= 'A' && s.p[i] <= 'Z') || s.p[i] == '_';

		if (!letter && (!i || !((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-')))
			return false;
	}
	return s.n > 0;
}

static void indent(struct buf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_adds(out, "  ");
}

static void write_hcl(struct buf *out, struct value v, unsigned depth, struct arena *scratch)
{
	if (v.sensitive) {
		buf_adds(out, "<sensitive>");
		return;
	}
	switch (v.kind) {
	case VALUE_NULL:
		buf_adds(out, "null");
		break;
	case VALUE_UNKNOWN:
		buf_adds(out, "<unknown>");
		break;
	case VALUE_BOOL:
		buf_adds(out, v.boolean ? "true" : "false");
		break;
	case VALUE_NUMBER:
		buf_add_str(out, number_text(scratch, v.number));
		break;
	case VALUE_STRING:
		hcl_write_quoted(out, v.string);
		break;
	case VALUE_LIST:
	case VALUE_SET:
	case VALUE_TUPLE:
		buf_adds(out, v.seq->n ? "[\n" : "[");
		for (size_t i = 0; i < v.seq->n; i++) {
			indent(out, depth + 1);
			write_hcl(out, v.seq->v[i], depth + 1, scratch);
			buf_adds(out, ",\n");
		}
		indent(out, v.seq->n ? depth : 0);
		buf_addc(out, ']');
		break;
	case VALUE_MAP:
	case VALUE_OBJECT:
		buf_adds(out, v.attrs->n ? "{\n" : "{");
		for (size_t i = 0; i < v.attrs->n; i++) {
			indent(out, depth + 1);
			if (is_identifier(v.attrs->v[i].key))
				buf_add_str(out, v.attrs->v[i].key);
			else
				hcl_write_quoted(out, v.attrs->v[i].key);
			buf_adds(out, " = ");
			write_hcl(out, v.attrs->v[i].value, depth + 1, scratch);
			buf_addc(out, '\n');
		}
		indent(out, v.attrs->n ? depth : 0);
		buf_addc(out, '}');
		break;
	}
}

void value_write_hcl(struct buf *out, struct value v)
{
	AUTO(arena) struct arena *scratch = arena_new();

	write_hcl(out, v, 0, scratch);
}

struct str value_brief(struct arena *a, struct value v)
{
	AUTO(buf) struct buf out = BUF_INIT;
	const struct type *t = type_of(a, v);
	struct str phrase = type_phrase(a, t);
	size_t n = value_len(v);

	if (v.sensitive)
		return STR("(sensitive value)");
	switch (v.kind) {
	case VALUE_NULL:
		return STR("null");
	case VALUE_UNKNOWN:
		return t->kind == TYPE_ANY
			   ? STR("not known yet")
			   : str_from(arena_printf(a, STR_FMT ", not known yet", STR_ARG(phrase)));
	case VALUE_BOOL:
		return v.boolean ? STR("true") : STR("false");
	case VALUE_NUMBER:
		buf_add_str(&out, number_text(a, v.number));
		break;
	case VALUE_STRING:
		n = MIN(v.string.n, (size_t)BRIEF_MAX);
		while (n < v.string.n && n > 0 && ((uint8_t)v.string.p[n] & 0xc0) == 0x80)
			n--;
		hcl_write_quoted(&out, str_slice(v.string, 0, n));
		if (n < v.string.n)
			buf_printf(&out, "… (%zu bytes)", v.string.n);
		break;
	case VALUE_MAP:
	case VALUE_OBJECT:
		buf_printf(&out, STR_FMT " with %zu %s%s", STR_ARG(phrase), n,
			   v.kind == VALUE_MAP ? "element" : "attribute", n == 1 ? "" : "s");
		break;
	default:
		buf_printf(&out, STR_FMT " with %zu element%s", STR_ARG(phrase), n,
			   n == 1 ? "" : "s");
		break;
	}
	if (out.n > BRIEF_MAX * 2) {
		buf_truncate(&out, BRIEF_MAX);
		buf_adds(&out, "…");
	}
	return arena_str(a, buf_str(&out));
}

static int write_json(struct buf *out, struct value v, struct arena *scratch, struct err *err)
{
	switch (v.kind) {
	case VALUE_UNKNOWN:
		return err_set(err, ERR_INVALID, "a value is not known yet");
	case VALUE_NULL:
		buf_adds(out, "null");
		break;
	case VALUE_BOOL:
		buf_adds(out, v.boolean ? "true" : "false");
		break;
	case VALUE_NUMBER:
		if (!mpfr_number_p(v.number->v))
			return err_set(err, ERR_INVALID, "JSON has no infinity");
		buf_add_str(out, number_text(scratch, v.number));
		break;
	case VALUE_STRING:
		buf_add_go_json_string(out, v.string);
		break;
	case VALUE_LIST:
	case VALUE_SET:
	case VALUE_TUPLE:
		buf_addc(out, '[');
		for (size_t i = 0; i < v.seq->n; i++) {
			buf_adds(out, i ? "," : "");
			if (write_json(out, v.seq->v[i], scratch, err) < 0)
				return -1;
		}
		buf_addc(out, ']');
		break;
	case VALUE_MAP:
	case VALUE_OBJECT:
		buf_addc(out, '{');
		for (size_t i = 0; i < v.attrs->n; i++) {
			buf_adds(out, i ? "," : "");
			buf_add_go_json_string(out, v.attrs->v[i].key);
			buf_addc(out, ':');
			if (write_json(out, v.attrs->v[i].value, scratch, err) < 0)
				return -1;
		}
		buf_addc(out, '}');
		break;
	}
	return 0;
}

int value_write_jsonencode(struct buf *out, struct value v, struct err *err)
{
	AUTO(arena) struct arena *scratch = arena_new();

	return write_json(out, v, scratch, err);
}
