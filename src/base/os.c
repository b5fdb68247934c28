/* Files, directories, environment and random bytes. */
#include "base/os.h"
#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_TRIES 100 /* names that are taken, before a temporary file is given up */

int os_read_fd(int fd, const char *what, size_t max, struct buf *ret, struct err *err)
{
	size_t limit = max ? max : BUF_MAX, start = ret->n;

	for (;;) {
		char chunk[65536];
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "reading %s", what);
		if (n == 0)
			return 0;
		if (ret->n - start + (size_t)n > limit)
			return err_set(err, ERR_INVALID, "%s is larger than %zu bytes", what,
				       limit);
		buf_add(ret, chunk, (size_t)n);
	}
}

int os_read_file(const char *path, size_t max, struct buf *ret, struct err *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		if (errno == ENOENT)
			return err_set(err, ERR_NOT_FOUND, "%s: no such file", path);
		return err_errno(err, errno, "opening %s", path);
	}
	return os_read_fd(fd, path, max, ret, err);
}

int os_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		at += w;
		n -= (size_t)w;
	}
	return 0;
}

/* Pipes and devices are written to, not replaced. */
static int write_special(const char *path, const void *p, size_t n, struct err *err)
{
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || os_write_all(fd, p, n) < 0)
		return err_errno(err, errno, "writing %s", path);
	return 0;
}

static int replace_file(const char *path, const void *p, size_t n, int mode, struct err *err)
{
	auto_free char *temp = xasprintf("%s.XXXXXX", path);
	auto_fd int fd = mkostemp(temp, O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, errno, "writing %s", path);
	if (fchmod(fd, (mode_t)mode) < 0 || os_write_all(fd, p, n) < 0 || fsync(fd) < 0 ||
	    rename(temp, path) < 0) {
		int saved = errno;

		unlink(temp);
		return err_errno(err, saved, "writing %s", path);
	}
	return 0;
}

int os_write_file(const char *path, const void *p, size_t n, int mode, struct err *err)
{
	auto_free char *target = realpath(path, NULL); /* a link stays one */
	struct stat st;

	if (target && stat(target, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return write_special(target, p, n, err);
	return replace_file(target ? target : path, p, n, mode, err);
}

int os_mkdir_all(const char *path, int mode, struct err *err)
{
	auto_free char *p = xstrdup(path);

	for (char *at = p; *at; at++) {
		if (*at != '/' || at == p)
			continue;
		*at = '\0';
		if (mkdir(p, (mode_t)mode) < 0 && errno != EEXIST)
			return err_errno(err, errno, "making the directory %s", p);
		*at = '/';
	}
	if (mkdir(p, (mode_t)mode) < 0 && (errno != EEXIST || !os_is_dir(p)))
		return err_errno(err, errno, "making the directory %s", p);
	return 0;
}

/* Removes name below the directory dirfd; by descriptors, so that nobody can swap in a link. */
static int remove_at(int dirfd, const char *name)
{
	struct dirent *e;
	int fd, ret = 0;
	DIR *d;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -1;
	}
	while (ret == 0 && (e = readdir(d)))
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			ret = remove_at(fd, e->d_name);
	closedir(d);
	return ret < 0 ? ret : unlinkat(dirfd, name, AT_REMOVEDIR);
}

int os_remove_all(const char *path, struct err *err)
{
	if (remove_at(AT_FDCWD, path) < 0)
		return err_errno(err, errno, "removing %s", path);
	return 0;
}

bool os_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool os_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* The name ends in digits, as scripts know it of the reference's (/tmp/packer-shell123). */
int os_temp_file(const char *prefix, const char *suffix, char **ret_path, int *ret_fd,
		 struct err *err)
{
	const char *dir = os_env("TMPDIR");
	int fd = -1;

	for (int tries = 0; fd < 0 && tries < TEMP_TRIES; tries++) {
		auto_free char *path = NULL;
		uint32_t number;

		os_random(&number, sizeof(number));
		path = xasprintf("%s/%s%u%s", dir ? dir : "/tmp", prefix, number, suffix);
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			return err_errno(err, errno, "making a temporary file %s", path);
		if (fd >= 0)
			*ret_path = steal(path);
	}
	if (fd < 0)
		return err_errno(err, errno, "making a temporary file");
	*ret_fd = fd;
	return 0;
}

int os_temp_dir(const char *prefix, char **ret_path, struct err *err)
{
	const char *dir = os_env("TMPDIR");
	auto_free char *path = xasprintf("%s/%sXXXXXX", dir ? dir : "/tmp", prefix);

	if (!mkdtemp(path))
		return err_errno(err, errno, "making a temporary directory %s", path);
	*ret_path = steal(path);
	return 0;
}

const char *os_env(const char *name)
{
	const char *v = getenv(name);

	return given(v) ? v : NULL;
}

char *os_path_join(const char *a, const char *b)
{
	if (*b == '/' || !*a)
		return xstrdup(b);
	return xasprintf("%s%s%s", a, ends_with(a, "/") ? "" : "/", b);
}

const char *os_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void os_random(void *p, size_t n)
{
	uint8_t *at = p;

	while (n) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno != EINTR)
			abort(); /* without randomness no key and no token is safe */
		if (got > 0) {
			at += got;
			n -= (size_t)got;
		}
	}
}

void os_uuid(char out[37])
{
	uint8_t b[16];
	char *p = out;

	os_random(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += snprintf(p, 3, "%02x", b[i]);
	}
}

void os_ulid(char out[27])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t t = (uint64_t)clock_unix_ms();
	uint8_t r[16];

	os_random(r, sizeof(r));
	for (int i = 9; i >= 0; i--, t >>= 5)
		out[i] = digits[t & 31];
	for (size_t i = 0; i < 16; i++)
		out[10 + i] = digits[r[i] & 31];
	out[26] = '\0';
}
