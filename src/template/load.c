/* Finding out the language of a template, reading it, and handing it to its front end. */
#include "template/hcl/builds.h"
#include "template/legacy/legacy.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/path.h"
#include "lang/jsontext/jsontext.h"

#include <errno.h>
#include <unistd.h>

/* What stands in for a template that was not given. */
#define DEFAULT_TEMPLATE "{\"builders\": [{\"type\": \"null\", \"communicator\": \"none\"}]}"

bool template_is_hcl(const struct template_args *args)
{
	const char *path = args->path;

	if (path && !streq(path, "-") &&
	    (ends_with(path, ".pkr.hcl") || ends_with(path, ".pkr.json") || os_is_dir(path)))
		return true;
	return streq(args->config_type, "hcl2");
}

static int read_text(const struct template_args *args, struct buf *ret, struct err *err)
{
	if (!args->path) {
		buf_adds(ret, DEFAULT_TEMPLATE);
		return 0;
	}
	if (streq(args->path, "-"))
		return os_read_fd(STDIN_FILENO, "standard input", JSONTEXT_SIZE_MAX, ret, err);
	return os_read_file(args->path, JSONTEXT_SIZE_MAX, ret, err);
}

/* The absolute directory of the template; for standard input the working directory. */
static const char *template_dir(struct arena *a, const char *path)
{
	auto_free char *file = path_abs(path ? path : "-");
	auto_free char *dir = path_dirname(str_from(file));

	return arena_strdup(a, dir);
}

static int read_legacy(const struct template_args *args, struct arena *a, struct diags *d,
		       struct legacy **ret, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;

	if (read_text(args, &text, err) < 0)
		return -1;
	if (legacy_read(a,
			source_new(a, args->path ? args->path : "-", arena_str(a, buf_str(&text))),
			d, ret) < 0)
		return -1;
	(*ret)->dir = template_dir(a, args->path);
	(*ret)->now_ms = clock_unix_ms();
	(*ret)->force = args->force;
	(*ret)->functions = args->registry ? args->registry->functions : NULL;
	return 0;
}

/* Files in order, then -var: the later wins. */
static int given_values(const struct template_args *args, struct legacy *t, struct diags *d,
			struct err *err)
{
	for (size_t i = 0; i < args->nvar_files; i++)
		if (legacy_read_var_file(t, args->var_files[i], d, err) < 0)
			return -1;
	for (size_t i = 0; i < args->nvars; i++)
		map_sets(&t->values, args->vars[i].name,
			 arena_strdup(t->arena, args->vars[i].value));
	return 0;
}

int legacy_load(const struct template_args *args, struct arena *a, struct diags *d,
		struct legacy **ret, struct err *err)
{
	if (read_legacy(args, a, d, ret, err) < 0)
		return -1;
	return given_values(args, *ret, d, err);
}

static bool is_sensitive(const struct legacy *t, const char *name)
{
	for (size_t i = 0; i < t->nsensitive; i++)
		if (streq(t->sensitive[i], name))
			return true;
	return false;
}

static void fill_variables(struct plan *p, const struct legacy *t)
{
	p->variables = arena_new_array(p->arena, struct plan_variable, t->nvariables);
	p->secrets = arena_new_array(p->arena, const char *, t->nvariables + t->nfetched);
	for (size_t i = 0; i < t->nfetched; i++)
		p->secrets[p->nsecrets++] = t->fetched[i];
	for (size_t i = 0; i < t->nvariables; i++) {
		const struct legacy_variable *v = &t->variables[i];
		const char *value = map_gets(&t->values, v->name);

		p->variables[p->nvariables++] = (struct plan_variable){
			.name = v->name,
			.def = v->def ? value_string(str_from(v->def), v->span)
				      : value_null(v->span),
			.value = value ? value_string(str_from(value), v->span)
				       : value_null(v->span),
			.required = !v->def,
			.sensitive = is_sensitive(t, v->name),
		};
		if (value && *value && is_sensitive(t, v->name))
			p->secrets[p->nsecrets++] = value;
	}
}

/* Also when there are mistakes: secrets must not show in them. */
static void fill_from_hcl(struct plan *p, const struct hcl_template *t)
{
	p->variables = arena_new_array(p->arena, struct plan_variable, t->nvariables);
	for (size_t i = 0; i < t->nvariables; i++) {
		const struct hcl_variable *v = &t->variables[i];

		p->variables[p->nvariables++] = (struct plan_variable){
			.name = v->name,
			.value = v->value,
			.def = v->def_value,
			.required = !v->def,
			.sensitive = v->sensitive,
			.description = v->description,
		};
	}
}

/* What follows a mistake sees unknown values in its place, so that further mistakes can be found,
 * and no false ones. */
static int load_hcl(const struct template_args *args, struct plan *p)
{
	struct hcl_template *t;
	int rc = hcl_read(p->arena, args, &p->diags, &t);

	if (rc == 0)
		rc = hcl_variables(t);
	if (rc == 0 && !args->syntax_only) {
		diags_add(&p->diags, &t->late, NULL);
		hcl_check_plugins(t);
		hcl_check_variables(t);
		hcl_locals(t, args->run_data && !p->diags.errors);
		for (size_t i = 0; i < t->nregistries; i++)
			if (i)
				diag_error(&p->diags, t->registries[i]->span,
					   "A template has only one hcp_packer_registry");
			else
				hcl_check_registry(t, t->registries[i]);
	}
	fill_from_hcl(p, t);
	if (rc == 0 && !args->syntax_only) {
		rc = p->diags.errors ? -1 : 0;
		if (rc == 0 || t->nbuilds) /* else it may not be meant to have any */
			rc = hcl_builds(t, p) < 0 ? -1 : rc;
	}
	for (size_t i = 0; i < t->nsecrets; i++)
		component_secret(p, t->secrets[i]);
	t->loaded = true;
	return rc;
}

static int load_plan(const struct template_args *args, struct plan *p, struct err *err)
{
	struct legacy *t;
	bool sound;

	if (template_is_hcl(args))
		return load_hcl(args, p);
	if (read_legacy(args, p->arena, &p->diags, &t, err) < 0)
		return -1;
	p->description = t->description;
	if (args->syntax_only)
		return 0;
	if (given_values(args, t, &p->diags, err) < 0)
		return -1;
	/* Both, so that all mistakes are seen; then nothing can be built on them. */
	sound = legacy_check(t, &p->diags) == 0;
	sound &= legacy_variables(t, &p->diags) == 0;
	fill_variables(p, t); /* also when there are mistakes: secrets must not show in them */
	if (!sound)
		return -1;
	legacy_builds(t, args, p);
	return 0;
}

int template_load(const struct template_args *args, struct plan **ret, struct err *err)
{
	struct plan *p = xcalloc(1, sizeof(*p));

	p->arena = arena_new();
	diags_init(&p->diags, p->arena);
	p->hcl = template_is_hcl(args);
	*ret = p;
	return load_plan(args, p, err);
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	arena_free(p->arena);
	free(p);
}

/* The values of sensitive variables, as given or by default; what is rendered is not looked up. */
static void fill_secrets(struct outline *o, const struct legacy *t, struct arena *a)
{
	o->secrets = arena_new_array(a, const char *, t->nvariables);
	for (size_t i = 0; i < t->nvariables; i++) {
		const char *value = map_gets(&t->values, t->variables[i].name);

		if (!value)
			value = t->variables[i].def;
		if (value && is_sensitive(t, t->variables[i].name))
			o->secrets[o->nsecrets++] = value;
	}
}

static void fill_outline(struct outline *o, const struct legacy *t, struct arena *a)
{
	o->description = t->description;
	fill_secrets(o, t, a);
	o->variables = arena_new_array(a, struct outline_variable, t->nvariables);
	for (size_t i = 0; i < t->nvariables; i++)
		o->variables[o->nvariables++] = (struct outline_variable){
			t->variables[i].name, t->variables[i].def,
			is_sensitive(t, t->variables[i].name)
		};
	o->builders = arena_new_array(a, struct outline_builder, t->nbuilders);
	for (size_t i = 0; i < t->nbuilders; i++)
		o->builders[o->nbuilders++] = (struct outline_builder){ t->builders[i].name,
									t->builders[i].type };
	o->provisioners = arena_new_array(a, const char *, t->nprovisioners);
	for (size_t i = 0; i < t->nprovisioners; i++)
		o->provisioners[o->nprovisioners++] = t->provisioners[i].type;
}

/* The listing shows values: what could not be evaluated is shown as unknown. */
static int outline_hcl(const struct template_args *args, struct arena *a, struct diags *d,
		       struct outline *ret)
{
	AUTO(buf) struct buf values = BUF_INIT, builds = BUF_INIT;
	struct hcl_template *t;
	struct diags scratch;

	if (hcl_read(a, args, d, &t) < 0 || hcl_variables(t) < 0)
		return -1;
	diags_init(&scratch, a);
	t->diags = &scratch;
	t->listing = true;
	hcl_locals(t, true);
	hcl_outline_values(t, &values);
	hcl_outline_builds(t, &builds);
	*ret = (struct outline){ .listed_values = arena_strdup(a, buf_cstr(&values)),
				 .listed_builds = arena_strdup(a, buf_cstr(&builds)) };
	return 0;
}

int template_outline(const struct template_args *args, struct arena *a, struct diags *d,
		     struct outline *ret, struct err *err)
{
	struct outline o = { 0 };
	struct legacy *t;

	if (template_is_hcl(args))
		return outline_hcl(args, a, d, ret);
	if (legacy_load(args, a, d, &t, err) < 0)
		return -1;
	fill_outline(&o, t, a);
	*ret = o;
	return 0;
}
