/* Diagnostics of a component's prepare slot: at the option where it was written, else at its block.
 */
#include "engine/component.h"

#include <stdarg.h>

struct span prepare_span(const struct prepare *p, const char *option)
{
	const struct value_attr *a =
		option && value_is_attrs(p->body) ? value_attr_find_fold(p->body, option) : NULL;

	if (!a)
		return p->body.span;
	return a->value.span.src ? a->value.span : a->key_span;
}

static struct diag *add(struct prepare *p, bool error, const char *option, const char *fmt,
			va_list ap)
{
	const char *text = arena_vprintf(p->arena, fmt, ap);
	struct span span = prepare_span(p, option);
	const struct value_attr *written =
		option && value_is_attrs(p->body) ? value_attr_find_fold(p->body, option) : NULL;
	struct diag *g;

	/* What is not known yet is not judged: its stand-in is nobody's mistake. */
	if (error && written && value_has_unknown(written->value))
		return arena_new_obj(p->arena, struct diag);
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
