/* What expressions see: var, local, data, path, packer, source and build; and the secrets found on
 * the way.
 *
 * The objects `local` and `data` are made at once, with unknown values; locals.c fills these in
 * as they become known. */
#include "template/hcl/hcl.h"

#include "base/path.h"
#include "lang/jsontext/jsontext.h"
#include "template/version.h"


void hcl_keep_secret(struct hcl_template *t, struct value v)
{
	if (v.kind == VALUE_STRING && v.string.n) {
		HCL_PUSH(t->arena, t->secrets, t->nsecrets,
			 arena_strndup(t->arena, v.string.p, v.string.n));
	} else if (value_is_seq(v)) {
		for (size_t i = 0; i < v.seq->n; i++)
			hcl_keep_secret(t, v.seq->v[i]);
	} else if (value_is_attrs(v)) {
		for (size_t i = 0; i < v.attrs->n; i++)
			hcl_keep_secret(t, v.attrs->v[i].value);
	}
}

/* A secret that is a JSON object is most often taken apart: what is in it is secret too. */
void hcl_keep_secret_text(void *data, const char *secret)
{
	struct hcl_template *t = data;
	struct diags ignored;
	struct value members;

	hcl_keep_secret(t, value_string(str_from(secret), (struct span){ 0 }));
	if (*secret != '{')
		return;
	diags_init(&ignored, t->arena);
	if (jsontext_parse(t->arena,
			   source_new(t->arena, "secret", arena_str(t->arena, str_from(secret))), 0,
			   &ignored, &members) == 0)
		hcl_keep_secret(t, members);
}

static int compare_attrs(const void *a, const void *b)
{
	return str_cmp(((const struct value_attr *)a)->key, ((const struct value_attr *)b)->key);
}

/* An object whose values are filled in later; ret_attrs is sorted. */
static struct value open_object(struct arena *a, const struct value_attr *v, size_t n,
				struct value_attr **ret_attrs)
{
	struct value_attrs *attrs = arena_alloc(a, sizeof(*attrs) + n * sizeof(*v));

	attrs->n = n;
	if (n) {
		memcpy(attrs->v, v, n * sizeof(*v));
		qsort(attrs->v, n, sizeof(*v), compare_attrs);
	}
	*ret_attrs = attrs->v;
	return (struct value){ .kind = VALUE_OBJECT, .attrs = attrs };
}

static struct value *slot_of(struct value_attr *v, size_t n, const char *name)
{
	struct value_attr key = { .key = str_from(name) };
	struct value_attr *found = bsearch(&key, v, n, sizeof(*v), compare_attrs);

	return &found->value;
}

static struct value open_locals(struct hcl_template *t)
{
	struct value_attr *v = arena_new_array(t->arena, struct value_attr, t->nlocals + 1),
			  *sorted;
	struct value ret;

	for (size_t i = 0; i < t->nlocals; i++)
		v[i] = (struct value_attr){ str_from(t->locals[i].name), t->locals[i].span,
					    t->locals[i].value };
	ret = open_object(t->arena, v, t->nlocals, &sorted);
	for (size_t i = 0; i < t->nlocals; i++)
		t->locals[i].slot = slot_of(sorted, t->nlocals, t->locals[i].name);
	return ret;
}

/* data.TYPE.NAME: an object of objects. */
static struct value open_data(struct hcl_template *t)
{
	struct value_attr *types = arena_new_array(t->arena, struct value_attr, t->ndatas + 1);
	struct value_attr *v = arena_new_array(t->arena, struct value_attr, t->ndatas + 1), *sorted;
	size_t ntypes = 0;

	for (size_t i = 0; i < t->ndatas; i++) {
		const char *type = t->datas[i].type;
		bool seen = false;
		size_t n = 0;

		for (size_t j = 0; j < ntypes; j++)
			seen |= str_eqs(types[j].key, type);
		if (seen)
			continue;
		for (size_t j = i; j < t->ndatas; j++)
			if (streq(t->datas[j].type, type))
				v[n++] = (struct value_attr){ .key = str_from(t->datas[j].name),
							      .value = t->datas[j].value };
		types[ntypes++] =
		    (struct value_attr){ .key = str_from(type),
					 .value = open_object(t->arena, v, n, &sorted) };
		for (size_t j = i; j < t->ndatas; j++)
			if (streq(t->datas[j].type, type))
				t->datas[j].slot = slot_of(sorted, n, t->datas[j].name);
	}
	return open_object(t->arena, types, ntypes, &sorted);
}

static struct value variables_object(struct hcl_template *t)
{
	struct value_attr *v = arena_new_array(t->arena, struct value_attr, t->nvariables + 1),
			  *sorted;

	for (size_t i = 0; i < t->nvariables; i++)
		v[i] = (struct value_attr){ str_from(t->variables[i].name), t->variables[i].span,
					    t->variables[i].value };
	return open_object(t->arena, v, t->nvariables, &sorted);
}

static struct value path_object(struct hcl_template *t)
{
	auto_free char *cwd = path_cwd();
	struct value_attr v[] = {
		{ .key = STR("cwd"),
		  .value = value_cstring(t->arena, cwd ? cwd : ".", (struct span){ 0 }) },
		{ .key = STR("root"),
		  .value = value_cstring(t->arena, t->dir, (struct span){ 0 }) },
	};

	return value_object(t->arena, v, ARRAY_LEN(v), (struct span){ 0 });
}

static struct value packer_object(struct hcl_template *t)
{
	struct value unknown = value_unknown_of(&type_string, (struct span){ 0 });
	struct value_attr v[] = {
		{ .key = STR("iterationID"),
		  .value = unknown }, /* HCP's, which ingot does not talk to */
		{ .key = STR("version"),
		  .value = value_cstring(t->arena, VERSION_PACKER, (struct span){ 0 }) },
		{ .key = STR("versionFingerprint"), .value = unknown },
	};

	return value_object(t->arena, v, ARRAY_LEN(v), (struct span){ 0 });
}

/* source and build have values in builds alone: there, they are bound in front of these. */
void hcl_open_roots(struct hcl_template *t)
{
	static const struct type empty_object = { .kind = TYPE_OBJECT };
	struct value unknown = value_unknown_of(&type_string, (struct span){ 0 });
	struct value_attr source[] = { { .key = STR("name"), .value = unknown },
				       { .key = STR("type"), .value = unknown } };
	struct value_attr roots[] = {
		{ .key = STR("build"),
		  .value = value_unknown_of(&empty_object, (struct span){ 0 }) },
		{ .key = STR("data"), .value = open_data(t) },
		{ .key = STR("local"), .value = open_locals(t) },
		{ .key = STR("packer"), .value = packer_object(t) },
		{ .key = STR("path"), .value = path_object(t) },
		{ .key = STR("source"),
		  .value = value_object(t->arena, source, ARRAY_LEN(source), (struct span){ 0 }) },
		{ .key = STR("var"), .value = variables_object(t) },
	};

	_Static_assert(sizeof(roots) <= sizeof(t->roots), "room for all roots");
	memcpy(t->roots, roots, sizeof(roots));
	t->scope = (struct eval_scope){ .v = t->roots, .n = ARRAY_LEN(roots) };
}

struct eval hcl_eval(const struct hcl_template *t, const struct eval_scope *more, struct arena *a,
		     struct diags *d)
{
	const struct eval_scope *scope = &t->scope;

	if (more) {
		struct eval_scope *inner = arena_new_obj(a, struct eval_scope);

		*inner = (struct eval_scope){ .up = scope, .v = more->v, .n = more->n };
		scope = inner;
	}
	return (struct eval){
		.arena = a,
		.diags = d,
		.scope = scope,
		.funcs = t->args->registry ? t->args->registry->functions : NULL,
		.on_secret = t->loaded ? NULL : hcl_keep_secret_text,
		.secret_data = (struct hcl_template *)t,
		.dir = *t->dir ? t->dir : NULL,
		.now_ms = t->now_ms,
	};
}
