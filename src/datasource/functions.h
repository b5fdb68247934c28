/* Functions that ask a server: vault, consul_key, aws_secretsmanager, aws_secretsmanager_raw. HCL
 * calls them by func_group_server, legacy templates by the same rows (engine/registry.h). */
#ifndef INGOT_DATASOURCE_FUNCTIONS_H
#define INGOT_DATASOURCE_FUNCTIONS_H

#include "aws/http.h"
#include "lang/expr/func.h"

extern const struct func_group func_group_server;
/* The same for a rehearsal: what would read a real AWS account is refused. */
extern const struct func_group func_group_server_local;

/* A member of the secret at path, of a KV store of either version; where Vault is and who asks
 * comes from the environment, as for its own program (VAULT_ADDR, VAULT_TOKEN, VAULT_CACERT, …). In
 * the arena. */
int vault_read(struct arena *a, const char *path, const char *key, const char **ret,
	       struct err *err) MUST_USE;
/* The value of a key of Consul's store; CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN, … */
int consul_read(struct arena *a, const char *key, const char **ret, struct err *err) MUST_USE;

/* What both have in common. */
struct server_env {
	const char *base;   /* "https://host:8200/prefix" */
	const char *socket; /* path of a Unix socket, or NULL */
	struct http_settings trust;
	int64_t total_ms;
};
/* Takes an address apart: "host:1", "http://…", "unix:///path"; without a scheme it is given the
 * one. `name` is the variable it comes from. */
int server_address(struct arena *a, const char *name, const char *address, const char *scheme,
		   struct server_env *ret, struct err *err) MUST_USE;
/* Whether a variable says yes ("1", "true"; "0", "false"), else `otherwise`. */
bool server_flag(const char *name, bool otherwise);
/* GET base + path (as it stands, escaped here). Errors: those of http_do. */
int server_get(const struct server_env *env, const char *path, const char *query,
	       const char *const *headers, struct http_response *ret, struct err *err) MUST_USE;

#endif
