/* From an object of a template to a component's struct, by its option table. */
#include "spec/internal.h"

#include "base/os.h"
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
	const char *path; /* "" for the component itself */
	void *out;
	VEC(struct given) given;
	bool unknown; /* an unknown option was found */
};

static const char *join_path(struct arena *a, const char *path, struct str name)
{
	return arena_printf(a, "%s%s%.*s", path, *path ? "." : "", (int)name.n, name.p);
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

static void unknown_option(struct decoder *d, const struct spec *spec, const struct value_attr *at,
			   const char *path)
{
	struct names names = { .n = 0 };
	struct diag *g = diag_error(d->in->diags, at->key_span, "Unknown option \"%s\"",
				    join_path(d->in->arena, path, at->key));
	const char *near;

	spec_each(spec, collect_name, &names);
	near = str_nearest(arena_strndup(d->in->arena, at->key.p, at->key.n), names.v, names.n);
	if (near)
		diag_detail(d->in->diags, g, "Did you mean \"%s\"?", near);
	else if (starts_with(at->key.p, "_") || starts_with(at->key.p, "//"))
		diag_detail(d->in->diags, g, "Comments can only stand at the root of a template.");
	d->failed = true;
}

static bool ignored(const struct decoder *d, struct str name, const char *path)
{
	if (*path || !d->in->ignore)
		return false;
	for (size_t i = 0; d->in->ignore[i]; i++)
		if (str_ieqs(name, d->in->ignore[i]))
			return true;
	return false;
}

static void decode_attr(struct object *o, const struct spec *spec, const struct value_attr *at)
{
	struct decoder *d = o->d;
	struct decoder saved = *d;
	size_t offset = 0;
	const struct spec_row *row = spec_find(spec,
					       arena_strndup(d->in->arena, at->key.p, at->key.n),
					       &offset);
	struct diag *g;

	if (!row) {
		unknown_option(d, spec, at, o->path);
		o->unknown = true;
		return;
	}
	if (at->value.kind == VALUE_NULL)
		return;
	vec_push(&o->given, (struct given){ row, offset });
	d->row = row;
	d->path = join_path(d->in->arena, o->path, at->key);
	d->late = saved.late || row->flags & SPEC_LATE;
	if (row->flags & SPEC_NOT_YET) {
		decode_error(d, at->key_span, "\"%s\" is not yet supported by ingot", d->path);
	} else {
		if (row->flags & SPEC_DEPRECATED) {
			g = diag_warning(d->in->diags, at->key_span, "\"%s\" is an old option",
					 d->path);
			g->lenient = true;
			diag_detail(d->in->diags, g, "It is read; write \"%s\" instead.",
				    row->instead);
		}
		if (decode_member(d, at->value, (char *)o->out + offset) < 0)
			d->failed = true;
	}
	d->row = saved.row;
	d->path = saved.path;
	d->late = saved.late;
	d->rendered = false;
}

static void fill_in(struct object *o, const struct spec_row *row, size_t offset, const char *text)
{
	struct decoder *d = o->d, saved = *d;
	/* Defaults are decoded weakly in both languages: "a,b" is a list. */
	struct spec_input in = *d->in;

	in.weak = true;
	in.render = NULL;
	d->in = &in;
	d->row = row;
	d->path = row->name;
	if (decode_member(d, value_string(str_from(text), (struct span){ 0 }),
			  (char *)o->out + offset) < 0)
		d->failed = true;
	saved.failed = d->failed;
	*d = saved;
}

/* Whether the option was given, by its own name or by an old one for the same member. */
static bool was_given(const struct object *o, const struct spec_row *row, size_t offset)
{
	for (size_t i = 0; i < o->given.n; i++)
		if (o->given.v[i].row == row || o->given.v[i].offset == offset)
			return true;
	return false;
}

static void fill_row(void *data, const struct spec_row *row, size_t offset)
{
	struct object *o = data;
	const char *text = NULL;

	if (was_given(o, row, offset))
		return;
	if (row->env)
		text = os_env(row->env);
	if (!text)
		text = row->def;
	if (text)
		fill_in(o, row, offset, text);
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
		   join_path(d->in->arena, r->o->path, str_from(row->name)));
	d->failed = true;
	d->missing++;
}

int decode_object(struct decoder *d, const struct spec *spec, struct value body, const char *path,
		  void *out)
{
	struct object o = { .d = d, .path = path, .out = out };
	struct required required = { &o, body.span };
	bool failed_before = d->failed, failed;

	d->failed = false;
	if (value_is_attrs(body))
		for (size_t i = 0; i < body.attrs->n; i++)
			if (!ignored(d, body.attrs->v[i].key, path))
				decode_attr(&o, spec, &body.attrs->v[i]);
	spec_each_at(spec, 0, fill_row, &o);
	if (!o.unknown)
		spec_each_at(spec, 0, check_required, &required);
	vec_release(&o.given);
	failed = d->failed;
	d->failed |= failed_before;
	return failed ? -1 : 0;
}

int spec_decode(const struct spec *spec, struct value body, const struct spec_input *in, void *out)
{
	struct decoder d = { .in = in, .path = "" };
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
