/* Writes cpio's "newc" form (the kernel's Documentation/driver-api/early-userspace/buffer-format).
 */
#include "cloud/qemu/cpio.h"

#include <string.h>
#include <sys/sysmacros.h>

static void pad(struct buf *out)
{
	while (out->n % 4)
		buf_addc(out, '\0');
}

void cpio_add(struct buf *out, const char *name, mode_t mode, dev_t dev, struct str data)
{
	unsigned inode = (unsigned)(out->n / 4 + 1); /* any number that no other entry has */

	buf_printf(out, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", inode,
		   (unsigned)mode, 0u, 0u, 1u, 0u, data.n, 0u, 0u, major(dev), minor(dev),
		   strlen(name) + 1, 0u);
	buf_add(out, name, strlen(name) + 1);
	pad(out);
	buf_add_str(out, data);
	pad(out);
}

void cpio_end(struct buf *out)
{
	cpio_add(out, "TRAILER!!!", 0, 0, STR(""));
	while (out->n % 512)
		buf_addc(out, '\0');
}
