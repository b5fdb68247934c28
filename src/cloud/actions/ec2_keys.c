/* Key pairs. The private half is handed out once and kept nowhere. */
#include "cloud/api/services.h"
#include "cloud/model/sshkey.h"

#define KEY_NAME_MAX 255

static const struct filter_row filters[] = {
	{ "key-name", "keyName" },
	{ "key-pair-id", "keyPairId" },
	{ "fingerprint", "keyFingerprint" },
	{ 0 },
};

static struct row *by_name(struct call *c, const char *name)
{
	struct row *r;

	for (size_t i = 0; (r = call_next(c, KIND_KEY_PAIR, &i));)
		if (streq(doc_str(r->doc, "keyName"), name))
			return r;
	return NULL;
}

static int add_key(struct call *c, const struct sshkey *key)
{
	const char *name = call_val(c, "KeyName");
	json_t *tags;
	char id[ID_SIZE], now[TIME_SIZE];
	CLOUD_LOCK(c->cloud);

	if (strlen(name) > KEY_NAME_MAX)
		return call_fail(c, "InvalidParameterValue",
				 "Value for parameter keyName is invalid: at most %d characters",
				 KEY_NAME_MAX);
	if (by_name(c, name))
		return call_fail(c, "InvalidKeyPair.Duplicate", "The keypair '%s' already exists.",
				 name);
	tags = call_tags(c, "key-pair", "key-pair");
	if (!tags)
		return -1;
	id_new("key", id);
	call_put(c, KIND_KEY_PAIR, id,
		 json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s}",
			   "keyName", name,
			   "keyPairId", id,
			   "keyFingerprint", key->fingerprint,
			   "keyType", key->type,
			   "createTime", time_now(now),
			   "tagSet", tags,
			   "_public", key->public_line));
	json_object_set_new(c->out, "keyName", json_string(name));
	json_object_set_new(c->out, "keyPairId", json_string(id));
	json_object_set_new(c->out, "keyFingerprint", json_string(key->fingerprint));
	if (json_array_size(tags))
		json_object_set(c->out, "tagSet", tags);
	return 0;
}

/* Making an RSA key takes a while: no lock is held meanwhile. */
static int create_key_pair(struct call *c)
{
	AUTO(sshkey) struct sshkey key = { 0 };
	AUTO(err) struct err err = ERR_INIT;
	const char *type = "rsa", *format = "pem";

	if (call_enum(c, "KeyType", "rsa|ed25519", &type) < 0 ||
	    call_enum(c, "KeyFormat", "pem", &format) < 0)
		return -1;
	if (sshkey_make(type, &key, &err) < 0)
		return call_fail(c, "InternalError", "%s", err.msg);
	if (add_key(c, &key) < 0)
		return -1;
	json_object_set_new(c->out, "keyMaterial", json_string(key.private_pem));
	return 0;
}

static int import_key_pair(struct call *c)
{
	AUTO(sshkey) struct sshkey key = { 0 };
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf text = BUF_INIT;

	if (buf_add_unbase64(&text, str_trim(str_from(call_val(c, "PublicKeyMaterial")))) < 0)
		return call_fail(c, "InvalidKey.Format", "The public key material is not base64");
	if (sshkey_import(buf_cstr(&text), &key, &err) < 0)
		return call_fail(c, "InvalidKey.Format", "%s", err.msg);
	return add_key(c, &key);
}

static int delete_key_pair(struct call *c)
{
	const char *name = call_val(c, "KeyName"), *id = call_val(c, "KeyPairId");
	struct row *r;

	if (!name && !id)
		return call_missing(c, "KeyName");
	r = id ? call_lookup(c, KIND_KEY_PAIR, id) : by_name(c, name);
	/* Deleting what is not there is no error, as on EC2. */
	call_return_true(c);
	if (!r)
		return 0;
	json_object_set_new(c->out, "keyPairId", json_string(r->id));
	model_remove(c->cloud->model, r);
	return 0;
}

static json_t *render(struct call *c, struct row *r)
{
	json_t *doc = json_copy(r->doc);

	if (streq(call_val(c, "IncludePublicKey"), "true") && doc_str(r->doc, "_public"))
		json_object_set_new(doc, "publicKey", json_string(doc_str(r->doc, "_public")));
	return doc;
}

static bool named(struct call *c, struct row *r, bool by_id UNUSED)
{
	return call_lists(c, "KeyName", doc_str(r->doc, "keyName"));
}

static int describe_key_pairs(struct call *c)
{
	static const struct listing l = { .kind = KIND_KEY_PAIR,
					  .id_param = "KeyPairId",
					  .set = "keySet",
					  .filters = filters,
					  .visible = named,
					  .render = render };
	size_t n;
	const char **names = call_list(c, &n, "KeyName");

	for (size_t i = 0; i < n; i++)
		if (!by_name(c, names[i]))
			return call_fail(c, "InvalidKeyPair.NotFound",
					 "The key pair '%s' does not exist", names[i]);
	return call_describe(c, &l);
}

const struct action ec2_key_actions[] = {
	{ "CreateKeyPair", create_key_pair, "KeyName! KeyType KeyFormat TagSpecification",
	  ACTION_UNLOCKED },
	{ "ImportKeyPair", import_key_pair, "KeyName! PublicKeyMaterial! TagSpecification",
	  ACTION_UNLOCKED },
	{ "DeleteKeyPair", delete_key_pair, "KeyName KeyPairId", 0 },
	{ "DescribeKeyPairs", describe_key_pairs, "KeyName KeyPairId Filter IncludePublicKey", 0 },
	{ 0 },
};
