/* Rows of the access options, and what can be checked of them without network. */
#include "aws/config.h"

#include "base/os.h"
#include "base/str.h"

static const struct spec_row assume_role_rows[] = {
	SPEC_STR(struct aws_assume_role, role_arn,
		 .doc = "ARN of the role to assume. Empty: none, whatever else stands in the "
			"block."),
	SPEC_INT(struct aws_assume_role, duration_seconds, .min = 0, .max = 43200,
		 .doc = "Duration of the role's session, 900 to 43200 seconds. It is renewed "
			"before it ends."),
	SPEC_STR(struct aws_assume_role, external_id,
		 .doc = "External id required by the role's trust policy."),
	SPEC_STR(struct aws_assume_role, policy,
		 .doc = "Policy, as JSON, that further restricts the role's permissions."),
	SPEC_STRS(struct aws_assume_role, policy_arns,
		  .doc = "ARNs of managed policies that further restrict the role's permissions."),
	SPEC_STR(struct aws_assume_role, session_name,
		 .doc = "Name of the role's session in logs. Default: `ingot-TIME`."),
	SPEC_MAP(struct aws_assume_role, tags, .doc = "Session tags."),
	SPEC_STRS(struct aws_assume_role, transitive_tag_keys,
		  .doc = "Keys of session tags that are passed on to roles assumed from this one."),
};
const struct spec aws_assume_role_spec = SPEC("assume_role", struct aws_assume_role,
					      assume_role_rows,
					      .doc = "Role to assume with the credentials found.");

static const struct spec_row polling_rows[] = {
	SPEC_INT(struct aws_polling, delay_seconds, .min = 0, .max = 86400,
		 .doc = "Seconds between two checks of a resource that is waited for. Default: "
			"about 1 at first, at most 5 later."),
	SPEC_INT(struct aws_polling, max_attempts, .min = 0, .max = 1000000,
		 .doc = "Limit of a wait, as a multiple of `delay_seconds` (15 if not set). "
			"Default: no limit while there is progress."),
};
const struct spec aws_polling_spec = SPEC("aws_polling", struct aws_polling, polling_rows,
					  .doc = "Interval and limit of waiting for AWS.");

static const struct spec_row access_rows[] = {
	SPEC_STR(struct aws_config, access_key,
		 .doc = "Access key id. Default: found in the same way as other AWS tools do."),
	SPEC_STR(struct aws_config, secret_key, .flags = SPEC_SENSITIVE,
		 .doc = "Secret access key for `access_key`."),
	SPEC_STR(struct aws_config, token, .flags = SPEC_SENSITIVE,
		 .doc = "Session token, for temporary keys."),
	SPEC_STR(struct aws_config, profile,
		 .doc = "Profile in the shared config and credentials files."),
	SPEC_STR(struct aws_config, shared_credentials_file,
		 .doc = "Path of the shared credentials file, instead of `~/.aws/credentials`."),
	SPEC_STR(struct aws_config, mfa_code, .flags = SPEC_SENSITIVE,
		 .doc = "One-time code for a profile whose role requires a second factor "
			"(`mfa_serial`)."),
	SPEC_STR(struct aws_config, region,
		 .doc = "Region to build in. Default: from AWS_REGION, AWS_DEFAULT_REGION, the "
			"profile or the metadata service."),
	SPEC_STR(struct aws_config, custom_endpoint_ec2,
		 .doc = "URL of an EC2-compatible service that replaces AWS for all calls."),
	SPEC_BLOCK(struct aws_config, assume_role, struct aws_assume_role, &aws_assume_role_spec,
		   .doc = "Role to assume with the credentials found."),
	SPEC_BLOCK(struct aws_config, aws_polling, struct aws_polling, &aws_polling_spec,
		   .doc = "Interval and limit of waiting for AWS."),
	SPEC_INT(struct aws_config, max_retries, .min = 0, .max = 1000,
		 .doc = "How many times to retry a call that failed for a temporary reason. "
			"Default: 9."),
	SPEC_BOOL(struct aws_config, insecure_skip_tls_verify,
		  .doc = "Do not check the certificate of the endpoint."),
	SPEC_BOOL(struct aws_config, skip_metadata_api_check,
		  .doc = "Do not get credentials and region from the instance metadata service."),
	SPEC_BOOL(struct aws_config, skip_credential_validation,
		  .doc = "Do not first check with STS whether the credentials are valid."),
	SPEC_BOOL(struct aws_config, decode_authorization_messages,
		  .doc = "When a call is denied, have STS decode the reason (needs "
			 "`sts:DecodeAuthorizationMessage`)."),
	SPEC_BOOL(struct aws_config, skip_region_validation,
		  .doc = "Do not check that the regions exist."),
	SPEC_VALUE(struct aws_config, vault_aws_engine, .flags = SPEC_NOT_YET,
		   .doc = "Credentials from HashiCorp Vault."),
};
const struct spec aws_config_spec = SPEC("access", struct aws_config, access_rows);

void aws_config_prepare(struct prepare *p, const struct aws_config *cfg)
{
	const struct aws_assume_role *role = cfg->assume_role;
	const char *url = cfg->custom_endpoint_ec2;

	if (given(cfg->access_key) != given(cfg->secret_key))
		prepare_error(p, given(cfg->access_key) ? "access_key" : "secret_key",
			      "access_key and secret_key belong together: set both or neither");
	if (given(cfg->token) && !given(cfg->access_key))
		prepare_warning(p, "token",
				"token is not used: it goes with access_key and secret_key");
	if (given(url) && !starts_with(url, "http://") && !starts_with(url, "https://"))
		prepare_error(p, "custom_endpoint_ec2",
			      "\"%s\" is not a URL; write http://HOST or https://HOST", url);
	if (role && given(role->role_arn) && role->duration_seconds && role->duration_seconds < 900)
		prepare_error(p, "assume_role",
			      "duration_seconds of assume_role must be at least 900");
}

static void from_env(int64_t *slot, const char *name)
{
	const char *v = os_env(name);
	int64_t n;

	if (*slot == 0 && v && parse_i64(str_from(v), &n) && n > 0)
		*slot = n;
}

struct aws_polling aws_config_polling(const struct aws_config *cfg)
{
	struct aws_polling p = cfg->aws_polling ? *cfg->aws_polling : (struct aws_polling){ 0 };
	int64_t seconds = 0, delay;

	if (cfg->local_endpoint)
		return p;
	from_env(&p.delay_seconds, "AWS_POLL_DELAY_SECONDS");
	from_env(&p.max_attempts, "AWS_MAX_ATTEMPTS");
	from_env(&seconds, "AWS_TIMEOUT_SECONDS");
	delay = p.delay_seconds ? p.delay_seconds : AWS_POLL_DELAY_S;
	if (!p.max_attempts && seconds)
		p.max_attempts = (seconds + delay - 1) / delay;
	return p;
}
