/* version: under the name packer exactly what scripts parse, under its own name both versions. */
#include "command/version.h"

#include "command/command.h"
#include "command/ui.h"

int version_print(bool as_packer, bool machine_readable)
{
	const struct invocation in = { .machine_readable = machine_readable };

	ui_machine(&in, NULL, "version", VERSION_PACKER, NULL);
	ui_machine(&in, NULL, "version-prelease", "", NULL);
	ui_machine(&in, NULL, "version-commit", "", NULL);
	if (as_packer)
		ui_say(&in, "Packer v%s", VERSION_PACKER);
	else
		ui_say(&in, "ingot %s (stands in for Packer %s)", INGOT_VERSION, VERSION_PACKER);
	return 0;
}

static int version_run(const struct invocation *in)
{
	return version_print(in->as_packer, in->machine_readable);
}

const struct command command_version = {
	.name = "version",
	.summary = "Print the version",
	.description = "Prints the version of ingot and the version of Packer it stands in for; "
		       "when called as packer, only the latter. It does not check for newer "
		       "versions.",
	.raw = true,
	.packer = true,
	.run = version_run,
};
