/* -machine-readable: every message is a ui line, data events are lines of their own type. */
#include "engine/readers.h"

#include "engine/machine.h"

#include "base/log.h"
#include "base/os.h"

struct machine_reader {
	int fd;
	struct buf out, text;
};

static void ui_line(struct machine_reader *m, const struct event *e, const char *kind)
{
	buf_reset(&m->text);
	event_text(e, &m->text);
	machine_line(&m->out, e->unix_ms / 1000, NULL, "ui",
		     (const char *[]){ kind, buf_cstr(&m->text), NULL });
}

/* What a script printed: each line is a message. */
static void output_lines(struct machine_reader *m, const struct event *e)
{
	struct event one = *e;

	for (struct str rest = event_lines(e); event_next_line(&rest, &one.text);)
		ui_line(m, &one, e->error ? "error" : "say");
}

static void on_event(void *data, const struct event *e)
{
	struct machine_reader *m = data;

	switch (e->kind) {
	case EVENT_SAY:
		ui_line(m, e, "say");
		break;
	case EVENT_OUTPUT:
		output_lines(m, e);
		break;
	case EVENT_ERROR:
		ui_line(m, e, "error");
		break;
	case EVENT_PLAIN:
		ui_line(m, e, e->error ? "error" : "say");
		break;
	case EVENT_MACHINE:
		machine_line(&m->out, e->unix_ms / 1000, e->build, e->type, e->data);
		break;
	case EVENT_LEGEND:
	case EVENT_STEP:
	case EVENT_QUESTION:
	case EVENT_ANSWERED:
		break;
	}
}

static void on_flush(void *data)
{
	struct machine_reader *m = data;

	if (m->out.n && os_write_all(m->fd, m->out.p, m->out.n) < 0)
		log_line("standard output: %m");
	buf_reset(&m->out);
}

struct machine_reader *machine_reader_new(struct events *s, int fd)
{
	struct machine_reader *m = xcalloc(1, sizeof(*m));

	m->fd = fd;
	events_add_reader(s, (struct event_reader){ on_event, on_flush, m });
	return m;
}

void machine_reader_free(struct machine_reader *m)
{
	if (!m)
		return;
	buf_release(&m->out);
	buf_release(&m->text);
	free(m);
}
