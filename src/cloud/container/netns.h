/* Network namespaces of instances and of their VPCs, without names and without a route to the host.
 *
 * A VPC is a namespace that forwards between the instances in it. Each instance hangs on it by a
 * pair of its own (veth), with a host route and fixed neighbours: no ARP, no broadcast, no spoofed
 * source. In the VPC's namespace ingot makes its own sockets: towards an instance, and those that
 * the instance sees at 169.254.169.254.
 */
#ifndef INGOT_CLOUD_CONTAINER_NETNS_H
#define INGOT_CLOUD_CONTAINER_NETNS_H

#include "base/base.h"
#include "base/err.h"

#include <netinet/in.h>

/* Moves the calling thread into ns; leave brings it back and closes *home. 0 or -1 with errno. */
int netns_enter(int ns, int *ret_home) MUST_USE;
void netns_leave(int *home);
/* An IPv4 socket in ns. -1 with errno. */
int netns_socket(int ns, int type);

/* A new namespace with lo up. The fd is all that holds it. */
int netns_new(int *ret_ns, struct err *err) MUST_USE;
/* The same, forwarding, with 169.254.169.254 on it. */
int netns_new_vpc(int *ret_ns, struct err *err) MUST_USE;

struct netns_link {
	unsigned number;   /* of the VPC's side, "i<number>": unique in the VPC */
	struct in_addr ip; /* the instance's */
	uint8_t mac[6];	   /* of its eth0 */
};
int netns_link(int vpc, int instance, const struct netns_link *l, struct err *err) MUST_USE;
void netns_unlink(int vpc, const struct netns_link *l);

/* A socket listening on 169.254.169.254:port in the VPC for that link's instance alone. */
int netns_listen(int vpc, const struct netns_link *l, uint16_t port, int *ret_fd,
		 struct err *err) MUST_USE;

bool netns_parse_mac(const char *text, uint8_t ret[6]);

#endif
