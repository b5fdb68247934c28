/* cloud import: takes a disk or root file system in as a base image. */
#include "command/cloud_common.h"
#include "command/ui.h"

#include "base/os.h"

#include <unistd.h>

static int run(const struct invocation *in)
{
	auto_free char *here = getcwd(NULL, 0),
		       *file = os_path_join(here ? here : ".", in->args[0]);
	const struct flags *f = in->flags;
	int code = 0;
	json_t *a;

	if (!flags_string(f, "name")) {
		ui_error(in, "The image needs a name: add -name NAME");
		return 1;
	}
	a = cloud_ask(in,
		      json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?}", "op", "import", "file", file,
				"name", flags_string(f, "name"), "user", flags_string(f, "user"),
				"description", flags_string(f, "description"), "root_device",
				flags_string(f, "root-device")),
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
	.max_args = 1,
	.flags_anywhere = true, /* `import FILE -name NAME` is how people write it */
	.run = run,
};
