/* Points in time as the functions read and write them: to the nanosecond, with the offset they were
 * written with. */
#ifndef INGOT_LANG_EXPR_FUNCTIONS_MOMENT_H
#define INGOT_LANG_EXPR_FUNCTIONS_MOMENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct moment {
	int64_t unix_s;
	int32_t ns;
	int32_t offset; /* seconds east of UTC */
	/* What clocks and calendars show there; moment_set makes it of the above. */
	int64_t year;
	int month, day, hour, minute, second; /* from 1, from 1, from 0… */
	int weekday, year_day;		      /* 0: Sunday; from 1 */
	int64_t iso_year;
	int iso_week;
};

void moment_set(struct moment *m, int64_t unix_s, int32_t ns, int32_t offset);
/* RFC 3339 to the letter. The message says which part is wrong. */
int moment_parse(struct str s, struct moment *ret, struct err *err) MUST_USE;
/* With what some programs write: a space for the T, an hour of one digit, a comma before the
 * fraction, offsets up to 24 hours and 60 minutes. */
bool moment_parse_lenient(struct str s, struct moment *ret);
/* RFC 3339 without a fraction. */
void moment_write(struct buf *out, const struct moment *m);
/* "+01:00", with `z` "Z" for zero; without `colon` "+0100". */
void moment_write_offset(struct buf *out, const struct moment *m, bool colon, bool z);

int moment_days_in_month(int64_t year, int month); /* from 1 */

#endif
