/* Secrets Manager, by the JSON protocol. */
#include "aws/secrets.h"

int aws_secret_get(const struct aws_client *c, const char *name, const char *version_id,
		   const char *version_stage, struct aws_secret *ret, struct err *err)
{
	struct aws_client client = aws_client_service(c, "secretsmanager");
	bool by_id = given(version_id);
	const char *stage = given(version_stage) ? version_stage : "AWSCURRENT";
	const char *version = by_id ? version_id : stage;
	json_t *body = json_pack("{s:s, s:s}", "SecretId", name,
				 by_id ? "VersionId" : "VersionStage", version);
	json_t *answer = NULL;
	int rc = aws_call_json(&client, "secretsmanager.GetSecretValue", body, &answer, err);

	json_decref(body);
	if (rc < 0) {
		if (err_is(err, "ResourceNotFoundException") ||
		    (err_is(err, "InvalidRequestException") && strstr(err->msg, "deleted")))
			err->code = ERR_NOT_FOUND;
		return err_prefix(err, "secret %s, version %s", name, version);
	}
	ret->name = aws_json_text(c->arena, answer, "Name");
	ret->version_id = aws_json_text(c->arena, answer, "VersionId");
	ret->text = aws_json_text(c->arena, answer, "SecretString");
	ret->binary = aws_json_text(c->arena, answer, "SecretBinary");
	json_decref(answer);
	return 0;
}

/* Numbers lose their fraction, as in the reference. */
static int as_text(struct arena *a, const char *key, const json_t *v, const char **ret,
		   struct err *err)
{
	if (json_is_string(v))
		*ret = arena_strdup(a, json_string_value(v));
	else if (json_is_number(v))
		*ret = arena_printf(a, "%.0f", json_number_value(v));
	else
		return err_set(err, ERR_INVALID, "its \"%s\" is neither text nor a number", key);
	return 0;
}

int aws_secret_pick(struct arena *a, const char *text, const char *key, bool only, const char **ret,
		    struct err *err)
{
	json_t *o = json_loads(text, 0, NULL);
	bool named = given(key);
	const json_t *v = NULL;
	int rc;

	if (!json_is_object(o)) {
		json_decref(o);
		*ret = arena_strdup(a, text);
		return 0;
	}
	if (!named)
		key = json_object_iter_key(json_object_iter(o));
	if (key)
		v = json_object_get(o, key);
	if (!named && only && json_object_size(o) > 1)
		rc = err_set(err, ERR_INVALID,
			     "it holds %zu values: say by its key which one is meant",
			     json_object_size(o));
	else if (!v)
		rc = err_set(err, ERR_NOT_FOUND, "it has no key \"%s\"", key ? key : "");
	else
		rc = as_text(a, key, v, ret, err);
	json_decref(o);
	return rc;
}
