/* Go's fmt.Sprintf over template values: directives with flags, width, precision and argument
 * numbers, and what Go shows where they do not fit. (Facts: package fmt's documentation and
 * behaviour.) */
#include "lang/gotmpl/format.h"
#include "lang/gotmpl/tree.h"

#include "base/cluster.h"

#include <ctype.h>

#define COUNT_MAX 1000000 /* of width, precision and argument numbers: larger ones are refused */

struct printer {
	struct format f;
	struct str text; /* of the format */
	const struct value *args;
	size_t nargs, next;
	struct arena *scratch;
	bool reordered, bad_index, after_index;
};

static void show(struct printer *p, struct value v, uint32_t verb, unsigned depth);

const char *gotmpl_go_type(struct value v)
{
	int64_t i;

	switch (v.kind) {
	case VALUE_BOOL:
		return "bool";
	case VALUE_NUMBER:
		return gotmpl_as_int(v, &i) ? "int" : "float64";
	case VALUE_STRING:
		return "string";
	case VALUE_NULL:
	case VALUE_UNKNOWN:
		return "<nil>";
	default:
		return value_is_seq(v) ? "[]interface {}" : "map[string]interface {}";
	}
}

static bool is_nil(struct value v)
{
	return v.kind == VALUE_NULL || v.kind == VALUE_UNKNOWN;
}

static void bad_verb(struct printer *p, struct value v, uint32_t verb)
{
	buf_adds(p->f.out, "%!");
	buf_add_utf8(p->f.out, verb);
	buf_addc(p->f.out, '(');
	if (is_nil(v)) {
		buf_adds(p->f.out, "<nil>");
	} else {
		buf_printf(p->f.out, "%s=", gotmpl_go_type(v));
		show(p, v, 'v', 0);
	}
	buf_addc(p->f.out, ')');
}

static void show_seq(struct printer *p, struct value v, uint32_t verb, unsigned depth)
{
	bool sharp = p->f.sharp_v;

	buf_adds(p->f.out, sharp ? "[]interface {}{" : "[");
	for (size_t i = 0; i < v.seq->n; i++) {
		if (i)
			buf_adds(p->f.out, sharp ? ", " : " ");
		show(p, v.seq->v[i], verb, depth + 1);
	}
	buf_addc(p->f.out, sharp ? '}' : ']');
}

static void show_attrs(struct printer *p, struct value v, uint32_t verb, unsigned depth)
{
	const struct value_attr **attrs = gotmpl_sorted_attrs(p->scratch, v);
	bool sharp = p->f.sharp_v;

	buf_adds(p->f.out, sharp ? "map[string]interface {}{" : "map[");
	for (size_t i = 0; i < v.attrs->n; i++) {
		if (i)
			buf_adds(p->f.out, sharp ? ", " : " ");
		show(p, value_string(attrs[i]->key, (struct span){ 0 }), verb, depth + 1);
		buf_addc(p->f.out, ':');
		show(p, attrs[i]->value, verb, depth + 1);
	}
	buf_addc(p->f.out, sharp ? '}' : ']');
}

static void show_nil(struct printer *p, struct value v, uint32_t verb, unsigned depth)
{
	if (depth)
		buf_adds(p->f.out, p->f.sharp_v ? "interface {}(nil)" : "<nil>");
	else if (verb == 'v')
		format_pad(&p->f, STR("<nil>"));
	else
		bad_verb(p, v, verb);
}

static void show(struct printer *p, struct value v, uint32_t verb, unsigned depth)
{
	double d = 0;
	int64_t i;
	bool fits = true;

	switch (v.kind) {
	case VALUE_NULL:
	case VALUE_UNKNOWN:
		show_nil(p, v, verb, depth);
		return;
	case VALUE_BOOL:
		fits = format_bool(&p->f, v.boolean, verb);
		break;
	case VALUE_NUMBER:
		value_as_double(v, &d);
		fits = gotmpl_as_int(v, &i) ? format_int(&p->f, i, verb)
					    : format_float(&p->f, d, verb);
		break;
	case VALUE_STRING:
		fits = format_text(&p->f, v.string, verb);
		break;
	default:
		if (value_is_seq(v))
			show_seq(p, v, verb, depth);
		else
			show_attrs(p, v, verb, depth);
	}
	if (!fits)
		bad_verb(p, v, verb);
}

static void show_arg(struct printer *p, struct value v, uint32_t verb)
{
	if (verb == 'T' && is_nil(v))
		format_pad(&p->f, STR("<nil>"));
	else if (verb == 'T')
		format_text(&p->f, str_from(gotmpl_go_type(v)), 's');
	else if (verb == 'w')
		bad_verb(p, v, verb);
	else
		show(p, v, verb, 0);
}

void gotmpl_print_value(struct buf *out, struct value v, struct arena *scratch)
{
	struct printer p = { .f.out = out, .scratch = scratch };

	show(&p, v, 'v', 0);
}

static size_t parse_number(struct str f, size_t i, int *ret, bool *ret_is)
{
	int n = 0;

	*ret_is = false;
	*ret = 0;
	for (; i < f.n && isdigit((unsigned char)f.p[i]); i++) {
		n = n * 10 + (f.p[i] - '0');
		if (n > COUNT_MAX) { /* the rest of it stays */
			*ret_is = false;
			return f.n;
		}
		*ret_is = true;
	}
	*ret = n;
	return i;
}

/* [3]: the argument that comes next, counted from 1. */
static size_t parse_index(struct printer *p, size_t i)
{
	struct str f = p->text;
	size_t close = i;
	int n;
	bool is;

	p->after_index = false;
	if (i >= f.n || f.p[i] != '[')
		return i;
	p->reordered = true;
	while (close < f.n && f.p[close] != ']')
		close++;
	if (close == f.n) {
		p->bad_index = true;
		return i + 1;
	}
	if (parse_number(f, i + 1, &n, &is) != close || !is || n < 1 || (size_t)n > p->nargs) {
		p->bad_index = true;
		return close + 1;
	}
	p->next = (size_t)n - 1;
	p->after_index = true;
	return close + 1;
}

static size_t parse_flags(struct printer *p, size_t i)
{
	struct format *f = &p->f;

	*f = (struct format){ .out = f->out };
	for (; i < p->text.n; i++) {
		switch (p->text.p[i]) {
		case '#':
			f->sharp = true;
			break;
		case '0':
			f->zero = true;
			break;
		case '+':
			f->plus = true;
			break;
		case '-':
			f->minus = true;
			break;
		case ' ':
			f->space = true;
			break;
		default:
			return i;
		}
	}
	return i;
}

/* The next argument as a width or precision; false: it cannot be one. */
static bool take_count(struct printer *p, int *ret)
{
	int64_t n;

	*ret = 0;
	if (p->next >= p->nargs || !gotmpl_as_int(p->args[p->next++], &n) || n > COUNT_MAX ||
	    n < -COUNT_MAX)
		return false;
	*ret = (int)n;
	return true;
}

static size_t parse_width(struct printer *p, size_t i)
{
	struct format *f = &p->f;

	i = parse_index(p, i);
	if (i >= p->text.n || p->text.p[i] != '*') {
		i = parse_number(p->text, i, &f->width, &f->has_width);
		p->bad_index |= p->after_index && f->has_width;
		return i;
	}
	f->has_width = take_count(p, &f->width);
	if (!f->has_width)
		buf_adds(f->out, "%!(BADWIDTH)");
	if (f->width < 0) {
		f->width = -f->width;
		f->minus = true;
		f->zero = false;
	}
	p->after_index = false;
	return i + 1;
}

static size_t parse_precision(struct printer *p, size_t i)
{
	struct format *f = &p->f;

	if (i >= p->text.n || p->text.p[i] != '.')
		return i;
	i++;
	p->bad_index |= p->after_index;
	i = parse_index(p, i);
	if (i >= p->text.n || p->text.p[i] != '*') {
		i = parse_number(p->text, i, &f->precision, &f->has_precision);
		f->has_precision = true;
		return i;
	}
	f->has_precision = take_count(p, &f->precision);
	if (f->precision < 0) {
		f->precision = 0;
		f->has_precision = false;
	}
	if (!f->has_precision)
		buf_adds(f->out, "%!(BADPREC)");
	p->after_index = false;
	return i + 1;
}

static void run_verb(struct printer *p, uint32_t verb)
{
	struct format *f = &p->f;

	if (verb == '%') {
		buf_addc(f->out, '%');
		return;
	}
	if (p->bad_index || p->next >= p->nargs) {
		buf_adds(f->out, "%!");
		buf_add_utf8(f->out, verb);
		buf_adds(f->out, p->bad_index ? "(BADINDEX)" : "(MISSING)");
		return;
	}
	if (verb == 'v' || verb == 'w') { /* w is for errors, and goes with none of these values */
		f->sharp_v = f->sharp;
		f->sharp = f->plus = false;
	}
	show_arg(p, p->args[p->next++], verb);
}

/* What stands behind a '%', from i on; returns where it ends. */
static size_t run_directive(struct printer *p, size_t i)
{
	uint32_t verb;
	size_t n;

	p->bad_index = p->after_index = false;
	i = parse_flags(p, i);
	i = parse_width(p, i);
	i = parse_precision(p, i);
	if (!p->after_index)
		i = parse_index(p, i);
	if (i >= p->text.n) {
		buf_adds(p->f.out, "%!(NOVERB)");
		return p->text.n;
	}
	verb = str_rune(p->text, i, &n);
	run_verb(p, verb);
	return i + n;
}

static void show_extra(struct printer *p)
{
	struct buf *out = p->f.out;

	p->f = (struct format){ .out = out };
	buf_adds(out, "%!(EXTRA ");
	for (size_t i = p->next; i < p->nargs; i++) {
		if (i > p->next)
			buf_adds(out, ", ");
		if (is_nil(p->args[i])) {
			buf_adds(out, "<nil>");
		} else {
			buf_printf(out, "%s=", gotmpl_go_type(p->args[i]));
			show(p, p->args[i], 'v', 0);
		}
	}
	buf_addc(out, ')');
}

void gotmpl_printf(struct buf *out, struct str f, const struct value *args, size_t n,
		   struct arena *scratch)
{
	struct printer p = {
		.f.out = out, .text = f, .args = args, .nargs = n, .scratch = scratch
	};

	for (size_t i = 0; i < f.n;) {
		if (f.p[i] != '%') {
			buf_addc(out, f.p[i++]);
			continue;
		}
		i = run_directive(&p, i + 1);
	}
	if (!p.reordered && p.next < n)
		show_extra(&p);
}
