/* HTTP requests over libcurl: a pool of kept-alive connections, interruptible at once.
 *
 * Thread-safe: every running request has a handle of its own; finished ones wait, with their
 * connection open, for the next request to the same host.
 */
#ifndef INGOT_AWS_HTTP_H
#define INGOT_AWS_HTTP_H

#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/str.h"

struct http;

struct http_settings {
	const char *ca_bundle; /* NULL: the system's */
	const char *ca_path;   /* a directory of authorities; NULL */
	const char *client_cert, *client_key; /* PEM files; NULL */
	bool insecure; /* certificates are not checked */
};
struct http *http_new(const struct http_settings *s);
void http_free(struct http *h); /* no request may be running */
DEFINE_AUTO_PTR(http, struct http *, http_free);

struct http_request {
	const char *method; /* "GET", "POST", "PUT", … */
	const char *url;
	const char *const *headers; /* "Name: value"; NULL-terminated or NULL */
	struct str body;
	int64_t connect_ms, total_ms; /* 0: 10 s and 70 s */
	bool fresh; /* a connection of its own: a broken kept-alive one must not be tried twice */
	bool no_proxy; /* metadata and container endpoints */
	bool follow;   /* redirects, at most 10 */
	const char *socket; /* path of a Unix socket to connect to; NULL */
	/* Told each header of the answer; an empty name: another answer begins, after a redirect.
	 * NULL: unwanted. */
	void (*on_header)(void *data, struct str name, struct str value);
	void *data;
	struct cancel *cancel;
	int64_t deadline_ms; /* clock_ms; 0: none */
};

struct http_response {
	int status;
	struct buf body;
	int64_t date;	     /* the server's clock (unix seconds), 0 if it sent none */
	int64_t retry_after; /* seconds, 0 if none */
	char *request_id;    /* x-amzn-requestid and the like, or NULL */
	char *error_type;    /* x-amzn-errortype, or NULL */
	bool sent;	     /* valid after errors too: the server may have seen the request */
	bool unresolved;     /* after an error: the host name is not known */
	const struct http_request *request; /* while it runs */
};
#define HTTP_RESPONSE_INIT { 0 }
void http_response_release(struct http_response *r);
DEFINE_AUTO(http_response, struct http_response, http_response_release);

/* Any status is success. Errors: ERR_LOST (no connection, or it broke off), ERR_TIMEOUT,
 * ERR_CANCELLED, ERR_AUTH (the certificate is not trusted), ERR_INVALID (the URL), ERR_UNSUPPORTED
 * (no libcurl). */
int http_do(struct http *h, const struct http_request *req, struct http_response *ret,
	    struct err *err) MUST_USE;

/* The URL's host is this machine (localhost, 127/8, ::1). */
bool http_is_loopback(const char *url);
/* "host:port" part of a URL. */
struct str http_url_host(const char *url);

#endif
