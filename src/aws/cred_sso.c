/* IAM Identity Center (SSO): the token that `aws sso login` left in its cache is exchanged for the
 * role's credentials; a token with a refresh grant (sso_session) is renewed first when it has run
 * out.
 */
#include "aws/credentials.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"

#include <jansson.h>
#include <openssl/evp.h>

#define CACHE_MAX (1 << 16)

struct sso {
	const char *profile;
	const char *session; /* sso_session, or NULL: the older form */
	const char *start_url, *region, *account, *role;
	char *cache_path;
};

/* The AWS tools name the cache file by the SHA-1 of the session's name, or of the start URL. */
static char *cache_path(const char *key)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	AUTO(buf) struct buf name = BUF_INIT;
	auto_free char *home = os_home(false);

	if (!EVP_Digest(key, strlen(key), digest, &n, EVP_sha1(), NULL) || !home)
		return NULL;
	buf_printf(&name, "%s/.aws/sso/cache/", home);
	buf_add_hex(&name, digest, n);
	buf_adds(&name, ".json");
	return buf_steal(&name);
}

static const char *session_setting(const struct finder *f, const struct sso *o, const char *key)
{
	return o->session ? aws_files_get(f->session->files, "sso-session", o->session, NULL, key)
			  : finder_setting(f, o->profile, key);
}

/* FOUND: the profile uses SSO and says all that is needed. */
static int read_settings(struct finder *f, struct sso *o, struct err *err)
{
	o->session = finder_setting(f, o->profile, "sso_session");
	o->account = finder_setting(f, o->profile, "sso_account_id");
	o->role = finder_setting(f, o->profile, "sso_role_name");
	if (o->session && !aws_files_has(f->session->files, "sso-session", o->session))
		return err_set(err, ERR_AUTH,
			       "sso_session \"%s\" of the profile \"%s\" has no section "
			       "[sso-session %s]",
			       o->session, o->profile, o->session);
	o->start_url = session_setting(f, o, "sso_start_url");
	o->region = session_setting(f, o, "sso_region");
	if (!o->session && !o->start_url)
		return NOT_HERE;
	if (!o->start_url || !o->region || !o->account || !o->role)
		return err_set(err, ERR_AUTH,
			       "the profile \"%s\" needs sso_start_url, sso_region, sso_account_id "
			       "and sso_role_name for SSO",
			       o->profile);
	return FOUND;
}

static bool still_valid(const json_t *cache)
{
	const char *until = json_string_value(json_object_get(cache, "expiresAt"));
	int64_t ms;

	return json_string_value(json_object_get(cache, "accessToken")) && until &&
	       clock_parse_rfc3339(str_from(until), &ms) && ms / 1000 > clock_unix() + 60;
}

/* Puts the renewed token into the cache, where the AWS tools find it too; a failure only costs the
 * next program its own renewal. */
static void store(const struct sso *o, json_t *cache, const json_t *answer)
{
	AUTO(buf) struct buf until = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *text = NULL;
	const json_t *refresh = json_object_get(answer, "refreshToken");
	int64_t seconds = json_integer_value(json_object_get(answer, "expiresIn"));

	clock_format_rfc3339(&until, (clock_unix() + seconds) * 1000, false);
	json_object_set(cache, "accessToken", json_object_get(answer, "accessToken"));
	json_object_set_new(cache, "expiresAt", json_string(buf_cstr(&until)));
	if (json_is_string(refresh))
		json_object_set(cache, "refreshToken", (json_t *)refresh);
	text = json_dumps(cache, JSON_COMPACT);
	if (text && os_write_file(o->cache_path, text, strlen(text), 0600, &err) < 0)
		log_line("aws: the renewed SSO token is not kept: %s", err.msg);
}

static bool renew(struct finder *f, const struct sso *o, json_t *cache)
{
	AUTO(aws_endpoint) struct aws_endpoint ep = { 0 };
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	AUTO(err) struct err ignored = ERR_INIT;
	const char *refresh = json_string_value(json_object_get(cache, "refreshToken"));
	const char *id = json_string_value(json_object_get(cache, "clientId"));
	const char *secret = json_string_value(json_object_get(cache, "clientSecret"));
	const char *headers[] = { "Content-Type: application/json", NULL };
	struct http_request req = { .method = "POST", .headers = headers, .cancel = f->cancel };
	auto_free char *url = NULL;
	auto_free char *body = NULL;
	json_t *j;
	bool ok;

	if (!refresh || !id || !secret)
		return false;
	if (aws_endpoint_find(f->session, "sso-oauth", o->region, &ep, &ignored) < 0)
		return false;
	j = json_pack("{s:s, s:s, s:s, s:s}", "clientId", id, "clientSecret", secret, "grantType",
		      "refresh_token", "refreshToken", refresh);
	body = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	req.url = url = xasprintf("%s/token", ep.url);
	req.body = str_from(body);
	if (http_do(f->session->http, &req, &r, &ignored) < 0 || r.status != 200)
		return false;
	j = json_loadb(buf_cstr(&r.body), r.body.n, 0, NULL);
	ok = json_string_value(json_object_get(j, "accessToken")) != NULL;
	if (ok)
		store(o, cache, j);
	json_decref(j);
	return ok;
}

/* GetRoleCredentials of the SSO portal. */
static int exchange(struct finder *f, const struct sso *o, const char *token, struct aws_creds *ret,
		    struct err *err)
{
	AUTO(aws_endpoint) struct aws_endpoint ep = { 0 };
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	auto_free char *header = xasprintf("x-amz-sso_bearer_token: %s", token);
	const char *headers[] = { header, NULL };
	struct http_request req = { .method = "GET", .headers = headers, .cancel = f->cancel };
	AUTO(buf) struct buf url = BUF_INIT;
	AUTO(buf) struct buf until = BUF_INIT;
	json_t *j, *c;
	const char *id, *secret;

	if (aws_endpoint_find(f->session, "sso", o->region, &ep, err) < 0)
		return -1;
	buf_printf(&url, "%s/federation/credentials?account_id=", ep.url);
	buf_add_uri(&url, str_from(o->account), false);
	buf_adds(&url, "&role_name=");
	buf_add_uri(&url, str_from(o->role), false);
	req.url = buf_cstr(&url);
	if (http_do(f->session->http, &req, &r, err) < 0)
		return err_prefix(err, "SSO credentials of the profile \"%s\"", o->profile);
	j = json_loadb(buf_cstr(&r.body), r.body.n, 0, NULL);
	c = json_object_get(j, "roleCredentials");
	id = json_string_value(json_object_get(c, "accessKeyId"));
	secret = json_string_value(json_object_get(c, "secretAccessKey"));
	if (r.status != 200 || !id || !secret) {
		json_decref(j);
		return err_set(err, ERR_AUTH,
			       "SSO gives the profile \"%s\" no credentials (status %d); run: "
			       "aws sso login --profile %s",
			       o->profile, r.status, o->profile);
	}
	clock_format_rfc3339(&until, json_integer_value(json_object_get(c, "expiration")), false);
	creds_set(ret, id, secret, json_string_value(json_object_get(c, "sessionToken")),
		  buf_cstr(&until), "SSO of the profile \"%s\"", o->profile);
	json_decref(j);
	return FOUND;
}

int creds_from_sso(struct finder *f, const char *profile, struct aws_creds *ret, struct err *err)
{
	struct sso o = { .profile = profile };
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err e = ERR_INIT;
	auto_free char *path = NULL;
	json_t *cache;
	int rc = read_settings(f, &o, err);

	if (rc != FOUND)
		return rc;
	path = o.cache_path = cache_path(o.session ? o.session : o.start_url);
	if (!path || os_read_file(path, CACHE_MAX, &text, &e) < 0)
		return err_set(err, ERR_AUTH,
			       "the profile \"%s\" is not logged in to SSO; run: aws sso login "
			       "--profile %s",
			       profile, profile);
	cache = json_loadb(buf_cstr(&text), text.n, 0, NULL);
	if (!still_valid(cache) && !renew(f, &o, cache)) {
		json_decref(cache);
		return err_set(err, ERR_AUTH,
			       "the SSO login of the profile \"%s\" has run out; run: aws sso "
			       "login --profile %s",
			       profile, profile);
	}
	rc = exchange(f, &o, json_string_value(json_object_get(cache, "accessToken")), ret, err);
	json_decref(cache);
	return rc;
}
