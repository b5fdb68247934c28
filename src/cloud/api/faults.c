/* Fault plans: read strictly, so that a typo does not pass as "no fault". */
#include "cloud/api/faults.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"

#include <pthread.h>

struct rule {
	char *action; /* "*": any */
	int64_t call, count;
	struct fault fault;
};

struct faults {
	pthread_mutex_t lock;
	VEC(struct rule) rules;
	struct map calls; /* action -> number of calls so far, as a pointer's value */
	int64_t all;
};

/* The words of a plan. Those with a code are error answers. */
static const struct {
	const char *word;
	enum fault_kind kind;
	const char *code, *message;
} words[] = {
	{ "throttle", FAULT_ERROR, "RequestLimitExceeded", "Request limit exceeded." },
	{ "internal", FAULT_ERROR, "InternalError", "An internal error has occurred" },
	{ "unavailable", FAULT_ERROR, "Unavailable",
	  "The server is overloaded and cannot handle the request" },
	{ "denied", FAULT_ERROR, "UnauthorizedOperation",
	  "You are not authorized to perform this operation." },
	{ "no-capacity", FAULT_ERROR, "InsufficientInstanceCapacity",
	  "We currently do not have sufficient capacity in the Availability Zone you requested." },
	{ "error", FAULT_ERROR, NULL, "A fault of the plan" },
	{ "cut", FAULT_CUT, NULL, NULL },
	{ "cut-after", FAULT_CUT_AFTER, NULL, NULL },
	{ "late", FAULT_LATE, NULL, NULL },
	{ "not-found", FAULT_NOT_FOUND, NULL, NULL },
	{ "invisible", FAULT_INVISIBLE, NULL, NULL },
};

struct faults *faults_new(void)
{
	struct faults *f = xcalloc(1, sizeof(*f));

	pthread_mutex_init(&f->lock, NULL);
	return f;
}

static void rules_clear(struct faults *f)
{
	for (size_t i = 0; i < f->rules.n; i++)
		free(f->rules.v[i].action);
	vec_release(&f->rules);
	map_release(&f->calls);
	f->calls = (struct map)MAP_INIT;
	f->all = 0;
}

void faults_free(struct faults *f)
{
	if (!f)
		return;
	rules_clear(f);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

enum { CALL, COUNT, MS, READS, STATUS, NUMBERS };

static const struct {
	const char *key;
	int64_t absent, min, max;
} number_rows[NUMBERS] = {
	[CALL] = { "call", 1, 1, INT32_MAX },
	[COUNT] = { "count", 1, 0, INT32_MAX },
	[MS] = { "ms", 1000, 0, 24 * 3600 * 1000 },
	[READS] = { "reads", 3, 0, INT32_MAX },
	[STATUS] = { "status", 0, 100, 599 },
};

static int read_numbers(const json_t *j, size_t number, int64_t ret[NUMBERS], struct err *err)
{
	for (int i = 0; i < NUMBERS; i++) {
		const json_t *v = json_object_get(j, number_rows[i].key);

		ret[i] = v ? json_integer_value(v) : number_rows[i].absent;
		if (v && (!json_is_integer(v) || ret[i] < number_rows[i].min ||
			  ret[i] > number_rows[i].max))
			return err_set(err, ERR_INVALID,
				       "fault %zu: \"%s\" is a number from %lld to %lld", number,
				       number_rows[i].key, (long long)number_rows[i].min,
				       (long long)number_rows[i].max);
	}
	return 0;
}

static bool is_member(const char *key)
{
	static const char *const texts[] = { "action", "fault", "code", "message" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (streq(texts[i], key))
			return true;
	for (size_t i = 0; i < NUMBERS; i++)
		if (streq(number_rows[i].key, key))
			return true;
	return false;
}

static int unknown_word(size_t number, const char *word, struct err *err)
{
	AUTO(buf) struct buf known = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		buf_printf(&known, "%s%s", i ? ", " : "", words[i].word);
	return err_set(err, ERR_INVALID, "fault %zu: \"%s\" is none of %s", number, word,
		       buf_cstr(&known));
}

static int parse_rule(const json_t *j, size_t number, struct rule *r, struct err *err)
{
	const char *key, *word = json_string_value(json_object_get(j, "fault"));
	const char *action = json_string_value(json_object_get(j, "action"));
	const char *code = json_string_value(json_object_get(j, "code"));
	const char *message = json_string_value(json_object_get(j, "message"));
	int64_t numbers[NUMBERS];
	json_t *v;
	size_t w;

	json_object_foreach((json_t *)j, key, v) {
		if (!is_member(key))
			return err_set(err, ERR_INVALID, "fault %zu: unknown member \"%s\"",
				       number, key);
	}
	if (!action || !word)
		return err_set(err, ERR_INVALID, "fault %zu needs \"action\" and \"fault\"",
			       number);
	for (w = 0; w < ARRAY_LEN(words) && !streq(words[w].word, word); w++)
		;
	if (w == ARRAY_LEN(words))
		return unknown_word(number, word, err);
	if (words[w].kind == FAULT_ERROR && !words[w].code && !code)
		return err_set(err, ERR_INVALID, "fault %zu: \"error\" needs \"code\"", number);
	if (read_numbers(j, number, numbers, err) < 0)
		return -1;
	*r = (struct rule){ .action = xstrdup(action),
			    .fault = { .kind = words[w].kind } };
	if (!code)
		code = words[w].code ? words[w].code : "";
	if (!message)
		message = words[w].message ? words[w].message : "";
	snprintf(r->fault.code, sizeof(r->fault.code), "%s", code);
	snprintf(r->fault.message, sizeof(r->fault.message), "%s", message);
	r->call = numbers[CALL];
	r->count = numbers[COUNT];
	r->fault.ms = numbers[MS];
	r->fault.reads = (unsigned)numbers[READS];
	r->fault.status = (int)numbers[STATUS];
	return 0;
}

int faults_load(struct faults *f, const json_t *plan, struct err *err)
{
	const json_t *list = json_is_array(plan) ? plan : json_object_get(plan, "faults");
	VEC(struct rule) rules = VEC_INIT;
	size_t i;
	json_t *j;

	if (!json_is_object(plan) && !json_is_array(plan))
		return err_set(err, ERR_INVALID,
			       "a fault plan is an object with a list \"faults\"");
	if (json_is_object(plan) && json_object_size(plan) && !json_is_array(list))
		return err_set(err, ERR_INVALID, "the fault plan has no list \"faults\"");
	json_array_foreach((json_t *)list, i, j) {
		struct rule r;

		if (parse_rule(j, i + 1, &r, err) < 0) {
			for (size_t k = 0; k < rules.n; k++)
				free(rules.v[k].action);
			vec_release(&rules);
			return -1;
		}
		vec_push(&rules, r);
	}
	pthread_mutex_lock(&f->lock);
	rules_clear(f);
	for (i = 0; i < rules.n; i++)
		vec_push(&f->rules, rules.v[i]);
	pthread_mutex_unlock(&f->lock);
	vec_release(&rules);
	return 0;
}

void faults_next(struct faults *f, const char *action, struct fault *ret)
{
	int64_t n, all;

	*ret = (struct fault){ .kind = FAULT_NONE };
	pthread_mutex_lock(&f->lock);
	n = (int64_t)(intptr_t)map_gets(&f->calls, action) + 1;
	map_sets(&f->calls, action, (void *)(intptr_t)n);
	all = ++f->all;
	for (size_t i = 0; i < f->rules.n; i++) {
		const struct rule *r = &f->rules.v[i];
		int64_t at = streq(r->action, "*") ? all : n;

		if (!streq(r->action, "*") && !streq(r->action, action))
			continue;
		if (at < r->call || (r->count && at >= r->call + r->count))
			continue;
		*ret = r->fault;
		break;
	}
	pthread_mutex_unlock(&f->lock);
}
