/* Descriptors handed over a Unix socket, each with one byte that says what for. Only system calls:
 * usable between clone and exec. */
#ifndef INGOT_CLOUD_FDPASS_H
#define INGOT_CLOUD_FDPASS_H

/* fd -1: the byte alone. 0, or -1 with errno. */
int fd_send(int s, char byte, int fd);
/* The descriptor, close-on-exec, or -1 when none came. */
int fd_receive(int s, char *ret_byte);

#endif
