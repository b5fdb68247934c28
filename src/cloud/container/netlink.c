/* rtnetlink by hand: one request, one answer. */
#include "cloud/container/netlink.h"

#include <assert.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
	union {
		struct nlmsghdr head;
		char bytes[1024];
	} u;
};

int netlink_open(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

static void *put_raw(struct request *q, const void *p, size_t n)
{
	char *at = q->u.bytes + NLMSG_ALIGN(q->u.head.nlmsg_len);

	assert((size_t)(at - q->u.bytes) + n <= sizeof(q->u.bytes));
	if (p)
		memcpy(at, p, n);
	q->u.head.nlmsg_len = (uint32_t)((size_t)(at - q->u.bytes) + n);
	return at;
}

static void begin(struct request *q, uint16_t type, uint16_t flags, const void *body, size_t n)
{
	memset(q, 0, sizeof(*q));
	q->u.head = (struct nlmsghdr){ .nlmsg_len = NLMSG_HDRLEN,
				       .nlmsg_type = type,
				       .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags),
				       .nlmsg_seq = 1 };
	put_raw(q, body, n);
}

static struct rtattr *put(struct request *q, uint16_t type, const void *p, size_t n)
{
	struct rtattr a = { .rta_len = (uint16_t)RTA_LENGTH(n), .rta_type = type };
	struct rtattr *at = put_raw(q, &a, sizeof(a));

	if (n)
		put_raw(q, p, n);
	return at;
}

static void put_end(struct request *q, struct rtattr *a)
{
	a->rta_len = (uint16_t)(q->u.bytes + NLMSG_ALIGN(q->u.head.nlmsg_len) - (char *)a);
}

static int talk(int nl, struct request *q)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	char answer[4096] __attribute__((aligned(8)));
	const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
	ssize_t n;

	if (sendto(nl, q->u.bytes, q->u.head.nlmsg_len, 0, (struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return -1;
	do
		n = recv(nl, answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	if (!NLMSG_OK(h, (size_t)n) || h->nlmsg_type != NLMSG_ERROR) {
		errno = EPROTO;
		return -1;
	}
	errno = -((const struct nlmsgerr *)NLMSG_DATA(h))->error;
	return errno ? -1 : 0;
}

int netlink_link_up(int nl, unsigned index)
{
	struct ifinfomsg m = { .ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct request q;

	begin(&q, RTM_NEWLINK, 0, &m, sizeof(m));
	return talk(nl, &q);
}

int netlink_link_delete(int nl, const char *name)
{
	struct ifinfomsg m = { 0 };
	struct request q;

	begin(&q, RTM_DELLINK, 0, &m, sizeof(m));
	put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	return talk(nl, &q);
}

int netlink_veth(int nl, const char *name, const uint8_t mac[6], const char *peer,
		 const uint8_t peer_mac[6], int peer_ns)
{
	struct ifinfomsg m = { 0 };
	struct rtattr *info, *data, *other;
	struct request q;

	begin(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	put(&q, IFLA_ADDRESS, mac, 6);
	info = put(&q, IFLA_LINKINFO, NULL, 0);
	put(&q, IFLA_INFO_KIND, "veth", 5);
	data = put(&q, IFLA_INFO_DATA, NULL, 0);
	other = put(&q, VETH_INFO_PEER, NULL, 0);
	put_raw(&q, &m, sizeof(m));
	put(&q, IFLA_IFNAME, peer, strlen(peer) + 1);
	put(&q, IFLA_ADDRESS, peer_mac, 6);
	put(&q, IFLA_NET_NS_FD, &peer_ns, sizeof(peer_ns));
	put_end(&q, other);
	put_end(&q, data);
	put_end(&q, info);
	return talk(nl, &q);
}

int netlink_address(int nl, unsigned index, struct in_addr ip, unsigned prefix, bool quiet)
{
	struct ifaddrmsg m = { .ifa_family = AF_INET,
			       .ifa_prefixlen = (uint8_t)prefix,
			       .ifa_index = index };
	uint32_t flags = IFA_F_PERMANENT | (quiet ? IFA_F_NOPREFIXROUTE : 0);
	struct request q;

	begin(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &m, sizeof(m));
	put(&q, IFA_LOCAL, &ip, sizeof(ip));
	put(&q, IFA_ADDRESS, &ip, sizeof(ip));
	put(&q, IFA_FLAGS, &flags, sizeof(flags));
	return talk(nl, &q);
}

int netlink_route(int nl, unsigned index, struct in_addr to, unsigned prefix,
		  struct in_addr gateway)
{
	struct rtmsg m = { .rtm_family = AF_INET,
			   .rtm_dst_len = (uint8_t)prefix,
			   .rtm_table = RT_TABLE_MAIN,
			   .rtm_protocol = RTPROT_STATIC,
			   .rtm_type = RTN_UNICAST,
			   .rtm_scope = gateway.s_addr ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK };
	struct request q;

	begin(&q, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &m, sizeof(m));
	if (prefix)
		put(&q, RTA_DST, &to, sizeof(to));
	if (gateway.s_addr)
		put(&q, RTA_GATEWAY, &gateway, sizeof(gateway));
	put(&q, RTA_OIF, &index, sizeof(index));
	return talk(nl, &q);
}

int netlink_neighbour(int nl, unsigned index, struct in_addr ip, const uint8_t mac[6])
{
	struct ndmsg m = { .ndm_family = AF_INET,
			   .ndm_ifindex = (int)index,
			   .ndm_state = NUD_PERMANENT };
	struct request q;

	begin(&q, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &m, sizeof(m));
	put(&q, NDA_DST, &ip, sizeof(ip));
	put(&q, NDA_LLADDR, mac, 6);
	return talk(nl, &q);
}
