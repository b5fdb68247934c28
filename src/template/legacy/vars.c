/* Variables of a legacy template: defaults and given values are rendered until all have their text.
 *
 * A value may name other variables by {{user `x`}}; it waits until they are done. What looks like
 * {{.Script}} is left as it stands: it is meant for the option that the variable goes into. */
#include "template/legacy/legacy.h"

#include "base/vec.h"
#include "template/version.h"

struct pending {
	const char *name, *text;
	struct span span;
	const char *unset; /* what it waited for in the last round */
	bool done, failed;
};

/* {{.Name}} as far as the reference protects it: "{{", one white space at most, a dot, the nearest
 * "}}". */
static size_t late_action(struct str s)
{
	size_t i = 2;
	ptrdiff_t end;

	if (!str_starts(s, "{{"))
		return 0;
	if (i < s.n && strchr(" \t\r\n\f", s.p[i]))
		i++;
	if (i >= s.n || s.p[i] != '.')
		return 0;
	end = str_find(str_slice(s, i, s.n), STR("}}"));
	if (end < 0 || memchr(s.p + i, '\n', (size_t)end))
		return 0;
	return i + (size_t)end + 2;
}

/* Renders all but the late actions, which go around the engine as numbered marks. */
static int render_value(struct scope *s, struct arena *a, struct str text, struct str *ret,
			struct err *err)
{
	AUTO(buf) struct buf marked = BUF_INIT, out = BUF_INIT;
	VEC(struct str) kept = VEC_INIT;
	struct str rendered;
	int r;

	for (size_t i = 0; i < text.n; i++) {
		size_t n = late_action(str_slice(text, i, text.n));

		if (n) {
			buf_printf(&marked, "\x1d%zu\x1d", kept.n);
			vec_push(&kept, str_slice(text, i, i + n));
			i += n - 1;
		} else {
			buf_addc(&marked, text.p[i]);
		}
	}
	r = scope_render(s, a, value_null((struct span){ 0 }), false, buf_str(&marked), &rendered,
			 err);
	for (size_t i = 0; r >= 0 && i < rendered.n; i++) {
		uint64_t at;
		ptrdiff_t end = rendered.p[i] == '\x1d'
				    ? str_find(str_slice(rendered, i + 1, rendered.n), STR("\x1d"))
				    : -1;

		if (end > 0 && parse_u64(str_slice(rendered, i + 1, i + 1 + (size_t)end), &at) &&
		    at < kept.n) {
			buf_add_str(&out, kept.v[at]);
			i += (size_t)end + 1;
		} else {
			buf_addc(&out, rendered.p[i]);
		}
	}
	vec_release(&kept);
	if (r < 0)
		return -1;
	*ret = arena_str(a, buf_str(&out));
	return 0;
}

static int compare_pending(const void *a, const void *b)
{
	const struct pending *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* All variables with the text to render, sorted; given values win over defaults. */
static struct pending *collect(struct legacy *t, size_t *ret_n)
{
	size_t n = 0, given = map_len(&t->values);
	struct pending *v = arena_new_array(t->arena, struct pending, t->nvariables + given);

	for (size_t i = 0; i < t->nvariables; i++) {
		const struct legacy_variable *var = &t->variables[i];

		if (var->def && !map_gets(&t->values, var->name))
			v[n++] = (struct pending){ .name = var->name,
						   .text = var->def,
						   .span = var->span };
	}
	for (size_t i = 0; i < given; i++)
		v[n++] = (struct pending){ .name = arena_strndup(t->arena,
								 map_key_at(&t->values, i).p,
								 map_key_at(&t->values, i).n),
					   .text = map_at(&t->values, i) };
	qsort(v, n, sizeof(*v), compare_pending);
	*ret_n = n;
	return v;
}

static void report(const struct pending *p, bool circle, const char *reason, struct diags *d)
{
	struct diag *g = diag_error(d, p->span, "The variable \"%s\" cannot be rendered: %s",
				    p->name, reason);

	if (circle)
		diag_detail(d, g, "\"%s\" in turn waits for \"%s\": break the circle.", p->unset,
			    p->name);
	else if (p->unset)
		diag_detail(d, g,
			    "Its value is \"%s\". Define the variable \"%s\" as well; an empty "
			    "text will do.",
			    p->text, p->unset);
	else if (!p->span.src)
		diag_detail(d, g, "Its value was given from outside the template.");
}

static bool is_pending(const struct pending *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (streq(v[i].name, name))
			return !v[i].done;
	return false;
}

static void keep_fetched(void *data, const char *secret)
{
	struct legacy *t = data;
	size_t n = t->nfetched;

	t->fetched = arena_grow(t->arena, t->fetched, n * sizeof(*t->fetched),
				(n + 1) * sizeof(*t->fetched));
	t->fetched[t->nfetched++] = arena_strdup(t->arena, secret);
}

/* One round over what is not done; true if one more is. */
static bool render_round(struct legacy *t, struct pending *v, size_t n, struct map *done, bool last,
			 struct diags *d)
{
	bool progress = false;

	for (size_t i = 0; i < n; i++) {
		struct scope s = { .variables = done,
				   .in_variables = true,
				   .template_dir = t->dir,
				   .now_ms = t->now_ms,
				   .functions = t->functions,
				   .on_secret = keep_fetched,
				   .secret_data = t };
		AUTO(err) struct err err = ERR_INIT;
		struct str text;

		if (v[i].done)
			continue;
		if (render_value(&s, t->arena, str_from(v[i].text), &text, &err) == 0) {
			map_sets(done, v[i].name, arena_strndup(t->arena, text.p, text.n));
			v[i].done = progress = true;
			continue;
		}
		v[i].unset = s.unset;
		if (!s.unset || last) {
			report(&v[i], s.unset && is_pending(v, n, s.unset), err.msg, d);
			v[i].done = v[i].failed = true;
			progress |= !last;
			/* The ones that wait for it are no mistakes of their own. */
			map_sets(done, v[i].name, arena_strdup(t->arena, ""));
		}
	}
	return progress;
}

int legacy_check_given(const struct legacy *t, struct diags *d)
{
	size_t errors = d->errors;

	for (size_t i = 0; i < t->nvariables; i++) {
		const struct legacy_variable *var = &t->variables[i];
		struct diag *g;

		if (var->def || map_gets(&t->values, var->name))
			continue;
		g = diag_error(d, var->key_span, "The required variable \"%s\" is not set",
			       var->name);
		diag_detail(d, g, "Give it by -var '%s=…' or in a file by -var-file.", var->name);
	}
	return d->errors > errors ? -1 : 0;
}

int legacy_variables(struct legacy *t, struct diags *d)
{
	size_t errors = d->errors, n;
	struct map done = MAP_INIT;
	struct pending *v;

	(void)!legacy_check_given(t, d);
	v = collect(t, &n);
	while (render_round(t, v, n, &done, false, d))
		;
	render_round(t, v, n, &done, true, d);
	for (size_t i = 0; i < n; i++)
		if (v[i].failed)
			map_remove(&done, str_from(v[i].name));
	map_release(&t->values);
	t->values = done;
	return d->errors > errors ? -1 : 0;
}

static const struct legacy_builder *find_builder(const struct legacy *t, struct str name)
{
	for (size_t i = 0; i < t->nbuilders; i++)
		if (str_eqs(name, t->builders[i].name))
			return &t->builders[i];
	return NULL;
}

static void no_such_builder(struct legacy *t, struct span span, const char *what, const char *key,
			    struct str name, struct diags *d)
{
	const char **names = arena_new_array(t->arena, const char *, t->nbuilders), *near;
	struct diag *g = diag_error(d, span,
				    "%s: \"%s\" names '" STR_FMT "', and there is no such builder",
				    what, key, STR_ARG(name));

	for (size_t i = 0; i < t->nbuilders; i++)
		names[i] = t->builders[i].name;
	near = str_nearest(arena_strndup(t->arena, name.p, name.n), names, t->nbuilders);
	if (near)
		diag_detail(d, g, "Did you mean \"%s\"?", near);
	else
		diag_detail(
		    d, g, "A builder goes by its \"name\", or by its \"type\" where it has none.");
}

static void check_names(struct legacy *t, const struct value_seq *names, const char *what,
			const char *key, struct diags *d)
{
	for (size_t i = 0; names && i < names->n; i++)
		if (!find_builder(t, names->v[i].string))
			no_such_builder(t, names->v[i].span, what, key, names->v[i].string, d);
}

static void check_filter(struct legacy *t, const struct legacy_filter *f, struct span span,
			 const char *what, struct diags *d)
{
	if (f->only && f->only->n && f->except && f->except->n) {
		diag_error(d, (struct span){ span.src, span.from, span.from + 1 },
			   "%s: \"only\" and \"except\" exclude each other", what);
		return;
	}
	check_names(t, f->only, what, "only", d);
	check_names(t, f->except, what, "except", d);
}

static void check_provisioner(struct legacy *t, const struct legacy_provisioner *p,
			      const char *what, struct diags *d)
{
	check_filter(t, &p->filter, p->span, what, d);
	for (size_t i = 0; i < value_len(p->override); i++) {
		const struct value_attr *at = &p->override.attrs->v[i];

		if (!find_builder(t, at->key))
			no_such_builder(t, at->key_span, what, "override", at->key, d);
		else if (!value_is_attrs(at->value) && at->value.kind != VALUE_NULL)
			diag_error(d, at->value.span,
				   "%s: the override for '" STR_FMT
				   "' is an object of options, not %s",
				   what, STR_ARG(at->key), value_kind_phrase(at->value));
	}
}

static void check_version(struct legacy *t, struct diags *d)
{
	int order;

	if (t->min_version.kind != VALUE_STRING || !t->min_version.string.n)
		return;
	if (!version_compare(STR(VERSION_PACKER), t->min_version.string, &order))
		diag_error(d, t->min_version.span,
			   "\"min_packer_version\": \"" STR_FMT "\" is no version",
			   STR_ARG(t->min_version.string));
	else if (order < 0)
		diag_error(d, t->min_version.span,
			   "The template needs Packer " STR_FMT
			   " or newer, and ingot stands in for %s",
			   STR_ARG(t->min_version.string), VERSION_PACKER);
}

int legacy_check(struct legacy *t, struct diags *d)
{
	size_t errors = d->errors;

	if (!t->nbuilders)
		diag_error(d, (struct span){ 0 },
			   "At least one builder must be defined in \"builders\"");
	for (size_t i = 0; i < t->nprovisioners; i++)
		check_provisioner(t, &t->provisioners[i],
				  arena_printf(t->arena, "Provisioner %zu", i + 1), d);
	for (size_t i = 0; i < t->nchains; i++)
		for (size_t j = 0; j < t->chains[i].n; j++)
			check_filter(t, &t->chains[i].v[j].filter, t->chains[i].v[j].span,
				     arena_printf(t->arena, "Post-processor %zu.%zu", i + 1, j + 1),
				     d);
	check_version(t, d);
	return d->errors > errors ? -1 : 0;
}

static bool listed(const struct value_seq *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_eqs(names->v[i].string, name))
			return true;
	return false;
}

bool legacy_skips(const struct legacy_filter *f, const char *name)
{
	if (f->only && f->only->n)
		return !listed(f->only, name);
	return f->except && listed(f->except, name);
}
