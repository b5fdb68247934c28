/* Temporary credentials of roles: by AssumeRole and for instance profiles. */
#ifndef INGOT_CLOUD_ACTIONS_CREDENTIALS_H
#define INGOT_CLOUD_ACTIONS_CREDENTIALS_H

#include "cloud/cloud.h"

/* Makes a key for the principal that is good for some seconds: its row, with "_secret", "_token",
 * "_expires" and "arn". Expired ones are forgotten. Lock held. */
struct row *credentials_make(struct cloud *c, const char *principal_arn, int64_t seconds);
/* Random text of the digits and letters of base 32, NUL-terminated. */
void random_text(char *out, size_t n);

#endif
