/* cloud: the group of commands around the local cloud, and what they share. */
#include "command/cloud_common.h"
#include "command/ui.h"

#include "base/os.h"
#include "base/str.h"
#include "cloud/local.h"

#include <stdlib.h>
#include <unistd.h>

char *cloud_data_dir(const struct flags *flags)
{
	const char *given = flags_string(flags, "data");
	auto_free char *dir = given ? xstrdup(given) : local_cloud_default_dir(), *here = NULL;

	if (dir[0] == '/')
		return steal(dir);
	/* The daemon works elsewhere: a relative path is meant from here. */
	here = getcwd(NULL, 0);
	return os_path_join(here ? here : ".", dir);
}

static void on_progress(void *data, const char *text)
{
	const struct invocation *in = data;

	ui_say(in, "%s", text);
}

json_t *cloud_ask(const struct invocation *in, json_t *request, int *ret_code)
{
	auto_free char *dir = cloud_data_dir(in->flags);
	AUTO(err) struct err err = ERR_INIT;
	json_t *answer = NULL;

	if (local_cloud_control(dir, request, on_progress, (void *)in, &answer, &err) < 0) {
		ui_error(in, "%s", err.msg);
		*ret_code = 1;
	}
	json_decref(request);
	return answer;
}

const char *cloud_text(const json_t *answer, const char *member)
{
	const char *s = json_string_value(json_object_get(answer, member));

	return s ? s : "-";
}

int cloud_read_faults(const char *path, json_t **ret, struct err *err)
{
	json_error_t why;
	json_t *plan = json_load_file(path, 0, &why);

	if (!plan)
		return err_set(err, ERR_INVALID, "%s:%d:%d: %s", path, why.line, why.column,
			       why.text);
	*ret = plan;
	return 0;
}

const struct command command_cloud = {
	.name = "cloud",
	.arguments = "<command>",
	.summary = "Run and inspect the local cloud",
	.description = "The local cloud is an EC2-compatible cloud on this machine. `ingot build "
		       "-local` rehearses builds on it; `ingot cloud env` points any other AWS "
		       "client at it.",
	.max_args = -1,
};
