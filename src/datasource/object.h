/* Objects and maps as data sources give them. */
#ifndef INGOT_DATASOURCE_OBJECT_H
#define INGOT_DATASOURCE_OBJECT_H

#include "lang/expr/value.h"

/* A text attribute of an object, in NFC; NULL is "". */
struct value_attr datasource_text(struct arena *a, const char *name, const char *text);
/* A map of attributes in any order, which are sorted in place. */
struct value datasource_map(struct arena *a, struct value_attr *v, size_t n);

#endif
