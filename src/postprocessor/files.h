/* Artifacts that are files: what artifice, checksum and compress make. */
#ifndef INGOT_POSTPROCESSOR_FILES_H
#define INGOT_POSTPROCESSOR_FILES_H

#include "base/buf.h"
#include "engine/build.h"

/* An artifact without an id whose text is `lead` and the list of its files; destroying it removes
 * them. */
struct artifact *files_artifact(const char *builder_id, const char *lead, char *const *files);
/* "a, b" */
void files_join(struct buf *out, char *const *files);

#endif
