/* HCL's JSON form. */
#include "hcl_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(arena) struct arena *a = arena_new();
	struct hcl_body *body;
	struct diags d;
	int r;

	diags_init(&d, a);
	r = hcl_parse_json(a, source_new(a, "t", (struct str){ (const char *)data, n }), &d, &body);
	check_diags(&d, r < 0);
	check_body(a, body, &d, 0);
	check_diags(&d, d.errors);
	return 0;
}
