/* Collecting diagnostics and showing them with their source line and a caret. */
#include "base/diag.h"

#include "base/cluster.h"

#include <stdarg.h>
#include <string.h>

#define DIAGS_MAX 1000
#define LINE_SHOWN_MAX 500 /* bytes of a source line that are shown */
#define LINES_BETWEEN_MAX 2 /* more of them are left out */

struct source *source_new(struct arena *a, const char *name, struct str text)
{
	struct source *s = arena_new_obj(a, struct source);
	const char *nl = text.p;
	size_t lines = 1;

	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	s->name = arena_strdup(a, streq(name, "-") ? "<stdin>" : name);
	s->text = text;
	/* Line starts are found here once: a source is shared by threads later. */
	s->nlines = lines;
	s->line_starts = arena_new_array(a, uint32_t, lines);
	for (lines = 1; lines < s->nlines; lines++) {
		nl = (const char *)memchr(nl, '\n', text.n - (size_t)(nl - text.p)) + 1;
		s->line_starts[lines] = (uint32_t)(nl - text.p);
	}
	return s;
}

struct position source_position(const struct source *src, uint32_t offset)
{
	size_t low = 0, high = src->nlines;
	struct position p = { 0 };
	struct str before;

	offset = (uint32_t)MIN((size_t)offset, src->text.n);
	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (src->line_starts[mid] <= offset)
			low = mid;
		else
			high = mid;
	}
	p.line = (uint32_t)low + 1;
	p.column = offset - src->line_starts[low] + 1;
	p.column_chars = 1;
	before = str_slice(src->text, src->line_starts[low], offset);
	for (size_t i = 0; i < before.n; i += str_cluster(before, i))
		p.column_chars++;
	return p;
}

/* A line without its end. */
static struct str source_line(const struct source *src, uint32_t line)
{
	size_t from, to;

	if (line < 1 || line > src->nlines)
		return (struct str){ "", 0 };
	from = src->line_starts[line - 1];
	to = line < src->nlines ? src->line_starts[line] - 1 : src->text.n;
	if (to > from && src->text.p[to - 1] == '\r')
		to--;
	return str_slice(src->text, from, to);
}

void diags_init(struct diags *d, struct arena *a)
{
	*d = (struct diags){ .arena = a };
}

static struct diag *add(struct diags *d, enum diag_severity severity, struct span span,
			const char *summary, va_list ap)
{
	size_t max = d->max ? d->max : DIAGS_MAX;
	struct diag *g;

	*(severity == DIAG_ERROR ? &d->errors : &d->warnings) += 1;
	if (d->n >= max) /* counted, not kept; the caller still gets something to fill in */
		return arena_new_obj(d->arena, struct diag);
	if (d->n == d->cap) {
		size_t cap = MAX(d->cap * 2, (size_t)16);

		d->v = arena_grow(d->arena, d->v, d->n * sizeof(*d->v), cap * sizeof(*d->v));
		d->cap = cap;
	}
	g = &d->v[d->n++];
	*g = (struct diag){ .severity = severity,
			    .span = span,
			    .summary = arena_vprintf(d->arena, summary, ap),
			    .label = severity == DIAG_ERROR ? d->label : NULL };
	return g;
}

struct diag *diag_error(struct diags *d, struct span span, const char *summary, ...)
{
	struct diag *g;
	va_list ap;

	va_start(ap, summary);
	g = add(d, DIAG_ERROR, span, summary, ap);
	va_end(ap);
	return g;
}

struct diag *diag_warning(struct diags *d, struct span span, const char *summary, ...)
{
	struct diag *g;
	va_list ap;

	va_start(ap, summary);
	g = add(d, DIAG_WARNING, span, summary, ap);
	va_end(ap);
	return g;
}

struct diag *diag_detail(struct diags *d, struct diag *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	g->detail = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
	return g;
}

void diags_add(struct diags *d, const struct diags *from, const char *subject)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct diag *g = &from->v[i];
		struct diag *copy = g->severity == DIAG_ERROR
					    ? diag_error(d, g->span, "%s", g->summary)
					    : diag_warning(d, g->span, "%s", g->summary);
		const char *label = copy->label;

		*copy = *g;
		if (!copy->label)
			copy->label = label;
		if (!copy->subject)
			copy->subject = subject;
	}
}

static void render_line(uint32_t number, struct str line, struct buf *out)
{
	buf_printf(out, "  %4u: ", number);
	for (size_t i = 0; i < line.n; i++)
		buf_addc(out, line.p[i] == '\t' || (uint8_t)line.p[i] >= 0x20 ? line.p[i] : '?');
	buf_addc(out, '\n');
}

static void render_short(const struct source *src, uint32_t number, struct buf *out)
{
	struct str line = source_line(src, number);

	render_line(number, str_slice(line, 0, MIN(line.n, (size_t)LINE_SHOWN_MAX)), out);
}

/* The line where the enclosing thing began, when it is another one, and those between: where there
 * are many, the last. */
static void render_context(const struct span *context, struct position at, struct buf *out)
{
	uint32_t line;

	if (!context->src)
		return;
	line = source_position(context->src, context->from).line;
	if (line >= at.line)
		return;
	render_short(context->src, line, out);
	if (at.line - line > 1 + LINES_BETWEEN_MAX) {
		buf_adds(out, "        …\n");
		line = at.line - 2;
	}
	while (++line < at.line)
		render_short(context->src, line, out);
}

static bool ends_line(struct str text, size_t i)
{
	return i < text.n && (text.p[i] == '\n' || text.p[i] == '\r');
}

/* The line, and under it a caret with tildes to the end of the span (or of the line). Where
 * something is missing at the end of a line, the next one shows what came instead. */
static void render_source(const struct span *span, struct position at, struct buf *out)
{
	struct str line = source_line(span->src, at.line);
	size_t from = MIN((size_t)at.column - 1, line.n), skip = 0;
	size_t to =
		MIN(from + MAX((size_t)span->to - MIN(span->to, span->from), (size_t)1), line.n);
	bool first = true;

	if (line.n > LINE_SHOWN_MAX) { /* a window around the mistake */
		skip = from > LINE_SHOWN_MAX / 2 ? from - LINE_SHOWN_MAX / 2 : 0;
		line = str_slice(line, skip, MIN(line.n, skip + LINE_SHOWN_MAX));
		from -= skip;
		to = MIN(to - skip, line.n);
	}
	render_line(at.line, line, out);
	buf_adds(out, "        ");
	for (size_t i = 0; i < MAX(to, from + 1); i++) {
		if (i < line.n && ((uint8_t)line.p[i] & 0xc0) == 0x80)
			continue;
		if (i < from) {
			buf_addc(out, i < line.n && line.p[i] == '\t' ? '\t' : ' ');
			continue;
		}
		buf_addc(out, first ? '^' : '~');
		first = false;
	}
	buf_addc(out, '\n');
	if (ends_line(span->src->text, span->from) && source_line(span->src, at.line + 1).n)
		render_short(span->src, at.line + 1, out);
}

/* The name of the part of the source that the mistake is in, or NULL. */
static const char *part_title(const struct span *span)
{
	for (size_t i = 0; i < span->src->nparts; i++)
		if (span->from >= span->src->parts[i].from && span->from <= span->src->parts[i].to)
			return span->src->parts[i].title;
	return NULL;
}

void diag_render(const struct diag *g, struct buf *out)
{
	const char *label = g->severity == DIAG_ERROR ? "Error" : "Warning";
	const char *subject = g->subject;

	buf_printf(out, "%s: %s\n\n", g->label ? g->label : label, g->summary);
	if (g->span.src) {
		struct position at = source_position(g->span.src, g->span.from),
				shown = g->at.line ? g->at : at;

		buf_printf(out, "  on %s line %u, column %u", g->span.src->name, shown.line,
			   shown.column_chars);
		if (!subject)
			subject = part_title(&g->span);
		if (subject)
			buf_printf(out, ", in %s", subject);
		buf_adds(out, ":\n");
		if (!g->secret_line) {
			render_context(&g->context, at, out);
			render_source(&g->span, at, out);
		}
	} else if (g->subject) {
		buf_printf(out, "  in %s\n", g->subject);
	}
	if (g->values)
		buf_printf(out, "    %s\n", g->values);
	if (g->detail)
		buf_printf(out, "%s%s\n", g->span.src || g->subject ? "\n" : "", g->detail);
	buf_addc(out, '\n');
}

void diags_render(const struct diags *d, struct buf *out)
{
	for (int severity = DIAG_WARNING; severity >= DIAG_ERROR; severity--)
		for (size_t i = 0; i < d->n; i++)
			if ((int)d->v[i].severity == severity)
				diag_render(&d->v[i], out);
	if (d->errors + d->warnings > d->n)
		buf_printf(out, "%zu further diagnostics are not shown.\n",
			   d->errors + d->warnings - d->n);
}
