/* struct plan: what a template means, whichever language it was written in.
 *
 * Made by template_load() from a path; used by validate, inspect, build. All memory is in the
 * plan's arena. Building changes nothing in it, so that many build threads read it side by side.
 */
#ifndef INGOT_TEMPLATE_PLAN_H
#define INGOT_TEMPLATE_PLAN_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/map.h"
#include "engine/component.h"
#include "engine/registry.h"
#include "lang/expr/value.h"

struct plan_component;
struct plan_data;

/* Decodes a component's options and prepares them (the component's prepare slot), with the build's
 * data as the `build` values: *ret_config is ready for run. Both front ends give one, so that the
 * engine can do it again while a build runs without knowing the language; any thread. */
typedef int plan_decode_fn(const struct plan_component *c, const struct plan_data *data,
			   struct arena *a, struct diags *d, void **ret_config);

/* Renders the {{ }} of a text that spec_decode left alone (SPEC_LATE), while the build runs: the
 * component's functions, the build's values, and `dot` (an object, or null) for {{ .Name }}. The
 * result is in the arena. */
typedef int plan_render_fn(const struct plan_component *c, const struct plan_data *data,
			   struct arena *a, struct value dot, struct str text, struct str *ret,
			   struct err *err);

/* Values known only while a build runs: ID, Host, Port, User, … (name to char *). */
struct plan_data {
	const struct map *values;
};

struct plan_component {
	const char *type;
	const char *name;    /* the name given to it, or NULL */
	/* Options as written (legacy) or evaluated (HCL), without the common ones. */
	struct value body;
	struct span span;
	const struct spec *spec;
	void *config;	     /* decoded and prepared for validate; NULL if it could not be */
	plan_decode_fn *decode;
	plan_render_fn *render;
	void *lang;	     /* the front end's own data */
};

struct plan_provisioner {
	struct plan_component c;
	const struct provisioner *ops;
	int64_t pause_before_ns, pause_after_ns, timeout_ns;
	int64_t max_retries;
	bool continue_on_error; /* a failure is told, and the build goes on */
};

struct plan_postprocessor {
	struct plan_component c;
	const struct postprocessor *ops;
	int keep_input; /* -1 not given, 0, 1 */
};

struct plan_chain {
	struct plan_postprocessor *v;
	size_t n;
};

struct plan_build {
	/* As output shows it: "amazon-ebs", "amazon-ebs.web", "build.type.name". */
	const char *name;
	const char *bare_name; /* what -only, override, {{build_name}} and the manifest use */
	const char *type;
	struct plan_component builder;
	const struct builder *ops;
	struct plan_provisioner *provisioners;
	size_t nprovisioners;
	struct plan_provisioner *cleanup; /* error-cleanup-provisioner or NULL */
	struct plan_chain *chains;
	size_t nchains;
	const struct plan_build **after; /* must have ended well before it starts; no circles */
	size_t nafter;
	bool broken; /* it could not be prepared: reported, the others still run */
};

struct plan_variable {
	const char *name;
	struct value value, def;
	bool required, sensitive;
	const char *description;
};

struct plan {
	struct arena *arena;
	struct diags diags;
	const char *description;
	struct plan_variable *variables;
	size_t nvariables;
	struct plan_build *builds; /* selected ones, in the order they start */
	size_t nbuilds;
	const char **secrets; /* to be redacted from all output */
	size_t nsecrets;
	bool hcl;
};

/* What the command line says about a template. */
struct template_args {
	const char *path;	 /* "-": standard input */
	const char *config_type; /* "json", "hcl2" or NULL */
	struct {
		char *name, *value;
	} *vars; /* -var, in order */
	size_t nvars;
	char **var_files;
	size_t nvar_files;
	char **only, **except; /* NULL-terminated or NULL */
	bool syntax_only;
	bool run_data; /* data sources are asked: build, validate -evaluate-datasources */
	bool warn_undeclared;
	bool sequential; /* data sources one after the other */
	bool force;
	bool strict; /* what is ingot's own in HCL2 is warned of, leniently */
	const struct registry *registry;
	struct cancel *cancel; /* of the run; NULL: data sources cannot be interrupted */
	/* A rehearsal: brings up the local cloud, before the first data source is asked. NULL:
	 * none. */
	int (*rehearse)(void *data, const struct run_local **ret, struct err *err);
	void *rehearse_data;
};

/* Whether a template is HCL2: by its name, by being a directory, or by -config-type. */
bool template_is_hcl(const struct template_args *args);

/* A row of packer { required_plugins {} }. */
struct required_plugin {
	/* "amazon", "github.com/hashicorp/amazon", ">= 1.2.0" */
	const char *name, *source, *version;
	struct span span;
	bool builtin; /* its components are part of ingot */
};
/* The plugins an HCL2 template asks for, in the order written (none for a legacy one). Errors as
 * template_load; no variable needs a value for it. */
int template_plugins(const struct template_args *args, struct arena *a, struct diags *d,
		     struct required_plugin **ret, size_t *ret_n) MUST_USE;

/* Expressions against a template's values: console. Legacy templates take {{ }} texts, HCL2 ones
 * expressions. */
struct template_console;
/* Errors as template_load; data sources are run. path may be NULL: only functions then. */
int template_console_open(const struct template_args *args, struct arena *a, struct diags *d,
			  struct template_console **ret, struct err *err) MUST_USE;
/* One line's answer as text to print. 0 or -1 with the mistakes in d; both in the arena a. */
int template_console_eval(struct template_console *c, struct arena *a, struct str line,
			  struct diags *d, struct str *ret) MUST_USE;
/* What `variables` prints. */
void template_console_variables(struct template_console *c, struct buf *out);
/* Names that the word at the end of `prefix` may be the beginning of, whole (var.name, upper( …):
 * into names, at most max; returns how many. */
size_t template_console_complete(struct template_console *c, struct arena *a, struct str prefix,
				 const char **names, size_t max);

/* Reads, evaluates, decodes and prepares. Diagnostics are in ret->diags, also when it returns -1
 * (errors that leave nothing to run): then err is set as well only where a file could not be read.
 * ret is always made; plan_free it. syntax_only: the form alone is checked, and there are no
 * builds. */
int template_load(const struct template_args *args, struct plan **ret, struct err *err) MUST_USE;
void plan_free(struct plan *p);
DEFINE_AUTO_PTR(plan, struct plan *, plan_free);

/* What stands in a template, nothing evaluated: inspect. */
struct outline_variable {
	const char *name, *def; /* def NULL: required */
	bool sensitive;
};
struct outline_builder {
	const char *name, *type;
};
struct outline {
	/* HCL2: all of it as inspect prints it, in two messages, and nothing else here; NULL:
	 * legacy. */
	const char *listed_values, *listed_builds;
	const char *description;
	struct outline_variable *variables;
	size_t nvariables;
	struct outline_builder *builders;
	size_t nbuilders;
	const char **provisioners;
	size_t nprovisioners;
	const char **secrets; /* not to be shown, wherever they stand */
	size_t nsecrets;
};
/* Values live in the arena. Errors as template_load. Given variables are read for their mistakes
 * alone. */
int template_outline(const struct template_args *args, struct arena *a, struct diags *d,
		     struct outline *ret, struct err *err) MUST_USE;

#endif
