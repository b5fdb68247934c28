/* cloud faults: loads a fault plan. */
#include "command/cloud_common.h"
#include "command/ui.h"

static int run(const struct invocation *in)
{
	json_error_t why;
	json_t *plan = json_load_file(in->args[0], 0, &why), *a;
	int code = 0;

	if (!plan) {
		ui_error(in, "%s:%d:%d: %s", in->args[0], why.line, why.column, why.text);
		return 1;
	}
	a = cloud_ask(in, json_pack("{s:s, s:o}", "op", "faults", "plan", plan), &code);
	json_decref(a);
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
