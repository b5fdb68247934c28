/* Reading a template into a tree that fixers change, running them, and writing it. Form and order
 * of what is written are those of the reference's encoder, numbers too: they are doubles there. */
#include "template/upgrade/fix.h"

#include "template/legacy/legacy.h"

#include "base/vec.h"
#include "lang/jsontext/jsontext.h"

#include <math.h>

/* Numbers become doubles. Of keys that stand twice the last one counts. */
static json_t *tree_from(struct value v)
{
	json_t *tree;
	double number = 0;

	switch (v.kind) {
	case VALUE_BOOL:
		return json_boolean(v.boolean);
	case VALUE_NUMBER:
		return value_as_double(v, &number) && isfinite(number) ? json_real(number)
								       : json_null();
	case VALUE_STRING:
		return json_stringn(v.string.p ? v.string.p : "", v.string.n);
	case VALUE_TUPLE:
		tree = json_array();
		for (size_t i = 0; i < v.seq->n; i++)
			json_array_append_new(tree, tree_from(v.seq->v[i]));
		return tree;
	case VALUE_OBJECT:
		tree = json_object();
		for (size_t i = 0; i < v.attrs->n; i++)
			json_object_setn_new(tree, v.attrs->v[i].key.p, v.attrs->v[i].key.n,
					     tree_from(v.attrs->v[i].value));
		return tree;
	default:
		return json_null();
	}
}

static void release_tree(json_t **tree)
{
	json_decref(*tree);
}
DEFINE_AUTO(tree, json_t *, release_tree);

/* The shortest digits that read back as the same double; an exponent only for the very large and
 * the very small. */
static void write_number(struct buf *out, double n)
{
	char text[32], *e;
	int digits = 1, exponent;

	do
		snprintf(text, sizeof(text), "%.*e", digits - 1, n);
	while (strtod(text, NULL) != n && digits++ < 17);
	e = strchr(text, 'e');
	exponent = (int)strtol(e + 1, NULL, 10);
	if (n != 0 && (exponent < -6 || exponent >= 21)) {
		buf_add(out, text, (size_t)(e - text) + 2);
		buf_adds(out, e[2] == '0' ? e + 3 : e + 2);
	} else if (exponent >= digits) {
		for (const char *p = text; p < e; p++)
			if (*p != '.')
				buf_addc(out, *p);
		for (int i = digits; i <= exponent; i++)
			buf_addc(out, '0');
	} else {
		buf_printf(out, "%.*f", digits - 1 - exponent, n);
	}
}

static void write_indent(struct buf *out, unsigned level)
{
	buf_addc(out, '\n');
	while (level--)
		buf_adds(out, "  ");
}

/* As Go's encoder escapes, but < and > stay what they are. */
static void write_string(struct buf *out, struct str s)
{
	AUTO(buf) struct buf text = BUF_INIT;

	buf_add_go_json_string(&text, s);
	for (size_t i = 0; i < text.n; i++) {
		struct str rest = str_slice(buf_str(&text), i, text.n);
		bool less = str_starts(rest, "\\u003c"), more = str_starts(rest, "\\u003e");

		if (less || more) {
			buf_addc(out, less ? '<' : '>');
			i += strlen("\\u003c") - 1;
			continue;
		}
		buf_addc(out, text.p[i]);
		if (str_starts(rest, "\\\\")) /* a backslash of the text begins no escape */
			buf_addc(out, text.p[++i]);
	}
}

static void write_tree(struct buf *out, const json_t *tree, unsigned level);

static void write_array(struct buf *out, const json_t *tree, unsigned level)
{
	size_t n = json_array_size(tree);

	buf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(out, ',');
		write_indent(out, level + 1);
		write_tree(out, json_array_get(tree, i), level + 1);
	}
	if (n)
		write_indent(out, level);
	buf_addc(out, ']');
}

static void write_object(struct buf *out, json_t *tree, unsigned level)
{
	size_t n = json_object_size(tree), i = 0;
	auto_free const char **keys = xcalloc(n + 1, sizeof(*keys));
	const char *key;
	json_t *value;

	json_object_foreach(tree, key, value)
		keys[i++] = key;
	sort_strings(keys, n);
	buf_addc(out, '{');
	for (i = 0; i < n; i++) {
		if (i)
			buf_addc(out, ',');
		write_indent(out, level + 1);
		write_string(out, str_from(keys[i]));
		buf_adds(out, ": ");
		write_tree(out, json_object_get(tree, keys[i]), level + 1);
	}
	if (n)
		write_indent(out, level);
	buf_addc(out, '}');
}

static void write_tree(struct buf *out, const json_t *tree, unsigned level)
{
	switch (json_typeof(tree)) {
	case JSON_OBJECT:
		write_object(out, (json_t *)tree, level);
		break;
	case JSON_ARRAY:
		write_array(out, tree, level);
		break;
	case JSON_STRING:
		write_string(out,
			     (struct str){ json_string_value(tree), json_string_length(tree) });
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		write_number(out, json_number_value(tree));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_adds(out, json_is_true(tree) ? "true" : "false");
		break;
	case JSON_NULL:
		buf_adds(out, "null");
		break;
	}
}

static bool type_fits(const char *types, const json_t *part)
{
	const char *type = json_string_value(json_object_get(part, "type"));
	struct str rest = str_from(types), pattern;

	if (!types)
		return true;
	while (type && str_split(&rest, ' ', &pattern)) {
		bool open = pattern.p[pattern.n - 1] == '*';
		size_t n = pattern.n - open;

		if (strncmp(type, pattern.p, n) == 0 && (open || !type[n]))
			return true;
	}
	return false;
}

static int fix_part(const struct fixer *f, json_t *part, struct err *err)
{
	if (!json_is_object(part) || !type_fits(f->types, part))
		return 0;
	return f->fix(part, err);
}

static int fix_list(const struct fixer *f, const char *what, json_t *list, struct err *err)
{
	size_t i;
	json_t *part;

	json_array_foreach(list, i, part) {
		if (json_is_array(part)) { /* a sequence of post-processors */
			if (fix_list(f, what, part, err) < 0)
				return -1;
		} else if (fix_part(f, part, err) < 0) {
			return err_prefix(err, "%s %zu", what, i + 1);
		}
	}
	return 0;
}

static int run_fixer(const struct fixer *f, json_t *root, struct err *err)
{
	static const char *const keys[] = { "builders", "provisioners", "post-processors" };
	static const char *const names[] = { "builder", "provisioner", "post-processor" };
	bool used[] = {
		f->part == FIX_BUILDER || f->part == FIX_LOGIN,
		f->part == FIX_PROVISIONER,
		f->part == FIX_POSTPROCESSOR || f->part == FIX_LOGIN,
	};

	if (f->part == FIX_LOGIN && !json_is_array(json_object_get(root, "post-processors")))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (used[i] && fix_list(f, names[i], json_object_get(root, keys[i]), err) < 0)
			return err_prefix(err, "%s", f->name);
	return 0;
}

/* The lists as fixers find them: a template gets "builders" if it has none, and one provisioner
 * alone becomes a list. */
static int settle_lists(json_t *root, struct err *err)
{
	json_t *builders = json_object_get(root, "builders"), *part;
	json_t *provisioners = json_object_get(root, "provisioners");
	json_t *postprocessors = json_object_get(root, "post-processors");
	size_t i;

	if (!builders)
		json_object_set_new(root, "builders", json_null());
	else if (!json_is_array(builders) && !json_is_null(builders))
		return err_set(err, ERR_INVALID, "\"builders\" is no list");
	json_array_foreach(builders, i, part) {
		if (!json_is_object(part) && !json_is_null(part))
			return err_set(err, ERR_INVALID, "builder %zu is no object", i + 1);
	}
	if (postprocessors && !json_is_array(postprocessors) && !json_is_null(postprocessors))
		return err_set(err, ERR_INVALID, "\"post-processors\" is no list");
	if (json_is_object(provisioners) && json_object_size(provisioners))
		json_object_set_new(root, "provisioners", json_pack("[O]", provisioners));
	return 0;
}

/* Names in trees end at a NUL. */
static int check_names(struct value v, struct diags *d)
{
	if (v.kind == VALUE_TUPLE)
		for (size_t i = 0; i < v.seq->n; i++)
			if (check_names(v.seq->v[i], d) < 0)
				return -1;
	if (v.kind != VALUE_OBJECT)
		return 0;
	for (size_t i = 0; i < v.attrs->n; i++) {
		const struct value_attr *attr = &v.attrs->v[i];

		if (memchr(attr->key.p, 0, attr->key.n)) {
			diag_error(d, attr->key_span, "A name contains the character U+0000");
			return -1;
		}
		if (check_names(attr->value, d) < 0)
			return -1;
	}
	return 0;
}

int template_fix(struct arena *a, struct source *src, struct diags *d, struct buf *out,
		 struct err *err)
{
	AUTO(tree) json_t *root = NULL;
	struct value v;

	d->label = "Template error";
	if (jsontext_parse(a, src, JSONTEXT_COMMENTS | JSONTEXT_LATER_WINS, d, &v) < 0)
		return -1;
	if (v.kind != VALUE_OBJECT) {
		diag_error(d, v.span, "A template is an object ({ … }), not %s",
			   value_kind_phrase(v));
		return -1;
	}
	if (check_names(v, d) < 0)
		return -1;
	root = tree_from(v);
	if (settle_lists(root, err) < 0)
		return -1;
	for (size_t i = 0; i < nfixers; i++)
		if (run_fixer(&fixers[i], root, err) < 0)
			return -1;
	write_tree(out, root, 0);
	buf_addc(out, '\n');
	return 0;
}

int template_fix_check(struct arena *a, struct source *src, struct diags *d)
{
	struct legacy *t;

	if (legacy_read(a, src, d, &t) < 0)
		return -1;
	d->label = "Template error";
	t->min_version.kind = VALUE_NULL; /* which Packer it needs is for those who build with it */
	return legacy_check(t, d);
}
