/* Finds credentials as AWS's own tools do: template, named profile, environment, web identity,
 * default profile, container, metadata service; then the template's assume_role on top. With the
 * local override nothing of this is looked at.
 */
#include "aws/credentials.h"

#include "base/clock.h"
#include "base/os.h"

#include <jansson.h>

void aws_creds_release(struct aws_creds *c)
{
	free(c->access_key);
	xfree_secret(c->secret_key);
	xfree_secret(c->token);
	free(c->source);
	*c = (struct aws_creds){ 0 };
}

void finder_looked(struct finder *f, const char *fmt, ...)
{
	va_list ap;

	buf_adds(&f->looked, f->looked.n ? "; " : "");
	va_start(ap, fmt);
	buf_vprintf(&f->looked, fmt, ap);
	va_end(ap);
}

const char *finder_setting(const struct finder *f, const char *profile, const char *key)
{
	return f->session->files ? aws_files_get(f->session->files, "profile", profile, NULL, key)
				 : NULL;
}

void creds_set(struct aws_creds *ret, const char *access_key, const char *secret_key,
	       const char *token, const char *expiration, const char *source_fmt, ...)
{
	AUTO(buf) struct buf source = BUF_INIT;
	int64_t ms = 0;
	va_list ap;

	va_start(ap, source_fmt);
	buf_vprintf(&source, source_fmt, ap);
	va_end(ap);
	aws_creds_release(ret);
	ret->access_key = xstrdup(access_key);
	ret->secret_key = xstrdup(secret_key);
	ret->token = given(token) ? xstrdup(token) : NULL;
	if (expiration && clock_parse_rfc3339(str_from(expiration), &ms))
		ret->expires = ms / 1000;
	ret->source = buf_steal(&source);
}

bool creds_from_json(const struct buf *text, const char *token_member, const char *source,
		     struct aws_creds *ret)
{
	json_t *j = json_loadb(buf_cstr(text), text->n, 0, NULL);
	const char *id = json_string_value(json_object_get(j, "AccessKeyId"));
	const char *secret = json_string_value(json_object_get(j, "SecretAccessKey"));
	bool ok = given(id) && given(secret);

	if (ok)
		creds_set(ret, id, secret, json_string_value(json_object_get(j, token_member)),
			  json_string_value(json_object_get(j, "Expiration")), "%s", source);
	json_decref(j);
	return ok;
}

static int from_template(struct finder *f, struct aws_creds *ret)
{
	const struct aws_config *c = &f->session->cfg;

	if (!c->access_key || !c->secret_key) {
		finder_looked(f, "the template (access_key, secret_key, profile)");
		return NOT_HERE;
	}
	creds_set(ret, c->access_key, c->secret_key, c->token, NULL, "access_key of the template");
	return FOUND;
}

int creds_from_environment(struct finder *f, struct aws_creds *ret)
{
	const char *id = os_env("AWS_ACCESS_KEY_ID"), *secret = os_env("AWS_SECRET_ACCESS_KEY");

	if (!id)
		id = os_env("AWS_ACCESS_KEY");
	if (!secret)
		secret = os_env("AWS_SECRET_KEY");
	if (!id || !secret) {
		finder_looked(f, id ? "the environment (AWS_ACCESS_KEY_ID is set, "
				      "AWS_SECRET_ACCESS_KEY is not)"
				    : "the environment (AWS_ACCESS_KEY_ID)");
		return NOT_HERE;
	}
	creds_set(ret, id, secret, os_env("AWS_SESSION_TOKEN"), NULL,
		  "AWS_ACCESS_KEY_ID in the environment");
	return FOUND;
}

static int from_web_identity(struct finder *f, struct aws_creds *ret, struct err *err)
{
	const char *file = os_env("AWS_WEB_IDENTITY_TOKEN_FILE"), *role = os_env("AWS_ROLE_ARN");

	if (!file)
		return NOT_HERE;
	if (!role)
		return err_set(err, ERR_AUTH,
			       "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
	if (creds_web_identity(f, role, os_env("AWS_ROLE_SESSION_NAME"), file, ret, err) < 0)
		return -1;
	return FOUND;
}

/* The profile of the template, of AWS_PROFILE, or "default", which need not be there. */
static int from_profile(struct finder *f, struct aws_creds *ret, struct err *err)
{
	const struct aws_session *s = f->session;
	bool named = s->profile_given || !streq(s->profile, "default");

	if (named && !aws_files_has(s->files, "profile", s->profile))
		return err_set(err, ERR_AUTH,
			       "the profile \"%s\"%s is neither in %s nor in %s; correct the name "
			       "or run: aws configure",
			       s->profile, s->profile_given ? "" : " (AWS_PROFILE)",
			       aws_files_config_path(s->files),
			       aws_files_credentials_path(s->files));
	return creds_from_profile(f, s->profile, ret, err);
}

static int find_base(struct finder *f, struct aws_creds *ret, struct err *err)
{
	int rc = from_template(f, ret);

	if (rc == FOUND)
		return rc;
	if (f->session->profile_given) {
		rc = from_profile(f, ret, err);
	} else {
		rc = creds_from_environment(f, ret);
		if (rc == NOT_HERE)
			rc = from_web_identity(f, ret, err);
		if (rc == NOT_HERE)
			rc = from_profile(f, ret, err);
	}
	if (rc == NOT_HERE)
		rc = creds_from_container(f, ret, err);
	if (rc == NOT_HERE)
		rc = creds_from_metadata(f, ret, err);
	return rc;
}

static int assume_template_role(struct finder *f, const struct aws_creds *base,
				struct aws_creds *ret, struct err *err)
{
	const struct aws_assume_role *r = f->session->cfg.assume_role;
	struct role_request req = {
		.role_arn = r->role_arn,
		.session_name = r->session_name,
		.external_id = r->external_id,
		.policy = r->policy,
		.duration = r->duration_seconds,
		.policy_arns = &r->policy_arns,
		.transitive_tag_keys = &r->transitive_tag_keys,
		.tags = &r->tags,
	};

	if (creds_assume_role(f, &req, base, ret, err) < 0)
		return err_prefix(err, "assume_role");
	return 0;
}

int aws_credentials_find(struct aws_session *s, struct cancel *cancel, struct aws_creds *ret,
			 struct err *err)
{
	struct finder f = { .session = s, .cancel = cancel };
	AUTO(aws_creds) struct aws_creds base = { 0 };
	int rc;

	if (s->cfg.local_endpoint) {
		creds_set(ret, s->cfg.local_access_key, s->cfg.local_secret_key, NULL, NULL,
			  "the local cloud");
		return 0;
	}
	rc = find_base(&f, &base, err);
	if (rc == NOT_HERE)
		err_set(err, ERR_AUTH,
			"no AWS credentials found; looked in: %s. Provide them in one of these "
			"places, or rehearse with `ingot build -local`",
			buf_cstr(&f.looked));
	buf_release(&f.looked);
	if (rc != FOUND)
		return -1;
	if (s->cfg.assume_role)
		return assume_template_role(&f, &base, ret, err);
	aws_creds_release(ret);
	*ret = base;
	base = (struct aws_creds){ 0 };
	return 0;
}
