/* sweep: removes what runs that did not end well have left in the account. */
#include "command/command.h"
#include "command/interrupt.h"
#include "command/ui.h"
#include "command/undo_tables.h"

#include "aws/undo.h"
#include "cloud/local.h"
#include "engine/sweep.h"

#include <unistd.h>

struct sweeping {
	const struct invocation *in;
	struct cancel *cancel;
	struct local_cloud *cloud; /* of the last run that was a rehearsal */
};

static void tell(void *data, bool problem, const char *text)
{
	struct sweeping *s = data;

	if (problem)
		ui_error(s->in, "%s", text);
	else
		ui_say(s->in, "%s", text);
}

static void progress(void *data, const char *text)
{
	struct sweeping *s = data;

	ui_say(s->in, "%s", text);
}

static int reach_local(void *data, const char *data_dir, char **ret_endpoint, struct err *err)
{
	struct sweeping *s = data;
	struct local_cloud_options options = {
		.data_dir = data_dir, .on_progress = progress, .data = s, .cancel = s->cancel
	};

	local_cloud_detach(steal(s->cloud));
	if (local_cloud_attach(&options, &s->cloud, err) < 0)
		return -1;
	*ret_endpoint = xstrdup(local_cloud_endpoint(s->cloud));
	aws_undo_use_local(*ret_endpoint, local_cloud_access_key(s->cloud),
			   local_cloud_secret_key(s->cloud));
	return 0;
}

static void interrupted(void *data, const char *signal)
{
	struct sweeping *s = data;

	ui_error(s->in, "Stopping after receiving %s; what remains is still in the journal",
		 signal);
	cancel_set(s->cancel);
}

static void stop_at_once(void *data)
{
	(void)data;
	_exit(1);
}

static int report(const struct invocation *in, const struct sweep *s)
{
	if (s->dry_run)
		ui_say(in, s->removed ? "%zu resource(s) would be removed." : "Nothing to remove.",
		       s->removed);
	else if (s->removed || !s->left)
		ui_say(in, s->removed ? "%zu resource(s) removed." : "Nothing to remove.",
		       s->removed);
	if (s->left)
		ui_error(in,
			 "%zu resource(s) could not be removed; fix the cause and run sweep again.",
			 s->left);
	return s->left ? 1 : 0;
}

static int run(const struct invocation *in)
{
	AUTO(err) struct err err = ERR_INIT;
	AUTO(cancel) struct cancel *cancel = cancel_new(NULL);
	struct sweeping sweeping = { .in = in, .cancel = cancel };
	struct sweep s = { .run_id = flags_string(in->flags, "run"),
			   .dry_run = flags_bool(in->flags, "dry-run"),
			   .tables = undo_tables,
			   .ntables = undo_tables_n,
			   .cancel = cancel,
			   .local = reach_local,
			   .tell = tell,
			   .data = &sweeping };
	struct interrupt *interrupt = interrupt_watch(interrupted, stop_at_once, &sweeping);
	int rc = sweep_runs(&s, &err);

	interrupt_end(interrupt);
	local_cloud_detach(sweeping.cloud);
	if (rc < 0) {
		ui_error(in, "%s", err.msg);
		return 1;
	}
	return report(in, &s);
}

static const struct flag flags[] = {
	{ "dry-run", FLAG_BOOL, .doc = "Only show what would be removed." },
	{ "run", FLAG_STRING, "id",
	  .doc = "Remove only what this run left behind. Its id is in the last lines of its "
		 "output and in the tag ingot:run." },
};

const struct command command_sweep = {
	.name = "sweep",
	.arguments = "[options]",
	.summary = "Remove what interrupted builds left behind",
	.description = "Reads the journals of runs that are no longer alive and removes what "
		       "they left behind: instances, volumes, security groups, key pairs, "
		       "unfinished images. Images of successful builds are never touched. Exits "
		       "with status 1 if something could not be removed.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.run = run,
};
