/* Vault's key-value stores. (Facts: Vault's HTTP API, and the variables of its own program.) */
#include "datasource/functions.h"

#include "base/clock.h"
#include "base/os.h"

#include <jansson.h>

#define DEFAULT_ADDRESS "https://127.0.0.1:8200"
#define DEFAULT_RETRIES 2
#define RETRY_PAUSE_MS 1000
#define TIMEOUT_MS 60000

static int environment(struct arena *a, struct server_env *ret, struct err *err)
{
	const char *agent = os_env("VAULT_AGENT_ADDR"),
		   *address = agent ? agent : os_env("VAULT_ADDR"),
		   *limit = os_env("VAULT_CLIENT_TIMEOUT");
	int64_t ns;

	*ret = (struct server_env){
		.trust = { .ca_bundle = os_env("VAULT_CACERT"),
			   .ca_path = os_env("VAULT_CAPATH"),
			   .client_cert = os_env("VAULT_CLIENT_CERT"),
			   .client_key = os_env("VAULT_CLIENT_KEY"),
			   .insecure = server_flag("VAULT_SKIP_VERIFY", false) },
		.total_ms = TIMEOUT_MS,
	};
	if (limit && clock_parse_duration(str_from(limit), &ns))
		ret->total_ms = ns / 1000000;
	return server_address(a, agent ? "VAULT_AGENT_ADDR" : "VAULT_ADDR",
			      address ? address : DEFAULT_ADDRESS, "https", ret, err);
}

/* What the server says about itself, in one line. */
static void add_said(struct arena *a, const struct http_response *r, struct err *err)
{
	json_t *o = json_loadb(buf_cstr(&r->body), r->body.n, 0, NULL);
	const json_t *errors = json_object_get(o, "errors");
	const char *said = json_string_value(json_array_get(errors, 0));

	said = said ? arena_printf(a, ": %s", said) : "";
	json_decref(o);
	err_set(err, r->status == 403 ? ERR_AUTH : ERR_REMOTE, "Vault answered with status %d%s%s",
		r->status, said,
		r->status == 403 ? " (is VAULT_TOKEN right, and may it read this path?)" : "");
}

/* A busy or sealed server is asked again. */
static int ask(struct arena *a, const struct server_env *env, const char *path,
	       struct http_response *ret, struct err *err)
{
	const char *namespace = os_env("VAULT_NAMESPACE"), *retries = os_env("VAULT_MAX_RETRIES");
	const char *headers[] = {
		"X-Vault-Request: true",
		arena_printf(a, "X-Vault-Token: %s", os_env("VAULT_TOKEN")),
		namespace ? arena_printf(a, "X-Vault-Namespace: %s", namespace) : NULL,
		NULL,
	};
	int64_t left = DEFAULT_RETRIES;

	if (retries && !parse_i64(str_from(retries), &left))
		return err_set(err, ERR_INVALID, "VAULT_MAX_RETRIES is \"%s\", and no number",
			       retries);
	for (;; left--) {
		if (server_get(env, path, "", headers, ret, err) < 0)
			return -1;
		if ((ret->status < 500 && ret->status != 412) || ret->status == 501 || left <= 0)
			return 0;
		clock_sleep(RETRY_PAUSE_MS, NULL);
	}
}

static int take(struct arena *a, const json_t *data, const char *key, const char **ret,
		struct err *err)
{
	/* Version 2 keeps data about the secret beside it. */
	const json_t *inner = json_object_get(data, "data");
	const json_t *v = json_object_get(json_is_object(inner) ? inner : data, key);

	if (json_is_string(v)) {
		*ret = arena_strdup(a, json_string_value(v));
		return 0;
	}
	if (!v || json_is_null(v))
		return err_set(err, ERR_NOT_FOUND, "the secret there has no key \"%s\"", key);
	return err_set(err, ERR_INVALID, "the value of \"%s\" is no text", key);
}

int vault_read(struct arena *a, const char *path, const char *key, const char **ret,
	       struct err *err)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	struct server_env env;
	const char *full;
	json_t *o, *data;
	int rc;

	if (!os_env("VAULT_TOKEN"))
		return err_set(err, ERR_INVALID, "the environment variable VAULT_TOKEN is not set");
	path += strspn(path, "/");
	full = arena_printf(a, "/v1/%s", path);
	if (environment(a, &env, err) < 0)
		return -1;
	if (ask(a, &env, full, &r, err) < 0)
		return err_prefix(err, "Vault, %s", path);
	o = json_loadb(buf_cstr(&r.body), r.body.n, 0, NULL);
	data = json_object_get(o, "data");
	if (r.status == 404 || (r.status == 200 && !json_is_object(data))) {
		rc = err_set(err, ERR_NOT_FOUND, "there is no secret at this path");
	} else if (r.status != 200) {
		add_said(a, &r, err);
		rc = -1;
	} else {
		rc = take(a, data, key, ret, err);
	}
	json_decref(o);
	return rc < 0 ? err_prefix(err, "Vault, %s", path) : 0;
}
