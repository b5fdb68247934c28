/* Namespaces, links and listeners of the instances' network. */
#include "base/log.h"
#include "cloud/container/netlink.h"
#include "cloud/container/netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SUBNET_PREFIX 20

static const char own_ns[] = "/proc/thread-self/ns/net";

int netns_enter(int ns, int *ret_home)
{
	auto_fd int home = open(own_ns, O_RDONLY | O_CLOEXEC);

	if (home < 0 || setns(ns, CLONE_NEWNET) < 0)
		return -1;
	*ret_home = steal_fd(home);
	return 0;
}

void netns_leave(int *home)
{
	int saved = errno;

	if (*home >= 0 && setns(*home, CLONE_NEWNET) < 0)
		abort(); /* this thread would go on in a foreign network */
	fd_close(home);
	errno = saved;
}

int netns_socket(int ns, int type)
{
	int home, fd;

	if (netns_enter(ns, &home) < 0)
		return -1;
	fd = socket(AF_INET, type, 0);
	netns_leave(&home);
	return fd;
}

static int new_here(int *ret_ns)
{
	auto_fd int nl = -1;
	auto_fd int ns = -1;

	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	ns = open(own_ns, O_RDONLY | O_CLOEXEC);
	nl = netlink_open();
	if (ns < 0 || nl < 0 || netlink_link_up(nl, if_nametoindex("lo")) < 0)
		return -1;
	*ret_ns = steal_fd(ns);
	return 0;
}

int netns_new(int *ret_ns, struct err *err)
{
	int home = open(own_ns, O_RDONLY | O_CLOEXEC), ret;

	if (home < 0)
		return err_errno(err, errno, "opening %s (is /proc mounted?)", own_ns);
	ret = new_here(ret_ns);
	netns_leave(&home);
	if (ret < 0)
		return err_errno(err, errno,
				 "namespaces are refused by the kernel (a seccomp profile, or "
				 "user.max_net_namespaces = 0)");
	return 0;
}

static int write_text(const char *path, const char *text)
{
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) > 0 ? 0 : -1;
}

static int set_up_vpc(void)
{
	static const struct {
		const char *path, *value;
	} settings[] = {
		{ "/proc/sys/net/ipv4/ip_forward", "1" },
		/* An instance speaks for itself only. */
		{ "/proc/sys/net/ipv4/conf/all/rp_filter", "1" },
		{ "/proc/sys/net/ipv4/conf/default/rp_filter", "1" },
		{ "/proc/sys/net/ipv4/conf/all/send_redirects", "0" },
		{ "/proc/sys/net/ipv4/conf/default/send_redirects", "0" },
	};
	auto_fd int nl = netlink_open();

	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (write_text(settings[i].path, settings[i].value) < 0)
			return -1;
	return nl < 0 ? -1
		      : netlink_address(nl, if_nametoindex("lo"),
					(struct in_addr){ inet_addr("169.254.169.254") }, 32,
					false);
}

int netns_new_vpc(int *ret_ns, struct err *err)
{
	auto_fd int ns = -1;
	int home, ret;

	if (netns_new(&ns, err) < 0)
		return -1;
	if (netns_enter(ns, &home) < 0)
		return err_errno(err, errno, "entering a network namespace");
	ret = set_up_vpc();
	netns_leave(&home);
	if (ret < 0)
		return err_errno(err, errno, "setting up the network of a VPC");
	*ret_ns = steal_fd(ns);
	return 0;
}

/* The VPC's router: .1 of the instance's subnet. */
static struct in_addr gateway_of(struct in_addr ip)
{
	uint32_t net = ntohl(ip.s_addr) & (UINT32_MAX << (32 - SUBNET_PREFIX));

	return (struct in_addr){ htonl(net + 1) };
}

/* The router's MAC on every link: locally administered, the same everywhere. */
static const uint8_t router_mac[6] = { 0x0a, 0xff, 0xff, 0xff, 0xff, 0x01 };

static void link_name(const struct netns_link *l, char name[IF_NAMESIZE])
{
	snprintf(name, IF_NAMESIZE, "i%u", l->number);
}

static int link_vpc_side(int instance, const struct netns_link *l)
{
	char name[IF_NAMESIZE];
	auto_fd int nl = netlink_open();
	unsigned index;

	link_name(l, name);
	if (nl < 0 || netlink_veth(nl, name, router_mac, "eth0", l->mac, instance) < 0)
		return -1;
	index = if_nametoindex(name);
	if (netlink_address(nl, index, gateway_of(l->ip), 32, true) < 0 ||
	    netlink_link_up(nl, index) < 0)
		return -1;
	return netlink_route(nl, index, l->ip, 32, (struct in_addr){ 0 }) < 0 ||
			       netlink_neighbour(nl, index, l->ip, l->mac) < 0
		       ? -1
		       : 0;
}

static int link_instance_side(const struct netns_link *l)
{
	struct in_addr gateway = gateway_of(l->ip), any = { 0 };
	auto_fd int nl = netlink_open();
	unsigned index = if_nametoindex("eth0");

	if (nl < 0 || netlink_address(nl, index, l->ip, SUBNET_PREFIX, true) < 0 ||
	    netlink_link_up(nl, index) < 0 ||
	    netlink_neighbour(nl, index, gateway, router_mac) < 0 ||
	    netlink_route(nl, index, gateway, 32, any) < 0)
		return -1;
	return netlink_route(nl, index, any, 0, gateway);
}

int netns_link(int vpc, int instance, const struct netns_link *l, struct err *err)
{
	int home, ret;

	if (netns_enter(vpc, &home) < 0)
		return err_errno(err, errno, "entering the VPC's network namespace");
	ret = link_vpc_side(instance, l);
	netns_leave(&home);
	if (ret < 0 && errno == EOPNOTSUPP)
		return err_set(err, ERR_UNSUPPORTED,
			       "this kernel has no veth devices: load the module veth");
	if (ret < 0)
		return err_errno(err, errno, "making the instance's network link");
	if (netns_enter(instance, &home) < 0)
		return err_errno(err, errno, "entering the instance's network namespace");
	ret = link_instance_side(l);
	netns_leave(&home);
	return ret < 0 ? err_errno(err, errno, "setting up the instance's eth0") : 0;
}

void netns_unlink(int vpc, const struct netns_link *l)
{
	char name[IF_NAMESIZE];
	int home;

	link_name(l, name);
	if (netns_enter(vpc, &home) < 0)
		return;
	{
		auto_fd int nl = netlink_open();

		/* ENODEV: the kernel took it together with the instance's namespace. */
		if (nl >= 0 && netlink_link_delete(nl, name) < 0 && errno != ENODEV)
			log_line("local cloud: removing the link %s: %m", name);
	}
	netns_leave(&home);
}

int netns_listen(int vpc, const struct netns_link *l, uint16_t port, int *ret_fd, struct err *err)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = inet_addr("169.254.169.254") };
	auto_fd int fd = netns_socket(vpc, SOCK_STREAM | SOCK_CLOEXEC);
	char name[IF_NAMESIZE];
	int one = 1;

	link_name(l, name);
	/* Bound to the link: only this instance's packets get here, whatever address they claim. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name) + 1) < 0 ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(fd, 64) < 0)
		return err_errno(err, errno, "listening on 169.254.169.254:%u for the instance",
				 port);
	*ret_fd = steal_fd(fd);
	return 0;
}

bool netns_parse_mac(const char *text, uint8_t ret[6])
{
	unsigned b[6];
	char end;

	if (!text || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4],
			    &b[5], &end) != 6)
		return false;
	for (size_t i = 0; i < 6; i++)
		ret[i] = (uint8_t)b[i];
	return true;
}
