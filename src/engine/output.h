/* What scripts print: raw bytes cut into lines and told as EVENT_OUTPUT.
 *
 *	struct output out;
 *	output_init(&out, b);
 *	… .on_output = output_feed, .data = &out …
 *	output_end(&out);
 *
 * One event carries all whole lines of one read ('\n' between them), so that a flood of lines costs
 * one event a read, not one a line. Rules of the reference: white space at the end of a
 * line is cut; of a line with '\r' in it only what stands after the last one is shown; a last line
 * without a newline counts as a line. stdout and stderr are cut apart.
 */
#ifndef INGOT_ENGINE_OUTPUT_H
#define INGOT_ENGINE_OUTPUT_H

#include "base/buf.h"
#include "base/proc.h"
#include "engine/build.h"

struct output {
	struct build *b;
	struct buf part[2]; /* by stream: a line that has not ended */
	struct buf lines;   /* scratch */
};

void output_init(struct output *o, struct build *b);
void output_feed(void *output, enum proc_stream s, const char *p, size_t n);
void output_end(struct output *o); /* tells what is left; releases */

#endif
