/* The machine-readable line format; commands and the build's reader share it. */
#include "engine/machine.h"

static void field(struct buf *out, const char *s)
{
	buf_addc(out, ',');
	for (; *s; s++) {
		if (*s == ',')
			buf_adds(out, "%!(PACKER_COMMA)");
		else if (*s == '\n')
			buf_adds(out, "\\n");
		else if (*s == '\r')
			buf_adds(out, "\\r");
		else
			buf_addc(out, *s);
	}
}

void machine_line(struct buf *out, int64_t unix_s, const char *target, const char *type,
		  const char *const *data)
{
	buf_printf(out, "%lld,%s,%s", (long long)unix_s, target ? target : "", type);
	for (; data && *data; data++)
		field(out, *data);
	buf_addc(out, '\n');
}
