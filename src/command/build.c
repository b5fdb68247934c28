/* build: reads the template, runs its builds, tells how they ended. */
#include "command/command.h"
#include "command/components.h"
#include "command/interrupt.h"
#include "command/rehearsal.h"
#include "command/template_flags.h"
#include "command/ui.h"

#include "engine/journal.h"
#include "engine/readers.h"
#include "engine/scheduler.h"

#include "base/cancel.h"
#include "base/log.h"
#include "base/os.h"
#include "base/proc.h"

#include <signal.h>
#include <unistd.h>

/* Everything a build command owns; released in reverse by finish(). */
struct session {
	const struct invocation *in;
	struct run run;
	struct plan *plan;
	struct rehearsal *rehearsal; /* once it is needed */
	struct interrupt *interrupt;
	struct terminal *terminal;
	struct machine_reader *machine;
};

static void redact_log(void *data, char **line)
{
	AUTO(buf) struct buf clean = BUF_INIT;

	events_redact(data, str_from(*line), &clean);
	free(*line);
	*line = buf_steal(&clean);
}

/* Whether standard output is a terminal that can move its cursor. */
static bool can_show_status(void)
{
	const char *term = os_env("TERM");

	return isatty(STDOUT_FILENO) && term && !streq(term, "dumb");
}

static void add_readers(struct session *s)
{
	const struct flags *f = s->in->flags;
	bool color = flags_bool(f, "color");

	if (s->run.no_questions)
		s->machine = machine_reader_new(s->run.events, STDOUT_FILENO);
	else
		s->terminal = terminal_new(s->run.events,
					   &(struct terminal_options){
						   .fd = STDOUT_FILENO,
						   .color = color && !os_env("PACKER_NO_COLOR"),
						   .legend = color,
						   .timestamps = flags_bool(f, "timestamp-ui"),
						   .status = can_show_status(),
					   });
	log_reader_add(s->run.events);
	log_set_filter(redact_log, s->run.events);
}

/* What the run still owes the account, and how to pay. */
static void tell_left(struct session *s)
{
	AUTO(err) struct err err = ERR_INIT;
	struct journal_row *rows = NULL;
	size_t n = 0;

	if (!s->run.journal)
		return;
	if (journal_left(s->run.journal, &rows, &n, &err) < 0) {
		run_plain(&s->run, true, "Cannot read the journal of this run: %s", err.msg);
		return;
	}
	for (size_t i = 0; i < n; i++)
		run_plain(&s->run, true, "Left behind: %s %s (%s)", rows[i].kind,
			  rows[i].resource ? rows[i].resource
			  : rows[i].name   ? rows[i].name
					   : "without an id yet",
			  rows[i].place.region ? rows[i].place.region : rows[i].place.platform);
	if (n)
		run_plain(&s->run, true, "To remove what is left: %s sweep -run %s", s->in->program,
			  s->run.id);
	journal_rows_free(rows, n);
}

/* The second Ctrl-C. */
static void stop_at_once(void *data)
{
	enum { PATIENCE_MS = 1000 };
	struct session *s = data;

	events_seize(s->run.events, PATIENCE_MS);
	terminal_end_status(s->terminal);
	run_plain(&s->run, true, "Stopped at once; nothing more is cleaned up.");
	tell_left(s);
	proc_kill_all();
	_exit(1);
}

static void interrupted(void *data, const char *signal)
{
	struct session *s = data;

	run_plain(&s->run, true, "Cancelling build after receiving %s", signal);
	cancel_set(s->run.cancel);
}

static enum on_error on_error_of(const char *s)
{
	if (streq(s, "abort"))
		return ON_ERROR_ABORT;
	if (streq(s, "ask"))
		return ON_ERROR_ASK;
	if (streq(s, "run-cleanup-provisioner"))
		return ON_ERROR_RUN_CLEANUP;
	return ON_ERROR_CLEANUP;
}

static void set_up(struct session *s)
{
	const struct flags *f = s->in->flags;

	os_ulid(s->run.id);
	os_uuid(s->run.uuid);
	setenv("PACKER_RUN_UUID", s->run.uuid, 1); /* templates read it; before any thread */
	s->run.events = events_new();
	s->run.cancel = cancel_new(NULL);
	s->run.force = flags_bool(f, "force");
	s->run.debug = flags_bool(f, "debug");
	s->run.strict_ingress = flags_bool(f, "strict-ingress");
	s->run.no_questions = s->in->machine_readable;
	s->run.on_error = on_error_of(flags_string(f, "on-error"));
	/* A build must not die, and leave things behind, because nobody reads its output. */
	signal(SIGPIPE, SIG_IGN);
	s->interrupt = interrupt_watch(interrupted, stop_at_once, s); /* before any thread */
	add_readers(s);
}

static void finish(struct session *s)
{
	interrupt_end(s->interrupt);
	rehearsal_end(s->rehearsal);
	journal_close(s->run.journal);
	terminal_free(s->terminal);
	machine_reader_free(s->machine);
	log_set_filter(NULL, NULL);
	plan_free(s->plan);
	cancel_free(s->run.cancel);
	events_free(s->run.events);
}

static void say_diagnostics(struct session *s, const struct diags *d)
{
	AUTO(buf) struct buf text = BUF_INIT;

	diags_render(d, &text);
	if (text.n)
		run_plain(&s->run, d->errors > 0, "%s", buf_cstr(&text));
}

static int no_builds(struct session *s)
{
	static const char error[] = "Error: No builds to run";
	AUTO(buf) struct buf flags = BUF_INIT;

	for (char *const *v = flags_list(s->in->flags, "only"); *v; v++)
		buf_printf(&flags, " -only=%s", *v);
	for (char *const *v = flags_list(s->in->flags, "except"); *v; v++)
		buf_printf(&flags, " -except=%s", *v);
	if (flags.n)
		run_plain(&s->run, true,
			  "%s\n\nNo build of the template is left with%s. `%s inspect` shows "
			  "their names.\n\n",
			  error, buf_cstr(&flags), s->in->program);
	else
		run_plain(&s->run, true,
			  "%s\n\nEvery build of the template has enabled = false or an empty "
			  "for_each.\n\n",
			  error);
	return 1;
}

static void open_journal(struct session *s)
{
	if (!s->run.journal)
		s->run.journal = journal_new(s->run.id);
}

static int rehearse(void *data, const struct run_local **ret, struct err *err)
{
	struct session *s = data;

	open_journal(s);
	if (!s->rehearsal && rehearsal_start(&s->run, &s->rehearsal, err) < 0)
		return -1;
	*ret = s->run.local;
	return 0;
}

static int load(struct session *s, struct arena *a, struct err *err)
{
	const struct flags *f = s->in->flags;
	struct template_args args = {
		.force = s->run.force,
		.run_data = true,
		.sequential = flags_bool(f, "use-sequential-evaluation"),
		.warn_undeclared = flags_bool(f, "warn-on-undeclared-var"),
		.cancel = s->run.cancel,
	};
	int rc;

	template_args_from(s->in, a, &args);
	if (flags_bool(f, "local")) {
		args.registry = &components_local;
		args.rehearse = rehearse;
		args.rehearse_data = s;
	}
	rc = template_load(&args, &s->plan, err);
	for (size_t i = 0; s->plan && i < s->plan->nsecrets; i++)
		events_add_secret(s->run.events, s->plan->secrets[i]);
	return rc;
}

static int run_plan(struct session *s)
{
	AUTO(err) struct err err = ERR_INIT;
	int64_t parallel = flags_int(s->in->flags, "parallel-builds");
	struct build_results results = { 0 };
	const struct run_local *local;
	int code;

	open_journal(s);
	if (flags_bool(s->in->flags, "local") && rehearse(s, &local, &err) < 0) {
		run_plain(&s->run, true, "%s", err.msg);
		return 1;
	}
	if (s->run.debug) {
		run_plain(&s->run, false, "Debug mode enabled. Builds will not be parallelized.");
		parallel = 1;
	}
	run_legend(&s->run, s->plan);
	run_builds(&s->run, s->plan, parallel, &results);
	code = run_summary(&s->run, s->plan, &results);
	tell_left(s);
	rehearsal_end(steal(s->rehearsal));
	build_results_release(&results);
	return code;
}

static int run_session(struct session *s)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(err) struct err err = ERR_INIT;
	size_t good = 0;
	int rc = load(s, a, &err);

	if (s->plan)
		say_diagnostics(s, &s->plan->diags);
	if (err_any(&err) && !(s->plan && s->plan->diags.errors))
		run_plain(&s->run, true, "%s", err.msg);
	if (rc < 0)
		return 1;
	for (size_t i = 0; i < s->plan->nbuilds; i++)
		good += !s->plan->builds[i].broken;
	if (!s->plan->nbuilds)
		return no_builds(s);
	return good ? run_plan(s) : 1;
}

static int run(const struct invocation *in)
{
	struct session s = { .in = in };
	int64_t files;
	int code;

	if (!builds_at_once(1, &files)) {
		ui_error(in,
			 "This process may open only %lld files, too few for a build: raise the "
			 "limit (ulimit -n).",
			 (long long)files);
		return 1;
	}
	set_up(&s);
	code = run_session(&s);
	finish(&s);
	return code;
}

static const char *const on_error[] = { "cleanup", "abort", "ask", "run-cleanup-provisioner",
					NULL };

static const struct flag flags[] = {
	{ "color", FLAG_BOOL, .def = "true",
	  .doc = "Print without colours and without the colour legend." },
	{ "debug", FLAG_BOOL,
	  .doc = "Run builds one at a time, pause after every step, and save the temporary key "
		 "to a file." },
	{ "force", FLAG_BOOL,
	  .doc = "Replace existing artifacts that would otherwise stop the build." },
	{ "on-error", FLAG_STRING, "what", "cleanup", .choices = on_error,
	  .doc = "What to do when a build fails: cleanup, abort, ask or run-cleanup-provisioner." },
	{ "parallel-builds", FLAG_INT, "n", "0",
	  .doc = "Run at most n builds at a time; 0 means no limit." },
	{ "timestamp-ui", FLAG_BOOL, .doc = "Prefix each message with the time." },
	{ "warn-on-undeclared-var", FLAG_BOOL,
	  .doc = "Warn about variables in variable files that the template does not declare." },
	{ "local", FLAG_BOOL,
	  .doc = "Build on the local cloud instead of AWS. Instances really boot; no AWS account "
		 "is touched." },
	{ "strict-ingress", FLAG_BOOL,
	  .doc = "Never open the temporary security group to the world, even if connecting "
		 "fails." },
	{ "ignore-prerelease-plugins", FLAG_BOOL,
	  .doc = "Accepted for compatibility; has no effect, as there are no plugins to choose "
		 "from." },
	{ "skip-enforcement", FLAG_BOOL,
	  .doc = "Accepted for compatibility; has no effect, as ingot talks to no registry." },
	{ "use-sequential-evaluation", FLAG_BOOL,
	  .doc = "Evaluate data sources one at a time instead of in parallel." },
};

const struct command command_build = {
	.name = "build",
	.arguments = "[options] TEMPLATE",
	.summary = "Build images from a template",
	.description =
		"Runs all builds of a template in parallel and prints the artifacts they made. A "
		"build that fails leaves nothing behind. The first Ctrl-C cancels and cleans up; "
		"a second one stops at once.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.more_flags = template_flags,
	.nmore_flags = NTEMPLATE_FLAGS,
	.min_args = 1,
	.max_args = 1,
	.packer = true,
	.run = run,
};
