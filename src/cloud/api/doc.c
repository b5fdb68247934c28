/* Documents: dotted paths and the XML form of answers. */
#include "cloud/api/doc.h"

#include "base/str.h"

#define PATH_STEP_MAX 128

/* Takes the next step of a path; each: it was written "name[]". False at the end. */
static bool next_step(const char **path, char step[PATH_STEP_MAX], bool *ret_each)
{
	size_t n = strcspn(*path, ".");

	if (!**path)
		return false;
	*ret_each = n > 2 && strncmp(*path + n - 2, "[]", 2) == 0;
	snprintf(step, PATH_STEP_MAX, "%.*s", (int)(*ret_each ? n - 2 : n), *path);
	*path += n + ((*path)[n] == '.');
	return true;
}

json_t *doc_get(const json_t *doc, const char *path)
{
	char step[PATH_STEP_MAX];
	json_t *at = (json_t *)doc;
	bool each;

	while (at && next_step(&path, step, &each))
		at = json_object_get(at, step);
	return at;
}

const char *doc_str(const json_t *doc, const char *path)
{
	return json_string_value(doc_get(doc, path));
}

int64_t doc_int(const json_t *doc, const char *path)
{
	return json_integer_value(doc_get(doc, path));
}

bool doc_bool(const json_t *doc, const char *path)
{
	return json_is_true(doc_get(doc, path));
}

void doc_set(json_t *doc, const char *path, json_t *value)
{
	char step[PATH_STEP_MAX];
	bool each;

	while (next_step(&path, step, &each)) {
		json_t *next;

		if (!*path) {
			json_object_set_new(doc, step, value);
			return;
		}
		next = json_object_get(doc, step);
		if (!json_is_object(next)) {
			next = json_object();
			json_object_set_new(doc, step, next);
		}
		doc = next;
	}
}

void doc_set_str(json_t *doc, const char *path, const char *value)
{
	if (value)
		doc_set(doc, path, json_string(value));
	else
		doc_remove(doc, path);
}

void doc_set_int(json_t *doc, const char *path, int64_t value)
{
	doc_set(doc, path, json_integer(value));
}

void doc_set_bool(json_t *doc, const char *path, bool value)
{
	doc_set(doc, path, json_boolean(value));
}

void doc_remove(json_t *doc, const char *path)
{
	const char *dot = strrchr(path, '.');
	char parent[PATH_STEP_MAX];

	if (!dot) {
		json_object_del(doc, path);
		return;
	}
	snprintf(parent, sizeof(parent), "%.*s", (int)(dot - path), path);
	json_object_del(doc_get(doc, parent), dot + 1);
}

/* The text of a scalar as it stands in answers; number is scratch space. NULL for null and
 * containers. */
static const char *scalar_text(const json_t *j, char number[32])
{
	switch (json_typeof(j)) {
	case JSON_STRING:
		return json_string_value(j);
	case JSON_INTEGER:
		snprintf(number, 32, "%lld", (long long)json_integer_value(j));
		return number;
	case JSON_REAL:
		snprintf(number, 32, "%g", json_real_value(j));
		return number;
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	default:
		return NULL;
	}
}

bool doc_each(const json_t *doc, const char *path, bool (*fn)(void *data, const char *text),
	      void *data)
{
	char step[PATH_STEP_MAX], number[32];
	const char *text;
	bool each;
	size_t i;
	json_t *e;

	if (!doc)
		return false;
	if (!next_step(&path, step, &each)) {
		text = scalar_text(doc, number);
		return text && fn(data, text);
	}
	doc = json_object_get(doc, step);
	if (!each)
		return doc_each(doc, path, fn, data);
	json_array_foreach((json_t *)doc, i, e)
		if (doc_each(e, path, fn, data))
			return true;
	return false;
}

json_t *doc_find(const json_t *list, const char *key, const char *value, size_t *ret_index)
{
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)list, i, e)
		if (streq(doc_str(e, key), value)) {
			if (ret_index)
				*ret_index = i;
			return e;
		}
	return NULL;
}

void xml_add_text(struct buf *out, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '<')
			buf_adds(out, "&lt;");
		else if (c == '>')
			buf_adds(out, "&gt;");
		else if (c == '&')
			buf_adds(out, "&amp;");
		else if (c == '"')
			buf_adds(out, "&quot;");
		else if (c == '\r')
			buf_adds(out, "&#xD;");
		else if (c < 0x20 && c != '\n' && c != '\t')
			buf_add_utf8(out, 0xfffd);
		else
			buf_addc(out, (char)c);
	}
}

static void print_value(const char *name, const json_t *v, const char *item, struct buf *out)
{
	char number[32];
	const char *text = scalar_text(v, number);
	size_t i;
	json_t *e;

	if (json_is_null(v))
		return;
	buf_printf(out, "<%s>", name);
	if (text)
		xml_add_text(out, text);
	else if (json_is_object(v))
		doc_print_xml(v, item, out);
	else
		json_array_foreach((json_t *)v, i, e)
			print_value(item, e, item, out);
	buf_printf(out, "</%s>\n", name);
}

void doc_print_xml(const json_t *object, const char *item, struct buf *out)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)object, key, v)
		if (key[0] != '_')
			print_value(key, v, item, out);
}
