/* Everything a build tells is an event: typed, timestamped, one stream. The terminal, -machine-readable,
 * -json, the log file and the report are readers of it. Secrets are removed here and nowhere else, in
 * every encoding they can take (raw, JSON, shell, base64, URI, each line of several).
 */
#ifndef INGOT_ENGINE_EVENT_H
#define INGOT_ENGINE_EVENT_H

#include "base/base.h"
#include "base/str.h"

enum event_kind {
	EVENT_SAY,	/* progress of a build: "==> NAME: text" */
	EVENT_OUTPUT,	/* whole lines a script printed, '\n' between them; each is a message of its own */
	EVENT_ERROR,	/* an error of a build, red */
	EVENT_PLAIN,	/* text without an arrow: legend, closing lines, Build '…' finished */
	EVENT_MACHINE,	/* only for -machine-readable: type and data fields */
	EVENT_STEP,	/* a step starts or ends: the status line */
	EVENT_QUESTION, /* a question, no newline after it */
};

struct event {
	enum event_kind kind;
	int64_t unix_ms;
	const char *build;  /* name, or NULL */
	const char *part;   /* post-processor's type ("NAME (TYPE):"), or NULL */
	size_t build_index; /* colour */
	struct str text;
	const char *type;	 /* EVENT_MACHINE */
	const char *const *data; /* EVENT_MACHINE: NULL-terminated */
};

struct event_reader {
	void (*on_event)(void *data, const struct event *e); /* called under the stream's lock, one at a time */
	void *data;
};

struct events; /* the stream */

struct events *events_new(void);
void events_free(struct events *s);
void events_add_reader(struct events *s, struct event_reader r); /* before builds start */
void events_add_secret(struct events *s, const char *secret);	   /* any time; short ones (< 3 bytes) are left alone */
void events_emit(struct events *s, struct event *e);		   /* any thread; redacts, stamps, tells readers */

#endif
