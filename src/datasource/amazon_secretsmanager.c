/* amazon-secretsmanager: one secret. */
#include "aws/secrets.h"
#include "datasource/amazon.h"
#include "datasource/object.h"

#include <unistr.h>

struct secret_config {
	struct amazon_access access;
	char *name, *key, *version_id, *version_stage;
};

static const struct spec_row rows[] = {
	SPEC_EMBED(struct secret_config, access, struct amazon_access, &amazon_access_spec),
	SPEC_STR(struct secret_config, name, .flags = SPEC_REQUIRED,
		 .doc = "Name or ARN of the secret."),
	SPEC_STR(struct secret_config, key,
		 .doc = "For a secret that is a JSON object: which of its members becomes `value`. "
			"Default: the first."),
	SPEC_STR(struct secret_config, version_id,
		 .doc = "A version by its id; wins over `version_stage`."),
	SPEC_STR(struct secret_config, version_stage, .def = "AWSCURRENT",
		 .doc = "A version by its label."),
};
static const struct spec spec =
	SPEC("amazon-secretsmanager", struct secret_config, rows,
	     .doc = "Reads a secret of Secrets Manager, which is hidden in all output. Its values: "
		    "`value`, `secret_string`, `secret_binary` (what is no UTF-8 stays in base64) "
		    "and `version_id`.");

static void prepare(struct prepare *p, void *config)
{
	struct secret_config *c = config;

	amazon_access_prepare(p, &c->access);
	if (c->name && !*c->name)
		prepare_error(p, "name", "a secret must be named");
}

static const char *decoded(struct arena *a, const char *base64)
{
	AUTO(buf) struct buf bytes = BUF_INIT;

	if (!base64 || buf_add_unbase64(&bytes, str_from(base64)) < 0 ||
	    memchr(bytes.p, '\0', bytes.n) || u8_check((const uint8_t *)bytes.p, bytes.n))
		return base64;
	return arena_strndup(a, bytes.p, bytes.n);
}

/* A key that is not there gives "", as in the reference. */
static int pick(struct arena *a, const struct secret_config *c, const char *text, const char **ret,
		struct err *err)
{
	*ret = "";
	if (!text || aws_secret_pick(a, text, c->key, false, ret, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return err_prefix(err, "secret %s", c->name);
	err_release(err);
	return 0;
}

static int run(struct arena *a, void *config, struct value *ret, struct err *err)
{
	const struct secret_config *c = config;
	AUTO(aws_session) struct aws_session *session = NULL;
	struct aws_client client;
	struct aws_secret found;
	const char *value;

	if (amazon_access_open(&c->access, a, &session, &client, err) < 0 ||
	    aws_secret_get(&client, c->name, c->version_id, c->version_stage, &found, err) < 0 ||
	    pick(a, c, found.text, &value, err) < 0)
		return -1;
	struct value_attr v[] = {
		datasource_text(a, "secret_binary", decoded(a, found.binary)),
		datasource_text(a, "secret_string", found.text),
		datasource_text(a, "value", value),
		datasource_text(a, "version_id", found.version_id),
	};
	for (size_t i = 0; i < 3; i++)
		v[i].value.sensitive = true;
	*ret = value_attrs_make(a, VALUE_OBJECT, v, ARRAY_LEN(v), (struct span){ 0 });
	return 0;
}

static const char *const outputs[] = { "secret_binary", "secret_string", "value", "version_id",
				       NULL };

extern const struct datasource datasource_amazon_secretsmanager;
const struct datasource datasource_amazon_secretsmanager = {
	.type = "amazon-secretsmanager",
	.spec = &spec,
	.prepare = prepare,
	.run = run,
	.outputs = outputs,
};
