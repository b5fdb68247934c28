/* From clone to exec: the new process builds the instance around itself.
 *
 * It is a copy of one thread of a process with many: another may hold any lock, so nothing here may
 * allocate or print. Each step is a row; the first that fails is told through a pipe.
 */
#include "cloud/container/container.h"
#include "cloud/fdpass.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Its parent is a thread: it dies with it. Whoever died before this was set never says go. */
static int wait_for_go(const struct child_plan *p)
{
	char go;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	if (read(p->channel, &go, 1) != 1)
		_exit(1);
	return setsid() < 0 ? -1 : 0;
}

static int join_groups(const struct child_plan *p)
{
	for (size_t i = 0; i < p->njoin; i++)
		if (write(p->join[i], "0", 1) != 1)
			return -1;
	return unshare(CLONE_NEWCGROUP);
}

/* Entering one's own mount namespace sets the root to the namespace's: where ingot runs in a
 * chroot, "/" is no mount, and nothing could be made private or pivoted. */
static int leave_chroot(const struct child_plan *p UNUSED)
{
	int ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (ns < 0 || setns(ns, CLONE_NEWNS) < 0)
		return -1;
	close(ns);
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static int enter_root(const struct child_plan *p)
{
	if (move_mount(p->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
	    fchdir(p->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0)
		return -1;
	return chdir("/");
}

static int place(int mount_fd, const char *at)
{
	if (mkdir(at, 0755) < 0 && errno != EEXIST)
		return -1;
	return move_mount(mount_fd, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH);
}

static int mount_kernel(const struct child_plan *p)
{
	const unsigned long closed = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (mkdir("/proc", 0755) < 0 && errno != EEXIST)
		return -1;
	if (mount("proc", "/proc", "proc", closed, NULL) < 0 || place(p->sys, "/sys") < 0 ||
	    place(p->dev, "/dev") < 0 || place(p->pts, "/dev/pts") < 0 || place(p->run, "/run") < 0)
		return -1;
	if (mount("shm", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0)
		return -1;
	return mount("cgroup2", "/sys/fs/cgroup", "cgroup2", closed, NULL);
}

static int make_read_only(const char *path)
{
	if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -1;
	return mount(NULL, path, NULL,
		     MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* Settings of the host's kernel are not the instance's; those of its own network are. */
static int hide_host(const struct child_plan *p UNUSED)
{
	static const char *const read_only[] = { "/proc/sys", "/proc/sysrq-trigger", "/proc/irq",
						 "/proc/bus", "/proc/fs" };
	static const char *const hidden[] = { "/proc/kcore", "/proc/kallsyms", "/proc/timer_list",
					      "/proc/kmsg" };

	if (mount("/proc/sys/net", "/proc/sys/net", NULL, MS_BIND, NULL) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(read_only); i++)
		if (make_read_only(read_only[i]) < 0 && errno != ENOENT)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		if (mount("/dev/null", hidden[i], NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
			return -1;
	return 0;
}

static int set_console(const struct child_plan *p)
{
	int fd;

	if (sethostname(p->host_name, strlen(p->host_name)) < 0 ||
	    mount(p->console, "/dev/console", NULL, MS_BIND, NULL) < 0)
		return -1;
	fd = open("/dev/console", O_RDWR | O_NOCTTY);
	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		return -1;
	if (fd > 2)
		close(fd);
	return 0;
}

static int filter_calls(const struct child_plan *p)
{
	int listener, ret = container_filter(&listener);

	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return fd_send(p->channel, listener >= 0, listener);
}

/* What an instance has no use for and the host would feel. SYS_ADMIN stays: mount needs it. */
static const int dropped[] = {
	CAP_SYS_MODULE, CAP_SYS_RAWIO,	   CAP_SYS_TIME,   CAP_SYSLOG,
	CAP_MAC_ADMIN,	CAP_MAC_OVERRIDE,  CAP_WAKE_ALARM, CAP_AUDIT_CONTROL,
	CAP_AUDIT_READ, CAP_BLOCK_SUSPEND, CAP_SYS_PACCT,  CAP_IPC_LOCK,
	CAP_LEASE,	CAP_PERFMON,	   CAP_BPF,	   CAP_SYS_RESOURCE,
};

static int drop_rights(const struct child_plan *p UNUSED)
{
	sigset_t none;

	for (size_t i = 0; i < ARRAY_LEN(dropped); i++)
		/* EINVAL: an older kernel has it not. */
		if (prctl(PR_CAPBSET_DROP, dropped[i]) < 0 && errno != EINVAL)
			return -1;
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	/* A library of the daemon may have opened something without close-on-exec. */
	return close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
}

static int start_program(const struct child_plan *p)
{
	char *argv[] = { (char *)"ingot-guest", (char *)"init", NULL };
	char *env[] = { (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			(char *)"container=ingot", (char *)"TERM=linux", NULL };

	return execveat(p->program, "", argv, env, AT_EMPTY_PATH);
}

static const struct {
	const char *name;
	int (*run)(const struct child_plan *p);
} steps[] = {
	{ "starting", wait_for_go },
	{ "joining its control groups", join_groups },
	{ "making its mounts private", leave_chroot },
	{ "entering its root volume", enter_root },
	{ "mounting its kernel file systems", mount_kernel },
	{ "hiding the host's settings", hide_host },
	{ "setting its name and console", set_console },
	{ "installing its system call filter", filter_calls },
	{ "dropping rights", drop_rights },
	{ "starting pid 1", start_program },
};

const char *child_step_name(int step)
{
	return step >= 0 && step < (int)ARRAY_LEN(steps) ? steps[step].name : "?";
}

void container_child(const struct child_plan *p)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (steps[i].run(p) < 0) {
			struct child_error e = { (int)i, errno };

			if (write(p->errors, &e, sizeof(e)) < 0)
				_exit(2);
			_exit(1);
		}
	}
	_exit(0);
}
