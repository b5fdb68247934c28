/* Paths as text, by the rules of Go's path/filepath. */
#include "base/path.h"

#include "base/buf.h"
#include "base/os.h"

#include <sys/stat.h>
#include <unistd.h>

char *path_clean(struct str path)
{
	bool absolute = path.n && path.p[0] == '/';
	AUTO(buf) struct buf out = BUF_INIT;
	struct str part, rest = path;
	size_t keep = 0; /* what ".." cannot take back */

	if (absolute)
		buf_addc(&out, '/');
	keep = out.n;
	while (str_split(&rest, '/', &part)) {
		bool up = str_eqs(part, "..");

		if (!part.n || str_eqs(part, "."))
			continue;
		if (up && out.n > keep) {
			while (out.n > keep && out.p[out.n - 1] != '/')
				buf_truncate(&out, out.n - 1);
			if (out.n > keep)
				buf_truncate(&out, out.n - 1);
			continue;
		}
		if (up && absolute)
			continue;
		if (out.n > (size_t)absolute)
			buf_addc(&out, '/');
		buf_add_str(&out, part);
		if (up)
			keep = out.n;
	}
	return out.n ? buf_steal(&out) : xstrdup(".");
}

char *path_join(const char *a, const char *b)
{
	auto_free char *both = xasprintf("%s%s%s", a, *a && *b ? "/" : "", b);

	return *both ? path_clean(str_from(both)) : steal(both);
}

char *path_rel(const char *base, const char *target)
{
	auto_free char *from = path_clean(str_from(base)), *to = path_clean(str_from(target));
	struct str f = streq(from, ".") ? STR("") : str_from(from), t = str_from(to);
	AUTO(buf) struct buf out = BUF_INIT;
	size_t i = 0, common = 0;
	struct str part;

	if (streq(from, to))
		return xstrdup(".");
	if ((from[0] == '/') != (to[0] == '/'))
		return NULL;
	while (i < f.n && i < t.n && f.p[i] == t.p[i])
		if (f.p[i++] == '/')
			common = i;
	if ((i == f.n && (i == t.n || t.p[i] == '/')) || (i == t.n && f.p[i] == '/'))
		common = i;
	f = str_slice(f, common, f.n);
	t = str_slice(t, common, t.n);
	if (f.n && f.p[0] == '/')
		f = str_slice(f, 1, f.n);
	if (t.n && t.p[0] == '/')
		t = str_slice(t, 1, t.n);
	while (f.n && str_split(&f, '/', &part)) {
		if (str_eqs(part, ".."))
			return NULL;
		if (part.n)
			buf_adds(&out, out.n ? "/.." : "..");
	}
	if (t.n) {
		if (out.n)
			buf_addc(&out, '/');
		buf_add_str(&out, t);
	}
	return buf_steal(&out);
}

char *path_basename(struct str path)
{
	if (!path.n)
		return xstrdup(".");
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	if (!path.n)
		return xstrdup("/");
	for (size_t i = path.n; i-- > 0;)
		if (path.p[i] == '/')
			return xstrndup(path.p + i + 1, path.n - i - 1);
	return xstrndup(path.p, path.n);
}

char *path_dirname(struct str path)
{
	while (path.n && path.p[path.n - 1] != '/')
		path.n--;
	return path_clean(path);
}

char *path_cwd(void)
{
	const char *pwd = os_env("PWD");
	struct stat named, here;

	if (pwd && *pwd == '/' && stat(pwd, &named) == 0 && stat(".", &here) == 0 &&
	    named.st_dev == here.st_dev && named.st_ino == here.st_ino)
		return xstrdup(pwd);
	return getcwd(NULL, 0);
}

char *path_abs(const char *path)
{
	auto_free char *cwd = *path == '/' ? NULL : path_cwd();
	auto_free char *joined = os_path_join(cwd ? cwd : "/", path);

	return path_clean(str_from(joined));
}

char *path_expand_home(struct str path)
{
	auto_free char *home = NULL, *rest = NULL;

	if (!path.n || path.p[0] != '~')
		return xstrndup(path.p, path.n);
	if (path.n > 1 && path.p[1] != '/' && path.p[1] != '\\')
		return NULL;
	home = os_home(false);
	rest = xstrndup(path.p + 1, path.n - 1);
	return home ? path_join(home, rest) : NULL;
}
