/* Inside template/: the build blocks of an HCL2 template as they are written, before any component is decoded.
 *
 * hcl_structure.c reads them (sources found, dynamic blocks expanded, what all provisioners and post-processors have
 * in common evaluated); inspect shows that; hcl_builds.c makes the builds of the plan of it.
 */
#ifndef INGOT_TEMPLATE_HCL_BUILDS_H
#define INGOT_TEMPLATE_HCL_BUILDS_H

#include "template/hcl.h"

/* Names that blocks around bind for a body: iterators of dynamic blocks, each. */
struct hcl_bound {
	const struct value_attr *v;
	size_t n;
};

/* A block as its owner sees it, dynamic ones expanded. */
struct hcl_item {
	struct hcl_block block;
	struct hcl_bound bound; /* by the dynamic block it came from alone */
};
struct hcl_items {
	struct hcl_attr *attrs;
	size_t nattrs;
	struct hcl_item *blocks;
	size_t nblocks;
};
/* What a schema finds in a body, with `dynamic "TYPE" { for_each, iterator, labels, content {} }` expanded for every
 * block type of the schema. Whoever goes into an item's body binds its names (hcl_bind). Unknown for_each: one block,
 * whose iterator is unknown. 0 or -1; *ret has what was right. */
int hcl_items(struct eval *e, const struct hcl_body *body, const struct hcl_schema *schema, struct hcl_items *ret);
const struct hcl_attr *hcl_items_attr(const struct hcl_items *items, const char *name); /* NULL if absent */
/* A scope with these names in front of e's; e->scope = &s until it is put back. */
struct eval_scope hcl_bind(const struct eval *e, struct hcl_bound bound);
/* Both, the inner ones last. */
struct hcl_bound hcl_bound_join(struct arena *a, struct hcl_bound outer, struct hcl_bound inner);

/* Provisioner or post-processor: what all of them have in common, decoded by hcl_part_spec or hcl_post_part_spec. */
struct hcl_part {
	const char *type;
	struct span span, type_span; /* the header; its label */
	const struct hcl_body *body;
	struct hcl_bound bound;
	char *name; /* NULL where none is given */
	struct strs only, except;
	/* provisioners */
	int64_t pause_before_ns, timeout_ns, max_retries;
	bool continue_on_error;
	struct value override; /* object or null */
	/* post-processors */
	enum tribool keep_input;
};
extern const struct spec hcl_part_spec, hcl_post_part_spec;

struct hcl_chain {
	struct hcl_part *v;
	size_t n;
};

/* A source in a build. */
struct hcl_use {
	const char *type, *name; /* of the source block */
	const char *shown;	 /* the name it has in this build: `name` of the source block in the build, or the same */
	const struct hcl_source *source; /* NULL: there is none, which was reported */
	const struct hcl_body *body;	 /* more options, or NULL */
	struct hcl_bound bound;		 /* for `body` */
	struct span span;
};

struct hcl_build {
	const char *name, *description; /* "" where none is given */
	struct span span;
	struct hcl_bound bound;
	struct hcl_use *uses;
	size_t nuses;
	struct hcl_part *provisioners;
	size_t nprovisioners;
	struct hcl_part *cleanup; /* NULL: none */
	struct hcl_chain *chains;
	size_t nchains;
};
extern const struct spec hcl_use_spec; /* what a source block of a build has beside the source's own options */

/* All build blocks, in t->arena, mistakes in t->diags. 0, or -1 if there were any: then nothing can be built. */
int hcl_read_builds(struct hcl_template *t, struct hcl_build **ret, size_t *ret_n);
/* Checks a block hcp_packer_registry, and warns that ingot publishes nothing there. */
void hcl_check_registry(struct hcl_template *t, const struct hcl_block *block);
/* Whether only or except leave out the source "type.name". */
bool hcl_part_skips(const struct hcl_part *p, const char *source);

#endif
