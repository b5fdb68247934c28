/* Digests over OpenSSL's libcrypto. */
#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

void hash_sha256(const void *p, size_t n, uint8_t out[SHA256_LEN])
{
	SHA256(p, n, out);
}

void hash_hmac_sha256(const void *key, size_t key_n, const void *p, size_t n,
		      uint8_t out[SHA256_LEN])
{
	if (!HMAC(EVP_sha256(), key, (int)key_n, p, n, out, NULL))
		abort();
}

void hash_hex(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = "0123456789abcdef"[p[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[p[i] & 15];
	}
	out[2 * n] = '\0';
}
