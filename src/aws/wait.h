/* Waiting for a state. One waiter for each session, region and kind of resource serves all builds:
 * it asks for all pending ids in one Describe by filter (at most 200 values, all pages), tightly at
 * first, never rarer than every 5 s unless throttled, and more slowly for all on any throttle
 * answer.
 *
 * A wait ends with the wanted state (the object as last described is returned, so that nobody asks
 * again), with a state that cannot lead there any more (ERR_REMOTE: names state and reason), with
 * no progress for too long or at the limits of aws_polling (ERR_TIMEOUT), with the client's
 * deadline, or at once with cancel. A resource EC2 does not show yet is waited for 2 minutes
 * (eventual consistency), then ERR_NOT_FOUND.
 */
#ifndef INGOT_AWS_WAIT_H
#define INGOT_AWS_WAIT_H

#include "aws/ec2.h"

/* state: "running", "stopped", "terminated". An instance that is gone counts as terminated. ret may
 * be NULL. Running: an instance that terminates instead is an error with its state reason. */
int aws_wait_instance(const struct aws_client *c, const char *id, const char *state,
		      struct ec2_instance *ret, struct err *err) MUST_USE;
/* "available", and its snapshots are listed. */
int aws_wait_image(const struct aws_client *c, const char *id, struct ec2_image *ret,
		   struct err *err) MUST_USE;

/* Time without progress after which a wait gives up, when aws_polling does not say otherwise. */
#define AWS_WAIT_INSTANCE_MS (10 * 60 * 1000)
#define AWS_WAIT_IMAGE_MS (60 * 60 * 1000)

#endif
