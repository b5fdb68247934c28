/* Lines typed on a terminal, with editing, a history that lasts, and completion by Tab. */
#ifndef INGOT_COMMAND_CONSOLE_EDIT_H
#define INGOT_COMMAND_CONSOLE_EDIT_H

#include "base/arena.h"
#include "base/buf.h"

struct console_edit;

/* Whole names that the word before the cursor may be the beginning of, into names; returns how
 * many. */
typedef size_t console_complete_fn(void *data, struct arena *a, struct str before,
				   const char **names, size_t max);

/* Without the library for it the lines are read as they come. The history is in the state
 * directory, readable by its owner alone. Never NULL. */
struct console_edit *console_edit_new(console_complete_fn *complete, void *data);
void console_edit_free(struct console_edit *e);
DEFINE_AUTO_PTR(console_edit, struct console_edit *, console_edit_free);

/* The next line without its end; false at the end of the input (Control-D, or Control-C on an empty
 * line). */
bool console_edit_line(struct console_edit *e, const char *prompt, struct buf *ret);

#endif
