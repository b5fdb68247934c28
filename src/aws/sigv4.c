/* Signature Version 4: canonical request, string to sign, signature. Nothing here does I/O; times
 * and keys are given. Facts: AWS's documentation of the process and its published test suite.
 */
#include "aws/sigv4.h"

#include "base/hash.h"
#include "base/vec.h"

#include <openssl/crypto.h>
#include <time.h>

#define ALGORITHM "AWS4-HMAC-SHA256"

/* A query parameter or header in canonical form; seq keeps equal keys in their order. */
struct pair {
	struct buf key, value;
	size_t seq;
};

struct pairs {
	struct pair *v;
	size_t n, cap;
};

static void pairs_release(struct pairs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		buf_release(&p->v[i].key);
		buf_release(&p->v[i].value);
	}
	vec_release(p);
}
DEFINE_AUTO(pairs, struct pairs, pairs_release);

static struct pair *pairs_new(struct pairs *p)
{
	vec_push(p, (struct pair){ .seq = p->n });
	return &p->v[p->n - 1];
}

/* Headers sort by name and keep the order of equal names; query parameters sort by value then. */
static int header_cmp(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int d = str_cmp(buf_str(&x->key), buf_str(&y->key));

	return d ? d : (x->seq > y->seq) - (x->seq < y->seq);
}

static int query_cmp(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int d = str_cmp(buf_str(&x->key), buf_str(&y->key));

	return d ? d : str_cmp(buf_str(&x->value), buf_str(&y->value));
}

void sigv4_date(int64_t unix_time, char out[17])
{
	time_t t = unix_time;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, 17, "%Y%m%dT%H%M%SZ", &tm);
}

static void add_scope(const struct sigv4 *s, struct buf *out)
{
	char date[17];

	sigv4_date(s->unix_time, date);
	buf_printf(out, "%.8s/%s/%s/aws4_request", date, s->region, s->service);
}

/* Removes "." and ".." and empty segments, keeping a slash at the end. */
static void normalize_path(struct str path, struct buf *out)
{
	struct str rest = path, seg;
	bool slash = false;

	while (str_split(&rest, '/', &seg)) {
		slash = seg.n == 0 || str_eqs(seg, ".") || str_eqs(seg, "..");
		if (str_eqs(seg, "..")) {
			while (out->n > 0 && out->p[out->n - 1] != '/')
				buf_truncate(out, out->n - 1);
			if (out->n > 0)
				buf_truncate(out, out->n - 1);
		} else if (!slash) {
			buf_addc(out, '/');
			buf_add_uri(out, seg, false);
		}
	}
	if (out->n == 0 || slash)
		buf_addc(out, '/');
}

static void add_path(const struct sigv4 *s, struct buf *out)
{
	AUTO(buf) struct buf path = BUF_INIT;

	if (s->keep_path)
		buf_add_uri(&path, s->path, true);
	else
		normalize_path(s->path, &path);
	if (path.n == 0)
		buf_addc(&path, '/');
	buf_add_str(out, buf_str(&path));
}

/* Undoes %XX, so that encoded and raw input come out alike. */
static void unescape(struct str s, struct buf *out)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < s.n; i++) {
		const char *h = NULL, *l = NULL;

		if (s.p[i] == '%' && i + 2 < s.n) {
			h = memchr(hex, s.p[i + 1] | 0x20, 16);
			l = memchr(hex, s.p[i + 2] | 0x20, 16);
		}
		if (h && l) {
			buf_addc(out, (char)((h - hex) << 4 | (l - hex)));
			i += 2;
		} else {
			buf_addc(out, s.p[i]);
		}
	}
}

static void add_query_field(struct buf *out, struct str raw)
{
	AUTO(buf) struct buf plain = BUF_INIT;

	unescape(raw, &plain);
	buf_add_uri(out, buf_str(&plain), false);
}

static void add_query(const struct sigv4 *s, struct buf *out)
{
	AUTO(pairs) struct pairs q = VEC_INIT;
	struct str rest = s->query, field;

	while (rest.n && str_split(&rest, '&', &field)) {
		struct pair *p;
		const char *eq = field.n ? memchr(field.p, '=', field.n) : NULL;
		size_t key_n = eq ? (size_t)(eq - field.p) : field.n;

		if (field.n == 0)
			continue;
		p = pairs_new(&q);
		add_query_field(&p->key, str_slice(field, 0, key_n));
		if (eq)
			add_query_field(&p->value, str_slice(field, key_n + 1, field.n));
	}
	if (q.n)
		qsort(q.v, q.n, sizeof(*q.v), query_cmp);
	for (size_t i = 0; i < q.n; i++) {
		buf_adds(out, i ? "&" : "");
		buf_add_str(out, buf_str(&q.v[i].key));
		buf_addc(out, '=');
		buf_add_str(out, buf_str(&q.v[i].value));
	}
}

/* Runs of white space become one space; the ends are trimmed. */
static void add_header_value(struct buf *out, struct str v)
{
	bool gap = false;

	v = str_trim(v);
	for (size_t i = 0; i < v.n; i++) {
		if (strchr(" \t\r\n", v.p[i]) && v.p[i]) {
			gap = true;
			continue;
		}
		if (gap)
			buf_addc(out, ' ');
		gap = false;
		buf_addc(out, v.p[i]);
	}
}

static void header_add(struct pairs *h, struct str name, struct str value)
{
	struct pair *p = pairs_new(h);

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		buf_addc(&p->key, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
	}
	add_header_value(&p->value, value);
}

static void collect_headers(const struct sigv4 *s, const char *body_hash, struct pairs *h)
{
	char date[17];

	for (size_t i = 0; i < s->nheaders; i++)
		header_add(h, s->headers[i].name, s->headers[i].value);
	if (s->sign_body)
		header_add(h, STR("x-amz-content-sha256"), str_from(body_hash));
	sigv4_date(s->unix_time, date);
	header_add(h, STR("x-amz-date"), str_from(date));
	if (s->token)
		header_add(h, STR("x-amz-security-token"), str_from(s->token));
	qsort(h->v, h->n, sizeof(*h->v), header_cmp);
}

void sigv4_canonical(const struct sigv4 *s, struct buf *out, struct buf *ret_signed)
{
	AUTO(pairs) struct pairs h = VEC_INIT;
	AUTO(buf) struct buf lines = BUF_INIT;
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	hash_sha256(s->body.p, s->body.n, digest);
	hash_hex(digest, SHA256_LEN, hex);
	collect_headers(s, hex, &h);
	for (size_t i = 0; i < h.n; i++) {
		bool again = i && str_eq(buf_str(&h.v[i - 1].key), buf_str(&h.v[i].key));

		if (again) {
			buf_truncate(&lines, lines.n - 1);
			buf_addc(&lines, ',');
		} else {
			buf_adds(ret_signed, i ? ";" : "");
			buf_add_str(ret_signed, buf_str(&h.v[i].key));
			buf_add_str(&lines, buf_str(&h.v[i].key));
			buf_addc(&lines, ':');
		}
		buf_add_str(&lines, buf_str(&h.v[i].value));
		buf_addc(&lines, '\n');
	}
	buf_printf(out, "%s\n", s->method);
	add_path(s, out);
	buf_addc(out, '\n');
	add_query(s, out);
	buf_addc(out, '\n');
	buf_add_str(out, buf_str(&lines));
	buf_printf(out, "\n%s\n%s", buf_cstr(ret_signed), hex);
}

static void add_signature(const struct sigv4 *s, struct str canonical, struct buf *out)
{
	AUTO(buf) struct buf key = BUF_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	uint8_t k[SHA256_LEN];
	char date[17], hex[2 * SHA256_LEN + 1];

	sigv4_date(s->unix_time, date);
	hash_sha256(canonical.p, canonical.n, k);
	hash_hex(k, SHA256_LEN, hex);
	buf_printf(&text, ALGORITHM "\n%s\n", date);
	add_scope(s, &text);
	buf_printf(&text, "\n%s", hex);

	buf_printf(&key, "AWS4%s", s->secret_key);
	hash_hmac_sha256(key.p, key.n, date, 8, k);
	hash_hmac_sha256(k, sizeof(k), s->region, strlen(s->region), k);
	hash_hmac_sha256(k, sizeof(k), s->service, strlen(s->service), k);
	hash_hmac_sha256(k, sizeof(k), "aws4_request", 12, k);
	hash_hmac_sha256(k, sizeof(k), text.p, text.n, k);
	hash_hex(k, SHA256_LEN, hex);
	buf_adds(out, hex);
	OPENSSL_cleanse(key.p, key.n);
	OPENSSL_cleanse(k, sizeof(k));
}

void sigv4_sign(const struct sigv4 *s, struct buf *out)
{
	AUTO(buf) struct buf canonical = BUF_INIT;
	AUTO(buf) struct buf names = BUF_INIT;

	sigv4_canonical(s, &canonical, &names);
	buf_printf(out, ALGORITHM " Credential=%s/", s->access_key);
	add_scope(s, out);
	buf_printf(out, ", SignedHeaders=%s, Signature=", buf_cstr(&names));
	add_signature(s, buf_str(&canonical), out);
}
