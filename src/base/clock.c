/* Time: monotonic clocks, sleep that a cancel flag ends, durations and dates as text. */
#include "base/clock.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_ms(void)
{
	return clock_ns() / 1000000;
}

int64_t clock_unix_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_unix(void)
{
	return clock_unix_ms() / 1000;
}

int clock_left(int64_t deadline_ms)
{
	int64_t left;

	if (deadline_ms == CLOCK_NEVER)
		return -1;
	left = deadline_ms - clock_ms();
	return left <= 0 ? 0 : (int)MIN(left, (int64_t)INT32_MAX);
}

int clock_sleep_until(int64_t deadline_ms, const struct cancel *c)
{
	struct pollfd p = { .fd = cancel_fd(c), .events = POLLIN };

	for (;;) {
		if (cancel_is_set(c))
			return -1;
		if (deadline_ms <= clock_ms())
			return 0;
		poll(&p, 1, clock_left(deadline_ms));
	}
}

int clock_sleep(int64_t ms, const struct cancel *c)
{
	return clock_sleep_until(clock_ms() + ms, c);
}

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{ "year", 365 * 24 * 3600 * INT64_C(1000000000) },
	{ "week", 7 * 24 * 3600 * INT64_C(1000000000) },
	{ "day", 24 * 3600 * INT64_C(1000000000) },
	{ "hour", 3600 * INT64_C(1000000000) },
	{ "minute", 60 * INT64_C(1000000000) },
	{ "second", INT64_C(1000000000) },
	{ "millisecond", 1000000 },
	{ "microsecond", 1000 },
};

void clock_format_duration(struct buf *out, int64_t ns)
{
	int shown = 0;

	for (size_t i = 0; i < ARRAY_LEN(units) && shown < 2; i++) {
		int64_t n = ns / units[i].ns;

		if (!n)
			continue;
		buf_printf(out, "%s%lld %s%s", shown ? " " : "", (long long)n, units[i].name,
			   n == 1 ? "" : "s");
		ns -= n * units[i].ns;
		shown++;
	}
	if (!shown)
		buf_adds(out, "0 microseconds");
}

static bool unit_ns(struct str *s, double *ret)
{
	static const struct {
		const char *text;
		double ns;
	} u[] = { { "ns", 1 },	 { "us", 1e3 }, { "\xc2\xb5s", 1e3 }, { "\xce\xbcs", 1e3 },
		  { "ms", 1e6 }, { "s", 1e9 },	{ "m", 60e9 },	      { "h", 3600e9 } };

	for (size_t i = 0; i < ARRAY_LEN(u); i++) {
		if (!str_starts(*s, u[i].text))
			continue;
		*s = str_slice(*s, strlen(u[i].text), s->n);
		*ret = u[i].ns;
		return true;
	}
	return false;
}

bool clock_parse_duration(struct str s, int64_t *ret_ns)
{
	bool negative = s.n && s.p[0] == '-';
	double total = 0;

	if (s.n && (negative || s.p[0] == '+'))
		s = str_slice(s, 1, s.n);
	if (str_eqs(s, "0")) {
		*ret_ns = 0;
		return true;
	}
	if (!s.n)
		return false;
	while (s.n) {
		double v = 0, scale = 1, ns;
		bool digits = false;

		for (; s.n && s.p[0] >= '0' && s.p[0] <= '9';
		     s = str_slice(s, 1, s.n), digits = true)
			v = v * 10 + (s.p[0] - '0');
		if (s.n && s.p[0] == '.') {
			s = str_slice(s, 1, s.n);
			for (; s.n && s.p[0] >= '0' && s.p[0] <= '9';
			     s = str_slice(s, 1, s.n), digits = true)
				v += (s.p[0] - '0') * (scale /= 10);
		}
		if (!digits || !unit_ns(&s, &ns))
			return false;
		total += v * ns;
	}
	if (total >= 0x1p63)
		return false;
	*ret_ns = (int64_t)(negative ? -total - 0.5 : total + 0.5);
	return true;
}

/* "1.5" without a trailing zero. */
static void add_fraction(struct buf *out, int64_t whole, int64_t part, int digits)
{
	buf_printf(out, "%lld", (long long)whole);
	if (!part)
		return;
	buf_printf(out, ".%0*lld", digits, (long long)part);
	while (out->p[out->n - 1] == '0')
		buf_truncate(out, out->n - 1);
}

void clock_print_duration(struct buf *out, int64_t ns)
{
	if (ns < 0) {
		buf_addc(out, '-');
		ns = -ns;
	}
	if (ns == 0) {
		buf_adds(out, "0s");
	} else if (ns < 1000) {
		buf_printf(out, "%lldns", (long long)ns);
	} else if (ns < 1000000) {
		add_fraction(out, ns / 1000, ns % 1000, 3);
		buf_adds(out, "\xc2\xb5s");
	} else if (ns < 1000000000) {
		add_fraction(out, ns / 1000000, ns % 1000000, 6);
		buf_adds(out, "ms");
	} else {
		int64_t seconds = ns / 1000000000;

		if (seconds >= 3600)
			buf_printf(out, "%lldh", (long long)(seconds / 3600));
		if (seconds >= 60)
			buf_printf(out, "%lldm", (long long)(seconds / 60 % 60));
		add_fraction(out, seconds % 60, ns % 1000000000, 9);
		buf_addc(out, 's');
	}
}

void clock_format_rfc3339(struct buf *out, int64_t unix_ms, bool with_ms)
{
	int ms = (int)(unix_ms % 1000 + (unix_ms % 1000 < 0 ? 1000 : 0));
	time_t t = (time_t)((unix_ms - ms) / 1000);
	struct tm tm;

	gmtime_r(&t, &tm);
	buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
		   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (with_ms)
		buf_printf(out, ".%03d", ms);
	buf_addc(out, 'Z');
}

/* Whether the text begins like the pattern: 0 is any digit, T also a small one or a space. */
static bool looks_like(const char *text, const char *pattern)
{
	for (; *pattern; pattern++, text++)
		if (*pattern == '0' ? !isdigit((unsigned char)*text)
		    : *pattern == 'T' ? !*text || !strchr("Tt ", *text)
				      : *text != *pattern)
			return false;
	return true;
}

/* "Z" or "+01:00". */
static bool parse_offset(const char *p, int64_t *ret_seconds)
{
	int hours, minutes;

	if (*p == 'Z' || *p == 'z') {
		*ret_seconds = 0;
		return !p[1];
	}
	if ((*p != '+' && *p != '-') || !looks_like(p + 1, "00:00") || p[6] ||
	    sscanf(p + 1, "%d:%d", &hours, &minutes) != 2)
		return false;
	*ret_seconds = (hours * 3600 + minutes * 60) * (*p == '-' ? -1 : 1);
	return true;
}

bool clock_parse_rfc3339(struct str s, int64_t *ret_unix_ms)
{
	int64_t ms = 0, scale = 100, offset;
	int y, mo, d, h, mi, sec;
	char text[64];
	const char *p = text + strlen("2006-01-02T15:04:05");
	struct tm tm, day;

	if (s.n >= sizeof(text))
		return false;
	memcpy(text, s.n ? s.p : "", s.n);
	text[s.n] = '\0';
	if (!looks_like(text, "0000-00-00T00:00:00") ||
	    sscanf(text, "%d-%2d-%2d%*c%2d:%2d:%2d", &y, &mo, &d, &h, &mi, &sec) != 6)
		return false;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
			ms += (*p - '0') * scale;
	if (!parse_offset(p, &offset) || mo < 1 || mo > 12 || h > 23 || mi > 59 || sec > 60)
		return false;
	day = (struct tm){ .tm_year = y - 1900, .tm_mon = mo - 1, .tm_mday = d };
	timegm(&day);
	if (day.tm_mday != d) /* as that of February 30 is */
		return false;
	tm = (struct tm){ .tm_year = y - 1900,
			  .tm_mon = mo - 1,
			  .tm_mday = d,
			  .tm_hour = h,
			  .tm_min = mi,
			  .tm_sec = sec };
	*ret_unix_ms = ((int64_t)timegm(&tm) - offset) * 1000 + ms;
	return true;
}

bool clock_parse_http_date(struct str s, int64_t *ret_unix)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char text[64], month[4];
	int d, y, h, mi, sec;
	const char *at;
	struct tm tm;

	if (s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT", &d, month, &y, &h, &mi,
		   &sec) != 6)
		return false;
	at = strstr(months, month);
	if (!at || (at - months) % 3)
		return false;
	tm = (struct tm){ .tm_year = y - 1900,
			  .tm_mon = (int)(at - months) / 3,
			  .tm_mday = d,
			  .tm_hour = h,
			  .tm_min = mi,
			  .tm_sec = sec };
	*ret_unix = timegm(&tm);
	return true;
}
