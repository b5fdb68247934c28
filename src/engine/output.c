/* Cuts script output into lines; a line is held back until it ends or grows past LINE_MAX_BYTES. */
#include "engine/output.h"

#include <string.h>

#define LINE_MAX_BYTES ((size_t)1 << 20)

void output_init(struct output *o, struct build *b)
{
	*o = (struct output){ .b = b };
}

/* memrchr over what is shown of a line, then the end's white space. */
static void add_line(struct buf *lines, const char *p, size_t n)
{
	const char *cr;

	while (n && (p[n - 1] == ' ' || (p[n - 1] >= '\t' && p[n - 1] <= '\r')))
		n--;
	cr = n ? memrchr(p, '\r', n) : NULL;
	if (cr) {
		n -= (size_t)(cr + 1 - p);
		p = cr + 1;
	}
	buf_add(lines, p, n);
	buf_addc(lines, '\n');
}

static void tell(struct output *o)
{
	if (!o->lines.n)
		return;
	build_output(o->b, str_slice(buf_str(&o->lines), 0, o->lines.n - 1));
	buf_reset(&o->lines);
}

void output_feed(void *output, enum proc_stream s, const char *p, size_t n)
{
	struct output *o = output;
	struct buf *part = &o->part[s];
	const char *end = p + n, *newline;

	while (p < end && (newline = memchr(p, '\n', (size_t)(end - p)))) {
		if (part->n) {
			buf_add(part, p, (size_t)(newline - p));
			add_line(&o->lines, part->p, part->n);
			buf_reset(part);
		} else {
			add_line(&o->lines, p, (size_t)(newline - p));
		}
		p = newline + 1;
	}
	buf_add(part, p, (size_t)(end - p));
	if (part->n > LINE_MAX_BYTES) {
		add_line(&o->lines, part->p, part->n);
		buf_reset(part);
	}
	tell(o);
}

void output_end(struct output *o)
{
	for (int s = PROC_STDOUT; s <= PROC_STDERR; s++) {
		if (o->part[s].n)
			add_line(&o->lines, o->part[s].p, o->part[s].n);
		buf_release(&o->part[s]);
	}
	tell(o);
	buf_release(&o->lines);
}
