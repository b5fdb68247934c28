/* Reading and changing JSON documents by dotted paths, and printing them as the answers of AWS's
 * XML protocols. A path step "name[]" goes through every element of a list.
 *
 *	doc_str(row->doc, "instanceState.name")
 */
#ifndef INGOT_CLOUD_API_DOC_H
#define INGOT_CLOUD_API_DOC_H

#include "base/base.h"
#include "base/buf.h"

#include <jansson.h>

json_t *doc_get(const json_t *doc, const char *path); /* borrowed; NULL if absent; no [] */
const char *doc_str(const json_t *doc, const char *path); /* NULL if absent or no string */
int64_t doc_int(const json_t *doc, const char *path); /* 0 if absent */
bool doc_bool(const json_t *doc, const char *path);
/* Sets a member; missing objects on the way are made. */
void doc_set(json_t *doc, const char *path, json_t *value); /* takes value over */
void doc_set_str(json_t *doc, const char *path, const char *value); /* NULL removes it */
void doc_set_int(json_t *doc, const char *path, int64_t value);
void doc_set_bool(json_t *doc, const char *path, bool value);
void doc_remove(json_t *doc, const char *path);
/* Calls fn with the text of each scalar at the path; stops when it returns true, and returns that.
 */
bool doc_each(const json_t *doc, const char *path, bool (*fn)(void *data, const char *text),
	      void *data);
/* The element of the list at the path whose member `key` is `value`; index in ret_index when not
 * NULL. */
json_t *doc_find(const json_t *list, const char *key, const char *value, size_t *ret_index);

/* Members of an object as XML elements in their order; a list is an element holding one `item` for
 * each of its members. Members beginning with "_" are left out. */
void doc_print_xml(const json_t *object, const char *item, struct buf *out);
/* Escaped; what XML cannot hold becomes U+FFFD. */
void xml_add_text(struct buf *out, const char *s);

#endif
