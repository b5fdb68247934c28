/* The access options that every amazon component shares, as rows, and as a struct.
 *
 *	struct ebs_config { struct aws_config access; … };
 *	SPEC_EMBED(struct ebs_config, access, struct aws_config, &aws_config_spec),
 *
 * After decoding, aws_config_prepare() in the component's prepare; then aws_session_open() in its
 * run.
 */
#ifndef INGOT_AWS_CONFIG_H
#define INGOT_AWS_CONFIG_H

#include "base/base.h"
#include "engine/component.h"
#include "spec/spec.h"

struct aws_assume_role {
	char *role_arn;
	int64_t duration_seconds; /* 0: the service's own default */
	char *external_id;
	char *policy;
	struct strs policy_arns;
	char *session_name;
	struct str_map tags;
	struct strs transitive_tag_keys;
};

/* Overrules the pace of waiting; 0: ingot's own (aws/wait.h). */
struct aws_polling {
	int64_t delay_seconds, max_attempts;
};
#define AWS_POLL_DELAY_S 15 /* what max_attempts counts in without a delay; the services' own */

struct aws_config {
	char *access_key, *secret_key, *token;
	char *profile, *shared_credentials_file, *mfa_code;
	char *region;
	char *custom_endpoint_ec2;
	struct aws_assume_role *assume_role;
	struct aws_polling *aws_polling;
	int64_t max_retries; /* 0: 10 tries */
	bool insecure_skip_tls_verify, skip_metadata_api_check, skip_credential_validation;
	bool decode_authorization_messages, skip_region_validation;
	struct value vault_aws_engine; /* not yet supported: an error when given */
	/* -local: endpoint and keys that replace all of the above but region, and all of the
	 * environment and files; set by the component from run->local, never by a template. NULL
	 * otherwise. */
	const char *local_endpoint, *local_access_key, *local_secret_key, *local_region;
};

extern const struct spec aws_config_spec;
extern const struct spec aws_assume_role_spec, aws_polling_spec;

/* Pace of waiting: the template's, else AWS_POLL_DELAY_SECONDS and AWS_MAX_ATTEMPTS (or, older,
 * AWS_TIMEOUT_SECONDS), else zeros. */
struct aws_polling aws_config_polling(const struct aws_config *cfg);

/* Adds the mistakes that can be seen without network: half a key pair, an endpoint that is no URL,
 * … The region may come from the environment, files or the metadata service and is not asked for
 * here. */
void aws_config_prepare(struct prepare *p, const struct aws_config *cfg);

#endif
