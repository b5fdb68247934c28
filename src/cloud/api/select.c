/* Describe actions: ids, filters with EC2's wildcards, pages. */
#include "cloud/api/api.h"

#include "base/buf.h"

#include <inttypes.h>

#define FILTERS_MAX 50
#define FILTER_VALUES_MAX 200
#define PAGE_DEFAULT 1000

bool wildcard_match(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
			continue;
		}
		if (*pattern == '?' || (*pattern == '\\' && pattern[1] && pattern[1] == *text) ||
		    (*pattern && *pattern != '\\' && *pattern == *text) ||
		    (*pattern == '\\' && !pattern[1] && *text == '\\')) {
			pattern += *pattern == '\\' && pattern[1] ? 2 : 1;
			text++;
			continue;
		}
		if (!star)
			return false;
		pattern = star;
		text = ++resume;
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

struct values {
	const char **v;
	size_t n;
};

static bool matches_any(void *data, const char *text)
{
	const struct values *values = data;

	for (size_t i = 0; i < values->n; i++)
		if (wildcard_match(values->v[i], text))
			return true;
	return false;
}

static bool match_tag(const json_t *doc, const char *key, struct values *values)
{
	const char *value =
		doc_str(doc_find(json_object_get(doc, "tagSet"), "key", key, NULL), "value");

	return value && matches_any(values, value);
}

/* 1, 0, or -1 for an unknown filter. */
static int match_one(const struct filter_row *rows, const json_t *doc, const char *name,
		     struct values *values)
{
	bool known = false;

	if (starts_with(name, "tag:"))
		return match_tag(doc, name + 4, values);
	if (streq(name, "tag-key"))
		return doc_each(doc, "tagSet[].key", matches_any, values);
	/* A name may have several rows: any of its paths will do. */
	for (const struct filter_row *r = rows; r->name; r++) {
		if (!streq(r->name, name))
			continue;
		known = true;
		if (doc_each(doc, r->path, matches_any, values))
			return 1;
	}
	return known ? 0 : -1;
}

int call_filter(struct call *c, const struct filter_row *rows, const json_t *doc)
{
	int result = 1;

	for (int i = 1; call_any(c, "Filter.%d", i); i++) {
		const char *name = call_val(c, "Filter.%d.Name", i);
		struct values values;
		int r;

		if (i > FILTERS_MAX)
			return call_fail(c, "FilterLimitExceeded",
					 "More than %d filters in one request", FILTERS_MAX);
		if (!name)
			return call_missing(c, arena_printf(c->arena, "Filter.%d.Name", i));
		values.v = call_list(c, &values.n, "Filter.%d.Value", i);
		if (!values.n)
			return call_fail(c, "InvalidParameterValue",
					 "The filter '%.100s' has no values", name);
		if (values.n > FILTER_VALUES_MAX)
			return call_fail(c, "FilterLimitExceeded",
					 "More than %d values in the filter '%.100s'",
					 FILTER_VALUES_MAX, name);
		r = match_one(rows, doc, name, &values);
		if (r < 0)
			return call_fail(c, "InvalidParameterValue",
					 "The filter '%.100s' is invalid", name);
		if (!r)
			result = 0;
	}
	return result;
}

int call_page(struct call *c, int64_t min, int64_t max, size_t n, size_t *ret_from, size_t *ret_to)
{
	const char *token = call_val(c, "NextToken");
	AUTO(buf) struct buf b = BUF_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	int64_t size = 0;
	uint64_t from = 0;

	if (call_int(c, "MaxResults", min ? min : 5, max ? max : PAGE_DEFAULT, &size) < 0)
		return -1;
	if (token && (buf_add_unbase64(&b, str_from(token)) < 0 ||
		      sscanf(buf_cstr(&b), "page:%" SCNu64, &from) != 1 || from > n))
		return call_fail(c, "InvalidParameterValue",
				 "Unable to parse pagination token: %.60s", token);
	*ret_from = (size_t)from;
	*ret_to = size && (uint64_t)size < n - from ? (size_t)(from + (uint64_t)size) : n;
	if (*ret_to < n) {
		buf_reset(&b);
		buf_printf(&b, "page:%zu", *ret_to);
		buf_add_base64(&text, b.p, b.n);
		json_object_set_new(c->out, "nextToken", json_string(buf_cstr(&text)));
	}
	return 0;
}

int call_answer_page(struct call *c, const json_t *all, const char *set, int64_t max)
{
	json_t *out = json_array();
	size_t from, to;

	json_object_set_new(c->out, set, out);
	if (call_page(c, 0, max, json_array_size(all), &from, &to) < 0)
		return -1;
	for (size_t i = from; i < to; i++)
		json_array_append(out, json_array_get(all, i));
	return 0;
}

static bool listed(const char **ids, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (streq(ids[i], id))
			return true;
	return false;
}

int call_select(struct call *c, const struct listing *l, struct row ***ret, size_t *ret_n)
{
	size_t nids = 0, n = 0, i = 0;
	const char **ids = l->id_param ? call_list(c, &nids, "%s", l->id_param) : NULL;
	struct row **v = arena_new_array(c->arena, struct row *,
					 model_count(c->cloud->model, l->kind) + 1),
		   *r;

	if (nids && call_any(c, "MaxResults") && l->kind == KIND_INSTANCE)
		return call_fail(
			c, "InvalidParameterCombination",
			"The parameter instancesSet cannot be used with the parameter maxResults");
	/* An unknown filter is an error even where nothing is there to be filtered. */
	if (call_filter(c, l->filters, NULL) < 0)
		return -1;
	for (size_t k = 0; k < nids; k++) {
		r = call_find(c, l->kind, ids[k]);
		if (!r)
			return -1;
		if (l->visible && !l->visible(c, r, true))
			return call_fail(c, kind_info(l->kind)->not_found, kind_info(l->kind)->text,
					 ids[k]);
	}
	while ((r = call_next(c, l->kind, &i))) {
		int pass;

		if (nids && !listed(ids, nids, r->id))
			continue;
		if (l->visible && !l->visible(c, r, nids > 0))
			continue;
		pass = call_filter(c, l->filters, r->doc);
		if (pass < 0)
			return -1;
		if (pass)
			v[n++] = r;
	}
	*ret = v;
	*ret_n = n;
	return 0;
}

int call_describe(struct call *c, const struct listing *l)
{
	json_t *set = json_array();
	size_t n, from, to;
	struct row **v;

	json_object_set_new(c->out, l->set, set);
	if (call_select(c, l, &v, &n) < 0 ||
	    call_page(c, l->page_min, l->page_max, n, &from, &to) < 0)
		return -1;
	for (size_t i = from; i < to; i++)
		json_array_append_new(set, l->render ? l->render(c, v[i]) : json_incref(v[i]->doc));
	return 0;
}
