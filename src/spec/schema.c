/* Option tables as JSON Schema. */
#include "spec/schema.h"

#define SCALAR "[\"string\", \"number\", \"boolean\", \"null\"]"
/* A pattern of what a text with an expression has in it, inside a JSON string. */
#define EXPRESSION "\\\\$\\\\{|\\\\{\\\\{"

static void write_choices(struct json_writer *w, const struct spec_row *row)
{
	json_key(w, "anyOf");
	json_open(w, '[');
	json_open(w, '{');
	json_key(w, "enum");
	json_open(w, '[');
	for (size_t i = 0; row->choices[i]; i++)
		json_text(w, row->choices[i]);
	json_raw(w, "null");
	json_close(w, ']');
	json_close(w, '}');
	json_raw(w, "{ \"type\": \"string\", \"pattern\": \"" EXPRESSION "\" }");
	json_close(w, ']');
}

/* A list, or a text that stands for one: an expression, or where JSON is read weakly its only
 * element. */
static void write_list(struct json_writer *w, const char *items)
{
	AUTO(buf) struct buf array = BUF_INIT;

	buf_printf(&array, "{ \"type\": \"array\", \"items\": %s }", items);
	json_key(w, "anyOf");
	json_open(w, '[');
	json_raw(w, buf_cstr(&array));
	json_raw(w, "{ \"type\": " SCALAR " }");
	json_close(w, ']');
}

static void write_map(struct json_writer *w)
{
	json_key(w, "anyOf");
	json_open(w, '[');
	json_raw(w, "{ \"type\": \"object\", \"additionalProperties\": { \"type\": " SCALAR " } }");
	json_raw(w, "{ \"type\": [\"string\", \"null\"], \"pattern\": \"" EXPRESSION "\" }");
	json_close(w, ']');
}

#define KEY_VALUE \
	"{ \"type\": \"object\", \"properties\": {" \
	" \"key\": { \"type\": " SCALAR " }," \
	" \"name\": { \"type\": " SCALAR " }," \
	" \"value\": { \"type\": " SCALAR " } }," \
	" \"required\": [\"value\"], \"additionalProperties\": false }"

/* Blocks of a key and a value, one or several of them. */
static void write_key_value(struct json_writer *w)
{
	json_key(w, "anyOf");
	json_open(w, '[');
	json_raw(w, KEY_VALUE);
	json_raw(w, "{ \"type\": \"array\", \"items\": " KEY_VALUE " }");
	json_close(w, ']');
}

static void write_block(struct json_writer *w, const struct spec_row *row,
			enum schema_language language)
{
	const struct spec *specs[] = { row->sub, NULL };
	const struct schema_object o = { .specs = specs, .language = language };

	json_key(w, "anyOf");
	json_open(w, '[');
	schema_write_object(w, &o);
	json_open(w, '{');
	json_pair(w, "type", "array");
	if (row->type == SPEC_T_BLOCK && language == SCHEMA_HCL)
		json_raw_pair(w, "maxItems", "1");
	json_key(w, "items");
	schema_write_object(w, &o);
	json_close(w, '}');
	json_raw(w, "{ \"type\": [\"string\", \"null\"], \"pattern\": \"" EXPRESSION "\" }");
	json_close(w, ']');
}

static void write_bounds(struct json_writer *w, const struct spec_row *row)
{
	char n[32];

	if (row->type != SPEC_T_INT || row->min == row->max)
		return;
	if (row->min != INT64_MIN) {
		snprintf(n, sizeof(n), "%lld", (long long)row->min);
		json_raw_pair(w, "minimum", n);
	}
	if (row->max != INT64_MAX) {
		snprintf(n, sizeof(n), "%lld", (long long)row->max);
		json_raw_pair(w, "maximum", n);
	}
}

static void write_type(struct json_writer *w, const struct spec_row *row,
		       enum schema_language language)
{
	switch (row->type) {
	case SPEC_T_STR:
		if (row->choices)
			write_choices(w, row);
		else
			json_raw_pair(w, "type", SCALAR);
		break;
	case SPEC_T_BOOL:
	case SPEC_T_TRIBOOL:
		json_raw_pair(w, "type",
			      language == SCHEMA_LEGACY ? SCALAR
							: "[\"boolean\", \"string\", \"null\"]");
		break;
	case SPEC_T_INT:
	case SPEC_T_DURATION:
		json_raw_pair(w, "type", "[\"number\", \"string\", \"null\"]");
		write_bounds(w, row);
		break;
	case SPEC_T_STRS:
		write_list(w, "{ \"type\": " SCALAR " }");
		break;
	case SPEC_T_INTS:
		write_list(w, "{ \"type\": [\"number\", \"string\"] }");
		break;
	case SPEC_T_MAP:
		if (row->flags & SPEC_KEY_VALUE)
			write_key_value(w);
		else
			write_map(w);
		break;
	case SPEC_T_BLOCK:
	case SPEC_T_BLOCKS:
		write_block(w, row, language);
		break;
	case SPEC_T_VALUE:
	case SPEC_T_EMBED:
		break;
	}
}

struct properties {
	struct json_writer *w;
	enum schema_language language;
};

static void write_default(struct json_writer *w, const struct spec_row *row)
{
	if (!row->def)
		return;
	json_key(w, "default");
	if (row->type == SPEC_T_BOOL || row->type == SPEC_T_TRIBOOL || row->type == SPEC_T_INT)
		json_raw(w, row->def);
	else
		json_text(w, row->def);
}

static void write_property(void *data, const struct spec_row *row)
{
	struct properties *p = data;

	json_key(p->w, row->name);
	json_open(p->w, '{');
	if (row->doc)
		json_pair(p->w, "description", row->doc);
	if (row->flags & SPEC_NOT_YET)
		json_raw_pair(p->w, "not", "{}");
	else
		write_type(p->w, row, p->language);
	write_default(p->w, row);
	if (row->flags & (SPEC_DEPRECATED | SPEC_HIDDEN))
		json_raw_pair(p->w, "deprecated", "true");
	if (row->flags & SPEC_SENSITIVE)
		json_raw_pair(p->w, "writeOnly", "true");
	json_close(p->w, '}');
}

struct required {
	struct json_writer *w;
	bool open;
};

static void write_required(void *data, const struct spec_row *row)
{
	struct required *r = data;

	if (!(row->flags & SPEC_REQUIRED))
		return;
	if (!r->open) {
		json_key(r->w, "required");
		json_open(r->w, '[');
	}
	r->open = true;
	json_text(r->w, row->name);
}

void schema_write_members(struct json_writer *w, const struct schema_object *o)
{
	struct properties p = { w, o->language };
	struct required r = { .w = w };

	json_pair(w, "type", "object");
	json_key(w, "properties");
	json_open(w, '{');
	if (o->more)
		o->more(w, o->data);
	if (o->language == SCHEMA_HCL) {
		json_raw_pair(w, "//", "true");
		json_raw_pair(w, "dynamic", "true");
	}
	for (size_t i = 0; o->specs[i]; i++)
		spec_each(o->specs[i], write_property, &p);
	json_close(w, '}');
	for (size_t i = 0; o->specs[i] && !o->partial; i++)
		spec_each(o->specs[i], write_required, &r);
	if (r.open)
		json_close(w, ']');
	if (o->language == SCHEMA_LEGACY) /* what Packer itself puts in */
		json_raw_pair(w, "patternProperties", "{ \"^packer_\": true }");
	json_raw_pair(w, "additionalProperties", "false");
}

void schema_write_object(struct json_writer *w, const struct schema_object *o)
{
	json_open(w, '{');
	schema_write_members(w, o);
	json_close(w, '}');
}
