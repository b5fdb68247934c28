/* inspect's listing of an HCL2 template: the values of variables and locals, and what its builds
 * consist of. Scripts read it: it is the reference's, byte for byte. */
#include "template/hcl/builds.h"

#include "lang/expr/gotext.h"
#include "lang/expr/print.h"

struct named_value {
	const char *name;
	struct value value;
};

static int compare_named(const void *a, const void *b)
{
	return strcmp(((const struct named_value *)a)->name, ((const struct named_value *)b)->name);
}

/* Shorter ones would hit half of all words; marked strings are hidden anyway. */
#define SECRET_MIN 3

/* Strings with secrets in them are shown without: "user:<sensitive>@host". What is marked and shows
 * no secret may hold one in another form, and is not shown at all. */
static bool hide_secrets(void *data, struct str text, struct buf *out)
{
	const struct hcl_template *t = data;
	bool found = false;

	for (size_t i = 0; i < text.n;) {
		size_t longest = 0;

		for (size_t k = 0; k < t->nsecrets; k++)
			if (strlen(t->secrets[k]) >= SECRET_MIN &&
			    str_starts(str_slice(text, i, text.n), t->secrets[k]))
				longest = MAX(longest, strlen(t->secrets[k]));
		if (longest)
			buf_adds(out, "<sensitive>");
		else
			buf_addc(out, text.p[i]);
		found |= longest > 0;
		i += MAX(longest, (size_t)1);
	}
	return found;
}

void hcl_show_value(const struct hcl_template *t, struct value v, struct buf *out)
{
	struct value_hide hide = { hide_secrets, (void *)t };

	value_write_shown(out, v, &hide);
}

static void write_values(const struct hcl_template *t, const char *prefix, struct named_value *v,
			 size_t n, struct buf *out)
{
	qsort(v, n, sizeof(*v), compare_named);
	for (size_t i = 0; i < n; i++) {
		AUTO(buf) struct buf text = BUF_INIT;

		hcl_show_value(t, v[i].value, &text);
		buf_printf(out, "%s.%s: ", prefix, v[i].name);
		gotext_quote(out, buf_str(&text), false);
		buf_addc(out, '\n');
	}
}

void hcl_outline_values(const struct hcl_template *t, struct buf *out)
{
	struct named_value *v =
	    arena_new_array(t->arena, struct named_value, MAX(t->nvariables, t->nlocals) + 1);
	size_t n = 0;

	buf_adds(out, "> input-variables:\n\n");
	for (size_t i = 0; i < t->nvariables; i++)
		v[i] = (struct named_value){ t->variables[i].name, t->variables[i].value };
	write_values(t, "var", v, t->nvariables, out);
	buf_adds(out, "\n> local-variables:\n\n");
	for (size_t i = 0; i < t->nlocals; i++)
		if (!t->locals[i].bad)
			v[n++] = (struct named_value){ t->locals[i].name, t->locals[i].value };
	write_values(t, "local", v, n, out);
}

static void write_part(const struct hcl_part *p, const char *indent, struct buf *out)
{
	buf_printf(out, "%s%s%s%s\n", indent, p->type, p->name ? "." : "", p->name ? p->name : "");
}

static void write_build(const struct hcl_template *t, const struct hcl_build *b, size_t index,
			struct buf *out)
{
	if (*b->name)
		buf_printf(out, "\n  > %s:\n", b->name);
	else
		buf_printf(out, "\n  > <unnamed build %zu>:\n", index);
	if (*b->description)
		buf_printf(out, "\n  > Description: %s\n", b->description);
	buf_adds(out, b->nuses ? "\n    sources:\n" : "\n    sources:\n\n      <no source>\n");
	for (size_t i = 0; i < b->nuses; i++)
		buf_printf(out, "\n      %s\n", hcl_use_label(t->arena, &b->uses[i]));
	buf_adds(out, b->nprovisioners ? "\n    provisioners:\n\n"
				       : "\n    provisioners:\n\n      <no provisioner>\n");
	for (size_t i = 0; i < b->nprovisioners; i++)
		write_part(&b->provisioners[i], "      ", out);
	buf_adds(out, b->nchains ? "\n    post-processors:\n"
				 : "\n    post-processors:\n\n      <no post-processor>\n");
	for (size_t i = 0; i < b->nchains; i++) {
		buf_printf(out, "\n      %zu:\n", i);
		for (size_t j = 0; j < b->chains[i].n; j++)
			write_part(&b->chains[i].v[j], "        ", out);
	}
}

void hcl_outline_builds(struct hcl_template *t, struct buf *out)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct hcl_build *builds = NULL;
	size_t n = 0;

	/* Its mistakes are validate's: what could be read is shown. */
	hcl_read_builds(t, &builds, &n);
	buf_adds(&text, "> builds:\n");
	for (size_t i = 0; i < n; i++)
		write_build(t, &builds[i], i, &text);
	(void)hide_secrets(t, buf_str(&text), out);
}
