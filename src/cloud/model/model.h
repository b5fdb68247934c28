/* What the cloud holds: rows of a kind, an id and a region, each with a JSON document whose members
 * bear the names of EC2's answers, so that describing a thing is printing its document. Members
 * that begin with "_" are the cloud's own and never leave it.
 *
 * All rows are in memory; every change is written through to one SQLite file in the data directory.
 * Not thread-safe: the caller holds the cloud's lock.
 */
#ifndef INGOT_CLOUD_MODEL_MODEL_H
#define INGOT_CLOUD_MODEL_MODEL_H

#include "base/base.h"
#include "base/err.h"

#include <jansson.h>

static inline void json_auto_(json_t **j)
{
	json_decref(*j);
}

enum kind {
	KIND_INSTANCE,
	KIND_IMAGE,
	KIND_SNAPSHOT,
	KIND_VOLUME,
	KIND_KEY_PAIR,
	KIND_GROUP,
	KIND_RULE,
	KIND_VPC,
	KIND_SUBNET,
	KIND_INTERFACE,
	KIND_GATEWAY,
	KIND_ROUTE_TABLE,
	KIND_LAUNCH_TEMPLATE,
	KIND_FLEET,
	KIND_KMS_KEY,
	KIND_PROFILE,  /* IAM, as all below: region "" */
	KIND_ROLE,
	KIND_ACCESS_KEY, /* ids are access keys */
	KIND_ACCOUNT,
	KIND_PARAMETER, /* SSM */
	KIND_TOKEN,	/* answers kept for client tokens */
	KIND_SETTING,
	KINDS
};

struct row {
	enum kind kind;
	char *id, *region; /* region "*": in all of them */
	json_t *doc;
	uint64_t serial; /* order of creation */
	/* Not stored: a fault hides the row from the next reads. */
	unsigned hidden_reads;
	uint64_t hidden_in; /* the call that does not see it */
};

struct model;

/* Opens DIR/state.sqlite, or makes it. A file of an older schema is copied beside and migrated;
 * ERR_UNSUPPORTED: of a newer one; ERR_INVALID: damaged, or emptied. */
int model_open(const char *dir, struct model **ret, struct err *err) MUST_USE;
void model_close(struct model *m);

/* Several changes become one transaction between these (nothing is read back: memory is the truth).
 */
void model_begin(struct model *m);
void model_commit(struct model *m);
/* The first write that failed, as text, or NULL: what the file lacks is written when there is room
 * again, at the end of a transaction or of the model. */
const char *model_trouble(const struct model *m);

/* Takes over the document. Replaces a row of the same kind and id. */
struct row *model_put(struct model *m, enum kind kind, const char *region, const char *id,
		      json_t *doc);
/* Writes a row whose document was changed in place. */
void model_save(struct model *m, struct row *r);
void model_remove(struct model *m, struct row *r);
/* Forgets all rows for which keep() is false. */
void model_reset(struct model *m, bool (*keep)(const struct row *r));

struct row *model_find(const struct model *m, enum kind kind, const char *id); /* NULL if absent */
size_t model_count(const struct model *m, enum kind kind);
/* Rows of a kind in order of creation; i < model_count. */
struct row *model_at(const struct model *m, enum kind kind, size_t i);
static inline bool row_in(const struct row *r, const char *region)
{
	return r->region[0] == '*' || __builtin_strcmp(r->region, region) == 0;
}

#endif
