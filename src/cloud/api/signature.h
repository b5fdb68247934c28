/* AWS Signature Version 4, the server's side: is this request signed by a key we know?
 *
 * Written from AWS's description of the algorithm, apart from the client's signer on purpose: a
 * shared codec would agree with its own mistakes.
 */
#ifndef INGOT_CLOUD_API_SIGNATURE_H
#define INGOT_CLOUD_API_SIGNATURE_H

#include "base/arena.h"
#include "base/base.h"
#include "base/str.h"

struct http_field {
	const char *name, *value;
};

/* A request as it came off the wire. */
struct http_request {
	const char *method;
	const char *path; /* still escaped */
	const char *query; /* after '?', still escaped; "" if none */
	const struct http_field *headers;
	size_t nheaders;
	struct str body;
};
const char *http_header(const struct http_request *r, const char *name); /* NULL if absent */

enum signature_result {
	SIGNATURE_OK,
	SIGNATURE_MISSING,    /* not signed at all */
	SIGNATURE_INCOMPLETE, /* broken or missing parts */
	SIGNATURE_UNKNOWN_KEY,
	SIGNATURE_EXPIRED, /* date too far from ours, or a presigned request too old */
	SIGNATURE_BODY,	   /* the body is not the one that was signed */
	SIGNATURE_WRONG,
	SIGNATURE_TOKEN, /* session token missing or not the one of this key */
};

struct signature {
	const char *access_key, *date, *region, *service; /* of the scope; in the arena */
	const char *why; /* for the log: what did not fit; never a secret */
};

/* What the caller knows of an access key; false if nothing. Text stays valid for the call. */
typedef bool signature_key_fn(void *data, const char *access_key, const char **ret_secret,
			      const char **ret_token);

/* now: Unix seconds. ret is filled as far as the request could be read. */
enum signature_result signature_check(const struct http_request *r, int64_t now,
				      signature_key_fn *key, void *data, struct arena *a,
				      struct signature *ret);

#endif
