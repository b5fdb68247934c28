/* regex, regexall and regex_replace. */
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/functions/re2.h"
#include "lang/expr/text.h"

#include "base/buf.h"
#include "base/cluster.h"
#include "base/vec.h"

#include <unictype.h>

/* What a match is given as: the text itself without groups, a tuple of groups, an object of named
 * ones. */
enum shape { TEXT, TUPLE, OBJECT };

static int shape_of(struct func_call *c, const struct re2 *re, enum shape *ret, struct err *err)
{
	size_t named = 0, n = re2_groups(re);

	for (size_t i = 1; i <= n; i++)
		named += re2_group_name(re, i) != NULL;
	if (named && named < n)
		return arg_error(c, 0, err,
				 "the pattern has groups with names and groups without; all or "
				 "none must have one");
	*ret = !n ? TEXT : named ? OBJECT : TUPLE;
	return 0;
}

/* A pattern that is wrong is the first argument's fault. */
static struct re2 *compile_arg(struct func_call *c, struct str pattern, enum shape *ret_shape,
			       struct err *err)
{
	AUTO(re2) struct re2 *re = re2_compile(pattern, err);

	if (!re) {
		c->bad_arg = 0;
		return NULL;
	}
	return shape_of(c, re, ret_shape, err) < 0 ? NULL : steal(re);
}

static struct value group_value(struct func_call *c, struct str s)
{
	struct value v = value_null_of(&type_string, c->span);

	if (s.p)
		ret_text(c, s, &v);
	return v;
}

static struct value match_value(struct func_call *c, const struct re2 *re, enum shape shape,
				const struct str *groups)
{
	size_t n = re2_groups(re);
	struct value_attr *attrs;
	struct value *v;

	if (shape == TEXT)
		return group_value(c, groups[0]);
	if (shape == TUPLE) {
		v = arena_new_array(c->arena, struct value, n);
		for (size_t i = 0; i < n; i++)
			v[i] = group_value(c, groups[i + 1]);
		return value_seq_make(c->arena, VALUE_TUPLE, v, n, c->span);
	}
	attrs = arena_new_array(c->arena, struct value_attr, n);
	for (size_t i = 0; i < n; i++) {
		attrs[i].key = arena_str(c->arena, str_from(re2_group_name(re, i + 1)));
		attrs[i].value = group_value(c, groups[i + 1]);
	}
	return value_object_last(c->arena, attrs, n, c->span);
}

/* What a match is of, which the pattern alone tells. */
static const struct type *match_type(struct func_call *c, const struct re2 *re, enum shape shape)
{
	auto_free struct str *none = xcalloc(re2_groups(re) + 1, sizeof(*none));

	return type_of(c->arena, match_value(c, re, shape, none));
}

static int fn_regex(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err)
{
	enum shape shape;
	AUTO(re2) struct re2 *re = NULL;
	auto_free struct str *groups = NULL;
	int rc;

	*ret = value_unknown(c->span);
	if (args[0].kind == VALUE_UNKNOWN)
		return 0;
	re = compile_arg(c, args[0].string, &shape, err);
	if (!re)
		return -1;
	if (args[1].kind == VALUE_UNKNOWN) {
		*ret = value_unknown_of(match_type(c, re, shape), c->span);
		return 0;
	}
	groups = xcalloc(re2_groups(re) + 1, sizeof(*groups));
	rc = re2_match(re, args[1].string, 0, groups, err);
	if (rc <= 0)
		return rc < 0 ?
			       -1 :
			       err_set(err, ERR_INVALID, "the pattern matches no part of the text");
	*ret = match_value(c, re, shape, groups);
	return 0;
}

static size_t rune_length(struct str s, size_t at)
{
	size_t n = 1;

	if (at < s.n)
		str_rune(s, at, &n);
	return n;
}

static int fn_regexall(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		       struct value *ret, struct err *err)
{
	enum shape shape;
	struct str s = args[1].string;
	AUTO(re2) struct re2 *re = NULL;
	auto_free struct str *groups = NULL;
	VEC(struct value) v = VEC_INIT;
	size_t at = 0, last_end = SIZE_MAX;
	const struct type *elem;
	int rc = 0;

	*ret = value_unknown_of(&type_list_any, c->span);
	if (args[0].kind == VALUE_UNKNOWN)
		return 0;
	re = compile_arg(c, args[0].string, &shape, err);
	if (!re)
		return -1;
	elem = match_type(c, re, shape);
	if (args[1].kind == VALUE_UNKNOWN) {
		*ret = value_unknown_of(type_list(c->arena, elem), c->span);
		return 0;
	}
	groups = xcalloc(re2_groups(re) + 1, sizeof(*groups));
	while (at <= s.n && (rc = re2_match(re, s, at, groups, err)) > 0) {
		size_t from = s.n ? (size_t)(groups[0].p - s.p) : 0, end = from + groups[0].n;

		/* An empty match right behind the one before it does not count. */
		if (end > at || from != last_end)
			vec_push(&v, match_value(c, re, shape, groups));
		at = end > at ? end : at + rune_length(s, at);
		last_end = end;
		rc = arg_memory(c, v.n * sizeof(*v.v), err);
		if (rc < 0)
			break;
	}
	if (rc >= 0)
		*ret = value_list(c->arena, elem, v.v, v.n, c->span);
	vec_release(&v);
	return rc < 0 ? -1 : 0;
}

static bool is_name_rune(ucs4_t r)
{
	return r == '_' || uc_is_general_category(r, UC_CATEGORY_L) ||
	       uc_is_general_category(r, UC_CATEGORY_Nd);
}

/* The name behind a $: `1`, `name`, `{name}`; *i is moved behind it. False: the $ stands for
 * itself. */
static bool read_name(struct str s, size_t *i, struct str *ret)
{
	bool braces = *i < s.n && s.p[*i] == '{';
	size_t from = *i + braces, end = from, n;

	while (end < s.n && is_name_rune(str_rune(s, end, &n)))
		end += n;
	*ret = str_slice(s, from, end);
	if (end == from || (braces && (end >= s.n || s.p[end] != '}')))
		return false;
	*i = end + braces;
	return true;
}

/* What the name stands for; nothing if there is no such group, or it took no part. */
static struct str find_group(const struct re2 *re, const struct str *groups, struct str name)
{
	uint64_t number;

	if (parse_u64(name, &number) && !(name.n > 1 && name.p[0] == '0'))
		return number <= re2_groups(re) ? groups[number] : (struct str){ 0 };
	for (size_t i = 1; i <= re2_groups(re); i++)
		if (re2_group_name(re, i) && str_eqs(name, re2_group_name(re, i)))
			return groups[i];
	return (struct str){ 0 };
}

static void put_replacement(struct buf *out, const struct re2 *re, const struct str *groups,
			    struct str by)
{
	for (size_t i = 0; i < by.n;) {
		struct str name;

		if (by.p[i++] != '$') {
			buf_addc(out, by.p[i - 1]);
		} else if (i < by.n && by.p[i] == '$') {
			buf_addc(out, '$');
			i++;
		} else if (read_name(by, &i, &name)) {
			buf_add_str(out, find_group(re, groups, name));
		} else {
			buf_addc(out, '$');
		}
	}
}

static int replace_all(const struct re2 *re, struct str s, struct str by, struct buf *out,
		       struct err *err)
{
	auto_free struct str *groups = xcalloc(re2_groups(re) + 1, sizeof(*groups));
	size_t at = 0, done = 0;
	int rc = 0;

	while (at <= s.n && !out->overflow && (rc = re2_match(re, s, at, groups, err)) > 0) {
		size_t from = s.n ? (size_t)(groups[0].p - s.p) : 0, end = from + groups[0].n;

		buf_add_str(out, str_slice(s, done, from));
		if (end > done || from == 0)
			put_replacement(out, re, groups, by);
		done = end;
		at = MAX(at + rune_length(s, at), end);
	}
	buf_add_str(out, str_slice(s, done, s.n));
	return rc < 0 ? -1 : 0;
}

static int fn_regex_replace(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			    struct value *ret, struct err *err)
{
	AUTO(re2) struct re2 *re = re2_compile(args[1].string, err);
	AUTO(buf) struct buf b = BUF_INIT;

	if (!re || replace_all(re, args[0].string, args[2].string, &b, err) < 0)
		return -1;
	return ret_buf(c, &b, ret, err);
}

static const struct func_param regex_params[] = { { "pattern", &type_string, PARAM_UNKNOWN },
						  { "string", &type_string, PARAM_UNKNOWN } };
static const struct func_param replace_params[] = { { "str", &type_string },
						    { "pattern", &type_string },
						    { "replace", &type_string } };

static const struct func_example regex_examples[] = {
	{ "regex(\"[0-9]+\", \"ubuntu-2204\")", "\"2204\"" },
	{ "regex(\"^(\\\\w+)-(\\\\d+)$\", \"web-7\")", "[\"web\",\"7\"]" },
	{ "regex(\"(?P<major>\\\\d+)\\\\.(?P<minor>\\\\d+)\", \"v1.16\")",
	  "{\"major\":\"1\",\"minor\":\"16\"}" },
};
static const struct func_example regexall_examples[] = {
	{ "regexall(\"[a-z]+\", \"1 one 2 two\")", "[\"one\",\"two\"]" },
	{ "length(regexall(\"x\", \"axbxc\"))", "2" },
};
static const struct func_example replace_examples[] = {
	{ "regex_replace(\"web 1\", \"[^a-z0-9]+\", \"-\")", "\"web-1\"" },
	{ "regex_replace(\"2024-01-02\", \"(\\\\d+)-(\\\\d+)-(\\\\d+)\", \"$3.$2.$1\")",
	  "\"02.01.2024\"" },
};

static const struct func rows[] = {
	{ "regex", regex_params, 2, .returns = &type_any, .call = fn_regex,
	  .doc = "The first match of a pattern in RE2's syntax: the text itself if the pattern "
		 "has no groups, a tuple of what the groups took, or an object of what the "
		 "groups with names (`(?P<name>…)`) took; `null` for a group that took no part. "
		 "No match is an error: see `can` and `regexall`.",
	  FUNC_EXAMPLES(regex_examples) },
	{ "regex_replace", replace_params, 3, .returns = &type_string, .call = fn_regex_replace,
	  .doc = "Replaces every match of a pattern in RE2's syntax. In the new text `$1` or "
		 "`${name}` is what a group took, and `$$` a dollar sign; a name takes all "
		 "letters, digits and underscores that follow.",
	  FUNC_EXAMPLES(replace_examples) },
	{ "regexall", regex_params, 2, .returns = &type_any, .call = fn_regexall,
	  .doc = "All matches of a pattern in RE2's syntax, each as `regex` gives it; an empty "
		 "list if there is none.",
	  FUNC_EXAMPLES(regexall_examples) },
};
const struct func_group func_group_regex = { "Regular expressions", rows, ARRAY_LEN(rows) };
