/* Diagnostics of templates and flags: collected, never printed here.
 *
 * A source is a text with a name; a span is a byte range in it. Checking goes on after a
 * diagnostic, so that a user sees all mistakes at once. Rendering (with source line and caret) is
 * diag_render. Not for sharing between threads.
 */
#ifndef INGOT_BASE_DIAG_H
#define INGOT_BASE_DIAG_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

/* A part of a source that has a name, as messages say where something is: `source "null" "a"`. */
struct source_part {
	uint32_t from, to;
	const char *title;
};

struct source {
	const char *name; /* as the user wrote it; "-" is shown as <stdin> */
	struct str text;
	const struct source_part *parts; /* in order; set by the parser of HCL */
	size_t nparts;
	uint32_t *line_starts; /* offsets */
	size_t nlines;
};

struct span {
	struct source *src; /* NULL: no place known */
	uint32_t from, to;  /* bytes; to is one past the end */
};

/* 1-based line and column of a byte offset; the column counts bytes, as the reference does for JSON
 * (column_chars counts grapheme clusters, what a reader takes for characters, as HCL does). */
struct position {
	uint32_t line, column, column_chars;
};

/* Text is borrowed; all else is in the arena. */
struct source *source_new(struct arena *a, const char *name, struct str text);
struct position source_position(const struct source *src, uint32_t offset);

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

struct diag {
	enum diag_severity severity;
	const char *summary;  /* one line, no full stop */
	const char *detail;   /* what was expected, what to do: some lines, or NULL */
	struct span span;     /* the mistake */
	struct span context;  /* the enclosing thing, optional */
	const char *subject;  /* component or block it is in ("amazon-ebs", "builder 'web'"); NULL:
			       * the part of the source */
	const char *values;   /* "var.x is \"a\"" lines for a failed expression, or NULL */
	bool secret_line;     /* the source line holds a secret: only its place is shown */
	bool lenient;	      /* a warning where the reference fails: counts for -strict */
	const char *label;    /* heads it instead of "Error" or "Warning"; NULL: those */
	struct position at;   /* shown instead of the span's own place where line is not 0 */
};

struct diags {
	struct arena *arena;
	struct diag *v;
	size_t n, cap;
	size_t errors, warnings;
	size_t max;	   /* further ones are counted only; 0: 1000 */
	const char *label; /* given to errors added from now on; NULL: "Error" */
};

void diags_init(struct diags *d, struct arena *a);
/* Adds one and returns it, so that fields can be filled in. Text is formatted into the arena. */
struct diag *diag_error(struct diags *d, struct span span, const char *summary, ...)
	PRINTF_LIKE(3, 4);
struct diag *diag_warning(struct diags *d, struct span span, const char *summary, ...)
	PRINTF_LIKE(3, 4);
/* Sets the detail; returns g. */
struct diag *diag_detail(struct diags *d, struct diag *g, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Adds copies of all of `from` (text is shared); those without a subject get this one, errors
 * without a label that of d. */
void diags_add(struct diags *d, const struct diags *from, const char *subject);

/* How ingot shows one diagnostic:
 *
 *	Error: SUMMARY
 *
 *	  on FILE line L, column C, in SUBJECT:
 *	     L: source line
 *	        ^~~~~
 *	    VALUES
 *
 *	DETAIL
 * ("on FILE line L" is grammar that scripts know from the reference). */
void diag_render(const struct diag *g, struct buf *out);
void diags_render(const struct diags *d, struct buf *out); /* warnings first, then errors */

#endif
