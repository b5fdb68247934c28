/* Takes secrets out of text, in every encoding they can take: as they are, in JSON, shell quoting,
 * base64 at any alignment, URIs, and each line of a secret of several lines.
 *
 * One pass over the text, whatever the number of secrets. Not for sharing between threads without a
 * lock.
 */
#ifndef INGOT_ENGINE_REDACT_H
#define INGOT_ENGINE_REDACT_H

#include "base/buf.h"

#define REDACT_MARK "<sensitive>"
#define REDACT_MIN 3 /* shorter secrets are left alone: they would hit half of all words */

struct redact;

struct redact *redact_new(void);
void redact_free(struct redact *r); /* wipes */
DEFINE_AUTO_PTR(redact, struct redact *, redact_free);
void redact_add(struct redact *r, struct str secret);
bool redact_any(const struct redact *r); /* false: redact_text() would only copy */
/* Appends the text with each secret replaced by REDACT_MARK, one for each of its lines. */
void redact_text(const struct redact *r, struct str text, struct buf *out);

#endif
