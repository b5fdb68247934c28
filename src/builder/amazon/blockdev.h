/* Block device mappings of the amazon builders, as templates write them. */
#ifndef INGOT_BUILDER_AMAZON_BLOCKDEV_H
#define INGOT_BUILDER_AMAZON_BLOCKDEV_H

#include "engine/component.h"
#include "spec/spec.h"

struct amazon_block_device {
	bool delete_on_termination;
	char *device_name;
	enum tribool encrypted;
	int64_t iops; /* 0: not given */
	bool no_device;
	char *snapshot_id;
	int64_t throughput; /* MiB/s; 0: not given */
	char *virtual_name;
	char *volume_type;
	int64_t volume_size; /* GiB; 0: the snapshot's own */
	char *kms_key_id;
};

extern const struct spec amazon_block_device_spec;

/* Checks a list of struct amazon_block_device that stands under `option`. */
void amazon_block_devices_prepare(struct prepare *p, const char *option,
				  const struct spec_blocks *list);

#endif
