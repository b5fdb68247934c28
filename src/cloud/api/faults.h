/* A fault plan: which call of which action goes wrong, and how.
 *
 *	{"faults": [
 *	  {"action": "RunInstances", "call": 1, "count": 2, "fault": "throttle"},
 *	  {"action": "CreateImage", "fault": "late", "ms": 3000}]}
 *
 * `call` counts the calls of that action ("*": of all) from 1 since the plan was loaded; `count` 0
 * means from there on. Thread-safe.
 */
#ifndef INGOT_CLOUD_API_FAULTS_H
#define INGOT_CLOUD_API_FAULTS_H

#include "base/base.h"
#include "base/err.h"

#include <jansson.h>

enum fault_kind {
	FAULT_NONE,
	FAULT_ERROR, /* an error answer: code, message, status; throttle and the like are such */
	FAULT_CUT,   /* the connection breaks off before the call is done */
	FAULT_CUT_AFTER, /* … after it was done: the answer is lost */
	FAULT_LATE,	 /* the answer comes `ms` later */
	FAULT_NOT_FOUND, /* the ids it names are not found, searches find nothing */
	FAULT_INVISIBLE, /* what it makes is not seen by the next `reads` calls that look for it */
};

struct fault {
	enum fault_kind kind;
	char code[64], message[200];
	int status; /* 0: as the code has it */
	int64_t ms;
	unsigned reads;
};

struct faults;

struct faults *faults_new(void);
void faults_free(struct faults *f);
/* Replaces the plan; calls are counted anew. An empty object ends all faults. */
int faults_load(struct faults *f, const json_t *plan, struct err *err) MUST_USE;
/* Counts the call; what is to happen to it. */
void faults_next(struct faults *f, const char *action, struct fault *ret);

#endif
