/* The step StepProvision: the template's provisioners in order, each with its pause or timeout and
 * its retries; its undo is the error-cleanup-provisioner. */
#include "engine/inner.h"

#include "communicator/communicator.h"

#include "base/clock.h"
#include "base/log.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int run_plainly(struct build *b, const struct plan_provisioner *p, struct err *err)
{
	AUTO(arena) struct arena *a = arena_new();
	const struct plan_component *before = b->component;
	void *config = NULL;
	int rc;

	if (build_decode(b, &p->c, a, &config, err) < 0)
		return -1;
	b->component = &p->c;
	rc = p->ops->run(b, config, b->comm, err);
	b->component = before;
	return rc;
}

/* Sets a cancel flag when its time is over; `stop` ends it early. */
struct watchdog {
	struct cancel *cancel;
	int64_t deadline_ms;
	int stop; /* eventfd */
	bool fired;
	pthread_t thread;
};

static void *watch(void *data)
{
	struct watchdog *w = data;
	struct pollfd p = { .fd = w->stop, .events = POLLIN };

	while (clock_left(w->deadline_ms) > 0)
		if (poll(&p, 1, clock_left(w->deadline_ms)) > 0)
			return NULL;
	w->fired = true;
	cancel_set(w->cancel);
	return NULL;
}

static void say_duration(struct build *b, const char *before, int64_t ns, const char *after)
{
	AUTO(buf) struct buf text = BUF_INIT;

	clock_print_duration(&text, ns);
	build_say(b, "%s%s%s", before, buf_cstr(&text), after);
}

static int run_with_timeout(struct build *b, const struct plan_provisioner *p, struct err *err)
{
	struct watchdog w = { .deadline_ms = clock_ms() + p->timeout_ns / CLOCK_NS_PER_MS };
	AUTO(cancel) struct cancel *own = w.cancel = cancel_new(b->cancel);
	auto_fd int stop = w.stop = eventfd(0, EFD_CLOEXEC);
	struct cancel *outer;
	int rc;

	say_duration(b, "Setting a ", p->timeout_ns, " timeout for the next provisioner...");
	if (stop < 0 || pthread_create(&w.thread, NULL, watch, &w) != 0)
		return err_set(err, ERR_IO, "cannot start a thread for the provisioner's timeout");
	outer = build_swap_cancel(b, own);
	rc = run_plainly(b, p, err);
	build_swap_cancel(b, outer);
	eventfd_write(stop, 1);
	pthread_join(w.thread, NULL);
	if (rc < 0 && w.fired && !cancel_is_set(outer)) {
		AUTO(buf) struct buf limit = BUF_INIT;

		build_error(b, "Cancelling the provisioner: its timeout is over...");
		clock_print_duration(&limit, p->timeout_ns);
		err_release(err);
		return err_set(err, ERR_TIMEOUT, "the provisioner %s exceeded its timeout of %s",
			       p->c.type, buf_cstr(&limit));
	}
	return rc;
}

static int run_once(struct build *b, const struct plan_provisioner *p, struct err *err)
{
	/* A pause wins over a timeout, as in the reference. */
	if (p->pause_before_ns) {
		say_duration(b, "Pausing ", p->pause_before_ns, " before the next provisioner...");
		if (clock_sleep(p->pause_before_ns / CLOCK_NS_PER_MS, b->cancel) < 0)
			return err_set(err, ERR_CANCELLED, "cancelled");
		return run_plainly(b, p, err);
	}
	return p->timeout_ns ? run_with_timeout(b, p, err) : run_plainly(b, p, err);
}

static int run_with_retries(struct build *b, const struct plan_provisioner *p, struct err *err)
{
	int64_t left = p->max_retries;

	for (;;) {
		if (run_once(b, p, err) == 0)
			return 0;
		if (left <= 0 || cancel_is_set(b->cancel))
			break;
		build_say(b, "Provisioner failed: %s; retries left: %lld", err->msg,
			  (long long)left);
		err_release(err);
		left--;
	}
	if (p->max_retries > 0 && !cancel_is_set(b->cancel))
		build_say(b, "No retries left.");
	return -1;
}

/* continue_on_error: told, and forgotten, once all tries are used up. Ctrl-C still ends the build.
 */
static int run_provisioner(struct build *b, const struct plan_provisioner *p, struct err *err)
{
	if (run_with_retries(b, p, err) == 0)
		return 0;
	if (!p->continue_on_error || cancel_is_set(b->cancel))
		return -1;
	build_say(b, "Warning: the provisioner %s failed; continuing (continue_on_error): %s",
		  p->c.type, err->msg);
	err_release(err);
	return 0;
}

static int run_list(struct build *b, struct err *err)
{
	const struct plan_build *spec = b->spec;

	for (size_t i = 0; i < spec->nprovisioners; i++) {
		if (cancel_check(b->cancel, err) < 0)
			return -1;
		if (b->run->debug)
			build_pause(b, "Pausing before the next provisioner .");
		build_step(b, "provisioner %zu of %zu: %s", i + 1, spec->nprovisioners,
			   spec->provisioners[i].c.type);
		if (run_provisioner(b, &spec->provisioners[i], err) < 0)
			return -1;
	}
	return 0;
}

int build_provision(struct build *b, void *state UNUSED, struct err *err)
{
	free(steal(b->inner->provision_error));
	if (run_list(b, err) == 0)
		return 0;
	if (!cancel_is_set(b->cancel))
		b->inner->provision_error = xstrdup(err->msg);
	return -1;
}

void build_provision_undo(struct build *b, void *state UNUSED, bool failed)
{
	AUTO(err) struct err err = ERR_INIT;

	if (!failed || !b->inner->provision_error)
		return;
	build_say(b,
		  "Provisioning failed: running the error-cleanup-provisioner, if there is one...");
	if (b->spec->cleanup && run_provisioner(b, b->spec->cleanup, &err) < 0) {
		log_line("[ERROR] (%s) cleanup provisioner: %s", b->spec->name, err.msg);
		b->inner->cleanup_error = xstrdup(err.msg);
	}
}
