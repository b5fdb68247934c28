/* yamlencode and yamldecode.
 *
 * The reader walks libyaml's events. What a plain scalar is, is decided as in YAML 1.1 with the
 * reference's choices: yes and on are true, dates are texts in RFC 3339, numbers decimal or 0b….
 */
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/functions/yaml_scalar.h"
#include "lang/expr/functions/yaml_write.h"
#include "lang/expr/number.h"
#include "lang/expr/text.h"

#include "base/buf.h"
#include "base/vec.h"

#include <yaml.h>

#define DEPTH_MAX 500
#define NODES_MAX 10000000 /* with aliases written out */

struct anchor {
	struct str name;
	struct value value;
	size_t nodes; /* in it */
	bool open;    /* its own value is being read */
};

struct reader {
	struct func_call *call;
	struct err *err;
	yaml_parser_t parser;
	VEC(struct anchor) anchors;
	size_t nodes, depth;
};

static int fn_yamlencode(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;

	if (value_has_unknown(args[0])) {
		*ret = value_unknown_of(&type_string, c->span);
		return 0;
	}
	yaml_write(&b, args[0]);
	return ret_buf(c, &b, ret, err);
}

static int mistake(struct reader *r, yaml_mark_t at, const char *what)
{
	return err_set(r->err, ERR_INVALID,
		       "this is not YAML that can be used, at line %zu, column %zu: %s",
		       at.line + 1, at.column + 1, what);
}

static int next_event(struct reader *r, yaml_event_t *ret)
{
	if (yaml_parser_parse(&r->parser, ret))
		return 0;
	return mistake(r, r->parser.problem_mark,
		       r->parser.error == YAML_READER_ERROR ?
			       "a character that must not stand in YAML" :
			       r->parser.problem);
}

/* The latest anchor of that name, or NULL. */
static struct anchor *find_anchor(struct reader *r, const char *name)
{
	for (size_t i = r->anchors.n; i; i--)
		if (str_eqs(r->anchors.v[i - 1].name, name))
			return &r->anchors.v[i - 1];
	return NULL;
}

static size_t open_anchor(struct reader *r, const yaml_char_t *name)
{
	if (!name)
		return SIZE_MAX;
	vec_push(&r->anchors,
		 (struct anchor){ .name = arena_str(r->call->arena, str_from((const char *)name)),
				  .nodes = r->nodes,
				  .open = true });
	return r->anchors.n - 1;
}

static void close_anchor(struct reader *r, size_t i, struct value v)
{
	if (i == SIZE_MAX)
		return;
	r->anchors.v[i].value = v;
	r->anchors.v[i].nodes = r->nodes - r->anchors.v[i].nodes + 1;
	r->anchors.v[i].open = false;
}

static int count_nodes(struct reader *r, yaml_mark_t at, size_t n)
{
	r->nodes += n;
	return r->nodes > NODES_MAX ?
		       mistake(r, at,
			       "with its aliases written out, it has more than 10000000 values") :
		       0;
}

static int read_scalar(struct reader *r, const yaml_event_t *e, struct value *ret)
{
	struct str s = { (const char *)e->data.scalar.value, e->data.scalar.length };
	AUTO(err) struct err why = ERR_INIT;
	yaml_scalar_style_t style = e->data.scalar.style;
	bool quoted = style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
		      style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;

	if (yaml_scalar(r->call, (const char *)e->data.scalar.tag, s, quoted, ret, &why) < 0)
		return mistake(r, e->start_mark, why.msg);
	return 0;
}

/* A scalar as a value: block scalars without a tag become texts (of what they would have been when
 * plain). */
static int read_scalar_value(struct reader *r, const yaml_event_t *e, struct value *ret)
{
	AUTO(err) struct err why = ERR_INIT;

	if (read_scalar(r, e, ret) < 0)
		return -1;
	if (!e->data.scalar.tag && !e->data.scalar.plain_implicit &&
	    value_convert(r->call->arena, *ret, &type_string, ret, &why) < 0)
		return mistake(r, e->start_mark, why.msg);
	return 0;
}

static int read_alias(struct reader *r, const yaml_event_t *e, struct value *ret)
{
	const char *name = (const char *)e->data.alias.anchor;
	const struct anchor *a = find_anchor(r, name);
	auto_free char *what = NULL;

	if (a && !a->open) {
		*ret = a->value;
		return count_nodes(r, e->start_mark, a->nodes);
	}
	what = xasprintf(a ? "the anchor \"%s\" is used within its own value" :
			     "there is no anchor \"%s\"",
			 name);
	return mistake(r, e->start_mark, what);
}

static int read_node(struct reader *r, const yaml_event_t *e, struct value *ret);

static int read_next_node(struct reader *r, struct value *ret)
{
	yaml_event_t e;
	int rc;

	if (next_event(r, &e) < 0)
		return -1;
	rc = read_node(r, &e, ret);
	yaml_event_delete(&e);
	return rc;
}

static int read_list(struct reader *r, struct value *ret)
{
	VEC(struct value) v = VEC_INIT;
	bool end = false;
	int rc = 0;

	while (!end && rc == 0) {
		yaml_event_t e;
		struct value one;

		if ((rc = next_event(r, &e)) < 0)
			break;
		end = e.type == YAML_SEQUENCE_END_EVENT;
		if (!end && (rc = read_node(r, &e, &one)) == 0)
			vec_push(&v, one);
		yaml_event_delete(&e);
	}
	if (rc == 0)
		*ret = value_seq_make(r->call->arena, VALUE_TUPLE, v.v, v.n, r->call->span);
	vec_release(&v);
	return rc;
}

/* Attributes in the order they came; of two of a name the later one counts. */
struct attrs {
	VEC(struct value_attr) v;
};

static void add_attr(struct attrs *to, struct str key, struct value v)
{
	vec_push(&to->v, (struct value_attr){ .key = key, .value = v });
}

static int read_key(struct reader *r, const yaml_event_t *e, struct str *ret)
{
	AUTO(err) struct err why = ERR_INIT;
	struct value key;

	if (e->type != YAML_SCALAR_EVENT)
		return mistake(r, e->start_mark, "keys can only be strings");
	if (read_scalar(r, e, &key) < 0)
		return -1;
	if (key.kind == VALUE_NULL)
		return mistake(r, e->start_mark, "a key cannot be null");
	if (value_convert(r->call->arena, key, &type_string, &key, &why) < 0)
		return mistake(r, e->start_mark, "keys can only be strings");
	*ret = key.string;
	return 0;
}

/* `<<`: the attributes of the mapping that follows. */
static int read_merge(struct reader *r, yaml_mark_t at, struct attrs *to)
{
	struct value v;

	if (read_next_node(r, &v) < 0)
		return -1;
	if (v.kind != VALUE_OBJECT)
		return mistake(r, at, "only a mapping can be merged into a mapping by <<");
	for (size_t i = 0; i < v.attrs->n; i++)
		add_attr(to, v.attrs->v[i].key, v.attrs->v[i].value);
	return 0;
}

static int read_attr(struct reader *r, const yaml_event_t *e, struct attrs *to)
{
	struct str key = { 0 };
	struct value v;

	if (e->type == YAML_SCALAR_EVENT && !e->data.scalar.tag && e->data.scalar.length == 2 &&
	    memcmp(e->data.scalar.value, "<<", 2) == 0)
		return read_merge(r, e->start_mark, to);
	if (read_key(r, e, &key) < 0 || read_next_node(r, &v) < 0)
		return -1;
	add_attr(to, key, v);
	return 0;
}

static int read_mapping(struct reader *r, struct value *ret)
{
	struct attrs attrs = { VEC_INIT };
	bool end = false;
	int rc = 0;

	while (!end && rc == 0) {
		yaml_event_t e;

		if ((rc = next_event(r, &e)) < 0)
			break;
		end = e.type == YAML_MAPPING_END_EVENT;
		if (!end)
			rc = read_attr(r, &e, &attrs);
		yaml_event_delete(&e);
	}
	if (rc == 0)
		*ret = value_object_last(r->call->arena, attrs.v.v, attrs.v.n, r->call->span);
	vec_release(&attrs.v);
	return rc;
}

static int read_collection(struct reader *r, const yaml_event_t *e, const yaml_char_t *tag,
			   const char *want, struct value *ret)
{
	bool list = e->type == YAML_SEQUENCE_START_EVENT;
	auto_free char *what = NULL;
	int rc;

	if (tag && !streq((const char *)tag, want)) {
		what = xasprintf("%s cannot be read as \"%s\"", list ? "a sequence" : "a mapping",
				 (const char *)tag);
		return mistake(r, e->start_mark, what);
	}
	if (r->depth >= DEPTH_MAX)
		return mistake(r, e->start_mark, "it is nested deeper than 500 levels");
	r->depth++;
	rc = list ? read_list(r, ret) : read_mapping(r, ret);
	r->depth--;
	return rc;
}

static int read_node(struct reader *r, const yaml_event_t *e, struct value *ret)
{
	const yaml_char_t *name = NULL;
	size_t anchor;
	int rc = -1;

	if (e->type == YAML_ALIAS_EVENT)
		return read_alias(r, e, ret);
	if (count_nodes(r, e->start_mark, 1) < 0)
		return -1;
	if (e->type == YAML_SCALAR_EVENT)
		name = e->data.scalar.anchor;
	else if (e->type == YAML_SEQUENCE_START_EVENT)
		name = e->data.sequence_start.anchor;
	else if (e->type == YAML_MAPPING_START_EVENT)
		name = e->data.mapping_start.anchor;
	anchor = open_anchor(r, name);
	if (e->type == YAML_SCALAR_EVENT)
		rc = read_scalar_value(r, e, ret);
	else if (e->type == YAML_SEQUENCE_START_EVENT)
		rc = read_collection(r, e, e->data.sequence_start.tag, YAML_SEQ_TAG, ret);
	else if (e->type == YAML_MAPPING_START_EVENT)
		rc = read_collection(r, e, e->data.mapping_start.tag, YAML_MAP_TAG, ret);
	else
		mistake(r, e->start_mark, "a value is missing");
	if (rc == 0)
		close_anchor(r, anchor, *ret);
	return rc;
}

static int expect(struct reader *r, yaml_event_type_t type, const char *else_what)
{
	const yaml_version_directive_t *version;
	yaml_event_t e;
	int rc = 0;

	if (next_event(r, &e) < 0)
		return -1;
	version = e.type == YAML_DOCUMENT_START_EVENT ? e.data.document_start.version_directive :
							NULL;
	if (e.type != type)
		rc = mistake(r, e.start_mark, else_what);
	else if (version && (version->major != 1 || version->minor != 1))
		rc = mistake(r, e.start_mark, "it says that it is another YAML than 1.1");
	yaml_event_delete(&e);
	return rc;
}

static int read_stream(struct reader *r, struct value *ret)
{
	if (expect(r, YAML_STREAM_START_EVENT, "it does not begin") < 0 ||
	    expect(r, YAML_DOCUMENT_START_EVENT, "there is no document in it") < 0 ||
	    read_next_node(r, ret) < 0 ||
	    expect(r, YAML_DOCUMENT_END_EVENT, "there is more behind the value") < 0)
		return -1;
	return expect(r, YAML_STREAM_END_EVENT, "there is more than one document");
}

static int fn_yamldecode(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err)
{
	struct reader r = { .call = c, .err = err };
	int rc;

	if (!yaml_parser_initialize(&r.parser))
		abort(); /* out of memory */
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&r.parser, (const unsigned char *)(args[0].string.n ? args[0].string.p : ""),
		args[0].string.n);
	rc = read_stream(&r, ret);
	yaml_parser_delete(&r.parser);
	vec_release(&r.anchors);
	/* The reference cannot tell the type of a document that is null, and answers unknown. */
	if (rc == 0 && ret->kind == VALUE_NULL && !ret->type)
		*ret = value_unknown(c->span);
	return rc;
}

static const struct func_param encode_params[] = { { "value", &type_any,
						     PARAM_NULL | PARAM_DYNAMIC } };
static const struct func_param decode_params[] = { { "src", &type_string } };

static const struct func_example encode_examples[] = {
	{ "yamlencode({ users = [\"core\"] })", "\"\\\"users\\\":\\n- \\\"core\\\"\\n\"" },
	{ "yamlencode({ run = \"a\\nb\\n\" })", "\"\\\"run\\\": |\\n  a\\n  b\\n\"" },
};
static const struct func_example decode_examples[] = {
	{ "yamldecode(\"a: [1, yes]\")", "{\"a\":[1,true]}" },
	{ "yamldecode(\"- &x 1\\n- *x\\n\")", "[1,1]" },
};

static const struct func rows[] = {
	{ "yamldecode", decode_params, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_any, .call = fn_yamldecode,
	  .doc = "Reads one YAML document: objects, tuples, texts, numbers, `true` and `false` "
		 "(also as yes, no, on, off). Anchors, aliases and `<<` work; tags other than "
		 "YAML's own do not.",
	  FUNC_EXAMPLES(decode_examples) },
	{ "yamlencode", encode_params, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_yamlencode,
	  .doc = "Writes a value as YAML, with sorted keys and all texts in quotes, or as "
		 "literal blocks where they have line breaks.",
	  FUNC_EXAMPLES(encode_examples) },
};
const struct func_group func_group_yaml = { "YAML", rows, ARRAY_LEN(rows) };
