/* Secrets Manager: the value of a secret. */
#ifndef INGOT_AWS_SECRETS_H
#define INGOT_AWS_SECRETS_H

#include "aws/call.h"

/* In the client's arena; NULL where the secret has no such part. */
struct aws_secret {
	const char *name, *version_id;
	const char *text;   /* SecretString */
	const char *binary; /* SecretBinary, in base64 as it is sent */
};
/* name: a name or an ARN. version_id wins over version_stage; both may be NULL (AWSCURRENT then).
 * Errors: ERR_NOT_FOUND also for one that waits for its deletion. */
int aws_secret_get(const struct aws_client *c, const char *name, const char *version_id,
		   const char *version_stage, struct aws_secret *ret, struct err *err) MUST_USE;

/* One text out of a secret that is a JSON object: that of `key`, else its first one (`only`: there
 * may be just one). A secret that is no object is given as it is. Errors: ERR_INVALID (neither text
 * nor number, several), ERR_NOT_FOUND (no such key). */
int aws_secret_pick(struct arena *a, const char *text, const char *key, bool only, const char **ret,
		    struct err *err) MUST_USE;

#endif
