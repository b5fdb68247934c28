/* Objects and maps as data sources give them. */
#include "datasource/object.h"

#include "lang/expr/text.h"

struct value_attr datasource_text(struct arena *a, const char *name, const char *text)
{
	struct str nfc = text_nfc(a, arena_str(a, str_from(text ? text : "")));

	return (struct value_attr){ .key = str_from(name),
				    .value = value_string(nfc, (struct span){ 0 }) };
}

static int by_key(const void *a, const void *b)
{
	return str_cmp(((const struct value_attr *)a)->key, ((const struct value_attr *)b)->key);
}

struct value datasource_map(struct arena *a, struct value_attr *v, size_t n)
{
	if (n)
		qsort(v, n, sizeof(*v), by_key);
	return value_attrs_make(a, VALUE_MAP, v, n, (struct span){ 0 });
}
