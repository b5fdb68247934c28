/* One thread that listens, connects and moves bytes for all instances, without copying them.
 *
 * Sockets belong to an owner (an instance); relay_forget() ends what is his. Thread-safe.
 */
#ifndef INGOT_CLOUD_NET_RELAY_H
#define INGOT_CLOUD_NET_RELAY_H

#include "base/base.h"
#include "base/err.h"

#include <netinet/in.h>

struct relay;
struct relay_listener;

int relay_new(struct relay **ret, struct err *err) MUST_USE;
void relay_free(struct relay *r); /* ends every connection; NULL is fine */

/* Takes over a listening socket. accepted(data, fd) runs on the relay's thread, owns fd
 * (non-blocking, close-on-exec) and must be quick. */
struct relay_listener *relay_listen(struct relay *r, const void *owner, int fd,
				    void (*accepted)(void *data, int fd), void *data);
/* No call to accepted() is under way or comes after this. Not to be called from it. */
void relay_unlisten(struct relay *r, struct relay_listener *l);

/* Joins fd (taken over) with a new connection to `to`, made inside the network namespace. While
 * that is refused it is tried again until the monotonic time `patience_ms`: who connects to a
 * booting instance gets his answer the moment its service is there. Then fd is reset. */
void relay_connect(struct relay *r, const void *owner, int fd, int netns, struct sockaddr_in to,
		   int64_t patience_ms);
/* Joins two connected sockets; both are taken over. */
void relay_join(struct relay *r, const void *owner, int a, int b);

/* Ends all of the owner's connections, and with relay_forget his listeners too. */
void relay_forget_connections(struct relay *r, const void *owner);
void relay_forget(struct relay *r, const void *owner);

#endif
