/* IAM instance profiles as instances name them. */
#ifndef INGOT_CLOUD_ACTIONS_PROFILE_H
#define INGOT_CLOUD_ACTIONS_PROFILE_H

#include "cloud/api/api.h"

/* The profile of IamInstanceProfile.Name or .Arn; NULL after an error answer. */
struct row *profile_named(struct call *c);
/* {arn, id}: the member iamInstanceProfile of an instance. New reference. */
json_t *profile_reference(const struct row *profile);

#endif
