/* The components that the program has: what the front ends look types up in. */
#ifndef INGOT_COMMAND_COMPONENTS_H
#define INGOT_COMMAND_COMPONENTS_H

#include "engine/registry.h"

#include "base/vec.h"

extern const struct registry components;
/* For a rehearsal: nothing in it reads a real account. */
extern const struct registry components_local;

/* One component, whatever its kind: "builder", "provisioner", "post-processor", "data source". */
struct component {
	const char *kind, *type;
	const struct spec *spec;
};
struct component_list {
	VEC(struct component) rows;
};
/* All of them, by kind, each kind sorted. */
void components_list(struct component_list *ret);
void component_list_release(struct component_list *list);
DEFINE_AUTO(component_list, struct component_list, component_list_release);

#endif
