/* Requests to Vault and Consul. */
#include "datasource/functions.h"

#include "base/os.h"

#define SOCKET "unix://"

int server_address(struct arena *a, const char *name, const char *address, const char *scheme,
		   struct server_env *ret, struct err *err)
{
	size_t n;

	if (starts_with(address, SOCKET)) {
		ret->socket = arena_strdup(a, address + strlen(SOCKET));
		ret->base = "http://localhost";
		return 0;
	}
	if (!strstr(address, "://"))
		address = arena_printf(a, "%s://%s", scheme, address);
	else if (!starts_with(address, "http://") && !starts_with(address, "https://"))
		return err_set(err, ERR_INVALID, "%s is \"%s\", and no http, https or unix address",
			       name, address);
	for (n = strlen(address); n && address[n - 1] == '/';)
		n--;
	ret->base = arena_strndup(a, address, n);
	return 0;
}

bool server_flag(const char *name, bool otherwise)
{
	const char *v = os_env(name);
	struct str s = v ? str_from(v) : STR("");

	if (str_ieqs(s, "true") || str_ieqs(s, "t") || streq(v, "1"))
		return true;
	if (str_ieqs(s, "false") || str_ieqs(s, "f") || streq(v, "0"))
		return false;
	return otherwise;
}

static void add_escaped(struct buf *out, const char *path)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;
		bool plain = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
			     strchr("/-_.~$&+,:;=@", c);

		buf_printf(out, plain ? "%c" : "%%%02X", c);
	}
}

int server_get(const struct server_env *env, const char *path, const char *query,
	       const char *const *headers, struct http_response *ret, struct err *err)
{
	AUTO(http) struct http *h = http_new(&env->trust);
	AUTO(buf) struct buf url = BUF_INIT;

	buf_adds(&url, env->base);
	add_escaped(&url, path);
	buf_adds(&url, query);
	struct http_request req = {
		.method = "GET",
		.url = buf_cstr(&url),
		.headers = headers,
		.socket = env->socket,
		.total_ms = env->total_ms,
		.follow = true,
	};
	return http_do(h, &req, ret, err);
}
