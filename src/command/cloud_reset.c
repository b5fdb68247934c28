/* cloud reset: forgets everything but the base images. */
#include "command/cloud_common.h"

static int run(const struct invocation *in)
{
	int code = 0;

	json_decref(cloud_ask(in, json_pack("{s:s}", "op", "reset"), &code));
	return code;
}

static const struct flag flags[] = { CLOUD_DATA_FLAG };

const struct command command_cloud_reset = {
	.name = "reset",
	.parent = "cloud",
	.arguments = "[options]",
	.summary = "Remove everything but the base images",
	.description = "Terminates all instances and removes all volumes, snapshots, images, key "
		       "pairs, security groups, stand-ins, the fault plan and the request log. "
		       "The base images stay.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.run = run,
};
