/* The helper of the qemu backend: qemu starts it for each connection of its instance to the
 * metadata service or the proxy, with the connection as standard input; it passes that on to ingot
 * and is gone.
 */
#include "guest.h"
#include "cloud/fdpass.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int guest_hand_over(const char *name, const char *service)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = strlen(name);
	auto_fd int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (n + 1 > sizeof(to.sun_path))
		return 64;
	memcpy(to.sun_path + 1, name, n);
	if (s < 0 || connect(s, (struct sockaddr *)&to,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)) < 0)
		return 1;
	return fd_send(s, *service, STDIN_FILENO) == 0 ? 0 : 1;
}
