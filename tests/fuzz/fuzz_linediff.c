/* Differences of two texts (a record separator between them): what the hunks say, done to the first
 * text, gives the second. */
#include "base/linediff.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct str take_line(struct str *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n = end ? (size_t)(end - rest->p) + 1 : rest->n;
	struct str line = str_slice(*rest, 0, n);

	*rest = str_slice(*rest, n, rest->n);
	return line;
}

static void copy_line(struct str *from, struct buf *out)
{
	struct str line = take_line(from);

	if (out)
		buf_add_str(out, line);
}

/* "@@ -3,7 +3,8 @@": the hunk's first line of the old text, from 0. */
static long first_line(struct str head)
{
	auto_free char *text = xstrndup(head.p, head.n);
	long first = 0, count = 1;

	if (sscanf(text, "@@ -%ld,%ld", &first, &count) < 1)
		abort();
	return count ? first - 1 : first;
}

static void apply(struct str from, struct str diff, struct buf *out)
{
	long at = 0;

	take_line(&diff);
	take_line(&diff);
	while (diff.n) {
		struct str line = take_line(&diff), next = diff;

		if (str_starts(line, "@@ ")) {
			for (long first = first_line(line); at < first; at++)
				copy_line(&from, out);
			continue;
		}
		if (str_starts(take_line(&next), "\\")) { /* its line has no end */
			line.n--;
			diff = next;
		}
		if (!str_starts(line, "+")) {
			if (!str_eq(take_line(&from), str_slice(line, 1, line.n)))
				abort();
			at++;
		}
		if (!str_starts(line, "-"))
			buf_add_str(out, str_slice(line, 1, line.n));
	}
	buf_add_str(out, from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(buf) struct buf diff = BUF_INIT, out = BUF_INIT;
	struct str to = { (const char *)data, n }, from;

	if (!str_split(&to, '\x1e', &from))
		return 0;
	linediff_unified(from, to, "a", "b", &diff);
	if (!diff.n != str_eq(from, to))
		abort();
	if (!diff.n)
		return 0;
	apply(from, buf_str(&diff), &out);
	if (!str_eq(buf_str(&out), to))
		abort();
	return 0;
}
