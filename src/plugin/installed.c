/* Finding plugin programs by their names, and making sure by their checksums that they are what was
 * installed. */
#include "plugin/installed.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/os.h"
#include "template/version.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __APPLE__
#define OS "darwin"
#else
#define OS "linux"
#endif
#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#elif defined(__i386__)
#define ARCH "386"
#elif defined(__arm__)
#define ARCH "arm"
#else
#define ARCH "other"
#endif

#define PREFIX "packer-plugin-"
#define SUFFIX "_" OS "_" ARCH
#define CHECKSUM "_SHA256SUM"

enum { DEPTH_MAX = 16 }; /* parts of a source */

void plugin_files_release(struct plugin_files *f)
{
	for (size_t i = 0; i < f->v.n; i++) {
		free(f->v.v[i].path);
		free(f->v.v[i].source);
		free(f->v.v[i].version);
	}
	vec_release(&f->v);
}

/* The directory of settings: an old one in the home is still taken if it is there. */
static char *config_dir(void)
{
	const char *given = os_env("PACKER_CONFIG_DIR"), *xdg = os_env("XDG_CONFIG_HOME");
	auto_free char *home = os_home(false), *old = NULL;

	if (given)
		return os_path_join(given, ".packer.d");
	if (!home)
		return NULL;
	old = os_path_join(home, ".packer.d");
	if (os_is_dir(old))
		return steal(old);
	return xdg ? os_path_join(xdg, "packer") : os_path_join(home, ".config/packer");
}

int plugin_directory(char **ret, struct err *err)
{
	const char *given = os_env("PACKER_PLUGIN_PATH");
	auto_free char *config = NULL;

	if (given && strchr(given, ':'))
		return err_set(err, ERR_INVALID,
			       "PACKER_PLUGIN_PATH must name one directory: %s", given);
	if (given) {
		*ret = xstrdup(given);
		return 0;
	}
	config = config_dir();
	if (!config)
		return err_set(err, ERR_NOT_FOUND,
			       "there is no home directory: set PACKER_PLUGIN_PATH");
	*ret = os_path_join(config, "plugins");
	return 0;
}

static bool checksum_fits(const char *path)
{
	auto_free char *sum_path = xasprintf("%s" CHECKSUM, path);
	AUTO(buf) struct buf program = BUF_INIT, sum = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	char hex[2 * SHA256_LEN + 1];
	uint8_t digest[SHA256_LEN];

	if (os_read_file(sum_path, 4096, &sum, &err) < 0 ||
	    os_read_file(path, 0, &program, &err) < 0) {
		log_line("plugin %s is left out: %s", path, err.msg);
		return false;
	}
	hash_sha256(program.p, program.n, digest);
	hash_hex(digest, sizeof(digest), hex);
	if (str_starts(str_trim(buf_str(&sum)), hex))
		return true;
	log_line("plugin %s is left out: its checksum is not that of %s", path, sum_path);
	return false;
}

/* The version in packer-plugin-NAME_vVERSION_xAPI_OS_ARCH; NULL if the file is not named so. */
static char *version_in(const char *file, const char *name)
{
	auto_free char *prefix = xasprintf(PREFIX "%s_v", name);
	const char *version, *end;

	if (!starts_with(file, prefix) || !ends_with(file, SUFFIX))
		return NULL;
	version = file + strlen(prefix);
	end = strstr(version, "_x");
	return end && end > version ? xstrndup(version, (size_t)(end - version)) : NULL;
}

static bool is_wanted(const char *version, const char *constraints)
{
	bool fits = false, pre;

	if (!constraints)
		return true;
	return version_satisfies(str_from(version), str_from(constraints), &fits, &pre) && fits;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

struct walk {
	const char *only, *constraints;
	struct plugin_files *files;
};

static int walk_dir(struct walk *w, const char *dir, const char *source, unsigned depth,
		    struct err *err);

static int take_entry(struct walk *w, const char *path, const char *source, const char *file,
		      unsigned depth, struct err *err)
{
	auto_free char *inner = *source ? xasprintf("%s/%s", source, file) : xstrdup(file),
		       *version = NULL;
	struct stat st;

	if (stat(path, &st) < 0)
		return 0; /* gone meanwhile, or a link to nothing */
	if (S_ISDIR(st.st_mode))
		return depth < DEPTH_MAX ? walk_dir(w, path, inner, depth + 1, err) : 0;
	version = version_in(file, os_basename(source));
	if (!version || (w->only && !streq(w->only, source)) ||
	    !is_wanted(version, w->constraints) || !checksum_fits(path))
		return 0;
	vec_push(&w->files->v,
		 (struct plugin_file){ xstrdup(path), xstrdup(source), steal(version) });
	return 0;
}

static int walk_dir(struct walk *w, const char *dir, const char *source, unsigned depth,
		    struct err *err)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_visible, by_name), rc = 0;

	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_errno(err, errno, "reading the directory %s", dir);
	for (int i = 0; i < n; i++) {
		auto_free char *path = os_path_join(dir, entries[i]->d_name);

		if (rc == 0)
			rc = take_entry(w, path, source, entries[i]->d_name, depth, err);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

/* By source, and older versions first. */
static int by_version(const void *x, const void *y)
{
	const struct plugin_file *a = x, *b = y;
	int order = strcmp(a->source, b->source);

	if (order == 0 && !version_compare(str_from(a->version), str_from(b->version), &order))
		order = strcmp(a->version, b->version);
	return order;
}

int plugin_list(const char *directory, const char *source, const char *constraints,
		struct plugin_files *ret, struct err *err)
{
	struct walk w = { source, constraints, ret };

	if (walk_dir(&w, directory, "", 0, err) < 0)
		return -1;
	if (ret->v.n)
		qsort(ret->v.v, ret->v.n, sizeof(*ret->v.v), by_version);
	return 0;
}

int plugin_remove(const char *path, struct err *err)
{
	auto_free char *sum = xasprintf("%s" CHECKSUM, path);

	if (unlink(path) < 0)
		return err_errno(err, errno, "removing %s", path);
	if (unlink(sum) < 0 && errno != ENOENT)
		return err_errno(err, errno, "removing %s", sum);
	return 0;
}
