/* Diagnostics of evaluation: the mistake, the expression around it, the values that took part. */
#include "lang/expr/evaluate.h"

#include "lang/expr/print.h"
#include "lang/hcl/hcl.h"

#include <string.h>

#define VALUES_MAX 6 /* references whose values are shown */
#define TEXT_MAX 60  /* bytes of a reference's source text that are shown */
#define KEYS_MAX 12

struct took_part {
	struct eval *e;
	struct buf text;
	struct str seen[VALUES_MAX];
	size_t n;
};

static void tell_reference(void *data, const struct hcl_expr *ref)
{
	struct took_part *t = data;
	struct diags quiet;
	struct value v;
	struct str text, brief;

	if (t->n >= VALUES_MAX || !ref->span.src || ref->span.to - ref->span.from > TEXT_MAX)
		return;
	text = str_slice(ref->span.src->text, ref->span.from, ref->span.to);
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(t->seen[i], text))
			return;
	v = eval_apart(t->e, ref, &quiet);
	if (quiet.errors)
		return;
	t->seen[t->n++] = text;
	brief = value_brief(t->e->arena, v);
	buf_printf(&t->text, "%s" STR_FMT " is " STR_FMT, t->n > 1 ? "\n    " : "", STR_ARG(text),
		   STR_ARG(brief));
}

static const char *values_of(struct eval *e, const struct hcl_expr *x)
{
	struct took_part t = {.e = e, .text = BUF_INIT};
	const char *ret = NULL;

	if (!x || e->telling || e->exhausted || e->depth >= EVAL_DEPTH_MAX)
		return NULL;
	e->telling = true;
	hcl_each_reference(x, tell_reference, &t);
	e->telling = false;
	if (t.n)
		ret = arena_strdup(e->arena, buf_cstr(&t.text));
	buf_release(&t.text);
	return ret;
}

struct diag *eval_error(struct eval *e, struct span span, const struct hcl_expr *whole,
			const struct hcl_expr *blamed, const char *summary, ...)
{
	const char *values = values_of(e, blamed);
	struct diag *g;
	va_list ap;

	va_start(ap, summary);
	g = diag_error(e->diags, span, "%s", arena_vprintf(e->arena, summary, ap));
	va_end(ap);
	if (whole)
		g->context = whole->span;
	g->subject = e->subject;
	g->values = values;
	return g;
}

void eval_tell_values(struct eval *e, struct diag *g, const struct hcl_expr *x)
{
	g->values = values_of(e, x);
}

const char *eval_sentence(struct eval *e, const char *msg)
{
	char *ret = arena_printf(e->arena, "%s%s", msg, ends_with(msg, ".") ? "" : ".");
	size_t word = strspn(msg, "abcdefghijklmnopqrstuvwxyz");

	/* Not what begins like a word and is a name: web.txt, http://…, source_ami. */
	if (word && (!msg[word] || strchr(" ,;'", msg[word])))
		*ret = (char)(*ret - 'a' + 'A');
	return ret;
}

const char *eval_keys(struct eval *e, struct value v)
{
	AUTO(buf) struct buf out = BUF_INIT;
	size_t n = value_len(v);

	for (size_t i = 0; i < MIN(n, (size_t)KEYS_MAX); i++)
		buf_printf(&out, "%s" STR_FMT, i ? ", " : "", STR_ARG(v.attrs->v[i].key));
	if (n > KEYS_MAX)
		buf_printf(&out, " and %zu more", n - KEYS_MAX);
	return arena_strdup(e->arena, buf_cstr(&out));
}
