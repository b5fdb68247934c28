/* The environment of local scripts, and the verdict on exit statuses. */
#include "engine/script.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/os.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

extern char **environ;

/* Variables that lead an AWS client to a real account or another endpoint; "K" alone takes K away.
 */
static const char *const account_variables[] = {
	"AWS_PROFILE",
	"AWS_DEFAULT_PROFILE",
	"AWS_SESSION_TOKEN",
	"AWS_SECURITY_TOKEN",
	"AWS_ROLE_ARN",
	"AWS_ROLE_SESSION_NAME",
	"AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	"AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
	"AWS_CA_BUNDLE",
	"AWS_USE_FIPS_ENDPOINT",
	"AWS_USE_DUALSTACK_ENDPOINT",
	"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
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
	const char *path = os_env("PATH");
	/* Absolute: a script may change its directory. */
	auto_free char *dir = realpath(local->data_dir, NULL);
	auto_free char *bin = os_path_join(dir ? dir : local->data_dir, RUN_LOCAL_BIN);

	for (size_t i = 0; i < ARRAY_LEN(account_variables); i++)
		vec_push(&e->v, account_variables[i]);
	for (char **v = environ; *v; v++) /* AWS_ENDPOINT_URL_<SERVICE> */
		if (starts_with(*v, "AWS_ENDPOINT_URL_"))
			vec_push(&e->v, arena_strndup(e->arena, *v, strcspn(*v, "=")));
	env_put(e, "PATH",
		arena_printf(e->arena, "%s:%s", bin, path ? path : "/usr/local/bin:/usr/bin:/bin"));
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
	struct value_attr *v =
		arena_new_array(b->arena, struct value_attr, map_len(&b->generated) + nmore);

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
	return err_set(err, ERR_EXIT,
		       "Script exited with non-zero exit status: %d. Allowed exit codes are: [%s]",
		       status, valid->n ? buf_cstr(&list) : "0");
}

/* "%s='%s' " with name and value put in, whatever else the format holds. */
static void add_variable(struct buf *out, const char *format, const char *name, const char *value)
{
	const char *args[] = { name, value };
	size_t next = 0;

	for (const char *p = format; *p; p++) {
		if (p[0] == '%' && p[1] == 's' && next < ARRAY_LEN(args)) {
			buf_adds(out, args[next++]);
			p++;
		} else {
			buf_addc(out, *p);
		}
	}
}

/* ' ends the quoted word: '"'"' stands for it. */
static char *quote_inside(struct arena *a, const char *value)
{
	AUTO(buf) struct buf b = BUF_INIT;

	buf_add_shell_word(&b, str_from(value));
	return arena_strndup(a, b.p + 1, b.n - 2);
}

char *script_vars(struct build *b, const struct strs *list, const struct str_map *more,
		  const char *format)
{
	AUTO(map) struct map vars = MAP_INIT;
	AUTO(buf) struct buf out = BUF_INIT;
	auto_free const char **names = NULL;

	map_sets(&vars, "PACKER_BUILD_NAME", (char *)b->spec->bare_name);
	map_sets(&vars, "PACKER_BUILDER_TYPE", (char *)b->spec->type);
	if (build_get(b, "PackerHTTPAddr") && *build_get(b, "PackerHTTPAddr"))
		map_sets(&vars, "PACKER_HTTP_ADDR", (char *)build_get(b, "PackerHTTPAddr"));
	for (size_t i = 0; i < list->n; i++) {
		char *entry = list->v[i], *equals = strchr(entry, '=');

		map_set(&vars, (struct str){ entry, (size_t)(equals - entry) }, equals + 1);
	}
	for (size_t i = 0; i < more->n; i++)
		map_sets(&vars, more->v[i].key, more->v[i].value);
	names = xcalloc(map_len(&vars), sizeof(*names));
	for (size_t i = 0; i < map_len(&vars); i++)
		names[i] = map_key_at(&vars, i).p;
	sort_strings(names, map_len(&vars));
	for (size_t i = 0; i < map_len(&vars); i++)
		add_variable(&out, format, names[i],
			     quote_inside(b->arena, map_gets(&vars, names[i])));
	return arena_strdup(b->arena, buf_cstr(&out));
}
