/* Instance types: what the local cloud knows of them. */
#ifndef INGOT_CLOUD_ACTIONS_TYPES_H
#define INGOT_CLOUD_ACTIONS_TYPES_H

#include "base/base.h"
#include "cloud/cloud.h"

struct instance_type {
	char name[32];
	unsigned vcpus;
	uint64_t memory_mib;
	bool arm, nitro, burstable, current;
};

/* False if there is no such type. */
bool instance_type_find(const char *name, struct instance_type *ret);
/* Bytes that an instance of it really gets: a type's figure is no reason to refuse a rehearsal. */
uint64_t instance_type_memory(const struct instance_type *t, const struct cloud *c);

#endif
