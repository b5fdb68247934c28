/* null: gives back what it got; for trying data sources out. */
#include "engine/component.h"

struct null_config {
	char *input;
};

static const struct spec_row rows[] = {
	SPEC_STR(struct null_config, input, .flags = SPEC_REQUIRED,
		 .doc = "What `output` will be."),
};
static const struct spec spec =
	SPEC("null", struct null_config, rows, .doc = "Gives its `input` back as `output`.");

static void prepare(struct prepare *p, void *config)
{
	const struct null_config *c = config;

	if (c->input && !*c->input)
		prepare_error(p, "input", "it must not be empty");
}

static int run(struct arena *a, void *config, struct value *ret, struct err *err UNUSED)
{
	const struct null_config *c = config;
	struct value_attr v = { .key = STR("output"),
				.value = value_cstring(a, c->input, (struct span){ 0 }) };

	*ret = value_attrs_make(a, VALUE_OBJECT, &v, 1, (struct span){ 0 });
	return 0;
}

static const char *const outputs[] = { "output", NULL };

extern const struct datasource datasource_null;
const struct datasource datasource_null = {
	.type = "null",
	.spec = &spec,
	.prepare = prepare,
	.run = run,
	.outputs = outputs,
};
