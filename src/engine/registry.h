/* The tables of components. A new component is its own file and one line in command/components.c.
 */
#ifndef INGOT_ENGINE_REGISTRY_H
#define INGOT_ENGINE_REGISTRY_H

#include "engine/component.h"
#include "lang/expr/func.h"

/* Handed in by command/ (arrows point one way: engine knows no component). Each list is
 * NULL-terminated and sorted by type. */
struct registry {
	const struct builder *const *builders;
	const struct provisioner *const *provisioners;
	const struct postprocessor *const *postprocessors;
	const struct datasource *const *datasources;
	/* Functions of HCL expressions, all groups (lang/expr/func.h). */
	const struct func_group *const *functions;
	/* Types of Packer and its official plugins that ingot does not have (yet): known by name,
	 * so that validate can say "not yet supported by ingot" instead of "unknown". */
	const char *const *later_builders, *const *later_provisioners, *const *later_postprocessors;
};

const struct builder *registry_builder(const struct registry *r, const char *type);
const struct provisioner *registry_provisioner(const struct registry *r, const char *type);
const struct postprocessor *registry_postprocessor(const struct registry *r, const char *type);
const struct datasource *registry_datasource(const struct registry *r, const char *type);

#endif
