/* Token buckets: one for each endpoint, region and class of action, shared by all builds of a
 * session. AWS's own limits are the starting point; a throttle answer halves the rate for
 * everybody, success lets it grow back. Custom endpoints start without a limit.
 */
#ifndef INGOT_AWS_BUCKET_H
#define INGOT_AWS_BUCKET_H

#include "base/cancel.h"
#include "base/err.h"

enum bucket_class { BUCKET_READ, BUCKET_CHANGE, BUCKET_RUN, BUCKET_CLASSES };

struct buckets;
struct buckets *buckets_new(void);
void buckets_free(struct buckets *b);

/* Which of an account's limits an action counts against. */
enum bucket_class bucket_class_of(const char *action);
/* Waits for a token. Errors: ERR_CANCELLED; ERR_TIMEOUT at the deadline (clock_ms; 0: none). */
int bucket_take(struct buckets *b, const char *where, enum bucket_class class, bool limited,
		struct cancel *cancel, int64_t deadline_ms, struct err *err) MUST_USE;
/* An answer said so, or a call was served: slower, and slowly faster again. */
void bucket_throttled(struct buckets *b, const char *where, enum bucket_class class);
void bucket_served(struct buckets *b, const char *where, enum bucket_class class);

#endif
