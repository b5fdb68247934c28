/* Filter values are CSV fields, as in Packer: "a,b" is two values, "\"a,b\"" one. */
#include "aws/ami_filter.h"

#include "base/buf.h"
#include "base/clock.h"

static const struct spec_row rows[] = {
	SPEC_MAP(struct aws_ami_filter, filters,
		 .doc = "Filters of EC2's DescribeImages by name; several values are separated by "
			"commas."),
	SPEC_STRS(struct aws_ami_filter, owners,
		  .doc = "Account ids, `self`, `amazon` or `aws-marketplace`. Required, because "
			 "anybody can publish an image under any name."),
	SPEC_BOOL(struct aws_ami_filter, most_recent,
		  .doc = "If several images match, use the newest one. Otherwise several matches "
			 "are an error."),
	SPEC_BOOL(struct aws_ami_filter, include_deprecated,
		  .doc = "Consider deprecated images too."),
};
const struct spec aws_ami_filter_spec = SPEC("source_ami_filter", struct aws_ami_filter, rows,
					     .doc = "How to find the source image.");

/* Takes one field off *s. */
static void take_field(const char **s, struct buf *field)
{
	const char *p = *s;

	buf_reset(field);
	while (*p == ' ' || *p == '\t')
		p++;
	if (*p == '"') {
		for (p++; *p && (*p != '"' || p[1] == '"'); p++) {
			if (*p == '"')
				p++;
			buf_addc(field, *p);
		}
		if (*p)
			p++;
	}
	for (; *p && *p != ','; p++)
		buf_addc(field, *p);
	*s = p;
}

void aws_filters_add(struct aws_params *p, const struct str_map *filters)
{
	AUTO(buf) struct buf field = BUF_INIT;

	for (size_t i = 0; i < filters->n; i++) {
		const char *rest = filters->v[i].value ? filters->v[i].value : "";
		int f = ++p->filters;

		aws_params_addf(p, filters->v[i].key, "Filter.%d.Name", f);
		for (int v = 1;; v++, rest++) {
			take_field(&rest, &field);
			aws_params_addf(p, buf_cstr(&field), "Filter.%d.Value.%d", f, v);
			if (*rest != ',')
				break;
		}
	}
}

const char *aws_filters_text(struct arena *a, const struct str_map *filters)
{
	AUTO(buf) struct buf b = BUF_INIT;

	for (size_t i = 0; i < filters->n; i++)
		buf_printf(&b, "%s%s=%s", i ? ", " : "", filters->v[i].key, filters->v[i].value);
	return arena_strdup(a, buf_cstr(&b));
}

static const struct ec2_image *newest(const struct ec2_image *v, size_t n)
{
	const struct ec2_image *best = v;
	int64_t best_at = INT64_MIN, at;

	for (size_t i = 0; i < n; i++) {
		if (!clock_parse_rfc3339(str_from(v[i].creation_date), &at))
			at = INT64_MIN;
		if (at >= best_at) {
			best = &v[i];
			best_at = at;
		}
	}
	return best;
}

static const char *wanted(struct arena *a, const char *id, const struct aws_ami_filter *f)
{
	if (given(id))
		return id;
	return f && f->filters.n ? aws_filters_text(a, &f->filters) : "the given owners";
}

int aws_ami_find(const struct aws_client *c, const char *id, const struct aws_ami_filter *f,
		 struct ec2_image *ret, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct ec2_image *found;
	size_t n;

	aws_params_add_given(&p, "ImageId.1", id);
	if (f) {
		aws_filters_add(&p, &f->filters);
		aws_params_list(&p, "Owner", &f->owners);
	}
	aws_params_bool(&p, "IncludeDeprecated", f && f->include_deprecated);
	if (ec2_describe_images(c, &p, &found, &n, err) < 0)
		return err_prefix(err, "looking for the source image (%s)",
				  wanted(c->arena, id, f));
	if (!n)
		return err_set(err, ERR_NOT_FOUND, "no source image matches %s in %s",
			       wanted(c->arena, id, f), c->region);
	if (n > 1 && !(f && f->most_recent))
		return err_set(err, ERR_INVALID,
			       "%zu images match %s: narrow the filters, or set most_recent = true",
			       n, wanted(c->arena, id, f));
	*ret = *newest(found, n);
	return 0;
}
