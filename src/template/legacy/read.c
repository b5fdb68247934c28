/* From JSON text to the parts of a legacy template: keys of the root, builders, provisioners,
 * post-processors in their three forms, and the keys that all of a kind share.
 *
 * What is weak and what is not follows the reference (template/parse.go of Packer's plugin SDK):
 * builders and provisioners are decoded weakly, variables and post-processors are not. */
#include "template/legacy/legacy.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/vec.h"
#include "lang/jsontext/jsontext.h"

/* Heads mistakes of form, as the reference sets them apart from "Error". */
#define LABEL "Template error"

struct reader {
	struct legacy *t;
	struct arena *arena;
	struct diags *diags;
};

typedef void read_fn(struct reader *r, const struct value_attr *at);

static const char *text_of(struct reader *r, struct value v)
{
	return arena_strndup(r->arena, v.string.p ? v.string.p : "", v.string.n);
}

static void wrong(struct reader *r, const struct value_attr *at, struct value v, const char *what)
{
	diag_error(r->diags, v.span, "\"" STR_FMT "\" takes %s, not %s", STR_ARG(at->key), what,
		   value_kind_phrase(v));
}

/* Strict text; null is as if it were not there. */
static const char *strict_text(struct reader *r, const struct value_attr *at)
{
	if (at->value.kind == VALUE_STRING)
		return text_of(r, at->value);
	if (at->value.kind != VALUE_NULL)
		wrong(r, at, at->value, "text");
	return NULL;
}

/* Weak text: numbers and booleans too. */
static const char *weak_text(struct reader *r, const struct value_attr *at)
{
	if (at->value.kind == VALUE_NUMBER)
		return arena_strndup(r->arena, value_number_text(r->arena, at->value).p,
				     value_number_text(r->arena, at->value).n);
	if (at->value.kind == VALUE_BOOL)
		return at->value.boolean ? "1" : "0";
	return strict_text(r, at);
}

static int64_t weak_duration(struct reader *r, const struct value_attr *at)
{
	int64_t ns = 0;
	double f;

	if (at->value.kind == VALUE_NULL || value_as_i64(at->value, &ns))
		return ns;
	if (at->value.kind == VALUE_NUMBER && value_as_double(at->value, &f))
		return (int64_t)f;
	if (at->value.kind == VALUE_BOOL)
		return at->value.boolean;
	if (at->value.kind != VALUE_STRING)
		wrong(r, at, at->value, "a duration such as \"10s\"");
	else if (!clock_parse_duration(at->value.string, &ns))
		diag_error(r->diags, at->value.span,
			   "\"" STR_FMT "\": \"" STR_FMT
			   "\" is no duration such as \"10s\" or \"1h30m\"",
			   STR_ARG(at->key), STR_ARG(at->value.string));
	return ns;
}

static bool list_or_nothing(struct reader *r, const struct value_attr *at)
{
	if (value_is_seq(at->value))
		return true;
	if (at->value.kind != VALUE_NULL)
		wrong(r, at, at->value, "a list");
	return false;
}

/* A list of texts. Weak: also one text as a list of one, an empty object as an empty list, and
 * numbers and booleans as texts. */
static struct value_seq *name_list(struct reader *r, const struct value_attr *at, bool weak)
{
	struct value list = at->value, *names;

	if (!weak && !list_or_nothing(r, at))
		return NULL;
	if (list.kind == VALUE_NULL || (value_is_attrs(list) && !list.attrs->n))
		return NULL;
	if (!value_is_seq(list))
		list = value_seq_make(r->arena, VALUE_TUPLE, &list, 1, list.span);
	names = arena_new_array(r->arena, struct value, list.seq->n);
	for (size_t i = 0; i < list.seq->n; i++) {
		struct value_attr one = { .key = at->key, .value = list.seq->v[i] };
		const char *text;

		if (value_is_seq(one.value) || value_is_attrs(one.value)) {
			diag_error(r->diags, one.value.span,
				   "\"" STR_FMT "\" holds names of builds, not %s",
				   STR_ARG(at->key), value_kind_phrase(one.value));
			return NULL;
		}
		text = weak ? weak_text(r, &one) : strict_text(r, &one);
		names[i] = value_string(str_from(text ? text : ""), one.value.span);
	}
	return (struct value_seq *)value_seq_make(r->arena, VALUE_TUPLE, names, list.seq->n,
						  list.span).seq;
}

/* Options for builds; a list of such objects counts as one. */
static struct value override_of(struct reader *r, const struct value_attr *at)
{
	struct value all = at->value;

	if (value_is_seq(all)) {
		all = value_attrs_make(r->arena, VALUE_OBJECT, NULL, 0, all.span);
		for (size_t i = 0; i < at->value.seq->n; i++) {
			struct value one = at->value.seq->v[i];

			if (!value_is_attrs(one)) {
				wrong(r, at, one, "objects");
				return value_null(at->value.span);
			}
			all = component_override(r->arena, all, one);
		}
	}
	if (!value_is_attrs(all) && all.kind != VALUE_NULL)
		wrong(r, at, all, "an object: names of builds and their options");
	return value_is_attrs(all) ? all : value_null(all.span);
}

/* The object without the keys that the front end took. It takes "Type" as well, and such a spelling
 * is an unknown option all the same. */
static struct value strip(struct arena *a, struct value v, const char *const *names)
{
	struct value_attr *kept = arena_new_array(a, struct value_attr, v.attrs->n);
	size_t n = 0;

	for (size_t i = 0; i < v.attrs->n; i++) {
		bool drop = str_starts(v.attrs->v[i].key, "packer_");

		for (const char *const *name = names; *name && !drop; name++)
			drop = str_eqs(v.attrs->v[i].key, *name);
		if (!drop)
			kept[n++] = v.attrs->v[i];
	}
	return value_attrs_make(a, v.kind, kept, n, v.span);
}

static const struct value_attr *find(struct value v, const char *name)
{
	return value_attr_find_fold(v, name);
}

/* --- the root's keys --- */

static void read_min_version(struct reader *r, const struct value_attr *at)
{
	if (strict_text(r, at))
		r->t->min_version = at->value;
}

static void read_description(struct reader *r, const struct value_attr *at)
{
	r->t->description = strict_text(r, at);
}

static void read_variables(struct reader *r, const struct value_attr *at)
{
	struct legacy *t = r->t;

	if (!value_is_attrs(at->value)) {
		if (at->value.kind != VALUE_NULL)
			wrong(r, at, at->value, "an object of variables");
		return;
	}
	t->variables = arena_new_array(r->arena, struct legacy_variable, at->value.attrs->n);
	for (size_t i = 0; i < at->value.attrs->n; i++) {
		const struct value_attr *v = &at->value.attrs->v[i];
		struct diag *g;

		if (v->value.kind != VALUE_NULL && v->value.kind != VALUE_STRING) {
			g = diag_error(r->diags, v->value.span,
				       "The variable \"" STR_FMT "\" is %s", STR_ARG(v->key),
				       value_kind_phrase(v->value));
			diag_detail(r->diags, g,
				    "Variables are text, or null where a value must be given. "
				    "Write it in quotes.");
			continue;
		}
		t->variables[t->nvariables++] = (struct legacy_variable){
			.name = arena_strndup(r->arena, v->key.p, v->key.n),
			.def = v->value.kind == VALUE_NULL ? NULL : text_of(r, v->value),
			.key_span = v->key_span,
			.span = v->value.span,
		};
	}
}

static void read_sensitive(struct reader *r, const struct value_attr *at)
{
	struct legacy *t = r->t;

	if (!list_or_nothing(r, at))
		return;
	t->sensitive = arena_new_array(r->arena, const char *, at->value.seq->n);
	for (size_t i = 0; i < at->value.seq->n; i++) {
		if (at->value.seq->v[i].kind == VALUE_STRING)
			t->sensitive[t->nsensitive++] = text_of(r, at->value.seq->v[i]);
		else
			diag_error(r->diags, at->value.seq->v[i].span,
				   "\"sensitive-variables\" holds names of variables");
	}
}

static void read_builder(struct reader *r, struct value v, size_t index)
{
	static const char *const common[] = { "type", "name", NULL };
	const struct value_attr *type, *name;
	struct legacy_builder b = { .span = v.span };
	struct diag *g;

	if (!value_is_attrs(v)) {
		diag_error(r->diags, v.span, "Builder %zu is %s, not an object", index + 1,
			   value_kind_phrase(v));
		return;
	}
	type = find(v, "type");
	name = find(v, "name");
	b.type = type ? weak_text(r, type) : NULL;
	if (!b.type || !*b.type) {
		if (!type || type->value.kind == VALUE_NULL || type->value.kind == VALUE_STRING)
			diag_error(r->diags,
				   (struct span){ v.span.src, v.span.from, v.span.from + 1 },
				   "Builder %zu has no \"type\"", index + 1);
		return;
	}
	b.type_span = type->value.span;
	b.name = name ? weak_text(r, name) : NULL;
	b.name_span = name ? name->value.span : b.type_span;
	if (!b.name || !*b.name)
		b.name = b.type;
	b.body = strip(r->arena, v, common);
	for (size_t i = 0; i < r->t->nbuilders; i++)
		if (streq(r->t->builders[i].name, b.name)) {
			g = diag_error(r->diags, b.name_span,
				       "Builder %zu: there is a builder of the name '%s' already",
				       index + 1, b.name);
			diag_detail(
			    r->diags, g,
			    "Its name stands on line %u. Give this one a \"name\" of its own.",
			    source_position(r->t->src, r->t->builders[i].name_span.from).line);
			return;
		}
	r->t->builders[r->t->nbuilders++] = b;
}

static void read_builders(struct reader *r, const struct value_attr *at)
{
	if (!list_or_nothing(r, at))
		return;
	r->t->builders = arena_new_array(r->arena, struct legacy_builder, at->value.seq->n);
	for (size_t i = 0; i < at->value.seq->n; i++)
		read_builder(r, at->value.seq->v[i], i);
}

static void read_filter(struct reader *r, struct value v, bool weak, struct legacy_filter *ret)
{
	const struct value_attr *only = find(v, "only"), *except = find(v, "except");

	ret->only = only ? name_list(r, only, weak) : NULL;
	ret->except = except ? name_list(r, except, weak) : NULL;
}

static bool read_provisioner(struct reader *r, struct value v, const char *what,
			     struct legacy_provisioner *ret)
{
	static const char *const common[] = { "except",	     "only", "override", "pause_before",
					      "max_retries", "type", "timeout",	 NULL };
	const struct value_attr *at;

	*ret = (struct legacy_provisioner){ .span = v.span };
	if (!value_is_attrs(v)) {
		diag_error(r->diags, v.span, "%s is %s, not an object", what, value_kind_phrase(v));
		return false;
	}
	at = find(v, "type");
	ret->type = at ? weak_text(r, at) : NULL;
	ret->type_span = at ? at->value.span : v.span;
	if (!ret->type || !*ret->type) {
		if (!at || at->value.kind == VALUE_NULL || at->value.kind == VALUE_STRING)
			diag_error(r->diags,
				   (struct span){ v.span.src, v.span.from, v.span.from + 1 },
				   "%s has no \"type\"", what);
		return false;
	}
	read_filter(r, v, true, &ret->filter);
	at = find(v, "override");
	if (at)
		ret->override = override_of(r, at);
	if ((at = find(v, "pause_before")))
		ret->pause_before_ns = weak_duration(r, at);
	if ((at = find(v, "timeout")))
		ret->timeout_ns = weak_duration(r, at);
	if ((at = find(v, "max_retries"))) {
		const char *text = weak_text(r, at);

		if (text)
			ret->max_retries = value_string(str_from(text), at->value.span);
	}
	ret->body = strip(r->arena, v, common);
	return true;
}

static void read_provisioners(struct reader *r, const struct value_attr *at)
{
	struct legacy *t = r->t;

	if (!list_or_nothing(r, at))
		return;
	t->provisioners = arena_new_array(r->arena, struct legacy_provisioner, at->value.seq->n);
	for (size_t i = 0; i < at->value.seq->n; i++) {
		const char *what = arena_printf(r->arena, "Provisioner %zu", i + 1);

		if (read_provisioner(r, at->value.seq->v[i], what,
				     &t->provisioners[t->nprovisioners]))
			t->nprovisioners++;
	}
}

static void read_cleanup(struct reader *r, const struct value_attr *at)
{
	struct legacy_provisioner *p = arena_new_obj(r->arena, struct legacy_provisioner);

	if (at->value.kind != VALUE_NULL &&
	    read_provisioner(r, at->value, "The error-cleanup-provisioner", p))
		r->t->cleanup = p;
}

/* One element: text is the type alone. place: "2.1". */
static bool read_postprocessor(struct reader *r, struct value v, const char *place,
			       struct legacy_postprocessor *ret)
{
	static const char *const common[] = { "except", "only", "keep_input_artifact",
					      "type",	"name", NULL };
	const struct value_attr *at;

	*ret = (struct legacy_postprocessor){ .span = v.span, .keep_input = -1 };
	if (v.kind == VALUE_STRING) {
		ret->type = ret->name = text_of(r, v);
		ret->type_span = v.span;
		ret->body = value_attrs_make(r->arena, VALUE_OBJECT, NULL, 0, v.span);
	} else if (value_is_attrs(v)) {
		at = find(v, "type");
		ret->type = at ? strict_text(r, at) : NULL;
		ret->type_span = at ? at->value.span : v.span;
		at = find(v, "name");
		ret->name = at ? strict_text(r, at) : NULL;
		read_filter(r, v, false, &ret->filter);
		at = find(v, "keep_input_artifact");
		if (at && at->value.kind == VALUE_BOOL)
			ret->keep_input = at->value.boolean;
		else if (at && at->value.kind != VALUE_NULL)
			diag_error(r->diags, at->value.span,
				   "Post-processor %s: \"keep_input_artifact\" takes true or false "
				   "without quotes%s%.*s%s",
				   place, at->value.kind == VALUE_STRING ? ", not \"" : "",
				   at->value.kind == VALUE_STRING ? (int)at->value.string.n : 0,
				   at->value.kind == VALUE_STRING ? at->value.string.p : "",
				   at->value.kind == VALUE_STRING ? "\"" : "");
		ret->body = strip(r->arena, v, common);
	} else {
		diag_error(r->diags, v.span,
			   value_is_seq(v)
			       ? "Post-processor %s: a sequence cannot stand inside a sequence"
			       : "Post-processor %s is neither text nor an object",
			   place);
		return false;
	}
	if (!ret->type || !*ret->type) {
		diag_error(r->diags, (struct span){ v.span.src, v.span.from, v.span.from + 1 },
			   "Post-processor %s has no \"type\"", place);
		return false;
	}
	ret->named = ret->name && *ret->name && !streq(ret->name, ret->type);
	if (!ret->name || !*ret->name)
		ret->name = ret->type;
	return true;
}

static void read_postprocessors(struct reader *r, const struct value_attr *at)
{
	struct legacy *t = r->t;

	if (!list_or_nothing(r, at))
		return;
	t->chains = arena_new_array(r->arena, struct legacy_chain, at->value.seq->n);
	for (size_t i = 0; i < at->value.seq->n; i++) {
		struct value v = at->value.seq->v[i], *elements = &v;
		struct legacy_chain *chain = &t->chains[t->nchains++];
		size_t n = 1;

		if (value_is_seq(v)) {
			elements = (struct value *)v.seq->v;
			n = v.seq->n;
		} else if (v.kind != VALUE_STRING && !value_is_attrs(v)) {
			diag_error(r->diags, v.span,
				   "Post-processor %zu is neither text, an object nor a sequence",
				   i + 1);
			continue;
		}
		chain->v = arena_new_array(r->arena, struct legacy_postprocessor, n);
		for (size_t j = 0; j < n; j++)
			if (read_postprocessor(r, elements[j],
					       arena_printf(r->arena, "%zu.%zu", i + 1, j + 1),
					       &chain->v[chain->n]))
				chain->n++;
	}
}

/* The section of a service that is gone; read and left alone, as the reference does. */
static void read_push(struct reader *r, const struct value_attr *at)
{
	if (!value_is_attrs(at->value) && at->value.kind != VALUE_NULL)
		wrong(r, at, at->value, "an object");
}

static void read_comments(struct reader *r, const struct value_attr *at)
{
	list_or_nothing(r, at);
}

static const struct {
	const char *name;
	read_fn *read;
} root_keys[] = {
	{ "builders", read_builders },
	{ "comments", read_comments },
	{ "description", read_description },
	{ "error-cleanup-provisioner", read_cleanup },
	{ "min_packer_version", read_min_version },
	{ "post-processors", read_postprocessors },
	{ "provisioners", read_provisioners },
	{ "push", read_push },
	{ "sensitive-variables", read_sensitive },
	{ "variables", read_variables },
};

static void unknown_key(struct reader *r, const struct value_attr *at)
{
	const char *names[ARRAY_LEN(root_keys)], *near;
	struct diag *g;

	if (str_starts(at->key, "_")) {
		if (at->value.kind == VALUE_STRING)
			return;
		g = diag_error(r->diags, at->value.span, "The comment \"" STR_FMT "\" is %s",
			       STR_ARG(at->key), value_kind_phrase(at->value));
		diag_detail(r->diags, g,
			    "Keys of the root that start with an underscore are comments, and "
			    "comments are text.");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(root_keys); i++)
		names[i] = root_keys[i].name;
	g = diag_error(r->diags, at->key_span, "A template has no key '" STR_FMT "'",
		       STR_ARG(at->key));
	near = str_nearest(arena_strndup(r->arena, at->key.p, at->key.n), names, ARRAY_LEN(names));
	if (near)
		diag_detail(r->diags, g, "Did you mean \"%s\"?", near);
}

/* Of several spellings of a key the one in small letters is meant, else the first. */
static void read_root(struct reader *r, struct value root)
{
	bool seen[ARRAY_LEN(root_keys)] = { 0 };

	for (size_t i = 0; i < root.attrs->n; i++) {
		const struct value_attr *at = &root.attrs->v[i], *exact;
		size_t k = 0;

		while (k < ARRAY_LEN(root_keys) && !str_ieqs(at->key, root_keys[k].name))
			k++;
		exact = k < ARRAY_LEN(root_keys) ? value_attr_find(root, root_keys[k].name) : NULL;
		if (k == ARRAY_LEN(root_keys) || seen[k] || (exact && exact != at)) {
			unknown_key(r, at);
		} else {
			seen[k] = true;
			root_keys[k].read(r, at);
		}
	}
}

static void release_values(void *map)
{
	map_release(map);
}

int legacy_read(struct arena *a, struct source *src, struct diags *d, struct legacy **ret)
{
	struct legacy *t = arena_new_obj(a, struct legacy);
	struct reader r = { .t = t, .arena = a, .diags = d };
	size_t errors = d->errors;
	struct value root;

	t->arena = a;
	t->src = src;
	*ret = t;
	arena_on_free(a, release_values, &t->values);
	d->label = LABEL;
	if (jsontext_parse(a, src, JSONTEXT_COMMENTS, d, &root) < 0) {
		d->label = NULL;
		return -1;
	}
	if (value_is_attrs(root))
		read_root(&r, root);
	else if (root.kind != VALUE_NULL)
		diag_error(d, root.span, "A template is an object ({ … }), not %s",
			   value_kind_phrase(root));
	d->label = NULL;
	return d->errors > errors ? -1 : 0;
}

int legacy_read_var_file(struct legacy *t, const char *path, struct diags *d, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	size_t errors = d->errors;
	struct source *src;
	struct value root;
	int r;

	if (os_read_file(path, JSONTEXT_SIZE_MAX, &text, err) < 0)
		return -1;
	src = source_new(t->arena, path, arena_str(t->arena, buf_str(&text)));
	d->label = "Variable file error";
	r = jsontext_parse(t->arena, src, JSONTEXT_COMMENTS | JSONTEXT_LATER_WINS, d, &root);
	if (r == 0 && !value_is_attrs(root))
		diag_error(d, root.span, "A file of variables is an object ({ … }), not %s",
			   value_kind_phrase(root));
	for (size_t i = 0; r == 0 && value_is_attrs(root) && i < root.attrs->n; i++) {
		const struct value_attr *at = &root.attrs->v[i];

		if (at->value.kind == VALUE_STRING)
			map_set(&t->values, at->key,
				arena_strndup(t->arena, at->value.string.p, at->value.string.n));
		else if (at->value.kind == VALUE_NULL)
			map_set(&t->values, at->key, arena_strdup(t->arena, ""));
		else
			diag_error(d, at->value.span,
				   "The variable \"" STR_FMT "\" is %s; variables are text",
				   STR_ARG(at->key), value_kind_phrase(at->value));
	}
	d->label = NULL;
	return d->errors > errors ? -1 : 0;
}
