/* Inside of a session, for the files of this room only. */
#ifndef INGOT_AWS_SESSION_IMPL_H
#define INGOT_AWS_SESSION_IMPL_H

#include "aws/bucket.h"
#include "aws/files.h"
#include "aws/http.h"
#include "aws/session.h"
#include "base/vec.h"

#include <pthread.h>
#include <stdatomic.h>

struct aws_params;
struct waiters;

/* Credentials on the heap. */
struct aws_creds {
	char *access_key, *secret_key, *token;
	int64_t expires; /* unix seconds; 0: never */
	char *source;	 /* for people */
};
void aws_creds_release(struct aws_creds *c); /* wipes */
DEFINE_AUTO(aws_creds, struct aws_creds, aws_creds_release);

/* Ids made by this session lately: a NotFound for one of them is only not yet known everywhere. */
struct recent {
	char *id; /* heap */
	int64_t made_ms;
};

struct aws_session {
	size_t refs; /* under the registry's lock */
	struct aws_session *next;
	char *key;	     /* digest of the settings; equal settings share a session */
	struct arena *arena; /* cfg's strings */
	struct aws_config cfg;
	const char *profile;	 /* never NULL: cfg, AWS_PROFILE, "default" */
	bool profile_given;	 /* by the template */
	struct aws_files *files; /* NULL with the local override */
	struct http *http;
	struct buckets *buckets;
	struct waiters *waiters;
	_Atomic int64_t skew;	/* server's clock minus ours, seconds */
	_Atomic bool connected; /* some call has been answered */

	pthread_mutex_t cred_lock; /* held while credentials are being found */
	struct aws_creds creds;
	uint64_t cred_generation; /* 0: none yet */
	const char *last_source;  /* in arena */

	pthread_mutex_t lock; /* region, recent, arena */
	const char *region;
	VEC(struct recent) recent; /* oldest first */
};

/* Finds credentials by the whole chain. Errors: ERR_AUTH, tells where was looked. */
int aws_credentials_find(struct aws_session *s, struct cancel *cancel, struct aws_creds *ret,
			 struct err *err) MUST_USE;
/* The current ones, refreshed when they expire soon; copied into *ret. */
int aws_session_creds(struct aws_session *s, struct cancel *cancel, struct aws_creds *ret,
		      uint64_t *ret_generation, struct err *err) MUST_USE;
/* The server said these expired: the next use finds new ones (once for all who saw it). */
void aws_session_creds_expired(struct aws_session *s, uint64_t generation);
/* The region that template, environment or files name; NULL: none of them. Asks nobody. */
const char *aws_session_region_set(const struct aws_session *s);
void aws_session_note_made(struct aws_session *s, const char *id);
bool aws_session_made_lately(struct aws_session *s, const char *id);
void aws_session_forget(struct aws_session *s, const char *id); /* it was taken away */

/* ---- endpoint.c ---- */
struct aws_endpoint {
	char *url;		    /* without a slash at the end */
	const char *signing_region; /* constant or the region given */
	bool custom;
};
int aws_endpoint_find(struct aws_session *s, const char *service, const char *region,
		      struct aws_endpoint *ret, struct err *err) MUST_USE;
/* The URL that settings give a service, NULL for AWS's own. */
const char *aws_endpoint_override(struct aws_session *s, const char *service);
void aws_endpoint_release(struct aws_endpoint *e);
DEFINE_AUTO(aws_endpoint, struct aws_endpoint, aws_endpoint_release);

/* ---- send.c: one signed request, no retries ---- */
struct aws_message {
	const char *service, *region; /* of the signature */
	const char *url;
	const char *content_type;
	const char *target; /* X-Amz-Target, or NULL */
	struct str body;
	const struct aws_creds *creds; /* NULL: unsigned */
	bool fresh;
	struct cancel *cancel;
	int64_t deadline_ms;
};
int aws_send(struct aws_session *s, const struct aws_message *m, struct http_response *ret,
	     struct err *err) MUST_USE;
/* Learns the server's clock from an answer; true if the correction changed by a minute or more. */
bool aws_learn_clock(struct aws_session *s, const struct http_response *r);

/* ---- waiter.c ---- */
struct waiters *waiters_new(void);
void waiters_stop(struct waiters *w); /* joins the threads; no wait may be pending */

/* ---- params.c: application/x-www-form-urlencoded ---- */
void aws_params_encode(const struct aws_params *p, struct buf *out);

#endif
