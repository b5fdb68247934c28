/* One byte and one descriptor as SCM_RIGHTS (unix(7)). */
#include "cloud/fdpass.h"

#include <string.h>
#include <sys/socket.h>

/* Room for one descriptor, aligned as its header wants. */
union rights {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int fd_send(int s, char byte, int fd)
{
	struct iovec io = { &byte, 1 };
	union rights r = { 0 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

	if (fd >= 0) {
		m.msg_control = r.bytes;
		m.msg_controllen = sizeof(r.bytes);
		*CMSG_FIRSTHDR(&m) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
						       .cmsg_level = SOL_SOCKET,
						       .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(fd));
	}
	return sendmsg(s, &m, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int fd_receive(int s, char *ret_byte)
{
	char byte = 0;
	struct iovec io = { &byte, 1 };
	union rights r = { 0 };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = r.bytes,
			    .msg_controllen = sizeof(r.bytes) };
	const struct cmsghdr *c;
	int fd;

	if (recvmsg(s, &m, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	*ret_byte = byte;
	return fd;
}
