/* Credentials a profile of the shared files leads to: its keys, a role on top of another source,
 * SSO, a web identity, or a program.
 */
#include "aws/credentials.h"

#include "base/os.h"
#include "base/proc.h"

#include <jansson.h>

#define CHAIN_MAX 10 /* roles on roles */

static int find(struct finder *f, const char *profile, int depth, struct aws_creds *ret,
		struct err *err);

static int from_keys(struct finder *f, const char *profile, struct aws_creds *ret)
{
	const char *id = finder_setting(f, profile, "aws_access_key_id");
	const char *secret = finder_setting(f, profile, "aws_secret_access_key");

	if (!id || !secret)
		return NOT_HERE;
	creds_set(ret, id, secret, finder_setting(f, profile, "aws_session_token"), NULL,
		  "profile \"%s\" of the shared files", profile);
	return FOUND;
}

/* What the program prints is JSON: AccessKeyId, SecretAccessKey, SessionToken, Expiration. */
static int from_process(struct finder *f, const char *profile, struct aws_creds *ret,
			struct err *err)
{
	const char *command = finder_setting(f, profile, "credential_process");
	const char *argv[] = { "/bin/sh", "-c", command, NULL };
	struct proc_spec spec = { .argv = argv, .cancel = f->cancel, .timeout_ms = 60000 };
	auto_free char *source = xasprintf("credential_process of the profile \"%s\"", profile);
	AUTO(buf) struct buf out = BUF_INIT;
	bool ok;

	if (!command)
		return NOT_HERE;
	if (proc_output(&spec, 1 << 20, &out, err) < 0)
		return err_prefix(err, "%s", source);
	ok = creds_from_json(&out, "SessionToken", source, ret);
	if (out.p)
		explicit_bzero(out.p, out.n);
	if (!ok)
		return err_set(err, ERR_AUTH,
			       "%s printed no JSON object with AccessKeyId and SecretAccessKey",
			       source);
	return FOUND;
}

/* What the role of a profile is taken with. */
static int role_base(struct finder *f, const char *profile, int depth, struct aws_creds *base,
		     struct err *err)
{
	const char *source = finder_setting(f, profile, "source_profile");
	const char *kind = finder_setting(f, profile, "credential_source");
	int rc = NOT_HERE;

	if (source && streq(source, profile)) {
		rc = from_keys(f, profile, base);
	} else if (source) {
		if (!aws_files_has(f->session->files, "profile", source))
			return err_set(err, ERR_AUTH,
				       "source_profile \"%s\" of the profile \"%s\" does not exist",
				       source, profile);
		rc = find(f, source, depth + 1, base, err);
	} else if (kind && streq(kind, "Environment")) {
		rc = creds_from_environment(f, base);
	} else if (kind && streq(kind, "Ec2InstanceMetadata")) {
		rc = creds_from_metadata(f, base, err);
	} else if (kind && streq(kind, "EcsContainer")) {
		rc = creds_from_container(f, base, err);
	} else if (kind) {
		return err_set(err, ERR_AUTH,
			       "credential_source \"%s\" of the profile \"%s\" is none of "
			       "Environment, Ec2InstanceMetadata, EcsContainer",
			       kind, profile);
	} else {
		return err_set(err, ERR_AUTH,
			       "the profile \"%s\" has a role_arn, but neither source_profile nor "
			       "credential_source",
			       profile);
	}
	if (rc == NOT_HERE)
		return err_set(err, ERR_AUTH, "%s \"%s\" of the profile \"%s\" has no credentials",
			       source ? "source_profile" : "credential_source",
			       source ? source : kind, profile);
	return rc;
}

static int from_role(struct finder *f, const char *profile, int depth, struct aws_creds *ret,
		     struct err *err)
{
	const char *role = finder_setting(f, profile, "role_arn");
	const char *token_file = finder_setting(f, profile, "web_identity_token_file");
	const char *duration = finder_setting(f, profile, "duration_seconds");
	AUTO(aws_creds) struct aws_creds base = { 0 };
	struct role_request req = {
		.role_arn = role,
		.session_name = finder_setting(f, profile, "role_session_name"),
		.external_id = finder_setting(f, profile, "external_id"),
		.mfa_serial = finder_setting(f, profile, "mfa_serial"),
		.mfa_code = f->session->cfg.mfa_code,
	};

	if (!role)
		return NOT_HERE;
	if (duration && !parse_i64(str_from(duration), &req.duration))
		return err_set(err, ERR_AUTH,
			       "duration_seconds \"%s\" of the profile \"%s\" is no number",
			       duration, profile);
	if (token_file) {
		if (creds_web_identity(f, role, req.session_name, token_file, ret, err) < 0)
			return -1;
		return FOUND;
	}
	if (req.mfa_serial && !req.mfa_code)
		return err_set(err, ERR_AUTH,
			       "the profile \"%s\" asks for a second factor (%s); set mfa_code",
			       profile, req.mfa_serial);
	if (role_base(f, profile, depth, &base, err) < 0)
		return -1;
	if (creds_assume_role(f, &req, &base, ret, err) < 0)
		return err_prefix(err, "profile \"%s\"", profile);
	return FOUND;
}

static int find(struct finder *f, const char *profile, int depth, struct aws_creds *ret,
		struct err *err)
{
	int rc;

	if (depth >= CHAIN_MAX)
		return err_set(err, ERR_AUTH,
			       "the profile \"%s\" is part of a chain of source_profile longer "
			       "than %d; does it lead back to itself?",
			       profile, CHAIN_MAX);
	rc = from_role(f, profile, depth, ret, err);
	if (rc == NOT_HERE)
		rc = from_keys(f, profile, ret);
	if (rc == NOT_HERE)
		rc = creds_from_sso(f, profile, ret, err);
	if (rc == NOT_HERE)
		rc = from_process(f, profile, ret, err);
	return rc;
}

int creds_from_profile(struct finder *f, const char *profile, struct aws_creds *ret,
		       struct err *err)
{
	int rc = find(f, profile, 0, ret, err);

	if (rc == NOT_HERE)
		finder_looked(f, "the profile \"%s\" of %s and %s", profile,
			      aws_files_config_path(f->session->files),
			      aws_files_credentials_path(f->session->files));
	return rc;
}
