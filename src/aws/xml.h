/* A small XML tree over expat, in an arena. Names are local names (namespaces are dropped), text is
 * the trimmed character data of elements without children; attributes are not kept (no AWS answer
 * uses them).
 */
#ifndef INGOT_AWS_XML_H
#define INGOT_AWS_XML_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct xml {
	const char *name;
	const char *text; /* never NULL */
	struct xml *child, *next, *parent;
};

/* Errors: ERR_REMOTE when it is no XML, too deep (64) or too large. */
int xml_parse(struct arena *a, struct str text, struct xml **ret_root, struct err *err) MUST_USE;

/* First element at a path below node ("imagesSet/item"), NULL if absent; node may be NULL. */
const struct xml *xml_get(const struct xml *node, const char *path);
/* Its text; "" when the element is absent or empty. xml_text_or_null: NULL then. */
const char *xml_text(const struct xml *node, const char *path);
const char *xml_text_or_null(const struct xml *node, const char *path);
bool xml_bool(const struct xml *node, const char *path);	   /* "true" */
int64_t xml_int(const struct xml *node, const char *path, int64_t def);
/* Iterates over elements of one name:
 *	for (const struct xml *i = xml_first(answer, "imagesSet/item"); i; i = xml_next(i)) */
const struct xml *xml_first(const struct xml *node, const char *path);
const struct xml *xml_next(const struct xml *item); /* next sibling of the same name */
size_t xml_count(const struct xml *node, const char *path);
/* Deep copy into another arena. */
struct xml *xml_copy(struct arena *a, const struct xml *node);

#endif
