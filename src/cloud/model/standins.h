/* Stand-ins for what a rehearsed template names and the cloud does not know. */
#ifndef INGOT_CLOUD_MODEL_STANDINS_H
#define INGOT_CLOUD_MODEL_STANDINS_H

#include "cloud/cloud.h"
#include "cloud/local.h"

/* Makes the stand-in unless the thing is there; one warning text is appended for each made. Lock
 * held. */
void standin_expect(struct cloud *c, enum local_id_kind kind, const char *region, const char *id,
		    const char *hint, json_t *warnings);

#endif
