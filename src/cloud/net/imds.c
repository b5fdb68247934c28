/* Instance metadata: the tree is made from the instance's row for each request, so that it is never
 * stale. The connection tells which instance asks, not its address. */
#include "cloud/net/imds.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/vec.h"
#include "cloud/actions/credentials.h"
#include "cloud/actions/places.h"
#include "cloud/api/doc.h"
#include "cloud/api/http.h"
#include "cloud/model/ids.h"

#define TOKEN_TTL_MAX 21600
#define CREDENTIALS_SECONDS (6 * 3600)
#define CREDENTIALS_RENEW (5 * 60) /* made anew this long before they end */

struct imds {
	struct cloud *cloud;
	struct http_server *http;
	pthread_mutex_t lock;
	VEC(char *) instances; /* a connection's peer number is an index here, plus one */
	struct map tokens;     /* "instance token" -> Unix time of its end */
};

static const char *const versions[] = {
	"1.0",	      "2016-09-02", "2018-09-24", "2019-10-01", "2020-10-27", "2021-01-03",
	"2021-03-23", "2021-07-15", "2022-09-24", "2024-04-11", "latest",
};

/* --- the tree ------------------------------------------------------- */

static json_t *lines(const json_t *list, const char *member)
{
	AUTO(buf) struct buf b = BUF_INIT;
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)list, i, e)
		buf_printf(&b, "%s%s", i ? "\n" : "", doc_str(e, member));
	return json_string(buf_cstr(&b));
}

static void add(json_t *node, const char *key, const char *value)
{
	if (value && *value)
		json_object_set_new(node, key, json_string(value));
}

static json_t *interface_tree(struct cloud *c, const json_t *doc, const json_t *nic)
{
	json_t *node = json_object();
	struct row *subnet = model_find(c->model, KIND_SUBNET, doc_str(doc, "subnetId"));
	struct row *vpc = model_find(c->model, KIND_VPC, doc_str(doc, "vpcId"));

	add(node, "device-number", "0");
	add(node, "interface-id", doc_str(nic, "networkInterfaceId"));
	add(node, "local-hostname", doc_str(doc, "privateDnsName"));
	add(node, "local-ipv4s", doc_str(doc, "privateIpAddress"));
	add(node, "mac", doc_str(nic, "macAddress"));
	add(node, "owner-id", c->account);
	add(node, "public-hostname", doc_str(doc, "dnsName"));
	add(node, "public-ipv4s", doc_str(doc, "ipAddress"));
	json_object_set_new(node, "security-groups",
			    lines(json_object_get(doc, "groupSet"), "groupName"));
	json_object_set_new(node, "security-group-ids",
			    lines(json_object_get(doc, "groupSet"), "groupId"));
	add(node, "subnet-id", doc_str(doc, "subnetId"));
	add(node, "subnet-ipv4-cidr-block", subnet ? doc_str(subnet->doc, "cidrBlock") : NULL);
	add(node, "vpc-id", doc_str(doc, "vpcId"));
	add(node, "vpc-ipv4-cidr-block", vpc ? doc_str(vpc->doc, "cidrBlock") : NULL);
	add(node, "vpc-ipv4-cidr-blocks", vpc ? doc_str(vpc->doc, "cidrBlock") : NULL);
	return node;
}

static json_t *devices_tree(const json_t *doc)
{
	const char *root = doc_str(doc, "rootDeviceName");
	json_t *node = json_object(), *m;
	char name[16];
	int n = 0;
	size_t i;

	add(node, "ami", root);
	json_array_foreach(json_object_get(doc, "blockDeviceMapping"), i, m) {
		const char *device = doc_str(m, "deviceName");

		if (streq(device, root))
			continue;
		snprintf(name, sizeof(name), "ebs%d", ++n);
		add(node, name, starts_with(device, "/dev/") ? device + 5 : device);
	}
	add(node, "root", root);
	return node;
}

/* The role's name in a profile; a stand-in profile has none and lends its own. */
static const char *role_of(struct cloud *c, const char *profile)
{
	struct row *r = model_find(c->model, KIND_PROFILE, profile);
	json_t *role = r ? json_array_get(json_object_get(r->doc, "Roles"), 0) : NULL;

	return role ? doc_str(role, "RoleName") : profile;
}

static json_t *credentials(struct cloud *c, struct row *r, const char *role)
{
	const char *kept = doc_str(r->doc, "_credentials");
	struct row *key = kept ? model_find(c->model, KIND_ACCESS_KEY, kept) : NULL;
	auto_free char *principal =
		xasprintf("arn:aws:sts::%s:assumed-role/%s/%s", c->account, role, r->id);
	char updated[TIME_SIZE], until[TIME_SIZE];
	auto_free char *text = NULL;

	if (!key || !streq(doc_str(key->doc, "arn"), principal) ||
	    doc_int(key->doc, "_expires") < clock_unix() + CREDENTIALS_RENEW) {
		key = credentials_make(c, principal, CREDENTIALS_SECONDS);
		doc_set_str(r->doc, "_credentials", key->id);
		model_save(c->model, r);
	}
	time_text((doc_int(key->doc, "_expires") - CREDENTIALS_SECONDS) * 1000, updated);
	time_text(doc_int(key->doc, "_expires") * 1000, until);
	time_cut_to_seconds(updated);
	time_cut_to_seconds(until);
	json_t *doc = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
				"Code", "Success",
				"LastUpdated", updated,
				"Type", "AWS-HMAC",
				"AccessKeyId", key->id,
				"SecretAccessKey", doc_str(key->doc, "_secret"),
				"Token", doc_str(key->doc, "_token"),
				"Expiration", until);
	text = json_dumps(doc, JSON_INDENT(2));
	json_decref(doc);
	return json_string(text);
}

static json_t *iam_tree(struct cloud *c, struct row *r, const char *profile)
{
	const char *role = role_of(c, profile);
	char now[TIME_SIZE];
	json_t *info = json_pack("{s:s, s:s, s:O, s:O}",
				 "Code", "Success",
				 "LastUpdated", time_now(now),
				 "InstanceProfileArn", doc_get(r->doc, "iamInstanceProfile.arn"),
				 "InstanceProfileId", doc_get(r->doc, "iamInstanceProfile.id"));
	auto_free char *text = json_dumps(info, JSON_INDENT(2));
	json_t *node = json_pack("{s:s, s:{s:o}}", "info", text, "security-credentials", role,
				 credentials(c, r, role));

	json_decref(info);
	return node;
}

static json_t *tags_tree(const json_t *doc)
{
	json_t *node = json_object(), *t;
	size_t i;

	json_array_foreach(json_object_get(doc, "tagSet"), i, t)
		add(node, doc_str(t, "key"), doc_str(t, "value"));
	return node;
}

static json_t *meta_tree(struct cloud *c, struct row *r)
{
	const json_t *doc = r->doc,
		     *nic = json_array_get(json_object_get(doc, "networkInterfaceSet"), 0);
	const char *zone = doc_str(doc, "placement.availabilityZone"),
		   *mac = doc_str(nic, "macAddress");
	json_t *node = json_object();
	char index[16], zid[32];

	snprintf(index, sizeof(index), "%lld", (long long)doc_int(doc, "amiLaunchIndex"));
	add(node, "ami-id", doc_str(doc, "imageId"));
	add(node, "ami-launch-index", index);
	add(node, "ami-manifest-path", "(unknown)");
	json_object_set_new(node, "block-device-mapping", devices_tree(doc));
	add(node, "hostname", doc_str(doc, "privateDnsName"));
	if (doc_str(doc, "_profile"))
		json_object_set_new(node, "iam", iam_tree(c, r, doc_str(doc, "_profile")));
	add(node, "instance-action", "none");
	add(node, "instance-id", r->id);
	add(node, "instance-life-cycle",
	    doc_str(doc, "instanceLifecycle") ? doc_str(doc, "instanceLifecycle") : "on-demand");
	add(node, "instance-type", doc_str(doc, "instanceType"));
	add(node, "local-hostname", doc_str(doc, "privateDnsName"));
	add(node, "local-ipv4", doc_str(doc, "privateIpAddress"));
	add(node, "mac", mac);
	if (mac)
		json_object_set_new(node, "network",
				    json_pack("{s:{s:{s:o}}}", "interfaces", "macs", mac,
					      interface_tree(c, doc, nic)));
	zone_id(r->region, MAX(zone_index(r->region, zone), 0), zid);
	json_object_set_new(node, "placement",
			    json_pack("{s:s, s:s, s:s}", "availability-zone", zone,
				      "availability-zone-id", zid, "region", r->region));
	add(node, "profile", "default-hvm");
	add(node, "public-hostname", doc_str(doc, "dnsName"));
	add(node, "public-ipv4", doc_str(doc, "ipAddress"));
	if (doc_str(doc, "_key"))
		json_object_set_new(node, "public-keys",
				    json_pack("{s:{s:o}}", "0", "openssh-key",
					      json_sprintf("%s %s", doc_str(doc, "_key"),
							   doc_str(doc, "keyName"))));
	add(node, "reservation-id", doc_str(doc, "_reservation"));
	json_object_set_new(node, "security-groups",
			    lines(json_object_get(doc, "groupSet"), "groupName"));
	json_object_set_new(node, "services",
			    json_pack("{s:s, s:s}", "domain", "amazonaws.com", "partition", "aws"));
	if (streq(doc_str(doc, "metadataOptions.instanceMetadataTags"), "enabled"))
		json_object_set_new(node, "tags", json_pack("{s:o}", "instance", tags_tree(doc)));
	return node;
}

static json_t *identity_document(struct cloud *c, struct row *r)
{
	json_t *doc = json_pack("{s:s, s:O, s:O, s:n, s:O, s:s, s:O, s:n, s:O, s:O, s:n, s:s, s:s}",
				"accountId", c->account,
				"architecture", json_object_get(r->doc, "architecture"),
				"availabilityZone", doc_get(r->doc, "placement.availabilityZone"),
				"billingProducts",
				"imageId", json_object_get(r->doc, "imageId"),
				"instanceId", r->id,
				"instanceType", json_object_get(r->doc, "instanceType"),
				"kernelId",
				"pendingTime", json_object_get(r->doc, "launchTime"),
				"privateIp", json_object_get(r->doc, "privateIpAddress"),
				"ramdiskId",
				"region", r->region,
				"version", "2017-09-30");
	auto_free char *text = json_dumps(doc, JSON_INDENT(2));

	json_decref(doc);
	return json_string(text ? text : "");
}

/* --- answering ------------------------------------------------------ */

/* A listing: what has more below it ends in "/", public keys have their own form. */
static void list(const json_t *node, const char *key_name, struct buf *out)
{
	const char *key;
	json_t *v;
	bool first = true;

	json_object_foreach((json_t *)node, key, v) {
		if (!first)
			buf_addc(out, '\n');
		first = false;
		if (key_name)
			buf_printf(out, "%s=%s", key, key_name);
		else
			buf_printf(out, "%s%s", key, json_is_object(v) ? "/" : "");
	}
}

static int serve_tree(const json_t *root, struct str path, const char *key_name, struct buf *out)
{
	const json_t *node = root;
	struct str rest = path, step;
	bool keys = false;

	while (rest.n && str_split(&rest, '/', &step)) {
		auto_free char *name = xstrndup(step.p, step.n);

		if (!step.n)
			continue;
		node = json_object_get(node, name);
		if (!node)
			return 404;
		keys = streq(name, "public-keys");
	}
	if (json_is_object(node))
		list(node, keys ? key_name : NULL, out);
	else
		buf_adds(out, json_string_value(node) ? json_string_value(node) : "");
	return 200;
}

static int serve_user_data(struct row *r, struct buf *out)
{
	const char *text = doc_str(r->doc, "_user_data");

	return text && buf_add_unbase64(out, str_trim(str_from(text))) == 0 ? 200 : 404;
}

static bool known_version(struct str v)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		if (str_eqs(v, versions[i]))
			return true;
	return false;
}

static int serve_get(struct imds *m, struct row *r, const char *path, struct buf *out)
{
	struct str rest = str_from(path), version = { 0 }, room = { 0 };

	while (rest.n && rest.p[0] == '/')
		rest = str_slice(rest, 1, rest.n);
	if (!rest.n) {
		for (size_t i = 0; i < ARRAY_LEN(versions); i++)
			buf_printf(out, "%s%s", i ? "\n" : "", versions[i]);
		return 200;
	}
	str_split(&rest, '/', &version);
	if (!known_version(version))
		return 404;
	while (rest.n && rest.p[0] == '/')
		rest = str_slice(rest, 1, rest.n);
	if (!rest.n) {
		buf_adds(out, doc_str(r->doc, "_user_data") ? "dynamic\nmeta-data\nuser-data"
							    : "dynamic\nmeta-data");
		return 200;
	}
	str_split(&rest, '/', &room);
	if (str_eqs(room, "user-data"))
		return serve_user_data(r, out);
	AUTO(json) json_t *root = NULL;
	if (str_eqs(room, "meta-data"))
		root = meta_tree(m->cloud, r);
	else if (str_eqs(room, "dynamic"))
		root = json_pack("{s:{s:o}}", "instance-identity", "document",
				 identity_document(m->cloud, r));
	return root ? serve_tree(root, rest, doc_str(r->doc, "keyName"), out) : 404;
}

static int make_token(struct imds *m, const char *instance, const struct http_request *q,
		      struct http_reply *reply)
{
	const char *ttl = http_header(q, "X-aws-ec2-metadata-token-ttl-seconds");
	char token[57];
	int64_t seconds;

	/* A token must not leave by a proxy. */
	if (http_header(q, "X-Forwarded-For"))
		return 403;
	if (!ttl || !parse_i64(str_from(ttl), &seconds) || seconds < 1 || seconds > TOKEN_TTL_MAX)
		return 400;
	random_text(token, sizeof(token) - 1);
	auto_free char *key = xasprintf("%s %s", instance, token);
	pthread_mutex_lock(&m->lock);
	map_sets(&m->tokens, key, (void *)(intptr_t)(clock_unix() + seconds));
	pthread_mutex_unlock(&m->lock);
	buf_adds(&reply->body, token);
	reply->headers[reply->nheaders].name = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds";
	snprintf(reply->headers[reply->nheaders++].value, sizeof(reply->headers[0].value), "%s",
		 ttl);
	return 200;
}

static bool token_valid(struct imds *m, const char *instance, const char *token)
{
	auto_free char *key = xasprintf("%s %s", instance, token);
	int64_t until;

	pthread_mutex_lock(&m->lock);
	until = (int64_t)(intptr_t)map_gets(&m->tokens, key);
	if (until && until < clock_unix())
		map_remove(&m->tokens, str_from(key));
	pthread_mutex_unlock(&m->lock);
	return until >= clock_unix();
}

static int answer(struct imds *m, const char *instance, const struct http_request *q,
		  struct http_reply *reply)
{
	const char *token = http_header(q, "X-aws-ec2-metadata-token");
	CLOUD_LOCK(m->cloud);
	struct row *r = model_find(m->cloud->model, KIND_INSTANCE, instance);

	if (!r)
		return 404;
	if (streq(doc_str(r->doc, "metadataOptions.httpEndpoint"), "disabled"))
		return 403;
	if (streq(q->method, "PUT"))
		return streq(q->path, "/latest/api/token") ? make_token(m, instance, q, reply)
							   : 404;
	if (!streq(q->method, "GET") && !streq(q->method, "HEAD"))
		return 405;
	if (token ? !token_valid(m, instance, token)
		  : streq(doc_str(r->doc, "metadataOptions.httpTokens"), "required"))
		return 401;
	return serve_get(m, r, q->path, &reply->body);
}

static void handle(void *data, const struct http_request *q, uint32_t peer,
		   struct http_reply *reply)
{
	struct imds *m = data;
	auto_free char *instance = NULL;

	pthread_mutex_lock(&m->lock);
	if (peer && peer <= m->instances.n)
		instance = xstrdup(m->instances.v[peer - 1]);
	pthread_mutex_unlock(&m->lock);
	reply->status = instance ? answer(m, instance, q, reply) : 404;
	reply->content_type = "text/plain";
	reply->headers[reply->nheaders].name = "Server";
	snprintf(reply->headers[reply->nheaders++].value, sizeof(reply->headers[0].value), "EC2ws");
	if (reply->status != 200 && !reply->body.n)
		buf_printf(&reply->body, "%d\n", reply->status);
}

int imds_start(struct cloud *c, struct imds **ret, struct err *err)
{
	struct imds *m = xcalloc(1, sizeof(*m));

	m->cloud = c;
	pthread_mutex_init(&m->lock, NULL);
	if (http_start(NULL, 0, handle, m, &m->http, err) < 0) {
		imds_stop(m);
		return -1;
	}
	*ret = m;
	return 0;
}

void imds_stop(struct imds *m)
{
	if (!m)
		return;
	http_stop(m->http);
	for (size_t i = 0; i < m->instances.n; i++)
		free(m->instances.v[i]);
	vec_release(&m->instances);
	map_release(&m->tokens);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void imds_serve(struct imds *m, const char *instance, int fd)
{
	AUTO(err) struct err err = ERR_INIT;
	size_t i;

	pthread_mutex_lock(&m->lock);
	for (i = 0; i < m->instances.n && !streq(m->instances.v[i], instance); i++)
		;
	if (i == m->instances.n)
		vec_push(&m->instances, xstrdup(instance));
	pthread_mutex_unlock(&m->lock);
	/* A connection that cannot be served is closed: the guest tries again. */
	if (http_serve_fd(m->http, fd, (uint32_t)i + 1, &err) < 0)
		err_release(&err);
}
