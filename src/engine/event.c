/* The event stream: one lock, under which text is redacted and the readers are told. */
#include "engine/event.h"

#include "engine/redact.h"

#include "base/clock.h"
#include "base/vec.h"

#include <pthread.h>

enum { MAX_DATA = 8 };

struct events {
	pthread_mutex_t lock; /* recursive: batches */
	/* Held for moments only, also by the log while a reader is busy. */
	pthread_mutex_t secrets_lock;
	VEC(struct event_reader) readers;
	struct redact *redact;
	size_t held;
	struct buf text, data[MAX_DATA]; /* scratch for redacted text */
};

struct events *events_new(void)
{
	struct events *s = xcalloc(1, sizeof(*s));
	pthread_mutexattr_t recursive;

	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&s->lock, &recursive);
	pthread_mutexattr_destroy(&recursive);
	pthread_mutex_init(&s->secrets_lock, NULL);
	s->redact = redact_new();
	return s;
}

void events_free(struct events *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->secrets_lock);
	redact_free(s->redact);
	buf_release(&s->text);
	for (size_t i = 0; i < MAX_DATA; i++)
		buf_release(&s->data[i]);
	vec_release(&s->readers);
	free(s);
}

void events_add_reader(struct events *s, struct event_reader r)
{
	pthread_mutex_lock(&s->lock);
	vec_push(&s->readers, r);
	pthread_mutex_unlock(&s->lock);
}

void events_add_secret(struct events *s, const char *secret)
{
	pthread_mutex_lock(&s->secrets_lock);
	redact_add(s->redact, str_from(secret));
	pthread_mutex_unlock(&s->secrets_lock);
}

void events_redact(struct events *s, struct str text, struct buf *out)
{
	pthread_mutex_lock(&s->secrets_lock);
	redact_text(s->redact, text, out);
	pthread_mutex_unlock(&s->secrets_lock);
}

static struct str clean(struct events *s, struct str text, struct buf *scratch)
{
	buf_reset(scratch);
	redact_text(s->redact, text, scratch);
	return buf_str(scratch);
}

/* Replaces what e points to by redacted copies, which live until the next event. */
static void redact_event(struct events *s, struct event *e, const char *data[MAX_DATA + 1])
{
	pthread_mutex_lock(&s->secrets_lock);
	if (redact_any(s->redact)) {
		e->text = clean(s, e->text, &s->text);
		for (size_t i = 0; e->data && e->data[i] && i < MAX_DATA; i++)
			data[i] = clean(s, str_from(e->data[i]), &s->data[i]).p;
		if (e->data)
			e->data = data;
	}
	pthread_mutex_unlock(&s->secrets_lock);
}

void events_emit(struct events *s, const struct event *e)
{
	const char *data[MAX_DATA + 1] = { NULL };
	struct event out = *e;

	out.unix_ms = clock_unix_ms();
	events_hold(s);
	redact_event(s, &out, data);
	for (size_t i = 0; i < s->readers.n; i++)
		s->readers.v[i].on_event(s->readers.v[i].data, &out);
	events_release(s);
}

void events_hold(struct events *s)
{
	pthread_mutex_lock(&s->lock);
	s->held++;
}

void events_release(struct events *s)
{
	if (--s->held == 0) {
		for (size_t i = 0; i < s->readers.n; i++)
			if (s->readers.v[i].on_flush)
				s->readers.v[i].on_flush(s->readers.v[i].data);
	}
	pthread_mutex_unlock(&s->lock);
}

void events_seize(struct events *s, int64_t ms)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	pthread_mutex_timedlock(&s->lock, &end);
}

static bool is_arrowed(enum event_kind kind)
{
	return kind == EVENT_SAY || kind == EVENT_OUTPUT || kind == EVENT_ERROR ||
	       kind == EVENT_QUESTION;
}

struct str event_lines(const struct event *e)
{
	return e->text.p ? e->text : STR("");
}

bool event_next_line(struct str *rest, struct str *ret_line)
{
	const char *newline;

	if (!rest->p)
		return false;
	newline = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	if (newline) {
		*ret_line = str_slice(*rest, 0, (size_t)(newline - rest->p));
		*rest = str_slice(*rest, ret_line->n + 1, rest->n);
	} else {
		*ret_line = *rest;
		*rest = (struct str){ NULL, 0 };
	}
	return true;
}

void event_text(const struct event *e, struct buf *out)
{
	size_t from = out->n;

	if (!is_arrowed(e->kind)) {
		buf_add_str(out, e->text);
		return;
	}
	for (struct str rest = event_lines(e), line; event_next_line(&rest, &line);) {
		buf_adds(out, out->n > from ? "\n==> " : "==> ");
		buf_adds(out, e->build);
		if (e->part) {
			buf_adds(out, " (");
			buf_adds(out, e->part);
			buf_addc(out, ')');
		}
		buf_adds(out, ": ");
		buf_add_str(out, line);
	}
	while (out->n > from && strchr(" \t\n\v\f\r", out->p[out->n - 1]))
		buf_truncate(out, out->n - 1);
}
