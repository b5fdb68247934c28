/* HCL's bare templates, and single expressions. */
#include "hcl_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	int (*const parsers[])(struct arena *, struct source *, struct diags *,
			       struct hcl_expr **) = { hcl_parse_template, hcl_parse_expr };

	for (size_t i = 0; i < ARRAY_LEN(parsers); i++) {
		AUTO(arena) struct arena *a = arena_new();
		struct hcl_expr *x;
		struct diags d;
		int r;

		diags_init(&d, a);
		r = parsers[i](a, source_new(a, "t", (struct str){ (const char *)data, n }), &d,
			       &x);
		check_diags(&d, r < 0);
		if ((r == 0) != (x != NULL))
			abort();
		if (x)
			check_expr(x);
	}
	return 0;
}
