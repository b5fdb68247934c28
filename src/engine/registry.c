/* Lookups in the component tables. */
#include "engine/registry.h"

#include "base/str.h"

#define FIND(kind, list) \
	const struct kind *registry_##kind(const struct registry *r, const char *type) \
	{ \
		for (const struct kind *const *c = r->list; *c; c++) \
			if (streq((*c)->type, type)) \
				return *c; \
		return NULL; \
	}
FIND(builder, builders)
FIND(provisioner, provisioners)
FIND(postprocessor, postprocessors)
FIND(datasource, datasources)
