/* Takes a user's own image in: raw as it is, qcow2 and its kin by qemu-img, a root file system tar
 * as a new disk. */
#include "base/str.h"
#include "cloud/baseimage/baseimage.h"
#include "cloud/baseimage/root.h"
#include "cloud/disk/diskedit.h"
#include "cloud/disk/imagetool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum image_kind { IMAGE_RAW, IMAGE_QEMU, IMAGE_TAR };

static const struct {
	size_t at;
	const char *magic;
	size_t n;
	enum image_kind kind;
} magics[] = {
	{ 0, "QFI\xfb", 4, IMAGE_QEMU },	   /* qcow2 */
	{ 0, "KDMV", 4, IMAGE_QEMU },		   /* vmdk */
	{ 0, "vhdxfile", 8, IMAGE_QEMU },
	{ 0, "conectix", 8, IMAGE_QEMU },	   /* vhd, dynamic */
	{ 257, "ustar", 5, IMAGE_TAR },
	{ 0, "\x1f\x8b", 2, IMAGE_TAR },	   /* gzip */
	{ 0, "\xfd" "7zXZ", 5, IMAGE_TAR },
	{ 0, "BZh", 3, IMAGE_TAR },
	{ 0, "\x28\xb5\x2f\xfd", 4, IMAGE_TAR },   /* zstd */
};

static int kind_of(const char *file, enum image_kind *ret, struct err *err)
{
	auto_fd int fd = open(file, O_RDONLY | O_CLOEXEC);
	uint8_t head[512] = { 0 };
	struct stat st;

	if (fd < 0)
		return err_errno(err, errno, "opening %s", file);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "%s is not a regular file", file);
	if (pread(fd, head, sizeof(head), 0) < (ssize_t)sizeof(head))
		return err_set(err, ERR_INVALID, "%s is too short for an image", file);
	*ret = IMAGE_RAW;
	for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
		if (memcmp(head + magics[i].at, magics[i].magic, magics[i].n) == 0) {
			*ret = magics[i].kind;
			break;
		}
	}
	return 0;
}

/* EC2 sizes are whole GiB. */
static int round_up(const char *path, struct err *err)
{
	const uint64_t gib = (uint64_t)1 << 30;
	struct stat st;

	if (stat(path, &st) < 0 ||
	    truncate(path, (off_t)(((uint64_t)st.st_size + gib - 1) / gib * gib)) < 0)
		return err_errno(err, errno, "sizing %s", path);
	return 0;
}

int base_image_import(const char *file, const char *out_path, struct err *err)
{
	const char *copy[] = {
		"cp", "--sparse=always", "--reflink=auto", "--", file, out_path, NULL
	};
	const char *convert[] = { "qemu-img", "convert", "-O", "raw", file, out_path, NULL };
	const struct imagetool tools[] = {
		[IMAGE_RAW] = { .argv = copy, .step = "copying the image" },
		[IMAGE_QEMU] = { .argv = convert, .step = "converting the image" },
	};
	enum image_kind kind;
	uint64_t offset;

	if (kind_of(file, &kind, err) < 0)
		return -1;
	if (kind == IMAGE_TAR)
		return base_root_disk(file, out_path, err);
	if (imagetool_run(&tools[kind], err) < 0 || round_up(out_path, err) < 0 ||
	    disk_find_root(out_path, &offset, NULL, err) < 0) {
		unlink(out_path);
		return err_prefix(err, "importing %s", file);
	}
	return 0;
}
