/* Takes user data apart: gzip and MIME multipart as cloud-init's tools write them, parts in base64
 * or plain. */
#include "guest.h"

#include <string.h>

struct headers {
	struct str boundary, encoding;
	bool multipart;
};

static bool is_gzip(struct str s)
{
	return s.n > 2 && (uint8_t)s.p[0] == 0x1f && (uint8_t)s.p[1] == 0x8b;
}

static struct str parameter(struct str value, const char *name)
{
	auto_free char *start = xasprintf("%s=", name);
	ptrdiff_t at = str_find(value, str_from(start));
	struct str rest, v;

	if (at < 0)
		return STR("");
	rest = str_slice(value, (size_t)at + strlen(start), value.n);
	if (str_starts(rest, "\"")) {
		rest = str_slice(rest, 1, rest.n);
		return str_split(&rest, '"', &v) ? v : STR("");
	}
	return str_split(&rest, ';', &v) ? str_trim(v) : STR("");
}

/* Reads the header lines; *text is left at the body. A folded boundary is found on its continuation
 * line. */
static struct headers read_headers(struct str *text)
{
	struct headers h = { 0 };
	struct str line, name, rest;

	while (str_split(text, '\n', &line)) {
		if (!str_trim(line).n)
			break;
		rest = line;
		if (line.p[0] != ' ' && line.p[0] != '\t') {
			if (!str_split(&rest, ':', &name))
				continue;
			if (str_ieqs(name, "content-transfer-encoding"))
				h.encoding = str_trim(rest);
			if (str_ieqs(name, "content-type"))
				h.multipart = str_starts(str_trim(rest), "multipart/");
		}
		if (parameter(line, "boundary").n)
			h.boundary = parameter(line, "boundary");
	}
	return h;
}

static size_t split_into(struct str data, struct guest_part *parts, size_t n, int depth);

static size_t split_gzip(struct str data, struct guest_part *parts, size_t n, int depth)
{
	static const char *const argv[] = { "gzip", "-dc", NULL };
	AUTO(buf) struct buf plain = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;

	if (guest_filter(argv, data, &plain, &err) < 0) {
		err_prefix(&err, "user data: unpacking gzip");
		guest_say_err(&err);
		return n;
	}
	return split_into(buf_str(&plain), parts, n, depth + 1);
}

/* One part: its own headers, then the body. */
static size_t split_part(struct str part, struct guest_part *parts, size_t n, int depth)
{
	struct str body = part;
	struct headers h = read_headers(&body);
	AUTO(buf) struct buf plain = BUF_INIT;

	if (h.multipart)
		return split_into(part, parts, n, depth + 1);
	if (!str_ieqs(h.encoding, "base64"))
		return split_into(body, parts, n, depth + 1);
	if (buf_add_unbase64(&plain, str_trim(body)) < 0) {
		guest_say("user data: a part has malformed base64 text");
		return n;
	}
	return split_into(buf_str(&plain), parts, n, depth + 1);
}

static size_t split_multipart(struct str text, struct guest_part *parts, size_t n, int depth)
{
	struct headers h = read_headers(&text);
	auto_free char *mark = xasprintf("--" STR_FMT, STR_ARG(h.boundary));
	const char *start = NULL;
	struct str line;

	if (!h.boundary.n) {
		guest_say("user data: a multipart text without a boundary");
		return n;
	}
	while (str_split(&text, '\n', &line)) {
		if (!str_starts(line, mark))
			continue;
		if (start && line.p > start)
			n = split_part((struct str){ start, (size_t)(line.p - start) }, parts, n,
				       depth);
		start = text.p;
		if (str_starts(str_slice(line, strlen(mark), line.n), "--"))
			break;
	}
	return n;
}

static size_t split_into(struct str data, struct guest_part *parts, size_t n, int depth)
{
	if (depth > 4 || n == GUEST_PARTS_MAX) {
		guest_say("user data: too many or too deep parts; the rest is left out");
		return n;
	}
	if (is_gzip(data))
		return split_gzip(data, parts, n, depth);
	while (data.n && strchr("\r\n", data.p[0]))
		data = str_slice(data, 1, data.n);
	if (str_starts(data, "Content-Type: multipart/") || str_starts(data, "MIME-Version:"))
		return split_multipart(data, parts, n, depth);
	if (!str_trim(data).n)
		return n;
	parts[n] = (struct guest_part){ xstrndup(data.p, data.n), data.n };
	return n + 1;
}

size_t guest_split(struct str data, struct guest_part parts[GUEST_PARTS_MAX])
{
	return split_into(data, parts, 0, 0);
}

void guest_parts_free(struct guest_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(parts[i].text);
}
