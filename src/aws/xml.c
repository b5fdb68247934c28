/* XML to a tree of elements, by expat. The ceilings (depth, size) are for answers of a server that
 * may be anything: a proxy's error page, another service, an attacker on the way of a plain http
 * endpoint.
 */
#include "aws/xml.h"

#include "base/buf.h"

#include <expat.h>

#define XML_DEPTH 64
#define XML_BYTES ((size_t)64 << 20)

struct parse {
	struct arena *arena;
	XML_Parser parser;
	struct xml *root, *at;
	struct xml *last; /* last child appended to `at`, found again when an element closes */
	struct buf text;
	int depth;
	bool too_deep;
};

static const char *local_name(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

static void on_start(void *data, const char *name, const char **attrs UNUSED)
{
	struct parse *p = data;
	struct xml *x;

	if (++p->depth > XML_DEPTH) {
		p->too_deep = true;
		XML_StopParser(p->parser, XML_FALSE);
		return;
	}
	x = arena_new_obj(p->arena, struct xml);
	x->name = arena_strdup(p->arena, local_name(name));
	x->text = "";
	x->parent = p->at;
	if (!p->at)
		p->root = x;
	else if (p->last)
		p->last->next = x;
	else
		p->at->child = x;
	p->at = x;
	p->last = NULL;
	buf_reset(&p->text);
}

static void on_end(void *data, const char *name UNUSED)
{
	struct parse *p = data;
	struct xml *x = p->at;

	if (!x->child) {
		struct str s = str_trim(buf_str(&p->text));

		if (s.n)
			x->text = arena_strndup(p->arena, s.p, s.n);
	}
	buf_reset(&p->text);
	p->depth--;
	p->last = x;
	p->at = x->parent;
}

static void on_text(void *data, const char *s, int n)
{
	struct parse *p = data;

	buf_add(&p->text, s, (size_t)n);
}

/* Entities of a DTD are never needed; refusing them closes expansion attacks. */
static void on_entity(void *data, const char *name UNUSED, int param UNUSED,
		      const char *value UNUSED, int n UNUSED, const char *base UNUSED,
		      const char *sys UNUSED, const char *pub UNUSED, const char *notation UNUSED)
{
	struct parse *p = data;

	XML_StopParser(p->parser, XML_FALSE);
}

int xml_parse(struct arena *a, struct str text, struct xml **ret_root, struct err *err)
{
	struct parse p = { .arena = a };
	enum XML_Status status;

	if (text.n > XML_BYTES)
		return err_set(err, ERR_REMOTE, "the answer is larger than %zu MiB",
			       XML_BYTES >> 20);
	p.parser = XML_ParserCreate(NULL);
	if (!p.parser)
		abort(); /* out of memory */
	XML_SetUserData(p.parser, &p);
	XML_SetElementHandler(p.parser, on_start, on_end);
	XML_SetCharacterDataHandler(p.parser, on_text);
	XML_SetEntityDeclHandler(p.parser, on_entity);
	status = XML_Parse(p.parser, text.p ? text.p : "", (int)text.n, XML_TRUE);
	if (p.too_deep)
		err_set(err, ERR_REMOTE, "XML is nested deeper than %d", XML_DEPTH);
	else if (status != XML_STATUS_OK)
		err_set(err, ERR_REMOTE, "line %lu: %s",
			(unsigned long)XML_GetCurrentLineNumber(p.parser),
			XML_ErrorString(XML_GetErrorCode(p.parser)));
	XML_ParserFree(p.parser);
	buf_release(&p.text);
	if (err_any(err))
		return -1;
	*ret_root = p.root;
	return 0;
}

static const struct xml *child_named(const struct xml *first, struct str name)
{
	for (; first; first = first->next)
		if (str_eqs(name, first->name))
			return first;
	return NULL;
}

const struct xml *xml_get(const struct xml *node, const char *path)
{
	struct str rest = str_from(path), name;

	while (node && rest.n && str_split(&rest, '/', &name))
		node = child_named(node->child, name);
	return node;
}

const char *xml_text(const struct xml *node, const char *path)
{
	const struct xml *x = xml_get(node, path);

	return x ? x->text : "";
}

const char *xml_text_or_null(const struct xml *node, const char *path)
{
	const char *s = xml_text(node, path);

	return *s ? s : NULL;
}

bool xml_bool(const struct xml *node, const char *path)
{
	return streq(xml_text(node, path), "true");
}

int64_t xml_int(const struct xml *node, const char *path, int64_t def)
{
	int64_t v;

	return parse_i64(str_from(xml_text(node, path)), &v) ? v : def;
}

const struct xml *xml_first(const struct xml *node, const char *path)
{
	return xml_get(node, path);
}

const struct xml *xml_next(const struct xml *item)
{
	return item ? child_named(item->next, str_from(item->name)) : NULL;
}

size_t xml_count(const struct xml *node, const char *path)
{
	size_t n = 0;

	for (const struct xml *i = xml_first(node, path); i; i = xml_next(i))
		n++;
	return n;
}

struct xml *xml_copy(struct arena *a, const struct xml *node)
{
	struct xml *copy = arena_new_obj(a, struct xml), **tail = &copy->child;

	copy->name = arena_strdup(a, node->name);
	copy->text = *node->text ? arena_strdup(a, node->text) : "";
	for (const struct xml *c = node->child; c; c = c->next) {
		*tail = xml_copy(a, c);
		(*tail)->parent = copy;
		tail = &(*tail)->next;
	}
	return copy;
}
