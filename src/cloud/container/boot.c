/* One boot of an instance: its file systems are made ready as descriptors, then pid 1 is cloned.
 *
 * Runs on the instance's thread, which pid 1 dies with. That thread has a root and working
 * directory of its own (CLONE_FS), so that the root volume can be mounted under the name the
 * instance knows it by.
 */
#include "base/log.h"
#include "cloud/container/container.h"
#include "cloud/container/mountfd.h"
#include "cloud/fdpass.h"
#include "cloud/guest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* The mounts of a boot until the child has them. */
struct stage {
	int root, run, sys, pts;
	int program;
	int channel[2]; /* [0] ours */
	int errors[2];	/* [0] ours */
};

static void stage_release(struct stage *s)
{
	int *all[] = {
		&s->root,	&s->run,	&s->sys,       &s->pts,	      &s->program,
		&s->channel[0], &s->channel[1], &s->errors[0], &s->errors[1],
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		fd_close(all[i]);
}
DEFINE_AUTO(stage, struct stage, stage_release);

static const struct machine_volume *root_volume(const struct machine *i)
{
	for (size_t n = 0; n < i->nvolumes; n++)
		if (i->volumes[n].root)
			return &i->volumes[n];
	return NULL;
}

/* Where the root file system is: the partition that is largest and has one, or the whole disk. */
static int find_root(const struct machine_volume *v, dev_t *ret_dev, unsigned *ret_number,
		     const char **ret_type, struct err *err)
{
	const struct disk_partition *best = NULL;

	for (size_t n = 0; n < v->disk.nparts; n++) {
		const struct disk_partition *p = &v->disk.parts[n];

		if ((!best || p->p.length > best->p.length) &&
		    partition_filesystem(v->disk.fd, p->p.start))
			best = p;
	}
	*ret_dev = best ? best->dev : v->disk.dev;
	*ret_number = best ? best->p.number : 0;
	*ret_type = partition_filesystem(v->disk.fd, best ? best->p.start : 0);
	if (!*ret_type)
		return err_set(err, ERR_INVALID,
			       "volume %s has no file system that can be booted (ext4, xfs or "
			       "btrfs, on a partition or on the whole disk)",
			       v->volume);
	return 0;
}

/* In a root that has nothing but /dev/<name>: the mount is listed under that name inside. */
static int mount_as(const char *type, const char *node, dev_t dev,
		    const struct mount_option *options, int *ret, struct buf *why)
{
	static const struct mount_option small[] = { { "size", "64k" }, { NULL, NULL } };
	auto_fd int empty = mountfd_new("tmpfs", small, 0, NULL),
		    before = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd, saved;

	if (empty < 0 || before < 0 || mkdirat(empty, "dev", 0755) < 0 ||
	    mknodat(empty, node + 1, S_IFBLK | 0600, dev) < 0 || fchdir(empty) < 0 ||
	    chroot(".") < 0)
		return -1;
	fd = mountfd_new(type, options, MOUNT_ATTR_NOATIME, why);
	saved = errno;
	if (fchdir(before) < 0 || chroot(".") < 0)
		abort(); /* the thread would be locked in */
	errno = saved;
	*ret = fd;
	return fd < 0 ? -1 : 0;
}

static int mount_root(const struct machine *i, int *ret, struct err *err)
{
	const struct machine_volume *v = root_volume(i);
	AUTO(buf) struct buf why = BUF_INIT;
	const char *type;
	char node[64], name[48];
	unsigned number;
	dev_t dev;

	if (!v)
		return err_set(err, ERR_INVALID, "it has no root volume");
	if (find_root(v, &dev, &number, &type, err) < 0)
		return -1;
	snprintf(name, sizeof(name), "%s", v->name);
	snprintf(node, sizeof(node), number ? "/dev/%s%u" : "/dev/%s", name, number);
	{
		/* Holes come back to the volume's file (discard); what is written is safe once it
		 * is in the host's memory, a power cut of the host aside (nobarrier): package
		 * managers sync a lot. */
		const struct mount_option ext4[] = { { "source", node },
						     { "discard", NULL },
						     { "nobarrier", NULL },
						     { NULL, NULL } };
		const struct mount_option other[] = { { "source", node },
						      { "discard", NULL },
						      { NULL, NULL } };

		if (mount_as(type, node, dev, streq(type, "ext4") ? ext4 : other, ret, &why) == 0)
			return 0;
	}
	if (errno == ENODEV)
		return err_set(err, ERR_UNSUPPORTED, "this kernel has no %s", type);
	if (errno == EBUSY)
		return err_set(err, ERR_IO, "volume %s is in use", v->volume);
	return err_errno(err, errno, "mounting volume %s (%s)%s%s; is it damaged? try e2fsck",
			 v->volume, type, why.n ? ": " : "", buf_cstr(&why));
}

static int make_dev(int *ret)
{
	static const struct mount_option options[] = {
		{ "source", "udev" }, { "mode", "755" }, { "size", "4m" }, { NULL, NULL }
	};
	static const struct {
		const char *name;
		unsigned major, minor;
	} nodes[] = {
		{ "null", 1, 3 },   { "zero", 1, 5 },	 { "full", 1, 7 },
		{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
	};
	static const struct {
		const char *name, *to;
	} links[] = {
		{ "ptmx", "pts/ptmx" },		 { "fd", "/proc/self/fd" },
		{ "stdin", "/proc/self/fd/0" },	 { "stdout", "/proc/self/fd/1" },
		{ "stderr", "/proc/self/fd/2" },
	};
	auto_fd int dev = mountfd_new("tmpfs", options, MOUNT_ATTR_NOSUID, NULL), console = -1;

	if (dev < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		/* The umask is the process's: modes are set afterwards. */
		if (mknodat(dev, nodes[i].name, S_IFCHR | 0666,
			    makedev(nodes[i].major, nodes[i].minor)) < 0 ||
		    fchmodat(dev, nodes[i].name, 0666, 0) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlinkat(links[i].to, dev, links[i].name) < 0)
			return -1;
	if (mkdirat(dev, "pts", 0755) < 0 || mkdirat(dev, "shm", 0755) < 0)
		return -1;
	console = openat(dev, "console", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (console < 0)
		return -1;
	*ret = steal_fd(dev);
	return 0;
}

/* The master side stays here; the instance has the other as /dev/console. */
static int open_console(struct machine *i, int pts, char *name, size_t n)
{
	int unlock = 0;
	unsigned number;

	i->console = openat(pts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (i->console < 0 || ioctl(i->console, TIOCSPTLCK, &unlock) < 0 ||
	    ioctl(i->console, TIOCGPTN, &number) < 0)
		return -1;
	snprintf(name, n, "/dev/pts/%u", number);
	i->tty = ioctl(i->console, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return i->tty < 0 ? -1 : 0;
}

static int prepare(struct machine *i, struct stage *s, struct child_plan *p, struct err *err)
{
	static const struct mount_option pts[] = { { "source", "devpts" },
						   { "ptmxmode", "0666" },
						   { "mode", "620" },
						   { "gid", "5" },
						   { NULL, NULL } };
	static const struct mount_option run[] = { { "source", "tmpfs" },
						   { "mode", "755" },
						   { NULL, NULL } };
	static const struct mount_option sys[] = { { "source", "sysfs" }, { NULL, NULL } };

	if (mount_root(i, &s->root, err) < 0 || guest_program(&s->program, err) < 0)
		return -1;
	s->sys = mountfd_new("sysfs", sys,
			     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				     MOUNT_ATTR_NOEXEC,
			     NULL);
	s->run = mountfd_new("tmpfs", run, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, NULL);
	s->pts = mountfd_new("devpts", pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, NULL);
	if (s->sys < 0 || s->run < 0 || s->pts < 0 || make_dev(&i->dev) < 0)
		return err_errno(err, errno, "making its kernel file systems");
	if (open_console(i, s->pts, p->console, sizeof(p->console)) < 0)
		return err_errno(err, errno, "making its console");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->channel) < 0 ||
	    pipe2(s->errors, O_CLOEXEC) < 0)
		return err_errno(err, errno, "preparing its start");
	return machine_make_nodes(i, err);
}

static int clone_child(const struct child_plan *p, int *ret_pidfd, pid_t *ret_pid)
{
	struct clone_args a = { .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC |
					 CLONE_PIDFD,
				.pidfd = (uintptr_t)ret_pidfd,
				.exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &a, sizeof(a));

	if (pid == 0)
		container_child(p);
	if (pid < 0)
		return -1;
	*ret_pid = (pid_t)pid;
	return 0;
}

/* Runs in the instance's network, so that the child and the sysfs are of it. */
static int start(struct machine *i, struct stage *s, struct err *err)
{
	struct child_plan p = { .host_name = i->host_name };

	if (prepare(i, s, &p, err) < 0)
		return -1;
	p.root = s->root;
	p.dev = i->dev;
	p.run = s->run;
	p.sys = s->sys;
	p.pts = s->pts;
	p.program = s->program;
	p.channel = s->channel[1];
	p.errors = s->errors[1];
	p.njoin = cgroup_join_files(i->cgroup, p.join);
	if (clone_child(&p, &i->pidfd, &i->pid) < 0)
		return err_errno(err, errno,
				 "namespaces are refused by the kernel (a seccomp profile, or a "
				 "limit user.max_*_namespaces)");
	return 0;
}

/* Lets the child go and waits until it is pid 1's program, or told why not. */
static int await_exec(struct machine *i, struct stage *s, struct err *err)
{
	struct child_error failed;
	siginfo_t info;
	char byte;

	fd_close(&s->channel[1]);
	fd_close(&s->errors[1]);
	if (write(s->channel[0], "g", 1) == 1)
		i->notify = fd_receive(s->channel[0], &byte); /* -1: it runs without one */
	if (read(s->errors[0], &failed, sizeof(failed)) != sizeof(failed))
		return 0;
	waitid(P_PIDFD, (id_t)i->pidfd, &info, WEXITED | __WALL);
	fd_close(&i->pidfd);
	return err_errno(err, failed.error, "%s", child_step_name(failed.step));
}

int machine_boot(struct machine *i, struct err *err)
{
	AUTO(stage) struct stage s = { -1, -1, -1, -1, -1, { -1, -1 }, { -1, -1 } };
	int home, ret;

	if (cgroup_new(i->backend->cgroups, i->id, i->memory, &i->cgroup, err) < 0)
		return -1;
	if (netns_enter(i->netns, &home) < 0)
		return err_errno(err, errno, "entering its network");
	pthread_mutex_lock(&i->lock);
	ret = start(i, &s, err);
	pthread_mutex_unlock(&i->lock);
	netns_leave(&home);
	if (ret < 0)
		return -1;
	return await_exec(i, &s, err);
}
