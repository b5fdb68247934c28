/* Parsing of a command's flags; the getters are in command.h. */
#ifndef INGOT_COMMAND_FLAGS_H
#define INGOT_COMMAND_FLAGS_H

#include "command/command.h"

/* Reads the flags in argv, which must outlive the result; the arguments are moved to its front and
 * *ret_args points at them. Errors: ERR_INVALID with the one line that Go's flag package has for
 * the mistake, as scripts know it. */
int flags_parse(const struct command *c, char **argv, struct flags **ret, char *const **ret_args,
		struct err *err) MUST_USE;
void flags_free(struct flags *f);
DEFINE_AUTO_PTR(flags, struct flags *, flags_free);

/* The i-th row of a command's own and shared flags; NULL past the end. */
const struct flag *flags_row(const struct command *c, size_t i);
bool flags_shown(const struct command *c, size_t i); /* in help, completion and man page */

#endif
