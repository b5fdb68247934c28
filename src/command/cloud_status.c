/* cloud status: what runs and what it costs. */
#include "command/cloud_common.h"
#include "command/ui.h"

#include "base/buf.h"
#include "base/clock.h"
#include "cloud/local.h"

/* EC2 shows ended instances for a while; for people they are gone. */
static bool is_gone(const json_t *e)
{
	const char *state = cloud_text(e, "state");

	return streq(state, "terminated") || streq(state, "deleting");
}

static void print_list(struct buf *out, const json_t *status, const char *name,
		       const char *const *members, size_t n)
{
	const json_t *list = json_object_get(status, name);
	size_t i, there = 0;
	json_t *e;

	json_array_foreach((json_t *)list, i, e)
		there += !is_gone(e);
	buf_printf(out, "%s: %zu\n", name, there);
	json_array_foreach((json_t *)list, i, e) {
		if (is_gone(e))
			continue;
		buf_adds(out, " ");
		for (size_t k = 0; k < n; k++)
			buf_printf(out, " %s", cloud_text(e, members[k]));
		buf_addc(out, '\n');
	}
}

static void print(const json_t *s)
{
	static const char *const instance[] = { "id", "state", "region",
						"type", "image", "public_ip" };
	static const char *const disk[] = { "id", "state", "region" };
	static const char *const image[] = { "id", "state", "region", "name" };
	AUTO(buf) struct buf out = BUF_INIT;

	buf_printf(&out, "The local cloud is up at %s.\nbackend: %s, pid %lld, up for ",
		   cloud_text(s, "endpoint"), cloud_text(s, "backend"),
		   (long long)json_integer_value(json_object_get(s, "pid")));
	clock_format_duration(&out, MAX(json_integer_value(json_object_get(s, "uptime_ms")) / 1000,
					1) * 1000000000);
	buf_printf(&out, "\ndata: %s, %lld MiB on disk; %lld requests served\n",
		   cloud_text(s, "data"),
		   (long long)json_integer_value(json_object_get(s, "disk_bytes")) >> 20,
		   (long long)json_integer_value(json_object_get(s, "requests")));
	print_list(&out, s, "instances", instance, ARRAY_LEN(instance));
	print_list(&out, s, "images", image, ARRAY_LEN(image));
	print_list(&out, s, "volumes", disk, ARRAY_LEN(disk));
	print_list(&out, s, "snapshots", disk, ARRAY_LEN(disk));
	if (json_object_get(s, "trouble"))
		buf_printf(&out, "cannot write the state: %s\n", cloud_text(s, "trouble"));
	ui_write(buf_str(&out));
}

static int run(const struct invocation *in)
{
	auto_free char *dir = cloud_data_dir(in->flags), *line = NULL;
	AUTO(err) struct err err = ERR_INIT;
	json_t *request = json_pack("{s:s}", "op", "status"), *s = NULL;
	int result = local_cloud_control(dir, request, NULL, NULL, &s, &err);

	json_decref(request);
	if (result < 0 && err.code == ERR_NOT_FOUND) {
		if (flags_bool(in->flags, "json"))
			ui_write(STR("{\"up\":false}\n"));
		else
			ui_say(in, "The local cloud is down (%s).", dir);
		return CLOUD_NOT_RUNNING;
	}
	if (result < 0) {
		ui_error(in, "%s", err.msg);
		return 1;
	}
	if (flags_bool(in->flags, "json")) {
		json_object_set_new(s, "up", json_true());
		line = json_dumps(s, JSON_INDENT(2));
		ui_write(str_from(line));
		ui_write(STR("\n"));
	} else {
		print(s);
	}
	json_decref(s);
	return 0;
}

static const struct flag flags[] = {
	CLOUD_DATA_FLAG,
	{ "json", FLAG_BOOL, .doc = "Print one JSON object." },
};

const struct command command_cloud_status = {
	.name = "status",
	.parent = "cloud",
	.arguments = "[options]",
	.summary = "Show what the local cloud holds",
	.description = "Shows the instances, images, volumes and snapshots, and the disk space "
		       "they use. Exits with status 3 if the local cloud is down.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.run = run,
};
