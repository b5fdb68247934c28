/* One API call, and what its handlers are made of.
 *
 * A family of actions is one file with one table; the table says which parameters an action takes,
 * so that the dispatcher can refuse unknown and missing ones as EC2 does. A handler runs with the
 * cloud's lock held, reads the parameters, changes the model and fills `out`; it returns 0, or -1
 * after call_fail().
 */
#ifndef INGOT_CLOUD_API_API_H
#define INGOT_CLOUD_API_API_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "cloud/api/doc.h"
#include "cloud/api/query.h"
#include "cloud/cloud.h"
#include "cloud/model/ids.h"
#include "cloud/model/model.h"

#include <jansson.h>

struct call;

enum action_flag {
	ACTION_LATE_DRY_RUN = 1, /* the handler itself calls call_dry_run() after its checks */
	ACTION_UNLOCKED = 2,	 /* runs without the lock: it takes it for what needs it */
};

struct action {
	const char *name;
	int (*run)(struct call *c);
	/* Known top-level parameters; '!' follows one that is required, '.!' one that is a list or
	 * structure of which some member is. NULL: all. */
	const char *params;
	unsigned flags;
};

struct service {
	const char *name; /* in the credential scope */
	const char *version, *xmlns;
	const struct action *const *families; /* each ends with an empty row; the list with NULL */
	bool json; /* JSON 1.1 protocol; else Query */
	bool results; /* <ActionResult> wrapper and `member` lists (IAM, STS) */
};

struct call {
	struct cloud *cloud;
	struct arena *arena;
	const struct service *service;
	const struct action *action;
	struct query query;
	json_t *body; /* JSON protocol */
	const char *region, *access_key, *principal; /* ARN */
	char request_id[37];
	uint64_t serial;
	struct buf *text; /* the reply's body */
	json_t *out;	  /* the answer's members; until it is written, which the lock covers too */
	/* Ids made by this call, for the log and for faults that hide them. */
	json_t *created;
	/* The error answer */
	int status;
	const char *code, *message;
};

/* Makes the error answer; the HTTP status follows from the code. Always -1. */
int call_fail(struct call *c, const char *code, const char *fmt, ...) PRINTF_LIKE(3, 4);
int call_missing(struct call *c, const char *name);
/* 0, or the DryRunOperation answer when the call is only a rehearsal. */
int call_dry_run(struct call *c);

/* Parameters with their checks: -1 is an error answer. Absent: the default stands. */
int call_int(struct call *c, const char *name, int64_t min, int64_t max, int64_t *io_value);
int call_bool(struct call *c, const char *name, bool *io_value);
/* One of a list separated by '|'. */
int call_enum(struct call *c, const char *name, const char *allowed, const char **io_value);
/* Values of NAME.1, NAME.2 …, as strings of the arena. */
const char **call_list(struct call *c, size_t *ret_n, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Is the value in the list NAME.N, or is there no such list? */
bool call_lists(struct call *c, const char *name, const char *value);
#define call_val(c, ...) query_val(&(c)->query, __VA_ARGS__)
#define call_get(c, ...) query_get(&(c)->query, __VA_ARGS__)
#define call_any(c, ...) query_any(&(c)->query, __VA_ARGS__)

/* `<return>true</return>` */
void call_return_true(struct call *c);
/* Puts a new row into the call's region. */
struct row *call_put(struct call *c, enum kind kind, const char *id, json_t *doc);
#define call_save(c, row) model_save((c)->cloud->model, (row))

/* The row of an id that this call's region has and may see; else the NotFound or Malformed answer
 * of the kind, and NULL. */
struct row *call_find(struct call *c, enum kind kind, const char *id);
/* The same without an answer. */
struct row *call_lookup(struct call *c, enum kind kind, const char *id);
/* Is the row there for this call (region, faults that hide it)? */
bool call_sees(struct call *c, struct row *r);
/* Through all rows of a kind that the call sees: for (i = 0; (r = call_next(c, kind, &i));) */
struct row *call_next(struct call *c, enum kind kind, size_t *i);

/* The id's family: prefix, error codes. */
struct kind_info {
	const char *prefix; /* "ami"; NULL: ids of any form */
	const char *resource; /* "image": the name in tags and TagSpecification */
	const char *not_found, *malformed;
	const char *text; /* "The image id '[%s]' does not exist" */
};
const struct kind_info *kind_info(enum kind kind); /* NULL if it has no EC2 id */
bool kind_of_id(const char *id, enum kind *ret); /* by prefix */

/* Filters: rows name -> path in the document. Lists end with an empty row. */
struct filter_row {
	const char *name, *path;
};
/* A Describe action: ids, filters, pages. */
struct listing {
	enum kind kind;
	const char *id_param; /* "InstanceId", or NULL */
	const char *set;      /* "instancesSet" */
	const struct filter_row *filters;
	int64_t page_min, page_max; /* of MaxResults; 0: 5 and 1000 */
	bool (*visible)(struct call *c, struct row *r, bool by_id); /* may be NULL */
	/* What is printed of a row; NULL: its document. New reference. */
	json_t *(*render)(struct call *c, struct row *r);
};
int call_describe(struct call *c, const struct listing *l);
/* The filtering and paging alone: rows in the arena. */
int call_select(struct call *c, const struct listing *l, struct row ***ret, size_t *ret_n);
/* Does the document pass the call's filters? 1 yes, 0 no, -1 error answer (unknown filter). */
int call_filter(struct call *c, const struct filter_row *rows, const json_t *doc);
/* EC2's wildcards: * any run, ? one character, \ takes the next as it is. */
bool wildcard_match(const char *pattern, const char *text);
/* Paging: what of n things to answer. Sets nextToken. */
int call_page(struct call *c, int64_t min, int64_t max, size_t n, size_t *ret_from, size_t *ret_to);
/* A page of a list that is no rows, as the answer's `set`; max: of MaxResults. */
int call_answer_page(struct call *c, const json_t *all, const char *set, int64_t max);

/* Tags of TagSpecification.N whose ResourceType is `resource`: a tagSet, new reference; NULL on
 * error. allowed: resource types that this action takes, separated by '|'. */
json_t *call_tags(struct call *c, const char *resource, const char *allowed);
int tags_merge(struct call *c, json_t *tag_set, const char *prefix); /* PREFIX.1.Key … */

#endif
