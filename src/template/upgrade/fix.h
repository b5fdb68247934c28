/* fix: legacy templates written for older versions become ones for this version.
 *
 * A fixer is one row and one function of fix_rules.c. Rows run in order, each over the whole
 * template: a part that one fixer has renamed is seen by the next under its new name.
 */
#ifndef INGOT_TEMPLATE_UPGRADE_FIX_H
#define INGOT_TEMPLATE_UPGRADE_FIX_H

#include "base/diag.h"
#include "base/err.h"

#include <jansson.h>

enum fix_part {
	FIX_BUILDER,
	FIX_PROVISIONER,
	FIX_POSTPROCESSOR, /* also inside of sequences, never those given by their name alone */
	FIX_LOGIN,	   /* builders and post-processors, of templates that have the latter */
};

struct fixer {
	const char *name;
	const char *doc; /* what it changes; one sentence of Markdown */
	enum fix_part part;
	/* Of parts: separated by blanks, a star at an end for any rest. NULL: all, also none. */
	const char *types;
	/* Changes the part (an object). ERR_INVALID: it cannot be done with what stands there. */
	int (*fix)(json_t *part, struct err *err);
};

extern const struct fixer fixers[];
extern const size_t nfixers;

/* The fixed text of a template: keys sorted, two spaces a level. Errors: in d, text that is no JSON
 * object; in err, what no fixer can work with. */
int template_fix(struct arena *a, struct source *src, struct diags *d, struct buf *out,
		 struct err *err) MUST_USE;
/* Whether a fixed text has the form of a template, with builds behind all names. The mistakes are
 * in d. */
int template_fix_check(struct arena *a, struct source *src, struct diags *d) MUST_USE;

#endif
