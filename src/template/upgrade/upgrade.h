/* hcl2_upgrade: a legacy JSON template as an HCL2 one that means the same. */
#ifndef INGOT_TEMPLATE_UPGRADE_UPGRADE_H
#define INGOT_TEMPLATE_UPGRADE_UPGRADE_H

#include "base/diag.h"
#include "engine/registry.h"

struct upgrade_args {
	const struct registry *registry;
	bool annotate; /* comments that explain the blocks */
};

/* The HCL2 text, laid out. 0, also where something could not be turned: that is an error or a
 * warning in d with its place, and stands in the text as it was. -1: it is no template, nothing is
 * in out. */
int template_upgrade(struct arena *a, struct source *src, const struct upgrade_args *args,
		     struct diags *d, struct buf *out) MUST_USE;

#endif
