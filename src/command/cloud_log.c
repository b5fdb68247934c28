/* cloud log: the requests served. */
#include "command/cloud_common.h"
#include "command/ui.h"

#include "base/buf.h"

static void print_line(struct buf *out, const json_t *e)
{
	size_t i;
	json_t *id;

	buf_printf(out, "%6lld  %s  %-4s %-14s %-32s %3lld %s",
		   (long long)json_integer_value(json_object_get(e, "n")), cloud_text(e, "time"),
		   cloud_text(e, "service"), cloud_text(e, "region"), cloud_text(e, "action"),
		   (long long)json_integer_value(json_object_get(e, "status")),
		   json_object_get(e, "code") ? cloud_text(e, "code") : "");
	json_array_foreach(json_object_get(e, "created"), i, id)
		buf_printf(out, " +%s", json_string_value(id));
	if (json_object_get(e, "why"))
		buf_printf(out, " (%s)", cloud_text(e, "why"));
	buf_addc(out, '\n');
}

static int run(const struct invocation *in)
{
	AUTO(buf) struct buf out = BUF_INIT;
	int code = 0;
	json_t *a = cloud_ask(in,
			      json_pack("{s:s, s:I}", "op", "log", "since",
					(json_int_t)flags_int(in->flags, "since")),
			      &code),
	       *e;
	size_t i;

	if (!a)
		return code;
	json_array_foreach(json_object_get(a, "requests"), i, e) {
		if (flags_bool(in->flags, "json")) {
			auto_free char *line = json_dumps(e, JSON_COMPACT);

			buf_printf(&out, "%s\n", line);
		} else {
			print_line(&out, e);
		}
	}
	ui_write(buf_str(&out));
	json_decref(a);
	return 0;
}

static const struct flag flags[] = {
	CLOUD_DATA_FLAG,
	{ "json", FLAG_BOOL,
	  .doc = "Print one JSON object per line, with the request's parameters." },
	{ "since", FLAG_INT, "n", .def = "0", .doc = "Show only requests after this number." },
};

const struct command command_cloud_log = {
	.name = "log",
	.parent = "cloud",
	.arguments = "[options]",
	.summary = "Show the requests served by the local cloud",
	.description = "Shows the requests in order: number, time, service, region, action, "
		       "status, error code, and the ids of what they created. User data and key "
		       "material are left out.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.run = run,
};
