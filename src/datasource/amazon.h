/* What the amazon data sources share: access to the account. */
#ifndef INGOT_DATASOURCE_AMAZON_H
#define INGOT_DATASOURCE_AMAZON_H

#include "aws/call.h"
#include "aws/config.h"

struct amazon_access {
	struct aws_config aws;
	struct cancel *cancel; /* of the run; NULL */
};
extern const struct spec amazon_access_spec;

/* Checks the access options, and turns them to the local cloud in a rehearsal. */
void amazon_access_prepare(struct prepare *p, struct amazon_access *access);
/* A client for the options' region; answers are in the arena. The caller closes *ret_session after
 * its calls. */
int amazon_access_open(const struct amazon_access *access, struct arena *a,
		       struct aws_session **ret_session, struct aws_client *ret,
		       struct err *err) MUST_USE;

#endif
