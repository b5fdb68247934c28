/* HTTP by libmicrohttpd, opened at first use. */
#include "cloud/api/http.h"

#include "base/arena.h"
#include "base/dl.h"
#include "base/vec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define CONNECTIONS_MAX 2000
#define CONNECTION_IDLE_SECONDS 120
#define THREAD_STACK (512 * 1024)

static struct {
	__typeof__(MHD_start_daemon) *start;
	__typeof__(MHD_stop_daemon) *stop;
	__typeof__(MHD_queue_response) *queue;
	__typeof__(MHD_create_response_from_buffer) *response;
	__typeof__(MHD_destroy_response) *response_free;
	__typeof__(MHD_add_response_header) *add_header;
	__typeof__(MHD_get_connection_values) *values;
	__typeof__(MHD_get_connection_info) *connection_info;
	__typeof__(MHD_add_connection) *add_connection;
} mhd;

static const struct dl_symbol symbols[] = {
	DL_SYMBOL(mhd, MHD_start_daemon, start),
	DL_SYMBOL(mhd, MHD_stop_daemon, stop),
	DL_SYMBOL(mhd, MHD_queue_response, queue),
	DL_SYMBOL(mhd, MHD_create_response_from_buffer, response),
	DL_SYMBOL(mhd, MHD_destroy_response, response_free),
	DL_SYMBOL(mhd, MHD_add_response_header, add_header),
	DL_SYMBOL(mhd, MHD_get_connection_values, values),
	DL_SYMBOL(mhd, MHD_get_connection_info, connection_info),
	DL_SYMBOL(mhd, MHD_add_connection, add_connection),
};
static struct dl_library library = { "libmicrohttpd.so.12", "libmicrohttpd12", symbols,
				     ARRAY_LEN(symbols), NULL };

struct http_server {
	struct MHD_Daemon *daemon;
	http_handler *fn;
	void *data;
	uint16_t port;
};

/* A request while it comes in. */
struct incoming {
	struct arena *arena;
	struct buf body;
	char *uri; /* as it came: path and query, still escaped */
	VEC(struct http_field) headers;
	bool started;
};

static void incoming_free(struct incoming *in)
{
	if (!in)
		return;
	arena_free(in->arena);
	buf_release(&in->body);
	vec_release(&in->headers);
	free(in->uri);
	free(in);
}

/* The signature covers the path as it was sent, so it is taken before anything is unescaped. */
static void *on_uri(void *data UNUSED, const char *uri, struct MHD_Connection *connection UNUSED)
{
	struct incoming *in = xcalloc(1, sizeof(*in));

	in->arena = arena_new();
	in->body.max = HTTP_BODY_MAX;
	in->uri = xstrdup(uri);
	return in;
}

static enum MHD_Result on_header(void *data, enum MHD_ValueKind kind UNUSED, const char *name,
				 const char *value)
{
	struct incoming *in = data;
	struct http_field f = { arena_strdup(in->arena, name),
				arena_strdup(in->arena, value ? value : "") };

	vec_push(&in->headers, f);
	return MHD_YES;
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct http_reply *reply)
{
	size_t n = reply->body.n;
	struct MHD_Response *response;
	enum MHD_Result result;

	response = mhd.response(n, buf_steal(&reply->body), MHD_RESPMEM_MUST_FREE);
	if (!response)
		return MHD_NO;
	if (reply->content_type)
		mhd.add_header(response, "Content-Type", reply->content_type);
	for (size_t i = 0; i < reply->nheaders; i++)
		mhd.add_header(response, reply->headers[i].name, reply->headers[i].value);
	result = mhd.queue(connection, (unsigned)reply->status, response);
	mhd.response_free(response);
	return result;
}

static uint32_t peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		mhd.connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr_in *in;

	if (!info || !info->client_addr || info->client_addr->sa_family != AF_INET)
		return 0;
	in = (const struct sockaddr_in *)(const void *)info->client_addr;
	return in->sin_addr.s_addr;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection,
				  const char *url UNUSED, const char *method,
				  const char *version UNUSED, const char *upload, size_t *upload_n,
				  void **state)
{
	struct http_server *s = data;
	struct incoming *in = *state;
	struct http_reply reply = { .status = 200 };
	enum MHD_Result result;
	char *question;

	if (!in)
		return MHD_NO;
	if (!in->started) { /* the first call brings the headers only */
		in->started = true;
		mhd.values(connection, MHD_HEADER_KIND, on_header, in);
		return MHD_YES;
	}
	if (*upload_n) {
		buf_add(&in->body, upload, *upload_n);
		*upload_n = 0;
		return MHD_YES;
	}
	question = strchr(in->uri, '?');
	if (question)
		*question++ = '\0';
	if (in->body.overflow) {
		reply.status = 413;
		buf_printf(&reply.body, "The request is larger than %zu bytes.\n", HTTP_BODY_MAX);
	} else {
		s->fn(s->data,
		      &(struct http_request){ .method = method,
					      .path = in->uri,
					      .query = question ? question : "",
					      .headers = in->headers.v,
					      .nheaders = in->headers.n,
					      .body = buf_str(&in->body) },
		      peer_of(connection), &reply);
	}
	result = reply.cut ? MHD_NO : send_reply(connection, &reply);
	buf_release(&reply.body);
	return result;
}

static void on_completed(void *data UNUSED, struct MHD_Connection *connection UNUSED, void **state,
			 enum MHD_RequestTerminationCode code UNUSED)
{
	incoming_free(*state);
	*state = NULL;
}

static int open_listener(const char *address, uint16_t port, int *ret, struct err *err)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	auto_fd int fd = -1;

	if (inet_pton(AF_INET, address, &in.sin_addr) != 1 ||
	    (ntohl(in.sin_addr.s_addr) >> 24) != 127)
		return err_set(err, ERR_INVALID,
			       "%s is not a loopback address: the local cloud listens only on "
			       "127.0.0.0/8",
			       address);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, errno, "cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(fd, 512) < 0) {
		if (errno == EADDRINUSE)
			return err_set(err, ERR_EXISTS,
				       "port %u of %s is taken: stop what listens there, or choose "
				       "another with -listen",
				       port, address);
		return err_errno(err, errno, "cannot listen on %s:%u", address, port);
	}
	*ret = steal_fd(fd);
	return 0;
}

/* The library's own complaints are about clients that went away. */
static void quiet(void *data UNUSED, const char *fmt UNUSED, va_list ap UNUSED)
{
}

int http_start(const char *address, uint16_t port, http_handler *fn, void *data,
	       struct http_server **ret, struct err *err)
{
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
			 MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG;
	struct sockaddr_in in = { 0 };
	struct http_server *s;
	int fd = -1;

	if (dl_open(&library, err) < 0)
		return -1;
	if (address && open_listener(address, port, &fd, err) < 0)
		return -1;
	s = xcalloc(1, sizeof(*s));
	s->fn = fn;
	s->data = data;
	if (getsockname(fd, (struct sockaddr *)&in, &(socklen_t){ sizeof(in) }) == 0)
		s->port = ntohs(in.sin_port);
	if (!address)
		flags |= MHD_USE_NO_LISTEN_SOCKET;
	s->daemon = mhd.start(
		flags, port, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_IDLE_SECONDS,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK,
		address ? MHD_OPTION_LISTEN_SOCKET : MHD_OPTION_END, fd, MHD_OPTION_END);
	if (!s->daemon) {
		fd_close(&fd);
		free(s);
		return err_errno(err, errno, "cannot start the HTTP server");
	}
	*ret = s;
	return 0;
}

uint16_t http_port(const struct http_server *s)
{
	return s->port;
}

int http_serve_fd(struct http_server *s, int fd, uint32_t peer, struct err *err)
{
	/* The peer's number travels as an address: the library carries one for each connection. */
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = peer };

	/* Where it fails the library has closed fd. */
	if (mhd.add_connection(s->daemon, fd, (struct sockaddr *)&in, sizeof(in)) != MHD_YES)
		return err_errno(err, errno, "cannot serve a connection");
	return 0;
}

void http_stop(struct http_server *s)
{
	if (!s)
		return;
	mhd.stop(s->daemon);
	free(s);
}
