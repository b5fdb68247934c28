/* PACKER_LOG_PATH: the log file repeats what people saw. */
#include "engine/readers.h"

#include "base/log.h"

static void on_event(void *data, const struct event *e)
{
	AUTO(buf) struct buf text = BUF_INIT;
	bool error = e->kind == EVENT_ERROR || e->error;

	(void)data;
	if (e->kind == EVENT_MACHINE || e->kind == EVENT_STEP || e->kind == EVENT_ANSWERED)
		return;
	event_text(e, &text);
	log_line("ui%s: %s", error ? " error" : "", buf_cstr(&text));
}

void log_reader_add(struct events *s)
{
	if (log_to_file())
		events_add_reader(s, (struct event_reader){ on_event, NULL, NULL });
}
