/* The Describe calls: every page, every item as a struct, arrays in the client's arena. */
#include "aws/ec2.h"

#include "base/buf.h"

/* Collects items of any struct; the array doubles in the arena. */
struct collector {
	struct arena *arena;
	size_t size;
	const char *inner; /* list inside each item, or NULL */
	void (*read)(struct arena *a, const struct xml *item, void *out);
	char *v;
	size_t n, cap;
};

static void collect_one(struct collector *c, const struct xml *item)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 4;

		c->v = arena_grow(c->arena, c->v, c->n * c->size, cap * c->size);
		c->cap = cap;
	}
	c->read(c->arena, item, c->v + c->n++ * c->size);
}

static int collect(void *data, const struct xml *item)
{
	struct collector *c = data;

	if (!c->inner)
		collect_one(c, item);
	for (const struct xml *i = c->inner ? xml_first(item, c->inner) : NULL; i; i = xml_next(i))
		collect_one(c, i);
	return 0;
}

/* ec2_describe_NAMEs(): one function for each kind of thing. */
#define DESCRIBE(plural, type, action, path, inner_path) \
	static void collect_##type(struct arena *a, const struct xml *item, void *out) \
	{ \
		ec2_read_##type(a, item, out); \
	} \
	int ec2_describe_##plural(const struct aws_client *client, const struct aws_params *p, \
				  struct ec2_##type **ret, size_t *ret_n, struct err *err) \
	{ \
		struct collector c = { .arena = client->arena, .size = sizeof(struct ec2_##type), \
				       .inner = (inner_path), .read = collect_##type }; \
		if (aws_call_pages(client, action, p, path, collect, &c, err) < 0) \
			return -1; \
		*ret = (struct ec2_##type *)(void *)c.v; \
		*ret_n = c.n; \
		return 0; \
	}

DESCRIBE(instances, instance, "DescribeInstances", "reservationSet/item", "instancesSet/item")
DESCRIBE(images, image, "DescribeImages", "imagesSet/item", NULL)
DESCRIBE(snapshots, snapshot, "DescribeSnapshots", "snapshotSet/item", NULL)
DESCRIBE(volumes, volume, "DescribeVolumes", "volumeSet/item", NULL)
DESCRIBE(security_groups, security_group, "DescribeSecurityGroups", "securityGroupInfo/item", NULL)
DESCRIBE(vpcs, vpc, "DescribeVpcs", "vpcSet/item", NULL)
DESCRIBE(subnets, subnet, "DescribeSubnets", "subnetSet/item", NULL)

int ec2_find_images(const struct aws_client *c, const char *name, struct ec2_image **ret,
		    size_t *ret_n, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

	aws_params_add(&p, "Owner.1", "self");
	aws_params_filter(&p, "name", name);
	return ec2_describe_images(c, &p, ret, ret_n, err);
}

int ec2_find_security_groups(const struct aws_client *c, const char *name,
			     struct ec2_security_group **ret, size_t *ret_n, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

	aws_params_filter(&p, "group-name", name);
	return ec2_describe_security_groups(c, &p, ret, ret_n, err);
}

void ec2_snapshot_descriptions(struct arena *a, const char *image_id,
			       char *ret[EC2_IMAGE_DESCRIPTIONS])
{
	ret[0] = arena_printf(a, "Created by CreateImage(*) for %s*", image_id);
	ret[1] = arena_printf(a, "Copied for DestinationAmi %s*", image_id);
}

int ec2_describe_regions(const struct aws_client *c, struct strs *ret, struct err *err)
{
	struct xml *root;
	size_t n, k = 0;

	if (aws_call(c, "DescribeRegions", NULL, &root, err) < 0)
		return -1;
	n = xml_count(root, "regionInfo/item");
	ret->v = arena_new_array(c->arena, char *, n + 1);
	ret->n = n;
	for (const struct xml *i = xml_first(root, "regionInfo/item"); i; i = xml_next(i))
		ret->v[k++] = arena_strdup(c->arena, xml_text(i, "regionName"));
	return 0;
}

int ec2_get_instance(const struct aws_client *c, const char *id, struct ec2_instance *ret,
		     struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct ec2_instance *v;
	size_t n;

	aws_params_add(&p, "InstanceId.1", id);
	if (ec2_describe_instances(c, &p, &v, &n, err) < 0)
		return -1;
	if (n == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no instance %s in %s", id, c->region);
	*ret = v[0];
	return 0;
}

int ec2_get_image(const struct aws_client *c, const char *id, struct ec2_image *ret,
		  struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct ec2_image *v;
	size_t n;

	aws_params_add(&p, "ImageId.1", id);
	if (ec2_describe_images(c, &p, &v, &n, err) < 0)
		return -1;
	if (n == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no image %s in %s", id, c->region);
	*ret = v[0];
	return 0;
}

int ec2_console_output(const struct aws_client *c, const char *id, bool latest, const char **ret,
		       struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	struct xml *root;

	aws_params_add(&p, "InstanceId", id);
	if (latest)
		aws_params_bool(&p, "Latest", true);
	if (aws_call(c, "GetConsoleOutput", &p, &root, err) < 0)
		return -1;
	if (buf_add_unbase64(&text, str_from(xml_text(root, "output"))) < 0)
		return err_set(err, ERR_REMOTE, "the console output of %s is not base64", id);
	*ret = arena_strndup(c->arena, buf_cstr(&text), text.n);
	return 0;
}
