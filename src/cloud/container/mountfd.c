/* fsopen, fsconfig, fsmount in one call. */
#include "cloud/container/mountfd.h"

#include <errno.h>
#include <sys/mount.h>
#include <unistd.h>

/* The kernel's own words: lines "e text". */
static void read_log(int fs, struct buf *why)
{
	int saved = errno;
	char line[512];
	ssize_t n;

	while (why && (n = read(fs, line, sizeof(line))) > 2) {
		if (why->n)
			buf_adds(why, "; ");
		buf_add(why, line + 2, (size_t)n - 2 - (line[n - 1] == '\n'));
	}
	errno = saved;
}

int mountfd_new(const char *type, const struct mount_option *options, unsigned attributes,
		struct buf *why)
{
	auto_fd int fs = fsopen(type, FSOPEN_CLOEXEC);
	int ret;

	if (fs < 0)
		return -1;
	for (; options && options->key; options++) {
		ret = options->value
			      ? fsconfig(fs, FSCONFIG_SET_STRING, options->key, options->value, 0)
			      : fsconfig(fs, FSCONFIG_SET_FLAG, options->key, NULL, 0);
		if (ret < 0)
			goto failed;
	}
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		goto failed;
	ret = fsmount(fs, FSMOUNT_CLOEXEC, attributes);
	if (ret >= 0)
		return ret;
failed:
	read_log(fs, why);
	return -1;
}
