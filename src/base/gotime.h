/* Times as templates write them: Go's layouts ("2006-01-02") and strftime. Always UTC. */
#ifndef INGOT_BASE_GOTIME_H
#define INGOT_BASE_GOTIME_H

#include "base/buf.h"
#include "base/str.h"

extern const char *const gotime_months[12], *const gotime_weekdays[7]; /* from January, Sunday on */

void gotime_format(struct buf *out, int64_t unix_ms, struct str layout);
/* The directives that Packer's strftime knows; others stay as they are. */
void gotime_strftime(struct buf *out, int64_t unix_ms, struct str format);

#endif
