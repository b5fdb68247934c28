/* build -local: the local cloud around a run. */
#ifndef INGOT_COMMAND_REHEARSAL_H
#define INGOT_COMMAND_REHEARSAL_H

#include "engine/build.h"

struct rehearsal;

/* Attaches to the local cloud, or starts one, and sets run->local (and the journal's note of it).
 * Says what it does. Errors: those of local_cloud_attach(). */
int rehearsal_start(struct run *run, struct rehearsal **ret, struct err *err) MUST_USE;
/* After the last build: says where the images stay; a cloud that was started for the run ends. NULL
 * is fine. */
void rehearsal_end(struct rehearsal *r);

#endif
