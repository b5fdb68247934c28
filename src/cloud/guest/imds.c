/* The metadata service by plain HTTP/1.0 on a socket. */
#include "guest.h"
#include "base/os.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ADDRESS "169.254.169.254"
#define ANSWER_MAX ((size_t)1 << 20)
#define SECONDS 10

static char token[256];

static int dial(struct err *err)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(80) };
	const struct timeval limit = { .tv_sec = SECONDS };
	auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, ADDRESS, &to.sin_addr);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return err_errno(err, errno, "connecting to the metadata service");
	return steal_fd(fd);
}

/* Splits an answer: its status and where the body starts. */
static int parse_answer(const struct buf *answer, int *ret_status, size_t *ret_body,
			struct err *err)
{
	ptrdiff_t end = str_find(buf_str(answer), STR("\r\n\r\n"));
	int status = 0;

	if (end < 0 || sscanf(buf_cstr(answer), "HTTP/1.%*d %d", &status) != 1)
		return err_set(err, ERR_REMOTE, "the metadata service gave no HTTP answer");
	*ret_status = status;
	*ret_body = (size_t)end + 4;
	return 0;
}

static int request(const char *method, const char *path, const char *header, struct buf *ret,
		   struct err *err)
{
	AUTO(buf) struct buf out = BUF_INIT, answer = BUF_INIT;
	auto_fd int fd = dial(err);
	size_t body = 0;
	int status = 0;

	if (fd < 0)
		return -1;
	buf_printf(&out, "%s /latest/%s HTTP/1.0\r\nHost: " ADDRESS "\r\n%s\r\n", method, path,
		   header);
	if (os_write_all(fd, out.p, out.n) < 0)
		return err_errno(err, errno, "asking the metadata service");
	if (os_read_fd(fd, "the metadata service's answer", ANSWER_MAX, &answer, err) < 0 ||
	    parse_answer(&answer, &status, &body, err) < 0)
		return -1;
	if (status == 404)
		return err_set(err, ERR_NOT_FOUND, "the metadata service has no %s", path);
	if (status != 200)
		return err_set(err, ERR_REMOTE, "the metadata service answered %d for %s", status,
			       path);
	buf_add(ret, answer.p + body, answer.n - body);
	return 0;
}

static int take_token(struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct str value;

	if (request("PUT", "api/token",
		    "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\nContent-Length: 0\r\n", &text,
		    err) < 0)
		return -1;
	value = str_trim(buf_str(&text));
	if (value.n >= sizeof(token))
		return err_set(err, ERR_REMOTE, "the metadata service's token is too long");
	memcpy(token, value.p, value.n);
	return 0;
}

int guest_imds(const char *path, struct buf *ret, struct err *err)
{
	auto_free char *header = NULL;

	if (!*token && take_token(err) < 0)
		return -1;
	header = xasprintf("X-aws-ec2-metadata-token: %s\r\n", token);
	return request("GET", path, header, ret, err);
}
