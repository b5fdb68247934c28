/* Stand-ins under the ids that templates name. */
#include "cloud/model/standins.h"

#include "cloud/actions/places.h"
#include "cloud/api/doc.h"
#include "cloud/model/catalogue.h"
#include "cloud/model/groups.h"
#include "cloud/model/ids.h"
#include "cloud/model/lifecycle.h"
#include "cloud/model/sshkey.h"
#include "cloud/model/vpc.h"

/* What a template names. The functions that grant it say whether they made something. */
struct wish {
	struct cloud *c;
	const char *region, *id, *hint;
	char *note; /* heap: what the user should know of it */
};

static bool there(struct wish *w, enum kind kind)
{
	struct row *r = model_find(w->c->model, kind, w->id);

	return r && (!r->region[0] || row_in(r, w->region));
}

static bool make_image(struct wish *w)
{
	struct row *r;

	if (there(w, KIND_IMAGE))
		return false;
	r = catalogue_add_stand_in(w->c, w->region, w->id,
				   base_image_key_of_user(w->hint ? w->hint : "ec2-user"));
	if (!r)
		return false;
	w->note = xasprintf("%s (user %s)", doc_str(r->doc, "name"), doc_str(r->doc, "_user"));
	return true;
}

static bool make_vpc(struct wish *w)
{
	if (there(w, KIND_VPC))
		return false;
	vpc_create(w->c, w->region, w->id, NULL, false);
	return true;
}

/* The VPC that the hint names, made if need be, or the default one; NULL if that was deleted. */
static struct row *vpc_for(struct wish *w)
{
	struct row *vpc;

	if (!w->hint)
		return vpc_default(w->c, w->region);
	vpc = model_find(w->c->model, KIND_VPC, w->hint);
	return vpc ? vpc : vpc_create(w->c, w->region, w->hint, NULL, false);
}

/* Subnets of a stand-in VPC take the next free /20. */
static bool make_subnet(struct wish *w)
{
	struct row *vpc = there(w, KIND_SUBNET) ? NULL : vpc_for(w);
	char cidr[32];
	int used = 0;

	if (!vpc)
		return false;
	for (size_t i = 0; i < model_count(w->c->model, KIND_SUBNET); i++)
		used += streq(doc_str(model_at(w->c->model, KIND_SUBNET, i)->doc, "vpcId"),
			      vpc->id);
	snprintf(cidr, sizeof(cidr), "172.31.%d.0/20", used % 16 * 16);
	vpc_create_subnet(w->c, w->region, w->id, vpc->id, cidr, used % ZONES_PER_REGION, true);
	return true;
}

/* It opens SSH: the real group does for the template's builds, or they would not work there. */
static bool make_group(struct wish *w)
{
	static const int64_t ports[] = { 22, 5985, 5986 };
	struct row *vpc = there(w, KIND_GROUP) ? NULL : vpc_for(w), *r;

	if (!vpc)
		return false;
	r = group_create(w->c, w->region, w->id, vpc->id, w->id, "stand-in of the local cloud");
	for (size_t i = 0; i < ARRAY_LEN(ports); i++)
		group_add_rule(w->c, r,
			       &(struct group_rule){ .protocol = "tcp",
						     .from = ports[i],
						     .to = ports[i],
						     .cidr = "0.0.0.0/0" });
	w->note = xstrdup("opens the ports 22, 5985 and 5986");
	return true;
}

static bool make_key_pair(struct wish *w)
{
	AUTO(sshkey) struct sshkey key = { 0 };
	AUTO(err) struct err err = ERR_INIT;
	char id[ID_SIZE], now[TIME_SIZE];
	json_t *doc;

	for (size_t i = 0; i < model_count(w->c->model, KIND_KEY_PAIR); i++) {
		struct row *r = model_at(w->c->model, KIND_KEY_PAIR, i);

		if (row_in(r, w->region) && streq(doc_str(r->doc, "keyName"), w->id))
			return false;
	}
	id_new("key", id);
	doc = json_pack("{s:s, s:s, s:s, s:s, s:s, s:[]}", "keyName", w->id, "keyPairId", id,
			"keyFingerprint", "", "keyType", "rsa", "createTime", time_now(now),
			"tagSet");
	if (w->hint && sshkey_import(w->hint, &key, &err) == 0) {
		doc_set_str(doc, "keyFingerprint", key.fingerprint);
		doc_set_str(doc, "keyType", key.type);
		doc_set_str(doc, "_public", key.public_line);
	} else {
		w->note = xstrdup("without a public key: instances let nobody in by it");
	}
	model_put(w->c->model, KIND_KEY_PAIR, w->region, id, doc);
	return true;
}

static bool make_profile(struct wish *w)
{
	char id[ID_SIZE], now[TIME_SIZE];

	if (model_find(w->c->model, KIND_PROFILE, w->id))
		return false;
	id_new("x", id);
	model_put(
		w->c->model, KIND_PROFILE, "", w->id,
		json_pack("{s:s, s:s, s:o, s:o, s:s, s:[]}", "InstanceProfileName", w->id, "Path",
			  "/", "InstanceProfileId", json_sprintf("AIPA%.16s", id + 3), "Arn",
			  json_sprintf("arn:aws:iam::%s:instance-profile/%s", w->c->account, w->id),
			  "CreateDate", time_now(now), "Roles"));
	return true;
}

static bool make_plain(struct wish *w, enum kind kind, const char *region)
{
	auto_free char *key = *region ? xasprintf("%s %s", region, w->id) : xstrdup(w->id);

	if (model_find(w->c->model, kind, key))
		return false;
	model_put(w->c->model, kind, region, key, json_pack("{s:s}", "id", w->id));
	return true;
}

static bool make_kms_key(struct wish *w)
{
	/* The default key is every account's. */
	return !streq(w->id, "alias/aws/ebs") && make_plain(w, KIND_KMS_KEY, w->region);
}

static bool make_account(struct wish *w)
{
	return !streq(w->id, w->c->account) && make_plain(w, KIND_ACCOUNT, "");
}

static bool make_snapshot(struct wish *w)
{
	struct row *base = NULL;
	json_t *doc;

	if (there(w, KIND_SNAPSHOT))
		return false;
	for (size_t i = 0; i < model_count(w->c->model, KIND_SNAPSHOT) && !base; i++)
		if (model_at(w->c->model, KIND_SNAPSHOT, i)->region[0] == '*')
			base = model_at(w->c->model, KIND_SNAPSHOT, i);
	if (!base)
		return false;
	doc = json_deep_copy(base->doc);
	doc_set_str(doc, "snapshotId", w->id);
	doc_set_str(doc, "ownerId", w->c->account);
	doc_set_str(doc, "status", "pending");
	struct row *r = model_put(w->c->model, KIND_SNAPSHOT, w->region, w->id, doc);
	lifecycle_copy_snapshot(w->c, r, base->id);
	w->note = xstrdup("holds a base image's root file system");
	return true;
}

static const struct {
	const char *what;
	bool (*make)(struct wish *w);
} kinds[] = {
	[LOCAL_IMAGE] = { "source AMI", make_image },
	[LOCAL_VPC] = { "VPC", make_vpc },
	[LOCAL_SUBNET] = { "subnet", make_subnet },
	[LOCAL_GROUP] = { "security group", make_group },
	[LOCAL_KEY_PAIR] = { "key pair", make_key_pair },
	[LOCAL_PROFILE] = { "instance profile", make_profile },
	[LOCAL_KMS_KEY] = { "KMS key", make_kms_key },
	[LOCAL_ACCOUNT] = { "account", make_account },
	[LOCAL_SNAPSHOT] = { "snapshot", make_snapshot },
};

void standin_expect(struct cloud *c, enum local_id_kind kind, const char *region, const char *id,
		    const char *hint, json_t *warnings)
{
	struct wish w = {
		.c = c, .region = region ? region : CLOUD_REGION, .id = id, .hint = hint
	};

	if ((size_t)kind >= ARRAY_LEN(kinds) || !id || !*id || !region_known(w.region))
		return;
	vpc_ensure_default(c, w.region);
	if (kinds[kind].make(&w))
		json_array_append_new(warnings,
				      json_sprintf("the local cloud does not know the %s %s: a "
						   "stand-in takes its place%s%s",
						   kinds[kind].what, id, w.note ? ", " : "",
						   w.note ? w.note : ""));
	free(w.note);
}
