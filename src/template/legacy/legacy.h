/* Inside template/: the legacy JSON front end. read.c takes the text apart, vars.c
 * gives the variables their values, plan.c makes the builds. */
#ifndef INGOT_TEMPLATE_LEGACY_LEGACY_H
#define INGOT_TEMPLATE_LEGACY_LEGACY_H

#include "template/plan_component.h"

/* only and except, which name builds by their raw (unrendered) names. */
struct legacy_filter {
	struct value_seq *only, *except; /* of strings; NULL: not given */
};

struct legacy_variable {
	const char *name, *def; /* def NULL: required */
	struct span key_span, span;
};

struct legacy_builder {
	const char *type, *name; /* name: raw, the type where none is given */
	struct value body;	 /* without type and name */
	struct span span, type_span, name_span;
};

struct legacy_provisioner {
	const char *type;
	struct value body;     /* without what all provisioners have */
	struct value override; /* object or null */
	struct legacy_filter filter;
	int64_t pause_before_ns, timeout_ns;
	struct value max_retries; /* text or null */
	struct span span, type_span;
};

struct legacy_postprocessor {
	const char *type, *name; /* name: the type where none is given */
	bool named;
	struct value body;
	struct legacy_filter filter;
	int keep_input;
	struct span span, type_span;
};

struct legacy_chain {
	struct legacy_postprocessor *v;
	size_t n;
};

struct legacy {
	struct arena *arena;
	struct source *src;
	const char *dir; /* of the template, absolute */
	const char *description;
	struct value min_version; /* text or null */
	struct legacy_variable *variables;
	size_t nvariables;
	const char **sensitive;
	size_t nsensitive;
	struct legacy_builder *builders;
	size_t nbuilders;
	struct legacy_provisioner *provisioners;
	size_t nprovisioners;
	struct legacy_provisioner *cleanup;
	struct legacy_chain *chains;
	size_t nchains;
	/* vars.c */
	struct map values; /* name → char *; released with the arena */
	int64_t now_ms;
	bool force;
	const struct func_group *const *functions; /* vault and its like; NULL: none */
	const char **fetched; /* secrets that they gave */
	size_t nfetched;
};

/* The template that args name, read, with the values given from outside (load.c). */
int legacy_load(const struct template_args *args, struct arena *a, struct diags *d,
		struct legacy **ret, struct err *err) MUST_USE;
/* Reads and takes apart; mistakes of form are in d, headed as such. -1: nothing can follow. */
int legacy_read(struct arena *a, struct source *src, struct diags *d, struct legacy **ret) MUST_USE;
/* Reads a file of variables into t->values (before the template's own are rendered). */
int legacy_read_var_file(struct legacy *t, const char *path, struct diags *d,
			 struct err *err) MUST_USE;
/* All variables that need a value from outside have it. */
int legacy_check_given(const struct legacy *t, struct diags *d) MUST_USE;
/* Renders defaults and given values; t->values has them all then. */
int legacy_variables(struct legacy *t, struct diags *d) MUST_USE;
/* only, except and override name builds that exist; the version is enough; a builder is there. */
int legacy_check(struct legacy *t, struct diags *d) MUST_USE;
/* Makes the selected builds of the plan. */
void legacy_builds(struct legacy *t, const struct template_args *args, struct plan *plan);

bool legacy_skips(const struct legacy_filter *f, const char *name);

#endif
