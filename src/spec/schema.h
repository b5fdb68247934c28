/* Option tables as JSON Schema (draft 2020-12), for editors and checks in pipelines.
 *
 * Any value may also be text, which holds an expression ("${var.x}", "{{user `x`}}"); null is as if
 * the option were not there. What the tables cannot say (one of two options, say) the schema does
 * not say either: `validate` does.
 */
#ifndef INGOT_SPEC_SCHEMA_H
#define INGOT_SPEC_SCHEMA_H

#include "base/json_writer.h"
#include "spec/spec.h"

enum schema_language { SCHEMA_LEGACY, SCHEMA_HCL };

struct schema_object {
	const struct spec *const *specs; /* whose options it has; NULL-terminated */
	enum schema_language language;
	bool partial; /* required ones may lack: they can come from elsewhere */
	/* Writes further members of "properties"; may be NULL. */
	void (*more)(struct json_writer *w, const void *data);
	const void *data;
};
/* The schema of an object: its members alone, or with the braces around them. */
void schema_write_members(struct json_writer *w, const struct schema_object *o);
void schema_write_object(struct json_writer *w, const struct schema_object *o);

#endif
