/* Ids and times. */
#include "cloud/model/ids.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/os.h"
#include "base/str.h"

#include <stdio.h>

#define ID_DIGITS 17

static void write_id(const char *prefix, const uint8_t *bytes, char out[ID_SIZE])
{
	char hex[2 * SHA256_LEN + 1];

	hash_hex(bytes, 9, hex);
	/* EC2's long ids begin with a zero as a rule; clients do not care, people recognise it. */
	hex[0] = '0';
	snprintf(out, ID_SIZE, "%.20s-%.*s", prefix, ID_DIGITS, hex);
}

void id_new(const char *prefix, char out[ID_SIZE])
{
	uint8_t bytes[9];

	os_random(bytes, sizeof(bytes));
	write_id(prefix, bytes, out);
}

void id_from(const char *prefix, const char *text, char out[ID_SIZE])
{
	uint8_t digest[SHA256_LEN];

	hash_sha256(text, strlen(text), digest);
	write_id(prefix, digest, out);
}

const char *time_text(int64_t unix_ms, char out[TIME_SIZE])
{
	AUTO(buf) struct buf b = BUF_INIT;

	clock_format_rfc3339(&b, unix_ms, true);
	snprintf(out, TIME_SIZE, "%s", buf_cstr(&b));
	return out;
}

const char *time_now(char out[TIME_SIZE])
{
	return time_text(clock_unix_ms() / 1000 * 1000, out);
}

void time_cut_to_seconds(char text[TIME_SIZE])
{
	memcpy(text + strlen("2026-11-21T11:54:02"), "Z", sizeof("Z"));
}

void mac_address(uint32_t ip, char out[18])
{
	uint8_t r[2];

	os_random(r, sizeof(r));
	snprintf(out, 18, "02:%02x:%02x:%02x:%02x:%02x", r[0], r[1], ip >> 16 & 0xff,
		 ip >> 8 & 0xff, ip & 0xff);
}
