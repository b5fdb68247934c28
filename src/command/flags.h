/* Parsing of a command's flags; the getters are in command.h. */
#ifndef INGOT_COMMAND_FLAGS_H
#define INGOT_COMMAND_FLAGS_H

#include "command/command.h"

/* Reads flags off argv (which must outlive the result) until the first argument. *ret_args points
 * at the rest. Errors: ERR_INVALID with the one line that the grammar of cli.md 3 has for the
 * mistake. */
int flags_parse(const struct command *c, char *const *argv, struct flags **ret,
		char *const **ret_args, struct err *err) MUST_USE;
void flags_free(struct flags *f);
DEFINE_AUTO_PTR(flags, struct flags *, flags_free);

/* The i-th row of a command's own and shared flags; NULL past the end. */
const struct flag *flags_row(const struct command *c, size_t i);
bool flags_shown(const struct command *c, size_t i); /* in help, completion and man page */

#endif
