/* What both front ends share about one component of a plan: looking it up, decoding its options,
 * the {{ }} in them. */
#ifndef INGOT_TEMPLATE_PLAN_COMPONENT_H
#define INGOT_TEMPLATE_PLAN_COMPONENT_H

#include "template/functions.h"
#include "template/plan.h"

enum component_kind { COMPONENT_BUILDER, COMPONENT_PROVISIONER, COMPONENT_POSTPROCESSOR };

/* Where a component stands: what its {{ }} can reach, and what is to be done with its options. */
struct component_place {
	enum component_kind kind;
	const struct map *variables; /* {{user}}; NULL: the language has none */
	const char *template_dir;    /* {{template_dir}}; NULL: not available */
	int64_t now_ms;
	bool force;
	bool json; /* the options are JSON text */
	const char *build_name, *build_type;
	/* Names of the build's values; NULL in builders, which have none. */
	const struct map *known;
	bool late_only; /* {{build}} and {{.ID}} can stand in options rendered late alone */
	void (*prepare)(struct prepare *p, void *config);
	struct plan *plan; /* takes secrets while it is being made; NULL after */
};

/* Decodes an object of options by the component's rows and prepares it. */
int component_decode(const struct plan_component *c, const struct component_place *place,
		     struct value body, const struct plan_data *data, struct arena *a,
		     struct diags *d, void **ret_config);
int component_render(const struct plan_component *c, const struct component_place *place,
		     const struct plan_data *data, struct arena *a, struct value dot,
		     struct str text, struct str *ret, struct err *err);

/* Adds a text to the plan's secrets, once. */
void component_secret(struct plan *p, const char *secret);
/* The names of build values: the common ones and the builder's own (ops may be NULL); released with
 * the arena. */
struct map *component_known(struct arena *a, const struct builder *ops);
/* The type is one of Packer's that ingot does not have yet. */
bool component_is_later(const struct registry *r, enum component_kind kind, const char *type);
/* Reports that ingot has no such type, with the nearest name; returns the error. */
struct diag *component_missing(const struct registry *r, enum component_kind kind,
			       const char *type, struct span span, struct diags *d);
/* The first object's attributes with the second's over them, in maps and lists too. */
struct value component_override(struct arena *a, struct value body, struct value over);

#endif
