/* Console files: appended to; of one that grows too large the last half of the limit is kept. */
#include "cloud/console.h"

#include "base/os.h"

#include <fcntl.h>
#include <sys/stat.h>

#define FILE_MAX ((off_t)256 * 1024)

static char *console_path(struct cloud *c, const char *id)
{
	return xasprintf("%s/console/%s.log", c->config.data_dir, id);
}

static void shorten(const char *path)
{
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf b = BUF_INIT;

	if (os_read_file(path, 0, &b, &err) == 0 && b.n > (size_t)FILE_MAX &&
	    os_write_file(path, b.p + b.n - FILE_MAX / 2, FILE_MAX / 2, 0600, &err) < 0)
		return; /* the file just stays long */
}

void console_add(struct cloud *c, const char *id, const char *p, size_t n)
{
	auto_free char *path = console_path(c, id);
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || os_write_all(fd, p, n) < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > FILE_MAX)
		shorten(path);
}

void console_read(struct cloud *c, const char *id, size_t max, struct buf *ret)
{
	auto_free char *path = console_path(c, id);
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf b = BUF_INIT;

	if (os_read_file(path, 0, &b, &err) < 0)
		return;
	if (b.n > max)
		buf_add(ret, b.p + b.n - max, max);
	else
		buf_add(ret, b.p, b.n);
}

void console_remove(struct cloud *c, const char *id)
{
	auto_free char *path = console_path(c, id);

	unlink(path);
}
