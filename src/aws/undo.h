/* How sweep and builds take AWS resources away again: one row for each kind of the journal.
 *
 * Kinds: instance, image (with its snapshots), volume, key-pair, security-group, instance-profile,
 * role. A row's place gives region, endpoint, profile and role; keys come from the environment and
 * files as always, and must belong to the row's account. All undos are idempotent: a thing that is
 * gone is undone.
 */
#ifndef INGOT_AWS_UNDO_H
#define INGOT_AWS_UNDO_H

#include "aws/call.h"
#include "engine/journal.h"

extern const struct journal_undo aws_undo[];
extern const size_t aws_undo_n;

/* Keys of a local cloud that runs: rows of its endpoint are undone with them. Called by sweep
 * before the table is used, from one thread; strings are copied. Forgotten with NULL. */
void aws_undo_use_local(const char *endpoint, const char *access_key, const char *secret_key);

/* Name of the tag with the run's id that resources wear: INGOT_RUN_TAG or "ingot:run"; NULL where
 * the former is empty: none. */
const char *aws_run_tag(void);

/* For builds, which have a session: the same undo and find with their client. Errors:
 * ERR_UNSUPPORTED for a kind that is not in the table. */
int aws_undo_resource(const struct aws_client *c, const char *kind, const char *resource,
		      struct err *err) MUST_USE;
int aws_find_resource(const struct aws_client *c, const struct journal_row *row, const char *run_id,
		      const char **ret_resource, struct err *err) MUST_USE;

#endif
