/* Conversions of single values. The weak ones follow mapstructure's WeaklyTypedInput with the hooks
 * of Packer's plugin SDK (template/config/decode.go). */
#include "spec/internal.h"

#include "base/clock.h"
#include "lang/expr/number.h"
#include "lang/jsontext/jsontext.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>

#define SHOWN_MAX 60 /* bytes of a value that a message quotes */

static bool is_secret(const struct decoder *d, struct value v)
{
	return v.sensitive || (d->row && d->row->flags & SPEC_SENSITIVE);
}

/* Short texts that were only made with a secret (true, 5m, a mode) are left out: to blot them out
 * would make all output unreadable, and the secret itself is hidden anyway. */
static bool is_worth_hiding(const struct decoder *d, struct value v, const char *text)
{
	enum { MADE_MIN = 8 };
	bool secret_option = d->row && d->row->flags & SPEC_SENSITIVE;

	return *text && (secret_option || (v.sensitive && strlen(text) >= MADE_MIN));
}

/* The value as a message names it. */
static const char *shown(struct decoder *d, struct value v)
{
	struct arena *a = d->in->arena;

	if (is_secret(d, v))
		return "this secret value";
	switch (v.kind) {
	case VALUE_STRING:
		return arena_printf(a, "\"%.*s%s\"", (int)MIN(v.string.n, (size_t)SHOWN_MAX),
				    v.string.p ? v.string.p : "",
				    v.string.n > SHOWN_MAX ? "…" : "");
	case VALUE_NUMBER:
		return value_number_text(a, v).p;
	case VALUE_BOOL:
		return v.boolean ? "true" : "false";
	default:
		return value_kind_phrase(v);
	}
}

int convert_wrong(struct decoder *d, struct value v, const char *what)
{
	return decode_error(d, v.span, "\"%s\" takes %s, not %s", decode_path(d), what,
			    shown(d, v));
}

static int render_failed(struct decoder *d, struct value v, const struct err *err)
{
	struct span span = v.span;

	if (span.src && d->in->json && err->os >= 0) {
		span.from = jsontext_string_offset(v.span, (size_t)err->os);
		span.to = MAX(span.from + 1, span.from);
	}
	return decode_error(d, span, "\"%s\": %s", decode_path(d), err->msg);
}

int convert_render(struct decoder *d, struct value v, struct str *ret)
{
	AUTO(err) struct err err = ERR_INIT;
	int r;

	*ret = v.string;
	if (!d->in->render || d->rendered)
		return 0;
	r = d->in->render(d->in->data, d->row, d->late, v.string, ret, &err);
	if (r < 0)
		return render_failed(d, v, &err);
	d->standin |= r == 1;
	return 0;
}

/* Renders a string value in place. 1: it is nothing to convert to something else. */
static int prepare_value(struct decoder *d, struct value *v)
{
	if (v->kind == VALUE_NULL || v->kind == VALUE_UNKNOWN)
		return 1;
	if (v->kind != VALUE_STRING)
		return 0;
	d->standin = false;
	if (convert_render(d, *v, &v->string) < 0)
		return -1;
	/* Text whose rendering is put off cannot be judged yet. */
	return d->standin || (d->late && str_find(v->string, STR("{{")) >= 0);
}

int convert_text(struct decoder *d, struct value v, char **ret)
{
	struct arena *a = d->in->arena;
	struct str text;

	switch (v.kind) {
	case VALUE_NULL:
		return 1;
	case VALUE_UNKNOWN:
		if (!d->in->unknown)
			return 1;
		*ret = arena_strdup(a, d->in->unknown);
		d->standin = true;
		return 0;
	case VALUE_STRING:
		if (convert_render(d, v, &v.string) < 0)
			return -1;
		if (memchr(v.string.p ? v.string.p : "", '\0', v.string.n))
			return convert_wrong(d, v, "text without NUL characters");
		*ret = arena_strndup(a, v.string.p ? v.string.p : "", v.string.n);
		break;
	case VALUE_NUMBER:
		text = value_number_text(a, v);
		*ret = arena_strndup(a, text.p, text.n);
		break;
	case VALUE_BOOL: /* mapstructure writes 1 and 0, HCL the words */
		*ret = arena_strdup(a, d->in->weak ? (v.boolean ? "1" : "0")
				       : v.boolean ? "true"
						   : "false");
		break;
	default:
		return convert_wrong(d, v, "text");
	}
	if (d->in->on_secret && is_worth_hiding(d, v, *ret))
		d->in->on_secret(d->in->data, *ret);
	return 0;
}

/* strconv.ParseBool, and nothing is false. */
static bool parse_bool(struct str s, bool *ret)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "", "0", "f", "F", "FALSE", "false", "False" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (str_eqs(s, yes[i])) {
			*ret = true;
			return true;
		}
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		if (str_eqs(s, no[i])) {
			*ret = false;
			return true;
		}
	return false;
}

int convert_bool(struct decoder *d, struct value v, bool *ret)
{
	int r = prepare_value(d, &v);
	double f;

	if (r)
		return r;
	switch (v.kind) {
	case VALUE_BOOL:
		*ret = v.boolean;
		return 0;
	case VALUE_NUMBER:
		if (d->in->weak && value_as_double(v, &f)) {
			*ret = f != 0;
			return 0;
		}
		break;
	case VALUE_STRING:
		if ((d->in->weak || str_eqs(v.string, "true") || str_eqs(v.string, "false")) &&
		    parse_bool(v.string, ret))
			return 0;
		break;
	default:
		break;
	}
	return convert_wrong(d, v, "true or false");
}

/* strconv.ParseInt with base 0: 0x, 0o, 0b, a leading 0 (octal), underscores. */
static bool parse_int(struct arena *a, struct str s, int64_t *ret)
{
	char *text = arena_alloc(a, s.n + 1), *end, *last = text, *digits;
	bool negative;
	int base = 10;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '_')
			*last++ = s.p[i];
	negative = *text == '-';
	digits = text + (*text == '-' || *text == '+');
	if (digits[0] == '0' && digits[1]) {
		char c = digits[1] | 32;

		base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
		digits += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
	}
	if (!isxdigit((unsigned char)*digits)) /* strtoll takes blanks and signs there */
		return false;
	errno = 0;
	*ret = strtoll(digits, &end, base);
	if (negative)
		*ret = -*ret;
	return end == last && !errno;
}

static bool number_to_int(struct value v, int64_t *ret)
{
	double f;

	if (value_as_i64(v, ret))
		return true;
	if (!value_as_double(v, &f) || fabs(f) > 9e18)
		return false;
	*ret = (int64_t)f; /* mapstructure cuts the fraction off */
	return true;
}

int convert_int(struct decoder *d, struct value v, int64_t *ret)
{
	int r = prepare_value(d, &v);

	if (r)
		return r;
	switch (v.kind) {
	case VALUE_NUMBER:
		if (d->in->weak ? number_to_int(v, ret) : value_as_i64(v, ret))
			return 0;
		break;
	case VALUE_BOOL:
		if (d->in->weak) {
			*ret = v.boolean;
			return 0;
		}
		break;
	case VALUE_STRING:
		if (d->in->weak && !v.string.n) {
			*ret = 0;
			return 0;
		}
		if (parse_int(d->in->arena, v.string, ret))
			return 0;
		break;
	default:
		break;
	}
	return convert_wrong(d, v, "a whole number");
}

int convert_duration(struct decoder *d, struct value v, int64_t *ret_ns)
{
	int r = prepare_value(d, &v);
	int64_t ignored;

	if (r)
		return r;
	if (v.kind == VALUE_STRING) {
		if (clock_parse_duration(v.string, ret_ns))
			return 0;
		if (parse_i64(v.string, &ignored))
			return decode_error(d, v.span,
					    "\"%s\": the duration \"" STR_FMT
					    "\" lacks a unit (\"" STR_FMT "s\" are seconds)",
					    decode_path(d), STR_ARG(v.string), STR_ARG(v.string));
		return convert_wrong(d, v, "a duration such as \"90s\" or \"1h30m\"");
	}
	if (v.kind == VALUE_NUMBER && d->in->weak && number_to_int(v, ret_ns))
		return 0;
	if (v.kind == VALUE_BOOL && d->in->weak) {
		*ret_ns = v.boolean;
		return 0;
	}
	return convert_wrong(d, v, "a duration such as \"90s\" or \"1h30m\"");
}
