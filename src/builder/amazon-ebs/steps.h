/* The steps that only amazon-ebs has. */
#ifndef INGOT_BUILDER_AMAZON_EBS_STEPS_H
#define INGOT_BUILDER_AMAZON_EBS_STEPS_H

#include "engine/build.h"

int ebs_create_image(struct build *b, void *state, struct err *err) MUST_USE;
void ebs_create_image_undo(struct build *b, void *state, bool failed);

#endif
