/* Filter values are CSV fields, as in Packer: "a,b" is two values, "\"a,b\"" one. */
#include "builder/amazon/filter.h"

#include "base/buf.h"

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

void amazon_params_filters(struct aws_params *p, const struct str_map *filters)
{
	AUTO(buf) struct buf field = BUF_INIT;

	for (size_t i = 0; i < filters->n; i++) {
		const char *rest = filters->v[i].value ? filters->v[i].value : "";
		char *values[200];
		struct strs list = { values, 0 };

		for (;;) {
			take_field(&rest, &field);
			if (list.n < ARRAY_LEN(values))
				values[list.n++] = xstrdup(buf_cstr(&field));
			if (*rest != ',')
				break;
			rest++;
		}
		aws_params_filter_list(p, filters->v[i].key, &list);
		for (size_t k = 0; k < list.n; k++)
			free(values[k]);
	}
}

const char *amazon_filters_text(struct arena *a, const struct str_map *filters)
{
	AUTO(buf) struct buf b = BUF_INIT;

	for (size_t i = 0; i < filters->n; i++)
		buf_printf(&b, "%s%s=%s", i ? ", " : "", filters->v[i].key, filters->v[i].value);
	return arena_strdup(a, buf_cstr(&b));
}
