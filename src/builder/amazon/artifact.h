/* What an amazon build hands on: its images by region. */
#ifndef INGOT_BUILDER_AMAZON_ARTIFACT_H
#define INGOT_BUILDER_AMAZON_ARTIFACT_H

#include "builder/amazon/state.h"

/* NULL when there is no image. destroy deregisters the images and deletes their snapshots. */
struct artifact *amazon_artifact(struct amazon *s, const char *builder_id);

#endif
