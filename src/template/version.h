/* The Packer that ingot stands in for: packer_version and min_packer_version see it. */
#ifndef INGOT_TEMPLATE_VERSION_H
#define INGOT_TEMPLATE_VERSION_H

#include "base/str.h"

#define VERSION_PACKER "1.16.0"

/* Compares dotted versions ("1.16.0", "v1.7", "1.8.0-dev"): <0, 0, >0. False if one is none. */
bool version_compare(struct str a, struct str b, int *ret);
/* Whether a version fits a list of constraints (">= 1.7.0, < 2.0.0", "~> 1.16", "1.16.0"). False if
 * it is no such list; ret_pre: it names a pre-release. */
bool version_satisfies(struct str version, struct str constraints, bool *ret, bool *ret_pre);

#endif
