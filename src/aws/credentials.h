/* The sources of credentials, each in its file; the order among them is credentials.c's.
 *
 * Each: FOUND (credentials in *ret), NOT_HERE (this source says nothing; where users may expect
 * something of it, a word was added to `looked`), or -1 with err (the source is meant, but fails).
 */
#ifndef INGOT_AWS_CREDENTIALS_H
#define INGOT_AWS_CREDENTIALS_H

#include "aws/session_impl.h"
#include "base/buf.h"

enum { FOUND = 1, NOT_HERE = 0 };

struct finder {
	struct aws_session *session;
	struct cancel *cancel;
	struct buf looked; /* "; "-separated places without credentials */
};

void finder_looked(struct finder *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A setting of a profile; NULL when absent or there are no files. */
const char *finder_setting(const struct finder *f, const char *profile, const char *key);
/* Fills ret; expiration: RFC 3339 or NULL. */
void creds_set(struct aws_creds *ret, const char *access_key, const char *secret_key,
	       const char *token, const char *expiration, const char *source_fmt, ...)
	PRINTF_LIKE(6, 7);
/* Reads a JSON object with AccessKeyId, SecretAccessKey, Expiration and the token under the name
 * given; false when access or secret key are absent. */
bool creds_from_json(const struct buf *text, const char *token_member, const char *source,
		     struct aws_creds *ret);

/* credentials.c: AWS_ACCESS_KEY_ID and its sisters */
int creds_from_environment(struct finder *f, struct aws_creds *ret);
/* cred_profile.c */
int creds_from_profile(struct finder *f, const char *profile, struct aws_creds *ret,
		       struct err *err);
/* cred_http.c: container endpoint, instance metadata */
int creds_from_container(struct finder *f, struct aws_creds *ret, struct err *err);
int creds_from_metadata(struct finder *f, struct aws_creds *ret, struct err *err);
/* One text of the metadata service ("placement/region"): FOUND, NOT_HERE or -1 (cancelled). */
int metadata_get(struct aws_session *s, struct cancel *cancel, const char *path, struct buf *ret,
		 struct err *err);
/* cred_sso.c */
int creds_from_sso(struct finder *f, const char *profile, struct aws_creds *ret, struct err *err);
/* cred_role.c */
struct role_request {
	const char *role_arn, *session_name, *external_id, *policy, *mfa_serial, *mfa_code;
	int64_t duration;
	const struct strs *policy_arns, *transitive_tag_keys; /* may be NULL */
	const struct str_map *tags;			       /* may be NULL */
};
/* Both: 0 or -1. base is consumed by neither. */
int creds_assume_role(struct finder *f, const struct role_request *r, const struct aws_creds *base,
		      struct aws_creds *ret, struct err *err) MUST_USE;
int creds_web_identity(struct finder *f, const char *role_arn, const char *session_name,
		       const char *token_file, struct aws_creds *ret, struct err *err) MUST_USE;

#endif
