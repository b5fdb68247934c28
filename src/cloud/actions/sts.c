/* STS: who am I, and roles. */
#include "base/clock.h"
#include "base/os.h"
#include "cloud/actions/credentials.h"
#include "cloud/api/services.h"

void random_text(char *out, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

	os_random(out, n);
	for (size_t i = 0; i < n; i++)
		out[i] = digits[(unsigned char)out[i] % 32];
	out[n] = '\0';
}

struct row *credentials_make(struct cloud *c, const char *principal, int64_t seconds)
{
	char id[21], secret[41], token[201];

	for (size_t i = model_count(c->model, KIND_ACCESS_KEY); i-- > 0;) {
		struct row *r = model_at(c->model, KIND_ACCESS_KEY, i);

		if (doc_int(r->doc, "_expires") < clock_unix())
			model_remove(c->model, r);
	}
	memcpy(id, "ASIA", 4);
	random_text(id + 4, 16);
	random_text(secret, 40);
	random_text(token, 200);
	return model_put(c->model, KIND_ACCESS_KEY, "", id,
			 json_pack("{s:s, s:s, s:s, s:I}",
				   "arn", principal,
				   "_secret", secret,
				   "_token", token,
				   "_expires", (json_int_t)(clock_unix() + seconds)));
}

static json_t *credentials_doc(const struct row *key)
{
	char until[TIME_SIZE];

	return json_pack("{s:s, s:s, s:s, s:s}",
			 "AccessKeyId", key->id,
			 "SecretAccessKey", doc_str(key->doc, "_secret"),
			 "SessionToken", doc_str(key->doc, "_token"),
			 "Expiration", time_text(doc_int(key->doc, "_expires") * 1000, until));
}

/* "arn:aws:iam::ACCOUNT:role/x" */
static const char *account_of(struct call *c, const char *arn)
{
	struct str rest = str_from(arn), field = { 0 };

	for (int i = 0; i < 5; i++)
		if (!str_split(&rest, ':', &field))
			return c->cloud->account;
	return field.n ? arena_strndup(c->arena, field.p, field.n) : c->cloud->account;
}

static int get_caller_identity(struct call *c)
{
	const char *slash = strrchr(c->principal, '/');
	bool role = strstr(c->principal, ":assumed-role/") != NULL;

	json_object_set_new(c->out, "Arn", json_string(c->principal));
	json_object_set_new(c->out, "UserId",
			    role ? json_sprintf("AROALOCALCLOUDROLE000:%s", slash + 1)
				 : json_string("AIDALOCALCLOUDUSER000"));
	json_object_set_new(c->out, "Account", json_string(account_of(c, c->principal)));
	return 0;
}

static int assume_role(struct call *c)
{
	const char *arn = call_val(c, "RoleArn"), *session = call_val(c, "RoleSessionName"),
		   *role = strstr(arn, ":role/");
	int64_t seconds = 3600;
	const char *principal;
	struct row *r;

	if (!starts_with(arn, "arn:") || !role)
		return call_fail(c, "ValidationError", "%.120s is invalid: not the ARN of a role",
				 arn);
	if (call_int(c, "DurationSeconds", 900, 43200, &seconds) < 0)
		return -1;
	role += strlen(":role/");
	/* The account's own roles must be there; those of other accounts are taken as they are. */
	if (streq(account_of(c, arn), c->cloud->account) &&
	    !call_lookup(c, KIND_ROLE, strrchr(arn, '/') + 1))
		return call_fail(
			c, "AccessDenied",
			"User: %s is not authorized to perform: sts:AssumeRole on resource: %s",
			c->principal, arn);
	principal = arena_printf(c->arena, "arn:aws:sts::%s:assumed-role/%s/%s", account_of(c, arn),
				 role, session);
	r = credentials_make(c->cloud, principal, seconds);
	json_object_set_new(c->out, "Credentials", credentials_doc(r));
	json_object_set_new(c->out, "AssumedRoleUser",
			    json_pack("{s:o, s:s}",
				      "AssumedRoleId",
				      json_sprintf("AROALOCALCLOUDROLE000:%s", session),
				      "Arn", principal));
	json_object_set_new(c->out, "PackedPolicySize", json_integer(0));
	return 0;
}

static int get_session_token(struct call *c)
{
	int64_t seconds = 43200;
	struct row *r;

	if (call_int(c, "DurationSeconds", 900, 129600, &seconds) < 0)
		return -1;
	r = credentials_make(c->cloud, c->principal, seconds);
	json_object_set_new(c->out, "Credentials", credentials_doc(r));
	return 0;
}

static int decode_message(struct call *c)
{
	json_object_set_new(c->out, "DecodedMessage", json_string(call_val(c, "EncodedMessage")));
	return 0;
}

const struct action sts_actions[] = {
	{ "GetCallerIdentity", get_caller_identity, "", 0 },
	{ "AssumeRole", assume_role,
	  "RoleArn! RoleSessionName! DurationSeconds ExternalId Policy PolicyArns Tags "
	  "TransitiveTagKeys SerialNumber TokenCode SourceIdentity",
	  0 },
	{ "GetSessionToken", get_session_token, "DurationSeconds SerialNumber TokenCode", 0 },
	{ "DecodeAuthorizationMessage", decode_message, "EncodedMessage!", 0 },
	{ 0 },
};
