/* Digests and encodings over OpenSSL's libcrypto. */
#ifndef INGOT_BASE_HASH_H
#define INGOT_BASE_HASH_H

#include "base/base.h"
#include "base/str.h"

#define SHA256_LEN 32

void hash_sha256(const void *p, size_t n, uint8_t out[SHA256_LEN]);
void hash_hmac_sha256(const void *key, size_t key_n, const void *p, size_t n,
		      uint8_t out[SHA256_LEN]);
void hash_hex(const uint8_t *p, size_t n, char *out); /* 2n + 1 bytes */

#endif
