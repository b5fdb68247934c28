/* Points in time: reading and writing RFC 3339, and the calendar. Days are counted in a calendar
 * without end or beginning, in 400-year eras that start in March, so that the leap day comes last.
 */
#include "lang/expr/functions/moment.h"

#include "base/gotime.h"

#define DAY 86400

static int64_t floor_div(int64_t n, int64_t by)
{
	return n / by - (n % by < 0);
}

/* Days since 1970-01-01 of a date. */
static int64_t days_of(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year, era = floor_div(y, 400),
		year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static void set_date(struct moment *m, int64_t days)
{
	int64_t z = days + 719468, era = floor_div(z, 146097), of_era = z - era * 146097;
	int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * of_year + 2) / 153;

	m->day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
	m->month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	m->year = year_of_era + era * 400 + (m->month <= 2);
	m->weekday = (int)(days + 4 - floor_div(days + 4, 7) * 7);
	m->year_day = (int)(days - days_of(m->year, 1, 1) + 1);
}

/* A week belongs to the year that its Thursday is in. */
static void set_iso_week(struct moment *m, int64_t days)
{
	int64_t thursday = days + 3 - (m->weekday + 6) % 7;
	struct moment t;

	set_date(&t, thursday);
	m->iso_year = t.year;
	m->iso_week = (t.year_day - 1) / 7 + 1;
}

void moment_set(struct moment *m, int64_t unix_s, int32_t ns, int32_t offset)
{
	/* Days and seconds apart: the sum with the offset could overflow. */
	int64_t days = floor_div(unix_s, DAY), seconds = unix_s % DAY;

	seconds += (seconds < 0 ? DAY : 0) + offset;
	days += floor_div(seconds, DAY);
	seconds -= floor_div(seconds, DAY) * DAY;
	*m = (struct moment){ .unix_s = unix_s, .ns = ns, .offset = offset };
	set_date(m, days);
	set_iso_week(m, days);
	m->hour = (int)(seconds / 3600);
	m->minute = (int)(seconds / 60 % 60);
	m->second = (int)(seconds % 60);
}

static bool is_digit(struct str s, size_t i)
{
	return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

int moment_days_in_month(int64_t year, int month)
{
	return (int)(days_of(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
		     days_of(year, month, 1));
}

/* The parts of a time in their order, each with the character before it. */
static const struct part {
	const char *name;
	char before;
	size_t digits;
	int min, max;
} parts[] = {
	{ "year", 0, 4, 0, 9999 },
	{ "month", '-', 2, 1, 12 },
	{ "day of the month", '-', 2, 1, 31 },
	{ "hour", 'T', 2, 0, 23 },
	{ "minute", ':', 2, 0, 59 },
	{ "second", ':', 2, 0, 59 },
};
#define HOUR 3

static int bad(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
static int bad(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(err, ERR_INVALID, fmt, ap);
	va_end(ap);
	return err_prefix(err, "no RFC 3339 time such as 2006-01-02T15:04:05Z");
}

/* Takes one part and what stands before it off *s. */
static int take(struct str *s, const struct part *part, bool lenient, int *ret, struct err *err)
{
	size_t digits = part->digits;
	int n = 0;

	if (part->before && s->n && s->p[0] != part->before &&
	    !(lenient && part->before == 'T' && s->p[0] == ' '))
		return bad(err, "'%c' is expected before the %s, not \"" STR_FMT "\"", part->before,
			   part->name, (int)MIN(s->n, (size_t)20), s->p);
	if (part->before && !s->n)
		return bad(err, "it ends where '%c' and the %s are expected", part->before,
			   part->name);
	*s = str_slice(*s, part->before != 0, s->n);
	if (!s->n)
		return bad(err, "it ends before the %s", part->name);
	if (lenient && part == &parts[HOUR] && !is_digit(*s, 1))
		digits = 1;
	for (size_t i = 0; i < digits; i++) {
		if (!is_digit(*s, i))
			return bad(err, "the %s needs %zu digits, not \"" STR_FMT "\"", part->name,
				   digits, (int)MIN(s->n, (size_t)20), s->p);
		n = n * 10 + (s->p[i] - '0');
	}
	*s = str_slice(*s, digits, s->n);
	if (n < part->min || n > part->max)
		return bad(err, "the %s must be between %d and %d, not %d", part->name, part->min,
			   part->max, n);
	*ret = n;
	return 0;
}

/* A fraction of a second, if there is one; digits after the ninth do not count. */
static int32_t take_fraction(struct str *s, bool lenient)
{
	int32_t ns = 0, scale = 100000000;
	size_t i = 1;

	if (s->n < 2 || !(s->p[0] == '.' || (lenient && s->p[0] == ',')) || !is_digit(*s, 1))
		return 0;
	for (; is_digit(*s, i); i++, scale /= 10)
		ns += (s->p[i] - '0') * scale;
	*s = str_slice(*s, i, s->n);
	return ns;
}

static int take_offset(struct str s, bool lenient, int32_t *ret, struct err *err)
{
	int h, m;

	if (str_eqs(s, "Z")) {
		*ret = 0;
		return 0;
	}
	if (!s.n)
		return bad(err, "it ends before the offset from UTC, which is Z or such as +01:00");
	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || !is_digit(s, 1) || !is_digit(s, 2) ||
	    s.p[3] != ':' || !is_digit(s, 4) || !is_digit(s, 5))
		return bad(err, "\"" STR_FMT "\" is no offset from UTC such as Z or +01:00",
			   (int)MIN(s.n, (size_t)20), s.p);
	h = (s.p[1] - '0') * 10 + s.p[2] - '0';
	m = (s.p[4] - '0') * 10 + s.p[5] - '0';
	if (h > 23 + lenient || m > 59 + lenient)
		return bad(err, "the offset from UTC " STR_FMT " is out of range", STR_ARG(s));
	*ret = (h * 3600 + m * 60) * (s.p[0] == '-' ? -1 : 1);
	return 0;
}

static int parse(struct str s, bool lenient, struct moment *ret, struct err *err)
{
	int v[ARRAY_LEN(parts)] = { 0 };
	int32_t ns, offset = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (take(&s, &parts[i], lenient, &v[i], err) < 0)
			return -1;
	if (v[2] > moment_days_in_month(v[0], v[1]))
		return bad(err, "%s %d has no day %d", gotime_months[v[1] - 1], v[0], v[2]);
	ns = take_fraction(&s, lenient);
	if (take_offset(s, lenient, &offset, err) < 0)
		return -1;
	moment_set(ret, days_of(v[0], v[1], v[2]) * DAY + v[3] * 3600 + v[4] * 60 + v[5] - offset,
		   ns, offset);
	return 0;
}

int moment_parse(struct str s, struct moment *ret, struct err *err)
{
	return parse(s, false, ret, err);
}

bool moment_parse_lenient(struct str s, struct moment *ret)
{
	AUTO(err) struct err err = ERR_INIT;

	return parse(s, true, ret, &err) == 0;
}

void moment_write_offset(struct buf *out, const struct moment *m, bool colon, bool z)
{
	int minutes = abs(m->offset) / 60;

	if (z && !m->offset)
		buf_addc(out, 'Z');
	else
		buf_printf(out, "%c%02d%s%02d", m->offset < 0 ? '-' : '+', minutes / 60,
			   colon ? ":" : "", minutes % 60);
}

void moment_write(struct buf *out, const struct moment *m)
{
	buf_printf(out, "%s%04lld-%02d-%02dT%02d:%02d:%02d", m->year < 0 ? "-" : "",
		   (long long)llabs(m->year), m->month, m->day, m->hour, m->minute, m->second);
	moment_write_offset(out, m, true, true);
}
