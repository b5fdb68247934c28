/* The log for developers and bug reports: PACKER_LOG / INGOT_LOG, PACKER_LOG_PATH. Lines
 * "2006/01/02 15:04:05 text". Off by default and then almost free. Thread-safe. */
#ifndef INGOT_BASE_LOG_H
#define INGOT_BASE_LOG_H

#include "base/base.h"

struct err;

/* Opens as the environment says. Errors: the file cannot be made. */
int log_open(struct err *err) MUST_USE;
bool log_to_file(void); /* lines of the ui go in too */
/* Every line passes through the filter (redaction) first; set once, before threads. */
void log_set_filter(void (*filter)(void *data, char **line), void *data);
void log_line(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_close(void);

#endif
