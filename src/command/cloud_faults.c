/* cloud faults: loads a fault plan. */
#include "command/cloud_common.h"
#include "command/ui.h"

static int run(const struct invocation *in)
{
	AUTO(err) struct err err = ERR_INIT;
	json_t *plan;
	int code = 0;

	if (cloud_read_faults(in->args[0], &plan, &err) < 0) {
		ui_error(in, "%s", err.msg);
		return 1;
	}
	json_decref(cloud_ask(in, json_pack("{s:s, s:o}", "op", "faults", "plan", plan), &code));
	return code;
}

static const struct flag flags[] = { CLOUD_DATA_FLAG };

const struct command command_cloud_faults = {
	.name = "faults",
	.parent = "cloud",
	.arguments = "FILE",
	.summary = "Load a fault plan",
	.description = "FILE is JSON, for example {\"faults\": [{\"action\": \"RunInstances\", "
		       "\"call\": 1, \"count\": 2, \"fault\": \"throttle\"}]}. The kinds of "
		       "fault are throttle, internal, unavailable, denied, no-capacity, error "
		       "(with code, message, status), cut, cut-after, late (ms), not-found and "
		       "invisible (reads). Calls are counted from the moment the plan is loaded; "
		       "{} removes all faults.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
