/* The file provisioner: files and directories to the machine and from it. */
#include "base/os.h"
#include "communicator/communicator.h"
#include "engine/build.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define NO_COMMUNICATOR "%s: communicator is \"none\", so there is no machine to reach"

#define CONTENT_MODE 0600 /* as the reference's, which goes through a private file */

struct file_config {
	char *content, *source;
	struct strs sources;
	char *destination, *direction;
	bool generated;
};

static const char *const directions[] = { "upload", "download", NULL };

static const struct spec_row rows[] = {
	SPEC_STR(struct file_config, content,
		 .doc = "Text to write to the destination, instead of `source`. The file gets "
			"mode 0600."),
	SPEC_STR(struct file_config, source,
		 .doc = "File or directory to copy. It is on the machine if `direction` is "
			"`download`. A directory with a trailing slash means its contents."),
	SPEC_STRS(struct file_config, sources,
		  .doc = "Several files or directories to copy. The destination must then end in "
			 "a slash."),
	SPEC_STR(struct file_config, destination, .flags = SPEC_REQUIRED,
		 .doc = "Where to copy to. A trailing slash means a directory; it must exist for "
			"an upload, and is created for a download."),
	SPEC_STR(struct file_config, direction, .def = "upload", .choices = directions,
		 .doc = "Where the files go: to the machine or from it."),
	SPEC_BOOL(struct file_config, generated,
		  .doc = "The source is created during the build: do not check for it beforehand."),
};
static const struct spec spec =
	SPEC("file", struct file_config, rows,
	     .doc = "Copies files and directories to or from the machine.");

static void prepare(struct prepare *p, void *config)
{
	struct file_config *c = config;

	if (c->source) {
		char **v = arena_new_array(p->arena, char *, c->sources.n + 1);

		if (c->sources.n)
			memcpy(v, c->sources.v, c->sources.n * sizeof(*v));
		v[c->sources.n++] = c->source;
		c->sources.v = v;
	}
	if (c->content && c->sources.n)
		prepare_error(p, "content", "set content or source(s), not both");
	for (size_t i = 0; i < c->sources.n && !c->generated && streq(c->direction, "upload");
	     i++) {
		struct stat st;

		if (stat(c->sources.v[i], &st) < 0)
			prepare_error(p, c->source == c->sources.v[i] ? "source" : "sources",
				      "cannot read the source '%s': %s", c->sources.v[i],
				      strerror(errno));
	}
}

static int upload_file(struct communicator *comm, const char *src, const char *dst, struct err *err)
{
	struct stat st;
	auto_fd int fd = open(src, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, errno, "%s", src);
	off_t size = S_ISREG(st.st_mode) ? st.st_size : -1;
	return comm->ops->upload(comm, fd, size, os_basename(src), dst,
				 S_ISREG(st.st_mode) ? st.st_mode & 0777 : 0644, err);
}

static int upload_one(struct communicator *comm, const char *src, const char *dst, struct err *err)
{
	if (!comm)
		return err_set(err, ERR_INVALID, NO_COMMUNICATOR, "Upload");
	if (os_is_dir(src))
		return comm->ops->upload_dir(comm, src, dst, err);
	return upload_file(comm, src, dst, err);
}

static int failed(struct build *b, const char *what, const struct err *err)
{
	if (err->code != ERR_CANCELLED)
		build_error(b, "%s failed: %s", what, err->msg);
	return -1;
}

static int upload_content(struct build *b, const struct file_config *c, struct communicator *comm,
			  struct err *err)
{
	size_t n = strlen(c->content);
	build_say(b, "Uploading content => %s", c->destination);
	if (!comm) {
		err_set(err, ERR_INVALID, NO_COMMUNICATOR, "Upload");
		return failed(b, "Upload", err);
	}
	auto_fd int fd = memfd_create("content", MFD_CLOEXEC);
	if (fd < 0 || os_write_all(fd, c->content, n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, errno, "keeping the content in memory");
	if (comm->ops->upload(comm, fd, (off_t)n, "content", c->destination, CONTENT_MODE, err) < 0)
		return failed(b, "Upload", err);
	return 0;
}

static int upload_all(struct build *b, const struct file_config *c, struct communicator *comm,
		      struct err *err)
{
	if (c->content)
		return upload_content(b, c, comm, err);
	for (size_t i = 0; i < c->sources.n; i++) {
		const char *src = c->sources.v[i];
		build_say(b, "Uploading %s => %s", src, c->destination);
		if (upload_one(comm, src, c->destination, err) < 0)
			return failed(b, "Upload", err);
	}
	return 0;
}

/* Makes the local directory, and says where the source goes: *ret is heap. */
static int local_target(const char *src, const char *dst, char **ret, struct err *err)
{
	const char *name = os_basename(src);
	if (ends_with(dst, "/")) {
		if (os_mkdir_all(dst, 0755, err) < 0)
			return -1;
		*ret = ends_with(src, "/") || ends_with(src, "*") ? xstrdup(dst)
								  : os_path_join(dst, name);
		return 0;
	}
	const char *slash = strrchr(dst, '/');
	auto_free char *dir = slash && slash > dst ? xstrndup(dst, (size_t)(slash - dst)) : NULL;
	if (dir && os_mkdir_all(dir, 0755, err) < 0)
		return -1;
	*ret = xstrdup(dst);
	return 0;
}

static int download_one(struct build *b, struct communicator *comm, const char *src,
			const char *dst, struct err *err)
{
	auto_free char *target = NULL;
	if (local_target(src, dst, &target, err) < 0)
		return -1;
	build_say(b, "Downloading %s => %s", src, target);
	if (!comm)
		return err_set(err, ERR_INVALID, NO_COMMUNICATOR, "Download");
	if (ends_with(src, "/") || strpbrk(src, "*?["))
		return comm->ops->download_dir(comm, src, target, err);
	auto_fd int fd = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(err, errno, "%s", target);
	return comm->ops->download(comm, src, fd, err);
}

static int download_all(struct build *b, const struct file_config *c, struct communicator *comm,
			struct err *err)
{
	for (size_t i = 0; i < c->sources.n; i++) {
		if (download_one(b, comm, c->sources.v[i], c->destination, err) < 0)
			return failed(b, "Download", err);
	}
	return 0;
}

static int run(struct build *b, void *config, struct communicator *comm, struct err *err)
{
	const struct file_config *c = config;
	return streq(c->direction, "download") ? download_all(b, c, comm, err)
					       : upload_all(b, c, comm, err);
}

extern const struct provisioner provisioner_file;
const struct provisioner provisioner_file = {
	.type = "file",
	.spec = &spec,
	.prepare = prepare,
	.run = run,
};
