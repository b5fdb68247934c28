/* Functions of dates and times. Times are RFC 3339 text ("2006-01-02T15:04:05Z"). */
#include "lang/expr/eval.h"
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/functions/moment.h"

#include "base/clock.h"
#include "base/gotime.h"

static struct value text(struct func_call *c, const struct buf *b)
{
	return value_string(arena_str(c->arena, buf_str(b)), c->span);
}

/* Reads argument i; the error names it. */
static int arg_moment(struct func_call *c, const struct value *args, int i, struct moment *ret,
		      struct err *err)
{
	if (moment_parse(args[i].string, ret, err) == 0)
		return 0;
	c->bad_arg = i;
	return err_prefix(err, "\"" STR_FMT "\"", ARG_TEXT(args[i]));
}

static int fn_timestamp(struct func_call *c, const struct value *args UNUSED, size_t nargs UNUSED,
			struct value *ret, struct err *err UNUSED)
{
	AUTO(buf) struct buf out = BUF_INIT;

	clock_format_rfc3339(&out, clock_unix_ms(), false);
	*ret = text(c, &out);
	return 0;
}

static int fn_timeadd(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		      struct value *ret, struct err *err)
{
	AUTO(buf) struct buf out = BUF_INIT;
	struct moment m;
	int64_t add, ns, s;

	if (arg_moment(c, args, 0, &m, err) < 0)
		return -1;
	if (!clock_parse_duration(args[1].string, &add))
		return arg_error(c, 1, err,
				 "\"" STR_FMT "\" is no duration such as \"1h30m\" or \"-1.5h\" "
					      "(units: ns, us, ms, s, m, h; up to 292 years)",
				 ARG_TEXT(args[1]));
	s = add / 1000000000;
	ns = m.ns + add % 1000000000;
	if (ns < 0 || ns >= 1000000000) {
		s += ns < 0 ? -1 : 1;
		ns += ns < 0 ? 1000000000 : -1000000000;
	}
	moment_set(&m, m.unix_s + s, (int32_t)ns, m.offset);
	moment_write(&out, &m);
	*ret = text(c, &out);
	return 0;
}

/* --- formatdate: a letter repeated so many times is a part of the time */

static void put_number(struct buf *out, size_t width, int64_t n)
{
	buf_printf(out, "%0*lld", (int)width, (long long)n);
}

static void put_year(struct buf *out, const struct moment *m, size_t n)
{
	put_number(out, n, n == 2 ? m->year % 100 : m->year);
}

static void put_month(struct buf *out, const struct moment *m, size_t n)
{
	const char *name = gotime_months[m->month - 1];

	if (n <= 2)
		put_number(out, n, m->month);
	else
		buf_add(out, name, n == 3 ? 3 : strlen(name));
}

static void put_day(struct buf *out, const struct moment *m, size_t n)
{
	put_number(out, n, m->day);
}

static void put_weekday(struct buf *out, const struct moment *m, size_t n)
{
	const char *name = gotime_weekdays[m->weekday];

	buf_add(out, name, n == 3 ? 3 : strlen(name));
}

static void put_hour_24(struct buf *out, const struct moment *m, size_t n)
{
	put_number(out, n, m->hour);
}

static void put_hour_12(struct buf *out, const struct moment *m, size_t n)
{
	put_number(out, n, m->hour % 12 ? m->hour % 12 : 12);
}

static void put_half_upper(struct buf *out, const struct moment *m, size_t n UNUSED)
{
	buf_adds(out, m->hour < 12 ? "AM" : "PM");
}

static void put_half_lower(struct buf *out, const struct moment *m, size_t n UNUSED)
{
	buf_adds(out, m->hour < 12 ? "am" : "pm");
}

static void put_minute(struct buf *out, const struct moment *m, size_t n)
{
	put_number(out, n, m->minute);
}

static void put_second(struct buf *out, const struct moment *m, size_t n)
{
	put_number(out, n, m->second);
}

static void put_offset(struct buf *out, const struct moment *m, size_t n)
{
	if (n == 3 && !m->offset)
		buf_adds(out, "UTC");
	else
		moment_write_offset(out, m, n == 1 || n == 5, n == 1);
}

static const struct verb {
	char letter;
	const char *lengths; /* the numbers of repetitions that mean something */
	const char *forms;   /* the same for messages */
	void (*put)(struct buf *out, const struct moment *m, size_t n);
} verbs[] = {
	{ 'Y', "24", "YY or YYYY for the year", put_year },
	{ 'M', "1234", "M, MM, MMM or MMMM for the month", put_month },
	{ 'D', "12", "D or DD for the day of the month", put_day },
	{ 'E', "34", "EEE or EEEE for the day of the week", put_weekday },
	{ 'h', "12", "h or hh for the hour of 24", put_hour_24 },
	{ 'H', "12", "H or HH for the hour of 12", put_hour_12 },
	{ 'A', "2", "AA for AM or PM", put_half_upper },
	{ 'a', "2", "aa for am or pm", put_half_lower },
	{ 'm', "12", "m or mm for the minute", put_minute },
	{ 's', "12", "s or ss for the second", put_second },
	{ 'Z', "1345", "Z, ZZZ, ZZZZ or ZZZZZ for the offset from UTC", put_offset },
};

static bool is_letter(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

/* The n equal letters at p. */
static int put_verb(struct func_call *c, struct buf *out, const struct moment *m, const char *p,
		    size_t n, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (verbs[i].letter != *p)
			continue;
		if (n > 9 || !strchr(verbs[i].lengths, (int)('0' + n)))
			return arg_error(c, 0, err,
					 "\"" STR_FMT "\" is no part of a date: write %s",
					 (int)MIN(n, (size_t)20), p, verbs[i].forms);
		verbs[i].put(out, m, n);
		return 0;
	}
	return arg_error(
		c, 0, err,
		"\"" STR_FMT
		"\" is no part of a date: letters that are to stand for themselves go between "
		"single quotes",
		(int)MIN(n, (size_t)20), p);
}

/* Text between single quotes, '' in it for one; '' alone is a quote too. Returns its length, 0 if
 * it has no end. */
static size_t put_quoted(struct buf *out, struct str s)
{
	size_t i = 1;

	if (s.n > 1 && s.p[1] == '\'') {
		buf_addc(out, '\'');
		return 2;
	}
	for (; i < s.n; i++) {
		if (s.p[i] == '\'' && !(i + 1 < s.n && s.p[i + 1] == '\''))
			return i + 1;
		i += s.p[i] == '\'';
		buf_addc(out, s.p[i]);
	}
	return 0;
}

static int fn_formatdate(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err)
{
	AUTO(buf) struct buf out = BUF_INIT;
	struct str s = args[0].string;
	struct moment m;

	if (arg_moment(c, args, 1, &m, err) < 0)
		return -1;
	while (s.n) {
		size_t n = 1;

		if (s.p[0] == '\'') {
			n = put_quoted(&out, s);
			if (!n)
				return arg_error(c, 0, err,
						 "the single quote that opens a literal text is "
						 "never closed");
		} else if (is_letter(s.p[0])) {
			while (n < s.n && s.p[n] == s.p[0])
				n++;
			if (put_verb(c, &out, &m, s.p, n, err) < 0)
				return -1;
		} else {
			buf_addc(&out, s.p[0]);
		}
		s = str_slice(s, n, s.n);
	}
	*ret = text(c, &out);
	return 0;
}

/* --- calendars as objects */

static int calendar(struct func_call *c, const struct moment *m, bool with_unix, struct value *ret)
{
	AUTO(buf) struct buf rfc3339 = BUF_INIT;
	const struct {
		const char *key;
		int64_t n;
	} numbers[] = {
		{ "year", m->year },	 { "year_day", m->year_day }, { "day", m->day },
		{ "month", m->month },	 { "weekday", m->weekday },   { "hour", m->hour },
		{ "minute", m->minute }, { "second", m->second },     { "iso_year", m->iso_year },
		{ "iso_week", m->iso_week },
	};
	struct value_attr v[ARRAY_LEN(numbers) + 3] = { 0 };
	size_t n = 0;

	for (; n < ARRAY_LEN(numbers); n++) {
		v[n].key = str_from(numbers[n].key);
		v[n].value = value_i64(c->arena, numbers[n].n, c->span);
	}
	moment_write(&rfc3339, m);
	v[n++] = (struct value_attr){ .key = STR("month_name"),
				      .value = value_cstring(c->arena, gotime_months[m->month - 1],
							     c->span) };
	v[n++] = (struct value_attr){ .key = STR("weekday_name"),
				      .value = value_cstring(c->arena, gotime_weekdays[m->weekday],
							     c->span) };
	v[n].key = with_unix ? STR("unix") : STR("rfc3339");
	v[n++].value = with_unix ? value_i64(c->arena, m->unix_s, c->span) : text(c, &rfc3339);
	*ret = value_object(c->arena, v, n, c->span);
	return 0;
}

static int unknown_calendar(struct func_call *c, bool with_unix, struct value *ret)
{
	struct value sample;
	struct moment m;

	moment_set(&m, 0, 0, 0);
	calendar(c, &m, with_unix, &sample);
	*ret = value_unknown_of(type_of(c->arena, sample), c->span);
	return 0;
}

static int fn_rfc3339_parse(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			    struct value *ret, struct err *err)
{
	struct moment m;

	if (args[0].kind == VALUE_UNKNOWN)
		return unknown_calendar(c, true, ret);
	if (moment_parse_lenient(args[0].string, &m))
		return calendar(c, &m, true, ret);
	return arg_moment(c, args, 0, &m, err); /* the strict reader says what is wrong */
}

static int fn_unix_timestamp_parse(struct func_call *c, const struct value *args,
				   size_t nargs UNUSED, struct value *ret, struct err *err)
{
	struct moment m;
	int64_t s;

	if (args[0].kind == VALUE_UNKNOWN)
		return unknown_calendar(c, false, ret);
	if (arg_int(c, args, 0, &s, err) < 0)
		return err_prefix(err, "no whole number of seconds");
	moment_set(&m, s, 0, 0);
	return calendar(c, &m, false, ret);
}

/* --- what legacy templates had; the time is that of the run's start */

static int legacy(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		  struct err *err,
		  void (*format)(struct buf *out, int64_t unix_ms, struct str layout))
{
	AUTO(buf) struct buf out = BUF_INIT;
	int64_t now = c->eval && c->eval->now_ms ? c->eval->now_ms : clock_unix_ms();

	if (nargs > 1)
		return err_set(err, ERR_INVALID, "one format at most, not %zu", nargs);
	if (nargs)
		format(&out, now, args[0].string);
	else
		clock_format_rfc3339(&out, now, false);
	*ret = text(c, &out);
	return 0;
}

static int fn_legacy_isotime(struct func_call *c, const struct value *args, size_t nargs,
			     struct value *ret, struct err *err)
{
	return legacy(c, args, nargs, ret, err, gotime_format);
}

static int fn_legacy_strftime(struct func_call *c, const struct value *args, size_t nargs,
			      struct value *ret, struct err *err)
{
	return legacy(c, args, nargs, ret, err, gotime_strftime);
}

static const struct func_param formatdate_params[] = { { "format", &type_string },
						       { "time", &type_string } };
static const struct func_param timeadd_params[] = { { "timestamp", &type_string },
						    { "duration", &type_string } };
static const struct func_param rfc3339_params[] = { { "timestamp", &type_string, PARAM_UNKNOWN } };
static const struct func_param unix_params[] = { { "unix_timestamp", &type_number,
						   PARAM_UNKNOWN } };
static const struct func_param format_params[] = { { "format", &type_string } };

static const struct func_example formatdate_examples[] = {
	{ "formatdate(\"YYYY-MM-DD hh:mm ZZZ\", \"2024-02-29T13:05:09Z\")",
	  "\"2024-02-29 13:05 UTC\"" },
	{ "formatdate(\"EEEE, D MMMM\", \"2024-02-29T13:05:09Z\")", "\"Thursday, 29 February\"" },
	{ "formatdate(\"H:mmaa 'o''clock'\", \"2024-02-29T13:05:09Z\")", "\"1:05pm o'clock\"" },
	{ "formatdate(\"YYYYMMDDhhmmss\", timestamp())", NULL },
};
static const struct func_example isotime_examples[] = { { "legacy_isotime(\"2006-01-02\")",
							  NULL } };
static const struct func_example strftime_examples[] = { { "legacy_strftime(\"%Y-%m-%d\")",
							   NULL } };
static const struct func_example rfc3339_examples[] = {
	{ "rfc3339_parse(\"2024-02-29T13:05:09Z\").weekday_name", "\"Thursday\"" },
	{ "rfc3339_parse(\"2024-12-30T00:00:00Z\").iso_year", "2025" },
};
static const struct func_example timeadd_examples[] = {
	{ "timeadd(\"2024-02-28T12:00:00Z\", \"24h\")", "\"2024-02-29T12:00:00Z\"" },
	{ "timeadd(\"2024-02-28T12:00:00+01:00\", \"-1h30m\")", "\"2024-02-28T10:30:00+01:00\"" },
};
static const struct func_example timestamp_examples[] = { { "timestamp()", NULL } };
static const struct func_example unix_examples[] = {
	{ "unix_timestamp_parse(1709211909).rfc3339", "\"2024-02-29T13:05:09Z\"" },
	{ "unix_timestamp_parse(0).year", "1970" },
};

static const struct func rows[] = {
	{ "formatdate", formatdate_params, 2, .returns = &type_string, .call = fn_formatdate,
	  .doc = "Writes a time in another form. In the format, `YYYY` `YY` are the year, `M` to "
		 "`MMMM` the month (1, 01, Jan, January), `D` `DD` the day, `EEE` `EEEE` the day "
		 "of the week, `h` `hh` the hour of 24 and `H` `HH` of 12, `AA` `aa` its half of "
		 "the day, `m` `mm` the minute, `s` `ss` the second, and `Z` `ZZZ` `ZZZZ` "
		 "`ZZZZZ` the offset from UTC (Z, UTC, +0000, +00:00). Letters between single "
		 "quotes stand for themselves.",
	  FUNC_EXAMPLES(formatdate_examples) },
	{ "legacy_isotime", format_params, 1, FUNC_VARIADIC, &type_string, fn_legacy_isotime,
	  .doc = "The time at which the run started, in UTC, in RFC 3339 or as a layout of Go "
		 "says (`2006-01-02 15:04:05`). For templates that come from JSON; new ones use "
		 "`formatdate` and `timestamp`.",
	  FUNC_EXAMPLES(isotime_examples) },
	{ "legacy_strftime", format_params, 1, FUNC_VARIADIC, &type_string, fn_legacy_strftime,
	  .doc = "The time at which the run started, in UTC, in RFC 3339 or as a format of "
		 "strftime says (`%Y-%m-%d`). For templates that come from JSON; new ones use "
		 "`formatdate` and `timestamp`.",
	  FUNC_EXAMPLES(strftime_examples) },
	{ "rfc3339_parse", rfc3339_params, 1, .returns = &type_any, .call = fn_rfc3339_parse,
	  .doc = "A time as an object, in the offset it is written with: `year`, `month`, "
		 "`month_name`, `day`, `weekday` (Sunday is 0), `weekday_name`, `hour`, "
		 "`minute`, `second`, `year_day`, `iso_year`, `iso_week`, and `unix`, the "
		 "seconds since 1970.",
	  FUNC_EXAMPLES(rfc3339_examples) },
	{ "timeadd", timeadd_params, 2, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_timeadd,
	  .doc = "The time that is so much later, or earlier where the duration is negative. "
		 "Durations are numbers with units, such as `1h30m`: `h`, `m`, `s`, `ms`, `us`, "
		 "`ns`.",
	  FUNC_EXAMPLES(timeadd_examples) },
	{ "timestamp", NULL, 0, .returns = &type_string, .call = fn_timestamp,
	  .doc = "The present time in UTC, in RFC 3339.", FUNC_EXAMPLES(timestamp_examples) },
	{ "unix_timestamp_parse", unix_params, 1, .returns = &type_any,
	  .call = fn_unix_timestamp_parse,
	  .doc = "Seconds since 1970 as an object, in UTC: as `rfc3339_parse` gives it, with "
		 "`rfc3339` (the time as text) in place of `unix`.",
	  FUNC_EXAMPLES(unix_examples) },
};

const struct func_group func_group_time = { "Dates and times", rows, ARRAY_LEN(rows) };
