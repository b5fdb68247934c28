/* The root partition and its file system take the whole disk when the volume was made larger than the image,
 * as images on EC2 do at their first boot.
 */
#include "guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLACK ((uint64_t)64 << 20) /* smaller gains are not worth a change of the table */

/* Node in /dev of the device that holds /. */
static bool root_node(char ret[300])
{
	struct stat root, st;
	struct dirent *e;
	bool found = false;
	DIR *d = opendir("/dev");

	if (!d || stat("/", &root) < 0)
		return false;
	while (!found && (e = readdir(d))) {
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISBLK(st.st_mode) ||
		    st.st_rdev != root.st_dev)
			continue;
		snprintf(ret, 300, "/dev/%s", e->d_name);
		found = true;
	}
	closedir(d);
	return found;
}

static uint64_t device_size(const char *node)
{
	auto_fd int fd = open(node, O_RDONLY | O_CLOEXEC);
	uint64_t size = 0;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) < 0)
		return 0;
	return size;
}

/* "/dev/xvda1" is partition 1 of "/dev/xvda", "/dev/nvme0n1p1" of "/dev/nvme0n1". */
static bool split_node(const char *node, char disk[300], const char **ret_number)
{
	size_t n = strlen(node);

	while (n && node[n - 1] >= '0' && node[n - 1] <= '9')
		n--;
	if (!node[n])
		return false;
	*ret_number = node + n;
	if (n > 1 && node[n - 1] == 'p' && node[n - 2] >= '0' && node[n - 2] <= '9')
		n--;
	snprintf(disk, 300, "%.*s", (int)n, node);
	return true;
}

void guest_grow_root(void)
{
	char node[300], disk[300];
	const char *number;
	AUTO(buf) struct buf out = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;

	if (!root_node(node) || !split_node(node, disk, &number) ||
	    device_size(disk) < device_size(node) + SLACK || !guest_has("sfdisk") || !guest_has("resize2fs"))
		return;

	const char *const partition[] = { "sfdisk", "-q", "--force", "--no-reread", "-N", number, disk, NULL };
	const char *const resize[] = { "resize2fs", node, NULL };

	if (guest_filter(partition, STR(", +\n"), &out, &err) < 0 || guest_filter(resize, STR(""), &out, &err) < 0)
		guest_say_err(&err);
}
