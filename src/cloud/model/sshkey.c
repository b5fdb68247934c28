/* SSH key pairs over OpenSSL, in the forms that EC2 uses. Formats: RFC 4253 section 6.6, RFC 8709,
 * and OpenSSH's PROTOCOL.key for the private Ed25519 key. */
#include "cloud/model/sshkey.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/os.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define RSA_BITS 2048

static inline void evp_auto_(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}
static inline void bn_auto_(BIGNUM **n)
{
	BN_clear_free(*n);
}

void sshkey_release(struct sshkey *k)
{
	xfree_secret(k->private_pem);
	free(k->public_line);
	free(k->fingerprint);
	*k = (struct sshkey){ 0 };
}

static void add_u32(struct buf *b, size_t n)
{
	uint8_t v[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };

	buf_add(b, v, 4);
}

static void add_bytes(struct buf *b, const void *p, size_t n)
{
	add_u32(b, n);
	buf_add(b, p, n);
}

/* mpint: big-endian, a zero byte before a set top bit. */
static void add_mpint(struct buf *b, const BIGNUM *n)
{
	uint8_t *p = xmalloc((size_t)BN_num_bytes(n) + 1);

	p[0] = 0;
	BN_bn2bin(n, p + 1);
	if (p[1] & 0x80)
		add_bytes(b, p, (size_t)BN_num_bytes(n) + 1);
	else
		add_bytes(b, p + 1, (size_t)BN_num_bytes(n));
	free(p);
}

static void add_hex_pairs(struct buf *b, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s%02x", i ? ":" : "", p[i]);
}

static char *digest_pairs(const EVP_MD *md, const void *p, size_t n)
{
	AUTO(buf) struct buf b = BUF_INIT;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	EVP_Digest(p, n, digest, &len, md, NULL);
	add_hex_pairs(&b, digest, len);
	return buf_steal(&b);
}

static void public_line(const char *name, const struct buf *blob, struct sshkey *k)
{
	AUTO(buf) struct buf b = BUF_INIT;

	buf_printf(&b, "%s ", name);
	buf_add_base64(&b, blob->p, blob->n);
	k->public_line = buf_steal(&b);
}

static int rsa_public(EVP_PKEY *key, struct sshkey *k)
{
	AUTO(bn) BIGNUM *n = NULL, *e = NULL;
	AUTO(buf) struct buf blob = BUF_INIT;

	if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) ||
	    !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) || BN_is_zero(n) ||
	    BN_is_zero(e))
		return -1;
	add_bytes(&blob, "ssh-rsa", 7);
	add_mpint(&blob, e);
	add_mpint(&blob, n);
	public_line("ssh-rsa", &blob, k);
	k->type = "rsa";
	return 0;
}

static void ed25519_public(const uint8_t raw[32], struct sshkey *k)
{
	AUTO(buf) struct buf blob = BUF_INIT;
	AUTO(buf) struct buf fp = BUF_INIT;
	uint8_t digest[SHA256_LEN];

	add_bytes(&blob, "ssh-ed25519", 11);
	add_bytes(&blob, raw, 32);
	public_line("ssh-ed25519", &blob, k);
	hash_sha256(blob.p, blob.n, digest);
	buf_add_base64(&fp, digest, sizeof(digest));
	k->fingerprint = buf_steal(&fp);
	k->type = "ed25519";
}

static int make_rsa(struct sshkey *k, struct err *err)
{
	AUTO(evp) EVP_PKEY *key = EVP_RSA_gen(RSA_BITS);
	BIO *bio = BIO_new(BIO_s_mem());
	PKCS8_PRIV_KEY_INFO *p8 = key ? EVP_PKEY2PKCS8(key) : NULL;
	uint8_t *der = NULL;
	char *text;
	long n;
	int der_n = p8 ? i2d_PKCS8_PRIV_KEY_INFO(p8, &der) : -1;
	int ok = key && der_n > 0 &&
		 PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL) &&
		 rsa_public(key, k) == 0;

	if (ok) {
		/* EC2's fingerprint of a key it made: SHA-1 of the private key as PKCS#8. */
		k->fingerprint = digest_pairs(EVP_sha1(), der, (size_t)der_n);
		n = BIO_get_mem_data(bio, &text);
		k->private_pem = xstrndup(text, (size_t)n);
		explicit_bzero(text, (size_t)n);
	}
	if (der_n > 0)
		OPENSSL_clear_free(der, (size_t)der_n);
	PKCS8_PRIV_KEY_INFO_free(p8);
	BIO_free(bio);
	return ok ? 0 : err_set(err, ERR_IO, "OpenSSL cannot make an RSA key");
}

/* openssh-key-v1 without a passphrase. */
static char *ed25519_file(const uint8_t pub[32], const uint8_t priv[32],
			  const struct buf *public_blob)
{
	AUTO(buf) struct buf inner = BUF_INIT;
	AUTO(buf) struct buf b = BUF_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	uint8_t check[4], both[64];
	struct buf out = BUF_INIT;

	os_random(check, sizeof(check));
	buf_add(&inner, check, 4);
	buf_add(&inner, check, 4);
	add_bytes(&inner, "ssh-ed25519", 11);
	add_bytes(&inner, pub, 32);
	memcpy(both, priv, 32);
	memcpy(both + 32, pub, 32);
	add_bytes(&inner, both, 64);
	add_bytes(&inner, "", 0);
	for (char pad = 1; inner.n % 8; pad++)
		buf_addc(&inner, pad);
	buf_add(&b, "openssh-key-v1", 15);
	add_bytes(&b, "none", 4);
	add_bytes(&b, "none", 4);
	add_bytes(&b, "", 0);
	add_u32(&b, 1);
	add_bytes(&b, public_blob->p, public_blob->n);
	add_bytes(&b, inner.p, inner.n);
	buf_add_base64(&text, b.p, b.n);
	buf_adds(&out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	for (size_t i = 0; i < text.n; i += 70)
		buf_printf(&out, "%.70s\n", text.p + i);
	buf_adds(&out, "-----END OPENSSH PRIVATE KEY-----\n");
	explicit_bzero(both, sizeof(both));
	explicit_bzero(inner.p, inner.n);
	explicit_bzero(b.p, b.n);
	explicit_bzero(text.p, text.n);
	return buf_steal(&out);
}

static int make_ed25519(struct sshkey *k, struct err *err)
{
	AUTO(evp) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	AUTO(buf) struct buf blob = BUF_INIT;
	uint8_t pub[32], priv[32];
	size_t n = 32, m = 32;

	if (!key || !EVP_PKEY_get_raw_public_key(key, pub, &n) ||
	    !EVP_PKEY_get_raw_private_key(key, priv, &m))
		return err_set(err, ERR_IO, "OpenSSL cannot make an Ed25519 key");
	ed25519_public(pub, k);
	add_bytes(&blob, "ssh-ed25519", 11);
	add_bytes(&blob, pub, 32);
	k->private_pem = ed25519_file(pub, priv, &blob);
	explicit_bzero(priv, sizeof(priv));
	return 0;
}

int sshkey_make(const char *type, struct sshkey *ret, struct err *err)
{
	*ret = (struct sshkey){ 0 };
	return streq(type, "ed25519") ? make_ed25519(ret, err) : make_rsa(ret, err);
}

static bool take_string(struct str *rest, struct str *ret)
{
	const uint8_t *p = (const uint8_t *)rest->p;
	size_t n;

	if (rest->n < 4)
		return false;
	n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	if (n > rest->n - 4)
		return false;
	*ret = str_slice(*rest, 4, 4 + n);
	*rest = str_slice(*rest, 4 + n, rest->n);
	return true;
}

static EVP_PKEY *rsa_from_numbers(struct str e, struct str n)
{
	AUTO(bn) BIGNUM *bn_e = BN_bin2bn((const uint8_t *)e.p, (int)e.n, NULL);
	AUTO(bn) BIGNUM *bn_n = BN_bin2bn((const uint8_t *)n.p, (int)n.n, NULL);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn_n);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, bn_e);
	params = OSSL_PARAM_BLD_to_param(b);
	if (EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* The fingerprint of an imported RSA key: MD5 of its public key as DER. */
static int import_rsa(EVP_PKEY *key, struct sshkey *k)
{
	uint8_t *der = NULL;
	int n = key && EVP_PKEY_is_a(key, "RSA") ? i2d_PUBKEY(key, &der) : -1;
	int ret = n > 0 ? rsa_public(key, k) : -1;

	if (ret == 0)
		k->fingerprint = digest_pairs(EVP_md5(), der, (size_t)n);
	OPENSSL_free(der);
	return ret;
}

static int import_line(struct str line, struct sshkey *k)
{
	AUTO(buf) struct buf blob = BUF_INIT;
	struct str rest = line, type, data, name, a, b;

	if (!str_split(&rest, ' ', &type) || !str_split(&rest, ' ', &data) ||
	    buf_add_unbase64(&blob, str_trim(data)) < 0)
		return -1;
	rest = buf_str(&blob);
	if (!take_string(&rest, &name) || !str_eq(name, type) || !take_string(&rest, &a))
		return -1;
	if (str_eqs(type, "ssh-ed25519") && a.n == 32) {
		ed25519_public((const uint8_t *)a.p, k);
		return 0;
	}
	if (str_eqs(type, "ssh-rsa") && take_string(&rest, &b)) {
		AUTO(evp) EVP_PKEY *key = rsa_from_numbers(a, b);

		return import_rsa(key, k);
	}
	return -1;
}

static int import_der(struct str text, struct sshkey *k)
{
	AUTO(buf) struct buf b64 = BUF_INIT;
	AUTO(buf) struct buf der = BUF_INIT;
	struct str rest = text, line;
	const uint8_t *p;

	while (rest.n && str_split(&rest, '\n', &line))
		if (!str_starts(line, "-----"))
			buf_add_str(&b64, str_trim(line));
	if (!b64.n || buf_add_unbase64(&der, buf_str(&b64)) < 0)
		return -1;
	p = (const uint8_t *)der.p;
	AUTO(evp) EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)der.n);
	return import_rsa(key, k);
}

int sshkey_import(const char *text, struct sshkey *ret, struct err *err)
{
	struct str s = str_trim(str_from(text));

	*ret = (struct sshkey){ 0 };
	if (str_starts(s, "ssh-") ? import_line(s, ret) == 0 : import_der(s, ret) == 0)
		return 0;
	sshkey_release(ret);
	return err_set(err, ERR_INVALID, "Key is not in valid OpenSSH public key format");
}
