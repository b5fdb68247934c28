/* Functions of hashes, passwords, RSA and UUIDs, over libcrypto and libcrypt. */
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/text.h"

#include "base/buf.h"
#include "base/hash.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <strings.h>

#define BCRYPT_COST_MIN 4
#define BCRYPT_COST_DEFAULT 10
#define BCRYPT_COST_MAX 31
#define BCRYPT_BYTES_MAX 72
#define PKCS1_OVERHEAD 11 /* 00 02, at least 8 bytes of padding, 00 */
#define UUID_BYTES 16
#define UUID_TEXT 36

static int digest(struct func_call *c, const EVP_MD *md, struct str s, struct value *ret,
		  struct err *err)
{
	uint8_t bytes[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned n;

	if (!EVP_Digest(s.p, s.n, bytes, &n, md, NULL))
		return err_set(err, ERR_UNSUPPORTED,
			       "the cryptographic library of this machine refuses this hash");
	hash_hex(bytes, n, hex);
	*ret = value_cstring(c->arena, hex, c->span);
	return 0;
}

static int fn_md5(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		  struct value *ret, struct err *err)
{
	return digest(c, EVP_md5(), args[0].string, ret, err);
}

static int fn_sha1(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		   struct value *ret, struct err *err)
{
	return digest(c, EVP_sha1(), args[0].string, ret, err);
}

static int fn_sha256(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		     struct value *ret, struct err *err)
{
	return digest(c, EVP_sha256(), args[0].string, ret, err);
}

static int fn_sha512(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		     struct value *ret, struct err *err)
{
	return digest(c, EVP_sha512(), args[0].string, ret, err);
}

static int fn_bcrypt(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		     struct err *err)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE], seed[16];
	int64_t cost = BCRYPT_COST_DEFAULT;
	auto_free struct crypt_data *data = NULL;
	auto_free char *word = NULL;
	const char *out;
	bool ok;

	if (nargs > 1 && arg_int(c, args, 1, &cost, err) < 0)
		return -1;
	if (nargs > 2)
		return err_set(err, ERR_INVALID,
			       "bcrypt takes a text and a cost, and nothing else");
	if (cost < BCRYPT_COST_MIN)
		cost = BCRYPT_COST_DEFAULT;
	if (cost > BCRYPT_COST_MAX)
		return err_set(err, ERR_INVALID, "the cost %lld is outside of %d to %d",
			       (long long)cost, BCRYPT_COST_MIN, BCRYPT_COST_MAX);
	if (args[0].string.n > BCRYPT_BYTES_MAX)
		return err_set(err, ERR_INVALID, "bcrypt takes at most %d bytes, the text has %zu",
			       BCRYPT_BYTES_MAX, args[0].string.n);
	if (args[0].string.n && memchr(args[0].string.p, 0, args[0].string.n))
		return arg_error(c, 0, err,
				 "the text has a NUL byte, behind which bcrypt would not look");
	if (RAND_bytes((uint8_t *)seed, sizeof(seed)) != 1 ||
	    !crypt_gensalt_rn("$2a$", (unsigned long)cost, seed, sizeof(seed), setting,
			      sizeof(setting)))
		return err_set(err, ERR_UNSUPPORTED, "this machine's libcrypt has no bcrypt");
	data = xcalloc(1, sizeof(*data));
	word = xstrndup(args[0].string.p ? args[0].string.p : "", args[0].string.n);
	out = crypt_r(word, setting, data);
	ok = out && out[0] == '$';
	if (ok)
		*ret = value_cstring(c->arena, out, c->span);
	explicit_bzero(word, args[0].string.n);
	explicit_bzero(data, sizeof(*data));
	return ok ? 0 : err_set(err, ERR_UNSUPPORTED, "this machine's libcrypt has no bcrypt");
}

DEFINE_AUTO_PTR(bio, BIO *, BIO_free_all);
DEFINE_AUTO_PTR(pkey, EVP_PKEY *, EVP_PKEY_free);
DEFINE_AUTO_PTR(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free);

/* PKCS #1 has the modulus as second member, an INTEGER; PKCS #8 a SEQUENCE. */
static bool is_pkcs1(const uint8_t *der, long n)
{
	long at = 2;

	if (n < 8 || der[0] != 0x30)
		return false;
	if (der[1] & 0x80)
		at += der[1] & 0x7f;
	return at + 3 < n && der[at] == 2 && der[at + 1] == 1 && der[at + 3] == 2;
}

static EVP_PKEY *read_key(struct str text, struct err *err)
{
	AUTO(bio) BIO *bio = BIO_new_mem_buf(text.p, (int)MIN(text.n, (size_t)1 << 20));
	char *name = NULL, *header = NULL;
	uint8_t *der = NULL;
	const uint8_t *p;
	EVP_PKEY *key = NULL;
	long n = 0;

	if (!text.n || !bio || PEM_read_bio(bio, &name, &header, &der, &n) != 1) {
		err_set(err, ERR_INVALID, "there is no PEM block in the private key, hence no key");
		return NULL;
	}
	p = der;
	if (strstr(header, "4,ENCRYPTED"))
		err_set(err, ERR_INVALID,
			"private keys with a password are not supported; take the password off "
			"first (openssl rsa -traditional)");
	else if (!is_pkcs1(der, n) || !(key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &p, n)))
		err_set(err, ERR_INVALID,
			"the private key (%s) is not an RSA key in PKCS #1 form; "
			"openssl rsa -traditional writes that",
			name);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(der, (size_t)n);
	return key;
}

/* Where the message begins in a decrypted block, or 0 if its padding is wrong. */
static size_t pkcs1_message(const uint8_t *p, size_t n)
{
	size_t i = 2;

	if (n < PKCS1_OVERHEAD || p[0] != 0 || p[1] != 2)
		return 0;
	while (i < n && p[i])
		i++;
	return i >= PKCS1_OVERHEAD - 1 && i < n ? i + 1 : 0;
}

/* Takes the padding off by itself: newer versions of the library answer a wrong one with random
 * bytes. */
static int rsa_decrypt(struct func_call *c, EVP_PKEY *key, struct str cipher, struct value *ret,
		       struct err *err)
{
	AUTO(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	size_t size = (size_t)EVP_PKEY_get_size(key), n = size, at;
	auto_free uint8_t *in = xcalloc(1, size + 1);
	auto_free uint8_t *out = xcalloc(1, size + 1);

	if (cipher.n > size)
		return err_set(err, ERR_INVALID,
			       "decryption failed: the text has %zu bytes, the key takes %zu",
			       cipher.n, size);
	if (cipher.n)
		memcpy(in + size - cipher.n, cipher.p, cipher.n);
	if (!ctx || EVP_PKEY_decrypt_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) <= 0 ||
	    EVP_PKEY_decrypt(ctx, out, &n, in, size) <= 0 || !(at = pkcs1_message(out, n)))
		return err_set(err, ERR_INVALID,
			       "decryption failed: the text was not encrypted for this key");
	if (utf8_invalid_at((struct str){ (char *)out + at, n - at }) >= 0)
		err_set(err, ERR_INVALID,
			"what was decrypted is not UTF-8 text, which is all a string can hold");
	else
		ret_text(c, arena_str(c->arena, (struct str){ (char *)out + at, n - at }), ret);
	explicit_bzero(out, size);
	return err_any(err) ? -1 : 0;
}

static int fn_rsadecrypt(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err)
{
	AUTO(buf) struct buf cipher = BUF_INIT;
	AUTO(pkey) EVP_PKEY *key = NULL;

	if (buf_add_unbase64(&cipher, args[0].string) < 0)
		return err_set(err, ERR_INVALID,
			       "\"" STR_FMT "\" is no base64, which the encrypted text has to be",
			       ARG_TEXT(args[0]));
	key = read_key(args[1].string, err);
	return key ? rsa_decrypt(c, key, buf_str(&cipher), ret, err) : -1;
}

static int ret_uuid(struct func_call *c, uint8_t *u, unsigned version, struct value *ret)
{
	char hex[2 * UUID_BYTES + 1];

	u[6] = (uint8_t)((u[6] & 0x0f) | version << 4);
	u[8] = (uint8_t)((u[8] & 0x3f) | 0x80);
	hash_hex(u, UUID_BYTES, hex);
	*ret = value_string(str_from(arena_printf(c->arena, "%.8s-%.4s-%.4s-%.4s-%s", hex, hex + 8,
						  hex + 12, hex + 16, hex + 20)),
			    c->span);
	return 0;
}

static int fn_uuidv4(struct func_call *c, const struct value *args UNUSED, size_t nargs UNUSED,
		     struct value *ret, struct err *err)
{
	uint8_t u[UUID_BYTES];

	if (RAND_bytes(u, sizeof(u)) != 1)
		return err_set(err, ERR_IO, "this machine gives no random bytes");
	return ret_uuid(c, u, 4, ret);
}

/* 8-4-4-4-12 digits, also behind urn:uuid:, also in braces, or 32 digits alone. */
static bool uuid_parse(struct str s, uint8_t *u)
{
	static const uint8_t dash_before[UUID_BYTES] = { [4] = 1, [6] = 1, [8] = 1, [10] = 1 };
	bool dashes = s.n != 2 * UUID_BYTES;
	size_t i = 0;

	if (s.n == UUID_TEXT + 9 && strncasecmp(s.p, "urn:uuid:", 9) == 0)
		s = str_slice(s, 9, s.n);
	else if (s.n == UUID_TEXT + 2) /* the reference does not look which brackets they are */
		s = str_slice(s, 1, s.n - 1);
	if (s.n != UUID_TEXT && dashes)
		return false;
	for (size_t k = 0; k < UUID_BYTES; k++) {
		int high, low;

		if (dashes && dash_before[k] && s.p[i++] != '-')
			return false;
		high = hex_value(s.p[i++]);
		low = hex_value(s.p[i++]);
		if (high < 0 || low < 0)
			return false;
		u[k] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* The four namespaces of RFC 4122 differ in one byte. */
static bool uuid_namespace(struct str name, uint8_t *u)
{
	static const char *const names[] = { "dns", "url", "oid", NULL, "x500" };

	uuid_parse(STR("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), u);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (names[i] && str_eqs(name, names[i])) {
			u[3] = (uint8_t)(u[3] + i);
			return true;
		}
	}
	return uuid_parse(name, u);
}

static int fn_uuidv5(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		     struct value *ret, struct err *err)
{
	uint8_t hash[EVP_MAX_MD_SIZE], u[UUID_BYTES];
	AUTO(buf) struct buf b = BUF_INIT;

	if (!uuid_namespace(args[0].string, u))
		return err_set(err, ERR_INVALID,
			       "the namespace \"" STR_FMT
			       "\" is neither dns, url, oid, x500 nor a UUID",
			       ARG_TEXT(args[0]));
	buf_add(&b, u, sizeof(u));
	buf_add_str(&b, args[1].string);
	if (!EVP_Digest(b.p, b.n, hash, NULL, EVP_sha1(), NULL))
		return err_set(err, ERR_UNSUPPORTED,
			       "the cryptographic library of this machine refuses SHA-1");
	return ret_uuid(c, hash, 5, ret);
}

static const struct func_param one_text[] = { { "str", &type_string } };
static const struct func_param bcrypt_params[] = { { "str", &type_string },
						   { "cost", &type_number } };
static const struct func_param rsa_params[] = { { "ciphertext", &type_string },
						{ "privatekey", &type_string } };
static const struct func_param uuidv5_params[] = { { "namespace", &type_string },
						   { "name", &type_string } };

static const struct func_example md5_examples[] = {
	{ "md5(\"hello\")", "\"5d41402abc4b2a76b9719d911017c592\"" },
	{ "md5(\"\")", "\"d41d8cd98f00b204e9800998ecf8427e\"" },
};
static const struct func_example sha1_examples[] = {
	{ "sha1(\"hello\")", "\"aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d\"" },
	{ "sha1(\"\")", "\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"" },
};
static const struct func_example sha256_examples[] = {
	{ "sha256(\"hello\")",
	  "\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"" },
	{ "substr(sha256(\"v1\"), 0, 8)", "\"3bfc2695\"" },
};
static const struct func_example sha512_examples[] = {
	{ "substr(sha512(\"hello\"), 0, 16)", "\"9b71d224bd62f378\"" },
	{ "length(sha512(\"\"))", "128" },
};
static const struct func_example bcrypt_examples[] = {
	{ "bcrypt(\"open sesame\")", NULL },
	{ "substr(bcrypt(\"open sesame\", 5), 0, 7)", "\"$2a$05$\"" },
};
static const struct func_example rsa_examples[] = {
	{ "rsadecrypt(file(\"password.b64\"), file(\"key.pem\"))", NULL },
	{ "can(rsadecrypt(\"AAAA\", \"no key\"))", "false" },
};
static const struct func_example uuidv4_examples[] = {
	{ "uuidv4()", NULL },
	{ "length(uuidv4())", "36" },
};
static const struct func_example uuidv5_examples[] = {
	{ "uuidv5(\"dns\", \"www.example.com\")", "\"2ed6657d-e927-568b-95e1-2665a8aea6a2\"" },
	{ "uuidv5(\"2ed6657d-e927-568b-95e1-2665a8aea6a2\", \"x\")",
	  "\"2fe73e1a-df8e-500a-abe2-6f0d2fb0ec30\"" },
};

static const struct func rows[] = {
	{ "bcrypt", bcrypt_params, 2, FUNC_VARIADIC | FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_bcrypt,
	  .doc = "Hashes a password with bcrypt, for a file of passwords. `cost` is 4 to 31 and "
		 "10 where there is none or less than 4; each step takes twice the time. The "
		 "salt is new each time.",
	  FUNC_EXAMPLES(bcrypt_examples) },
	{ "md5", one_text, 1, .flags = FUNC_UNREFINED, .returns = &type_string, .call = fn_md5,
	  .doc = "The MD5 hash of a text's UTF-8 bytes, in hexadecimal digits. Not for security.",
	  FUNC_EXAMPLES(md5_examples) },
	{ "rsadecrypt", rsa_params, 2, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_rsadecrypt,
	  .doc = "Decrypts base64 that was encrypted with RSA (PKCS #1 v1.5), such as the "
		 "password of a Windows instance, by a private key in PEM without a password.",
	  FUNC_EXAMPLES(rsa_examples) },
	{ "sha1", one_text, 1, .flags = FUNC_UNREFINED, .returns = &type_string, .call = fn_sha1,
	  .doc = "The SHA-1 hash of a text's UTF-8 bytes, in hexadecimal digits. Not for security.",
	  FUNC_EXAMPLES(sha1_examples) },
	{ "sha256", one_text, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_sha256,
	  .doc = "The SHA-256 hash of a text's UTF-8 bytes, in hexadecimal digits.",
	  FUNC_EXAMPLES(sha256_examples) },
	{ "sha512", one_text, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_sha512,
	  .doc = "The SHA-512 hash of a text's UTF-8 bytes, in hexadecimal digits.",
	  FUNC_EXAMPLES(sha512_examples) },
	{ "uuidv4", NULL, 0, .flags = FUNC_UNREFINED, .returns = &type_string, .call = fn_uuidv4,
	  .doc = "A new random UUID.", FUNC_EXAMPLES(uuidv4_examples) },
	{ "uuidv5", uuidv5_params, 2, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_uuidv5,
	  .doc = "The UUID that belongs to a name: the same each time. `namespace` is `dns`, "
		 "`url`, `oid`, `x500` or a UUID.",
	  FUNC_EXAMPLES(uuidv5_examples) },
};
const struct func_group func_group_crypto = { "Hash and crypto", rows, ARRAY_LEN(rows) };
