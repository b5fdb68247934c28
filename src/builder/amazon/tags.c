/* Tags and texts with the build's values in them, as Packer renders them: the dot of {{ }} holds
 * the source image and the region. */
#include "builder/amazon/state.h"

#include "base/log.h"

static struct value source_tags(struct arena *a, const struct ec2_tags *tags)
{
	struct span none = { 0 };
	struct value_attr *v = arena_new_array(a, struct value_attr, tags->n + 1);

	for (size_t i = 0; i < tags->n; i++)
		v[i] = (struct value_attr){
			.key = str_from(tags->v[i].key),
			.value = value_cstring(a, tags->v[i].value, none),
		};
	return value_attrs_make(a, VALUE_MAP, v, tags->n, none);
}

struct named {
	const char *name, *value;
};

#define SOURCE_VALUES(s) \
	{ \
		{ "BuildRegion", (s)->region }, \
		{ "SourceAMI", (s)->source.id }, \
		{ "SourceAMICreationDate", (s)->source.creation_date }, \
		{ "SourceAMIName", (s)->source.name }, \
		{ "SourceAMIOwner", (s)->source.owner_id }, \
		{ "SourceAMIOwnerName", (s)->source.owner_alias }, \
	}

void amazon_set_source_values(struct amazon *s)
{
	const struct named values[] = SOURCE_VALUES(s);

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		build_set(s->b, values[i].name, values[i].value ? values[i].value : "");
}

static struct value dot(struct amazon *s)
{
	const struct named values[] = SOURCE_VALUES(s);
	struct arena *a = s->b->arena;
	struct span none = { 0 };
	struct value_attr v[ARRAY_LEN(values) + 1];
	size_t n = 0;

	for (; n < ARRAY_LEN(values); n++)
		v[n] = (struct value_attr){
			.key = str_from(values[n].name),
			.value = value_cstring(a, values[n].value ? values[n].value : "", none),
		};
	v[n++] = (struct value_attr){ .key = STR("SourceAMITags"),
				      .value = source_tags(a, &s->source.tags) };
	return value_attrs_make(a, VALUE_OBJECT, v, n, none);
}

int amazon_render(struct amazon *s, const char *text, const char *what, const char **ret,
		  struct err *err)
{
	struct str out;

	if (!text || !strstr(text, "{{")) {
		*ret = text;
		return 0;
	}
	if (build_render(s->b, dot(s), text, &out, err) < 0)
		return err_prefix(err, "%s: '%s'", what, text);
	*ret = arena_strndup(s->b->arena, out.p ? out.p : "", out.n);
	return 0;
}

int amazon_tags(struct amazon *s, const struct str_map *tags, const char *what, bool with_run_tag,
		struct str_map *ret, struct err *err)
{
	struct arena *a = s->b->arena;
	struct str_map out = { arena_new_array(a, struct str_pair, tags->n + 1), 0 };

	for (size_t i = 0; i < tags->n; i++) {
		const char *key, *value;

		if (amazon_render(s, tags->v[i].key, what, &key, err) < 0 ||
		    amazon_render(s, tags->v[i].value, what, &value, err) < 0)
			return -1;
		out.v[out.n++] = (struct str_pair){ (char *)key, (char *)(value ? value : "") };
	}
	if (with_run_tag && s->run_tag)
		out.v[out.n++] = (struct str_pair){ (char *)s->run_tag, s->b->run->id };
	*ret = out;
	return 0;
}

/* A policy or a service that takes no tags at creation says so in one of these ways. */
bool amazon_tag_refused(const struct amazon *s, const struct err *err)
{
	return s->run_tag &&
	       (aws_denied(err) || err_is(err, "TagPolicyViolation") ||
		err_is(err, "UnsupportedOperation") || err_is(err, "UnsupportedTagging") ||
		(err_is(err, "InvalidParameterValue") && err->msg && strcasestr(err->msg, "tag")));
}

void amazon_without_tag(struct amazon *s, const char *what, struct err *err)
{
	log_line("%s: the %s is made without the tag %s: %s", s->b->spec->name, what, s->run_tag,
		 err->msg);
	err_release(err);
}
