/* A session: one source of credentials with its endpoints, shared by all builds that use it.
 *
 * Thread-safe. Credentials are found once, refreshed five minutes before they expire and after an
 * ExpiredToken answer; connections are kept alive and shared. Sessions of equal settings are one
 * object, counted, so that 50 builds of a template ask for credentials once and share their
 * waiters.
 */
#ifndef INGOT_AWS_SESSION_H
#define INGOT_AWS_SESSION_H

#include "aws/config.h"
#include "base/arena.h"
#include "base/cancel.h"
#include "base/err.h"

struct aws_session;

/* No network but what finding credentials and region needs, and that only at first use. cfg is
 * copied. Errors: ERR_INVALID (settings contradict each other, files malformed: names the file and
 * line). */
int aws_session_open(const struct aws_config *cfg, struct aws_session **ret,
		     struct err *err) MUST_USE;
struct aws_session *aws_session_ref(struct aws_session *s);
void aws_session_close(struct aws_session *s); /* drops one reference; NULL is fine */
DEFINE_AUTO_PTR(aws_session, struct aws_session *, aws_session_close);

/* The region: template, AWS_REGION, AWS_DEFAULT_REGION, profile, metadata service, in this order.
 * Errors: ERR_INVALID "no region": where was looked. The text lives as long as the session. */
int aws_session_region(struct aws_session *s, struct cancel *cancel, const char **ret,
		       struct err *err) MUST_USE;

/* The endpoint is custom, local or on loopback: AWS's address service is not asked, rate limits are
 * not AWS's. */
bool aws_session_is_custom(struct aws_session *s, const char *service);

/* "access key in the template", "profile dev of ~/.aws/config", … for messages and the log. Found
 * credentials are needed for it; NULL before the first call. Lives as long as the session. */
const char *aws_session_source(struct aws_session *s);

/* Where this session's resources live, for the journal: never secret, NULL where not known. */
const char *aws_session_profile(const struct aws_session *s);
const char *aws_session_role(const struct aws_session *s);
const char *aws_session_custom_endpoint(struct aws_session *s);

/* One set of credentials, copied into the arena (for S3 policies, scripts and tests). expires: unix
 * seconds, 0 never. */
struct aws_credentials {
	const char *access_key, *secret_key, *token;
	int64_t expires;
};
int aws_session_credentials(struct aws_session *s, struct cancel *cancel, struct arena *a,
			    struct aws_credentials *ret, struct err *err) MUST_USE;

#endif
