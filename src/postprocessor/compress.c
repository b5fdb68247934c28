/* compress: packs the artifact's files into one archive, or compresses the only one. The name's
 * endings say how; libarchive does the work, but for BGZF, which it cannot write. */
#include "base/libarchive.h"
#include "base/os.h"
#include "base/vec.h"
#include "engine/component.h"
#include "engine/script.h"
#include "postprocessor/bgzf.h"
#include "postprocessor/files.h"
#include "spec/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct compress_config {
	char *output, *format;
	int64_t compression_level;
	char *archive, *algorithm; /* what the endings do not say */
};

static const char *const archive_names[] = { "tar", "zip", NULL };
static const char *const algorithm_names[] = { "pgzip", "bgzf", "lz4", "xz", "bzip2", NULL };

static const struct spec_row rows[] = {
	SPEC_STR(struct compress_config, output, .flags = SPEC_LATE,
		 .def = "packer_{{.BuildName}}_{{.BuilderType}}",
		 .doc = "Path of the archive. Its extension selects the format: `.tar`, `.zip`, "
			"`.gz`, `.bgzf`, `.lz4`, `.xz`, `.bzip2`, or `.tar` and one of these; "
			"any other means tar with gzip. May contain `{{.BuildName}}` and "
			"`{{.BuilderType}}`."),
	SPEC_STR(struct compress_config, format,
		 .doc = "Format to use instead of the extension of `output`."),
	SPEC_INT(struct compress_config, compression_level, .def = "-1",
		 .doc = "Compression level for gzip, bgzf, lz4 and xz: 1 (fastest) to 9 "
			"(smallest), or -1 for the default of the format."),
	SPEC_STR(struct compress_config, archive, .flags = SPEC_HIDDEN, .choices = archive_names,
		 .doc = "Archive format, `tar` or `zip`, if the extension names none."),
	SPEC_STR(struct compress_config, algorithm, .flags = SPEC_HIDDEN,
		 .choices = algorithm_names,
		 .doc = "Compression, if the extension names only an archive format."),
};
static const struct spec spec =
	SPEC("compress", struct compress_config, rows,
	     .doc = "Compresses the artifact's files into one archive and removes them.");

static const struct algorithm {
	const char *ending, *name; /* as the progress lines call it */
	bool one_core;
	const char *library_name; /* of libarchive's filter options; NULL: not by libarchive */
	int least_level; /* below 0 all mean the default */
} algorithms[] = {
	{ "gz", "pgzip", false, "gzip", -2 },
	{ "bgzf", "bgzf", false, NULL, -1 },
	{ "lz4", "lz4", false, "lz4", INT_MIN },
	{ "xz", "xz", true, "xz", INT_MIN },
	{ "bzip2", "bzip2", true, "bzip2", INT_MIN },
};

/* What one run makes. */
struct job {
	struct build *b;
	const char *target;
	const char *archive; /* "tar", "zip" or NULL */
	const struct algorithm *algorithm; /* NULL: none */
	int level;
	int fd;
	struct archive *a;
	struct bgzf bgzf;
	struct err *err;
};

static const struct algorithm *find_algorithm(struct str ending)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		if (str_eqs(ending, algorithms[i].ending))
			return &algorithms[i];
	return NULL;
}

/* The last and the last but one of the endings of lower-case letters and digits. */
static void find_endings(const char *path, struct str *last, struct str *before)
{
	*last = *before = (struct str){ 0 };
	for (const char *p = path; *p; p++) {
		size_t n = *p == '.' ? strspn(p + 1, "abcdefghijklmnopqrstuvwxyz0123456789") : 0;

		if (!n)
			continue;
		*before = *last;
		*last = (struct str){ p + 1, n };
	}
}

/* By the output as it is written in the template: a name that is rendered into it says nothing. */
static void choose_format(struct job *j, const struct compress_config *c)
{
	auto_free char *name =
		c->format ? xasprintf("%s.%s", c->output, c->format) : xstrdup(c->output);
	struct str last, before;

	j->archive = c->archive;
	for (size_t i = 0; c->algorithm && i < ARRAY_LEN(algorithms); i++)
		if (streq(c->algorithm, algorithms[i].name))
			j->algorithm = &algorithms[i];

	find_endings(name, &last, &before);
	if (str_eqs(before, "tar"))
		j->archive = "tar";
	if (str_eqs(last, "tar") || str_eqs(last, "zip")) {
		j->archive = str_eqs(last, "zip") ? "zip" : "tar";
		return;
	}
	j->algorithm = find_algorithm(last);
	if (!j->algorithm) {
		j->archive = "tar";
		j->algorithm = find_algorithm(STR("gz"));
	}
}

static int archive_error(struct job *j, const char *what)
{
	const char *text = libarchive.error_string(j->a);

	return err_set(j->err, ERR_IO, "%s %s: %s", what, j->target,
		       text ? text : "libarchive failed");
}

static la_ssize_t write_bgzf(struct archive *a UNUSED, void *data, const void *p, size_t n)
{
	struct job *j = data;

	return bgzf_write(&j->bgzf, p, n, j->err) < 0 ? -1 : (la_ssize_t)n;
}

static int set_level(struct job *j)
{
	char level[8];

	if (!j->algorithm || !j->algorithm->library_name || j->level < 0 ||
	    streq(j->algorithm->ending, "bzip2"))
		return 0;
	snprintf(level, sizeof(level), "%d", j->level);
	if (libarchive.write_set_filter_option(j->a, j->algorithm->library_name,
					       "compression-level", level) != ARCHIVE_OK)
		return archive_error(j, "setting the compression level of");
	return 0;
}

static int open_archive(struct job *j)
{
	int (*filters[])(struct archive *) = { libarchive.write_add_filter_gzip,
					       libarchive.write_add_filter_none,
					       libarchive.write_add_filter_lz4,
					       libarchive.write_add_filter_xz,
					       libarchive.write_add_filter_bzip2 };
	int (*filter)(struct archive *) = j->algorithm ? filters[j->algorithm - algorithms]
						       : libarchive.write_add_filter_none;
	int r;

	j->a = libarchive.write_new();
	libarchive.write_set_bytes_in_last_block(j->a, 1);
	r = filter(j->a);
	if (r >= ARCHIVE_WARN) {
		if (!j->archive)
			r = libarchive.write_set_format_raw(j->a);
		else if (streq(j->archive, "zip"))
			r = libarchive.write_set_format_zip(j->a);
		else
			r = libarchive.write_set_format_pax_restricted(j->a);
	}
	if (r < ARCHIVE_WARN || set_level(j) < 0)
		return err_any(j->err) ? -1 : archive_error(j, "making");
	if (j->algorithm && !j->algorithm->library_name) {
		if (bgzf_open(&j->bgzf, j->fd, j->level, j->err) < 0)
			return -1;
		r = libarchive.write_open(j->a, j, NULL, write_bgzf, NULL);
	} else {
		r = libarchive.write_open_fd(j->a, j->fd);
	}
	return r < ARCHIVE_WARN ? archive_error(j, "making") : 0;
}

static int copy_data(struct job *j, int from, const char *path)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(from, chunk, sizeof(chunk))) > 0) {
		if (cancel_check(j->b->cancel, j->err) < 0)
			return -1;
		if (libarchive.write_data(j->a, chunk, (size_t)n) != n)
			return err_any(j->err) ? -1 : archive_error(j, "writing");
	}
	return n < 0 ? err_errno(j->err, errno, "reading %s", path) : 0;
}

/* tar keeps base names, zip the paths as given. */
static int add_file(struct job *j, const char *path)
{
	struct archive_entry *e = libarchive.entry_new();
	auto_fd int from = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int ret = 0;

	if (from < 0 || fstat(from, &st) < 0)
		ret = err_errno(j->err, errno, "opening %s", path);
	if (ret == 0) {
		libarchive.entry_set_pathname(
			e, j->archive && streq(j->archive, "zip") ? path : os_basename(path));
		libarchive.entry_set_size(e, st.st_size);
		libarchive.entry_set_filetype(e, AE_IFREG);
		libarchive.entry_set_perm(e, st.st_mode & 07777);
		libarchive.entry_set_mtime(e, st.st_mtime, 0);
		if (libarchive.write_header(j->a, e) < ARCHIVE_WARN)
			ret = archive_error(j, "writing");
	}
	libarchive.entry_free(e);
	return ret < 0 ? ret : copy_data(j, from, path);
}

static void say_what(struct job *j)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (j->algorithm && j->algorithm->one_core)
		build_say(j->b, "Using %s compression with 1 core for %s", j->algorithm->name,
			  j->target);
	else if (j->algorithm)
		build_say(j->b, "Using %s compression with %ld core%s for %s", j->algorithm->name,
			  cores, cores == 1 ? "" : "s", j->target);
	if (j->archive && streq(j->archive, "zip"))
		build_say(j->b, "Zipping %s", j->target);
	else if (j->archive)
		build_say(j->b, "Tarring %s with %s", j->target,
			  j->algorithm ? j->algorithm->name : "no compression");
}

static int pack(struct job *j, char *const *files)
{
	size_t n = 0;
	int ret;

	while (files && files[n])
		n++;
	ret = open_archive(j);
	if (ret == 0 && !j->archive && n != 1)
		ret = err_set(j->err, ERR_INVALID,
			      "%s compresses exactly one file, but the artifact has %zu: use a "
			      "tar or zip archive",
			      j->target, n);
	else if (ret == 0 && !j->archive)
		build_say(j->b, "Archiving %s with %s", files[0], j->algorithm->name);
	for (size_t i = 0; ret == 0 && i < n; i++)
		ret = add_file(j, files[i]);
	if (libarchive.write_close(j->a) < ARCHIVE_WARN && ret == 0)
		ret = err_any(j->err) ? -1 : archive_error(j, "finishing");
	if (ret == 0 && j->algorithm && !j->algorithm->library_name)
		ret = bgzf_close(&j->bgzf, j->err);
	libarchive.write_free(j->a);
	bgzf_release(&j->bgzf);
	return ret;
}

/* Of what is read nothing would be left. */
static bool is_input(const char *path, char *const *files)
{
	struct stat target, file;

	if (stat(path, &target) < 0)
		return false;
	for (; files && *files; files++)
		if (stat(*files, &file) == 0 && file.st_dev == target.st_dev &&
		    file.st_ino == target.st_ino)
			return true;
	return false;
}

static int open_target(struct job *j, const struct compress_config *c, char *const *files,
		       struct err *err)
{
	struct str_pair pairs[] = {
		{ (char *)"BuildName", (char *)j->b->spec->bare_name },
		{ (char *)"BuilderType", (char *)j->b->spec->type },
	};
	struct str_map dot = { pairs, ARRAY_LEN(pairs) };
	auto_free char *dir = NULL;
	struct str target;

	if (build_render(j->b, script_dot(j->b, &dot), c->output, &target, err) < 0)
		return err_prefix(err, "output");
	j->target = arena_strndup(j->b->arena, target.p, target.n);
	dir = xstrndup(j->target, (size_t)(os_basename(j->target) - j->target));
	if (*dir && os_mkdir_all(dir, 0755, err) < 0)
		return -1;
	if (is_input(j->target, files))
		return err_set(err, ERR_INVALID,
			       "the output %s is one of the files to compress: give another",
			       j->target);
	j->fd = open(j->target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (j->fd < 0)
		return err_errno(err, errno, "making %s", j->target);
	return 0;
}

static int run(struct build *b, void *config, struct artifact *in, struct artifact **ret,
	       bool *keep, bool *must_keep, struct err *err)
{
	const struct compress_config *c = config;
	int64_t level = MAX(MIN(c->compression_level, 9), -9);
	struct job j = { .b = b, .fd = -1, .err = err, .level = (int)level };
	char *made[] = { NULL, NULL };
	int result;

	if (j.level == 0)
		j.level = -1;
	if (libarchive_open(err) < 0 || open_target(&j, c, in->files, err) < 0)
		return -1;
	choose_format(&j, c);
	say_what(&j);
	if (j.algorithm && j.level < j.algorithm->least_level)
		result = err_set(err, ERR_INVALID, "compression_level is 1 to 9, or -1: not %d",
				 j.level);
	else
		result = pack(&j, in->files);
	if (close(j.fd) < 0 && result == 0)
		result = err_errno(err, errno, "writing %s", j.target);
	if (result < 0)
		return -1;
	build_say(b, "Archive %s completed", j.target);
	made[0] = (char *)j.target;
	*ret = files_artifact("packer.post-processor.compress", "compressed artifacts in: ", made);
	*keep = *must_keep = false;
	return 0;
}

extern const struct postprocessor postprocessor_compress;
const struct postprocessor postprocessor_compress = {
	.type = "compress",
	.spec = &spec,
	.run = run,
};
