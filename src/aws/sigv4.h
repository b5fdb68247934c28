/* AWS Signature Version 4, in the Authorization header.
 *
 *	struct sigv4 s = { .access_key = …, .secret_key = …, .region = …, .service = "ec2",
 *			   .unix_time = now, .method = "POST", .path = STR("/"), .body = body,
 *			   .headers = h, .nheaders = n };
 *	sigv4_sign(&s, &authorization);
 *
 * The caller sends the headers it gave here, plus X-Amz-Date (sigv4_date), X-Amz-Security-Token
 * when there is a token, x-amz-content-sha256 with sign_body, and Authorization.
 */
#ifndef INGOT_AWS_SIGV4_H
#define INGOT_AWS_SIGV4_H

#include "base/buf.h"
#include "base/str.h"

struct sigv4_header {
	struct str name, value;
};

struct sigv4 {
	const char *access_key, *secret_key;
	const char *token; /* NULL: none */
	const char *region, *service;
	int64_t unix_time;
	const char *method;
	struct str path;  /* before any percent-encoding */
	struct str query; /* without '?', as sent; percent-encoded or raw */
	const struct sigv4_header *headers; /* host among them; merged, sorted, trimmed here */
	size_t nheaders;
	struct str body;
	bool sign_body; /* x-amz-content-sha256 is one of the signed headers */
	bool keep_path; /* "." and ".." and double slashes stay (S3) */
};

/* "20150830T123600Z" */
void sigv4_date(int64_t unix_time, char out[17]);
/* The whole value of the Authorization header. */
void sigv4_sign(const struct sigv4 *s, struct buf *ret_authorization);
/* The step before it, for tests and for explaining a refusal. */
void sigv4_canonical(const struct sigv4 *s, struct buf *ret_canonical,
		     struct buf *ret_signed_headers);

#endif
