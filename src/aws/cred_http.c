/* Credentials from link-local services: the container endpoint and the instance metadata service
 * (version 2, version 1 where that is all there is). Both are asked without any proxy and with
 * short limits.
 */
#include "aws/credentials.h"

#include "base/clock.h"
#include "base/os.h"

#define CONTAINER_HOST "http://169.254.170.2"
#define METADATA_HOST "http://169.254.169.254"
#define METADATA_HOST6 "http://[fd00:ec2::254]"
#define METADATA_TRIES 3

static int get(struct aws_session *s, struct cancel *cancel, const char *method, const char *url,
	       const char *header, int64_t limit_ms, struct http_response *r, struct err *err)
{
	const char *headers[] = { header, NULL };
	struct http_request req = {
		.method = method,
		.url = url,
		.headers = headers,
		.connect_ms = limit_ms,
		.total_ms = 5 * limit_ms,
		.no_proxy = true,
		.cancel = cancel,
	};

	return http_do(s->http, &req, r, err);
}

/* Plain http only to the machine itself and the addresses AWS gives to containers. */
static bool container_url_ok(const char *url)
{
	static const char *const hosts[] = { "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]" };
	struct str h = http_url_host(url);

	if (starts_with(url, "https://") || http_is_loopback(url))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		if (str_eqs(h, hosts[i]) ||
		    (str_starts(h, hosts[i]) && h.p[strlen(hosts[i])] == ':'))
			return true;
	return false;
}

static int container_token(char **ret_header, struct err *err)
{
	const char *file = os_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = os_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	AUTO(buf) struct buf text = BUF_INIT;
	struct str t = str_from(token);

	if (file) {
		if (os_read_file(file, 1 << 16, &text, err) < 0)
			return err_prefix(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
		t = str_trim(buf_str(&text));
	}
	if (t.n)
		*ret_header = xasprintf("Authorization: " STR_FMT, STR_ARG(t));
	return 0;
}

int creds_from_container(struct finder *f, struct aws_creds *ret, struct err *err)
{
	const char *relative = os_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = os_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	auto_free char *url = NULL;
	auto_free char *header = NULL;

	if (!relative && !full)
		return NOT_HERE;
	url = relative ? xasprintf(CONTAINER_HOST "%s", relative) : xstrdup(full);
	if (!container_url_ok(url))
		return err_set(err, ERR_AUTH,
			       "AWS_CONTAINER_CREDENTIALS_FULL_URI is \"%s\"; it must be https, "
			       "loopback or a container address",
			       url);
	if (container_token(&header, err) < 0)
		return -1;
	for (int tries = 0;; tries++) {
		AUTO(err) struct err e = ERR_INIT;
		int rc = get(f->session, f->cancel, "GET", url, header, 2000, &r, &e);

		if (rc == 0 && r.status < 500)
			break;
		if (rc < 0 && (e.code == ERR_CANCELLED || tries == 3))
			return err_move(err, &e);
		if (rc == 0 && tries == 3)
			break;
		if (clock_sleep(200 << tries, f->cancel) < 0)
			return err_set(err, ERR_CANCELLED, "cancelled");
	}
	if (r.status != 200 ||
	    !creds_from_json(&r.body, "Token", "the container's credential endpoint", ret))
		return err_set(err, ERR_AUTH,
			       "the container's credential endpoint %s answered with status %d and "
			       "no credentials",
			       url, r.status);
	return FOUND;
}

static const char *metadata_host(const struct aws_session *s)
{
	const char *url = os_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = os_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

	if (!url && s->files)
		url = aws_files_get(s->files, "profile", s->profile, NULL,
				    "ec2_metadata_service_endpoint");
	if (url)
		return url;
	return mode && str_ieqs(str_from(mode), "IPv6") ? METADATA_HOST6 : METADATA_HOST;
}

static bool metadata_off(const struct aws_session *s)
{
	const char *e = os_env("AWS_EC2_METADATA_DISABLED");

	return s->cfg.local_endpoint || s->cfg.skip_metadata_api_check ||
	       (e && str_ieqs(str_from(e), "true"));
}

static int64_t metadata_limit(void)
{
	const char *e = os_env("AWS_METADATA_SERVICE_TIMEOUT");
	int64_t seconds;

	return e && parse_i64(str_from(e), &seconds) && seconds > 0 && seconds < 3600
		       ? seconds * 1000
		       : 1000;
}

static char *metadata_url(const struct aws_session *s, const char *path)
{
	const char *host = metadata_host(s);
	bool slash = ends_with(host, "/");

	return xasprintf("%s%slatest/%s", host, slash ? "" : "/", path);
}

/* The session token of version 2 as a header line; NULL where the service has version 1 only, or
 * where its answer gets lost: inside a container it may have one hop too far to go. */
static int metadata_token(struct aws_session *s, struct cancel *cancel, char **ret_header,
			  struct err *err)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	auto_free char *url = metadata_url(s, "api/token");

	if (get(s, cancel, "PUT", url, "X-aws-ec2-metadata-token-ttl-seconds: 21600",
		metadata_limit(), &r, err) < 0) {
		if (!r.sent || err->code == ERR_CANCELLED)
			return -1;
		err_release(err);
		return 0;
	}
	if (r.status == 200)
		*ret_header = xasprintf("X-aws-ec2-metadata-token: " STR_FMT,
					STR_ARG(str_trim(buf_str(&r.body))));
	return 0;
}

static int ask_metadata(struct aws_session *s, struct cancel *cancel, const char *url,
			struct http_response *r, struct err *err)
{
	auto_free char *header = NULL;

	if (metadata_token(s, cancel, &header, err) < 0)
		return -1;
	return get(s, cancel, "GET", url, header, metadata_limit(), r, err);
}

int metadata_get(struct aws_session *s, struct cancel *cancel, const char *path, struct buf *ret,
		 struct err *err)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	auto_free char *url = NULL;

	if (metadata_off(s))
		return NOT_HERE;
	url = metadata_url(s, path);
	for (int tries = 0;; tries++) { /* it throttles those who ask often */
		AUTO(err) struct err e = ERR_INIT;

		if (ask_metadata(s, cancel, url, &r, &e) < 0)
			return e.code == ERR_CANCELLED ? err_move(err, &e) : NOT_HERE;
		if ((r.status < 500 && r.status != 429) || tries == METADATA_TRIES - 1)
			break;
		if (clock_sleep(200 << tries, cancel) < 0)
			return err_set(err, ERR_CANCELLED, "cancelled");
	}
	if (r.status != 200)
		return NOT_HERE;
	buf_add_str(ret, buf_str(&r.body));
	return FOUND;
}

int creds_from_metadata(struct finder *f, struct aws_creds *ret, struct err *err)
{
	static const char base[] = "meta-data/iam/security-credentials/";
	AUTO(buf) struct buf role = BUF_INIT;
	AUTO(buf) struct buf json = BUF_INIT;
	auto_free char *path = NULL, *source = NULL;
	struct str name;
	int rc;

	if (metadata_off(f->session)) {
		finder_looked(f, "the metadata service (switched off)");
		return NOT_HERE;
	}
	rc = metadata_get(f->session, f->cancel, base, &role, err);
	name = str_trim(buf_str(&role));
	if (rc == FOUND && name.n) {
		struct str rest = name;

		str_split(&rest, '\n', &name);
		path = xasprintf("%s" STR_FMT, base, STR_ARG(name));
		rc = metadata_get(f->session, f->cancel, path, &json, err);
	}
	if (rc < 0)
		return -1;
	source = xasprintf("instance profile role " STR_FMT, STR_ARG(name));
	if (rc == NOT_HERE || !creds_from_json(&json, "Token", source, ret)) {
		finder_looked(f, "the metadata service (%s: %s)", metadata_host(f->session),
			      role.n ? "the role has no credentials"
				     : "no answer, or no instance profile");
		return NOT_HERE;
	}
	return FOUND;
}
