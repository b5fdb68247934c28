/* Tags on anything that has an EC2 id. */
#include "cloud/api/services.h"

static struct row *taggable(struct call *c, const char *id)
{
	enum kind kind;
	struct row *r;

	if (!kind_of_id(id, &kind)) {
		call_fail(c, "InvalidID", "The ID '%.80s' is not valid", id);
		return NULL;
	}
	r = call_find(c, kind, id);
	if (r && r->region[0] == '*') {
		call_fail(c, "UnauthorizedOperation",
			  "You are not authorized to tag %s: another account owns it", id);
		return NULL;
	}
	return r;
}

static int create_tags(struct call *c)
{
	size_t n;
	const char **ids = call_list(c, &n, "ResourceId");

	/* All or nothing: every id is looked at before anything changes. */
	for (size_t i = 0; i < n; i++)
		if (!taggable(c, ids[i]))
			return -1;
	for (size_t i = 0; i < n; i++) {
		struct row *r = taggable(c, ids[i]);
		json_t *set = json_deep_copy(json_object_get(r->doc, "tagSet"));

		if (!set)
			set = json_array();
		if (tags_merge(c, set, "Tag") < 0) {
			json_decref(set);
			return -1;
		}
		json_object_set_new(r->doc, "tagSet", set);
		call_save(c, r);
	}
	call_return_true(c);
	return 0;
}

static int delete_tags(struct call *c)
{
	size_t n, at;
	const char **ids = call_list(c, &n, "ResourceId");

	for (size_t i = 0; i < n; i++)
		if (!taggable(c, ids[i]))
			return -1;
	for (size_t i = 0; i < n; i++) {
		struct row *r = taggable(c, ids[i]);
		json_t *set = json_object_get(r->doc, "tagSet"), *tag;

		if (!call_any(c, "Tag.1"))
			json_array_clear(set);
		for (int k = 1; call_any(c, "Tag.%d", k); k++) {
			const char *key = call_get(c, "Tag.%d.Key", k),
				   *value = call_get(c, "Tag.%d.Value", k);

			/* With a value only that very pair goes. */
			tag = doc_find(set, "key", key ? key : "", &at);
			if (tag && (!value || streq(value, doc_str(tag, "value"))))
				json_array_remove(set, at);
		}
		call_save(c, r);
	}
	call_return_true(c);
	return 0;
}

static const struct filter_row filters[] = {
	{ "key", "key" },
	{ "value", "value" },
	{ "resource-id", "resourceId" },
	{ "resource-type", "resourceType" },
	{ 0 },
};

static int describe_tags(struct call *c)
{
	AUTO(json) json_t *all = json_array();

	if (call_filter(c, filters, NULL) < 0)
		return -1;
	for (int k = 0; k < KINDS; k++) {
		const struct kind_info *info = kind_info((enum kind)k);
		struct row *r;

		for (size_t i = 0; info && (r = call_next(c, (enum kind)k, &i));) {
			json_t *tag;
			size_t t;

			json_array_foreach(json_object_get(r->doc, "tagSet"), t, tag) {
				AUTO(json) json_t *e = json_pack("{s:s, s:s, s:s, s:s}",
								 "resourceId", r->id,
								 "resourceType", info->resource,
								 "key", doc_str(tag, "key"),
								 "value", doc_str(tag, "value"));

				/* tag:KEY names the pair that this tag is. */
				json_object_set_new(e, "tagSet", json_pack("[O]", tag));
				if (!call_filter(c, filters, e))
					continue;
				json_object_del(e, "tagSet");
				json_array_append(all, e);
			}
		}
	}
	return call_answer_page(c, all, "tagSet", 1000);
}

const struct action ec2_tag_actions[] = {
	{ "CreateTags", create_tags, "ResourceId.! Tag.!", 0 },
	{ "DeleteTags", delete_tags, "ResourceId.! Tag", 0 },
	{ "DescribeTags", describe_tags, "Filter MaxResults NextToken", 0 },
	{ 0 },
};
