/* Which Debian mirrors the host uses, read from apt's one-line and deb822 source files. Third-party
 * repositories are left out: their keys are not in the image and their packages not wanted there.
 */
#include "base/os.h"
#include "base/str.h"
#include "base/vec.h"
#include "cloud/baseimage/root.h"

#include <dirent.h>
#include <string.h>

#define SOURCES_MAX ((size_t)1 << 20)
#define KEYRING "/usr/share/keyrings/debian-archive-keyring.gpg"

static const char fallback[] = "Types: deb\n"
			       "URIs: http://deb.debian.org/debian\n"
			       "Suites: bookworm bookworm-updates\n"
			       "Components: main\n"
			       "Signed-By: " KEYRING "\n\n"
			       "Types: deb\n"
			       "URIs: http://deb.debian.org/debian-security\n"
			       "Suites: bookworm-security\n"
			       "Components: main\n"
			       "Signed-By: " KEYRING "\n\n";

static const char *const suites[] = { "bookworm", "bookworm-updates", "bookworm-security" };

static bool next_word(struct str *rest, struct str *ret)
{
	*rest = str_trim(*rest);
	if (!rest->n)
		return false;
	*ret = (struct str){ rest->p, 0 };
	while (ret->n < rest->n && !memchr(" \t\n", rest->p[ret->n], 3))
		ret->n++;
	*rest = str_slice(*rest, ret->n, rest->n);
	return true;
}

static bool has_word(struct str list, const char *word)
{
	struct str w;

	while (next_word(&list, &w))
		if (str_eqs(w, word))
			return true;
	return false;
}

/* "http://user:password@host/…" without what is before the @. */
static void add_uri(struct buf *out, struct str uri)
{
	ptrdiff_t scheme = str_find(uri, STR("://"));
	size_t host = scheme < 0 ? 0 : (size_t)scheme + 3, end = host;

	for (size_t i = host; i < uri.n && uri.p[i] != '/'; i++)
		if (uri.p[i] == '@')
			end = i + 1;
	buf_add(out, uri.p, host);
	buf_add_str(out, str_slice(uri, end, uri.n));
}

/* One source, if it is Debian 12's own. */
static void add_source(struct buf *out, struct str uris, struct str suite_list,
		       struct str components)
{
	AUTO(buf) struct buf kept = BUF_INIT;
	struct str uri;

	for (size_t i = 0; i < ARRAY_LEN(suites); i++)
		if (has_word(suite_list, suites[i]))
			buf_printf(&kept, " %s", suites[i]);
	if (!kept.n || !has_word(components, "main"))
		return;
	while (next_word(&uris, &uri)) {
		if (!str_starts(uri, "http://") && !str_starts(uri, "https://"))
			continue;
		buf_adds(out, "Types: deb\nURIs: ");
		add_uri(out, uri);
		buf_printf(out, "\nSuites:%s\nComponents: main\nSigned-By: " KEYRING "\n\n",
			   buf_cstr(&kept));
	}
}

/* "deb [options] uri suite component…" */
static void read_one_line(struct buf *out, struct str text)
{
	struct str line, word, uri, suite;

	while (str_split(&text, '\n', &line)) {
		struct str rest = line;

		if (!next_word(&rest, &word) || !str_eqs(word, "deb") || !next_word(&rest, &uri))
			continue;
		if (str_starts(uri, "[")) {
			while (!str_ends(uri, "]") && next_word(&rest, &uri))
				;
			if (str_find(line, STR("signed-by=")) >= 0 &&
			    str_find(line, STR("debian-archive")) < 0)
				continue;
			if (!next_word(&rest, &uri))
				continue;
		}
		if (next_word(&rest, &suite))
			add_source(out, uri, suite, rest);
	}
}

struct stanza {
	struct str uris, suites, components;
	bool deb, foreign_key, disabled;
};

static void stanza_field(struct stanza *s, struct str line)
{
	ptrdiff_t colon = str_find(line, STR(":"));
	struct str name, value;

	if (colon < 0 || line.p[0] == '#' || line.p[0] == ' ')
		return;
	name = str_slice(line, 0, (size_t)colon);
	value = str_trim(str_slice(line, (size_t)colon + 1, line.n));
	if (str_ieqs(name, "types"))
		s->deb = has_word(value, "deb");
	else if (str_ieqs(name, "uris"))
		s->uris = value;
	else if (str_ieqs(name, "suites"))
		s->suites = value;
	else if (str_ieqs(name, "components"))
		s->components = value;
	else if (str_ieqs(name, "enabled"))
		s->disabled = str_ieqs(value, "no");
	else if (str_ieqs(name, "signed-by"))
		s->foreign_key = str_find(value, STR("debian-archive")) < 0;
}

static void stanza_end(struct buf *out, struct stanza *s)
{
	if (s->deb && !s->foreign_key && !s->disabled)
		add_source(out, s->uris, s->suites, s->components);
	*s = (struct stanza){ 0 };
}

static void read_deb822(struct buf *out, struct str text)
{
	struct stanza s = { 0 };
	struct str line;

	while (str_split(&text, '\n', &line)) {
		if (str_trim(line).n)
			stanza_field(&s, line);
		else
			stanza_end(out, &s);
	}
	stanza_end(out, &s);
}

static void read_source_file(struct buf *out, const char *path)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err ignored = ERR_INIT;

	if (os_read_file(path, SOURCES_MAX, &text, &ignored) < 0)
		return;
	if (ends_with(path, ".sources"))
		read_deb822(out, buf_str(&text));
	else
		read_one_line(out, buf_str(&text));
}

void base_apt_sources(const char *apt_dir, struct buf *ret)
{
	auto_free char *list = xasprintf("%s/sources.list", apt_dir),
		       *parts = xasprintf("%s.d", list);
	VEC(const char *) names = VEC_INIT;
	size_t start = ret->n;
	struct dirent *e;
	DIR *d = opendir(parts);

	read_source_file(ret, list);
	while (d && (e = readdir(d)))
		if (ends_with(e->d_name, ".list") || ends_with(e->d_name, ".sources"))
			vec_push(&names, xstrdup(e->d_name));
	if (d)
		closedir(d);
	sort_strings(names.v, names.n);
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *path = xasprintf("%s/%s", parts, names.v[i]);

		read_source_file(ret, path);
		free((char *)names.v[i]);
	}
	vec_release(&names);
	if (ret->n == start)
		buf_adds(ret, fallback);
}
