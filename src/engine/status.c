/* Status lines: name, step and elapsed time of each running build, as many as fit into a third of
 * the screen. The cursor stands at the end of the last one while they are shown. */
#include "engine/status.h"

#include "base/clock.h"
#include "base/vec.h"

struct running {
	char *name;
	char *step;
	size_t color;
	int64_t since_ms;
};

struct status {
	bool color;
	size_t drawn; /* lines on the screen */
	VEC(struct running) builds;
};

struct status *status_new(bool color)
{
	struct status *s = xcalloc(1, sizeof(*s));

	s->color = color;
	return s;
}

static void forget(struct status *s, size_t i)
{
	free(s->builds.v[i].name);
	free(s->builds.v[i].step);
	vec_remove(&s->builds, i);
}

void status_free(struct status *s)
{
	if (!s)
		return;
	while (s->builds.n)
		forget(s, s->builds.n - 1);
	vec_release(&s->builds);
	free(s);
}

bool status_any(const struct status *s)
{
	return s->builds.n > 0;
}

void status_step(struct status *s, const struct event *e)
{
	size_t i = 0;

	while (i < s->builds.n && !streq(s->builds.v[i].name, e->build))
		i++;
	if (!e->text.n) {
		if (i < s->builds.n)
			forget(s, i);
		return;
	}
	if (i == s->builds.n)
		vec_push(&s->builds, (struct running){ .name = xstrdup(e->build),
						       .color = e->build_index,
						       .since_ms = clock_ms() });
	free(s->builds.v[i].step);
	s->builds.v[i].step = xstrndup(e->text.p, e->text.n);
}

void status_erase(struct status *s, struct buf *out)
{
	if (!s->drawn)
		return;
	buf_addc(out, '\r');
	if (s->drawn > 1)
		buf_printf(out, "\033[%zuA", s->drawn - 1);
	buf_adds(out, "\033[J");
	s->drawn = 0;
}

static void draw_one(const struct status *s, const struct running *r, size_t columns,
		     struct buf *out)
{
	AUTO(buf) struct buf line = BUF_INIT;
	int64_t seconds = (clock_ms() - r->since_ms) / 1000;
	char time[32];
	size_t time_len, room;

	if (seconds >= 3600)
		time_len = (size_t)snprintf(
			time, sizeof(time), " %lld:%02lld:%02lld", (long long)(seconds / 3600),
			(long long)(seconds / 60 % 60), (long long)(seconds % 60));
	else
		time_len = (size_t)snprintf(time, sizeof(time), " %lld:%02lld",
					    (long long)(seconds / 60), (long long)(seconds % 60));
	buf_printf(&line, "%s: %s", r->name, r->step);
	room = columns > time_len + 3 ? columns - time_len - 3 : 0;
	if (line.n > room) {
		while (room && ((unsigned char)line.p[room] & 0xc0) == 0x80)
			room--; /* not in the middle of a character */
		buf_truncate(&line, room);
	}
	if (s->color)
		buf_printf(out, "\033[%zum", r->color);
	buf_printf(out, "> %s%s", buf_cstr(&line), time);
	if (s->color)
		buf_adds(out, "\033[0m");
}

void status_draw(struct status *s, size_t rows, size_t columns, struct buf *out)
{
	enum { MOST = 10 };
	size_t fit = MAX((size_t)1, MIN((size_t)MOST, rows / 3));
	size_t shown = s->builds.n <= fit ? s->builds.n : fit - 1;

	for (size_t i = 0; i < shown; i++) {
		buf_adds(out, i ? "\r\n" : "");
		draw_one(s, &s->builds.v[i], columns, out);
	}
	s->drawn = shown;
	if (shown < s->builds.n) {
		buf_printf(out, "%s> %s%zu builds are running", shown ? "\r\n" : "",
			   shown ? "… of " : "", s->builds.n);
		s->drawn++;
	}
}
