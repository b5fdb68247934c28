/* The requests served, in the order in which they came. Thread-safe. Also written to requests.jsonl
 * in the data directory, one object a line as each call ends; secrets (user data, key material,
 * values of parameters) are left out. */
#ifndef INGOT_CLOUD_REQLOG_H
#define INGOT_CLOUD_REQLOG_H

#include "base/base.h"

#include <jansson.h>

#define REQLOG_MAX 100000 /* older ones are forgotten */

struct reqlog;

struct reqlog *reqlog_new(const char *dir);
void reqlog_free(struct reqlog *l);
/* Opens an entry; its number from 1. Takes the object over. */
uint64_t reqlog_begin(struct reqlog *l, json_t *entry);
/* Adds members to it; takes the object over. */
void reqlog_end(struct reqlog *l, uint64_t n, json_t *more);
/* Entries after number n, new reference. */
json_t *reqlog_since(struct reqlog *l, uint64_t n);
void reqlog_clear(struct reqlog *l);

#endif
