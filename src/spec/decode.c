/* From an object of a template to a component's struct, by its option table. */
#include "spec/internal.h"

#include "base/vec.h"

#include <stdarg.h>

#define NAMES_MAX 512 /* options that a suggestion is looked for among */

struct given {
	const struct spec_row *row;
	size_t offset;
};

/* What is at hand while one object is decoded. */
struct object {
	struct decoder *d;
	const struct spec *spec;
	struct value body;
	const char *block; /* "" for the component itself */
	void *out;
	VEC(struct given) given;
	bool unknown; /* an unknown option was found */
};

static const char *join_path(struct arena *a, const char *block, struct str name)
{
	return arena_printf(a, "%s%s" STR_FMT, block, *block ? "." : "", STR_ARG(name));
}

const char *decode_path(const struct decoder *d)
{
	return join_path(d->in->arena, d->block, d->key);
}

int decode_error(struct decoder *d, struct span span, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_error(d->in->diags, span, "%s", arena_vprintf(d->in->arena, fmt, ap));
	va_end(ap);
	d->failed = true;
	return -1;
}

struct names {
	const char *v[NAMES_MAX];
	size_t n;
};

static void collect_name(void *data, const struct spec_row *row)
{
	struct names *names = data;

	if (!(row->flags & SPEC_HIDDEN) && names->n < NAMES_MAX)
		names->v[names->n++] = row->name;
}

static void unknown_option(struct object *o, const struct value_attr *at)
{
	struct decoder *d = o->d;
	struct names names = { .n = 0 };
	struct diag *g = diag_error(d->in->diags, at->key_span, "Unknown option \"%s\"",
				    join_path(d->in->arena, o->block, at->key));
	const char *near;

	spec_each(o->spec, collect_name, &names);
	near = str_nearest(arena_strndup(d->in->arena, at->key.p, at->key.n), names.v, names.n);
	if (near)
		diag_detail(d->in->diags, g, "Did you mean \"%s\"?", near);
	else if (str_starts(at->key, "_") || str_starts(at->key, "//"))
		diag_detail(d->in->diags, g, "Comments can only stand at the root of a template.");
	o->unknown = d->failed = true;
}

/* Keys are read in any case, and so one option can stand twice in an object. */
static bool is_other_spelling(struct object *o, const struct spec_row *row,
			      const struct value_attr *at)
{
	const struct value_attr *meant = value_attr_find_fold(o->body, row->name);
	struct decoder *d = o->d;
	struct diag *g;

	if (meant == at)
		return false;
	g = diag_error(d->in->diags, at->key_span, "\"%s\" is given twice",
		       join_path(d->in->arena, o->block, at->key));
	diag_detail(d->in->diags, g, "It stands as \"" STR_FMT "\" too. Remove one of the two.",
		    STR_ARG(meant->key));
	d->failed = true;
	return true;
}

static void decode_given(struct decoder *d, const struct value_attr *at, void *member)
{
	struct diag *g;

	if (d->row->flags & SPEC_NOT_YET) {
		decode_error(d, at->key_span, "\"%s\" is not yet supported by ingot",
			     decode_path(d));
		return;
	}
	if (d->row->flags & SPEC_DEPRECATED) {
		g = diag_warning(d->in->diags, at->key_span, "\"%s\" is an old option",
				 decode_path(d));
		g->lenient = true;
		diag_detail(d->in->diags, g, "It is read; write \"%s\" instead.", d->row->instead);
	}
	if (decode_member(d, at->value, member) < 0)
		d->failed = true;
}

static void decode_attr(struct object *o, const struct value_attr *at)
{
	struct decoder *d = o->d, saved = *d;
	size_t offset = 0;
	const struct spec_row *row = spec_find(o->spec, at->key, &offset);

	if (!row) {
		unknown_option(o, at);
		return;
	}
	if (is_other_spelling(o, row, at) || at->value.kind == VALUE_NULL)
		return;
	vec_push(&o->given, (struct given){ row, offset });
	d->row = row;
	d->block = o->block;
	d->key = at->key;
	d->late = saved.late || row->flags & SPEC_LATE;
	decode_given(d, at, (char *)o->out + offset);
	d->row = saved.row;
	d->block = saved.block;
	d->key = saved.key;
	d->late = saved.late;
	d->rendered = false;
}

/* Whether the option was given, by its own name or by an old one for the same member. */
static bool was_given(const struct object *o, const struct spec_row *row, size_t offset)
{
	for (size_t i = 0; i < o->given.n; i++)
		if (o->given.v[i].row == row || o->given.v[i].offset == offset)
			return true;
	return false;
}

/* An empty text is as good as none. */
static void fill_default(void *data, const struct spec_row *row, size_t offset)
{
	struct object *o = data;
	struct decoder *d = o->d, saved = *d;
	struct spec_input in = *d->in;
	void *member = (char *)o->out + offset;
	bool given = was_given(o, row, offset);

	if (row->type == SPEC_T_STR) {
		char **text = member;

		given = *text && **text;
		if (!given)
			*text = NULL;
	}
	if (given || !row->def)
		return;
	in.weak = true; /* in both languages: "a,b" is a list */
	in.render = NULL;
	d->in = &in;
	d->row = row;
	d->block = o->block;
	d->key = str_from(row->name);
	if (decode_member(d, value_string(str_from(row->def), (struct span){ 0 }), member) < 0)
		d->failed = true;
	saved.failed = d->failed;
	*d = saved;
}

struct required {
	struct object *o;
	struct span span;
};

static void check_required(void *data, const struct spec_row *row, size_t offset)
{
	struct required *r = data;
	struct decoder *d = r->o->d;
	const void *member = (const char *)r->o->out + offset;
	struct span span = r->span;
	bool given = was_given(r->o, row, offset);

	if (!(row->flags & SPEC_REQUIRED))
		return;
	/* Text must not be empty; other types count as soon as they are written. */
	if (row->type == SPEC_T_STR ? *(char *const *)member && **(char *const *)member : given)
		return;
	if (given && row->type == SPEC_T_STR && !*(char *const *)member)
		return; /* wrong or not known yet: said already, or later */
	if (d->in->json && span.src && span.to > span.from + 1)
		span.to = span.from + 1; /* the opening brace, not the whole block */
	diag_error(d->in->diags, span, given ? "\"%s\" must not be empty" : "\"%s\" is required",
		   join_path(d->in->arena, r->o->block, str_from(row->name)));
	d->failed = true;
	d->missing++;
}

int decode_object(struct decoder *d, const struct spec *spec, struct value body, const char *block,
		  void *out)
{
	struct object o = { .d = d, .spec = spec, .body = body, .block = block, .out = out };
	struct required required = { &o, body.span };
	bool failed_before = d->failed, failed;

	d->failed = false;
	for (size_t i = 0; value_is_attrs(body) && i < body.attrs->n; i++)
		decode_attr(&o, &body.attrs->v[i]);
	if (!o.unknown)
		spec_each_at(spec, 0, check_required, &required);
	spec_each_at(spec, 0, fill_default, &o);
	vec_release(&o.given);
	failed = d->failed;
	d->failed |= failed_before;
	return failed ? -1 : 0;
}

int spec_decode(const struct spec *spec, struct value body, const struct spec_input *in, void *out)
{
	struct decoder d = { .in = in, .block = "" };
	size_t errors = in->diags->errors;
	int rc;

	if (!value_is_attrs(body) && body.kind != VALUE_NULL) {
		diag_error(in->diags, body.span, "The options of \"%s\" are an object, not %s",
			   spec->name, value_kind_phrase(body));
		return -1;
	}
	rc = decode_object(&d, spec, body, "", out);
	if (in->ret_incomplete)
		*in->ret_incomplete = rc < 0 && in->diags->errors == errors + d.missing;
	return rc;
}
