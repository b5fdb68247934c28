/* The rows of functions that ask servers. */
#include "datasource/functions.h"

#include "aws/secrets.h"
#include "lang/expr/eval.h"
#include "lang/expr/text.h"

/* Fetched secrets are hidden in all output, and may be used like any other value. */
static int give_secret(struct func_call *c, const char *secret, struct value *ret)
{
	if (c->eval && c->eval->on_secret)
		c->eval->on_secret(c->eval->secret_data, secret);
	return ret_text(c, str_from(secret), ret);
}

static const char *text_of(struct func_call *c, struct value v)
{
	return v.kind == VALUE_STRING ? arena_strndup(c->arena, v.string.p, v.string.n) : "";
}

static int fn_vault(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err)
{
	const char *text;

	if (vault_read(c->arena, text_of(c, args[0]), text_of(c, args[1]), &text, err) < 0)
		return -1;
	return give_secret(c, text, ret);
}

static int fn_consul_key(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err)
{
	const char *text;

	if (consul_read(c->arena, text_of(c, args[0]), &text, err) < 0)
		return -1;
	return ret_text(c, str_from(text), ret);
}

/* Credentials and region as AWS tools find them: no component gives any. */
static int fetch(struct func_call *c, const char *name, struct aws_secret *ret, struct err *err)
{
	AUTO(aws_session) struct aws_session *s = NULL;
	struct aws_config config = { 0 };
	const char *region;

	if (!*name) {
		c->bad_arg = 0;
		return err_set(err, ERR_INVALID, "a secret must be named");
	}
	if (aws_session_open(&config, &s, err) < 0 || aws_session_region(s, NULL, &region, err) < 0)
		return -1;
	struct aws_client client = aws_client(s, "secretsmanager", region, c->arena, NULL);

	if (aws_secret_get(&client, name, NULL, NULL, ret, err) < 0)
		return -1;
	if (!ret->text)
		return err_set(err, ERR_INVALID, "secret %s: it holds bytes, no text", name);
	return 0;
}

static int fn_secret(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		     struct err *err)
{
	const char *name = text_of(c, args[0]), *key = nargs > 1 ? text_of(c, args[1]) : "", *text;
	struct aws_secret secret;

	if (fetch(c, name, &secret, err) < 0)
		return -1;
	if (aws_secret_pick(c->arena, secret.text, key, true, &text, err) < 0)
		return err_prefix(err, "secret %s", name);
	return give_secret(c, text, ret);
}

static int fn_secret_raw(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err)
{
	struct aws_secret secret;

	if (fetch(c, text_of(c, args[0]), &secret, err) < 0)
		return -1;
	return give_secret(c, secret.text, ret);
}

static int fn_refused(struct func_call *c UNUSED, const struct value *args UNUSED,
		      size_t nargs UNUSED, struct value *ret UNUSED, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
		       "a rehearsal (-local) reads nothing of a real AWS account; let a variable "
		       "hold the value, and give it with -var");
}

static const struct func_param vault_params[] = { { "path", &type_string, 0 },
						  { "key", &type_string, 0 } };
static const struct func_param key_params[] = { { "key", &type_string, 0 } };
static const struct func_param secret_params[] = { { "name", &type_string, 0 },
						   { "key", &type_string, PARAM_NULL } };
static const struct func_param raw_params[] = { { "name", &type_string, 0 } };

static const struct func_example vault_examples[] = {
	{ "vault(\"secret/data/hello\", \"foo\")", NULL }
};
static const struct func_example key_examples[] = { { "consul_key(\"images/base\")", NULL } };
static const struct func_example secret_examples[] = {
	{ "aws_secretsmanager(\"sample/app/password\", null)", NULL },
	{ "aws_secretsmanager(\"sample/app\", \"user\")", NULL }
};
static const struct func_example raw_examples[] = {
	{ "jsondecode(aws_secretsmanager_raw(\"sample/app\")).user", NULL }
};

#define ROWS(secret_fn, raw_fn) \
	{ "aws_secretsmanager", \
	  secret_params, \
	  ARRAY_LEN(secret_params), \
	  .flags = FUNC_UNREFINED, \
	  .returns = &type_string, \
	  .call = (secret_fn), \
	  .doc = "Reads a secret of AWS Secrets Manager, with the credentials and the region " \
		 "that AWS tools find. Of a secret that is a JSON object it gives the member " \
		 "`key`, which may be null where there is one alone. What it gives is hidden in " \
		 "all output.", \
	  FUNC_EXAMPLES(secret_examples) }, \
	{ "aws_secretsmanager_raw", \
	  raw_params, \
	  ARRAY_LEN(raw_params), \
	  .flags = FUNC_UNREFINED, \
	  .returns = &type_string, \
	  .call = (raw_fn), \
	  .doc = "Reads a secret of AWS Secrets Manager as it is stored. What it gives is hidden " \
		 "in all output.", \
	  FUNC_EXAMPLES(raw_examples) }, \
	{ "consul_key", \
	  key_params, \
	  ARRAY_LEN(key_params), \
	  .flags = FUNC_UNREFINED, \
	  .returns = &type_string, \
	  .call = fn_consul_key, \
	  .doc = "Reads a key of Consul's store. Where Consul is and who asks is in the " \
		 "environment: `CONSUL_HTTP_ADDR`, `CONSUL_HTTP_TOKEN` and the other variables " \
		 "of Consul's own program.", \
	  FUNC_EXAMPLES(key_examples) }, \
	{ "vault", \
	  vault_params, \
	  ARRAY_LEN(vault_params), \
	  .flags = FUNC_UNREFINED, \
	  .returns = &type_string, \
	  .call = fn_vault, \
	  .doc = "Reads a key of a secret in Vault's key-value store, of either version; the " \
		 "path of version 2 has `data/` in it. Where Vault is and who asks is in the " \
		 "environment: `VAULT_ADDR`, `VAULT_TOKEN` and the other variables of Vault's " \
		 "own program. What it gives is hidden in all output.", \
	  FUNC_EXAMPLES(vault_examples) }

static const struct func rows[] = { ROWS(fn_secret, fn_secret_raw) };
static const struct func local_rows[] = { ROWS(fn_refused, fn_refused) };

const struct func_group func_group_server = { "Servers", rows, ARRAY_LEN(rows) };
const struct func_group func_group_server_local = { "Servers", local_rows, ARRAY_LEN(local_rows) };
