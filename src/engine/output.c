/* Cuts script output into lines; a line is held back until it ends or grows past LINE_MAX_BYTES. */
#include "engine/output.h"

#include <string.h>

#define LINE_MAX_BYTES ((size_t)1 << 20)

void output_init(struct output *o, struct build *b)
{
	*o = (struct output){ .b = b };
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* memrchr over what is shown of a line, then the end's white space. */
static void add_line(struct buf *lines, const char *p, size_t n)
{
	const char *cr;

	while (n && is_space(p[n - 1]))
		n--;
	cr = n ? memrchr(p, '\r', n) : NULL;
	if (cr) {
		n -= (size_t)(cr + 1 - p);
		p = cr + 1;
	}
	buf_add(lines, p, n);
	buf_addc(lines, '\n');
}

static void tell(struct output *o, enum proc_stream s)
{
	if (!o->lines.n)
		return;
	build_output(o->b, s == PROC_STDERR, str_slice(buf_str(&o->lines), 0, o->lines.n - 1));
	buf_reset(&o->lines);
}

/* Whole lines, the last one ends with '\n'. Runs of lines that need no change are copied at once.
 */
static void add_lines(struct buf *lines, const char *p, const char *end)
{
	const char *run = p;
	bool has_cr = memchr(p, '\r', (size_t)(end - p));

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));

		if (has_cr || (newline > p && is_space(newline[-1]))) {
			buf_add(lines, run, (size_t)(p - run));
			add_line(lines, p, (size_t)(newline - p));
			run = newline + 1;
		}
		p = newline + 1;
	}
	buf_add(lines, run, (size_t)(end - run));
}

void output_feed(void *output, enum proc_stream s, const char *p, size_t n)
{
	struct output *o = output;
	struct buf *part = &o->part[s];
	const char *end = p + n, *newline = n ? memrchr(p, '\n', n) : NULL;

	if (newline && part->n) {
		const char *first = memchr(p, '\n', n);

		buf_add(part, p, (size_t)(first - p));
		add_line(&o->lines, part->p, part->n);
		buf_reset(part);
		p = first + 1;
	}
	if (newline && p <= newline) {
		add_lines(&o->lines, p, newline + 1);
		p = newline + 1;
	}
	buf_add(part, p, (size_t)(end - p));
	if (part->n > LINE_MAX_BYTES) {
		add_line(&o->lines, part->p, part->n);
		buf_reset(part);
	}
	tell(o, s);
}

void output_end(struct output *o)
{
	for (enum proc_stream s = PROC_STDOUT; s <= PROC_STDERR; s++) {
		if (o->part[s].n)
			add_line(&o->lines, o->part[s].p, o->part[s].n);
		buf_release(&o->part[s]);
		tell(o, s);
	}
	buf_release(&o->lines);
}
