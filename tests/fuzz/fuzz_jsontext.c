/* JSON text: no input may crash the reader, and what it takes must be written back and read again.
 */
#include "lang/jsontext/jsontext.h"

#include "lang/expr/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct diags d;
	struct value v, again;

	if (!n)
		return 0;
	diags_init(&d, a);
	if (jsontext_parse(a, source_new(a, "fuzz", (struct str){ (const char *)data + 1, n - 1 }),
			   data[0] & 3, &d, &v) < 0) {
		diags_render(&d, &text);
		return 0;
	}
	if (v.kind == VALUE_STRING)
		jsontext_string_offset(v.span, n / 2);
	if (value_write_jsonencode(&text, v, &err) < 0 ||
	    jsontext_parse(a, source_new(a, "again", buf_str(&text)), JSONTEXT_LATER_WINS, &d,
			   &again) < 0 ||
	    !value_equal(v, again))
		abort();
	return 0;
}
