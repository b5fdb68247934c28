/* Inside template/: the HCL2 front end. hcl_read.c finds the files and sorts their blocks, hcl_vars.c gives the
 * variables their values, hcl_locals.c evaluates locals and data sources in the order they need each other,
 * hcl_builds.c makes the builds of the plan, hcl_component.c decodes each part, hcl_dynamic.c expands dynamic
 * blocks. */
#ifndef INGOT_TEMPLATE_HCL_H
#define INGOT_TEMPLATE_HCL_H

#include "lang/expr/eval.h"
#include "lang/hcl/hcl.h"
#include "template/plan.h"

struct hcl_file {
	struct source *src;
	struct hcl_body *body;
};

struct hcl_variable {
	const char *name;
	const struct hcl_block *block;	/* NULL: from a legacy `variables` block, then attr is set */
	const struct hcl_attr *attr;
	const struct type *type;	/* type_any where none is given */
	const struct hcl_expr *def;	/* NULL: required */
	const char *description;
	bool sensitive;
	struct value value;		/* once hcl_variables() has run; unknown where it could not be had */
	struct value def_value;		/* null where there is none */
};

struct hcl_local {
	const char *name;
	const struct hcl_expr *expr;
	struct span span;
	bool sensitive;
	struct value value;
	int state; /* hcl_locals.c: not yet, being evaluated, done */
};

struct hcl_data {
	const char *type, *name;
	const struct hcl_block *block;
	const struct datasource *ops;
	struct value value; /* unknown until it is run */
	int state;
};

struct hcl_source {
	const char *type, *name;
	const struct hcl_block *block;
};

struct hcl_template {
	struct arena *arena;
	struct diags *diags;
	const struct template_args *args;
	const char *dir; /* path.root as the reference shows it */
	int64_t now_ms;
	struct hcl_file *files; /* in the order of their names; .pkr.hcl before .pkr.json as the reference has it */
	size_t nfiles;
	struct hcl_variable *variables;
	size_t nvariables;
	struct hcl_local *locals;
	size_t nlocals;
	struct hcl_data *datas;
	size_t ndatas;
	struct hcl_source *sources;
	size_t nsources;
	struct hcl_block **builds; /* build blocks in order */
	size_t nbuilds;
	struct hcl_block **required_plugins; /* for init and plugins required */
	size_t nrequired_plugins;
	/* The values of var, local, data, path, packer, timestamp…: what every expression outside of builds sees. */
	struct eval_scope scope;
	struct value_attr roots[8];
};

/* Reads path (a file, a folder with all its files; "-" with config_type hcl2) and sorts the blocks; the mistakes of
 * all files are in d. 0 or -1; -1 with err only where a file could not be read. */
int hcl_read(struct arena *a, const struct template_args *args, struct diags *d, struct hcl_template **ret,
	     struct err *err) MUST_USE;
/* Values of variables: defaults, PKR_VAR_, auto files, -var-file, -var; then their validation blocks. */
int hcl_variables(struct hcl_template *t, struct err *err) MUST_USE;
/* Locals and data sources. run_data: data sources are asked (build, -evaluate-datasources); else their values are
 * unknown. Those that do not need each other run side by side. */
int hcl_locals(struct hcl_template *t, bool run_data, struct err *err) MUST_USE;
/* The selected builds, into the plan; mistakes of one leave it `broken`. */
void hcl_builds(struct hcl_template *t, struct plan *plan);

/* An evaluator over the template's values, with more names in front (may be NULL), which takes its mistakes to d. */
struct eval hcl_eval(const struct hcl_template *t, const struct eval_scope *more, struct arena *a, struct diags *d);

/* A block's body by the option rows of a component, as the object that spec_decode takes: attributes evaluated,
 * blocks as objects and lists of objects, dynamic blocks expanded. Keys in `common` (NULL-terminated; only, except,
 * pause_before…) are left out. Unknown options are errors with "did you mean". Values the run alone knows are
 * unknown. */
int hcl_component_body(struct eval *e, const struct hcl_body *body, const struct spec *spec, const char *const *common,
		       struct value *ret);
/* Replaces `dynamic "TYPE" { for_each, iterator, labels, content }` blocks by what they stand for; the iterator's names are
 * bound in each copy. Bodies without any are given back as they are. */
int hcl_dynamic_expand(struct eval *e, const struct hcl_body *body, struct hcl_body **ret);

plan_decode_fn hcl_decode;
plan_render_fn hcl_render;

#endif
