/* Merging of equal diagnostics, keyed by place and text. */
#include "template/plan_diags.h"

#define BUILDS_SHOWN 5

struct entry {
	size_t at; /* index in the plan's diags */
	const char *what;
	const char *builds[BUILDS_SHOWN], *last;
	size_t nbuilds;
};

void plan_diags_take(struct plan_diags *m, const struct diags *from, const char *what,
		     const char *build)
{
	struct diags *to = &m->plan->diags;

	for (size_t i = 0; i < from->n; i++) {
		const struct diag *g = &from->v[i];
		AUTO(buf) struct buf key = BUF_INIT;
		struct entry *e;

		buf_printf(&key, "%d:%p:%u:%u:%s\n%s", (int)g->severity, (void *)g->span.src,
			   g->span.from, g->span.to, g->summary, g->detail ? g->detail : "");
		if (!g->span.src) /* without a place only the component tells two of them apart */
			buf_printf(&key, "\n%s", what ? what : build);
		e = map_get(&m->seen, buf_str(&key));
		if (!e) {
			struct diag *copy = g->severity == DIAG_ERROR
						? diag_error(to, g->span, "%s", g->summary)
						: diag_warning(to, g->span, "%s", g->summary);

			copy->detail = g->detail;
			copy->values = g->values;
			copy->context = g->context;
			copy->lenient = g->lenient;
			copy->secret_line = g->secret_line;
			e = arena_new_obj(m->plan->arena, struct entry);
			e->at = (size_t)(copy - to->v);
			e->what = what;
			map_set(&m->seen, buf_str(&key), e);
		}
		/* Builds are taken one after the other: one of the same name is the last one. */
		if (e->nbuilds && streq(e->last, build))
			continue;
		e->last = build;
		if (e->nbuilds < BUILDS_SHOWN)
			e->builds[e->nbuilds] = build;
		e->nbuilds++;
	}
}

void plan_diags_finish(struct plan_diags *m)
{
	for (size_t i = 0; i < map_len(&m->seen); i++) {
		const struct entry *e = map_at(&m->seen, i);
		AUTO(buf) struct buf b = BUF_INIT;

		if (e->at >= m->plan->diags.n)
			continue; /* beyond the most that is kept */
		if (e->what)
			buf_printf(&b, "%s of ", e->what);
		buf_adds(&b, e->nbuilds == 1 ? "build " : "builds ");
		for (size_t j = 0; j < MIN(e->nbuilds, (size_t)BUILDS_SHOWN); j++)
			buf_printf(&b, "%s\"%s\"", j ? ", " : "", e->builds[j]);
		if (e->nbuilds > BUILDS_SHOWN)
			buf_printf(&b, " and %zu more", e->nbuilds - BUILDS_SHOWN);
		m->plan->diags.v[e->at].subject = arena_strdup(m->plan->arena, buf_cstr(&b));
	}
	map_release(&m->seen);
}
