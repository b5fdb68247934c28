/* Steps with undo: every point of failure, what -on-error does with it, retries and timeouts of
 * provisioners, chains and their artifacts. What a build says is compared word by word. */
#include "engine/inner.h"

#include "base/clock.h"
#include "base/str.h"
#include "base/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { NSTEPS = 4, NOWHERE = -1 };

/* The engine around one build, with all that is said in one text. */
struct world {
	struct run run;
	struct plan plan;
	struct plan_build spec;
	struct build b;
	pthread_mutex_t ask_lock;
	struct buf said;
	struct buf trace; /* what the steps did */
	int fail_at;
};

static void listen(void *data, const struct event *e)
{
	struct world *w = data;

	if (e->kind != EVENT_SAY && e->kind != EVENT_ERROR && e->kind != EVENT_OUTPUT &&
	    e->kind != EVENT_PLAIN)
		return;
	event_text(e, &w->said);
	buf_addc(&w->said, '\n');
}

static void world_init(struct world *w, enum on_error on_error)
{
	*w = (struct world){ .fail_at = NOWHERE,
			     .run = { .no_questions = true, .on_error = on_error } };
	w->run.events = events_new();
	w->run.cancel = cancel_new(NULL);
	events_add_reader(w->run.events, (struct event_reader){ listen, NULL, w });
	w->spec = (struct plan_build){ .name = "web", .bare_name = "web", .type = "fake" };
	pthread_mutex_init(&w->ask_lock, NULL);
	build_init(&w->b, &w->run, &w->plan, &w->spec, 0, &w->ask_lock);
}

static void world_release(struct world *w)
{
	build_release(&w->b);
	cancel_free(w->run.cancel);
	events_free(w->run.events);
	buf_release(&w->said);
	buf_release(&w->trace);
}

static int step_run(struct world *w, int i, struct err *err)
{
	buf_printf(&w->trace, "+%d", i);
	return w->fail_at == i ? err_set(err, ERR_REMOTE, "step %d broke", i) : 0;
}

static void step_undo(struct world *w, int i, bool failed)
{
	/* Undo must never be stopped by the cancel that caused it. */
	assert_false(cancel_is_set(w->b.cancel));
	buf_printf(&w->trace, "-%d%s", i, failed ? "!" : "");
}

#define RUN(i) \
	static int run_##i(struct build *b, void *state, struct err *err) \
	{ \
		(void)b; \
		return step_run(state, i, err); \
	}
#define UNDO(i) \
	static void undo_##i(struct build *b, void *state, bool failed) \
	{ \
		(void)b; \
		step_undo(state, i, failed); \
	}
RUN(0)
RUN(1)
RUN(2)
RUN(3)
UNDO(0)
UNDO(1)
UNDO(3)
static const struct step steps[NSTEPS] = {
	{ "zero", "StepZero", run_0, undo_0, false },
	{ "one", "StepOne", run_1, undo_1, true }, /* a product */
	{ "two", "StepTwo", run_2, NULL, false },  /* nothing to undo */
	{ "three", "StepThree", run_3, undo_3, false },
};

static void test_every_failing_point(void **state)
{
	static const struct {
		int fail_at;
		enum on_error on_error;
		const char *trace, *said;
	} cases[] = {
		{ NOWHERE, ON_ERROR_CLEANUP, "+0+1+2+3-3-0", "" },
		{ NOWHERE, ON_ERROR_ABORT, "+0+1+2+3-3-0", "" },
		{ 0, ON_ERROR_CLEANUP, "+0-0!", "" },
		{ 1, ON_ERROR_CLEANUP, "+0+1-1!-0!", "" },
		{ 2, ON_ERROR_CLEANUP, "+0+1+2-1!-0!", "" },
		{ 3, ON_ERROR_CLEANUP, "+0+1+2+3-3!-1!-0!", "" },
		{ 1, ON_ERROR_ABORT, "+0+1",
		  "==> web: step 1 broke\n==> web: Step \"StepOne\" failed, aborting...\n"
		  "==> web: aborted: skipping cleanup of step \"StepZero\"\n" },
		{ 3, ON_ERROR_RUN_CLEANUP, "+0+1+2+3",
		  "==> web: step 3 broke\n==> web: Step \"StepThree\" failed, aborting...\n"
		  "==> web: aborted: skipping cleanup of step \"StepTwo\"\n"
		  "==> web: aborted: skipping cleanup of step \"StepOne\"\n"
		  "==> web: aborted: skipping cleanup of step \"StepZero\"\n" },
		/* Nobody can be asked: cleans up. */
		{ 1, ON_ERROR_ASK, "+0+1-1!-0!",
		  "==> web: step 1 broke\n==> web: Step \"StepOne\" failed\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(err) struct err err = ERR_INIT;
		struct world w;
		int rc;

		world_init(&w, cases[i].on_error);
		w.fail_at = cases[i].fail_at;
		rc = build_run_steps(&w.b, steps, NSTEPS, &w, &err);
		assert_int_equal(rc, cases[i].fail_at == NOWHERE ? 0 : -1);
		assert_int_equal(err_any(&err), rc < 0);
		assert_string_equal(buf_cstr(&w.trace), cases[i].trace);
		assert_string_equal(buf_cstr(&w.said), cases[i].said);
		world_release(&w);
	}
}

static int cancel_run(struct build *b, void *state, struct err *err)
{
	struct world *w = state;

	buf_adds(&w->trace, "+c");
	cancel_set(w->run.cancel);
	return cancel_check(b->cancel, err);
}

static int cancel_quietly(struct build *b, void *state, struct err *err)
{
	struct world *w = state;

	(void)b;
	(void)err;
	buf_adds(&w->trace, "+q");
	cancel_set(w->run.cancel);
	return 0;
}

static void test_cancel(void **state)
{
	static const struct step listening[] = { { "zero", "StepZero", run_0, undo_0, false },
						 { "c", "StepC", cancel_run, undo_1, false },
						 { "three", "StepThree", run_3, undo_3, false } };
	static const struct step deaf[] = { { "zero", "StepZero", run_0, undo_0, false },
					    { "q", "StepQ", cancel_quietly, undo_1, false },
					    { "three", "StepThree", run_3, undo_3, false } };
	static const struct {
		const struct step *steps;
		const char *trace;
	} cases[] = { { listening, "+0+c-1!-0!" }, { deaf, "+0+q-1!-0!" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(err) struct err err = ERR_INIT;
		struct world w;

		world_init(&w, ON_ERROR_CLEANUP);
		assert_int_equal(build_run_steps(&w.b, cases[i].steps, 3, &w, &err), -1);
		assert_int_equal(err.code, ERR_CANCELLED);
		assert_string_equal(buf_cstr(&w.trace), cases[i].trace);
		world_release(&w);
	}
}

/* A provisioner that fails a given number of times, or waits for its cancel flag. */
struct fake_config {
	int failures;
	bool hangs;
};

static int fake_decode(const struct plan_component *c, const struct plan_data *data,
		       struct arena *a, struct diags *d, void **ret)
{
	(void)data;
	(void)a;
	(void)d;
	*ret = c->lang;
	return 0;
}

static int fake_provision(struct build *b, void *config, struct communicator *comm, struct err *err)
{
	struct fake_config *c = config;

	(void)comm;
	build_say(b, "provisioning");
	if (c->hangs && clock_sleep(60000, b->cancel) < 0)
		return err_set(err, ERR_CANCELLED, "cancelled");
	return c->failures-- > 0 ? err_set(err, ERR_EXIT, "script failed") : 0;
}
static const struct provisioner fake_ops = { .type = "fake", .run = fake_provision };

static struct plan_provisioner fake(struct fake_config *c)
{
	return (struct plan_provisioner){ .c = { .type = "fake", .decode = fake_decode, .lang = c },
					  .ops = &fake_ops };
}

static const struct step provision_only[] = { BUILD_STEP_PROVISION };

static void test_provisioners(void **state)
{
	static const struct {
		int failures, cleanup_failures; /* cleanup -1: none */
		bool hangs;
		int64_t retries, pause_ms, timeout_ms;
		const char *error, *said;
	} cases[] = {
		{ .cleanup_failures = -1, .said = "==> web: provisioning\n" },
		{ .cleanup_failures = 0,
		  .said = "==> web: provisioning\n" }, /* all is well: it does not run */
		{ 1, -1, .retries = 2,
		  .said = "==> web: provisioning\n"
			  "==> web: Provisioner failed: script failed; retries left: 2\n"
			  "==> web: provisioning\n" },
		{ 9, -1, .retries = 1, .error = "script failed",
		  .said = "==> web: provisioning\n"
			  "==> web: Provisioner failed: script failed; retries left: 1\n"
			  "==> web: provisioning\n"
			  "==> web: No retries left.\n"
			  "==> web: Provisioning failed: running the error-cleanup-provisioner, "
			  "if there is one...\n" },
		{ 1, 0, .error = "script failed",
		  .said = "==> web: provisioning\n"
			  "==> web: Provisioning failed: running the error-cleanup-provisioner, "
			  "if there is one...\n"
			  "==> web: provisioning\n" },
		{ 1, 1,
		  .error = "The error-cleanup-provisioner failed: script failed. It ran because: "
			   "script failed",
		  .said = "==> web: provisioning\n"
			  "==> web: Provisioning failed: running the error-cleanup-provisioner, "
			  "if there is one...\n"
			  "==> web: provisioning\n" },
		{ 0, -1, .pause_ms = 10, .timeout_ms = 1, /* a pause wins over a timeout */
		  .said = "==> web: Pausing 10ms before the next provisioner...\n==> web: "
			  "provisioning\n" },
		{ 0, -1, .hangs = true, .timeout_ms = 20,
		  .error = "the provisioner fake exceeded its timeout of 20ms",
		  .said = "==> web: Setting a 20ms timeout for the next provisioner...\n"
			  "==> web: provisioning\n"
			  "==> web: Cancelling the provisioner: its timeout is over...\n"
			  "==> web: Provisioning failed: running the error-cleanup-provisioner, "
			  "if there is one...\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(err) struct err err = ERR_INIT;
		struct fake_config config = { cases[i].failures, cases[i].hangs },
				   cleanup_config = { cases[i].cleanup_failures, false };
		struct plan_provisioner p = fake(&config), cleanup = fake(&cleanup_config);
		struct world w;
		int rc;

		world_init(&w, ON_ERROR_CLEANUP);
		p.max_retries = cases[i].retries;
		p.pause_before_ns = cases[i].pause_ms * 1000000;
		p.timeout_ns = cases[i].timeout_ms * 1000000;
		w.spec.provisioners = &p;
		w.spec.nprovisioners = 1;
		w.spec.cleanup = cases[i].cleanup_failures >= 0 ? &cleanup : NULL;
		rc = build_run_steps(&w.b, provision_only, 1, NULL, &err);
		assert_int_equal(rc, cases[i].error ? -1 : 0);
		if (cases[i].error)
			assert_string_equal(err.msg, cases[i].error);
		assert_string_equal(buf_cstr(&w.said), cases[i].said);
		world_release(&w);
	}
}

static void test_run_cleanup_provisioner_only(void **state)
{
	static const struct step both[] = { { "zero", "StepConnect", run_0, undo_0, false },
					    BUILD_STEP_PROVISION };
	AUTO(err) struct err err = ERR_INIT;
	struct fake_config config = { 1, false }, cleanup_config = { 0, false };
	struct plan_provisioner p = fake(&config), cleanup = fake(&cleanup_config);
	struct world w;

	(void)state;
	world_init(&w, ON_ERROR_RUN_CLEANUP);
	w.spec.provisioners = &p;
	w.spec.nprovisioners = 1;
	w.spec.cleanup = &cleanup;
	assert_int_equal(build_run_steps(&w.b, both, 2, &w, &err), -1);
	assert_string_equal(buf_cstr(&w.trace), "+0");
	assert_string_equal(buf_cstr(&w.said),
			    "==> web: provisioning\n"
			    "==> web: Provisioning failed: running the "
			    "error-cleanup-provisioner, if there is one...\n"
			    "==> web: provisioning\n"
			    "==> web: script failed\n"
			    "==> web: Step \"StepConnect\" failed, aborting...\n");
	world_release(&w);
}

/* Post-processors: what each makes is named in its config; NULL fails, "=" passes its input on. */
struct pp_config {
	const char *makes;
	bool keep, must_keep;
};

static int fake_destroy(struct artifact *a, struct build *b, struct err *err)
{
	(void)err;
	build_say(b, "destroyed %s", a->text);
	return 0;
}

static struct artifact *fake_artifact(const char *text)
{
	struct artifact *a = artifact_new("fake", text, text);

	a->destroy = fake_destroy;
	return a;
}

static int fake_process(struct build *b, void *config, struct artifact *in, struct artifact **ret,
			bool *keep, bool *must_keep, struct err *err)
{
	struct pp_config *c = config;

	build_say(b, "from %s", in->text);
	*keep = c->keep;
	*must_keep = c->must_keep;
	if (!c->makes)
		return err_set(err, ERR_EXIT, "no");
	*ret = streq(c->makes, "=") ? NULL : fake_artifact(c->makes);
	return 0;
}
static const struct postprocessor fake_pp = { .type = "fake", .run = fake_process };

static void test_chains(void **state)
{
	enum { NOT_GIVEN = -1 };
	static const struct {
		struct {
			struct pp_config config;
			int keep_input;
		} chain[2][2];
		size_t n[2];
		const char *shown, *error, *destroyed;
	} cases[] = {
		{ .n = { 0, 0 }, .shown = "ami" },
		{ { { { { "=", true, true }, NOT_GIVEN } } }, { 1, 0 }, "ami ami", NULL, "" },
		{ { { { { "zip", false, false }, NOT_GIVEN } } }, { 1, 0 }, "zip", NULL, "ami" },
		{ { { { { "zip", false, false }, 1 } } }, { 1, 0 }, "ami zip", NULL, "" },
		{ { { { { "=", true, true }, 0 } } },
		  { 1, 0 },
		  "ami ami",
		  NULL,
		  "" }, /* needed: not obeyed */
		{ { { { { "zip", true, false }, 0 } } }, { 1, 0 }, "zip", NULL, "ami" },
		{ { { { { "zip", false, false }, NOT_GIVEN },
		      { { "sum", false, false }, NOT_GIVEN } } },
		  { 2, 0 },
		  "sum",
		  NULL,
		  "zip ami" },
		{ { { { { "zip", false, false }, NOT_GIVEN },
		      { { "sum", true, false }, NOT_GIVEN } } },
		  { 2, 0 },
		  "zip sum",
		  NULL,
		  "ami" },
		{ { { { { NULL, false, false }, NOT_GIVEN } },
		    { { { "=", true, true }, NOT_GIVEN } } },
		  { 1, 1 },
		  "ami ami",
		  "1 error(s) occurred:\n\n* Post-processor failed: no",
		  "" },
		{ { { { { NULL, false, false }, NOT_GIVEN } } },
		  { 1, 0 },
		  "",
		  "1 error(s) occurred:\n\n* Post-processor failed: no",
		  "ami" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(err) struct err err = ERR_INIT;
		AUTO(buf) struct buf shown = BUF_INIT, destroyed = BUF_INIT;
		struct plan_postprocessor pp[2][2] = { 0 };
		struct plan_chain chains[2];
		struct artifacts artifacts = { 0 };
		struct str rest, line;
		struct world w;
		int rc;

		world_init(&w, ON_ERROR_CLEANUP);
		for (size_t k = 0; k < 2; k++) {
			for (size_t m = 0; m < cases[i].n[k]; m++)
				pp[k][m] = (struct plan_postprocessor){
					.c = { .type = "fake",
					       .decode = fake_decode,
					       .lang = (void *)&cases[i].chain[k][m].config },
					.ops = &fake_pp,
					.keep_input = cases[i].chain[k][m].keep_input,
				};
			chains[k] = (struct plan_chain){ pp[k], cases[i].n[k] };
			w.spec.nchains += cases[i].n[k] > 0;
		}
		w.spec.chains = chains;
		rc = build_chains(&w.b, fake_artifact("ami"), &artifacts, &err);
		assert_int_equal(rc, cases[i].error ? -1 : 0);
		if (cases[i].error)
			assert_string_equal(err.msg, cases[i].error);
		for (size_t k = 0; k < artifacts.n; k++)
			buf_printf(&shown, "%s%s", k ? " " : "", artifacts.v[k]->text);
		assert_string_equal(buf_cstr(&shown), cases[i].shown);
		for (rest = buf_str(&w.said); str_split(&rest, '\n', &line);)
			if (str_starts(line, "==> web: destroyed "))
				buf_printf(&destroyed, "%s" STR_FMT, destroyed.n ? " " : "",
					   STR_ARG(str_slice(line, 19, line.n)));
		assert_string_equal(buf_cstr(&destroyed),
				    cases[i].destroyed ? cases[i].destroyed : "");
		artifacts_release(&artifacts);
		world_release(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_failing_point),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_provisioners),
		cmocka_unit_test(test_run_cleanup_provisioner_only),
		cmocka_unit_test(test_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
