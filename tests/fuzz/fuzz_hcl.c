/* HCL's native syntax: tokens cover the text, a check finds the mistakes that the parser finds,
 * trees can be walked, and what parses still does after formatting, which changes nothing the
 * second time. */
#include "hcl_check.h"
#include "lang/hcl/format.h"
#include "lang/hcl/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_tokens(struct arena *a, struct str text)
{
	struct hcl_tokens t = hcl_lex(a, text, HCL_LEX_CONFIG);
	uint32_t last = str_starts(text, "\xef\xbb\xbf") ? 3 : 0;

	for (size_t i = 0; i < t.n; last = t.v[i++].to) {
		if (t.v[i].from < last || t.v[i].to < t.v[i].from || t.v[i].to > text.n)
			abort();
		for (uint32_t k = last; k < t.v[i].from; k++)
			if (text.p[k] != ' ' && text.p[k] != '\t')
				abort();
	}
	if (t.v[t.n - 1].kind != HCL_T_EOF || last != text.n)
		abort();
}

static void check_check(struct arena *a, struct str text, const struct diags *want)
{
	struct hcl_tokens lexed = hcl_lex(a, text, HCL_LEX_CONFIG), tokens;
	struct diags d;

	diags_init(&d, a);
	if (hcl_check(a, source_new(a, "t", text), &d, &tokens) == 0 &&
	    (tokens.n != lexed.n || memcmp(tokens.v, lexed.v, lexed.n * sizeof(*lexed.v))))
		abort();
	if (d.n != want->n)
		abort();
	for (size_t i = 0; i < d.n; i++)
		if (!streq(d.v[i].summary, want->v[i].summary) ||
		    d.v[i].span.from != want->v[i].span.from)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf once = BUF_INIT;
	AUTO(buf) struct buf twice = BUF_INIT;
	struct str text = { (const char *)data, n };
	struct hcl_body *body;
	struct diags d, again;
	int r;

	check_tokens(a, text);
	diags_init(&d, a);
	r = hcl_parse(a, source_new(a, "t", text), &d, &body);
	check_diags(&d, r < 0);
	check_check(a, text, &d);
	check_body(a, body, &d, 0);
	hcl_format(text, &once);
	if (r < 0)
		return 0;
	diags_init(&again, a);
	if (hcl_parse(a, source_new(a, "t", buf_str(&once)), &again, &body) < 0)
		abort();
	hcl_format(buf_str(&once), &twice);
	if (!str_eq(buf_str(&once), buf_str(&twice)))
		abort();
	return 0;
}
