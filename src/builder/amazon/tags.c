/* Tags and texts with the build's values in them, as Packer renders them (the dot of {{ }} holds
 * the source image and the region), and temporary resources, which wear such tags. */
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

const char *const amazon_source_names[] = { "BuildRegion", "SourceAMI", "SourceAMICreationDate",
					    "SourceAMIName", "SourceAMIOwner",
					    "SourceAMIOwnerName", NULL };
/* The member that holds each, of struct amazon. */
static const size_t source_values[] = {
	offsetof(struct amazon, region),
	offsetof(struct amazon, source.id),
	offsetof(struct amazon, source.creation_date),
	offsetof(struct amazon, source.name),
	offsetof(struct amazon, source.owner_id),
	offsetof(struct amazon, source.owner_alias),
};
#define SOURCE_VALUES ARRAY_LEN(source_values)
_Static_assert(ARRAY_LEN(amazon_source_names) == SOURCE_VALUES + 1, "a name for each member");

/* "" where the source image is not known yet. */
static const char *source_value(const struct amazon *s, size_t i)
{
	const char *v = *(const char *const *)((const char *)s + source_values[i]);

	return v ? v : "";
}

void amazon_set_source_values(struct amazon *s)
{
	for (size_t i = 0; i < SOURCE_VALUES; i++)
		build_set(s->b, amazon_source_names[i], source_value(s, i));
}

static struct value dot(struct amazon *s)
{
	struct arena *a = s->b->arena;
	struct span none = { 0 };
	struct value_attr v[SOURCE_VALUES + 1];
	size_t n = 0;

	for (; n < SOURCE_VALUES; n++)
		v[n] = (struct value_attr){
			.key = str_from(amazon_source_names[n]),
			.value = value_cstring(a, source_value(s, n), none),
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

int amazon_make_temporary(struct amazon *s, const char *kind, const char *what, const char *name,
			  amazon_temporary_fn *fn, void *data, struct amazon_thing **ret,
			  struct err *err)
{
	build_say(s->b, "Creating the temporary %s %s", what, name);
	for (bool tag = true;; tag = false) {
		struct aws_client c = amazon_sure_client(s, s->region, AMAZON_CREATE_MS);
		const char *id = name;
		struct str_map tags;

		if (amazon_tags(s, &s->run->run_tags, "run_tags", tag, &tags, err) < 0 ||
		    amazon_intend(s, kind, s->region, name, NULL, false, ret, err) < 0)
			return -1;
		if (fn(&c, name, &tags, data, &id, err) == 0)
			return amazon_made(s, *ret, id, err);
		amazon_refused(s, *ret, err);
		if (!tag || !amazon_tag_refused(s, err))
			return err_prefix(err, "creating the temporary %s %s", what, name);
		amazon_without_tag(s, what, err);
	}
}
