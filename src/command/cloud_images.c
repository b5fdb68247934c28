/* cloud images: the base images, and those that were made. */
#include "command/cloud_common.h"
#include "command/ui.h"

#include "base/buf.h"

static void print(struct buf *out, const char *title, const json_t *list)
{
	size_t i;
	json_t *e;

	buf_printf(out, "%s:\n", title);
	json_array_foreach((json_t *)list, i, e) {
		const char *region = cloud_text(e, "region");

		buf_printf(out, "  %-21s  %-10s  %-9s  %s\n", cloud_text(e, "id"),
			   cloud_text(e, "user"), *region == '*' ? "(all)" : region,
			   cloud_text(e, "name"));
	}
}

static int run(const struct invocation *in)
{
	AUTO(buf) struct buf out = BUF_INIT;
	int code = 0;
	json_t *a = cloud_ask(in, json_pack("{s:s}", "op", "images"), &code);

	if (!a)
		return code;
	print(&out, "base images, stand-ins and imported (id, SSH user, region, name)",
	      json_object_get(a, "base"));
	if (json_array_size(json_object_get(a, "own")))
		print(&out, "made here", json_object_get(a, "own"));
	ui_write(buf_str(&out));
	json_decref(a);
	return 0;
}

static const struct flag flags[] = { CLOUD_DATA_FLAG };

const struct command command_cloud_images = {
	.name = "images",
	.parent = "cloud",
	.arguments = "[options]",
	.summary = "List the local cloud's images",
	.description = "Lists the base images, with the user to log in as, and the images that "
		       "builds have made.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.run = run,
};
