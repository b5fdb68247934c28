/* Reader of the shared config and credentials files. Every setting becomes one row of a map under
 * "kind/name/key" (or "kind/name/sub/key"), and every section "kind/name", so that a look-up is one
 * get. Facts: the AWS SDKs' reference guide on the format of these files.
 */
#include "aws/files.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/os.h"

struct aws_files {
	struct arena *arena; /* all strings */
	struct map rows;
	char *config_path, *credentials_path;
};

struct reader {
	struct aws_files *files;
	const char *path;
	bool is_credentials;
	size_t line;
	char *section; /* "profile/dev", or NULL where settings are ignored */
	char *sub;     /* the key whose nested block is being read, or NULL */
};

static char *default_path(const char *env, const char *name)
{
	const char *set = os_env(env);
	auto_free char *home = NULL;
	auto_free char *dir = NULL;

	if (set && !starts_with(set, "~/"))
		return xstrdup(set);
	home = os_home(false);
	if (!home)
		return xstrdup(set ? set : "");
	if (set)
		return os_path_join(home, set + 2);
	dir = os_path_join(home, ".aws");
	return os_path_join(dir, name);
}

static void put(struct reader *r, const char *key, const char *value)
{
	map_sets(&r->files->rows, key, (char *)value);
}

/* "[profile dev]" → "profile/dev"; in the credentials file every name is a profile. */
static int read_header(struct reader *r, struct str line, struct err *err)
{
	const char *end = memchr(line.p, ']', line.n);
	struct str name, kind = STR("profile");
	size_t gap;

	if (!end)
		return err_set(err, ERR_INVALID, "%s:%zu: the section header has no \"]\"", r->path,
			       r->line);
	name = str_trim(str_slice(line, 1, (size_t)(end - line.p)));
	for (gap = 0; gap < name.n && name.p[gap] != ' ' && name.p[gap] != '\t'; gap++)
		;
	r->section = r->sub = NULL;
	if (!r->is_credentials && gap < name.n) {
		kind = str_slice(name, 0, gap);
		name = str_trim(str_slice(name, gap, name.n));
	} else if (!r->is_credentials && !str_eqs(name, "default")) {
		return 0; /* neither a profile nor anything else that is known */
	}
	if (name.n >= 2 && name.p[0] == '"' && name.p[name.n - 1] == '"')
		name = str_slice(name, 1, name.n - 1);
	r->section = arena_printf(r->files->arena, STR_FMT "/" STR_FMT, STR_ARG(kind),
				  STR_ARG(name));
	put(r, r->section, arena_strdup(r->files->arena, ""));
	return 0;
}

/* A " #" or " ;" starts a comment. */
static struct str strip_comment(struct str v)
{
	for (size_t i = 1; i < v.n; i++)
		if ((v.p[i] == '#' || v.p[i] == ';') && (v.p[i - 1] == ' ' || v.p[i - 1] == '\t'))
			return str_trim(str_slice(v, 0, i));
	return str_trim(v);
}

static void read_setting(struct reader *r, struct str line, bool indented)
{
	struct arena *a = r->files->arena;
	const char *eq = memchr(line.p, '=', line.n);
	struct str key, value;
	char *path;

	if (!eq || !r->section)
		return;
	key = str_trim(str_slice(line, 0, (size_t)(eq - line.p)));
	value = strip_comment(str_slice(line, (size_t)(eq - line.p) + 1, line.n));
	if (indented && r->sub)
		path = arena_printf(a, "%s/%s/" STR_FMT, r->section, r->sub, STR_ARG(key));
	else
		path = arena_printf(a, "%s/" STR_FMT, r->section, STR_ARG(key));
	if (!indented)
		r->sub = value.n ? NULL : arena_strndup(a, key.p, key.n);
	put(r, path, arena_strndup(a, value.p, value.n));
}

static int read_file(struct reader *r, bool required, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err e = ERR_INIT;
	struct str rest, line;
	int rc = 0;

	if (!*r->path)
		return 0;
	if (os_read_file(r->path, 1 << 20, &text, &e) < 0) {
		if (e.code == ERR_NOT_FOUND && !required)
			return 0;
		return err_move(err, &e);
	}
	rest = buf_str(&text);
	while (rc == 0 && str_split(&rest, '\n', &line)) {
		struct str t = str_trim(line);

		r->line++;
		if (t.n == 0 || t.p[0] == '#' || t.p[0] == ';')
			continue;
		if (t.p[0] == '[')
			rc = read_header(r, t, err);
		else
			read_setting(r, t, line.p[0] == ' ' || line.p[0] == '\t');
	}
	if (text.p)
		explicit_bzero(text.p, text.n); /* keys may stand in it */
	return rc;
}

int aws_files_load(const char *credentials_file, struct aws_files **ret, struct err *err)
{
	AUTO(aws_files) struct aws_files *f = xcalloc(1, sizeof(*f));
	struct reader config = { .files = f }, credentials = { .files = f, .is_credentials = true };

	f->arena = arena_new();
	f->config_path = default_path("AWS_CONFIG_FILE", "config");
	f->credentials_path = credentials_file
				      ? xstrdup(credentials_file)
				      : default_path("AWS_SHARED_CREDENTIALS_FILE", "credentials");
	config.path = f->config_path;
	credentials.path = f->credentials_path;
	if (read_file(&config, false, err) < 0 ||
	    read_file(&credentials, credentials_file != NULL, err) < 0)
		return -1;
	*ret = steal(f);
	return 0;
}

static bool is_secret(struct str key)
{
	return str_ends(key, "/aws_secret_access_key") || str_ends(key, "/aws_session_token");
}

void aws_files_free(struct aws_files *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < map_len(&f->rows); i++)
		if (is_secret(map_key_at(&f->rows, i)))
			explicit_bzero(map_at(&f->rows, i), strlen(map_at(&f->rows, i)));
	map_release(&f->rows);
	arena_free(f->arena);
	free(f->config_path);
	free(f->credentials_path);
	free(f);
}

bool aws_files_has(const struct aws_files *f, const char *kind, const char *name)
{
	auto_free char *path = xasprintf("%s/%s", kind, name);

	return map_gets(&f->rows, path) != NULL;
}

const char *aws_files_get(const struct aws_files *f, const char *kind, const char *name,
			  const char *sub, const char *key)
{
	auto_free char *path = sub ? xasprintf("%s/%s/%s/%s", kind, name, sub, key)
				   : xasprintf("%s/%s/%s", kind, name, key);
	const char *v = map_gets(&f->rows, path);

	return v && *v ? v : NULL;
}

const char *aws_files_config_path(const struct aws_files *f)
{
	return f->config_path;
}

const char *aws_files_credentials_path(const struct aws_files *f)
{
	return f->credentials_path;
}
