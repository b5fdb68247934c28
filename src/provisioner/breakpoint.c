/* The breakpoint provisioner: waits for Enter on the terminal, and fails where there is none. */
#include "engine/build.h"

struct breakpoint_config {
	char *note;
	bool disable;
};

static const struct spec_row rows[] = {
	SPEC_BOOL(struct breakpoint_config, disable, .doc = "Continue without pausing."),
	SPEC_STR(struct breakpoint_config, note, .doc = "Text to show when the build pauses."),
};
static const struct spec spec = SPEC("breakpoint", struct breakpoint_config, rows,
				     .doc = "Pauses the build until Enter is pressed, so that you "
					    "can inspect the machine.");

static int run(struct build *b, void *config, struct communicator *comm UNUSED, struct err *err)
{
	const struct breakpoint_config *c = config;
	auto_free char *note =
		c->note ? xasprintf(" with note \"%s\"", c->note) : xstrdup("");
	auto_free char *answer = NULL;

	if (c->disable) {
		build_say(b, "Breakpoint%s is disabled: not pausing", note);
		return 0;
	}
	build_say(b, "Breakpoint%s reached.", note);
	if (build_ask(b, "Press enter to continue.", &answer, err) == 0)
		return 0;
	return err->code == ERR_CANCELLED ? -1 : err_prefix(err, "the breakpoint cannot ask");
}

extern const struct provisioner provisioner_breakpoint;
const struct provisioner provisioner_breakpoint = {
	.type = "breakpoint",
	.spec = &spec,
	.run = run,
};
