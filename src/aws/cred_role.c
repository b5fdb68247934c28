/* STS: AssumeRole and AssumeRoleWithWebIdentity, called below the session (which has no credentials
 * yet).
 */
#include "aws/credentials.h"

#include "aws/answer.h"
#include "aws/errors.h"
#include "base/clock.h"
#include "base/os.h"

#define TRIES 4

static void sts_error(const struct http_response *r, const char *action, struct err *err)
{
	AUTO(arena) struct arena *a = arena_new();
	struct aws_answer ans = aws_answer_read(a, r, false);

	err_set(err, ERR_AUTH, "sts:%s: %s%s%s", action, ans.code ? ans.code : "",
		ans.code ? ": " : "", ans.message);
	err->os = ans.status;
	err_set_name(err, ans.code);
}

/* A refusal is final; a server's trouble and a wrong clock are tried again. */
static bool again(struct finder *f, const struct http_response *r)
{
	AUTO(arena) struct arena *a = arena_new();
	const struct error_row *row;

	if (aws_learn_clock(f->session, r))
		return true;
	row = error_row_find(aws_answer_read(a, r, false).code, r->status);
	return row->class == ERROR_THROTTLE || row->class == ERROR_SERVER;
}

static int sts_call(struct finder *f, const char *action, struct aws_params *p,
		    const struct aws_creds *creds, struct http_response *r, struct err *err)
{
	AUTO(aws_endpoint) struct aws_endpoint ep = { 0 };
	AUTO(buf) struct buf body = BUF_INIT;
	const char *region = aws_session_region_set(f->session);
	struct aws_message m = {
		.service = "sts",
		.content_type = "application/x-www-form-urlencoded; charset=utf-8",
		.creds = creds,
		.cancel = f->cancel,
	};

	if (aws_endpoint_find(f->session, "sts", region ? region : "us-east-1", &ep, err) < 0)
		return -1;
	aws_params_add(p, "Action", action);
	aws_params_add(p, "Version", "2011-06-15");
	aws_params_encode(p, &body);
	m.url = ep.url;
	m.region = ep.signing_region;
	m.body = buf_str(&body);
	for (int tries = 1;; tries++) {
		AUTO(err) struct err e = ERR_INIT;

		if (aws_send(f->session, &m, r, &e) < 0) {
			if (e.code != ERR_LOST || tries == TRIES) {
				err_move(err, &e);
				return err_prefix(err, "sts:%s", action);
			}
		} else if (r->status == 200) {
			return 0;
		} else if (tries == TRIES || !again(f, r)) {
			sts_error(r, action, err);
			return -1;
		}
		if (clock_sleep(100 << tries, f->cancel) < 0)
			return err_set(err, ERR_CANCELLED, "cancelled");
	}
}

static int read_credentials(const char *action, const char *role_arn, const struct http_response *r,
			    struct aws_creds *ret, struct err *err)
{
	AUTO(arena) struct arena *a = arena_new();
	auto_free char *path = xasprintf("%sResult/Credentials", action);
	struct xml *root;
	const struct xml *c;

	if (xml_parse(a, buf_str(&r->body), &root, err) < 0)
		return err_prefix(err, "sts:%s", action);
	c = xml_get(root, path);
	if (!*xml_text(c, "AccessKeyId") || !*xml_text(c, "SecretAccessKey"))
		return err_set(err, ERR_AUTH, "sts:%s: the answer has no credentials", action);
	creds_set(ret, xml_text(c, "AccessKeyId"), xml_text(c, "SecretAccessKey"),
		  xml_text(c, "SessionToken"), xml_text(c, "Expiration"), "role %s", role_arn);
	return 0;
}

static void add_session_name(struct aws_params *p, const char *name)
{
	char own[48];

	snprintf(own, sizeof(own), "ingot-%lld", (long long)clock_unix());
	aws_params_add(p, "RoleSessionName", given(name) ? name : own);
}

int creds_assume_role(struct finder *f, const struct role_request *r, const struct aws_creds *base,
		      struct aws_creds *ret, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	AUTO(http_response) struct http_response answer = HTTP_RESPONSE_INIT;

	aws_params_add(&p, "RoleArn", r->role_arn);
	add_session_name(&p, r->session_name);
	if (r->duration)
		aws_params_int(&p, "DurationSeconds", r->duration);
	aws_params_add(&p, "ExternalId", r->external_id);
	aws_params_add(&p, "Policy", r->policy);
	for (size_t i = 0; r->policy_arns && i < r->policy_arns->n; i++)
		aws_params_addf(&p, r->policy_arns->v[i], "PolicyArns.member.%zu.arn", i + 1);
	aws_params_pairs(&p, "Tags.member", r->tags);
	if (r->transitive_tag_keys)
		aws_params_list(&p, "TransitiveTagKeys.member", r->transitive_tag_keys);
	aws_params_add(&p, "SerialNumber", r->mfa_serial);
	if (r->mfa_serial)
		aws_params_add(&p, "TokenCode", r->mfa_code);
	if (sts_call(f, "AssumeRole", &p, base, &answer, err) < 0)
		return err_prefix(err, "taking the role %s with %s", r->role_arn, base->source);
	return read_credentials("AssumeRole", r->role_arn, &answer, ret, err);
}

int creds_web_identity(struct finder *f, const char *role_arn, const char *session_name,
		       const char *token_file, struct aws_creds *ret, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	AUTO(http_response) struct http_response answer = HTTP_RESPONSE_INIT;
	AUTO(buf) struct buf token = BUF_INIT;
	auto_free char *text = NULL;
	struct str t;

	if (os_read_file(token_file, 1 << 16, &token, err) < 0)
		return err_prefix(err, "the web identity token");
	t = str_trim(buf_str(&token));
	text = xstrndup(t.p, t.n);
	aws_params_add(&p, "RoleArn", role_arn);
	add_session_name(&p, session_name);
	aws_params_add(&p, "WebIdentityToken", text);
	if (sts_call(f, "AssumeRoleWithWebIdentity", &p, NULL, &answer, err) < 0)
		return err_prefix(err, "taking the role %s with the web identity of %s", role_arn,
				  token_file);
	return read_credentials("AssumeRoleWithWebIdentity", role_arn, &answer, ret, err);
}
