/* Regions and zones: which there are. */
#ifndef INGOT_CLOUD_ACTIONS_PLACES_H
#define INGOT_CLOUD_ACTIONS_PLACES_H

#include "base/base.h"

#include <jansson.h>

#define ZONES_PER_REGION 3 /* a, b, c */

bool region_known(const char *region);
/* "us-east-1b" of us-east-1: its index, or -1. */
int zone_index(const char *region, const char *zone);
void zone_name(const char *region, int index, char out[32]);
void zone_id(const char *region, int index, char out[32]); /* "use1-az1" */

#endif
