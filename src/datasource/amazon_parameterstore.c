/* amazon-parameterstore: one parameter of Systems Manager. */
#include "aws/ssm.h"
#include "datasource/amazon.h"
#include "datasource/object.h"

struct parameter_config {
	struct amazon_access access;
	char *name;
	bool with_decryption;
};

static const struct spec_row rows[] = {
	SPEC_EMBED(struct parameter_config, access, struct amazon_access, &amazon_access_spec),
	SPEC_STR(struct parameter_config, name, .flags = SPEC_REQUIRED,
		 .doc = "Name or ARN of the parameter; with `:VERSION` or `:LABEL` behind it an "
			"older one."),
	SPEC_BOOL(struct parameter_config, with_decryption,
		  .doc = "Give a SecureString in clear text; it is hidden in all output. Without "
			 "it, as it is stored."),
};
static const struct spec spec =
	SPEC("amazon-parameterstore", struct parameter_config, rows,
	     .doc = "Reads a parameter of Systems Manager. Its values: `value`, `version` and "
		    "`arn`.");

static void prepare(struct prepare *p, void *config)
{
	struct parameter_config *c = config;

	amazon_access_prepare(p, &c->access);
	if (c->name && !*c->name)
		prepare_error(p, "name", "a parameter must be named");
}

static int run(struct arena *a, void *config, struct value *ret, struct err *err)
{
	const struct parameter_config *c = config;
	AUTO(aws_session) struct aws_session *session = NULL;
	struct ssm_parameter found;
	struct aws_client ssm;

	if (amazon_access_open(&c->access, a, &session, &ssm, err) < 0 ||
	    ssm_get_parameter(&ssm, c->name, c->with_decryption, &found, err) < 0)
		return -1;
	struct value_attr v[] = {
		datasource_text(a, "arn", found.arn),
		datasource_text(a, "value", found.value),
		datasource_text(a, "version", arena_printf(a, "%lld", (long long)found.version)),
	};
	v[1].value.sensitive = c->with_decryption && streq(found.type, "SecureString");
	*ret = value_attrs_make(a, VALUE_OBJECT, v, ARRAY_LEN(v), (struct span){ 0 });
	return 0;
}

static const char *const outputs[] = { "arn", "value", "version", NULL };

extern const struct datasource datasource_amazon_parameterstore;
const struct datasource datasource_amazon_parameterstore = {
	.type = "amazon-parameterstore",
	.spec = &spec,
	.prepare = prepare,
	.run = run,
	.outputs = outputs,
};
