/* The few rtnetlink requests that instances need; each is sent in the namespace the socket was made
 * in. */
#ifndef INGOT_CLOUD_CONTAINER_NETLINK_H
#define INGOT_CLOUD_CONTAINER_NETLINK_H

#include "base/base.h"

#include <netinet/in.h>

/* A socket in the calling thread's namespace, or -1 with errno. */
int netlink_open(void);

/* All: 0 or -1 with errno, as the kernel answered. */
int netlink_link_up(int nl, unsigned index);
int netlink_link_delete(int nl, const char *name);
/* A veth pair: `name` here, `peer` in the namespace peer_ns. */
int netlink_veth(int nl, const char *name, const uint8_t mac[6], const char *peer,
		 const uint8_t peer_mac[6], int peer_ns);
/* An address; `quiet` makes no route for its prefix. */
int netlink_address(int nl, unsigned index, struct in_addr ip, unsigned prefix, bool quiet);
/* to/prefix (0/0: default) over the link, via the gateway unless that is 0.0.0.0. */
int netlink_route(int nl, unsigned index, struct in_addr to, unsigned prefix,
		  struct in_addr gateway);
int netlink_neighbour(int nl, unsigned index, struct in_addr ip, const uint8_t mac[6]);

#endif
