/* cloud import: takes a disk or root file system in as a base image. */
#include "command/cloud_common.h"
#include "command/flags.h"
#include "command/ui.h"

#include "base/os.h"

#include <unistd.h>

static int run(const struct invocation *in)
{
	AUTO(flags) struct flags *later = NULL;
	AUTO(err) struct err err = ERR_INIT;
	struct invocation all = *in;
	auto_free char *here = getcwd(NULL, 0),
		       *file = os_path_join(here ? here : ".", in->args[0]);
	char *const *rest = in->args + 1;
	int code = 0;
	json_t *a;

	/* `import FILE -name x` is how people write it: flags may stand after the file too. */
	if (in->nargs > 1 && !flags_given(in->flags, "name")) {
		if (flags_parse(in->command, rest, &later, &rest, &err) < 0) {
			ui_error(in, "%s", err.msg);
			return 1;
		}
		all.flags = later;
	}
	if (*rest) {
		ui_error(in, "Unexpected argument %s: `cloud import` takes one file", *rest);
		return 1;
	}
	if (!flags_string(all.flags, "name")) {
		ui_error(in, "The image needs a name: add -name NAME");
		return 1;
	}
	a = cloud_ask(&all,
		      json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?}", "op", "import", "file", file,
				"name", flags_string(all.flags, "name"), "user",
				flags_string(all.flags, "user"), "description",
				flags_string(all.flags, "description"), "root_device",
				flags_string(all.flags, "root-device")),
		      &code);
	if (!a)
		return code;
	ui_say(in, "%s", json_string_value(json_object_get(a, "image")));
	json_decref(a);
	return 0;
}

static const struct flag flags[] = {
	CLOUD_DATA_FLAG,
	{ "name", FLAG_STRING, "name", .doc = "Name of the image. Required." },
	{ "user", FLAG_STRING, "user",
	  .doc = "User to log in as over SSH; `cloud images` shows it." },
	{ "description", FLAG_STRING, "text", .doc = "Description of the image." },
	{ "root-device", FLAG_STRING, "device", .def = "/dev/xvda",
	  .doc = "Name of the root device." },
};

const struct command command_cloud_import = {
	.name = "import",
	.parent = "cloud",
	.arguments = "FILE -name NAME [options]",
	.summary = "Import a disk image as a base image",
	.description = "FILE is a raw or qcow2 disk image, or a tar archive of a root file "
		       "system. The local cloud must be running. Prints the id of the new image.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
