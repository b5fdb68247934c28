/* Diagnostics of the builds of one plan: the same mistake seen by many builds is shown once. */
#ifndef INGOT_TEMPLATE_PLAN_DIAGS_H
#define INGOT_TEMPLATE_PLAN_DIAGS_H

#include "template/plan.h"

struct plan_diags {
	struct plan *plan;
	struct map seen; /* place and text → its entry */
};

/* Takes over what a component of a build had to say. what: `provisioner "shell"`, or NULL for the
 * builder. */
void plan_diags_take(struct plan_diags *m, const struct diags *from, const char *what,
		     const char *build);
/* Writes the names of the builds into the diagnostics, and releases. */
void plan_diags_finish(struct plan_diags *m);

#endif
