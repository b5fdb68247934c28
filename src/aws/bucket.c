/* Token buckets by reservation: whoever takes a token that is not there yet is told how long to
 * sleep for it, so callers are served in the order they came, without a queue. Rates: EC2's
 * documented request limits for an account and region (describes 50 + 10/s with filters, changes 50
 * + 5/s, RunInstances 5 + 2/s).
 */
#include "aws/bucket.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/vec.h"

#include <pthread.h>
#include <stdio.h>

static const struct {
	double burst, rate; /* tokens, tokens a second */
} limits[BUCKET_CLASSES] = {
	[BUCKET_READ] = { 50, 10 },
	[BUCKET_CHANGE] = { 50, 5 },
	[BUCKET_RUN] = { 5, 2 },
};

#define RATE_FREE 1e6 /* a second: no limit */
#define RATE_LEAST 0.5

struct bucket {
	double tokens, rate, rate_max, burst;
	int64_t at_ms;
};

struct buckets {
	pthread_mutex_t lock;
	struct map by_name;
};

struct buckets *buckets_new(void)
{
	struct buckets *b = xcalloc(1, sizeof(*b));

	pthread_mutex_init(&b->lock, NULL);
	return b;
}

void buckets_free(struct buckets *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < map_len(&b->by_name); i++)
		free(map_at(&b->by_name, i));
	map_release(&b->by_name);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

enum bucket_class bucket_class_of(const char *action)
{
	if (starts_with(action, "Describe") || starts_with(action, "Get") ||
	    starts_with(action, "List"))
		return BUCKET_READ;
	if (streq(action, "RunInstances") || streq(action, "CreateFleet"))
		return BUCKET_RUN;
	return BUCKET_CHANGE;
}

static struct bucket *find(struct buckets *b, const char *where, enum bucket_class class)
{
	auto_free char *name = xasprintf("%d %s", class, where);

	return map_gets(&b->by_name, name);
}

static struct bucket *find_or_make(struct buckets *b, const char *where, enum bucket_class class,
				   bool limited)
{
	struct bucket *k = find(b, where, class);

	if (!k) {
		auto_free char *name = xasprintf("%d %s", class, where);

		k = xcalloc(1, sizeof(*k));
		k->burst = k->tokens = limits[class].burst;
		k->rate = k->rate_max = limited ? limits[class].rate : RATE_FREE;
		k->at_ms = clock_ms();
		map_sets(&b->by_name, name, k);
	}
	return k;
}

static void refill(struct bucket *k)
{
	int64_t now = clock_ms();

	k->tokens = MIN(k->burst, k->tokens + k->rate * (double)(now - k->at_ms) / 1000);
	k->at_ms = now;
}

int bucket_take(struct buckets *b, const char *where, enum bucket_class class, bool limited,
		struct cancel *cancel, int64_t deadline_ms, struct err *err)
{
	struct bucket *k;
	double short_of;
	int64_t until = 0;

	pthread_mutex_lock(&b->lock);
	k = find_or_make(b, where, class, limited);
	refill(k);
	short_of = 1 - k->tokens;
	if (short_of > 0)
		until = clock_ms() + (int64_t)(1000 * short_of / k->rate);
	if (!deadline_ms || until <= deadline_ms)
		k->tokens -= 1;
	pthread_mutex_unlock(&b->lock);
	if (until == 0)
		return 0;
	if (deadline_ms && until > deadline_ms)
		return err_set(err, ERR_TIMEOUT,
			       "the account's request limit leaves no room before the deadline");
	if (clock_sleep_until(until, cancel) < 0)
		return err_set(err, ERR_CANCELLED, "cancelled");
	return 0;
}

void bucket_throttled(struct buckets *b, const char *where, enum bucket_class class)
{
	struct bucket *k;

	pthread_mutex_lock(&b->lock);
	k = find(b, where, class);
	if (k) {
		refill(k);
		k->rate = MAX(RATE_LEAST, MIN(k->rate, limits[class].rate) / 2);
		k->tokens = 0; /* what was granted before stays granted */
	}
	pthread_mutex_unlock(&b->lock);
}

void bucket_served(struct buckets *b, const char *where, enum bucket_class class)
{
	struct bucket *k;

	pthread_mutex_lock(&b->lock);
	k = find(b, where, class);
	if (k && k->rate < k->rate_max) {
		refill(k);
		k->rate *= 1.1;
		if (k->rate >= limits[class].rate)
			k->rate = k->rate_max;
	}
	pthread_mutex_unlock(&b->lock);
}
