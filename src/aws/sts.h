/* STS: who am I. (AssumeRole and its sisters are the session's own business: aws/credentials.c.) */
#ifndef INGOT_AWS_STS_H
#define INGOT_AWS_STS_H

#include "aws/call.h"

struct sts_identity {
	const char *account, *arn, *user_id;
	const char *partition; /* "aws", "aws-cn", "aws-us-gov" */
};
int sts_caller_identity(const struct aws_client *c, struct sts_identity *ret,
			struct err *err) MUST_USE;
/* Text of an encoded authorization failure message (decode_authorization_messages). */
int sts_decode_message(const struct aws_client *c, const char *encoded, const char **ret,
		       struct err *err) MUST_USE;

#endif
