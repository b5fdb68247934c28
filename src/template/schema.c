/* JSON Schema of templates: the form of both languages around the options of the components. A
 * component's schema stands once, below "$defs". In the JSON form of HCL a block is an object or a
 * list of objects, one level for each label. */
#include "template/schema.h"

#include "template/hcl/builds.h"

#define DRAFT "https://json-schema.org/draft/2020-12/schema"
#define TEXT "{ \"type\": [\"string\", \"number\", \"boolean\", \"null\"] }"
#define TEXTS "{ \"anyOf\": [" TEXT ", { \"type\": \"array\", \"items\": " TEXT " }] }"

static const char *const kinds[] = { "builder", "provisioner", "post-processor", "data" };
enum kind { BUILDER, PROVISIONER, POSTPROCESSOR, DATASOURCE };

struct entry {
	const char *type;
	const struct spec *spec;
};

/* The n-th component of a kind; its type is NULL after the last. */
static struct entry component(const struct registry *r, enum kind kind, size_t n)
{
#define ENTRY(list) \
	((list)[n] ? (struct entry){ (list)[n]->type, (list)[n]->spec } : (struct entry){ 0 })
	switch (kind) {
	case BUILDER:
		return ENTRY(r->builders);
	case PROVISIONER:
		return ENTRY(r->provisioners);
	case POSTPROCESSOR:
		return ENTRY(r->postprocessors);
	default:
		return ENTRY(r->datasources);
	}
#undef ENTRY
}

static void write_ref(struct json_writer *w, const char *kind, const char *type)
{
	auto_free char *path = xasprintf("#/$defs/%s%s%s", kind, type ? "." : "", type ? type : "");

	json_open(w, '{');
	json_pair(w, "$ref", path);
	json_close(w, '}');
}

/* What may stand once or in a list. */
static void write_once_or_more(struct json_writer *w, const char *kind, const char *type)
{
	json_open(w, '{');
	json_key(w, "anyOf");
	json_open(w, '[');
	write_ref(w, kind, type);
	json_open(w, '{');
	json_pair(w, "type", "array");
	json_key(w, "items");
	write_ref(w, kind, type);
	json_close(w, '}');
	json_close(w, ']');
	json_close(w, '}');
}

/* --- legacy JSON */

struct member {
	const char *name, *schema;
};
/* What the front end takes out of a component's object (read.c). */
static const struct member legacy_builder[] = { { "type", TEXT }, { "name", TEXT }, { NULL } };
static const struct member legacy_provisioner[] = {
	{ "type", TEXT },	  { "only", TEXTS },
	{ "except", TEXTS },	  { "override", "{ \"type\": [\"object\", \"null\"] }" },
	{ "pause_before", TEXT }, { "max_retries", TEXT },
	{ "timeout", TEXT },	  { NULL },
};
static const struct member legacy_postprocessor[] = {
	{ "type", TEXT },
	{ "name", TEXT },
	{ "only", TEXTS },
	{ "except", TEXTS },
	{ "keep_input_artifact", TEXT },
	{ NULL },
};
static const struct member *const legacy_members[] = { legacy_builder, legacy_provisioner,
						       legacy_postprocessor };

static void write_members(struct json_writer *w, const void *data)
{
	for (const struct member *m = data; m->name; m++)
		json_raw_pair(w, m->name, m->schema);
}

static void write_types(struct json_writer *w, const struct registry *r, enum kind kind)
{
	json_open(w, '{');
	json_key(w, "enum");
	json_open(w, '[');
	for (size_t i = 0; component(r, kind, i).type; i++)
		json_text(w, component(r, kind, i).type);
	json_close(w, ']');
	json_close(w, '}');
}

/* "$defs": KIND, any component of it by its type, and KIND.TYPE, each of them. */
static void write_legacy_defs(struct json_writer *w, const struct registry *r, enum kind kind)
{
	json_key(w, kinds[kind]);
	json_open(w, '{');
	json_pair(w, "type", "object");
	json_key(w, "properties");
	json_open(w, '{');
	json_key(w, "type");
	write_types(w, r, kind);
	json_close(w, '}');
	json_raw_pair(w, "required", "[\"type\"]");
	json_key(w, "allOf");
	json_open(w, '[');
	for (size_t i = 0; component(r, kind, i).type; i++) {
		auto_free char *when =
			xasprintf("{ \"properties\": { \"type\": { \"const\": \"%s\" } } }",
				  component(r, kind, i).type);

		json_open(w, '{');
		json_raw_pair(w, "if", when);
		json_key(w, "then");
		write_ref(w, kinds[kind], component(r, kind, i).type);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_close(w, '}');
	for (size_t i = 0; component(r, kind, i).type; i++) {
		const struct spec *specs[] = { component(r, kind, i).spec, NULL };
		const struct schema_object o = { .specs = specs,
						 .language = SCHEMA_LEGACY,
						 .more = write_members,
						 .data = legacy_members[kind] };
		auto_free char *key = xasprintf("%s.%s", kinds[kind], component(r, kind, i).type);

		json_key(w, key);
		schema_write_object(w, &o);
	}
}

/* One post-processor: its object, or its type alone. */
static void write_legacy_step(struct json_writer *w, const struct registry *r)
{
	json_key(w, "post-processor-step");
	json_open(w, '{');
	json_key(w, "anyOf");
	json_open(w, '[');
	write_types(w, r, POSTPROCESSOR);
	write_ref(w, kinds[POSTPROCESSOR], NULL);
	json_close(w, ']');
	json_close(w, '}');
}

static void write_list_of(struct json_writer *w, const char *key, const char *def)
{
	json_key(w, key);
	json_open(w, '{');
	json_raw_pair(w, "type", "[\"array\", \"null\"]");
	json_key(w, "items");
	if (streq(key, "post-processors"))
		write_once_or_more(w, def, NULL);
	else
		write_ref(w, def, NULL);
	json_close(w, '}');
}

static void write_legacy(struct json_writer *w, const struct registry *r)
{
	json_pair(w, "title", "A legacy JSON template");
	json_pair(w, "type", "object");
	json_key(w, "properties");
	json_open(w, '{');
	json_raw_pair(w, "description", "{ \"type\": [\"string\", \"null\"] }");
	json_raw_pair(w, "min_packer_version", "{ \"type\": [\"string\", \"null\"] }");
	json_raw_pair(w, "variables",
		      "{ \"type\": [\"object\", \"null\"], \"additionalProperties\": " TEXT " }");
	json_raw_pair(w, "sensitive-variables",
		      "{ \"type\": [\"array\", \"null\"], \"items\": { \"type\": \"string\" } }");
	json_raw_pair(w, "push", "true");
	write_list_of(w, "builders", kinds[BUILDER]);
	write_list_of(w, "provisioners", kinds[PROVISIONER]);
	write_list_of(w, "post-processors", "post-processor-step");
	json_key(w, "error-cleanup-provisioner");
	write_ref(w, kinds[PROVISIONER], NULL);
	json_close(w, '}');
	json_raw_pair(w, "required", "[\"builders\"]");
	json_raw_pair(w, "patternProperties", "{ \"^_\": true }");
	json_raw_pair(w, "additionalProperties", "false");
	json_key(w, "$defs");
	json_open(w, '{');
	write_legacy_step(w, r);
	for (enum kind kind = BUILDER; kind <= POSTPROCESSOR; kind++)
		write_legacy_defs(w, r, kind);
	json_close(w, '}');
}

/* --- the JSON form of HCL2 */

/* The object below one label: any name, or the types of a kind. */
static void write_labelled(struct json_writer *w, const struct registry *r, enum kind kind,
			   bool named)
{
	json_key(w, "properties");
	json_open(w, '{');
	json_raw_pair(w, "//", "true");
	for (size_t i = 0; component(r, kind, i).type; i++) {
		json_key(w, component(r, kind, i).type);
		if (!named) {
			write_once_or_more(w, kinds[kind], component(r, kind, i).type);
			continue;
		}
		json_open(w, '{');
		json_pair(w, "type", "object");
		json_key(w, "additionalProperties");
		write_once_or_more(w, kinds[kind], component(r, kind, i).type);
		json_close(w, '}');
	}
	json_close(w, '}');
	json_raw_pair(w, "additionalProperties", "false");
}

/* "$defs": NAME, the object whose keys are the types of a kind. */
static void write_types_def(struct json_writer *w, const struct registry *r, const char *name,
			    enum kind kind, bool named)
{
	json_key(w, name);
	json_open(w, '{');
	json_pair(w, "type", "object");
	write_labelled(w, r, kind, named);
	json_close(w, '}');
}

static void write_hcl_defs(struct json_writer *w, const struct registry *r, enum kind kind,
			   const struct spec *common)
{
	for (size_t i = 0; component(r, kind, i).type; i++) {
		const struct spec *specs[] = { component(r, kind, i).spec, common, NULL };
		const struct schema_object o = { .specs = specs,
						 .language = SCHEMA_HCL,
						 .partial = kind == BUILDER };
		auto_free char *key = xasprintf("%s.%s", kinds[kind], component(r, kind, i).type);

		json_key(w, key);
		schema_write_object(w, &o);
	}
}

/* Blocks inside build, as properties of its object. */
static void write_build_blocks(struct json_writer *w, const void *data UNUSED)
{
	static const struct {
		const char *block, *def;
	} blocks[] = {
		{ "provisioner", "provisioners" },
		{ "error-cleanup-provisioner", "provisioners" },
		{ "post-processor", "post-processor-types" },
		{ "post-processors", "chain" },
	};

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		json_key(w, blocks[i].block);
		write_once_or_more(w, blocks[i].def, NULL);
	}
	json_raw_pair(w, "source", "{ \"type\": [\"object\", \"array\"] }");
	json_raw_pair(w, "provisioners", "true");
	json_raw_pair(w, "hcp_packer_registry", "{ \"type\": [\"object\", \"array\"] }");
}

static void write_build_def(struct json_writer *w)
{
	const struct spec *specs[] = { &hcl_build_spec, &hcl_each_spec, NULL };
	const struct schema_object o = { .specs = specs,
					 .language = SCHEMA_HCL,
					 .more = write_build_blocks };

	json_key(w, "build");
	schema_write_object(w, &o);
}

#define BLOCKS_OF(item) \
	"{ \"anyOf\": [" item ", { \"type\": \"array\", \"items\": " item " }] }"
#define NAMED(item) "{ \"type\": \"object\", \"additionalProperties\": " BLOCKS_OF(item) " }"
/* An object with these members of "properties" and no others. */
#define CLOSED(properties) \
	"{ \"type\": \"object\", \"properties\": { \"//\": true, " properties " }, " \
	"\"additionalProperties\": false"
#define FLAG "{ \"type\": [\"boolean\", \"string\"] }"
#define STRING "{ \"type\": \"string\" }"
#define VALIDATION \
	CLOSED("\"condition\": true, \"error_message\": " STRING) \
	", \"required\": [\"condition\", \"error_message\"] }"
#define VARIABLE \
	CLOSED("\"type\": " STRING ", \"default\": true, \"description\": " STRING \
	       ", \"sensitive\": " FLAG ", \"validation\": " BLOCKS_OF(VALIDATION)) \
	" }"
#define LOCAL \
	CLOSED("\"expression\": true, \"sensitive\": " FLAG) ", \"required\": [\"expression\"] }"
#define PACKER \
	CLOSED("\"required_version\": " STRING \
	       ", \"required_plugins\": { \"type\": [\"object\", \"array\"] }") \
	" }"
#define STEPS "{ \"$ref\": \"#/$defs/post-processor-types\" }"
#define CHAIN CLOSED("\"dynamic\": true, \"post-processor\": " BLOCKS_OF(STEPS)) " }"

/* Blocks at the top of a file whose form depends on no component. */
static const struct member hcl_blocks[] = {
	{ "//", "true" },
	{ "packer", BLOCKS_OF(PACKER) },
	{ "variable", BLOCKS_OF(NAMED(VARIABLE)) },
	{ "variables", "{ \"type\": [\"object\", \"array\"] }" },
	{ "local", BLOCKS_OF(NAMED(LOCAL)) },
	{ "locals", "{ \"type\": [\"object\", \"array\"] }" },
	{ "provisioners", "{ \"type\": [\"object\", \"array\"] }" },
	{ "hcp_packer_registry", "{ \"type\": [\"object\", \"array\"] }" },
	{ "communicator", "{ \"type\": [\"object\", \"array\"] }" },
	{ NULL },
};

static void write_hcl(struct json_writer *w, const struct registry *r)
{
	json_pair(w, "title", "An HCL2 template in its JSON form (.pkr.json)");
	json_pair(w, "type", "object");
	json_key(w, "properties");
	json_open(w, '{');
	write_members(w, hcl_blocks);
	json_key(w, "source");
	write_once_or_more(w, "source", NULL);
	json_key(w, "data");
	write_once_or_more(w, "data", NULL);
	json_key(w, "build");
	write_once_or_more(w, "build", NULL);
	json_close(w, '}');
	json_raw_pair(w, "additionalProperties", "false");
	json_key(w, "$defs");
	json_open(w, '{');
	write_types_def(w, r, "source", BUILDER, true);
	write_types_def(w, r, "data", DATASOURCE, true);
	write_types_def(w, r, "provisioners", PROVISIONER, false);
	write_types_def(w, r, "post-processor-types", POSTPROCESSOR, false);
	json_raw_pair(w, "chain", CHAIN);
	write_build_def(w);
	write_hcl_defs(w, r, BUILDER, &hcl_source_spec);
	write_hcl_defs(w, r, DATASOURCE, NULL);
	write_hcl_defs(w, r, PROVISIONER, &hcl_part_spec);
	write_hcl_defs(w, r, POSTPROCESSOR, &hcl_post_part_spec);
	json_close(w, '}');
}

void template_write_schema(const struct registry *r, enum schema_language language, struct buf *out)
{
	struct json_writer w = { .out = out };

	json_open(&w, '{');
	json_pair(&w, "$schema", DRAFT);
	if (language == SCHEMA_HCL)
		write_hcl(&w, r);
	else
		write_legacy(&w, r);
	json_close(&w, '}');
	buf_addc(out, '\n');
}

void component_write_schema(const struct spec *spec, const char *kind, struct buf *out)
{
	const struct spec *specs[] = { spec, NULL };
	const struct schema_object o = { .specs = specs, .language = SCHEMA_HCL };
	auto_free char *title = xasprintf("The options of the %s %s", kind, spec->name);
	struct json_writer w = { .out = out };

	json_open(&w, '{');
	json_pair(&w, "$schema", DRAFT);
	json_pair(&w, "title", title);
	if (spec->doc)
		json_pair(&w, "description", spec->doc);
	schema_write_members(&w, &o);
	json_close(&w, '}');
	buf_addc(out, '\n');
}
