/* cloud down: stops the daemon, and cleans up after one that was killed. */
#include "command/cloud_common.h"
#include "command/ui.h"

#include "cloud/daemon.h"
#include "cloud/local.h"

#define DOWN_MS 120000

static int run(const struct invocation *in)
{
	auto_free char *dir = cloud_data_dir(in->flags);
	AUTO(err) struct err err = ERR_INIT;
	json_t *request = json_pack("{s:s}", "op", "down"), *answer = NULL;
	int result = local_cloud_control(dir, request, NULL, NULL, &answer, &err);

	json_decref(request);
	json_decref(answer);
	if (result < 0 && err.code != ERR_NOT_FOUND && err.code != ERR_LOST) {
		ui_error(in, "%s", err.msg);
		return 1;
	}
	if (!daemon_gone(dir, DOWN_MS)) {
		ui_error(in,
			 "The local cloud in %s does not stop; see cloud.log in that directory.",
			 dir);
		return 1;
	}
	daemon_clean(dir);
	ui_say(in, result < 0 ? "The local cloud is not running." : "The local cloud is down.");
	return 0;
}

static const struct flag flags[] = { CLOUD_DATA_FLAG };

const struct command command_cloud_down = {
	.name = "down",
	.parent = "cloud",
	.arguments = "[options]",
	.summary = "Stop the local cloud",
	.description = "Stops all instances and the daemon, and returns once nothing is running "
		       "or mounted any more. Images stay in the data directory. After a crash, "
		       "it removes what was left behind. Exits with status 0 if the local cloud "
		       "is already down.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.run = run,
};
