/* Signature Version 4 in the Authorization header and in the query (presigned).
 * Facts: AWS General Reference, "Signature Version 4 signing process". */
#include "cloud/api/signature.h"

#include "base/buf.h"
#include "base/hash.h"

#include <stdio.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SKEW_SECONDS (15 * 60) /* EC2 accepts up to 15 minutes */
#define PRESIGNED_MAX_SECONDS (7 * 24 * 3600)
#define SIGNED_HEADERS_MAX 64

struct parts {
	const char *credential, *signed_headers, *signature, *amz_date, *expires, *token;
	bool presigned;
};

const char *http_header(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->nheaders; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	return NULL;
}

static char *unescape(struct arena *a, struct str s)
{
	char *out = arena_alloc(a, s.n + 1), *p = out;

	for (size_t i = 0; i < s.n; i++) {
		int high = i + 2 < s.n ? hex_value(s.p[i + 1]) : -1;
		int low = i + 2 < s.n ? hex_value(s.p[i + 2]) : -1;

		if (s.p[i] == '%' && high >= 0 && low >= 0) {
			*p++ = (char)(high << 4 | low);
			i += 2;
		} else {
			*p++ = s.p[i] == '+' ? ' ' : s.p[i];
		}
	}
	return out;
}

struct pair {
	const char *name, *value; /* escaped anew, so that order and form are canonical */
};

static int by_pair(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : strcmp(x->value, y->value);
}

static const char *escape(struct arena *a, const char *s)
{
	AUTO(buf) struct buf b = BUF_INIT;

	buf_add_uri(&b, str_from(s), false);
	return arena_strdup(a, buf_cstr(&b));
}

/* Splits a query into escaped pairs, sorted. */
static struct pair *query_pairs(struct arena *a, const char *query, size_t *ret_n)
{
	struct str rest = str_from(query), field;
	struct pair *v = arena_new_array(a, struct pair, strlen(query) + 1);
	size_t n = 0;

	while (rest.n && str_split(&rest, '&', &field)) {
		ptrdiff_t eq = str_find(field, STR("="));
		struct str name = eq < 0 ? field : str_slice(field, 0, (size_t)eq);
		struct str value = eq < 0 ? STR("") : str_slice(field, (size_t)eq + 1, field.n);

		if (field.n)
			v[n++] = (struct pair){ escape(a, unescape(a, name)),
						escape(a, unescape(a, value)) };
	}
	if (n)
		qsort(v, n, sizeof(*v), by_pair);
	*ret_n = n;
	return v;
}

static const char *query_value(struct arena *a, const char *query, const char *name)
{
	struct str rest = str_from(query), field;
	size_t n = strlen(name);

	while (rest.n && str_split(&rest, '&', &field))
		if (field.n > n && field.p[n] == '=' && strncmp(field.p, name, n) == 0)
			return unescape(a, str_slice(field, n + 1, field.n));
	return NULL;
}

/* The value of "NAME=" in the Authorization header, up to a comma. */
static const char *auth_part(struct arena *a, const char *header, const char *name)
{
	const char *at = strstr(header, name);

	if (!at)
		return NULL;
	at += strlen(name);
	return arena_strndup(a, at, strcspn(at, ", "));
}

static enum signature_result find_parts(const struct http_request *r, struct arena *a,
					struct parts *p)
{
	const char *header = http_header(r, "authorization"), *algorithm;

	if (header && starts_with(header, ALGORITHM)) {
		p->credential = auth_part(a, header, "Credential=");
		p->signed_headers = auth_part(a, header, "SignedHeaders=");
		p->signature = auth_part(a, header, "Signature=");
		p->amz_date = http_header(r, "x-amz-date");
		p->token = http_header(r, "x-amz-security-token");
	} else {
		algorithm = query_value(a, r->query, "X-Amz-Algorithm");
		if (header)
			return SIGNATURE_INCOMPLETE;
		if (!algorithm)
			return SIGNATURE_MISSING;
		if (!streq(algorithm, ALGORITHM))
			return SIGNATURE_INCOMPLETE;
		p->presigned = true;
		p->credential = query_value(a, r->query, "X-Amz-Credential");
		p->signed_headers = query_value(a, r->query, "X-Amz-SignedHeaders");
		p->signature = query_value(a, r->query, "X-Amz-Signature");
		p->amz_date = query_value(a, r->query, "X-Amz-Date");
		p->expires = query_value(a, r->query, "X-Amz-Expires");
		p->token = query_value(a, r->query, "X-Amz-Security-Token");
	}
	if (!p->credential || !p->signed_headers || !p->signature || !p->amz_date ||
	    strlen(p->signature) != 64 || (p->presigned && !p->expires))
		return SIGNATURE_INCOMPLETE;
	return SIGNATURE_OK;
}

/* "KEY/20261121/us-east-1/ec2/aws4_request" */
static bool split_scope(const char *credential, struct arena *a, struct signature *ret)
{
	struct str rest = str_from(credential), f[5];

	for (int i = 0; i < 5; i++)
		if (!str_split(&rest, '/', &f[i]) || !f[i].n)
			return false;
	ret->access_key = arena_strndup(a, f[0].p, f[0].n);
	ret->date = arena_strndup(a, f[1].p, f[1].n);
	ret->region = arena_strndup(a, f[2].p, f[2].n);
	ret->service = arena_strndup(a, f[3].p, f[3].n);
	return str_eqs(f[4], "aws4_request") && !rest.n;
}

/* "20261121T115402Z" to Unix seconds; -1 on garbage. */
static int64_t parse_amz_date(const char *s)
{
	struct tm tm = { 0 };

	if (strlen(s) != 16 || sscanf(s, "%4d%2d%2dT%2d%2d%2dZ", &tm.tm_year, &tm.tm_mon,
				      &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm);
}

static void add_trimmed(struct buf *out, const char *value)
{
	struct str v = str_trim(str_from(value));

	/* Runs of spaces count as one. */
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] != ' ' || v.p[i - 1] != ' ')
			buf_addc(out, v.p[i]);
}

static bool add_headers(const struct http_request *r, const char *names, struct buf *out)
{
	struct str rest = str_from(names), name;
	bool host = false;

	for (int n = 0; rest.n && str_split(&rest, ';', &name); n++) {
		bool found = false;

		if (n == SIGNED_HEADERS_MAX || !name.n)
			return false;
		buf_add_str(out, name);
		buf_addc(out, ':');
		for (size_t i = 0; i < r->nheaders; i++) {
			if (!str_ieqs(name, r->headers[i].name))
				continue;
			if (found)
				buf_addc(out, ',');
			add_trimmed(out, r->headers[i].value);
			found = true;
		}
		if (!found)
			return false;
		host |= str_ieqs(name, "host");
		buf_addc(out, '\n');
	}
	return host;
}

static void add_query(const struct http_request *r, struct arena *a, bool presigned,
		      struct buf *out)
{
	size_t n, written = 0;
	struct pair *v = query_pairs(a, r->query, &n);

	for (size_t i = 0; i < n; i++) {
		if (presigned && streq(v[i].name, "X-Amz-Signature"))
			continue;
		buf_printf(out, "%s%s=%s", written++ ? "&" : "", v[i].name, v[i].value);
	}
}

static const char *sha256_hex(struct arena *a, struct str s)
{
	uint8_t digest[SHA256_LEN];
	char *text = arena_alloc(a, 2 * SHA256_LEN + 1);

	hash_sha256(s.p, s.n, digest);
	hash_hex(digest, sizeof(digest), text);
	return text;
}

/* The hash that stands in the canonical request; false if the client names another body than it
 * sent. */
static bool payload_hash(const struct http_request *r, const struct parts *p, struct arena *a,
			 const char **ret)
{
	const char *named = http_header(r, "x-amz-content-sha256");

	*ret = sha256_hex(a, r->body);
	if (named && streq(named, "UNSIGNED-PAYLOAD") && p->presigned)
		*ret = named;
	else if (named && strcasecmp(named, *ret) != 0)
		return false;
	return true;
}

static void sign(const char *secret, const struct signature *s, const char *to_sign, char out[65])
{
	AUTO(buf) struct buf first = BUF_INIT;
	const char *steps[] = { s->date, s->region, s->service, "aws4_request", to_sign };
	uint8_t key[SHA256_LEN], next[SHA256_LEN];

	buf_printf(&first, "AWS4%s", secret);
	hash_hmac_sha256(first.p, first.n, steps[0], strlen(steps[0]), key);
	explicit_bzero(first.p, first.n);
	for (size_t i = 1; i < ARRAY_LEN(steps); i++) {
		hash_hmac_sha256(key, sizeof(key), steps[i], strlen(steps[i]), next);
		memcpy(key, next, sizeof(key));
	}
	hash_hex(key, sizeof(key), out);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(next, sizeof(next));
}

static bool same_signature(const char *a, const char *b)
{
	unsigned diff = 0;

	for (int i = 0; i < 64; i++)
		diff |= (unsigned)(a[i] ^ b[i]);
	return diff == 0;
}

static enum signature_result check_time(const struct parts *p, int64_t now, struct signature *ret,
					struct arena *a)
{
	int64_t date = parse_amz_date(p->amz_date), expires = 0;

	if (date < 0 || strncmp(p->amz_date, ret->date, 8) != 0)
		return SIGNATURE_INCOMPLETE;
	if (p->presigned) {
		if (!parse_i64(str_from(p->expires), &expires) || expires < 0 ||
		    expires > PRESIGNED_MAX_SECONDS)
			return SIGNATURE_INCOMPLETE;
		if (now > date + expires || date > now + SKEW_SECONDS) {
			ret->why = arena_printf(a, "presigned at %s for %lld s", p->amz_date,
						(long long)expires);
			return SIGNATURE_EXPIRED;
		}
	} else if (date < now - SKEW_SECONDS || date > now + SKEW_SECONDS) {
		ret->why = arena_printf(a, "signed at %s, %lld s away from this clock", p->amz_date,
					(long long)(date - now));
		return SIGNATURE_EXPIRED;
	}
	return SIGNATURE_OK;
}

enum signature_result signature_check(const struct http_request *r, int64_t now,
				      signature_key_fn *key, void *data, struct arena *a,
				      struct signature *ret)
{
	AUTO(buf) struct buf canonical = BUF_INIT;
	AUTO(buf) struct buf to_sign = BUF_INIT;
	struct parts p = { 0 };
	const char *hash, *secret, *token;
	enum signature_result result;
	char expected[65];

	*ret = (struct signature){
		.region = "", .service = "", .access_key = "", .date = "", .why = ""
	};
	result = find_parts(r, a, &p);
	if (result != SIGNATURE_OK)
		return result;
	if (!split_scope(p.credential, a, ret))
		return SIGNATURE_INCOMPLETE;
	if (!key(data, ret->access_key, &secret, &token)) {
		ret->why = "the access key is not one of this local cloud";
		return SIGNATURE_UNKNOWN_KEY;
	}
	if (!streq(token ? token : "", p.token ? p.token : "")) {
		ret->why = token ? "the session token is missing or wrong"
				 : "a session token with a key that has none";
		return SIGNATURE_TOKEN;
	}
	result = check_time(&p, now, ret, a);
	if (result != SIGNATURE_OK)
		return result;
	if (!payload_hash(r, &p, a, &hash)) {
		ret->why = "x-amz-content-sha256 is not the hash of the body";
		return SIGNATURE_BODY;
	}

	buf_printf(&canonical, "%s\n%s\n", r->method, *r->path ? r->path : "/");
	add_query(r, a, p.presigned, &canonical);
	buf_addc(&canonical, '\n');
	if (!add_headers(r, p.signed_headers, &canonical)) {
		ret->why = "a signed header is missing, or host is not signed";
		return SIGNATURE_INCOMPLETE;
	}
	buf_printf(&canonical, "\n%s\n%s", p.signed_headers, hash);
	buf_printf(&to_sign, ALGORITHM "\n%s\n%s/%s/%s/aws4_request\n%s", p.amz_date, ret->date,
		   ret->region, ret->service, sha256_hex(a, buf_str(&canonical)));
	sign(secret, ret, buf_cstr(&to_sign), expected);
	if (!same_signature(expected, p.signature)) {
		ret->why = "the signature does not fit: another secret key, or the request was "
			   "changed";
		return SIGNATURE_WRONG;
	}
	return SIGNATURE_OK;
}
