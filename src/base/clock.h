/* Time: monotonic milliseconds, interruptible sleep, and the ways time is written. */
#ifndef INGOT_BASE_CLOCK_H
#define INGOT_BASE_CLOCK_H

#include "base/base.h"
#include "base/buf.h"
#include "base/cancel.h"

#include <time.h>

#define CLOCK_NEVER INT64_MAX
#define CLOCK_NS_PER_MS INT64_C(1000000)

int64_t clock_ms(void);	     /* monotonic */
int64_t clock_ns(void);	     /* monotonic */
int64_t clock_unix(void);    /* seconds */
int64_t clock_unix_ms(void); /* milliseconds */

/* Sleeps until the monotonic deadline (ms) or cancel; 0 slept, -1 cancelled. c may be NULL. */
int clock_sleep_until(int64_t deadline_ms, const struct cancel *c);
int clock_sleep(int64_t ms, const struct cancel *c);
/* poll timeout for a deadline: ms left, clamped to int, -1 for CLOCK_NEVER, 0 when past. */
int clock_left(int64_t deadline_ms);

/* "1 minute 2 seconds", "13 milliseconds 62 microseconds": at most two units. */
void clock_format_duration(struct buf *out, int64_t ns);
/* Go's duration text: "1h15m30s", "300ms", "1.5h", sign allowed; "0" too. False on garbage. */
bool clock_parse_duration(struct str s, int64_t *ret_ns);
/* "1m30s" as Go prints it. */
void clock_print_duration(struct buf *out, int64_t ns);
/* "2006-01-02T15:04:05Z"; ms adds ".000". */
void clock_format_rfc3339(struct buf *out, int64_t unix_ms, bool with_ms);
/* RFC 3339 with Z or offset, optional fraction; false on garbage. */
bool clock_parse_rfc3339(struct str s, int64_t *ret_unix_ms);
/* HTTP date ("Mon, 02 Jan 2006 15:04:05 GMT"); false on garbage. */
bool clock_parse_http_date(struct str s, int64_t *ret_unix);

#endif
