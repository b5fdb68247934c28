/* Where a service is called: overrides first, then AWS's own names by partition. Facts: the SDKs'
 * reference guide on service-specific endpoints, and botocore's partition data.
 */
#include "aws/session_impl.h"

#include "base/buf.h"
#include "base/os.h"

#include <ctype.h>

static const struct partition {
	const char *prefix; /* of region names; "" takes the rest */
	const char *suffix, *dual_suffix;
	const char *global_region; /* IAM's signing region */
	const char *iam_host;
} partitions[] = {
	{ "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-north-1",
	  "iam.cn-north-1.amazonaws.com.cn" },
	{ "us-gov-", "amazonaws.com", "api.aws", "us-gov-west-1", "iam.us-gov.amazonaws.com" },
	{ "us-isob-", "sc2s.sgov.gov", "api.aws.scloud", "us-isob-east-1",
	  "iam.us-isob-east-1.sc2s.sgov.gov" },
	{ "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", "us-isof-south-1",
	  "iam.us-isof-south-1.csp.hci.ic.gov" },
	{ "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "eu-isoe-west-1",
	  "iam.eu-isoe-west-1.cloud.adc-e.uk" },
	{ "us-iso-", "c2s.ic.gov", "api.aws.ic.gov", "us-iso-east-1",
	  "iam.us-iso-east-1.c2s.ic.gov" },
	{ "eusc-", "amazonaws.eu", "api.amazonwebservices.eu", "eusc-de-east-1",
	  "iam.eusc-de-east-1.amazonaws.eu" },
	{ "", "amazonaws.com", "api.aws", "us-east-1", "iam.amazonaws.com" },
};

static const struct partition *partition_of(const char *region)
{
	const struct partition *p = partitions;

	while (!starts_with(region, p->prefix))
		p++;
	return p;
}

/* Host label and service id of each service ingot calls. */
static const struct service {
	const char *name;    /* as in the signature */
	const char *host;    /* first label of the host name */
	const char *env;     /* AWS_ENDPOINT_URL_… */
	const char *section; /* key in a services section */
} services[] = {
	{ "ec2", "ec2", "EC2", "ec2" },
	{ "sts", "sts", "STS", "sts" },
	{ "iam", "iam", "IAM", "iam" },
	{ "ssm", "ssm", "SSM", "ssm" },
	{ "kms", "kms", "KMS", "kms" },
	{ "ebs", "ebs", "EBS", "ebs" },
	{ "s3", "s3", "S3", "s3" },
	{ "secretsmanager", "secretsmanager", "SECRETS_MANAGER", "secrets_manager" },
	{ "sso", "portal.sso", "SSO", "sso" },
	{ "sso-oauth", "oidc", "SSO_OIDC", "sso_oidc" },
};

static const struct service *service_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		if (streq(services[i].name, name))
			return &services[i];
	return NULL;
}

static const char *file_setting(struct aws_session *s, const char *key)
{
	return s->files ? aws_files_get(s->files, "profile", s->profile, NULL, key) : NULL;
}

static bool is_true(const char *v)
{
	return v && str_ieqs(str_from(v), "true");
}

static bool setting_on(struct aws_session *s, const char *env, const char *key)
{
	const char *e = os_env(env);

	return is_true(e ? e : file_setting(s, key));
}

/* What the environment and the files say about one service; NULL for nothing. */
static const char *configured(struct aws_session *s, const struct service *svc)
{
	char env[64];
	const char *url, *section;

	if (setting_on(s, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"))
		return NULL;
	snprintf(env, sizeof(env), "AWS_ENDPOINT_URL_%s", svc->env);
	if ((url = os_env(env)) || (url = os_env("AWS_ENDPOINT_URL")))
		return url;
	section = file_setting(s, "services");
	if (section &&
	    (url = aws_files_get(s->files, "services", section, svc->section, "endpoint_url")))
		return url;
	return file_setting(s, "endpoint_url");
}

/* host is the domain, or has it behind a dot. */
static bool in_domain(struct str host, const char *domain)
{
	size_t n = strlen(domain);

	return str_ends(host, domain) && (host.n == n || host.p[host.n - n - 1] == '.');
}

/* An endpoint of AWS itself (an interface endpoint in a VPC, say) serves one service; anything else
 * is somebody's whole cloud. */
static bool is_amazon(const char *url)
{
	struct str h = http_url_host(url);
	const char *colon = h.n ? memchr(h.p, ':', h.n) : NULL;

	if (colon)
		h.n = (size_t)(colon - h.p);
	for (size_t i = 0; i < ARRAY_LEN(partitions); i++)
		if (in_domain(h, partitions[i].suffix) || in_domain(h, partitions[i].dual_suffix))
			return true;
	return false;
}

static const char *override(struct aws_session *s, const struct service *svc)
{
	const char *custom = s->cfg.custom_endpoint_ec2, *url;

	if (s->cfg.local_endpoint)
		return s->cfg.local_endpoint;
	if (custom && streq(svc->name, "ec2"))
		return custom;
	url = configured(s, svc);
	if (url)
		return url;
	return custom && !is_amazon(custom) ? custom : NULL;
}

static bool region_name_ok(const char *region)
{
	if (!*region || strlen(region) > 40)
		return false;
	for (; *region; region++)
		if (!isalnum((unsigned char)*region) && *region != '-')
			return false;
	return true;
}

static char *default_url(struct aws_session *s, const struct service *svc, const char *region)
{
	const struct partition *p = partition_of(region);
	bool fips = setting_on(s, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
	bool dual = setting_on(s, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");

	if (streq(svc->name, "iam")) {
		if (fips && *p->prefix == '\0')
			return xstrdup("https://iam-fips.amazonaws.com");
		return xasprintf("https://%s", p->iam_host);
	}
	return xasprintf("https://%s%s.%s.%s", svc->host, fips ? "-fips" : "", region,
			 dual ? p->dual_suffix : p->suffix);
}

int aws_endpoint_find(struct aws_session *s, const char *service, const char *region,
		      struct aws_endpoint *ret, struct err *err)
{
	const struct service *svc = service_of(service);
	const char *url;
	size_t n;

	if (!svc)
		return err_set(err, ERR_UNSUPPORTED, "no endpoint is known for the service \"%s\"",
			       service);
	if (!region_name_ok(region))
		return err_set(err, ERR_INVALID, "\"%s\" is not a region name", region);
	url = override(s, svc);
	if (url && !starts_with(url, "http://") && !starts_with(url, "https://"))
		return err_set(err, ERR_INVALID,
			       "the endpoint \"%s\" for %s is not a URL; write http://HOST or "
			       "https://HOST",
			       url, service);
	ret->custom = url != NULL && !is_amazon(url);
	ret->signing_region = !url && streq(service, "iam") ? partition_of(region)->global_region
							    : region;
	ret->url = url ? xstrdup(url) : default_url(s, svc, region);
	for (n = strlen(ret->url); n > 0 && ret->url[n - 1] == '/'; n--)
		ret->url[n - 1] = '\0';
	return 0;
}

void aws_endpoint_release(struct aws_endpoint *e)
{
	free(e->url);
	e->url = NULL;
}

const char *aws_endpoint_override(struct aws_session *s, const char *service)
{
	const struct service *svc = service_of(service);

	return svc ? override(s, svc) : NULL;
}

bool aws_session_is_custom(struct aws_session *s, const char *service)
{
	const char *url = aws_endpoint_override(s, service);

	return url && !is_amazon(url);
}
