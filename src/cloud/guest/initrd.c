/* The first program of a directly started kernel (qemu): modules, the root disk, static addresses;
 * then it goes on as `init` in the root file system. Everything it needs is on the kernel's command
 * line and in its own archive: /modules in the order of /modules.list.
 */
#include "guest.h"
#include "base/os.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOT "/root"
#define DISK_SECONDS 60
#define SLIRP_ADDRESS "169.254.0.15" /* what the backend forwards connections to */

static NORETURN void give_up(const char *what)
{
	guest_say("boot: %s: %s", what, strerror(errno));
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

/* Value of "key=…" on the command line, or "". */
static void kernel_option(const struct buf *line, const char *key, char *ret, size_t size)
{
	struct str rest = str_trim(buf_str(line)), word;
	size_t n = strlen(key);

	*ret = '\0';
	while (str_split(&rest, ' ', &word))
		if (str_starts(word, key) && word.n > n && word.p[n] == '=' &&
		    word.n - n - 1 < size)
			snprintf(ret, size, STR_FMT, STR_ARG(str_slice(word, n + 1, word.n)));
}

static void load_modules(void)
{
	AUTO(buf) struct buf list = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct str rest, name;

	if (os_read_file("/modules.list", GUEST_FILE_MAX, &list, &err) < 0)
		return; /* a kernel with all of it built in */
	rest = buf_str(&list);
	while (str_split(&rest, '\n', &name)) {
		auto_free char *path = xasprintf("/modules/" STR_FMT, STR_ARG(name));
		auto_fd int fd = name.n ? open(path, O_RDONLY | O_CLOEXEC) : -1;

		if (name.n && (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0) &&
		    errno != EEXIST)
			guest_say("boot: module %s: %s", path, strerror(errno));
	}
}

static int set_address(int s, const char *name, const char *address, const char *mask)
{
	struct ifreq r = { 0 };
	struct sockaddr_in *a = (struct sockaddr_in *)&r.ifr_addr;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	a->sin_family = AF_INET;
	if (inet_pton(AF_INET, address, &a->sin_addr) != 1 || ioctl(s, SIOCSIFADDR, &r) < 0)
		return -1;
	inet_pton(AF_INET, mask, &a->sin_addr);
	return ioctl(s, SIOCSIFNETMASK, &r);
}

static int set_up(int s, const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_UP | IFF_RUNNING };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return ioctl(s, SIOCSIFFLAGS, &r);
}

/* eth0 has the instance's private address, and beside it the one that the emulator's network knows.
 */
static void network(const char *private_ip)
{
	auto_fd int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0 || set_address(s, "lo", "127.0.0.1", "255.0.0.0") < 0 || set_up(s, "lo") < 0)
		guest_say("boot: lo: %s", strerror(errno));
	if (set_address(s, "eth0", SLIRP_ADDRESS, "255.255.0.0") < 0 || set_up(s, "eth0") < 0)
		guest_say("boot: eth0: %s", strerror(errno));
	if (*private_ip && set_address(s, "eth0:0", private_ip, "255.255.255.255") < 0)
		guest_say("boot: eth0: %s: %s", private_ip, strerror(errno));
}

/* The disk's driver may still be looking: wait for its node to appear in /dev. */
static void wait_for_disk(const char *node)
{
	int watch = inotify_init1(IN_CLOEXEC);
	char events[4096];

	if (watch < 0 || inotify_add_watch(watch, "/dev", IN_CREATE) < 0)
		give_up("watching /dev");
	while (access(node, F_OK) < 0) {
		struct pollfd p = { watch, POLLIN, 0 };

		if (poll(&p, 1, DISK_SECONDS * 1000) <= 0) {
			errno = ENODEV;
			give_up(node);
		}
		if (read(watch, events, sizeof(events)) < 0 && errno != EINTR)
			give_up("watching /dev");
	}
	close(watch);
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		give_up(path);
}

static void enter_root(void)
{
	static const struct {
		const char *from, *to;
	} moves[] = {
		{ "/dev", ROOT "/dev" },
		{ "/proc", ROOT "/proc" },
		{ "/sys", ROOT "/sys" },
		{ "/run", ROOT "/run" },
	};

	guest_install_self();
	for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
		make_dir(moves[i].to);
		if (mount(moves[i].from, moves[i].to, NULL, MS_MOVE, NULL) < 0)
			give_up(moves[i].to);
	}
	unlink("/init");
	if (chdir(ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		give_up("entering the root file system");
}

void guest_initrd(void)
{
	AUTO(buf) struct buf line = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	char disk[128], ip[64];

	make_dir("/dev");
	make_dir("/proc");
	make_dir("/sys");
	make_dir("/run");
	make_dir(ROOT);
	if (mount("proc", "/proc", "proc", 0, NULL) < 0 ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL) < 0 ||
	    (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) < 0 && errno != EBUSY) ||
	    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
		give_up("mounting the kernel's file systems");
	if (os_read_file("/proc/cmdline", GUEST_FILE_MAX, &line, &err) < 0)
		guest_say_err(&err);
	kernel_option(&line, "ingot.root", disk, sizeof(disk));
	kernel_option(&line, "ingot.ip", ip, sizeof(ip));
	load_modules();
	network(ip);
	wait_for_disk(disk);
	if (mount(disk, ROOT, "ext4", 0, "discard") < 0 && mount(disk, ROOT, "xfs", 0, NULL) < 0)
		give_up(disk);
	enter_root();
	execl(GUEST_PATH, GUEST_PATH, "init", (char *)NULL);
	give_up(GUEST_PATH);
}
