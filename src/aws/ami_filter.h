/* Filters as templates write them, and the search for one image by them. */
#ifndef INGOT_AWS_AMI_FILTER_H
#define INGOT_AWS_AMI_FILTER_H

#include "aws/ec2.h"

/* Adds each pair as a filter; a value is a comma list whose fields may stand in double quotes. */
void aws_filters_add(struct aws_params *p, const struct str_map *filters);
/* "name=x*, state=available" for messages. */
const char *aws_filters_text(struct arena *a, const struct str_map *filters);

struct aws_ami_filter {
	struct str_map filters;
	struct strs owners;
	bool most_recent;
	bool include_deprecated;
};
extern const struct spec aws_ami_filter_spec;

/* The image that id (NULL or "": any) and filter (may be NULL) name. Errors: ERR_NOT_FOUND;
 * ERR_INVALID where several match and the newest is not asked for; those of aws_call. */
int aws_ami_find(const struct aws_client *c, const char *id, const struct aws_ami_filter *f,
		 struct ec2_image *ret, struct err *err) MUST_USE;

#endif
