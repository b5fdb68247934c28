/* Decoding one value into the member of its option: lists, maps, blocks; choices and ranges. */
#include "spec/internal.h"

#include "base/vec.h"

/* Of two results; an error stays. */
static int worst(int a, int b)
{
	return a < b ? a : b;
}

static int check_choice(struct decoder *d, struct value v, const char *text)
{
	AUTO(buf) struct buf all = BUF_INIT;
	const struct spec_row *row = d->row;

	/* Text that comes later is not judged, nor is none: the same as not given. */
	if (!row->choices || !*text || d->standin || strstr(text, "{{"))
		return 0;
	for (size_t i = 0; row->choices[i]; i++) {
		if (streq(row->choices[i], text))
			return 0;
		buf_printf(&all, "%s%s", i ? ", " : "", row->choices[i]);
	}
	return decode_error(d, v.span, "\"%s\" is one of: %s; not \"%s\"", decode_path(d),
			    buf_cstr(&all), text);
}

static int check_range(struct decoder *d, struct value v, int64_t n)
{
	const struct spec_row *row = d->row;

	if (row->min == row->max || (n >= row->min && n <= row->max))
		return 0;
	if (row->type == SPEC_T_DURATION)
		return decode_error(d, v.span, "\"%s\" is out of its range of %lld to %lld seconds",
				    decode_path(d), (long long)(row->min / 1000000000),
				    (long long)(row->max / 1000000000));
	if (row->max == INT64_MAX)
		return decode_error(d, v.span, "\"%s\" is at least %lld, not %lld", decode_path(d),
				    (long long)row->min, (long long)n);
	return decode_error(d, v.span, "\"%s\" is between %lld and %lld, not %lld", decode_path(d),
			    (long long)row->min, (long long)row->max, (long long)n);
}

static int decode_str(struct decoder *d, struct value v, char **member)
{
	char *text;
	int r = convert_text(d, v, &text);

	if (r == 0) {
		*member = text;
		r = check_choice(d, v, text);
	}
	return r;
}

static int decode_tribool(struct decoder *d, struct value v, enum tribool *member)
{
	bool b;
	int r;

	if (v.kind == VALUE_STRING && !v.string.n)
		return 1; /* empty text: as if it were not given */
	r = convert_bool(d, v, &b);
	if (r == 0)
		*member = b ? TRIBOOL_TRUE : TRIBOOL_FALSE;
	return r;
}

static int decode_int(struct decoder *d, struct value v, int64_t *member)
{
	int64_t n;
	int r = d->row->type == SPEC_T_DURATION ? convert_duration(d, v, &n)
						: convert_int(d, v, &n);

	if (r == 0) {
		*member = n;
		r = check_range(d, v, n);
	}
	return r;
}

/* The elements of a list option. Weak: text is split at its commas, any other value is a list of
 * one. */
static int list_elements(struct decoder *d, struct value v, const char *what, struct value **ret,
			 size_t *ret_n)
{
	struct arena *a = d->in->arena;
	struct str rest, field;
	VEC(struct value) parts = VEC_INIT;

	if (value_is_seq(v)) {
		*ret = arena_new_array(a, struct value, v.seq->n);
		memcpy(*ret, v.seq->v, v.seq->n * sizeof(**ret));
		*ret_n = v.seq->n;
		return 0;
	}
	if (v.kind == VALUE_NULL || v.kind == VALUE_UNKNOWN)
		return 1;
	if (d->in->weak && value_is_attrs(v) && !v.attrs->n)
		return 1;
	if (!d->in->weak || value_is_attrs(v))
		return convert_wrong(d, v, what);
	if (v.kind == VALUE_STRING) {
		if (convert_render(d, v, &rest) < 0)
			return -1;
		if (d->standin && d->row->type == SPEC_T_INTS)
			return 1;
		d->rendered = true;
		while (rest.n && str_split(&rest, ',', &field))
			vec_push(&parts, value_string(field, v.span));
	} else {
		vec_push(&parts, v);
	}
	*ret = arena_new_array(a, struct value, parts.n);
	if (parts.n)
		memcpy(*ret, parts.v, parts.n * sizeof(**ret));
	*ret_n = parts.n;
	vec_release(&parts);
	return 0;
}

static int decode_strs(struct decoder *d, struct value v, struct strs *member)
{
	struct value *v2;
	size_t n;
	int r = list_elements(d, v, "a list of texts", &v2, &n), one;

	if (r)
		return r;
	member->v = arena_new_array(d->in->arena, char *, n + 1);
	member->n = n;
	for (size_t i = 0; i < n; i++) {
		member->v[i] = arena_strdup(d->in->arena, "");
		one = convert_text(d, v2[i], &member->v[i]);
		if (one == 0)
			one = check_choice(d, v2[i], member->v[i]);
		r = worst(r, one);
	}
	return r;
}

static int decode_ints(struct decoder *d, struct value v, struct ints *member)
{
	struct value *v2;
	size_t n;
	int r = list_elements(d, v, "a list of whole numbers", &v2, &n), one;

	if (r)
		return r;
	member->v = arena_new_array(d->in->arena, int64_t, n + 1);
	member->n = n;
	for (size_t i = 0; i < n; i++) {
		one = convert_int(d, v2[i], &member->v[i]);
		if (one == 0)
			one = check_range(d, v2[i], member->v[i]);
		r = worst(r, one);
	}
	return r;
}

/* A later value of the same key replaces the earlier one. */
static void map_put(struct arena *a, struct str_map *m, size_t *cap, char *key, char *value)
{
	for (size_t i = 0; i < m->n; i++)
		if (streq(m->v[i].key, key)) {
			m->v[i].value = value;
			return;
		}
	if (m->n == *cap) {
		size_t want = MAX(*cap * 2, (size_t)8);

		m->v = arena_grow(a, m->v, m->n * sizeof(*m->v), want * sizeof(*m->v));
		*cap = want;
	}
	m->v[m->n++] = (struct str_pair){ key, value };
}

static int add_pair(struct decoder *d, struct value key, struct value v, struct str_map *m,
		    size_t *cap)
{
	char *k = NULL, *text = NULL;
	int r = convert_text(d, key, &k);

	if (r)
		return r;
	r = convert_text(d, v, &text);
	if (r < 0)
		return -1;
	map_put(d->in->arena, m, cap, k, text ? text : arena_strdup(d->in->arena, ""));
	return 0;
}

static int add_object(struct decoder *d, struct value v, struct str_map *m, size_t *cap)
{
	int r = 0;

	for (size_t i = 0; i < v.attrs->n; i++) {
		const struct value_attr *at = &v.attrs->v[i];

		r = worst(r, add_pair(d, value_string(at->key, at->key_span), at->value, m, cap));
	}
	return r;
}

/* { key = …, value = … }, where key may be called name. */
static int add_key_value(struct decoder *d, struct value v, struct str_map *m, size_t *cap)
{
	const struct value_attr *key = NULL, *value = NULL;
	struct diag *g;

	if (!value_is_attrs(v))
		return convert_wrong(d, v, "blocks with a key and a value");
	for (size_t i = 0; i < v.attrs->n; i++) {
		const struct value_attr *at = &v.attrs->v[i];

		if (str_ieqs(at->key, "key") || str_ieqs(at->key, "name")) {
			key = at;
		} else if (str_ieqs(at->key, "value")) {
			value = at;
		} else {
			g = diag_error(d->in->diags, at->key_span,
				       "Unknown option \"%s." STR_FMT "\"", decode_path(d),
				       STR_ARG(at->key));
			diag_detail(d->in->diags, g,
				    "A block \"%s\" has a \"key\" and a \"value\".",
				    decode_path(d));
			d->failed = true;
		}
	}
	if (!key || (!value && !d->in->weak))
		return decode_error(d, v.span, "A block \"%s\" lacks its \"%s\"", decode_path(d),
				    key ? "value" : "key");
	return add_pair(d, key->value, value ? value->value : value_string(STR(""), v.span), m,
			cap);
}

static int decode_map(struct decoder *d, struct value v, struct str_map *member)
{
	bool blocks = d->row->flags & SPEC_KEY_VALUE;
	size_t cap = 0;
	int r = 0;

	if (v.kind == VALUE_NULL || v.kind == VALUE_UNKNOWN)
		return 1;
	if (value_is_attrs(v))
		return blocks ? add_key_value(d, v, member, &cap) : add_object(d, v, member, &cap);
	if (!value_is_seq(v) || (!blocks && !d->in->weak))
		return convert_wrong(d, v, "an object of texts");
	for (size_t i = 0; i < v.seq->n; i++) { /* weak: a list of objects is merged */
		struct value one = v.seq->v[i];

		if (blocks)
			r = worst(r, add_key_value(d, one, member, &cap));
		else if (value_is_attrs(one))
			r = worst(r, add_object(d, one, member, &cap));
		else
			r = convert_wrong(d, one, "an object of texts");
	}
	return r;
}

static int decode_block(struct decoder *d, struct value v, void **member)
{
	const struct spec *sub = d->row->sub;

	if (v.kind == VALUE_NULL || v.kind == VALUE_UNKNOWN)
		return 1;
	if (value_is_seq(v) && v.seq->n == 1) /* HCL gives blocks as a list */
		v = v.seq->v[0];
	else if (value_is_seq(v) && !v.seq->n)
		return 1;
	if (!value_is_attrs(v))
		return convert_wrong(d, v, "one block of options");
	*member = arena_alloc(d->in->arena, sub->size);
	return decode_object(d, sub, v, decode_path(d), *member);
}

static int decode_blocks(struct decoder *d, struct value v, struct spec_blocks *member)
{
	size_t n = 1;
	int r = 0;

	if (v.kind == VALUE_NULL || v.kind == VALUE_UNKNOWN)
		return 1;
	if (!value_is_seq(v) && !value_is_attrs(v))
		return convert_wrong(d, v, "a list of blocks of options");
	if (value_is_seq(v))
		n = v.seq->n;
	member->v = arena_new_array(d->in->arena, void *, n + 1);
	member->n = n;
	for (size_t i = 0; i < n; i++) {
		r = worst(r, decode_block(d, value_is_seq(v) ? v.seq->v[i] : v, &member->v[i]));
		if (!member->v[i])
			member->v[i] = arena_alloc(d->in->arena, d->row->sub->size);
	}
	return r;
}

/* Renders all text in a value that is kept as it stands. */
static int render_value(struct decoder *d, struct value v, struct value *ret)
{
	struct arena *a = d->in->arena;
	int r = 0;

	*ret = v;
	if (v.kind == VALUE_STRING) {
		if (convert_render(d, v, &ret->string) < 0)
			return -1;
		ret->string = arena_str(a, ret->string);
	} else if (value_is_seq(v)) {
		struct value_seq *seq;

		*ret = value_seq_make(a, v.kind, v.seq->v, v.seq->n, v.span);
		seq = (struct value_seq *)ret->seq; /* ours: just made */
		for (size_t i = 0; i < seq->n; i++)
			r = worst(r, render_value(d, v.seq->v[i], &seq->v[i]));
	} else if (value_is_attrs(v)) {
		struct value_attrs *attrs;

		*ret = value_attrs_make(a, v.kind, v.attrs->v, v.attrs->n, v.span);
		attrs = (struct value_attrs *)ret->attrs;
		for (size_t i = 0; i < attrs->n; i++)
			r = worst(r, render_value(d, v.attrs->v[i].value, &attrs->v[i].value));
	}
	return r;
}

/* Decodes one value into the member of d->row. */
int decode_member(struct decoder *d, struct value v, void *member)
{
	d->standin = false;
	switch (d->row->type) {
	case SPEC_T_STR:
		return decode_str(d, v, member);
	case SPEC_T_BOOL:
		return convert_bool(d, v, member);
	case SPEC_T_TRIBOOL:
		return decode_tribool(d, v, member);
	case SPEC_T_INT:
	case SPEC_T_DURATION:
		return decode_int(d, v, member);
	case SPEC_T_STRS:
		return decode_strs(d, v, member);
	case SPEC_T_INTS:
		return decode_ints(d, v, member);
	case SPEC_T_MAP:
		return decode_map(d, v, member);
	case SPEC_T_BLOCK:
		return decode_block(d, v, member);
	case SPEC_T_BLOCKS:
		return decode_blocks(d, v, member);
	case SPEC_T_VALUE:
		return render_value(d, v, member);
	case SPEC_T_EMBED:
		break;
	}
	return 0;
}
