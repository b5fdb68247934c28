/* amazon-ami: one image, found by filters. */
#include "aws/ami_filter.h"
#include "datasource/amazon.h"
#include "datasource/object.h"

struct ami_config {
	struct amazon_access access;
	struct aws_ami_filter filter;
};

static const struct spec_row rows[] = {
	SPEC_EMBED(struct ami_config, access, struct amazon_access, &amazon_access_spec),
	SPEC_EMBED(struct ami_config, filter, struct aws_ami_filter, &aws_ami_filter_spec),
};
static const struct spec spec =
	SPEC("amazon-ami", struct ami_config, rows,
	     .doc = "Finds one image in EC2. Its values: `id`, `name`, `creation_date`, `owner` "
		    "(account id), `owner_name` (alias, where it has one) and `tags`.");

static void prepare(struct prepare *p, void *config)
{
	struct ami_config *c = config;

	amazon_access_prepare(p, &c->access);
	if (!c->filter.filters.n && !c->filter.owners.n)
		prepare_error(p, "filters",
			      "which image is meant must be said by at least one filter");
	if (!c->filter.owners.n)
		prepare_error(p, "owners",
			      "who owns the image must be said: anybody can give an image any "
			      "name");
}

static struct value tags_of(struct arena *a, const struct ec2_image *image)
{
	struct value_attr *v = arena_new_array(a, struct value_attr, image->tags.n);

	for (size_t i = 0; i < image->tags.n; i++)
		v[i] = datasource_text(a, arena_strdup(a, image->tags.v[i].key),
				       image->tags.v[i].value);
	return datasource_map(a, v, image->tags.n);
}

static int run(struct arena *a, void *config, struct value *ret, struct err *err)
{
	const struct ami_config *c = config;
	AUTO(aws_session) struct aws_session *session = NULL;
	struct aws_client ec2;
	struct ec2_image image;

	if (amazon_access_open(&c->access, a, &session, &ec2, err) < 0 ||
	    aws_ami_find(&ec2, NULL, &c->filter, &image, err) < 0)
		return -1;
	struct value_attr v[] = {
		datasource_text(a, "creation_date", image.creation_date),
		datasource_text(a, "id", image.id),
		datasource_text(a, "name", image.name),
		datasource_text(a, "owner", image.owner_id),
		datasource_text(a, "owner_name", image.owner_alias),
		{ .key = STR("tags"), .value = tags_of(a, &image) },
	};
	*ret = value_attrs_make(a, VALUE_OBJECT, v, ARRAY_LEN(v), (struct span){ 0 });
	return 0;
}

static const char *const outputs[] = { "creation_date", "id", "name", "owner", "owner_name",
				       "tags", NULL };

extern const struct datasource datasource_amazon_ami;
const struct datasource datasource_amazon_ami = {
	.type = "amazon-ami",
	.spec = &spec,
	.prepare = prepare,
	.run = run,
	.outputs = outputs,
};
