/* Blocks of 512 KiB under their SHA-256, each kept once; copying between sparse files. */
#include "base/log.h"
#include "base/os.h"
#include "cloud/disk/volume_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

bool block_is_zero(const void *p, size_t n)
{
	const char *c = p;

	return n == 0 || (c[0] == 0 && memcmp(c, c + 1, n - 1) == 0);
}

int block_read(int fd, void *p, size_t n, off_t at)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = pread(fd, (char *)p + done, n - done, at + (off_t)done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		done += (size_t)r;
	}
	memset((char *)p + done, 0, n - done);
	return 0;
}

static int copy_plain(int from, off_t from_at, int to, off_t to_at, uint64_t n)
{
	char chunk[65536];

	while (n) {
		size_t want = MIN(n, sizeof(chunk));
		ssize_t r = pread(from, chunk, want, from_at);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return (int)r; /* a shorter source ends in zeros */
		for (ssize_t w, done = 0; done < r; done += w) {
			w = pwrite(to, chunk + done, (size_t)(r - done), to_at + done);
			if (w < 0 && errno == EINTR)
				w = 0;
			if (w < 0)
				return -1;
		}
		from_at += r;
		to_at += r;
		n -= (uint64_t)r;
	}
	return 0;
}

/* One run of data. copy_file_range reflinks by itself where the file system can. */
static int copy_data(int from, off_t from_at, int to, off_t to_at, uint64_t n)
{
	while (n) {
		ssize_t r = copy_file_range(from, &from_at, to, &to_at, n, 0);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 &&
		    (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
			return copy_plain(from, from_at, to, to_at, n);
		if (r <= 0)
			return (int)r;
		n -= (uint64_t)r;
	}
	return 0;
}

int block_copy_range(int from, off_t from_at, int to, off_t to_at, uint64_t n)
{
	off_t at = from_at, end = from_at + (off_t)n;

	while (at < end) {
		off_t data = lseek(from, at, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO)
			return 0;
		if (data < 0)
			return copy_plain(from, at, to, to_at + (at - from_at),
					  (uint64_t)(end - at));
		if (data >= end)
			return 0;
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return -1;
		hole = MIN(hole, end);
		if (copy_data(from, data, to, to_at + (data - from_at),
			      (uint64_t)(hole - data)) < 0)
			return -1;
		at = hole;
	}
	return 0;
}

int block_each(int fd, uint64_t size, int (*fn)(void *data, uint32_t index), void *data)
{
	off_t at = 0;
	uint32_t next = 0; /* first index not visited: two runs may share a block */

	while ((uint64_t)at < size) {
		off_t from = lseek(fd, at, SEEK_DATA), to;

		if (from < 0)
			return errno == ENXIO ? 0 : -1;
		to = lseek(fd, from, SEEK_HOLE);
		if (to < 0)
			return -1;
		for (uint32_t i = MAX(next, (uint32_t)((uint64_t)from / VOLUME_BLOCK));
		     (uint64_t)i * VOLUME_BLOCK < MIN((uint64_t)to, size); i++) {
			int ret = fn(data, i);

			if (ret)
				return ret;
			next = i + 1;
		}
		at = to;
	}
	return 0;
}

char *block_path(const struct volume_store *s, const uint8_t digest[SHA256_LEN])
{
	char hex[2 * SHA256_LEN + 1];

	hash_hex(digest, SHA256_LEN, hex);
	return xasprintf("%s/blocks/%.2s/%s", s->dir, hex, hex);
}

void block_count(struct volume_store *s, const uint8_t digest[SHA256_LEN], int by)
{
	struct str key = { (const char *)digest, SHA256_LEN };
	intptr_t n = (intptr_t)map_get(&s->blocks, key) + by;

	map_set(&s->blocks, key, (void *)n);
	if (n == 0) {
		auto_free char *path = block_path(s, digest);

		unlink(path);
	}
}

int block_keep(struct volume_store *s, const char *file, const uint8_t digest[SHA256_LEN],
	       struct err *err)
{
	auto_free char *path = block_path(s, digest);

	if (link(file, path) == 0 || errno == EEXIST)
		return 0;
	if (errno == ENOENT) {
		auto_free char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));

		if (os_mkdir_all(dir, 0700, err) < 0)
			return -1;
		if (link(file, path) == 0 || errno == EEXIST)
			return 0;
	}
	return err_errno(err, errno, "keeping the block %s", path);
}

static void sweep_dir(struct volume_store *s, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		uint8_t digest[SHA256_LEN];

		if (e->d_name[0] == '.')
			continue;
		if (digest_parse(str_from(e->d_name), digest) &&
		    map_get(&s->blocks, (struct str){ (char *)digest, SHA256_LEN }))
			continue;
		log_line("local cloud: removing the unused block %s", e->d_name);
		unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
}

void block_sweep(struct volume_store *s)
{
	auto_free char *top = store_path(s, "blocks", NULL, NULL);
	DIR *d = opendir(top);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		auto_free char *dir = xasprintf("%s/%s", top, e->d_name);

		if (e->d_name[0] != '.')
			sweep_dir(s, dir);
	}
	closedir(d);
}
