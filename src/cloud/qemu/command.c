/* The command line of a virtual machine, and its process. */
#include "base/os.h"
#include "base/str.h"
#include "cloud/disk/imagetool.h"
#include "cloud/qemu/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define MIN_MEMORY ((uint64_t)256 << 20)
/* Numbers that the child gets its channels under. */
enum { FD_CONSOLE = 3, FD_MONITOR, FD_AGENT };

typedef VEC(const char *) arguments;

/* An option value: qemu doubles commas in file names. */
static char *escaped(struct arena *a, const char *path)
{
	AUTO(buf) struct buf out = BUF_INIT;

	for (; *path; path++)
		buf_adds(&out, *path == ',' ? ",," : (char[]){ *path, '\0' });
	return arena_strdup(a, buf_cstr(&out));
}

static void add(arguments *v, const char *option, const char *value)
{
	vec_push(v, option);
	vec_push(v, value);
}

/* "/dev/sdf" is "sdf"; the guest's agent makes the name from the serial number. */
static const char *serial_of(const struct instance_disk *d)
{
	return os_basename(d->device);
}

static void add_disks(arguments *v, struct instance *i, struct arena *a)
{
	add(v, "-device", "virtio-scsi-pci,id=scsi");
	for (size_t n = 0; n < i->disks.n; n++) {
		const struct instance_disk *d = &i->disks.v[n];

		add(v, "-blockdev",
		    arena_printf(a,
				 "driver=raw,node-name=%s,discard=unmap,detect-zeroes=unmap,"
				 "cache.no-flush=on,file.driver=file,file.locking=off,"
				 "file.filename=%s",
				 d->volume, escaped(a, d->path)));
		if (d->root)
			add(v, "-device",
			    arena_printf(a, "virtio-blk-pci,drive=%s,id=disk-%s,serial=xvda",
					 d->volume, d->volume));
		else
			add(v, "-device",
			    arena_printf(a, "scsi-hd,bus=scsi.0,drive=%s,id=disk-%s,serial=%s",
					 d->volume, d->volume, serial_of(d)));
	}
}

static void add_network(arguments *v, const struct instance *i, struct arena *a)
{
	const char *helper = escaped(a, i->backend->helper);

	add(v, "-netdev",
	    arena_printf(a,
			 "user,id=net,ipv6=off,restrict=on,net=169.254.0.0/16,host=169.254.0.1,"
			 "dns=169.254.0.2,dhcpstart=" QEMU_GUEST_ADDRESS ","
			 "guestfwd=tcp:169.254.169.254:80-cmd:%s hand-over %s imds,"
			 "guestfwd=tcp:169.254.169.254:%d-cmd:%s hand-over %s proxy",
			 helper, i->socket_name, PROXY_PORT, helper, i->socket_name));
	add(v, "-device",
	    arena_printf(a, "virtio-net-pci,netdev=net,romfile=,mac=%s", i->spec.mac));
}

/* What cloud-init recognises EC2 by. */
static void add_identity(arguments *v, const struct instance *i, struct arena *a)
{
	char uuid[37];

	os_uuid(uuid);
	add(v, "-smbios",
	    arena_printf(a, "type=1,manufacturer=Amazon EC2,product=ingot,uuid=ec2%s,serial=ec2%s",
			 uuid + 3, uuid + 3));
	add(v, "-smbios", arena_printf(a, "type=2,asset=%s", i->spec.id));
	add(v, "-smbios", "type=3,asset=Amazon EC2");
}

static void add_machine(arguments *v, const struct instance *i, struct arena *a)
{
	uint64_t memory = MAX(i->spec.memory, MIN_MEMORY) >> 20;
	long cpus = MIN(MAX(i->spec.vcpus, 1u), (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L));

	vec_push(v, "qemu-system-x86_64");
	vec_push(v, "-nodefaults");
	vec_push(v, "-no-user-config");
	vec_push(v, "-no-reboot");
	add(v, "-display", "none");
	add(v, "-machine", "q35");
	add(v, "-accel", "tcg,thread=multi,tb-size=128");
	add(v, "-cpu", "max");
	add(v, "-smp", arena_printf(a, "%ld", cpus));
	add(v, "-m", arena_printf(a, "%llu", (unsigned long long)memory));
	add(v, "-chardev", arena_printf(a, "socket,id=console,fd=%d", FD_CONSOLE));
	add(v, "-serial", "chardev:console");
	add(v, "-chardev", arena_printf(a, "socket,id=monitor,fd=%d", FD_MONITOR));
	add(v, "-mon", "chardev=monitor,mode=control");
	add(v, "-device", "virtio-serial-pci");
	add(v, "-chardev", arena_printf(a, "socket,id=agent,fd=%d", FD_AGENT));
	add(v, "-device", "virtserialport,chardev=agent,name=ingot");
	add(v, "-device", "virtio-rng-pci");
}

static void add_kernel(arguments *v, const struct instance *i, const struct qemu_kernel *k,
		       struct arena *a)
{
	const char *number = k->root ? arena_printf(a, "%u", k->root) : "";

	add(v, "-kernel", k->kernel);
	add(v, "-initrd", k->initrd);
	/* The emulated timers are imprecise on a busy host: the kernel must not test them. */
	add(v, "-append",
	    arena_printf(a,
			 "console=ttyS0 net.ifnames=0 no_timer_check panic=-1 mitigations=off "
			 "random.trust_cpu=on loglevel=5 ingot.root=/dev/vda%s ingot.ip=%s",
			 number, i->spec.private_ip));
}

static NORETURN void child(const char *program, const char *const *argv, const int fds[3],
			   int errors)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* First above all targets, so that none is overwritten before it is copied. */
	for (int n = 0; n < 3; n++)
		if (fcntl(fds[n], F_DUPFD, 16 + n) != 16 + n && dup2(fds[n], 16 + n) < 0)
			_exit(126);
	dup2(null, STDIN_FILENO);
	dup2(errors, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	for (int n = 0; n < 3; n++)
		dup2(16 + n, FD_CONSOLE + n);
	syscall(SYS_close_range, FD_AGENT + 1, ~0u, 0);
	execv(program, (char *const *)argv);
	_exit(127);
}

static int start(struct instance *i, const char *program, const char *const *argv, struct err *err)
{
	int pairs[4][2]; /* console, monitor, agent, errors */
	int theirs[3];
	size_t n;

	for (n = 0; n < 4; n++)
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[n]) < 0)
			break;
	if (n == 4) {
		for (size_t k = 0; k < 3; k++)
			theirs[k] = pairs[k][1];
		i->pid = fork();
		if (i->pid == 0)
			child(program, argv, theirs, pairs[3][1]);
	} else {
		i->pid = -1;
	}
	if (i->pid < 0) {
		err_errno(err, errno, "starting %s", program);
		while (n--) {
			close(pairs[n][0]);
			close(pairs[n][1]);
		}
		return -1;
	}
	for (n = 0; n < 4; n++)
		close(pairs[n][1]);
	i->console = pairs[0][0];
	i->monitor = pairs[1][0];
	i->agent = pairs[2][0];
	i->errors = pairs[3][0];
	i->pidfd = (int)syscall(SYS_pidfd_open, i->pid, 0);
	return 0;
}

int qemu_spawn(struct instance *i, const struct qemu_kernel *k, struct err *err)
{
	AUTO(arena) struct arena *a = arena_new();
	auto_free char *program = NULL;
	arguments v = VEC_INIT;
	int ret;

	if (imagetool_find("qemu-system-x86_64", "starting an instance", &program, err) < 0)
		return -1;
	add_machine(&v, i, a);
	add_identity(&v, i, a);
	add_disks(&v, i, a);
	add_network(&v, i, a);
	add_kernel(&v, i, k, a);
	vec_push(&v, NULL);
	ret = start(i, program, v.v, err);
	vec_release(&v);
	return ret;
}

int qemu_listen_helper(const char *name, int *ret_fd, struct err *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t n = strlen(name);
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(at.sun_path + 1, name, n);
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&at,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)) < 0 ||
	    listen(fd, 64) < 0)
		return err_errno(err, errno, "listening for the instance's connections");
	*ret_fd = steal_fd(fd);
	return 0;
}
