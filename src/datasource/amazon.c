/* Access to the account, which all amazon data sources have among their options. */
#include "datasource/amazon.h"

#include "engine/build.h"

static const struct spec_row rows[] = {
	SPEC_EMBED(struct amazon_access, aws, struct aws_config, &aws_config_spec),
};
const struct spec amazon_access_spec = SPEC("access", struct amazon_access, rows);

void amazon_access_prepare(struct prepare *p, struct amazon_access *access)
{
	const struct run_local *l = p->local;
	const struct aws_config given = access->aws;

	aws_config_prepare(p, &given);
	access->cancel = p->cancel;
	if (!l)
		return;
	/* Nothing in a rehearsal reaches a real account. */
	access->aws = (struct aws_config){
		.region = given.region,
		.max_retries = given.max_retries,
		.local_endpoint = l->endpoint,
		.local_access_key = l->access_key,
		.local_secret_key = l->secret_key,
		.local_region = l->region,
	};
}

int amazon_access_open(const struct amazon_access *access, struct arena *a,
		       struct aws_session **ret_session, struct aws_client *ret, struct err *err)
{
	AUTO(aws_session) struct aws_session *s = NULL;
	const char *region;

	if (aws_session_open(&access->aws, &s, err) < 0 ||
	    aws_session_region(s, access->cancel, &region, err) < 0)
		return -1;
	*ret = aws_client(s, "ec2", region, a, access->cancel);
	*ret_session = steal(s);
	return 0;
}
