/* The allow-list, the host's own proxy, and connections on the host's side. */
#include "base/os.h"
#include "base/proc.h"
#include "base/vec.h"
#include "cloud/net/proxy_policy.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOURCES_MAX ((size_t)1 << 20)
#define CONNECT_MS 15000

struct mirror {
	char *host;
	uint16_t port; /* that the sources name; 0: none */
};

struct proxy_policy {
	enum net_policy net;
	VEC(struct mirror) mirrors;
	struct upstream http, https; /* host NULL: none */
	char *no_proxy;
};

bool proxy_split_host(struct str text, char **ret_host, uint16_t *port)
{
	struct str host = text, number = { NULL, 0 };
	uint64_t n;

	if (text.n && text.p[0] == '[') {
		const char *end = memchr(text.p, ']', text.n);

		if (!end)
			return false;
		host = (struct str){ text.p + 1, (size_t)(end - text.p) - 1 };
		if (end + 1 < text.p + text.n && end[1] == ':')
			number = str_slice(text, (size_t)(end + 2 - text.p), text.n);
		else if (end + 1 != text.p + text.n)
			return false;
	} else {
		const char *colon = text.n ? memchr(text.p, ':', text.n) : NULL;

		if (colon) {
			host = (struct str){ text.p, (size_t)(colon - text.p) };
			number = str_slice(text, host.n + 1, text.n);
		}
	}
	if (host.n == 0 || host.n > 255)
		return false;
	for (size_t i = 0; i < host.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:",
			    host.p[i]) ||
		    !host.p[i])
			return false;
	if (number.p) {
		if (!parse_u64(number, &n) || n == 0 || n > 65535)
			return false;
		*port = (uint16_t)n;
	}
	*ret_host = xstrndup(host.p, host.n);
	return true;
}

/* The allow-list */

static void add_uri(struct proxy_policy *p, struct str uri)
{
	ptrdiff_t at = str_find(uri, STR("://"));
	struct mirror m = { NULL, 0 };
	size_t n = 0;

	if (at < 0)
		return;
	uri = str_slice(uri, (size_t)at + 3, uri.n);
	while (n < uri.n && uri.p[n] != '/')
		n++;
	uri.n = n;
	/* A user name and password for the mirror stay with the host. */
	at = str_find(uri, STR("@"));
	if (at >= 0)
		uri = str_slice(uri, (size_t)at + 1, uri.n);
	if (proxy_split_host(uri, &m.host, &m.port))
		vec_push(&p->mirrors, m);
}

static void add_words(struct proxy_policy *p, struct str line)
{
	struct str word;

	while (str_split(&line, ' ', &word))
		if (str_find(word, STR("http://")) >= 0 || str_find(word, STR("https://")) >= 0)
			add_uri(p, str_trim(word));
}

void proxy_policy_add_sources(struct proxy_policy *p, struct str text)
{
	bool in_uris = false;
	struct str line;

	while (str_split(&text, '\n', &line)) {
		struct str trimmed = str_trim(line);

		if (trimmed.n == 0 || trimmed.p[0] == '#')
			continue;
		if (str_starts(trimmed, "deb ") || str_starts(trimmed, "deb-src ")) {
			add_words(p, trimmed);
			continue;
		}
		/* A field of the newer form goes on in lines that begin with white space. */
		if (line.p[0] != ' ' && line.p[0] != '\t')
			in_uris = trimmed.n > 5 && strncasecmp(trimmed.p, "URIs:", 5) == 0;
		if (in_uris)
			add_words(p, trimmed);
	}
}

static void read_sources(struct proxy_policy *p)
{
	static const char parts[] = "/etc/apt/sources.list.d";
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf b = BUF_INIT;
	DIR *d = opendir(parts);
	struct dirent *e;

	if (os_read_file("/etc/apt/sources.list", SOURCES_MAX, &b, &err) == 0)
		proxy_policy_add_sources(p, buf_str(&b));
	while (d && (e = readdir(d))) {
		auto_free char *path = os_path_join(parts, e->d_name);

		if (!ends_with(path, ".list") && !ends_with(path, ".sources"))
			continue;
		buf_reset(&b);
		err_release(&err);
		if (os_read_file(path, SOURCES_MAX, &b, &err) == 0)
			proxy_policy_add_sources(p, buf_str(&b));
	}
	if (d)
		closedir(d);
}

static const struct mirror *find_mirror(const struct proxy_policy *p, const char *host,
					uint16_t port)
{
	for (size_t i = 0; i < p->mirrors.n; i++) {
		const struct mirror *m = &p->mirrors.v[i];

		if (strcasecmp(m->host, host) == 0 &&
		    (m->port == port || (!m->port && (port == 80 || port == 443))))
			return m;
	}
	return NULL;
}

bool proxy_policy_allows(const struct proxy_policy *p, const char *host, uint16_t port)
{
	return p->net == NET_ANY || (p->net == NET_MIRROR && find_mirror(p, host, port));
}

void proxy_policy_explain(const struct proxy_policy *p, const char *host, struct buf *out)
{
	buf_printf(out, "ingot's local cloud does not let instances reach %s: ", host);
	if (p->net == NET_NONE)
		buf_adds(out, "it runs with `-net none`; `ingot cloud up -net mirror` allows the "
			      "host's package mirrors, `-net any` every host\n");
	else if (p->net == NET_MIRROR)
		buf_adds(out, "only the host's package mirrors are allowed; `ingot cloud up -net "
			      "any` allows every host\n");
	else
		buf_adds(out, "it is an address of the host itself or a link-local one\n");
}

/* The host's own proxy */

static void set_upstream(struct upstream *u, const char *uri)
{
	struct str rest = str_from(uri);
	ptrdiff_t at = str_find(rest, STR("://"));
	size_t n = 0;

	if (at >= 0)
		rest = str_slice(rest, (size_t)at + 3, rest.n);
	while (n < rest.n && rest.p[n] != '/')
		n++;
	rest.n = n;
	at = str_find(rest, STR("@"));
	if (at >= 0) {
		AUTO(buf) struct buf b = BUF_INIT;

		buf_adds(&b, "Basic ");
		buf_add_base64(&b, rest.p, (size_t)at);
		u->authorization = buf_steal(&b);
		rest = str_slice(rest, (size_t)at + 1, rest.n);
	}
	u->port = 3128;
	if (!proxy_split_host(rest, &u->host, &u->port))
		u->host = NULL;
}

static const char *env_either(const char *lower, const char *upper)
{
	const char *v = os_env(lower);

	return v ? v : os_env(upper);
}

/* Under sudo the environment is often gone: what apt is configured with is then the best word. */
static char *ask_apt(const char *option)
{
	const char *const argv[] = { "apt-config", "dump", "--format", "%v", option, NULL };
	const struct proc_spec spec = { .argv = argv, .timeout_ms = 3000 };
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf b = BUF_INIT;

	if (proc_output(&spec, 4096, &b, &err) < 0 || !starts_with(buf_cstr(&b), "http"))
		return NULL;
	return buf_steal(&b);
}

static void read_upstream(struct proxy_policy *p)
{
	const char *http = env_either("http_proxy", "HTTP_PROXY"),
		   *https = env_either("https_proxy", "HTTPS_PROXY");
	auto_free char *apt_http = http ? NULL : ask_apt("Acquire::http::Proxy");
	auto_free char *apt_https = https ? NULL : ask_apt("Acquire::https::Proxy");

	if (http || apt_http)
		set_upstream(&p->http, http ? http : apt_http);
	if (https || apt_https)
		set_upstream(&p->https, https ? https : apt_https);
	p->no_proxy = xstrdup(env_either("no_proxy", "NO_PROXY"));
}

static bool spared(const struct proxy_policy *p, const char *host)
{
	struct str rest = str_from(p->no_proxy), item;

	while (rest.p && str_split(&rest, ',', &item)) {
		size_t n = strlen(host);

		item = str_trim(item);
		if (str_eqs(item, "*"))
			return true;
		if (item.n && item.p[0] == '.')
			item = str_slice(item, 1, item.n);
		if (item.n == 0 || item.n > n ||
		    strncasecmp(host + n - item.n, item.p, item.n) != 0)
			continue;
		if (item.n == n || host[n - item.n - 1] == '.')
			return true;
	}
	return false;
}

const struct upstream *proxy_policy_upstream(const struct proxy_policy *p, bool https,
					     const char *host)
{
	const struct upstream *u = https ? &p->https : &p->http;

	return u->host && !spared(p, host) ? u : NULL;
}

/* Connecting */

static bool is_own(const struct sockaddr *a)
{
	struct ifaddrs *all, *i;
	bool own = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (i = all; i && !own; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != a->sa_family)
			continue;
		if (a->sa_family == AF_INET)
			own = ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
			      ((const struct sockaddr_in *)i->ifa_addr)->sin_addr.s_addr;
		else if (a->sa_family == AF_INET6)
			own = memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
				     &((const struct sockaddr_in6 *)i->ifa_addr)->sin6_addr,
				     16) == 0;
	}
	freeifaddrs(all);
	return own;
}

/* Addresses that lead to the host or to its cloud's metadata. */
static bool is_forbidden(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET) {
		uint32_t ip = ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr);

		return ip >> 24 == 127 || ip >> 24 == 0 || ip >> 16 == 0xa9fe || ip >> 28 == 0xe ||
		       is_own(a);
	}
	if (a->sa_family == AF_INET6) {
		const struct in6_addr *ip = &((const struct sockaddr_in6 *)a)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(ip) || IN6_IS_ADDR_V4COMPAT(ip)) {
			struct sockaddr_in v4 = { .sin_family = AF_INET };

			memcpy(&v4.sin_addr, ip->s6_addr + 12, 4);
			return is_forbidden((struct sockaddr *)&v4);
		}
		return IN6_IS_ADDR_LOOPBACK(ip) || IN6_IS_ADDR_LINKLOCAL(ip) ||
		       IN6_IS_ADDR_UNSPECIFIED(ip) || IN6_IS_ADDR_MULTICAST(ip) || is_own(a);
	}
	return true;
}

/* -1 with errno. */
static int connect_in_time(const struct addrinfo *a)
{
	auto_fd int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t n = sizeof(int);
	int one = 1, error = 0;

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
		if (errno != EINPROGRESS)
			return -1;
		if (poll(&p, 1, CONNECT_MS) <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error) {
			errno = error;
			return -1;
		}
	}
	if (fcntl(fd, F_SETFL, 0) < 0)
		return -1;
	return steal_fd(fd);
}

int proxy_policy_connect(const struct proxy_policy *p, const char *host, uint16_t port,
			 bool checked, int *ret_fd, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *all, *a;
	bool trusted = !checked || find_mirror(p, host, port), forbidden = false;
	int ret, fd = -1, error = 0;
	char service[8];

	snprintf(service, sizeof(service), "%u", port);
	ret = getaddrinfo(host, service, &hints, &all);
	if (ret != 0)
		return err_set(err, ERR_NOT_FOUND, "resolving %s: %s", host, gai_strerror(ret));
	for (a = all; a && fd < 0; a = a->ai_next) {
		if (!trusted && is_forbidden(a->ai_addr)) {
			forbidden = true;
			continue;
		}
		fd = connect_in_time(a);
		error = errno;
	}
	freeaddrinfo(all);
	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	if (forbidden)
		return err_set(err, ERR_AUTH, "%s is an address of the host itself", host);
	return err_errno(err, error, "connecting to %s:%u", host, port);
}

struct proxy_policy *proxy_policy_new(enum net_policy net)
{
	struct proxy_policy *p = xcalloc(1, sizeof(*p));

	p->net = net;
	if (net != NET_NONE) {
		read_sources(p);
		read_upstream(p);
	}
	return p;
}

void proxy_policy_free(struct proxy_policy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->mirrors.n; i++)
		free(p->mirrors.v[i].host);
	vec_release(&p->mirrors);
	free(p->http.host);
	xfree_secret(p->http.authorization);
	free(p->https.host);
	xfree_secret(p->https.authorization);
	free(p->no_proxy);
	free(p);
}
