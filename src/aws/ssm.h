/* SSM: parameters (public AMI parameters, the parameter store). */
#ifndef INGOT_AWS_SSM_H
#define INGOT_AWS_SSM_H

#include "aws/call.h"

struct ssm_parameter {
	const char *name, *value, *arn, *type; /* NULL where the answer has none */
	int64_t version;
};
/* Values are secrets when type is SecureString. */
int ssm_get_parameter(const struct aws_client *c, const char *name, bool decrypt,
		      struct ssm_parameter *ret, struct err *err) MUST_USE;

#endif
