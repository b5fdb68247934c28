/* Everything a build tells is an event: typed, timestamped, one stream. The terminal,
 * -machine-readable, -json, the log file and the report are readers of it. Secrets are removed here
 * and nowhere else, in every encoding they can take (raw, JSON, shell, base64, URI, each line of
 * several).
 */
#ifndef INGOT_ENGINE_EVENT_H
#define INGOT_ENGINE_EVENT_H

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

enum event_kind {
	EVENT_SAY,	/* progress of a build: "==> NAME: text" */
	EVENT_OUTPUT,	/* whole lines of a script, '\n' between them: a message each */
	EVENT_ERROR,	/* an error of a build, red */
	EVENT_PLAIN,	/* text without an arrow, of a build ("Build '…' finished") or of none */
	EVENT_LEGEND,	/* "NAME: output will be in this color.", and the empty line after them */
	EVENT_MACHINE,	/* only for -machine-readable: type and data fields */
	EVENT_STEP,	/* a build's step starts (empty text: it is over), for the status line */
	EVENT_QUESTION, /* a question, no newline after it */
	EVENT_ANSWERED, /* it was answered (or cancelled) */
};

struct event {
	enum event_kind kind;
	int64_t unix_ms;
	const char *build;  /* name, or NULL */
	const char *part;   /* post-processor's type ("NAME (TYPE):"), or NULL */
	size_t build_index; /* colour */
	bool error;	    /* EVENT_PLAIN: of a failure; EVENT_OUTPUT: from stderr */
	struct str text;
	const char *type;	 /* EVENT_MACHINE */
	const char *const *data; /* EVENT_MACHINE: NULL-terminated */
};

struct event_reader {
	/* Called under the stream's lock, one at a time. */
	void (*on_event)(void *data, const struct event *e);
	/* After one event or a held batch, under the same lock; may be NULL. */
	void (*on_flush)(void *data);
	void *data;
};

struct events; /* the stream */

struct events *events_new(void);
void events_free(struct events *s);
void events_add_reader(struct events *s, struct event_reader r); /* before builds start */
/* Any thread, any time; what is shorter than 3 bytes is left alone. */
void events_add_secret(struct events *s, const char *secret);
/* Any thread: redacts, stamps, tells the readers. */
void events_emit(struct events *s, const struct event *e);
/* A batch: until events_release() other threads wait and readers do not flush. May be nested. */
void events_hold(struct events *s);
void events_release(struct events *s);
/* Holds the stream for good, or gives up after `ms` (a reader hangs): for the last words of a
 * program that stops at once. */
void events_seize(struct events *s, int64_t ms);
/* Secrets taken out of any other text (the log). */
void events_redact(struct events *s, struct str text, struct buf *out);

/* "==> NAME: text" with the arrow before each line and white space cut at the end, as every reader
 * for people shows it; text without an arrow for the kinds that have none. */
void event_text(const struct event *e, struct buf *out);
/* The lines of a text, at least one:
 *	for (struct str rest = event_lines(e), line; event_next_line(&rest, &line);) … */
struct str event_lines(const struct event *e);
bool event_next_line(struct str *rest, struct str *ret_line);

#endif
