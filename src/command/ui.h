/* What commands other than build print: lines for people on standard output, or with
 * -machine-readable those of engine/machine.h. (Builds speak through engine/event.h.) */
#ifndef INGOT_COMMAND_UI_H
#define INGOT_COMMAND_UI_H

#include "command/command.h"

#include "engine/redact.h"

#include "base/diag.h"

/* One message; a newline is added. */
void ui_say(const struct invocation *in, const char *fmt, ...) PRINTF_LIKE(2, 3);
void ui_error(const struct invocation *in, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The answer to a question, which machine-readable lines name otherwise. For people all of it is
 * written, also behind a NUL. */
void ui_message(const struct invocation *in, struct str text);
/* Diagnostics, each one message, in the order they were found: errors, or with DIAG_WARNING
 * warnings too; then how many more there were. What `secrets` (may be NULL) holds is not shown. */
void ui_diags(const struct invocation *in, const struct diags *d, enum diag_severity least,
	      const struct redact *secrets);
/* A machine-readable line; nothing for people. target may be NULL; data ends with NULL. */
void ui_machine(const struct invocation *in, const char *target, const char *type, ...)
	__attribute__((sentinel));
/* Bytes as they stand, in either mode (help, shell lines, generated files). */
void ui_write(struct str text);

#endif
