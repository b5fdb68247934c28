/* {{ }} templates: the first line is the template, the rest the dot as JSON. */
#include "lang/gotmpl/gotmpl.h"
#include "lang/jsontext/jsontext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A range over a large number runs to its ceiling of steps, and the fuzzer's time with it. */
static bool counts_long(struct str template)
{
	enum { MOST_DIGITS = 5 };
	size_t digits = 0;

	for (size_t i = 0; i < template.n; i++) {
		digits = template.p[i] >= '0' && template.p[i] <= '9' ? digits + 1 : 0;
		if (digits > MOST_DIGITS)
			return memmem(template.p, template.n, "range", strlen("range"));
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(err) struct err err = ERR_INIT;
	struct gotmpl_env env = { .arena = a };
	struct str rest = { (const char *)data, n }, template = { 0 }, out;
	struct diags d;

	if (!str_split(&rest, '\n', &template) || counts_long(template))
		return 0;
	diags_init(&d, a);
	if (!rest.n || jsontext_parse(a, source_new(a, "dot", rest), 0, &d, &env.dot) < 0)
		env.dot = value_null((struct span){ 0 });
	if (gotmpl_render_text(&env, template, &out, &err) < 0 &&
	    (err.os < 0 || (size_t)err.os > template.n))
		abort(); /* a mistake has its place inside the text */
	return 0;
}
