/* Steps with undo. The list runs until one fails or the user cancels; then every entered step is
 * undone in reverse, with a cancel flag of its own, as -on-error says. Texts of -debug and
 * -on-error are the reference's. */
#include "engine/inner.h"

#include "base/log.h"

struct walk {
	struct build *b;
	const struct step *steps;
	void *state;
	size_t entered, passed;
	struct err *err;   /* why the build fails; also when a retry passed */
	bool keep, logged; /* nothing more is undone / the reason was printed */
};

enum answer { ANSWER_CLEANUP, ANSWER_ABORT, ANSWER_RETRY };

static enum answer ask_once(struct build *b, bool *again)
{
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *answer = NULL;

	*again = false;
	/* Scripts that answer wait for "[r] retry step", and elsewhere for "Press enter". */
	if (build_ask(b, "[c] clean up and exit, [a] abort and leave everything, [r] retry step?",
		      &answer, &err) < 0) {
		log_line("[INFO] (%s) nobody to ask: %s", b->spec->name, err.msg);
		return ANSWER_CLEANUP;
	}
	switch (answer[0]) {
	case '\0':
	case 'c':
		return ANSWER_CLEANUP;
	case 'a':
		return ANSWER_ABORT;
	case 'r':
		return ANSWER_RETRY;
	default:
		build_say(b, "Incorrect answer: \"%s\"", answer);
		*again = true;
		return ANSWER_CLEANUP;
	}
}

static enum answer ask(struct walk *w, const struct step *step, const struct err *why)
{
	enum answer answer;
	bool again = false;

	build_error(w->b, "%s", why->msg);
	build_say(w->b, "Step \"%s\" failed", step->name);
	do
		answer = ask_once(w->b, &again);
	while (again);
	return answer;
}

/* Runs one step, again as often as the user asks for. A failure stays the build's, even if a retry
 * passes. */
static int run_step(struct walk *w, const struct step *step)
{
	struct build *b = w->b;

	for (;;) {
		AUTO(err) struct err why = ERR_INIT;
		enum answer answer;

		build_step(b, "%s", step->label);
		if (step->run(b, w->state, &why) == 0)
			return 0;
		log_line("[ERROR] (%s) %s: %s", b->spec->name, step->name, why.msg);
		if (b->run->on_error != ON_ERROR_ASK || cancel_is_set(b->cancel)) {
			err_release(w->err);
			return err_move(w->err, &why);
		}
		answer = ask(w, step, &why);
		err_release(w->err);
		err_move(w->err, &why);
		if (answer != ANSWER_RETRY) {
			w->keep = answer == ANSWER_ABORT;
			return -1;
		}
	}
}

/* Whether the undo of this step is left out; says so as the reference does. */
static bool kept(struct walk *w, const struct step *step, bool cancelled)
{
	struct build *b = w->b;

	if (!w->keep ||
	    (b->run->on_error == ON_ERROR_RUN_CLEANUP && step->undo == build_provision_undo))
		return false;
	if (w->logged) {
		build_error(b, "aborted: skipping cleanup of step \"%s\"", step->name);
		return true;
	}
	build_error(b, "%s", w->err->msg);
	if (cancelled)
		build_error(b, "Interrupted, aborting...");
	else
		build_error(b, "Step \"%s\" failed, aborting...", step->name);
	w->logged = true;
	return true;
}

static void undo_all(struct walk *w)
{
	struct build *b = w->b;
	bool failed = err_any(w->err), cancelled = cancel_is_set(b->cancel);
	struct cancel *own = cancel_new(build_gone(b));
	struct cancel *outer = build_swap_cancel(b, own);

	if (failed &&
	    (b->run->on_error == ON_ERROR_ABORT || b->run->on_error == ON_ERROR_RUN_CLEANUP))
		w->keep = true;
	while (w->entered--) {
		const struct step *step = &w->steps[w->entered];

		if (b->run->debug && w->entered < w->passed)
			build_pause(b, "Pausing before the cleanup of step '%s'.", step->name);
		if (kept(w, step, cancelled) || !step->undo || (step->product && !failed))
			continue;
		if (failed)
			build_step(b, "undo %s", step->label);
		step->undo(b, w->state, failed);
	}
	build_swap_cancel(b, outer);
	cancel_free(own);
}

int build_run_steps(struct build *b, const struct step *steps, size_t n, void *state,
		    struct err *err)
{
	struct walk w = { .b = b, .steps = steps, .state = state, .err = err };
	char *why;

	for (size_t i = 0; i < n; i++) {
		if (cancel_is_set(b->cancel)) {
			err_release(err);
			err_set(err, ERR_CANCELLED, "cancelled");
			break;
		}
		w.entered = i + 1;
		if (run_step(&w, &steps[i]) < 0)
			break;
		w.passed = i + 1;
		if (b->run->debug)
			build_pause(b, "Pausing after step '%s'.", steps[i].name);
	}
	undo_all(&w);
	why = b->inner->cleanup_error;
	if (why && err_any(err)) {
		auto_free char *original = xstrdup(err->msg);
		enum err_code code = err->code;

		err_release(err);
		err_set(err, code, "The error-cleanup-provisioner failed: %s. It ran because: %s",
			why, original);
	}
	return err_any(err) ? -1 : 0;
}
