/* Values as console and inspect show them: the reference's layout, byte for byte. A string alone
 * stands as it is, one inside of something is quoted as Go's %q does, maps are sorted and leave
 * their nulls out, numbers that are no 64-bit integers are shown as floats. */
#include "lang/expr/print.h"

#include "lang/expr/gotext.h"
#include "lang/expr/number.h"
#include "lang/expr/type.h"

#include <math.h>

#define INDENT "  "

static void write_number(struct buf *out, struct value v)
{
	double d = mpfr_get_d(v.number->v, MPFR_RNDN);
	int64_t whole;

	if (value_as_i64(v, &whole))
		buf_printf(out, "%lld", (long long)whole);
	else if (isinf(d))
		buf_adds(out, d < 0 ? "-Inf" : "+Inf");
	else
		gotext_float(out, d, false);
}

static void write_value(struct buf *out, struct value v, bool nested, size_t depth,
			const struct value_hide *hide);

static void indent(struct buf *out, size_t depth)
{
	while (depth--)
		buf_adds(out, INDENT);
}

static void write_seq(struct buf *out, struct value v, size_t depth, const struct value_hide *hide)
{
	buf_adds(out, v.seq->n ? "[\n" : "[");
	for (size_t i = 0; i < v.seq->n; i++) {
		indent(out, depth + 1);
		write_value(out, value_mark(v.seq->v[i], v.sensitive || v.seq->v[i].sensitive),
			    true, depth + 1, hide);
		buf_adds(out, ",\n");
	}
	if (v.seq->n)
		indent(out, depth);
	buf_addc(out, ']');
}

static int compare_keys(const void *a, const void *b)
{
	return str_cmp((*(const struct value_attr *const *)a)->key,
		       (*(const struct value_attr *const *)b)->key);
}

static void write_key(struct buf *out, struct str key, const struct value_hide *hide)
{
	AUTO(buf) struct buf clean = BUF_INIT;

	gotext_quote(out, hide->text(hide->data, key, &clean) ? buf_str(&clean) : key, false);
}

static void write_attrs(struct buf *out, struct value v, size_t depth,
			const struct value_hide *hide)
{
	const struct value_attr **sorted = xcalloc(v.attrs->n + 1, sizeof(*sorted));
	size_t n = 0;

	for (size_t i = 0; i < v.attrs->n; i++)
		if (v.attrs->v[i].value.kind != VALUE_NULL)
			sorted[n++] = &v.attrs->v[i];
	qsort(sorted, n, sizeof(*sorted), compare_keys);
	buf_adds(out, n ? "{\n" : "{");
	for (size_t i = 0; i < n; i++) {
		indent(out, depth + 1);
		write_key(out, sorted[i]->key, hide);
		buf_adds(out, " = ");
		write_value(out,
			    value_mark(sorted[i]->value, v.sensitive || sorted[i]->value.sensitive),
			    true, depth + 1, hide);
		buf_addc(out, '\n');
	}
	if (n)
		indent(out, depth);
	buf_addc(out, '}');
	free(sorted);
}

static void write_string(struct buf *out, struct value v, bool nested,
			 const struct value_hide *hide)
{
	AUTO(buf) struct buf clean = BUF_INIT;
	struct str s = v.string;

	if (hide->text(hide->data, s, &clean))
		s = buf_str(&clean);
	else if (v.sensitive && s.n)
		s = STR("<sensitive>");
	if (nested)
		gotext_quote(out, s, false);
	else
		buf_add_str(out, s);
}

static bool nothing_hidden(void *data, struct str text, struct buf *out)
{
	(void)data;
	(void)text;
	(void)out;
	return false;
}

static void write_value(struct buf *out, struct value v, bool nested, size_t depth,
			const struct value_hide *hide)
{
	switch (v.kind) {
	case VALUE_NULL:
		buf_adds(out, "null");
		return;
	case VALUE_UNKNOWN:
		buf_adds(out, "<unknown>");
		return;
	case VALUE_STRING:
		write_string(out, v, nested, hide);
		return;
	default:
		break;
	}
	if (v.sensitive && !value_is_seq(v) && !value_is_attrs(v))
		buf_adds(out, "<sensitive>");
	else if (v.kind == VALUE_BOOL)
		buf_adds(out, v.boolean ? "true" : "false");
	else if (v.kind == VALUE_NUMBER)
		write_number(out, v);
	else if (value_is_seq(v))
		write_seq(out, v, depth, hide);
	else
		write_attrs(out, v, depth, hide);
}

void value_write_shown(struct buf *out, struct value v, const struct value_hide *hide)
{
	static const struct value_hide all = { nothing_hidden, NULL };

	if (value_has_unknown(v))
		buf_adds(out, "<unknown>");
	else
		write_value(out, v, false, 0, hide ? hide : &all);
}
