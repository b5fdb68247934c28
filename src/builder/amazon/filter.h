/* Filters as templates write them, as parameters of a Describe call. */
#ifndef INGOT_BUILDER_AMAZON_FILTER_H
#define INGOT_BUILDER_AMAZON_FILTER_H

#include "aws/call.h"

/* Adds each pair as a filter; a value is a comma list whose fields may stand in double quotes. */
void amazon_params_filters(struct aws_params *p, const struct str_map *filters);
/* "name=x*, state=available" for messages. */
const char *amazon_filters_text(struct arena *a, const struct str_map *filters);

#endif
