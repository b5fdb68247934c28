/* Hands out the embedded guest program as a sealed memfd. */
#include "cloud/guest.h"
#include "cloud/embed.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

int guest_program(int *ret_fd, struct err *err)
{
	auto_fd int fd = memfd_create("ingot-guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct str data = embed_data(EMBED_GUEST);

	if (fd < 0 || os_write_all(fd, data.p, data.n) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return err_errno(err, errno, "handing out the guest program");
	*ret_fd = steal_fd(fd);
	return 0;
}
