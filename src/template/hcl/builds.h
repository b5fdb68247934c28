/* Inside template/: the build blocks of an HCL2 template as they are written, before any
 * component is decoded. structure.c reads them, with sources.c (which sources they
 * build from), parts.c (what all provisioners and post-processors have in common),
 * each.c (for_each), depends.c (depends_on) and dynamic.c; inspect shows that;
 * builds.c makes the builds of the plan of it. */
#ifndef INGOT_TEMPLATE_HCL_BUILDS_H
#define INGOT_TEMPLATE_HCL_BUILDS_H

#include "template/hcl/hcl.h"
#include "template/plan_component.h"

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
/* What a schema finds in a body, with `dynamic "TYPE" { for_each, iterator, labels, content {}
 * }` expanded for every block type of the schema. Whoever goes into an item's body binds its
 * names (hcl_bind). Unknown for_each: one block, whose iterator is unknown. 0 or -1; *ret has
 * what was right. */
int hcl_items(struct eval *e, const struct hcl_body *body, const struct hcl_schema *schema,
	      struct hcl_items *ret);
/* A scope with these names in front of e's; e->scope = &s until it is put back. */
struct eval_scope hcl_bind(const struct eval *e, struct hcl_bound bound);
/* Both, the inner ones last. */
struct hcl_bound hcl_bound_join(struct arena *a, struct hcl_bound outer, struct hcl_bound inner);

/* Provisioner or post-processor: what all of them have in common, decoded by hcl_part_spec or
 * hcl_post_part_spec. */
struct hcl_part {
	const char *type;
	struct span span; /* the header */
	const struct hcl_body *body;
	struct hcl_bound bound;
	const struct hcl_part *group; /* the `provisioners` block it came by: its only and except */
	char *name;		      /* NULL where none is given */
	struct strs only, except;
	enum tribool enabled;
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

/* A source in a build; with for_each one of its instances. */
struct hcl_use {
	const char *type, *name; /* of the source block */
	const char *shown; /* what this build calls it: `name` of its source block, or the same */
	const char *key;   /* of the instance, NULL without for_each */
	const struct hcl_source *source;
	const struct hcl_body *body;   /* more options, or NULL */
	struct hcl_bound each;	       /* `each` of the source's for_each, or nothing */
	struct hcl_bound source_bound, body_bound; /* for the two bodies */
	struct span span;
};

struct hcl_build {
	const char *name, *description; /* "" where none is given */
	struct span span;
	struct hcl_bound bound; /* `each` of the build's for_each, or nothing */
	struct strs depends_on;
	struct hcl_use *uses;
	size_t nuses;
	struct hcl_part *provisioners;
	size_t nprovisioners;
	struct hcl_part *cleanup; /* NULL: none */
	struct hcl_chain *chains;
	size_t nchains;
};

/* Attributes of a source block, and of a source block in a build, that are not the source's own
 * options. */
extern const struct spec hcl_source_spec, hcl_use_spec;
/* The attributes of a build, and of one that stands for several. */
extern const struct spec hcl_build_spec, hcl_each_spec;

/* All enabled build blocks, those with for_each as often as it has elements, in t->arena;
 * mistakes in t->diags. 0, or -1 if there were any: then nothing can be built. */
int hcl_read_builds(struct hcl_template *t, struct hcl_build **ret, size_t *ret_n);
/* Checks a block hcp_packer_registry, and warns that ingot publishes nothing there. */
void hcl_check_registry(struct hcl_template *t, const struct hcl_block *block);
/* The part for a source with for_each: its common attributes once more, with the source's
 * `each`, into *ret. false: it is not enabled there, or wrong, which is in d then. */
bool hcl_part_for(struct hcl_template *t, const struct hcl_build *b, const struct hcl_use *use,
		  const struct hcl_part *p, bool post, struct diags *d, struct hcl_part *ret);
/* The object `build` where nothing of it is known but its name, and `source`; in v, for the
 * front of a scope. */
void hcl_name_build(struct arena *a, const char *name, const struct hcl_use *use, struct span span,
		    struct value_attr v[2]);
/* Whether only or except leave the source out. */
bool hcl_part_skips(const struct hcl_part *p, struct arena *a, const struct hcl_use *use);
/* source.name: "name", "name.key"; and with the type before it. */
const char *hcl_use_name(struct arena *a, const struct hcl_use *use);
const char *hcl_use_label(struct arena *a, const struct hcl_use *use);

/* One build block on its way. */
struct hcl_reader {
	struct hcl_template *t;
	struct eval *e; /* with the names the block's head sees */
	struct hcl_build *build;
	const char *place; /* of the build block, for messages */
	size_t nsources;   /* sources named, enabled or not */
	bool has_registry;
};
/* A provisioner or post-processor; false where it is wrong (reported) or not enabled. outer:
 * names bound around it. */
bool hcl_read_part(struct hcl_reader *r, const struct hcl_item *item, struct hcl_bound outer,
		   enum component_kind kind, struct hcl_part *ret);
void hcl_read_group(struct hcl_reader *r, const struct hcl_item *item);
/* `sources` (null: not given), and a source block in the build. */
void hcl_read_sources(struct hcl_reader *r, struct value sources);
void hcl_read_use(struct hcl_reader *r, const struct hcl_item *item);

/* One element of a for_each: `each` with its key and value. */
struct hcl_instance {
	const char *key;
	struct hcl_bound bound;
};
/* The elements of a map, object, set of texts or list of texts that are all different; false
 * after a diagnostic. An unknown one has one element that is unknown. */
bool hcl_instances(struct hcl_template *t, struct value each, struct hcl_instance **ret,
		   size_t *ret_n);
/* A build there could be; made only where -only and -except leave it. */
struct hcl_candidate {
	const char *name;
	const struct hcl_build *block;
	const struct hcl_use *use;
	struct plan_build *build; /* NULL: not selected */
};
/* Settles `depends_on` of all blocks: the builds that each build comes after. Circles and names
 * that no build has are errors in t->diags, and false; a build that was not selected is not
 * waited for. */
bool hcl_depends(struct hcl_template *t, const struct hcl_candidate *v, size_t n);
/* -strict: warns that something is ingot's own, which the reference refuses. */
void hcl_own(struct hcl_template *t, struct span span, const char *what);

#endif
