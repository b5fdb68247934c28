/* The part of the guest program that stays in a virtual machine and does there what the container
 * backend does from outside: names for disks as EC2 has them, orderly stop, sync. It speaks lines
 * over a virtio port.
 *
 *	poweroff | reboot | sync		"sync" is answered by "synced"
 *	(from here) hello			at start
 *	(from here) disk NAME			when a disk of that name has appeared
 */
#include "guest.h"
#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS "/sys/class/virtio-ports"
#define BLOCKS "/sys/class/block"
#define SIGNAL_AGAIN_MS 500

static int open_port(void)
{
	DIR *d = opendir(PORTS);
	struct dirent *e;
	int fd = -1;

	while (d && fd < 0 && (e = readdir(d))) {
		auto_free char *path = xasprintf(PORTS "/%s/name", e->d_name),
			       *node = xasprintf("/dev/%s", e->d_name);
		AUTO(buf) struct buf name = BUF_INIT;
		AUTO(err) struct err ignored = ERR_INIT;

		if (e->d_name[0] != '.' && os_read_file(path, 256, &name, &ignored) == 0 &&
		    str_eqs(str_trim(buf_str(&name)), "ingot"))
			fd = open(node, O_RDWR | O_CLOEXEC);
	}
	if (d)
		closedir(d);
	return fd;
}

/* The name that the backend gave a whole disk: its serial number. */
static bool disk_name(const char *kernel_name, char ret[64])
{
	auto_free char *virtio = xasprintf(BLOCKS "/%s/serial", kernel_name);
	auto_free char *scsi = xasprintf(BLOCKS "/%s/device/vpd_pg80", kernel_name);
	AUTO(err) struct err ignored = ERR_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	struct str name;

	if (os_read_file(virtio, 256, &text, &ignored) == 0) {
		name = str_trim(buf_str(&text));
	} else {
		err_release(&ignored);
		if (os_read_file(scsi, 256, &text, &ignored) < 0 || text.n < 5)
			return false;
		name = str_trim(str_slice(buf_str(&text), 4, text.n));
	}
	if (!name.n || name.n > 32 || memchr(name.p, '/', name.n))
		return false;
	snprintf(ret, 64, STR_FMT, STR_ARG(name));
	return true;
}

static void put_link(const char *target, const char *name, const char *suffix)
{
	auto_free char *path = xasprintf("/dev/%s%s", name, suffix);
	char old[64];
	ssize_t n = readlink(path, old, sizeof(old) - 1);

	if (n < 0 && errno == EINVAL)
		return; /* a device of the kernel's own has that name */
	if (n > 0)
		unlink(path);
	if (symlink(target, path) < 0)
		guest_say("%s: %s", path, strerror(errno));
}

/* Links /dev/xvdf and /dev/sdf, or their partitions, to what the kernel calls it. */
static void name_block(const char *kernel_name, int port)
{
	auto_free char *partition = xasprintf(BLOCKS "/%s/partition", kernel_name),
		       *disk = xstrdup(kernel_name);
	char name[64], other[64];
	const char *suffix = "";

	if (access(partition, F_OK) == 0) {
		suffix = kernel_name + strcspn(kernel_name, "0123456789");
		disk[suffix - kernel_name] = '\0';
	}
	if (!disk_name(disk, name))
		return;
	put_link(kernel_name, name, suffix);
	if (starts_with(name, "sd") && strlen(name) == 3) {
		snprintf(other, sizeof(other), "xvd%s", name + 2);
		put_link(kernel_name, other, suffix);
	} else if (starts_with(name, "xvd") && !streq(name, "xvda")) {
		/* The root disk has no second name: the kernel itself calls the first of the others
		 * sda. */
		snprintf(other, sizeof(other), "sd%s", name + 3);
		put_link(kernel_name, other, suffix);
	}
	if (!*suffix)
		dprintf(port, "disk %s\n", name);
}

/* A disk is gone: links that lead nowhere go too. */
static void remove_dead_links(void)
{
	DIR *d = opendir("/dev");
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_type == DT_LNK &&
		    (starts_with(e->d_name, "sd") || starts_with(e->d_name, "xvd")) &&
		    faccessat(dirfd(d), e->d_name, F_OK, 0) < 0 &&
		    unlinkat(dirfd(d), e->d_name, 0) < 0)
			guest_say("/dev/%s: %s", e->d_name, strerror(errno));
	if (d)
		closedir(d);
}

/* "add@/devices/…" NUL "KEY=value" NUL … */
static void on_uevent(const char *p, size_t n, int port)
{
	const char *name = NULL, *end = p + n;
	bool block = false, add = starts_with(p, "add@"), removed = starts_with(p, "remove@");

	for (const char *at = p; at < end; at += strlen(at) + 1) {
		if (starts_with(at, "DEVNAME="))
			name = at + strlen("DEVNAME=");
		block = block || streq(at, "SUBSYSTEM=block");
	}
	if (block && add && name)
		name_block(name, port);
	else if (block && removed)
		remove_dead_links();
}

static void name_all(int port)
{
	DIR *d = opendir(BLOCKS);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			name_block(e->d_name, port);
	if (d)
		closedir(d);
}

/* ret_signal: what pid 1 is to get from now on. */
static void on_line(struct str line, int port, int *ret_signal)
{
	if (str_eqs(line, "poweroff")) {
		*ret_signal = SIGRTMIN + 4;
	} else if (str_eqs(line, "reboot")) {
		*ret_signal = SIGRTMIN + 5;
	} else if (str_eqs(line, "sync")) {
		sync();
		dprintf(port, "synced\n");
	}
}

static void serve(int port, int events)
{
	AUTO(buf) struct buf in = BUF_INIT;
	char chunk[8192 + 1];
	int wanted = 0;

	name_all(port);
	dprintf(port, "hello\n");
	for (;;) {
		struct pollfd p[] = { { port, POLLIN, 0 }, { events, POLLIN, 0 } };
		ptrdiff_t end;
		ssize_t n;

		/* A pid 1 that has no handler yet does not get a signal: it is sent again. */
		if (wanted && kill(1, wanted) < 0)
			return;
		if (poll(p, 2, wanted ? SIGNAL_AGAIN_MS : -1) < 0 && errno != EINTR)
			return;
		if (p[1].revents) {
			n = recv(events, chunk, sizeof(chunk) - 1, MSG_DONTWAIT);
			chunk[MAX(n, 0)] = '\0';
			if (n > 0)
				on_uevent(chunk, (size_t)n, port);
		}
		if (!p[0].revents)
			continue;
		n = read(port, chunk, sizeof(chunk) - 1);
		if (n <= 0)
			return;
		buf_add(&in, chunk, (size_t)n);
		while ((end = str_find(buf_str(&in), STR("\n"))) >= 0) {
			on_line(str_slice(buf_str(&in), 0, (size_t)end), port, &wanted);
			buf_remove(&in, 0, (size_t)end + 1);
		}
	}
}

void guest_start_agent(void)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int events, port;

	if (access(PORTS, F_OK) < 0 || fork() != 0)
		return;
	setsid();
	port = open_port();
	events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (port >= 0 && events >= 0 && bind(events, (struct sockaddr *)&to, sizeof(to)) == 0)
		serve(port, events);
	_exit(0);
}
