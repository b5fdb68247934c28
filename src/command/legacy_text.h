/* The text of a legacy template, for commands that read nothing else. */
#ifndef INGOT_COMMAND_LEGACY_TEXT_H
#define INGOT_COMMAND_LEGACY_TEXT_H

#include "base/buf.h"
#include "base/err.h"

/* The file, or standard input for "-". Errors: as os_read_file; an HCL2 template by its name. */
int legacy_text_read(const char *path, struct buf *ret, struct err *err) MUST_USE;

#endif
