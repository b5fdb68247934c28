/* Help, printed from the rows of command.h. */
#ifndef INGOT_COMMAND_HELP_H
#define INGOT_COMMAND_HELP_H

#include "command/command.h"

/* The list of commands under the name the program is called by. */
void help_program(const char *program, bool as_packer, struct buf *out);
/* A flag's sentences, with its default. */
void help_flag_text(const struct flag *row, struct buf *out);
void help_command(const char *program, const struct command *c, struct buf *out);
/* Text with its lines broken before 80 columns, every line after `indent` blanks; column: where the
 * first one starts. An empty line separates paragraphs. Ends with a newline. */
void help_wrap(struct buf *out, size_t column, size_t indent, const char *text);

#endif
