/* Functions of IP networks. An address is a number of 32 or 128 bits; both are kept in 128. */
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"

#include <arpa/inet.h>

#define EXTEND_MAX 32 /* bits that one call may add to a prefix */

typedef unsigned __int128 address;

struct network {
	address ip;
	int prefix, bits;
};

static address mask_of(int prefix, int bits)
{
	address all = bits == 128 ? ~(address)0 : ((address)1 << bits) - 1;

	return prefix == 0 ? 0 : all & ~(prefix == bits ? 0 : all >> prefix);
}

static bool read_address(struct str s, struct network *ret)
{
	auto_free char *text = xstrndup(s.p, s.n);
	uint8_t bytes[16];
	bool v6 = strchr(text, ':');

	if (strlen(text) != s.n || inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes) != 1)
		return false;
	*ret = (struct network){ .bits = v6 ? 128 : 32 };
	for (int i = 0; i < ret->bits / 8; i++)
		ret->ip = ret->ip << 8 | bytes[i];
	return true;
}

/* "10.1.2.3/8": the network that the address is in. */
static int arg_network(struct func_call *c, const struct value *args, int i, struct network *ret,
		       struct err *err)
{
	struct str s = args[i].string;
	ptrdiff_t slash = str_find(s, STR("/"));
	int64_t prefix;

	if (slash < 0 || !read_address(str_slice(s, 0, (size_t)slash), ret))
		return arg_error(c, i, err,
				 "\"" STR_FMT
				 "\" is no CIDR address such as 10.0.0.0/8 or 2001:db8::/32",
				 ARG_TEXT(args[i]));
	s = str_slice(s, (size_t)slash + 1, s.n);
	if (!s.n || s.p[0] < '0' || s.p[0] > '9' || !parse_i64(s, &prefix) || prefix > ret->bits)
		return arg_error(c, i, err,
				 "\"" STR_FMT
				 "\" is no CIDR address: its prefix must be a number from 0 to %d",
				 ARG_TEXT(args[i]), ret->bits);
	ret->prefix = (int)prefix;
	ret->ip &= mask_of(ret->prefix, ret->bits);
	return 0;
}

/* IPv6 as RFC 5952 has it: the longest run of zero groups, if of two or more, becomes "::". */
static void write_v6(struct buf *out, address ip)
{
	int best = -1, best_n = 1;

	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && !(ip >> (112 - 16 * (i + n)) & 0xffff))
			n++;
		if (n > best_n) {
			best = i;
			best_n = n;
		}
		i += n;
	}
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			buf_adds(out, "::");
			i += best_n - 1;
			continue;
		}
		buf_printf(out, "%s%x", i && i != best + best_n ? ":" : "",
			   (unsigned)(ip >> (112 - 16 * i) & 0xffff));
	}
}

static void write_address(struct buf *out, address ip, int bits)
{
	if (bits == 128 && ip >> 32 != 0xffff)
		write_v6(out, ip);
	else /* also an IPv4 address in IPv6's clothes: it is shown as what it is */
		buf_printf(out, "%d.%d.%d.%d", (int)(ip >> 24 & 255), (int)(ip >> 16 & 255),
			   (int)(ip >> 8 & 255), (int)(ip & 255));
}

static struct value address_value(struct func_call *c, address ip, int bits)
{
	AUTO(buf) struct buf out = BUF_INIT;

	write_address(&out, ip, bits);
	return value_cstring(c->arena, buf_cstr(&out), c->span);
}

static struct value network_value(struct func_call *c, struct network n)
{
	AUTO(buf) struct buf out = BUF_INIT;
	bool shown_as_v4 = n.bits == 128 && n.ip >> 32 == 0xffff && n.prefix >= 96;

	write_address(&out, n.ip, n.bits);
	buf_printf(&out, "/%d", shown_as_v4 ? n.prefix - 96 : n.prefix);
	return value_cstring(c->arena, buf_cstr(&out), c->span);
}

/* The greatest number that `bits` bits hold. */
static address most(int bits)
{
	return bits >= 128 ? ~(address)0 : ((address)1 << bits) - 1;
}

/* An IPv4 address in IPv6's clothes, whose host numbers the reference counts in the first 32 bits,
 * and in which it finds no room for a subnet. */
static bool is_mapped(struct network n)
{
	return n.bits == 128 && n.ip >> 32 == 0xffff;
}

static int fn_cidrhost(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		       struct value *ret, struct err *err)
{
	struct network net;
	address host, last;
	int64_t n;

	if (arg_int(c, args, 1, &n, err) < 0 || arg_network(c, args, 0, &net, err) < 0)
		return -1;
	last = most(net.bits - net.prefix);
	host = n < 0 ? (address)(-(n + 1)) : (address)n;
	if (host > last)
		return arg_error(c, 1, err, "a prefix of %d bits has no host of number %lld",
				 net.prefix, (long long)n);
	host = n < 0 ? last - host : host;
	*ret = address_value(c, net.ip | (is_mapped(net) ? host << 96 : host), net.bits);
	return 0;
}

static int fn_cidrnetmask(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			  struct value *ret, struct err *err)
{
	struct network net;

	if (arg_network(c, args, 0, &net, err) < 0)
		return -1;
	*ret = address_value(c, mask_of(net.prefix, net.bits), net.bits);
	return 0;
}

static int fn_cidrsubnet(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err)
{
	int64_t newbits, netnum;
	struct network net;

	if (arg_int(c, args, 1, &newbits, err) < 0 || arg_int(c, args, 2, &netnum, err) < 0 ||
	    arg_network(c, args, 0, &net, err) < 0)
		return -1;
	if (newbits > EXTEND_MAX)
		return arg_error(c, 1, err,
				 "a prefix cannot be extended by more than %d bits at once",
				 EXTEND_MAX);
	if (newbits > net.bits - net.prefix)
		return arg_error(c, 1, err, "there is no room to extend a prefix of %d by %d bits",
				 net.prefix, (int)newbits);
	if (newbits < -net.prefix)
		return arg_error(c, 1, err, "a prefix of %d cannot be shortened by %lld bits",
				 net.prefix, -(long long)newbits);
	if (netnum < 0 || (newbits >= 0 && (address)netnum > most((int)newbits)))
		return arg_error(c, 2, err, "an extension by %d bits has no network of number %lld",
				 (int)newbits, (long long)netnum);
	net.prefix += (int)newbits;
	if (netnum && (address)netnum > most(net.prefix))
		return arg_error(c, 2, err, "a prefix of %d bits has no network of number %lld",
				 net.prefix, (long long)netnum);
	if (netnum)
		net.ip |= (address)netnum << (net.bits - net.prefix);
	*ret = network_value(c, net);
	return 0;
}

/* The network of `prefix` bits that follows one; false where the addresses end. */
static bool next_network(struct network *n, int prefix)
{
	address last = n->ip | ~mask_of(n->prefix, n->bits);

	last |= ~mask_of(prefix, n->bits);
	last = (last + 1) & most(n->bits);
	*n = (struct network){ .ip = last & mask_of(prefix, n->bits),
			       .prefix = prefix,
			       .bits = n->bits };
	return last != 0;
}

/* How many bits argument i adds: 1 to 32, and no more than there are. */
static int arg_extension(struct func_call *c, const struct value *args, int i, struct network net,
			 int *ret, struct err *err)
{
	int64_t n;

	if (arg_int(c, args, i, &n, err) < 0)
		return -1;
	if (n < 1)
		return arg_error(c, i, err, "a prefix must be extended by at least one bit");
	if (n > EXTEND_MAX)
		return arg_error(c, i, err,
				 "a prefix cannot be extended by more than %d bits at once",
				 EXTEND_MAX);
	if (net.prefix + n > net.bits)
		return arg_error(c, i, err,
				 "a prefix of %d bits would be too long for an %s address",
				 net.prefix + (int)n, net.bits == 32 ? "IPv4" : "IPv6");
	*ret = (int)n;
	return 0;
}

static int fn_cidrsubnets(struct func_call *c, const struct value *args, size_t nargs,
			  struct value *ret, struct err *err)
{
	struct value *v = arena_new_array(c->arena, struct value, nargs);
	struct network net, at = { 0 };
	int more = 0;

	if (arg_network(c, args, 0, &net, err) < 0)
		return -1;
	for (size_t i = 1; i < nargs; i++) {
		if (arg_extension(c, args, (int)i, net, &more, err) < 0)
			return -1;
		if (is_mapped(net))
			return arg_error(c, (int)i, err,
					 "there is no room for a subnet in an IPv4 address that is "
					 "written as an IPv6 one");
		if (i == 1) /* the one before the first */
			at = (struct network){ (net.ip - 1) & mask_of(net.prefix + more, net.bits),
					       net.prefix + more, net.bits };
		if (!next_network(&at, net.prefix + more) ||
		    (at.ip & mask_of(net.prefix, net.bits)) != net.ip)
			return arg_error(c, (int)i, err,
					 "there is no room left in " STR_FMT
					 " for a network with a prefix of %d bits",
					 STR_ARG(network_value(c, net).string), net.prefix + more);
		v[i - 1] = network_value(c, at);
	}
	*ret = value_list(c->arena, &type_string, v, nargs - 1, c->span);
	return 0;
}

static const struct func_param host_params[] = { { "prefix", &type_string },
						 { "hostnum", &type_number } };
static const struct func_param netmask_params[] = { { "prefix", &type_string } };
static const struct func_param subnet_params[] = { { "prefix", &type_string },
						   { "newbits", &type_number },
						   { "netnum", &type_number } };
static const struct func_param subnets_params[] = { { "prefix", &type_string },
						    { "newbits", &type_number } };

static const struct func_example host_examples[] = {
	{ "cidrhost(\"10.12.112.0/20\", 16)", "\"10.12.112.16\"" },
	{ "cidrhost(\"10.12.112.0/20\", -1)", "\"10.12.127.255\"" },
	{ "cidrhost(\"fd00:fd12:3456:7890::/56\", 34)", "\"fd00:fd12:3456:7800::22\"" }
};
static const struct func_example netmask_examples[] = { { "cidrnetmask(\"172.16.0.0/12\")",
							  "\"255.240.0.0\"" } };
static const struct func_example subnet_examples[] = { { "cidrsubnet(\"172.16.0.0/12\", 4, 2)",
							 "\"172.18.0.0/16\"" } };
static const struct func_example subnets_examples[] = {
	{ "cidrsubnets(\"10.1.0.0/16\", 4, 4, 8)",
	  "[\"10.1.0.0/20\",\"10.1.16.0/20\",\"10.1.32.0/24\"]" },
};

static const struct func rows[] = {
	{ "cidrhost", host_params, 2, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_cidrhost,
	  .doc = "The address of a host in a network by its number. Negative numbers count from "
		 "the end.",
	  FUNC_EXAMPLES(host_examples) },
	{ "cidrnetmask", netmask_params, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_cidrnetmask,
	  .doc = "The prefix of a network as a mask.", FUNC_EXAMPLES(netmask_examples) },
	{ "cidrsubnet", subnet_params, 3, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_cidrsubnet,
	  .doc = "The network with a number inside another one, whose prefix is `newbits` longer.",
	  FUNC_EXAMPLES(subnet_examples) },
	{ "cidrsubnets", subnets_params, 2, FUNC_VARIADIC | FUNC_UNREFINED,
	  &type_list_string, fn_cidrsubnets,
	  .doc = "One network after the other inside another one: each number says by how many "
		 "bits its prefix is longer.",
	  FUNC_EXAMPLES(subnets_examples) },
};

const struct func_group func_group_network = { "Networks", rows, ARRAY_LEN(rows) };
