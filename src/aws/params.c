/* Parameters of the query protocol: ordered key/value pairs, lists numbered from 1. */
#include "aws/call.h"
#include "aws/session_impl.h"

#include "base/buf.h"
#include "base/vec.h"

static void add_owned_key(struct aws_params *p, char *key, const char *value)
{
	vec_push(p, (struct aws_param){ key, xstrdup(value) });
}

void aws_params_add(struct aws_params *p, const char *key, const char *value)
{
	if (value)
		add_owned_key(p, xstrdup(key), value);
}

void aws_params_add_given(struct aws_params *p, const char *key, const char *value)
{
	if (given(value))
		aws_params_add(p, key, value);
}

void aws_params_addf(struct aws_params *p, const char *value, const char *key_fmt, ...)
{
	AUTO(buf) struct buf key = BUF_INIT;
	va_list ap;

	if (!value)
		return;
	va_start(ap, key_fmt);
	buf_vprintf(&key, key_fmt, ap);
	va_end(ap);
	add_owned_key(p, buf_steal(&key), value);
}

void aws_params_bool(struct aws_params *p, const char *key, bool value)
{
	aws_params_add(p, key, value ? "true" : "false");
}

void aws_params_int(struct aws_params *p, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	aws_params_add(p, key, text);
}

void aws_params_add_all(struct aws_params *p, const struct aws_params *from)
{
	for (size_t i = 0; from && i < from->n; i++)
		aws_params_add(p, from->v[i].key, from->v[i].value);
	if (from) {
		p->filters = MAX(p->filters, from->filters);
		p->tag_specs = MAX(p->tag_specs, from->tag_specs);
	}
}

void aws_params_list(struct aws_params *p, const char *key, const struct strs *values)
{
	for (size_t i = 0; i < values->n; i++)
		aws_params_addf(p, values->v[i], "%s.%zu", key, i + 1);
}

void aws_params_filter(struct aws_params *p, const char *name, const char *value)
{
	char *v = (char *)value;

	aws_params_filter_list(p, name, &(struct strs){ &v, 1 });
}

void aws_params_filter_list(struct aws_params *p, const char *name, const struct strs *values)
{
	int f = ++p->filters;

	aws_params_addf(p, name, "Filter.%d.Name", f);
	for (size_t i = 0; i < values->n; i++)
		aws_params_addf(p, values->v[i], "Filter.%d.Value.%zu", f, i + 1);
}

void aws_params_pairs(struct aws_params *p, const char *key, const struct str_map *tags)
{
	for (size_t i = 0; tags && i < tags->n; i++) {
		aws_params_addf(p, tags->v[i].key, "%s.%zu.Key", key, i + 1);
		aws_params_addf(p, tags->v[i].value, "%s.%zu.Value", key, i + 1);
	}
}

void aws_params_tags(struct aws_params *p, const char *resource_type, const struct str_map *tags)
{
	char key[48];
	int t;

	if (!tags || tags->n == 0)
		return;
	t = ++p->tag_specs;
	aws_params_addf(p, resource_type, "TagSpecification.%d.ResourceType", t);
	snprintf(key, sizeof(key), "TagSpecification.%d.Tag", t);
	aws_params_pairs(p, key, tags);
}

const char *aws_params_get(const struct aws_params *p, const char *key)
{
	for (size_t i = 0; i < p->n; i++)
		if (streq(p->v[i].key, key))
			return p->v[i].value;
	return NULL;
}

void aws_params_set(struct aws_params *p, const char *key, const char *value)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!streq(p->v[i].key, key))
			continue;
		xfree_secret(p->v[i].value);
		p->v[i].value = xstrdup(value);
		return;
	}
	aws_params_add(p, key, value);
}

void aws_params_release(struct aws_params *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].key);
		xfree_secret(p->v[i].value); /* user data and policies may hold some */
	}
	vec_release(p);
	*p = (struct aws_params)AWS_PARAMS_INIT;
}

void aws_params_encode(const struct aws_params *p, struct buf *out)
{
	for (size_t i = 0; i < p->n; i++) {
		buf_adds(out, out->n ? "&" : "");
		buf_add_uri(out, str_from(p->v[i].key), false);
		buf_addc(out, '=');
		buf_add_uri(out, str_from(p->v[i].value), false);
	}
}
