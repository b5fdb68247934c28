/* Consul's key-value store. (Facts: Consul's HTTP API, and the variables of its own program.) */
#include "datasource/functions.h"

#include "base/os.h"

#include <jansson.h>

#define DEFAULT_ADDRESS "127.0.0.1:8500"
#define TOKEN_MAX 4096

static int environment(struct arena *a, struct server_env *ret, struct err *err)
{
	const char *address = os_env("CONSUL_HTTP_ADDR");

	*ret = (struct server_env){
		.trust = { .ca_bundle = os_env("CONSUL_CACERT"),
			   .ca_path = os_env("CONSUL_CAPATH"),
			   .client_cert = os_env("CONSUL_CLIENT_CERT"),
			   .client_key = os_env("CONSUL_CLIENT_KEY"),
			   .insecure = !server_flag("CONSUL_HTTP_SSL_VERIFY", true) },
	};
	return server_address(a, "CONSUL_HTTP_ADDR", address ? address : DEFAULT_ADDRESS,
			      server_flag("CONSUL_HTTP_SSL", false) ? "https" : "http", ret, err);
}

/* The file wins over the variable. */
static int find_token(struct arena *a, const char **ret, struct err *err)
{
	const char *file = os_env("CONSUL_HTTP_TOKEN_FILE");
	AUTO(buf) struct buf text = BUF_INIT;

	*ret = os_env("CONSUL_HTTP_TOKEN");
	if (!file)
		return 0;
	if (os_read_file(file, TOKEN_MAX, &text, err) < 0)
		return err_prefix(err, "CONSUL_HTTP_TOKEN_FILE");
	struct str token = str_trim(buf_str(&text));

	if (token.n)
		*ret = arena_strndup(a, token.p, token.n);
	if (text.p)
		explicit_bzero(text.p, text.n);
	return 0;
}

static int find_headers(struct arena *a, const char *headers[3], struct err *err)
{
	const char *token, *login = os_env("CONSUL_HTTP_AUTH");
	AUTO(buf) struct buf basic = BUF_INIT;
	size_t n = 0;

	if (find_token(a, &token, err) < 0)
		return -1;
	if (token)
		headers[n++] = arena_printf(a, "X-Consul-Token: %s", token);
	if (login) {
		buf_adds(&basic, "Authorization: Basic ");
		buf_add_base64(&basic, login, strlen(login));
		headers[n++] = arena_strdup(a, buf_cstr(&basic));
	}
	headers[n] = NULL;
	return 0;
}

static void add_query(struct buf *query, const char *name, const char *value)
{
	if (!value)
		return;
	buf_printf(query, "%c%s=", query->n ? '&' : '?', name);
	buf_add_uri(query, str_from(value), false);
}

static int take(struct arena *a, const struct http_response *r, const char **ret, struct err *err)
{
	json_t *o = json_loadb(buf_cstr(&r->body), r->body.n, 0, NULL);
	const char *value = json_string_value(json_object_get(json_array_get(o, 0), "Value"));
	AUTO(buf) struct buf bytes = BUF_INIT;
	struct str said = str_trim(buf_str(&r->body));
	int rc = 0;

	if (r->status == 404)
		rc = err_set(err, ERR_NOT_FOUND, "there is no such key");
	else if (r->status != 200)
		rc = err_set(err, r->status == 403 ? ERR_AUTH : ERR_REMOTE,
			     "Consul answered with status %d: %.*s", r->status,
			     (int)MIN(said.n, (size_t)200), said.p);
	else if (!json_is_array(o) || (value && buf_add_unbase64(&bytes, str_from(value)) < 0))
		rc = err_set(err, ERR_REMOTE, "what came is no answer of Consul");
	else if (!bytes.n)
		rc = err_set(err, ERR_NOT_FOUND, "its value is empty");
	else
		*ret = arena_strndup(a, bytes.p, bytes.n);
	json_decref(o);
	return rc;
}

int consul_read(struct arena *a, const char *key, const char **ret, struct err *err)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	AUTO(buf) struct buf query = BUF_INIT;
	const char *headers[3], *path;
	struct server_env env;

	key += *key == '/';
	path = arena_printf(a, "/v1/kv/%s", key);
	if (environment(a, &env, err) < 0 || find_headers(a, headers, err) < 0)
		return -1;
	add_query(&query, "ns", os_env("CONSUL_NAMESPACE"));
	add_query(&query, "partition", os_env("CONSUL_PARTITION"));
	if (server_get(&env, path, buf_cstr(&query), headers, &r, err) < 0 ||
	    take(a, &r, ret, err) < 0)
		return err_prefix(err, "Consul, %s", key);
	return 0;
}
