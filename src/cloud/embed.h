/* Files built into ingot as data: the guest program and what goes into the stand-ins. */
#ifndef INGOT_CLOUD_EMBED_H
#define INGOT_CLOUD_EMBED_H

#include "base/arena.h"
#include "base/str.h"

enum embed_file { EMBED_GUEST, EMBED_YUM, EMBED_YUM_PACKAGES };

struct str embed_data(enum embed_file f); /* lives for ever */
char *embed_text(struct arena *a, enum embed_file f); /* NUL-terminated copy */

#endif
