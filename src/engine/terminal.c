/* The reader for people. All that is to be printed is gathered in one buffer and leaves in one
 * write, so that lines of builds never mix; on a terminal the status lines are taken away before it
 * and drawn again after it. A thread keeps their clocks going. */
#include "engine/readers.h"

#include "engine/status.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLOR_ERROR = 31, TICK_MS = 1000 };

struct terminal {
	struct terminal_options o;
	struct events *events;
	struct buf out;
	struct status *status; /* NULL: no live part */
	bool ended;	       /* no status lines any more */
	bool asking;	       /* a question waits: the cursor is the user's */
	bool ticking;
	pthread_t ticker;
	int stop; /* eventfd */
};

/* Colours cycle by build. */
static int color_of(size_t index)
{
	static const int cycle[] = { 32, 36, 35, 33, 34 };

	return cycle[index % ARRAY_LEN(cycle)];
}

static void add_message(struct terminal *t, const struct event *e, int color, bool timed)
{
	if (color && t->o.color)
		buf_printf(&t->out, "\033[1;%dm", color);
	if (timed && t->o.timestamps) {
		clock_format_rfc3339(&t->out, e->unix_ms, false);
		buf_adds(&t->out, ": ");
	}
	event_text(e, &t->out);
	if (color && t->o.color)
		buf_adds(&t->out, "\033[0m");
	buf_adds(&t->out, e->kind == EVENT_QUESTION ? " " : "\n");
}

/* All lines have the same head and tail: a script may print a million of them. */
static void add_lines(struct terminal *t, const struct event *e)
{
	struct event empty = *e;
	size_t start = t->out.n, head, tail;

	/* "==> NAME:" with what stands around it, taken from a message without text. */
	empty.text = STR("");
	add_message(t, &empty, e->error ? COLOR_ERROR : color_of(e->build_index), true);
	auto_free char *frame = xstrndup(t->out.p + start, t->out.n - start);
	tail = 1 + (t->o.color ? strlen("\033[0m") : 0);
	head = t->out.n - start - tail;
	buf_truncate(&t->out, start);
	for (struct str rest = event_lines(e), line; event_next_line(&rest, &line);) {
		buf_reserve(&t->out, head + 1 + line.n + tail + 1);
		char *p = t->out.p + t->out.n;

		memcpy(p, frame, head);
		p += head;
		if (line.n) {
			*p++ = ' ';
			memcpy(p, line.p, line.n);
			p += line.n;
		}
		memcpy(p, frame + head, tail);
		t->out.n = (size_t)(p + tail - t->out.p);
		t->out.p[t->out.n] = 0;
	}
}

static void on_step(struct terminal *t, const struct event *e)
{
	struct event colored = *e;

	if (!t->status)
		return;
	colored.build_index = (size_t)color_of(e->build_index);
	status_step(t->status, &colored);
}

static void on_event(void *data, const struct event *e)
{
	struct terminal *t = data;

	switch (e->kind) {
	case EVENT_SAY:
		add_message(t, e, color_of(e->build_index), true);
		break;
	case EVENT_QUESTION:
		t->asking = true;
		add_message(t, e, color_of(e->build_index), true);
		break;
	case EVENT_ANSWERED:
		t->asking = false;
		break;
	case EVENT_OUTPUT:
		add_lines(t, e);
		break;
	case EVENT_ERROR:
		add_message(t, e, COLOR_ERROR, true);
		break;
	case EVENT_PLAIN:
		add_message(t, e,
			    !e->build  ? 0
			    : e->error ? COLOR_ERROR
				       : color_of(e->build_index),
			    e->build != NULL);
		break;
	case EVENT_LEGEND:
		if (t->o.legend)
			add_message(t, e, e->build ? color_of(e->build_index) : 0, false);
		break;
	case EVENT_STEP:
		on_step(t, e);
		break;
	case EVENT_MACHINE:
		break;
	}
}

static void draw_status(struct terminal *t)
{
	struct winsize size = { 0 };

	if (!t->status || t->ended || t->asking || !status_any(t->status))
		return;
	if (ioctl(t->o.fd, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	status_draw(t->status, size.ws_row, size.ws_col, &t->out);
}

static void on_flush(void *data)
{
	struct terminal *t = data;

	if (t->status) {
		AUTO(buf) struct buf erase = BUF_INIT;

		status_erase(t->status, &erase);
		buf_insert(&t->out, 0, buf_cstr(&erase), erase.n);
		draw_status(t);
	}
	if (t->out.n && os_write_all(t->o.fd, t->out.p, t->out.n) < 0)
		log_line("standard output: %m");
	buf_reset(&t->out);
}

static void *tick(void *data)
{
	struct terminal *t = data;
	struct pollfd p = { .fd = t->stop, .events = POLLIN };

	for (;;) {
		int n = poll(&p, 1, TICK_MS);

		if (n > 0 || (n < 0 && errno != EINTR))
			return NULL;
		events_hold(t->events);
		events_release(t->events); /* flushes, which draws */
	}
}

struct terminal *terminal_new(struct events *s, const struct terminal_options *o)
{
	struct terminal *t = xcalloc(1, sizeof(*t));

	t->o = *o;
	t->events = s;
	t->stop = -1;
	events_add_reader(s, (struct event_reader){ on_event, on_flush, t });
	if (!o->status)
		return t;
	t->status = status_new(o->color);
	t->stop = eventfd(0, EFD_CLOEXEC);
	t->ticking = t->stop >= 0 && pthread_create(&t->ticker, NULL, tick, t) == 0;
	return t;
}

void terminal_end_status(struct terminal *t)
{
	if (t)
		t->ended = true;
}

void terminal_free(struct terminal *t)
{
	if (!t)
		return;
	if (t->ticking) {
		if (os_write_all(t->stop, &(uint64_t){ 1 }, sizeof(uint64_t)) == 0)
			pthread_join(t->ticker, NULL);
	}
	fd_close(&t->stop);
	if (t->status) {
		status_erase(t->status, &t->out);
		if (t->out.n && os_write_all(t->o.fd, t->out.p, t->out.n) < 0)
			log_line("standard output: %m");
	}
	status_free(t->status);
	buf_release(&t->out);
	free(t);
}
