/* Typed parameters of calls: numbers, booleans, enums, lists, tags. */
#include "cloud/api/api.h"

#include "base/vec.h"

#define TAGS_MAX 50

int call_int(struct call *c, const char *name, int64_t min, int64_t max, int64_t *io_value)
{
	const char *text = call_val(c, "%s", name);
	int64_t v;

	if (!text)
		return 0;
	if (!parse_i64(str_from(text), &v))
		return call_fail(c, "InvalidParameterValue",
				 "Value (%.80s) for parameter %s is invalid. It must be a number",
				 text, name);
	if (v < min || v > max)
		return call_fail(
			c, "InvalidParameterValue",
			"Value (%lld) for parameter %s is invalid. Expecting a value between %lld "
			"and %lld.",
			(long long)v, name, (long long)min, (long long)max);
	*io_value = v;
	return 0;
}

int call_bool(struct call *c, const char *name, bool *io_value)
{
	const char *text = call_val(c, "%s", name);

	if (!text)
		return 0;
	if (!str_ieqs(str_from(text), "true") && !str_ieqs(str_from(text), "false"))
		return call_fail(
			c, "InvalidParameterValue",
			"Value (%.80s) for parameter %s is invalid. It must be true or false", text,
			name);
	*io_value = (text[0] | 0x20) == 't';
	return 0;
}

static bool one_of(const char *allowed, const char *text)
{
	struct str rest = str_from(allowed), word;

	while (rest.n && str_split(&rest, '|', &word))
		if (str_eqs(word, text))
			return true;
	return false;
}

int call_enum(struct call *c, const char *name, const char *allowed, const char **io_value)
{
	const char *text = call_val(c, "%s", name);

	if (!text)
		return 0;
	if (!one_of(allowed, text))
		return call_fail(c, "InvalidParameterValue",
				 "Value (%.80s) for parameter %s is invalid. Known: %s", text, name,
				 allowed);
	*io_value = text;
	return 0;
}

const char **call_list(struct call *c, size_t *ret_n, const char *fmt, ...)
{
	const char **v = NULL, *name, *value;
	size_t n = 0, cap = 0;
	va_list ap;

	va_start(ap, fmt);
	name = arena_vprintf(c->arena, fmt, ap);
	va_end(ap);
	while ((value = call_get(c, "%s.%zu", name, n + 1))) {
		if (n == cap) {
			v = arena_grow(c->arena, v, cap * sizeof(*v),
				       (cap ? cap * 2 : 8) * sizeof(*v));
			cap = cap ? cap * 2 : 8;
		}
		v[n++] = value;
	}
	*ret_n = n;
	return v;
}

bool call_lists(struct call *c, const char *name, const char *value)
{
	size_t n;
	const char **v = call_list(c, &n, "%s", name);

	for (size_t i = 0; i < n; i++)
		if (streq(v[i], value))
			return true;
	return n == 0;
}

void call_return_true(struct call *c)
{
	json_object_set_new(c->out, "return", json_true());
}

/* --- tags ----------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
	return strcmp(doc_str(*(json_t *const *)a, "key"), doc_str(*(json_t *const *)b, "key"));
}

static void sort_tags(json_t *set)
{
	size_t n = json_array_size(set);
	json_t **v = xcalloc(n ? n : 1, sizeof(json_t *));

	for (size_t i = 0; i < n; i++)
		v[i] = json_incref(json_array_get(set, i));
	qsort(v, n, sizeof(*v), by_key);
	json_array_clear(set);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(set, v[i]);
	free(v);
}

static int merge_tag(struct call *c, json_t *set, const char *key, const char *value)
{
	json_t *old = doc_find(set, "key", key, NULL);

	if (strlen(key) > 4 * 128 || !*key)
		return call_fail(c, "InvalidParameterValue",
				 "Tag key '%.140s' is not between 1 and 128 characters long", key);
	if (strlen(value) > 4 * 256)
		return call_fail(c, "InvalidParameterValue",
				 "Tag value exceeds the maximum length of 256 characters");
	if (strncasecmp(key, "aws:", 4) == 0)
		return call_fail(c, "InvalidParameterValue",
				 "Tag keys starting with 'aws:' are reserved for internal use");
	if (old)
		json_object_set_new(old, "value", json_string(value));
	else
		json_array_append_new(set, json_pack("{s:s, s:s}", "key", key, "value", value));
	if (json_array_size(set) > TAGS_MAX)
		return call_fail(c, "TagLimitExceeded", "More than %d tags on one resource",
				 TAGS_MAX);
	return 0;
}

int tags_merge(struct call *c, json_t *set, const char *prefix)
{
	for (int i = 1; call_any(c, "%s.%d", prefix, i); i++) {
		const char *key = call_get(c, "%s.%d.Key", prefix, i),
			   *value = call_get(c, "%s.%d.Value", prefix, i);

		if (!key)
			return call_missing(c, arena_printf(c->arena, "%s.%d.Key", prefix, i));
		if (merge_tag(c, set, key, value ? value : "") < 0)
			return -1;
	}
	sort_tags(set);
	return 0;
}

json_t *call_tags(struct call *c, const char *resource, const char *allowed)
{
	json_t *set = json_array();

	for (int i = 1; call_any(c, "TagSpecification.%d", i); i++) {
		const char *type = call_val(c, "TagSpecification.%d.ResourceType", i);
		const char *prefix = arena_printf(c->arena, "TagSpecification.%d.Tag", i);

		if (!type || !one_of(allowed, type)) {
			call_fail(
				c, "InvalidParameterValue",
				"'%.60s' is not a valid taggable resource type for this operation.",
				type ? type : "");
			goto fail;
		}
		if (streq(type, resource) && tags_merge(c, set, prefix) < 0)
			goto fail;
	}
	return set;
fail:
	json_decref(set);
	return NULL;
}
