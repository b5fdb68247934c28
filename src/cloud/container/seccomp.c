/* The filter of instances: system calls that would reach the host's kernel are refused, and the two
 * ioctls that change a disk's partitions are handed to ingot, so that nodes exist before the caller
 * goes on.
 */
#include "cloud/container/container.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/blkpg.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "the container backend knows x86-64 and arm64 only"
#endif

/* Of x32, which shares the arch with x86-64. */
#define FOREIGN_ABI_BIT 0x40000000u

static const int refused[] = {
	SYS_kexec_load,	  SYS_kexec_file_load, SYS_init_module,
	SYS_finit_module, SYS_delete_module,   SYS_open_by_handle_at,
	SYS_bpf,	  SYS_keyctl,	       SYS_add_key,
	SYS_request_key,  SYS_userfaultfd,     SYS_perf_event_open,
	SYS_swapon,	  SYS_swapoff,	       SYS_acct,
	SYS_quotactl,	  SYS_settimeofday,    SYS_clock_settime,
	SYS_adjtimex,	  SYS_clock_adjtime,
#if defined(__x86_64__)
	SYS_iopl,	  SYS_ioperm,
#endif
};

static const unsigned handed_over[] = { BLKRRPART, BLKPG };

#define LOAD(field) \
	(struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (what))
/* Falls through to the next instruction when equal, else over it. */
#define IF(value) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1)

static int install(bool with_listener)
{
	struct sock_filter code[16 + 2 * ARRAY_LEN(refused) + 2 * ARRAY_LEN(handed_over)];
	struct sock_fprog program = { .filter = code };
	unsigned short n = 0;

	code[n++] = LOAD(arch);
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
	code[n++] = RETURN(SECCOMP_RET_ERRNO | ENOSYS);
	code[n++] = LOAD(nr);
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FOREIGN_ABI_BIT, 0, 1);
	code[n++] = RETURN(SECCOMP_RET_ERRNO | ENOSYS);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		code[n++] = IF((unsigned)refused[i]);
		code[n++] = RETURN(SECCOMP_RET_ERRNO | EPERM);
	}
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0);
	code[n++] = RETURN(SECCOMP_RET_ALLOW);
	code[n++] = LOAD(args[1]);
	for (size_t i = 0; with_listener && i < ARRAY_LEN(handed_over); i++) {
		code[n++] = IF(handed_over[i]);
		code[n++] = RETURN(SECCOMP_RET_USER_NOTIF);
	}
	code[n++] = RETURN(SECCOMP_RET_ALLOW);
	program.len = n;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    with_listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, &program);
}

int container_filter(int *ret_listener)
{
	int fd = install(true);

	/* ingot may run under another listener: then partitions do not appear by themselves. */
	if (fd < 0 && errno == EBUSY) {
		*ret_listener = -1;
		return install(false) < 0 ? -errno : 0;
	}
	if (fd < 0)
		return -errno;
	*ret_listener = fd;
	return 0;
}
