/* Inside template/: the HCL2 front end. read.c finds the files and sorts their blocks,
 * packer.c reads the packer block, vars.c the declarations of variables, values.c gives
 * them their values, locals.c evaluates locals and data sources in the order they need each
 * other, builds.c makes the builds of the plan, component.c decodes each part,
 * dynamic.c expands dynamic blocks; outline.c is what inspect and console show. */
#ifndef INGOT_TEMPLATE_HCL_HCL_H
#define INGOT_TEMPLATE_HCL_HCL_H

#include "base/map.h"
#include "lang/expr/eval.h"
#include "lang/expr/type.h"
#include "lang/hcl/hcl.h"
#include "template/plan.h"

struct hcl_file {
	struct source *src;
	struct hcl_body *body;
};

/* A validation block of a variable. */
struct hcl_rule {
	const struct hcl_expr *condition;
	const char *message;
	struct span span;
};

struct hcl_variable {
	const char *name;
	struct span span;	 /* the head of its block; its name in a legacy `variables` block */
	const struct type *type; /* that of the default where none is given; type_any without one */
	const struct hcl_expr *def; /* NULL: required */
	const char *description;
	bool sensitive;
	struct hcl_rule *rules;
	size_t nrules;
	bool set;	  /* it has a default or was given a value */
	bool bad;	  /* its value is wrong, which is reported: value is unknown */
	struct span from; /* of the value; in a source named after the flag or variable */
	struct value value;	/* unknown where it could not be had */
	struct value def_value; /* null where there is none */
};

struct hcl_local {
	const char *name;
	const struct hcl_expr *expr;
	struct span span; /* the name */
	bool sensitive;
	bool bad;	    /* it, or what it needs, could not be evaluated: reported */
	struct value value; /* unknown until it is evaluated, and then where that failed */
	struct value *slot; /* where expressions see it */
};

struct hcl_data {
	const char *type, *name;
	const struct hcl_block *block;
	const struct datasource *ops;
	struct value value; /* unknown until it is run */
	struct value *slot; /* where expressions see it */
};

struct hcl_source {
	const char *type, *name;
	const struct hcl_block *block;
};

struct hcl_template {
	struct arena *arena;
	struct diags *diags;
	/* Mistakes that matter only where something is built: not to inspect, -syntax-only. */
	struct diags late;
	const struct template_args *args;
	struct template_args own_args; /* what args points to */
	/* inspect: what is not there is no mistake, builds with a mistake are left out. */
	bool listing;
	const char *dir; /* path.root as the reference shows it */
	int64_t now_ms;
	struct hcl_file *files; /* in the order of their names, .pkr.hcl before .pkr.json */
	size_t nfiles;
	struct hcl_variable *variables;
	size_t nvariables;
	struct hcl_local *locals;
	size_t nlocals;
	struct hcl_data *datas;
	size_t ndatas;
	struct hcl_source *sources;
	size_t nsources;
	const struct hcl_block **builds; /* build blocks in order */
	size_t nbuilds;
	const struct hcl_block **registries; /* hcp_packer_registry */
	size_t nregistries;
	const struct hcl_block **groups; /* provisioners "NAME" {}: ingot's own */
	size_t ngroups;
	struct required_plugin *plugins;
	size_t nplugins;
	/* Strings of sensitive variables and locals, and of data sources' sensitive options. */
	const char **secrets;
	size_t nsecrets;
	/* All is evaluated: from now on, on the threads of builds, nothing in here changes. */
	bool loaded;
	/* "variable X", "local X", "data T.N", "source T.N" to 1 + the index in its array; released
	 * with the arena. */
	struct map names;
	/* The values of var, local, data, path, packer, timestamp…: what every expression outside
	 * of builds sees. */
	struct eval_scope scope;
	struct value_attr roots[8];
};

/* Room for one more in an array of the arena, which doubles when it is full. */
#define HCL_PUSH(arena, v, n, ...) \
	do { \
		if (((n) & ((n)-1)) == 0) /* none, or a power of two: full */ \
			(v) = arena_grow((arena), (v), (n) * sizeof(*(v)), \
					 ((n) ? (n)*2 : 1) * sizeof(*(v))); \
		(v)[(n)++] = (__VA_ARGS__); \
	} while (0)

/* The files with these endings: path itself if it has one, or those in the directory: first all of
 * `hcl`, then all of `json`, each sorted. */
int hcl_list_files(const char *path, const char *hcl, const char *json, struct arena *a,
		   const char ***ret, size_t *ret_n, struct err *err) MUST_USE;
/* Reads and parses one, by its ending; "-" is standard input. Mistakes of form are in d; -1: it
 * could not be read. */
int hcl_parse_file(struct arena *a, const char *path, struct diags *d, struct hcl_file *ret,
		   struct err *err) MUST_USE;

/* Reads path (a file, a directory with all its files; "-" with config_type hcl2) and sorts the
 * blocks; the mistakes of all files, and what could not be read, are in d. 0 or -1; *ret is made in
 * either case. */
int hcl_read(struct arena *a, const struct template_args *args, struct diags *d,
	     struct hcl_template **ret) MUST_USE;
/* Reads a variable block, or one line of a legacy `variables` block, into t->variables (read.c
 * calls it). */
void hcl_declare(struct hcl_template *t, const struct hcl_block *block);
void hcl_declare_legacy(struct hcl_template *t, const struct hcl_attr *attr);
/* The values given from outside, over the defaults: PKR_VAR_, auto files, -var-file, -var. */
int hcl_variables(struct hcl_template *t) MUST_USE;
/* Variables without a value, and values that break the rules of their validation blocks. */
void hcl_check_variables(struct hcl_template *t);
/* Locals and data sources. run_data: data sources are asked (build, -evaluate-datasources); else
 * their values are unknown. Those that do not need each other run side by side. */
void hcl_locals(struct hcl_template *t, bool run_data);
/* packer blocks: required_version into d (0 or -1: this version is not enough), and
 * required_plugins. */
int hcl_packer_version(struct hcl_template *t, const struct hcl_block *block);
void hcl_packer_block(struct hcl_template *t, const struct hcl_block *block);
/* A plugin's name stands for one source in the whole template. */
void hcl_check_plugins(struct hcl_template *t);
/* What required_plugins says a type belongs to that ingot lacks ("docker" → the row of
 * github.com/hashicorp/docker), for messages; or NULL. */
const struct required_plugin *hcl_plugin_of(const struct hcl_template *t, const char *type);
/* inspect's listing: variables and locals, which console shows as well, and builds. */
void hcl_outline_values(const struct hcl_template *t, struct buf *out);
void hcl_outline_builds(struct hcl_template *t, struct buf *out);
/* A value as both show it: without secrets. */
void hcl_show_value(const struct hcl_template *t, struct value v, struct buf *out);
/* The selected builds, into the plan; mistakes in the options of one leave it `broken`. -1:
 * mistakes that leave nothing to run, such as a source that is not there; the rest was checked all
 * the same. */
int hcl_builds(struct hcl_template *t, struct plan *plan);

/* Defines a name once: false, with an error that shows both places, where it is defined already.
 * kind is "variable", "local", "data" or "source"; `index` its place in the array. */
bool hcl_define(struct hcl_template *t, const char *kind, const char *name, struct span span,
		size_t index);
/* The place in its array, or -1. */
ptrdiff_t hcl_find(const struct hcl_template *t, const char *kind, const char *name);
/* Letters, digits, - and _, not beginning with a digit. */
bool hcl_is_identifier(struct arena *a, struct str s);
/* "FILE:LINE:COLUMN", for messages. */
const char *hcl_place(struct arena *a, struct span span);
/* Strings in a sensitive value are secrets from now on; so is a text, and what is in it if it is a
 * JSON object (data: the struct hcl_template). */
void hcl_keep_secret(struct hcl_template *t, struct value v);
void hcl_keep_secret_text(void *data, const char *secret);
/* Makes t->roots and t->scope, with the values of variables; those of locals and data sources are
 * unknown. */
void hcl_open_roots(struct hcl_template *t);
/* Evaluates what may hold neither names nor functions (env alone where `with_env`), as a type; null
 * fits type_any alone. */
int hcl_constant(struct hcl_template *t, const struct hcl_expr *x, const struct type *want,
		 bool with_env, const char *subject, struct value *ret);

/* An evaluator over the template's values, with more names in front (may be NULL), which takes its
 * mistakes to d. */
struct eval hcl_eval(const struct hcl_template *t, const struct eval_scope *more, struct arena *a,
		     struct diags *d);

/* A block's body by the option rows of a component, as the object that spec_decode takes:
 * attributes evaluated, blocks as objects and lists of objects, dynamic blocks expanded. Keys in
 * `common` (NULL-terminated; only, except, pause_before…) are left out. Unknown options are errors
 * with "did you mean". Values the run alone knows are unknown. */
int hcl_component_body(struct eval *e, const struct hcl_body *body, const struct spec *spec,
		       const char *const *common, struct value *ret);
plan_decode_fn hcl_decode;
plan_render_fn hcl_render;

#endif
