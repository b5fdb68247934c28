/* The file builder: its artifact is one file, made from text or copied. Its provisioners run then,
 * with no machine behind them; as in the reference they are no step, so that what fails undoes
 * nothing and the file stays. */
#include "engine/build.h"

#include "communicator/nowhere.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct file_config {
	char *source, *target, *content;
};

static const struct spec_row rows[] = {
	SPEC_STR(struct file_config, content, .doc = "Content of the file."),
	SPEC_STR(struct file_config, source, .doc = "Path of a file to copy."),
	SPEC_STR(struct file_config, target, .flags = SPEC_REQUIRED,
		 .doc = "Path of the file to create. A missing directory is created; an existing "
			"file is overwritten."),
};
static const struct spec spec =
	SPEC("file", struct file_config, rows,
	     .doc = "Creates a file from text or as a copy of another. Useful for trying out "
		    "post-processors.");

static void prepare(struct prepare *p, void *config)
{
	const struct file_config *c = config;

	if (given(c->content) && given(c->source))
		prepare_error(p, "source", "set source or content, not both");
	if (!given(c->content) && !given(c->source))
		prepare_warning(p, "target",
				"neither source nor content is set: the file will be empty");
}

static int copy(struct build *b, const struct file_config *c, struct err *err)
{
	enum { CHUNK = 1 << 16 };
	auto_fd int in = open(c->source, O_RDONLY | O_CLOEXEC);
	auto_fd int out = -1;
	auto_free char *chunk = xmalloc(CHUNK);
	int64_t total = 0;
	ssize_t n;

	if (in < 0)
		return err_errno(err, errno, "reading the source %s", c->source);
	out = open(c->target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (out < 0)
		return err_errno(err, errno, "writing the target %s", c->target);
	build_say(b, "Copying %s to %s", c->source, c->target);
	while ((n = read(in, chunk, CHUNK)) != 0) {
		if (n < 0)
			return err_errno(err, errno, "reading the source %s", c->source);
		if (os_write_all(out, chunk, (size_t)n) < 0)
			return err_errno(err, errno, "writing the target %s", c->target);
		total += n;
	}
	build_say(b, "Copied %lld bytes", (long long)total);
	return 0;
}

static int make_directory(const char *target, struct err *err)
{
	const char *slash = strrchr(target, '/');
	auto_free char *dir =
		slash && slash > target ? xstrndup(target, (size_t)(slash - target)) : NULL;

	return dir ? os_mkdir_all(dir, 0755, err) : 0;
}

static int destroy(struct artifact *a, struct build *b UNUSED, struct err *err)
{
	if (unlink(a->files[0]) < 0 && errno != ENOENT)
		return err_errno(err, errno, "removing %s", a->files[0]);
	return 0;
}

/* In place: what is there keeps its mode. */
static int write_content(const struct file_config *c, struct err *err)
{
	auto_fd int fd = open(c->target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || (c->content && os_write_all(fd, c->content, strlen(c->content)) < 0))
		return err_errno(err, errno, "writing the target %s", c->target);
	return 0;
}

static int provision(struct build *b, struct err *err)
{
	struct communicator none = { .ops = &nowhere_ops, .cancel = b->cancel };
	int rc;

	b->comm = &none;
	rc = build_provision(b, NULL, err);
	b->comm = NULL;
	return rc;
}

static int run(struct build *b, void *config, struct artifact **ret, struct err *err)
{
	const struct file_config *c = config;
	auto_free char *text = xasprintf("Stored file: %s", c->target);

	if (make_directory(c->target, err) < 0)
		return -1;
	if ((given(c->source) ? copy(b, c, err) : write_content(c, err)) < 0 ||
	    provision(b, err) < 0)
		return -1;
	*ret = artifact_new("packer.file", "File", text);
	artifact_add_file(*ret, c->target);
	(*ret)->destroy = destroy;
	return 0;
}

extern const struct builder builder_file;
const struct builder builder_file = {
	.type = "file",
	.spec = &spec,
	.prepare = prepare,
	.run = run,
};
