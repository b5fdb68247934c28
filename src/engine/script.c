/* The environment of local scripts, and the verdict on exit statuses. */
#include "engine/script.h"
#include "base/buf.h"
#include "base/vec.h"

#include <string.h>

extern char **environ;

/* Variables that lead an AWS client to a real account or another endpoint; "K" alone takes K away. */
static const char *const account_variables[] = {
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN",
	"AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CA_BUNDLE", "AWS_USE_FIPS_ENDPOINT",
	"AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
};

struct env_list {
	struct arena *arena;
	VEC(const char *) v;
};

static void env_put(struct env_list *e, const char *name, const char *value)
{
	vec_push(&e->v, arena_printf(e->arena, "%s=%s", name, value ? value : ""));
}

static void put_local(struct env_list *e, const struct run_local *local)
{
	for (size_t i = 0; i < ARRAY_LEN(account_variables); i++)
		vec_push(&e->v, account_variables[i]);
	for (char **v = environ; *v; v++) /* AWS_ENDPOINT_URL_<SERVICE> */
		if (starts_with(*v, "AWS_ENDPOINT_URL_"))
			vec_push(&e->v, arena_strndup(e->arena, *v, strcspn(*v, "=")));
	env_put(e, "AWS_CONFIG_FILE", "/dev/null");
	env_put(e, "AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
	env_put(e, "AWS_EC2_METADATA_DISABLED", "true");
	env_put(e, "AWS_ENDPOINT_URL", local->endpoint);
	env_put(e, "AWS_ACCESS_KEY_ID", local->access_key);
	env_put(e, "AWS_SECRET_ACCESS_KEY", local->secret_key);
	env_put(e, "AWS_DEFAULT_REGION", local->region);
	env_put(e, "AWS_REGION", local->region);
}

const char *const *script_local_env(struct build *b, const char *const *extra)
{
	struct env_list e = { .arena = b->arena };
	const char **ret;

	env_put(&e, "PACKER_BUILD_NAME", b->spec->bare_name);
	env_put(&e, "PACKER_BUILDER_TYPE", b->spec->type);
	env_put(&e, "PACKER_RUN_UUID", b->run->uuid);
	if (b->run->local)
		put_local(&e, b->run->local);
	for (; extra && *extra; extra++)
		vec_push(&e.v, *extra);
	vec_push(&e.v, NULL);
	ret = arena_new_array(b->arena, const char *, e.v.n);
	memcpy(ret, e.v.v, e.v.n * sizeof(*ret));
	vec_release(&e.v);
	return ret;
}

struct value script_dot(struct build *b, const struct str_map *more)
{
	size_t n = 0, nmore = more ? more->n : 0;
	struct value_attr *v = arena_new_array(b->arena, struct value_attr, map_len(&b->generated) + nmore);

	for (size_t i = 0; i < nmore; i++, n++) {
		v[n].key = str_from(more->v[i].key);
		v[n].value = value_cstring(b->arena, more->v[i].value, (struct span){ 0 });
	}
	for (size_t i = 0; i < map_len(&b->generated); i++, n++) {
		v[n].key = map_key_at(&b->generated, i);
		v[n].value = value_cstring(b->arena, map_at(&b->generated, i), (struct span){ 0 });
	}
	return value_attrs_make(b->arena, VALUE_MAP, v, n, (struct span){ 0 });
}

int script_check_status(int status, const struct ints *valid, struct err *err)
{
	AUTO(buf) struct buf list = BUF_INIT;

	if (!valid->n && status == 0)
		return 0;
	for (size_t i = 0; i < valid->n; i++) {
		if (valid->v[i] == status)
			return 0;
		buf_printf(&list, "%s%lld", i ? " " : "", (long long)valid->v[i]);
	}
	err->os = status;
	return err_set(err, ERR_EXIT, "Script exited with non-zero exit status: %d. Allowed exit codes are: [%s]", status,
		       valid->n ? buf_cstr(&list) : "0");
}
