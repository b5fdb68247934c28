/* cloud/relay and cloud/proxy: bytes arrive whole and in order, ends are passed on, refused hosts
 * are told. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/os.h"
#include "cloud/net/proxy.h"
#include "cloud/net/proxy_policy.h"
#include "cloud/net/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define OK(call)                                                                                   \
	do {                                                                                       \
		AUTO(err) struct err err = ERR_INIT;                                               \
		if ((call) < 0)                                                                    \
			fail_msg("%s", err.msg);                                                   \
	} while (0)

static void pair(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

/* A listening socket on loopback; its port goes to *ret. */
static int listen_local(struct sockaddr_in *ret)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(*ret);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)ret, sizeof(*ret)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &n), 0);
	return fd;
}

#define STREAM ((size_t)8 * 1024 * 1024)

static void *write_stream(void *data)
{
	int fd = *(int *)data;
	uint32_t block[1024];

	for (size_t at = 0; at < STREAM; at += sizeof(block)) {
		for (size_t i = 0; i < ARRAY_LEN(block); i++)
			block[i] = (uint32_t)(at / 4 + i);
		if (os_write_all(fd, block, sizeof(block)) < 0)
			break;
	}
	shutdown(fd, SHUT_WR);
	return NULL;
}

static void expect_stream(int fd)
{
	size_t at = 0;
	uint32_t block[1024];

	while (at < STREAM) {
		size_t n = 0;

		while (n < sizeof(block)) {
			ssize_t r = read(fd, (char *)block + n, sizeof(block) - n);

			assert_true(r > 0);
			n += (size_t)r;
		}
		for (size_t i = 0; i < ARRAY_LEN(block); i++)
			if (block[i] != at / 4 + i)
				fail_msg("byte %zu is wrong", at + 4 * i);
		at += sizeof(block);
	}
	assert_int_equal(read(fd, block, 1), 0);
}

static void test_join(void **state UNUSED)
{
	struct relay *r = NULL;
	int a[2], b[2];
	pthread_t there, back;

	OK(relay_new(&r, &err));
	pair(a);
	pair(b);
	relay_join(r, a, a[1], b[1]);
	/* Both ways at once; each end is passed on while the other way still runs. */
	assert_int_equal(pthread_create(&there, NULL, write_stream, &a[0]), 0);
	expect_stream(b[0]);
	pthread_join(there, NULL);
	assert_int_equal(pthread_create(&back, NULL, write_stream, &b[0]), 0);
	expect_stream(a[0]);
	pthread_join(back, NULL);
	close(a[0]);
	close(b[0]);
	relay_free(r);
}

static void test_forget(void **state UNUSED)
{
	struct relay *r = NULL;
	int a[2], b[2], c[2], d[2], mine, other;
	char byte;

	OK(relay_new(&r, &err));
	pair(a);
	pair(b);
	pair(c);
	pair(d);
	relay_join(r, &mine, a[1], b[1]);
	relay_join(r, &other, c[1], d[1]);
	relay_forget(r, &mine);
	assert_true(read(a[0], &byte, 1) <= 0);
	assert_true(read(b[0], &byte, 1) <= 0);
	assert_int_equal(write(c[0], "x", 1), 1);
	assert_int_equal(read(d[0], &byte, 1), 1); /* the other's goes on */
	close(a[0]);
	close(b[0]);
	close(c[0]);
	relay_free(r);
	assert_true(read(d[0], &byte, 1) <= 0);
	close(d[0]);
}

static void answered(void *data, int fd)
{
	assert_int_equal(write(fd, data, strlen(data)), strlen(data));
	close(fd);
}

static void test_listen(void **state UNUSED)
{
	struct relay *r = NULL;
	struct relay_listener *l;
	struct sockaddr_in at;
	char got[16] = "";
	int fd;

	OK(relay_new(&r, &err));
	l = relay_listen(r, r, listen_local(&at), answered, (void *)"hello");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(read(fd, got, sizeof(got)), 5);
	assert_string_equal(got, "hello");
	close(fd);
	relay_unlisten(r, l);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
	relay_free(r);
}

/* Who connects before the service is there waits for it; then he is reset. */
static void test_patience(void **state UNUSED)
{
	struct relay *r = NULL;
	struct sockaddr_in at;
	int server = listen_local(&at), a[2], ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	char byte;

	close(server); /* the port is free now */
	if (geteuid() != 0) {
		print_message("skipped: entering a network namespace needs root\n");
		close(ns);
		skip();
	}
	OK(relay_new(&r, &err));
	pair(a);
	relay_connect(r, r, a[1], ns, at, clock_ms() + 30);
	assert_true(read(a[0], &byte, 1) <= 0); /* refused for 30 ms */
	close(a[0]);

	pair(a);
	relay_connect(r, r, a[1], ns, at, clock_ms() + 20000);
	assert_int_equal(write(a[0], "x", 1), 1); /* waits with it */
	clock_sleep(30, NULL);
	server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)), 0);
	assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(server, 8), 0);
	{
		auto_fd int got = accept(server, NULL, NULL);

		assert_int_equal(read(got, &byte, 1), 1);
		assert_int_equal(byte, 'x');
	}
	assert_true(read(a[0], &byte, 1) <= 0);
	close(a[0]);
	close(server);
	close(ns);
	relay_free(r);
}

/* The proxy */

static void test_sources(void **state UNUSED)
{
	static const char text[] = "# deb http://no.example/debian x main\n"
				   "deb [signed-by=/x.gpg] http://a.example/debian bookworm main\n"
				   "deb-src https://user:secret@b.example:8443/x y z\n"
				   "Types: deb\n"
				   "URIs: http://c.example/debian\n"
				   "  mirror+http://d.example/list\n"
				   "Suites: http://e.example/x\n"
				   "Signed-By:\n Comment: https://f.example/\n";
	static const struct {
		const char *host;
		uint16_t port;
		bool allowed;
	} cases[] = {
		{ "a.example", 80, true },   { "A.Example", 443, true },
		{ "a.example", 22, false },  { "b.example", 8443, true },
		{ "b.example", 80, false },  { "c.example", 80, true },
		{ "d.example", 80, true },   { "e.example", 80, false },
		{ "f.example", 443, false }, { "no.example", 80, false },
		{ "example", 80, false },    { "evil.a.example", 80, false },
	};
	struct proxy_policy *p = NULL;

	p = proxy_policy_new(NET_MIRROR);
	proxy_policy_add_sources(p, STR(text));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (proxy_policy_allows(p, cases[i].host, cases[i].port) != cases[i].allowed)
			fail_msg("%s:%u", cases[i].host, cases[i].port);
	proxy_policy_free(p);
}

static void test_split_host(void **state UNUSED)
{
	static const struct {
		const char *text, *host; /* NULL: refused */
		uint16_t port;
	} cases[] = {
		{ "a.b", "a.b", 80 },	{ "a.b:81", "a.b", 81 }, { "[::1]:82", "::1", 82 },
		{ "[::1]", "::1", 80 }, { "", NULL, 0 },	 { ":80", NULL, 0 },
		{ "a:0", NULL, 0 },	{ "a:70000", NULL, 0 },	 { "a:x", NULL, 0 },
		{ "a b", NULL, 0 },	{ "a\r\nx", NULL, 0 },	 { "[::1", NULL, 0 },
		{ "[::1]x", NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *host = NULL;
		uint16_t port = 80;

		assert_int_equal(proxy_split_host(str_from(cases[i].text), &host, &port),
				 cases[i].host != NULL);
		if (cases[i].host) {
			assert_string_equal(host, cases[i].host);
			assert_int_equal(port, cases[i].port);
		}
	}
}

struct refusals {
	char hosts[256];
};

static void refused(void *data, const char *host)
{
	struct refusals *r = data;
	size_t n = strlen(r->hosts);

	snprintf(r->hosts + n, sizeof(r->hosts) - n, "%s ", host);
}

/* Sends a request and reads to the end. */
static void ask(struct proxy *p, struct refusals *r, const char *request, struct buf *ret)
{
	struct proxy_client c = { r, refused, r };
	AUTO(err) struct err err = ERR_INIT;
	int fds[2];

	pair(fds);
	proxy_serve(p, &c, fds[1]);
	assert_int_equal(os_write_all(fds[0], request, strlen(request)), 0);
	shutdown(fds[0], SHUT_WR);
	buf_reset(ret);
	assert_int_equal(os_read_fd(fds[0], "answer", 0, ret, &err), 0);
	close(fds[0]);
	proxy_forget(p, r);
}

static void test_refused(void **state UNUSED)
{
	static const struct {
		enum net_policy net;
		const char *request, *answer, *told;
	} cases[] = {
		{ NET_NONE, "GET http://a.example/ HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ",
		  "a.example " },
		{ NET_MIRROR, "CONNECT a.example:443 HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ",
		  "a.example " },
		{ NET_ANY, "GET http://127.0.0.1:1/ HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ",
		  "127.0.0.1 " },
		{ NET_ANY, "GET http://[::1]/ HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ", "::1 " },
		{ NET_ANY, "CONNECT 0.0.0.0:22 HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ", "0.0.0.0 " },
		{ NET_ANY, "CONNECT localhost:22 HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ", "localhost " },
		{ NET_ANY, "CONNECT [::ffff:127.0.0.1]:22 HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ",
		  "::ffff:127.0.0.1 " },
		{ NET_ANY, "GET http://169.254.169.254/latest HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ",
		  "169.254.169.254 " },
		{ NET_ANY, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP/1.1 400 ", "" },
		{ NET_ANY, "GET http://a b/ HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "" },
		{ NET_ANY, "nonsense\r\n\r\n", "HTTP/1.1 400 ", "" },
	};
	struct relay *r = NULL;

	unsetenv("http_proxy");
	unsetenv("https_proxy");
	OK(relay_new(&r, &err));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf) struct buf b = BUF_INIT;
		struct refusals told = { "" };
		struct proxy *p = NULL;

		p = proxy_new(cases[i].net, r);
		ask(p, &told, cases[i].request, &b);
		if (!starts_with(buf_cstr(&b), cases[i].answer) ||
		    !streq(told.hosts, cases[i].told))
			fail_msg("case %zu: %s, told %s", i, buf_cstr(&b), told.hosts);
		if (cases[i].told[0] && cases[i].net != NET_ANY)
			assert_non_null(strstr(buf_cstr(&b), "-net any"));
		proxy_free(p);
	}
	relay_free(r);
}

/* Answers the requests on one connection from a script, and keeps what it was sent. */
struct server {
	int listener;
	const char *const *answers; /* NULL ends; "" closes the connection */
	struct buf got;
};

static void *serve(void *data)
{
	struct server *s = data;
	auto_fd int fd = -1;

	for (size_t i = 0; s->answers[i]; i++) {
		size_t from = s->got.n;

		if (fd < 0)
			fd = accept(s->listener, NULL, NULL);
		while (str_find(str_slice(buf_str(&s->got), from, s->got.n), STR("\r\n\r\n")) < 0) {
			char chunk[4096];
			ssize_t n = read(fd, chunk, sizeof(chunk));

			if (n <= 0)
				return NULL;
			buf_add(&s->got, chunk, (size_t)n);
		}
		if (s->answers[i][0] == '\0')
			fd_close(&fd);
		else if (os_write_all(fd, s->answers[i], strlen(s->answers[i])) < 0)
			return NULL;
	}
	return NULL;
}

static void test_forward(void **state UNUSED)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nProxy-Connection: x\r\n\r\none",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
		"", /* the kept connection ends: sent again */
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour",
		"HTTP/1.0 200 OK\r\n\r\nto the end",
		NULL,
	};
	static const char requests[] =
		"GET http://a.example/1 HTTP/1.1\r\n"
		"Host: a.example\r\n"
		"Proxy-Connection: keep-alive\r\n"
		"\r\n"
		"GET http://a.example/2 HTTP/1.1\r\n"
		"Host: a.example\r\n"
		"\r\n"
		"GET http://a.example:80/3?q HTTP/1.1\r\n"
		"Host: a.example\r\n"
		"\r\n"
		"GET http://a.example/4 HTTP/1.1\r\n"
		"Host: a.example\r\n"
		"\r\n"
		"GET http://a.example/5 HTTP/1.1\r\n"
		"Host: a.example\r\n"
		"\r\n";
	struct server s = { .answers = answers };
	struct sockaddr_in at;
	struct refusals told = { "" };
	AUTO(buf) struct buf b = BUF_INIT;
	auto_free char *proxy = NULL;
	struct relay *r = NULL;
	struct proxy *p = NULL;
	pthread_t thread;

	s.listener = listen_local(&at);
	/* The host's own proxy is the server: loopback is fine for that one. */
	proxy = xasprintf("http://u:p@127.0.0.1:%u", ntohs(at.sin_port));
	setenv("http_proxy", proxy, 1);
	OK(relay_new(&r, &err));
	p = proxy_new(NET_ANY, r);
	assert_int_equal(pthread_create(&thread, NULL, serve, &s), 0);
	ask(p, &told, requests, &b);
	shutdown(s.listener, SHUT_RDWR);
	pthread_join(thread, NULL);

	assert_non_null(strstr(buf_cstr(&b), "\r\n\r\none"));
	assert_non_null(strstr(buf_cstr(&b), "3\r\ntwo\r\n0\r\n\r\n"));
	assert_non_null(strstr(buf_cstr(&b), "304 Not Modified"));
	assert_non_null(strstr(buf_cstr(&b), "\r\n\r\nfour"));
	assert_true(str_ends(buf_str(&b), "to the end"));
	assert_null(strstr(buf_cstr(&b), "Proxy-Connection"));
	assert_non_null(strstr(buf_cstr(&s.got),
			       "GET http://a.example:80/3?q HTTP/1.1\r\nHost: a.example\r\n"));
	assert_non_null(strstr(buf_cstr(&s.got), "Proxy-Authorization: Basic dTpw\r\n"));
	assert_null(strstr(buf_cstr(&s.got), "Proxy-Connection"));
	assert_string_equal(told.hosts, "");

	proxy_free(p);
	relay_free(r);
	close(s.listener);
	buf_release(&s.got);
	unsetenv("http_proxy");
}

/* A size that wraps around is the end of the connection, not of the chunk. */
static void test_chunk_size(void **state UNUSED)
{
	static const char *const sizes[] = { "ffffffffffffffff", "-1", "fffffffffffffffe0", "" };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		auto_free char *answer = xasprintf("HTTP/1.1 200 OK\r\n"
						   "Transfer-Encoding: chunked\r\n"
						   "\r\n"
						   "%s\r\n"
						   "X0\r\n"
						   "\r\n",
						   sizes[i]);
		const char *const answers[] = { answer, NULL };
		struct server s = { .answers = answers };
		struct refusals told = { "" };
		AUTO(buf) struct buf b = BUF_INIT;
		auto_free char *proxy = NULL;
		struct relay *r = NULL;
		struct proxy *p = NULL;
		struct sockaddr_in at;
		pthread_t thread;

		s.listener = listen_local(&at);
		proxy = xasprintf("http://127.0.0.1:%u", ntohs(at.sin_port));
		setenv("http_proxy", proxy, 1);
		OK(relay_new(&r, &err));
		p = proxy_new(NET_ANY, r);
		assert_int_equal(pthread_create(&thread, NULL, serve, &s), 0);
		ask(p, &told, "GET http://a.example/ HTTP/1.1\r\n\r\n", &b);
		shutdown(s.listener, SHUT_RDWR);
		pthread_join(thread, NULL);
		assert_null(strstr(buf_cstr(&b), "X0"));
		proxy_free(p);
		relay_free(r);
		close(s.listener);
		buf_release(&s.got);
	}
	unsetenv("http_proxy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunk_size),
		cmocka_unit_test(test_join),	cmocka_unit_test(test_forget),
		cmocka_unit_test(test_listen),	cmocka_unit_test(test_patience),
		cmocka_unit_test(test_sources), cmocka_unit_test(test_split_host),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
