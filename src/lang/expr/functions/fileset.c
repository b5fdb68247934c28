/* Files by pattern. Braces are written out first, so that each form is a plain list of names; then
 * directories are read only where a name has a wildcard. */
#include "lang/expr/functions/fileset.h"

#include "lang/expr/text.h"

#include "base/cluster.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

void paths_release(struct paths *p)
{
	for (size_t i = 0; i < p->v.n; i++)
		free(p->v.v[i]);
	vec_release(&p->v);
}

static int bad_pattern(const char *pattern, const char *why, struct err *err)
{
	return err_set(err, ERR_INVALID, "the pattern %s is malformed: %s", pattern, why);
}

/* Whether a class, from after "[" to before "]", is one: not empty, hyphens only between two
 * characters. */
static bool class_valid(struct str class)
{
	size_t i = class.n && class.p[0] == '^';

	if (!class.n)
		return false;
	for (int ends = 0; i < class.n; i++) {
		if (class.p[i] == '-') {
			if (!ends || i + 1 == class.n || class.p[i + 1] == '-')
				return false;
			ends = -1;
			continue;
		}
		i += class.p[i] == '\\';
		ends++;
	}
	return true;
}

/* The end of what begins at i: past an escaped character, a whole [class], or one byte. 0: it has
 * no end, or is malformed. */
static size_t piece_end(struct str s, size_t i)
{
	size_t from;

	if (s.p[i] == '\\')
		return i + 2 <= s.n ? i + 2 : 0;
	if (s.p[i] != '[')
		return i + 1;
	for (from = ++i; i < s.n && s.p[i] != ']'; i++)
		i += s.p[i] == '\\';
	return i < s.n && class_valid(str_slice(s, from, i)) ? i + 1 : 0;
}

#define NO_PIECE "something in it has no end, or a class in it is none"

/* Cuts what stands between the braces that open at `open` into its options; *ret_end is behind the
 * closing one. */
static int split_options(const char *pattern, size_t open, struct paths *ret, size_t *ret_end,
			 struct err *err)
{
	struct str s = str_from(pattern);
	size_t i = open + 1, from = i, depth = 0;

	while (i < s.n && !(s.p[i] == '}' && !depth)) {
		depth += s.p[i] == '{';
		depth -= s.p[i] == '}';
		if (s.p[i] == ',' && !depth) {
			vec_push(&ret->v, xstrndup(s.p + from, i - from));
			from = i + 1;
		}
		if (!(i = piece_end(s, i)))
			return bad_pattern(pattern, NO_PIECE, err);
	}
	if (i >= s.n)
		return bad_pattern(pattern, "a brace is not closed", err);
	vec_push(&ret->v, xstrndup(s.p + from, i - from));
	*ret_end = i + 1;
	return 0;
}

/* Writes out the first braces of a pattern, and those that are left again; patterns without any are
 * done. */
static int expand(const char *pattern, int braces, struct paths *ret, struct err *err)
{
	AUTO(paths) struct paths options = { 0 };
	struct str s = str_from(pattern);
	size_t open = 0, end = 0;

	while (open < s.n && s.p[open] != '{')
		if (!(open = piece_end(s, open)))
			return bad_pattern(pattern, NO_PIECE, err);
	if (open < s.n ? braces == FILESET_BRACES_MAX : ret->v.n == FILESET_FORMS_MAX)
		return bad_pattern(pattern, "its braces stand for too many patterns", err);
	if (open == s.n) {
		vec_push(&ret->v, xstrdup(pattern));
		return 0;
	}
	if (split_options(pattern, open, &options, &end, err) < 0)
		return -1;
	for (size_t k = 0; k < options.v.n; k++) {
		auto_free char *form =
			xasprintf(STR_FMT "%s%s", (int)open, s.p, options.v.v[k], s.p + end);

		if (expand(form, braces + 1, ret, err) < 0)
			return -1;
	}
	return 0;
}

/* The character at *i, which a backslash may stand before. */
static ucs4_t take(struct str s, size_t *i)
{
	size_t n;
	ucs4_t c;

	*i += *i + 1 < s.n && s.p[*i] == '\\';
	c = str_rune(s, *i, &n);
	*i += n;
	return c;
}

/* Whether a class, from after "[" to before "]", has c. False for a malformed one. */
static bool class_has(struct str class, ucs4_t c)
{
	size_t i = class.n && class.p[0] == '^';
	bool has = false, negated = i;

	while (i < class.n) {
		ucs4_t low, high;

		if (class.p[i] == '-')
			return false;
		low = high = take(class, &i);
		if (i < class.n && class.p[i] == '-') {
			if (++i == class.n)
				return false;
			high = take(class, &i);
		}
		has |= low <= c && c <= high;
	}
	return has != negated;
}

/* Whether all of a name matches all of a pattern without slashes and braces. After a mismatch the
 * last star takes one character more. */
static bool name_matches(struct str pattern, struct str name)
{
	size_t p = 0, i = 0, star = SIZE_MAX, star_name = 0;

	while (i < name.n) {
		size_t after = p, n;
		ucs4_t c = str_rune(name, i, &n);
		bool ok = false;

		if (p < pattern.n && pattern.p[p] == '*') {
			star = ++p;
			star_name = i;
			continue;
		}
		if (p < pattern.n && pattern.p[p] == '?') {
			after++;
			ok = true;
		} else if (p < pattern.n && pattern.p[p] == '[') {
			after = piece_end(pattern, p);
			ok = class_has(str_slice(pattern, p + 1, after - 1), c);
		} else if (p < pattern.n) {
			ok = take(pattern, &after) == c;
		}
		if (ok) {
			p = after;
			i += n;
			continue;
		}
		if (star == SIZE_MAX)
			return false;
		str_rune(name, star_name, &n);
		star_name += n;
		i = star_name;
		p = star;
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static bool has_wildcard(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("*?[\\", s.p[i]))
			return true;
	return false;
}

static int found(const char *path, struct paths *ret, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return 0;
	if (stat(path, &st) < 0)
		return err_errno(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return 0;
	if (ret->v.n == FILESET_MAX)
		return err_set(err, ERR_INVALID, "the pattern matches more than %d files",
			       FILESET_MAX);
	vec_push(&ret->v, xstrdup(path));
	return 0;
}

static char *below(const char *dir, const char *name)
{
	return xasprintf("%s%s%s", dir, !*dir || dir[strlen(dir) - 1] == '/' ? "" : "/", name);
}

static int walk(const char *dir, struct str pattern, int depth, struct paths *ret, struct err *err);

/* One entry of a directory that is read for `part`, with `rest` after it. */
static int entry(const char *dir, const char *name, struct str part, struct str rest,
		 struct str whole, int depth, struct paths *ret, struct err *err)
{
	auto_free char *path = below(dir, name);
	bool any = str_eqs(part, "**");
	struct stat st;

	if (!any) {
		if (!name_matches(part, str_from(name)))
			return 0;
		return rest.p ? walk(path, rest, depth, ret, err) : found(path, ret, err);
	}
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return walk(path, whole, depth + 1, ret, err);
	return rest.p ? 0 : found(path, ret, err);
}

/* The part of a pattern before its first slash; *rest has no p where there is none. */
static struct str first_part(struct str pattern, struct str *rest)
{
	for (size_t i = 0; i < pattern.n; i = piece_end(pattern, i))
		if (pattern.p[i] == '/') {
			*rest = str_slice(pattern, i + 1, pattern.n);
			return str_slice(pattern, 0, i);
		}
	*rest = (struct str){ 0 };
	return pattern;
}

static int walk(const char *dir, struct str pattern, int depth, struct paths *ret, struct err *err)
{
	struct str rest, part = first_part(pattern, &rest);
	struct dirent *e;
	int status = 0;
	DIR *d;

	if (strlen(dir) >= PATH_MAX) /* as no file's name is */
		return 0;
	while (str_eqs(part, "**") && rest.p && (str_eqs(rest, "**") || str_starts(rest, "**/"))) {
		pattern = rest; /* a second one adds nothing but time */
		part = first_part(pattern, &rest);
	}
	if (depth > FILESET_DEPTH_MAX)
		return err_set(err, ERR_INVALID, "%s is more than %d directories deep", dir,
			       FILESET_DEPTH_MAX);
	if (!has_wildcard(part)) {
		auto_free char *name = xstrndup(part.p, part.n), *path = below(dir, name);

		return rest.p ? walk(path, rest, depth, ret, err) : found(path, ret, err);
	}
	if (str_eqs(part, "**") && rest.p && walk(dir, rest, depth, ret, err) < 0)
		return -1;
	d = opendir(*dir ? dir : ".");
	if (!d)
		return 0;
	while (!status && (e = readdir(d)))
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			status = entry(dir, e->d_name, part, rest, pattern, depth, ret, err);
	closedir(d);
	return status;
}

int fileset_find(const char *pattern, struct paths *ret, struct err *err)
{
	AUTO(paths) struct paths forms = { 0 };

	if (expand(pattern, 0, &forms, err) < 0)
		return -1;
	for (size_t i = 0; i < forms.v.n; i++) {
		const char *p = forms.v.v[i];
		bool absolute = *p == '/';

		if (*p && walk(absolute ? "/" : "", str_from(p + absolute), 0, ret, err) < 0)
			return -1;
	}
	return 0;
}
