/* Ids, times and names as EC2 writes them. */
#ifndef INGOT_CLOUD_MODEL_IDS_H
#define INGOT_CLOUD_MODEL_IDS_H

#include "base/base.h"

#define ID_SIZE 40

/* "PREFIX-" and 17 hex digits. */
void id_new(const char *prefix, char out[ID_SIZE]);
/* The same id for the same text, for things that must keep theirs. */
void id_from(const char *prefix, const char *text, char out[ID_SIZE]);
/* "2026-11-21T11:54:02.000Z" */
#define TIME_SIZE 32
const char *time_now(char out[TIME_SIZE]);
const char *time_text(int64_t unix_ms, char out[TIME_SIZE]);
/* Takes the fraction of such a text off, as IAM writes times: "2026-11-21T11:54:02Z". */
void time_cut_to_seconds(char text[TIME_SIZE]);
/* "02:…" made from a number */
void mac_address(uint32_t ip, char out[18]);

#endif
