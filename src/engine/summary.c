/* The first and the last lines of a run: legend, errors, artifacts. */
#include "engine/scheduler.h"

#include "base/clock.h"

void run_legend(struct run *run, const struct plan *plan)
{
	size_t index = 0;

	for (size_t i = 0; i < plan->nbuilds; i++) {
		AUTO(buf) struct buf text = BUF_INIT;

		if (plan->builds[i].broken)
			continue;
		buf_printf(&text, "%s: output will be in this color.", plan->builds[i].name);
		events_emit(run->events, &(struct event){ .kind = EVENT_LEGEND,
							  .build = plan->builds[i].name,
							  .build_index = index++,
							  .text = buf_str(&text) });
	}
	events_emit(run->events, &(struct event){ .kind = EVENT_LEGEND, .text = STR("") });
}

static size_t count_failed(const struct build_results *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += err_any(&r->v[i].err);
	return n;
}

static void tell_errors(struct run *run, const struct build_results *r, size_t failed)
{
	auto_free char *count = xasprintf("%zu", failed);

	run_machine(run, NULL, "error-count", count, NULL);
	run_plain(run, true, "\n==> Some builds didn't complete successfully and had errors:");
	for (size_t i = 0; i < r->n; i++) {
		const struct build_result *b = &r->v[i];

		if (!err_any(&b->err))
			continue;
		run_machine(run, b->spec->name, "error", b->err.msg, NULL);
		run_plain(run, true, "--> %s: %s", b->spec->name, b->err.msg);
	}
}

static void tell_artifact(struct run *run, const char *name, size_t index, const struct artifact *a)
{
	auto_free char *i = xasprintf("%zu", index), *count = NULL;
	size_t files = 0;

	while (a->files && a->files[files])
		files++;
	count = xasprintf("%zu", files);
	run_machine(run, name, "artifact", i, "builder-id", a->builder_id, NULL);
	run_machine(run, name, "artifact", i, "id", a->id ? a->id : "", NULL);
	run_machine(run, name, "artifact", i, "string", a->text, NULL);
	run_machine(run, name, "artifact", i, "files-count", count, NULL);
	for (size_t k = 0; k < files; k++) {
		auto_free char *number = xasprintf("%zu", k);

		run_machine(run, name, "artifact", i, "file", number, a->files[k], NULL);
	}
	run_machine(run, name, "artifact", i, "end", NULL);
	run_plain(run, false, "--> %s: %s", name, a->text);
}

/* Two builds may have one name. The reference tells of one of them; here it is both, unless they
 * say the same. */
static bool told_again(const struct build_results *r, size_t i)
{
	const struct artifacts *mine = &r->v[i].artifacts;

	for (size_t j = i + 1; j < r->n; j++) {
		const struct artifacts *other = &r->v[j].artifacts;
		size_t same = 0;

		if (!r->v[j].ok || !streq(r->v[i].spec->name, r->v[j].spec->name) ||
		    mine->n != other->n)
			continue;
		while (same < mine->n && streq(mine->v[same]->text, other->v[same]->text))
			same++;
		if (same == mine->n)
			return true;
	}
	return false;
}

static bool any_artifact(const struct build_results *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].ok && r->v[i].artifacts.n)
			return true;
	return false;
}

static void tell_artifacts(struct run *run, const struct build_results *r)
{
	run_plain(run, false, "\n==> Builds finished. The artifacts of successful builds are:");
	for (size_t i = 0; i < r->n; i++) {
		const struct build_result *b = &r->v[i];
		auto_free char *count = xasprintf("%zu", b->artifacts.n);

		if (!b->ok || !b->artifacts.n || told_again(r, i))
			continue;
		run_machine(run, b->spec->name, "artifact-count", count, NULL);
		for (size_t k = 0; k < b->artifacts.n; k++)
			tell_artifact(run, b->spec->name, k, b->artifacts.v[k]);
	}
}

int run_summary(struct run *run, const struct plan *plan, const struct build_results *r)
{
	AUTO(buf) struct buf took = BUF_INIT;
	size_t failed = count_failed(r);

	clock_format_duration(&took, r->ns);
	run_plain(run, false, "\n==> Wait completed after %s", buf_cstr(&took));
	if (cancel_is_set(run->cancel)) {
		run_plain(run, false, "Cleanly cancelled builds after being interrupted.");
		return 1;
	}
	if (failed)
		tell_errors(run, r, failed);
	if (any_artifact(r))
		tell_artifacts(run, r);
	else
		run_plain(run, false, "\n==> Builds finished but no artifacts were created.");
	return failed || r->n < plan->nbuilds ? 1 : 0;
}
