/* Small texts with a form of their own: durations, dates, layouts, versions, addresses. What was
 * read and written again reads the same. The first byte chooses. */
#include "base/clock.h"
#include "base/gotime.h"
#include "cloud/container/netns.h"
#include "cloud/model/vpc.h"
#include "communicator/config.h"
#include "lang/expr/functions/moment.h"
#include "template/version.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void duration(struct str s)
{
	AUTO(buf) struct buf b = BUF_INIT, shown = BUF_INIT;
	int64_t ns, again;

	if (!clock_parse_duration(s, &ns))
		return;
	clock_print_duration(&b, ns);
	clock_format_duration(&shown, ns);
	if (!clock_parse_duration(buf_str(&b), &again) || ns != again)
		abort();
}

static void rfc3339(struct str s)
{
	AUTO(buf) struct buf b = BUF_INIT;
	int64_t ms, again;

	if (!clock_parse_rfc3339(s, &ms))
		return;
	clock_format_rfc3339(&b, ms, true);
	if (!clock_parse_rfc3339(buf_str(&b), &again) || ms != again)
		abort();
}

static void http_date(struct str s)
{
	int64_t unix_time;

	clock_parse_http_date(s, &unix_time);
}

static void layouts(struct str s)
{
	AUTO(buf) struct buf b = BUF_INIT;

	gotime_format(&b, 1136239445123, s);
	gotime_strftime(&b, -1, s);
}

static void moment(struct str s)
{
	AUTO(buf) struct buf b = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct moment m, again;

	if (!moment_parse_lenient(s, &m))
		return;
	moment_write(&b, &m);
	if (moment_parse(s, &m, &err) == 0 &&
	    (moment_parse(buf_str(&b), &again, &err) < 0 || m.unix_s != again.unix_s ||
	     m.offset != again.offset))
		abort();
}

static void version(struct str s)
{
	struct str a;
	bool fits, pre;
	int there, back;

	if (!str_split(&s, '\n', &a))
		return;
	if (version_compare(a, s, &there) &&
	    (!version_compare(s, a, &back) || (there < 0) != (back > 0) || (there == 0) != !back))
		abort();
	version_satisfies(a, s, &fits, &pre);
}

static void address(struct str s)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *text = xstrndup(s.p, s.n);
	struct comm_tunnel tunnel;
	uint32_t ip;
	uint8_t mac[6];
	int bits;

	cidr_parse(text, &ip, &bits);
	ip_parse(text, &ip);
	netns_parse_mac(text, mac);
	if (comm_tunnel_parse(a, text, &tunnel, &err) < 0 && !err_any(&err))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const readers[])(struct str s) = { duration, rfc3339, http_date, layouts,
							 moment,   version, address };

	if (n)
		readers[data[0] % ARRAY_LEN(readers)](
			(struct str){ (const char *)data + 1, n - 1 });
	return 0;
}
