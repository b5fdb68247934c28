/* Inside template/: what the HCL2 front end keeps of a component, so that it can be decoded again
 * while the build runs. Constant once the plan is made: many threads evaluate it side by side. */
#ifndef INGOT_TEMPLATE_HCL_COMPONENT_H
#define INGOT_TEMPLATE_HCL_COMPONENT_H

#include "template/hcl/builds.h"
#include "template/plan_component.h"

/* A body, or the part of one that another block adds to it. */
struct hcl_piece {
	const struct hcl_body *body; /* NULL: none */
	struct hcl_bound bound;
	const char *const *common; /* attributes that are not the component's; NULL-terminated */
};

struct hcl_component {
	struct component_place place;
	const struct hcl_template *t;
	struct hcl_piece pieces[2];
	struct value override;		       /* object or null */
	const char *source_name, *build_label; /* source.name, build.name */
	const struct value_attr *names; /* hcl_component_names() before the build runs, shared */
	struct span span;
};

/* The two objects `source` and `build` as the component sees them; data NULL: before it runs. */
struct value_attr *hcl_component_names(struct arena *a, const struct hcl_component *h,
				       const struct plan_data *data);

/* Decodes the attributes of a body that are rows of spec into a zeroed struct; what else stands in
 * the body is somebody else's. 0 or -1 after a diagnostic. */
int hcl_common_decode(struct hcl_template *t, struct eval *e, const struct hcl_body *body,
		      const struct spec *spec, void *ret);
/* The names of a spec's rows, NULL-terminated: what the body's owner leaves out (hcl_piece.common).
 */
const char *const *hcl_common_names(struct arena *a, const struct spec *spec);

#endif
