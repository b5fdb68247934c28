/* Go's time layouts: the parts of the reference time (Mon Jan 2 15:04:05 MST 2006) stand for
 * themselves. A table of parts, longest first where one begins another. (Fact: time/format.go of
 * Go's library.) */
#include "base/gotime.h"

#include <ctype.h>
#include <time.h>

enum part {
	PART_MONTH_LONG,
	PART_MONTH_SHORT,
	PART_MONTH,
	PART_MONTH_0,
	PART_WEEKDAY_LONG,
	PART_WEEKDAY_SHORT,
	PART_DAY,
	PART_DAY_SPACE,
	PART_DAY_0,
	PART_YEARDAY_SPACE,
	PART_YEARDAY_0,
	PART_HOUR_24,
	PART_HOUR_12,
	PART_HOUR_12_0,
	PART_MINUTE,
	PART_MINUTE_0,
	PART_SECOND,
	PART_SECOND_0,
	PART_YEAR,
	PART_YEAR_2,
	PART_PM,
	PART_PM_LOWER,
	PART_TEXT, /* what UTC makes of a zone: text of the row */
};

static const struct row {
	const char *layout;
	enum part part;
	const char *text;
	bool no_lower_after; /* "Jan" but not in "Janet" */
} rows[] = {
	{ "January", PART_MONTH_LONG },
	{ "Jan", PART_MONTH_SHORT, .no_lower_after = true },
	{ "Monday", PART_WEEKDAY_LONG },
	{ "Mon", PART_WEEKDAY_SHORT, .no_lower_after = true },
	{ "MST", PART_TEXT, "UTC" },
	{ "002", PART_YEARDAY_0 },
	{ "01", PART_MONTH_0 },
	{ "02", PART_DAY_0 },
	{ "03", PART_HOUR_12_0 },
	{ "04", PART_MINUTE_0 },
	{ "05", PART_SECOND_0 },
	{ "06", PART_YEAR_2 },
	{ "15", PART_HOUR_24 },
	{ "1", PART_MONTH },
	{ "2006", PART_YEAR },
	{ "2", PART_DAY },
	{ "__2", PART_YEARDAY_SPACE },
	{ "_2", PART_DAY_SPACE },
	{ "3", PART_HOUR_12 },
	{ "4", PART_MINUTE },
	{ "5", PART_SECOND },
	{ "PM", PART_PM },
	{ "pm", PART_PM_LOWER },
	{ "-070000", PART_TEXT, "+000000" },
	{ "-07:00:00", PART_TEXT, "+00:00:00" },
	{ "-0700", PART_TEXT, "+0000" },
	{ "-07:00", PART_TEXT, "+00:00" },
	{ "-07", PART_TEXT, "+00" },
	{ "Z070000", PART_TEXT, "Z" },
	{ "Z07:00:00", PART_TEXT, "Z" },
	{ "Z0700", PART_TEXT, "Z" },
	{ "Z07:00", PART_TEXT, "Z" },
	{ "Z07", PART_TEXT, "Z" },
};

const char *const gotime_months[12] = { "January",   "February", "March",    "April",
					"May",	     "June",	 "July",     "August",
					"September", "October",	 "November", "December" };
const char *const gotime_weekdays[7] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
					 "Thursday", "Friday", "Saturday" };

static const struct row *find(struct str s)
{
	if (str_starts(s, "_2006")) /* an underscore before a year is text */
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = strlen(rows[i].layout);

		if (str_starts(s, rows[i].layout) &&
		    !(rows[i].no_lower_after && s.n > n && islower((unsigned char)s.p[n])))
			return &rows[i];
	}
	return NULL;
}

static void put(struct buf *out, const struct row *row, const struct tm *t)
{
	int hour12 = t->tm_hour % 12 ? t->tm_hour % 12 : 12;

	switch (row->part) {
	case PART_MONTH_LONG:
		buf_adds(out, gotime_months[t->tm_mon]);
		break;
	case PART_MONTH_SHORT:
		buf_add(out, gotime_months[t->tm_mon], 3);
		break;
	case PART_MONTH:
		buf_printf(out, "%d", t->tm_mon + 1);
		break;
	case PART_MONTH_0:
		buf_printf(out, "%02d", t->tm_mon + 1);
		break;
	case PART_WEEKDAY_LONG:
		buf_adds(out, gotime_weekdays[t->tm_wday]);
		break;
	case PART_WEEKDAY_SHORT:
		buf_add(out, gotime_weekdays[t->tm_wday], 3);
		break;
	case PART_DAY:
		buf_printf(out, "%d", t->tm_mday);
		break;
	case PART_DAY_SPACE:
		buf_printf(out, "%2d", t->tm_mday);
		break;
	case PART_DAY_0:
		buf_printf(out, "%02d", t->tm_mday);
		break;
	case PART_YEARDAY_SPACE:
		buf_printf(out, "%3d", t->tm_yday + 1);
		break;
	case PART_YEARDAY_0:
		buf_printf(out, "%03d", t->tm_yday + 1);
		break;
	case PART_HOUR_24:
		buf_printf(out, "%02d", t->tm_hour);
		break;
	case PART_HOUR_12:
		buf_printf(out, "%d", hour12);
		break;
	case PART_HOUR_12_0:
		buf_printf(out, "%02d", hour12);
		break;
	case PART_MINUTE:
		buf_printf(out, "%d", t->tm_min);
		break;
	case PART_MINUTE_0:
		buf_printf(out, "%02d", t->tm_min);
		break;
	case PART_SECOND:
		buf_printf(out, "%d", t->tm_sec);
		break;
	case PART_SECOND_0:
		buf_printf(out, "%02d", t->tm_sec);
		break;
	case PART_YEAR:
		buf_printf(out, "%04d", t->tm_year + 1900);
		break;
	case PART_YEAR_2:
		buf_printf(out, "%02d", t->tm_year % 100);
		break;
	case PART_PM:
		buf_adds(out, t->tm_hour >= 12 ? "PM" : "AM");
		break;
	case PART_PM_LOWER:
		buf_adds(out, t->tm_hour >= 12 ? "pm" : "am");
		break;
	case PART_TEXT:
		buf_adds(out, row->text);
		break;
	}
}

/* ".000" and ".999" (or with a comma) are fractions of a second where no digit follows; 9 cuts
 * zeros off. Returns the length of the part, 0 if it is none. */
static size_t fraction(struct buf *out, struct str s, int64_t unix_ms)
{
	size_t n = 1, digits;
	char text[16];

	if ((s.p[0] != '.' && s.p[0] != ',') || s.n < 2 || (s.p[1] != '0' && s.p[1] != '9'))
		return 0;
	while (n < s.n && s.p[n] == s.p[1])
		n++;
	if ((n < s.n && isdigit((unsigned char)s.p[n])) || n > 10)
		return 0;
	digits = n - 1;
	snprintf(text, sizeof(text), "%03d000000", (int)(unix_ms % 1000));
	if (s.p[1] == '9')
		while (digits && text[digits - 1] == '0')
			digits--;
	if (digits) {
		buf_addc(out, s.p[0]);
		buf_add(out, text, digits);
	}
	return n;
}

void gotime_format(struct buf *out, int64_t unix_ms, struct str layout)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm t;

	gmtime_r(&seconds, &t);
	while (layout.n) {
		const struct row *row = find(layout);
		size_t n = row ? strlen(row->layout) : fraction(out, layout, unix_ms);

		if (row)
			put(out, row, &t);
		else if (!n)
			buf_add(out, layout.p, n = 1);
		layout = str_slice(layout, n, layout.n);
	}
}

void gotime_strftime(struct buf *out, int64_t unix_ms, struct str format)
{
	static const char *const layouts[256] = {
		['A'] = "Monday", ['B'] = "January", ['H'] = "15",  ['I'] = "03",  ['M'] = "04",
		['S'] = "05",	  ['Y'] = "2006",    ['Z'] = "MST", ['a'] = "Mon", ['b'] = "Jan",
		['d'] = "02",	  ['m'] = "01",	     ['p'] = "PM",  ['y'] = "06",  ['z'] = "-0700",
	};

	for (size_t i = 0; i < format.n; i++) {
		uint8_t c = i + 1 < format.n ? (uint8_t)format.p[i + 1] : 0;

		if (format.p[i] != '%' || (c != '%' && !layouts[c])) {
			buf_addc(out, format.p[i]);
			continue;
		}
		if (c == '%')
			buf_addc(out, '%');
		else
			gotime_format(out, unix_ms, str_from(layouts[c]));
		i++;
	}
}
