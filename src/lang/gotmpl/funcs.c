/* The functions that text/template itself has. */
#include "lang/gotmpl/format.h"
#include "lang/gotmpl/tree.h"

#include "base/cluster.h"
#include "lang/expr/gotext.h"

static const struct span nowhere;

/* What Go compares is of one of these kinds; lists and maps are not, but with nil. */
enum kind { KIND_NONE, KIND_LIST, KIND_BOOL, KIND_INT, KIND_FLOAT, KIND_TEXT };

static enum kind kind_of(struct value v)
{
	int64_t i;

	switch (v.kind) {
	case VALUE_NULL:
	case VALUE_UNKNOWN:
		return KIND_NONE;
	case VALUE_BOOL:
		return KIND_BOOL;
	case VALUE_NUMBER:
		return gotmpl_as_int(v, &i) ? KIND_INT : KIND_FLOAT;
	case VALUE_STRING:
		return KIND_TEXT;
	default:
		return KIND_LIST;
	}
}

/* and, or: the evaluator does them. */
static int fn_bad(struct gotmpl_env *env UNUSED, const struct value *args UNUSED,
		  size_t nargs UNUSED, struct value *ret UNUSED, struct err *err)
{
	return err_set(err, ERR_INVALID, "it cannot be called here");
}

static int fn_not(struct gotmpl_env *env UNUSED, const struct value *args, size_t nargs UNUSED,
		  struct value *ret, struct err *err UNUSED)
{
	*ret = value_bool(!gotmpl_is_true(args[0]), nowhere);
	return 0;
}

static int fn_len(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
		  struct value *ret, struct err *err)
{
	if (args[0].kind != VALUE_STRING && !value_is_seq(args[0]) && !value_is_attrs(args[0]))
		return err_set(err, ERR_INVALID, "%s has no length", value_kind_phrase(args[0]));
	*ret = value_i64(env->arena, (int64_t)value_len(args[0]), nowhere);
	return 0;
}

static int index_seq(struct gotmpl_env *env, struct value v, struct value at, struct value *ret,
		     struct err *err)
{
	int64_t i;

	if (!gotmpl_as_int(at, &i))
		return err_set(err, ERR_INVALID, "the index is %s, a whole number belongs",
			       value_kind_phrase(at));
	if (i < 0 || (size_t)i >= value_len(v))
		return err_set(err, ERR_INVALID,
			       "the index %lld is out of range, there are %zu elements",
			       (long long)i, value_len(v));
	/* An element of a text is a byte. */
	*ret = v.kind == VALUE_STRING ? value_i64(env->arena, (uint8_t)v.string.p[i], nowhere)
				      : v.seq->v[i];
	return 0;
}

static int fn_index(struct gotmpl_env *env, const struct value *args, size_t nargs,
		    struct value *ret, struct err *err)
{
	struct value v = args[0];

	if (kind_of(v) == KIND_NONE)
		return err_set(err, ERR_INVALID, "nothing (nil) cannot be indexed");
	for (size_t i = 1; i < nargs; i++) {
		if (value_is_attrs(v) && args[i].kind == VALUE_STRING) {
			struct value next = { .kind = VALUE_UNKNOWN };

			for (size_t j = 0; j < v.attrs->n; j++)
				if (str_eq(v.attrs->v[j].key, args[i].string))
					next = v.attrs->v[j].value;
			v = next;
		} else if (value_is_seq(v) || v.kind == VALUE_STRING) {
			if (index_seq(env, v, args[i], &v, err) < 0)
				return -1;
		} else {
			return err_set(err, ERR_INVALID, "%s cannot be indexed by %s",
				       value_kind_phrase(v), value_kind_phrase(args[i]));
		}
	}
	*ret = v;
	return 0;
}

/* slice LIST FROM TO CAPACITY, of which the last shows in nothing. */
static int fn_slice(struct gotmpl_env *env, const struct value *args, size_t nargs,
		    struct value *ret, struct err *err)
{
	int64_t len = (int64_t)value_len(args[0]), at[3] = { 0, len, len };
	bool text = args[0].kind == VALUE_STRING;

	if (!text && !value_is_seq(args[0]))
		return err_set(err, ERR_INVALID, "%s cannot be sliced", value_kind_phrase(args[0]));
	if (text && nargs == 4)
		return err_set(err, ERR_INVALID, "text is sliced by two indices at most");
	for (size_t i = 1; i < nargs; i++)
		if (!gotmpl_as_int(args[i], &at[i - 1]))
			return err_set(err, ERR_INVALID, "an index is %s, a whole number belongs",
				       value_kind_phrase(args[i]));
	if (at[0] < 0 || at[1] > len || at[0] > at[1] || at[2] < at[1] || at[2] > len)
		return err_set(err, ERR_INVALID,
			       "%lld to %lld is out of range, there are %lld elements",
			       (long long)at[0], (long long)at[1], (long long)len);
	if (text)
		*ret = value_string(str_slice(args[0].string, (size_t)at[0], (size_t)at[1]),
				    nowhere);
	else
		*ret = value_seq_make(env->arena, VALUE_TUPLE, args[0].seq->v + at[0],
				      (size_t)(at[1] - at[0]), nowhere);
	return 0;
}

static int fn_call(struct gotmpl_env *env UNUSED, const struct value *args, size_t nargs UNUSED,
		   struct value *ret UNUSED, struct err *err)
{
	return err_set(err, ERR_INVALID, "%s is no function", gotmpl_go_type(args[0]));
}

/* Of a buffer with the ceiling of all output. */
static int give_text(struct gotmpl_env *env, struct buf *b, struct value *ret, struct err *err)
{
	if (b->overflow)
		return err_set(err, ERR_INVALID, "it gives more than %zu MiB of text",
			       GOTMPL_OUTPUT_MAX >> 20);
	*ret = value_string(arena_str(env->arena, buf_str(b)), nowhere);
	return 0;
}

/* fmt.Sprint: a space between operands when neither is text. */
static int fn_print(struct gotmpl_env *env, const struct value *args, size_t nargs,
		    struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = { .max = GOTMPL_OUTPUT_MAX };

	for (size_t i = 0; i < nargs; i++) {
		if (i && args[i].kind != VALUE_STRING && args[i - 1].kind != VALUE_STRING)
			buf_addc(&b, ' ');
		gotmpl_print_value(&b, args[i], env->arena);
	}
	return give_text(env, &b, ret, err);
}

static int fn_println(struct gotmpl_env *env, const struct value *args, size_t nargs,
		      struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = { .max = GOTMPL_OUTPUT_MAX };

	for (size_t i = 0; i < nargs; i++) {
		if (i)
			buf_addc(&b, ' ');
		gotmpl_print_value(&b, args[i], env->arena);
	}
	buf_addc(&b, '\n');
	return give_text(env, &b, ret, err);
}

static int fn_printf(struct gotmpl_env *env, const struct value *args, size_t nargs,
		     struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = { .max = GOTMPL_OUTPUT_MAX };

	if (args[0].kind != VALUE_STRING)
		return err_set(err, ERR_INVALID, "the format is %s, text belongs",
			       value_kind_phrase(args[0]));
	gotmpl_printf(&b, args[0].string, args + 1, nargs - 1, env->arena);
	return give_text(env, &b, ret, err);
}

/* The text that html, js and urlquery work on: their arguments as print shows them. */
static int plain(struct gotmpl_env *env, const struct value *args, size_t nargs, struct str *ret,
		 struct err *err)
{
	struct value *shown = arena_new_array(env->arena, struct value, nargs), v;

	for (size_t i = 0; i < nargs; i++)
		shown[i] = args[i].kind == VALUE_NULL || args[i].kind == VALUE_UNKNOWN
				   ? value_string(STR("<no value>"), nowhere)
				   : args[i];
	if (fn_print(env, shown, nargs, &v, err) < 0)
		return -1;
	*ret = v.string;
	return 0;
}

static int fn_html(struct gotmpl_env *env, const struct value *args, size_t nargs,
		   struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = { .max = GOTMPL_OUTPUT_MAX };
	struct str s;

	if (plain(env, args, nargs, &s, err) < 0)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '\0':
			buf_adds(&b, "\xef\xbf\xbd");
			break;
		case '"':
			buf_adds(&b, "&#34;");
			break;
		case '\'':
			buf_adds(&b, "&#39;");
			break;
		case '&':
			buf_adds(&b, "&amp;");
			break;
		case '<':
			buf_adds(&b, "&lt;");
			break;
		case '>':
			buf_adds(&b, "&gt;");
			break;
		default:
			buf_addc(&b, s.p[i]);
		}
	}
	return give_text(env, &b, ret, err);
}

static int fn_js(struct gotmpl_env *env, const struct value *args, size_t nargs, struct value *ret,
		 struct err *err)
{
	AUTO(buf) struct buf b = { .max = GOTMPL_OUTPUT_MAX };
	struct str s;

	if (plain(env, args, nargs, &s, err) < 0)
		return -1;
	for (size_t i = 0, n; i < s.n; i += n) {
		uint32_t c = str_rune(s, i, &n);

		if (c == '\\' || c == '\'' || c == '"')
			buf_printf(&b, "\\%c", (char)c);
		else if (c < 0x20 || c == '<' || c == '>' || c == '&' || c == '=' ||
			 (c >= 0x80 && !gotext_is_print(c)))
			buf_printf(&b, "\\u%04X", c);
		else
			buf_add(&b, s.p + i, n);
	}
	return give_text(env, &b, ret, err);
}

static int fn_urlquery(struct gotmpl_env *env, const struct value *args, size_t nargs,
		       struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = { .max = GOTMPL_OUTPUT_MAX };
	struct str s;

	if (plain(env, args, nargs, &s, err) < 0)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ' ')
			buf_addc(&b, '+');
		else
			buf_add_uri(&b, str_slice(s, i, i + 1), false);
	}
	return give_text(env, &b, ret, err);
}

static int not_comparable(struct value a, struct value b, struct err *err)
{
	return err_set(err, ERR_INVALID, "%s and %s cannot be compared", gotmpl_go_type(a),
		       gotmpl_go_type(b));
}

static int equal(struct value a, struct value b, bool *ret, struct err *err)
{
	enum kind x = kind_of(a), y = kind_of(b);

	if (x == KIND_NONE || y == KIND_NONE) {
		*ret = x == y;
		return 0;
	}
	if (x != y || x == KIND_LIST)
		return not_comparable(a, b, err);
	*ret = value_equal(a, b);
	return 0;
}

/* eq compares the first with any of the others. */
static int fn_eq(struct gotmpl_env *env UNUSED, const struct value *args, size_t nargs,
		 struct value *ret, struct err *err)
{
	bool is = false;

	for (size_t i = 1; i < nargs && !is; i++)
		if (equal(args[0], args[i], &is, err) < 0)
			return -1;
	*ret = value_bool(is, nowhere);
	return 0;
}

static int fn_ne(struct gotmpl_env *env, const struct value *args, size_t nargs, struct value *ret,
		 struct err *err)
{
	if (fn_eq(env, args, nargs, ret, err) < 0)
		return -1;
	ret->boolean = !ret->boolean;
	return 0;
}

static int compare(const struct value *args, int *ret, struct err *err)
{
	enum kind kind = kind_of(args[0]);
	double a, b;
	int64_t i, j;

	if (kind != kind_of(args[1]))
		return not_comparable(args[0], args[1], err);
	if (kind == KIND_TEXT) {
		*ret = str_cmp(args[0].string, args[1].string);
	} else if (kind == KIND_INT && gotmpl_as_int(args[0], &i) && gotmpl_as_int(args[1], &j)) {
		*ret = (i > j) - (i < j);
	} else if (kind == KIND_FLOAT && value_as_double(args[0], &a) &&
		   value_as_double(args[1], &b)) {
		*ret = (a > b) - (a < b);
	} else {
		return err_set(err, ERR_INVALID, "%s has no order", value_kind_phrase(args[0]));
	}
	return 0;
}

#define ORDER(name, op) \
	static int fn_##name(struct gotmpl_env *env UNUSED, const struct value *args, \
			     size_t nargs UNUSED, struct value *ret, struct err *err) \
	{ \
		int order = 0; \
\
		if (compare(args, &order, err) < 0) \
			return -1; \
		*ret = value_bool(order op 0, nowhere); \
		return 0; \
	}
ORDER(lt, <)
ORDER(le, <=)
ORDER(gt, >)
ORDER(ge, >=)

const struct gotmpl_func gotmpl_builtins[] = {
	{ "and", 1, -1, fn_bad },
	{ "call", 1, -1, fn_call },
	{ "eq", 2, -1, fn_eq },
	{ "ge", 2, 2, fn_ge },
	{ "gt", 2, 2, fn_gt },
	{ "html", 0, -1, fn_html },
	{ "index", 1, -1, fn_index },
	{ "js", 0, -1, fn_js },
	{ "le", 2, 2, fn_le },
	{ "len", 1, 1, fn_len },
	{ "lt", 2, 2, fn_lt },
	{ "ne", 2, 2, fn_ne },
	{ "not", 1, 1, fn_not },
	{ "or", 1, -1, fn_bad },
	{ "print", 0, -1, fn_print },
	{ "printf", 1, -1, fn_printf },
	{ "println", 0, -1, fn_println },
	{ "slice", 1, 4, fn_slice },
	{ "urlquery", 0, -1, fn_urlquery },
};
const size_t ngotmpl_builtins = ARRAY_LEN(gotmpl_builtins);
