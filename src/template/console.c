/* Expressions against a template's values: what console asks of both languages. */
#include "template/hcl/hcl.h"
#include "template/legacy/legacy.h"

struct template_console {
	struct hcl_template *hcl;
	struct legacy *legacy; /* one of the two */
	struct diags failures; /* of locals and data sources: told when they are asked for */
};

static int open_hcl(const struct template_args *args, struct arena *a, struct diags *d,
		    struct template_console *c)
{
	if (hcl_read(a, args, d, &c->hcl) < 0 || hcl_variables(c->hcl) < 0)
		return -1;
	/* Mistakes in values are no reason not to look at the others: they are unknown. */
	diags_init(&c->failures, a);
	c->hcl->diags = &c->failures;
	hcl_locals(c->hcl, true);
	return 0;
}

/* Of a template that could not be built only the values given from outside are known, as in the
 * reference; the mistakes are in d. */
static int open_legacy(const struct template_args *args, struct arena *a, struct diags *d,
		       struct template_console *c, struct err *err)
{
	bool sound;

	if (legacy_load(args, a, d, &c->legacy, err) < 0)
		return -1;
	sound = legacy_check(c->legacy, d) == 0;
	sound &= legacy_check_given(c->legacy, d) == 0;
	if (sound)
		(void)!legacy_variables(c->legacy, d);
	return 0;
}

/* Values of sensitive variables, wherever they stand. */
static void hide(const struct legacy *t, struct str text, struct buf *out)
{
	for (size_t i = 0; i < text.n;) {
		size_t longest = 0;

		for (size_t k = 0; k < t->nsensitive; k++) {
			const char *value = map_gets(&t->values, t->sensitive[k]);
			size_t n = value ? strlen(value) : 0;

			if (n > longest && n <= text.n - i && memcmp(value, text.p + i, n) == 0)
				longest = n;
		}
		if (longest)
			buf_adds(out, "<sensitive>");
		else
			buf_addc(out, text.p[i]);
		i += longest ? longest : 1;
	}
}

int template_console_open(const struct template_args *args, struct arena *a, struct diags *d,
			  struct template_console **ret, struct err *err)
{
	struct template_console *c = arena_new_obj(a, struct template_console);

	int rc = template_is_hcl(args) ? open_hcl(args, a, d, c) : open_legacy(args, a, d, c, err);

	if (rc == 0)
		*ret = c;
	return rc;
}

static void find_locals(void *found, const struct hcl_expr *ref)
{
	struct str root;

	if (hcl_traversal_names(ref, &root, 1) && (str_eqs(root, "local") || str_eqs(root, "data")))
		*(bool *)found = true;
}

static bool asks_for_locals(const struct hcl_expr *x)
{
	bool found = false;

	hcl_each_reference(x, find_locals, &found);
	return found;
}

static int eval_hcl(const struct template_console *c, struct arena *a, struct source *src,
		    struct diags *d, struct buf *out)
{
	const struct hcl_template *t = c->hcl;
	struct eval e = hcl_eval(t, NULL, a, d);
	struct hcl_expr *x;
	struct value v;

	if (hcl_parse_expr(a, src, d, &x) < 0 || eval_expr(&e, x, &v) < 0)
		return -1;
	if (value_has_unknown(v) && c->failures.errors && asks_for_locals(x)) {
		diags_add(d, &c->failures, NULL);
		return -1;
	}
	hcl_show_value(t, v, out);
	return 0;
}

static int eval_legacy(const struct legacy *t, struct arena *a, struct source *src, struct diags *d,
		       struct buf *out)
{
	struct scope s = { .variables = &t->values, .template_dir = t->dir, .now_ms = t->now_ms };
	struct span whole = { src, 0, (uint32_t)src->text.n };
	AUTO(err) struct err err = ERR_INIT;
	struct diag *g;
	struct str text;

	if (scope_render(&s, a, value_null(whole), false, src->text, &text, &err) >= 0) {
		hide(t, text, out);
		return 0;
	}
	/* The reference's console goes on after it, and ends well: the severity it has none of. */
	g = diag_warning(d, (struct span){ src, (uint32_t)err.os, (uint32_t)err.os },
			 "Interpolation error");
	g->label = "???????";
	diag_detail(d, g, "%s", err.msg);
	return -1;
}

int template_console_eval(struct template_console *c, struct arena *a, struct str line,
			  struct diags *d, struct str *ret)
{
	struct source *src = source_new(a, "<console>", arena_str(a, line));
	AUTO(buf) struct buf out = BUF_INIT;
	int rc = c->hcl ? eval_hcl(c, a, src, d, &out) : eval_legacy(c->legacy, a, src, d, &out);

	if (rc == 0)
		*ret = arena_str(a, buf_str(&out));
	return rc;
}

void template_console_variables(struct template_console *c, struct buf *out)
{
	if (c->hcl) {
		hcl_outline_values(c->hcl, out);
		return;
	}
	buf_addc(out, '\n');
	for (size_t i = 0; i < map_len(&c->legacy->values); i++) {
		struct str name = map_key_at(&c->legacy->values, i);
		const char *value = map_at(&c->legacy->values, i);

		buf_printf(out, STR_FMT ": ", STR_ARG(name));
		hide(c->legacy, str_from(value), out);
		buf_adds(out, ",\n");
	}
}

/* Names that begin with a word, on their way into the caller's array. */
struct completion {
	struct arena *arena;
	struct str word;
	const char **names;
	size_t n, max;
};

static void offer(struct completion *c, const char *name)
{
	if (c->n < c->max && strlen(name) > c->word.n && memcmp(name, c->word.p, c->word.n) == 0)
		c->names[c->n++] = name;
}

static void offer_attrs(struct completion *c, struct value v, const char *prefix)
{
	for (size_t i = 0; value_is_attrs(v) && i < v.attrs->n; i++) {
		const struct value_attr *a = &v.attrs->v[i];
		const char *name = arena_printf(c->arena, "%s" STR_FMT, prefix, STR_ARG(a->key));

		offer(c, name);
		/* deeper only where the word already is */
		if (c->word.n > strlen(name) && memcmp(c->word.p, name, strlen(name)) == 0 &&
		    c->word.p[strlen(name)] == '.')
			offer_attrs(c, a->value, arena_printf(c->arena, "%s.", name));
	}
}

static void complete_hcl(const struct hcl_template *t, struct completion *c)
{
	const struct func_group *const *groups = t->args->registry->functions;

	for (size_t i = 0; i < t->scope.n; i++) {
		const char *root =
		    arena_strndup(c->arena, t->scope.v[i].key.p, t->scope.v[i].key.n);

		offer(c, root);
		offer_attrs(c, t->scope.v[i].value, arena_printf(c->arena, "%s.", root));
	}
	for (groups = groups ? groups : func_groups; *groups; groups++)
		for (size_t i = 0; i < (*groups)->n; i++)
			offer(c, arena_printf(c->arena, "%s(", (*groups)->rows[i].name));
}

static bool in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || (uint8_t)c >= 0x80;
}

size_t template_console_complete(struct template_console *console, struct arena *a,
				 struct str prefix, const char **names, size_t max)
{
	struct completion c = { .arena = a, .names = names, .max = max };
	size_t from = prefix.n;

	while (from && in_word(prefix.p[from - 1]))
		from--;
	c.word = str_slice(prefix, from, prefix.n);
	if (console->hcl) {
		complete_hcl(console->hcl, &c);
		return c.n;
	}
	for (size_t i = 0; scope_function(i); i++)
		offer(&c, scope_function(i));
	for (size_t i = 0; i < map_len(&console->legacy->values); i++)
		offer(&c,
		      arena_printf(a, STR_FMT, STR_ARG(map_key_at(&console->legacy->values, i))));
	return c.n;
}
