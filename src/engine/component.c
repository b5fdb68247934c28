/* Diagnostics of a component's prepare slot: where the option was written, or else at the block. */
#include "engine/component.h"

#include <stdarg.h>

static struct diag *add(struct prepare *p, bool error, const char *option, const char *fmt,
			va_list ap)
{
	const char *text = arena_vprintf(p->arena, fmt, ap);
	const struct value_attr *at = option ? value_attr_find_fold(p->body, option) : NULL;
	struct span span = p->body.span;
	struct diag *g;

	/* What is not known yet is not judged: its stand-in is nobody's mistake. */
	if (error && at && value_has_unknown(at->value))
		return arena_new_obj(p->arena, struct diag);
	if (at)
		span = at->value.span.src ? at->value.span : at->key_span;
	g = error ? diag_error(p->diags, span, "%s: %s", p->component, text)
		  : diag_warning(p->diags, span, "%s: %s", p->component, text);
	if (p->build_name)
		g->subject = arena_printf(p->arena, "build '%s'", p->build_name);
	return g;
}

struct diag *prepare_error(struct prepare *p, const char *option, const char *fmt, ...)
{
	struct diag *g;
	va_list ap;

	va_start(ap, fmt);
	g = add(p, true, option, fmt, ap);
	va_end(ap);
	return g;
}

struct diag *prepare_warning(struct prepare *p, const char *option, const char *fmt, ...)
{
	struct diag *g;
	va_list ap;

	va_start(ap, fmt);
	g = add(p, false, option, fmt, ap);
	va_end(ap);
	return g;
}
