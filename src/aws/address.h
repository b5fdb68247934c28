/* The caller's public address as AWS sees it, for the temporary security group. */
#ifndef INGOT_AWS_ADDRESS_H
#define INGOT_AWS_ADDRESS_H

#include "aws/call.h"

/* "203.0.113.7/32" in the client's arena; 3 s limit. With a custom, local or loopback endpoint
 * nothing is asked and it is "127.0.0.1/32". Errors: ERR_TIMEOUT, ERR_LOST, ERR_REMOTE,
 * ERR_CANCELLED. */
int aws_public_address(const struct aws_client *c, const char **ret_cidr, struct err *err) MUST_USE;

#endif
