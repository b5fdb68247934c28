/* The kernel that an instance boots, taken out of its root disk without mounting it, and a small
 * initrd made of the guest program and the drivers of qemu's devices.
 */
#ifndef INGOT_CLOUD_QEMU_KERNEL_H
#define INGOT_CLOUD_QEMU_KERNEL_H

#include "base/base.h"
#include "base/err.h"

struct qemu_kernel {
	char *kernel, *initrd; /* paths */
	unsigned root;	       /* number of the root partition, 0: the whole disk */
};
void qemu_kernel_release(struct qemu_kernel *k);
DEFINE_AUTO(qemu_kernel, struct qemu_kernel, qemu_kernel_release);

/* The newest kernel in /boot of the disk, kept under `dir` by version for all instances; for an
 * image without one the newest that is kept. ERR_UNSUPPORTED when there is none either. */
int qemu_kernel_prepare(const char *dir, const char *raw, struct qemu_kernel *ret,
			struct err *err) MUST_USE;

#endif
