/* The parameters of one request: form-encoded names and values, flat as they came.
 *
 *	for (int i = 1; query_any(q, "BlockDeviceMapping.%d", i); i++)
 *		size = query_get(q, "BlockDeviceMapping.%d.Ebs.VolumeSize", i);
 */
#ifndef INGOT_CLOUD_API_QUERY_H
#define INGOT_CLOUD_API_QUERY_H

#include "base/arena.h"
#include "base/base.h"
#include "base/str.h"

#define QUERY_PARAMS_MAX 20000

struct query_param {
	const char *name, *value; /* NUL-terminated, in the arena */
};

struct query {
	struct query_param *v; /* sorted by name */
	size_t n;
};

/* Decodes "a=b&c=d". False on a broken escape, a NUL byte, text that is no UTF-8, or more than
 * QUERY_PARAMS_MAX parameters. */
bool query_parse(struct query *q, struct arena *a, struct str text);
/* NULL if absent. Empty values are returned as "". */
const char *query_get(const struct query *q, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same, but empty is absent too: clients send empty values for what was not set. */
const char *query_val(const struct query *q, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Is there the parameter itself or one below it ("NAME.…")? */
bool query_any(const struct query *q, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
