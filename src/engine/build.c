/* A running build: what it says, its values, decoding of its components. */
#include "engine/build.h"

#include "engine/inner.h"

#include "communicator/communicator.h"

#include "base/clock.h"
#include "base/log.h"

#include <assert.h>
#include <stdarg.h>

void build_init(struct build *b, struct run *run, const struct plan *plan,
		const struct plan_build *spec, size_t index, pthread_mutex_t *ask_lock)
{
	*b = (struct build){ .run = run, .plan = plan, .spec = spec, .index = index };
	b->arena = arena_new();
	b->cancel = cancel_new(run->cancel);
	b->inner = xcalloc(1, sizeof(*b->inner));
	b->inner->ask_lock = ask_lock;
	b->inner->started_ns = clock_ns();
	build_set(b, "PackerRunUUID", run->uuid);
}

void build_release(struct build *b)
{
	communicator_free(b->comm);
	cancel_free(b->cancel);
	map_release(&b->generated);
	arena_free(b->arena);
	free(b->inner->provision_error);
	free(b->inner->cleanup_error);
	free(b->inner);
}

static void emit(struct build *b, enum event_kind kind, bool error, struct str text)
{
	events_emit(b->run->events, &(struct event){ .kind = kind,
						     .error = error,
						     .build = b->spec->name,
						     .part = b->part,
						     .build_index = b->index,
						     .text = text });
}

static void vemit(struct build *b, enum event_kind kind, bool error, const char *fmt, va_list ap)
{
	AUTO(buf) struct buf text = BUF_INIT;

	buf_vprintf(&text, fmt, ap);
	emit(b, kind, error, buf_str(&text));
}

void build_say(struct build *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vemit(b, EVENT_SAY, false, fmt, ap);
	va_end(ap);
}

void build_error(struct build *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vemit(b, EVENT_ERROR, true, fmt, ap);
	va_end(ap);
}

void build_plain(struct build *b, bool error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vemit(b, EVENT_PLAIN, error, fmt, ap);
	va_end(ap);
}

void build_output(struct build *b, bool error, struct str lines)
{
	emit(b, EVENT_OUTPUT, error, lines);
}

void build_step(struct build *b, const char *fmt, ...)
{
	va_list ap;
	char *label;

	va_start(ap, fmt);
	label = arena_vprintf(b->arena, fmt, ap);
	va_end(ap);
	b->step = label;
	emit(b, EVENT_STEP, false, str_from(label));
	if (*label)
		log_line("[INFO] (%s) %s", b->spec->name, label);
}

void run_plain(struct run *run, bool error, const char *fmt, ...)
{
	AUTO(buf) struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	events_emit(run->events,
		    &(struct event){ .kind = EVENT_PLAIN, .error = error, .text = buf_str(&text) });
}

void run_machine(struct run *run, const char *target, const char *type, ...)
{
	enum { MAX_FIELDS = 8 };
	const char *data[MAX_FIELDS + 1] = { NULL };
	va_list ap;

	va_start(ap, type);
	for (size_t i = 0; i < MAX_FIELDS && (data[i] = va_arg(ap, const char *)); i++)
		;
	va_end(ap);
	events_emit(run->events,
		    &(struct event){
			    .kind = EVENT_MACHINE, .build = target, .type = type, .data = data });
}

void build_secret(struct build *b, const char *secret)
{
	if (secret)
		events_add_secret(b->run->events, secret);
}

void build_set(struct build *b, const char *name, const char *value)
{
	map_sets(&b->generated, name, arena_strdup(b->arena, value));
}

const char *build_get(const struct build *b, const char *name)
{
	return map_gets(&b->generated, name);
}

int build_render(struct build *b, struct value dot, const char *text, struct str *ret,
		 struct err *err)
{
	struct plan_data data = { .values = &b->generated };

	assert(b->component && "only while a component runs");
	return b->component->render(b->component, &data, b->arena, dot, str_from(text), ret, err);
}

int build_decode(struct build *b, const struct plan_component *c, struct arena *a, void **ret,
		 struct err *err)
{
	struct plan_data data = { .values = &b->generated };
	AUTO(buf) struct buf text = BUF_INIT;
	struct diags diags;
	struct str why;

	diags_init(&diags, a);
	if (c->decode(c, &data, a, &diags, ret) == 0 && !diags.errors)
		return 0;
	diags_render(&diags, &text);
	why = str_trim(buf_str(&text));
	return err_set(err, ERR_INVALID, "%s: " STR_FMT, c->type, STR_ARG(why));
}

struct cancel *build_gone(const struct build *b)
{
	return b->run->local ? b->run->local->gone : NULL;
}

struct cancel *build_swap_cancel(struct build *b, struct cancel *c)
{
	struct cancel *before = b->cancel;

	b->cancel = c;
	if (b->comm)
		b->comm->cancel = c;
	return before;
}
