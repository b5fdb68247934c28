/* cloud env: shell lines that point any AWS client at the local cloud. */
#include "command/cloud_common.h"
#include "command/ui.h"

#include "base/buf.h"

static void add(struct buf *out, const char *name, const json_t *info, const char *member)
{
	buf_printf(out, "export %s=", name);
	buf_add_shell_word(out, str_from(json_string_value(json_object_get(info, member))));
	buf_addc(out, '\n');
}

static int run(const struct invocation *in)
{
	AUTO(buf) struct buf out = BUF_INIT;
	int code = 0;
	json_t *info = cloud_ask(in, json_pack("{s:s}", "op", "info"), &code);

	if (!info)
		return code;
	add(&out, "AWS_ENDPOINT_URL", info, "endpoint");
	add(&out, "AWS_ACCESS_KEY_ID", info, "access_key");
	add(&out, "AWS_SECRET_ACCESS_KEY", info, "secret_key");
	add(&out, "AWS_DEFAULT_REGION", info, "region");
	add(&out, "AWS_REGION", info, "region");
	/* A token or a profile of a real account would be sent along, or win. */
	buf_adds(&out, "unset AWS_SESSION_TOKEN AWS_PROFILE AWS_DEFAULT_PROFILE\n");
	ui_write(buf_str(&out));
	json_decref(info);
	return 0;
}

static const struct flag flags[] = { CLOUD_DATA_FLAG };

const struct command command_cloud_env = {
	.name = "env",
	.parent = "cloud",
	.arguments = "[options]",
	.summary = "Print environment variables for other AWS clients",
	.description = "Prints shell commands that set the endpoint, the keys and the region: "
		       "eval \"$(ingot cloud env)\" points any AWS client in that shell at the "
		       "local cloud. Clients that do not know AWS_ENDPOINT_URL need "
		       "--endpoint-url.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.run = run,
};
