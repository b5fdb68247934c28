/* JSON Schema of whole templates, and of a component as it stands in one. */
#ifndef INGOT_TEMPLATE_SCHEMA_H
#define INGOT_TEMPLATE_SCHEMA_H

#include "engine/registry.h"
#include "spec/schema.h"

/* SCHEMA_HCL: of a `.pkr.json` file; SCHEMA_LEGACY: of a legacy JSON template. */
void template_write_schema(const struct registry *r, enum schema_language language,
			   struct buf *out);
/* Of a component's own options. */
void component_write_schema(const struct spec *spec, const char *kind, struct buf *out);

#endif
