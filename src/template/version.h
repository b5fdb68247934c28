/* The Packer that ingot stands in for: packer_version and min_packer_version see it. */
#ifndef INGOT_TEMPLATE_VERSION_H
#define INGOT_TEMPLATE_VERSION_H

#include "base/str.h"

#define VERSION_PACKER "1.16.0"

/* Compares dotted versions ("1.16.0", "v1.7", "1.8.0-dev"): <0, 0, >0. False if one is none. */
bool version_compare(struct str a, struct str b, int *ret);

#endif
