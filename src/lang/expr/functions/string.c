/* Functions of text: case, trimming, cutting, joining.
 *
 * Case is mapped code point by code point (no "ß" to "SS"), as the reference does; lengths and
 * places are counted in grapheme clusters.
 */
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/text.h"

#include "base/buf.h"
#include "base/cluster.h"

#include <unicase.h>
#include <unictype.h>

/* More than any page is wide; it keeps indent(1e9, …) from filling the memory. */
#define INDENT_MAX 65536

static int map_runes(struct func_call *c, struct str s, ucs4_t (*map)(ucs4_t), struct value *ret,
		     struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;

	for (size_t i = 0, n; i < s.n; i += n)
		buf_add_utf8(&b, map(str_rune(s, i, &n)));
	return ret_buf(c, &b, ret, err);
}

static int fn_upper(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err)
{
	return map_runes(c, args[0].string, uc_toupper, ret, err);
}

static int fn_lower(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err)
{
	return map_runes(c, args[0].string, uc_tolower, ret, err);
}

/* What a word may begin behind. */
static bool is_separator(ucs4_t r)
{
	if (r < 0x80)
		return !uc_is_property_alphabetic(r) && !(r >= '0' && r <= '9') && r != '_';
	if (uc_is_general_category(r, UC_CATEGORY_L) || uc_is_general_category(r, UC_CATEGORY_Nd))
		return false;
	return text_is_space(r);
}

static int fn_title(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;
	struct str s = args[0].string;
	ucs4_t before = ' ';

	for (size_t i = 0, n; i < s.n; i += n) {
		ucs4_t r = str_rune(s, i, &n);

		buf_add_utf8(&b, is_separator(before) ? uc_totitle(r) : r);
		before = r;
	}
	return ret_buf(c, &b, ret, err);
}

/* The place where the last code point of s begins; s is not empty. */
static size_t last_rune(struct str s)
{
	size_t i = s.n - 1;

	while (i && ((uint8_t)s.p[i] & 0xc0) == 0x80)
		i--;
	return i;
}

static bool in_set(struct str cutset, ucs4_t r)
{
	for (size_t i = 0, n; i < cutset.n; i += n)
		if (str_rune(cutset, i, &n) == r)
			return true;
	return false;
}

static bool is_space_of(struct str cutset UNUSED, ucs4_t r)
{
	return text_is_space(r);
}

static struct str trim_both(struct str s, struct str cutset, bool (*is_in)(struct str, ucs4_t))
{
	size_t n;

	while (s.n && is_in(cutset, str_rune(s, 0, &n)))
		s = str_slice(s, n, s.n);
	while (s.n && is_in(cutset, str_rune(s, last_rune(s), &n)))
		s.n = last_rune(s);
	return s;
}

static int fn_trim(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		   struct value *ret, struct err *err UNUSED)
{
	return ret_text(c, trim_both(args[0].string, args[1].string, in_set), ret);
}

static int fn_trimspace(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			struct value *ret, struct err *err UNUSED)
{
	return ret_text(c, trim_both(args[0].string, (struct str){ 0 }, is_space_of), ret);
}

static bool has_prefix(struct str s, struct str what)
{
	return s.n >= what.n && str_eq(str_slice(s, 0, what.n), what);
}

static bool has_suffix(struct str s, struct str what)
{
	return s.n >= what.n && str_eq(str_slice(s, s.n - what.n, s.n), what);
}

static int fn_trimprefix(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err UNUSED)
{
	struct str s = args[0].string, what = args[1].string;

	return ret_text(c, has_prefix(s, what) ? str_slice(s, what.n, s.n) : s, ret);
}

static int fn_trimsuffix(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err UNUSED)
{
	struct str s = args[0].string, what = args[1].string;

	return ret_text(c, has_suffix(s, what) ? str_slice(s, 0, s.n - what.n) : s, ret);
}

static int fn_startswith(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err UNUSED)
{
	*ret = value_bool(has_prefix(args[0].string, args[1].string), c->span);
	return 0;
}

static int fn_endswith(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		       struct value *ret, struct err *err UNUSED)
{
	*ret = value_bool(has_suffix(args[0].string, args[1].string), c->span);
	return 0;
}

static int fn_strcontains(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			  struct value *ret, struct err *err UNUSED)
{
	*ret = value_bool(str_find(args[0].string, args[1].string) >= 0, c->span);
	return 0;
}

static int fn_chomp(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err UNUSED)
{
	struct str s = args[0].string;

	while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	return ret_text(c, s, ret);
}

static int fn_indent(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		     struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;
	struct str s = args[1].string;
	int64_t spaces;

	if (arg_int(c, args, 0, &spaces, err) < 0)
		return -1;
	if (spaces < 0 || (spaces > INDENT_MAX && s.n && memchr(s.p, '\n', s.n)))
		return arg_error(c, 0, err, "from 0 to %d spaces can be put in, not %lld",
				 INDENT_MAX, (long long)spaces);
	for (size_t i = 0; i < s.n; i++) {
		buf_addc(&b, s.p[i]);
		for (int64_t k = 0; s.p[i] == '\n' && k < spaces; k++)
			buf_addc(&b, ' ');
	}
	return ret_buf(c, &b, ret, err);
}

static int fn_strrev(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		     struct value *ret, struct err *err UNUSED)
{
	struct str s = args[0].string;
	char *out = arena_alloc(c->arena, s.n + 1);

	for (size_t i = 0, n; i < s.n; i += n) {
		n = str_cluster(s, i);
		memcpy(out + s.n - i - n, s.p + i, n);
	}
	return ret_text(c, (struct str){ out, s.n }, ret);
}

/* Bytes that the first n clusters of s take. */
static size_t clusters_bytes(struct str s, int64_t n)
{
	size_t i = 0;

	for (; n > 0 && i < s.n; n--)
		i += str_cluster(s, i);
	return i;
}

static int fn_substr(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		     struct value *ret, struct err *err)
{
	struct str s = args[0].string;
	int64_t offset, length;
	bool from_end;

	if (arg_int(c, args, 1, &offset, err) < 0 || arg_int(c, args, 2, &length, err) < 0)
		return -1;
	from_end = offset < 0;
	if (from_end)
		offset += (int64_t)text_count_clusters(s);
	s = str_slice(s, clusters_bytes(s, offset), s.n);
	/* A length of 0 counts from the end as "all the rest": so it is in the reference. */
	if (length > 0 || (length == 0 && !from_end))
		s.n = clusters_bytes(s, length);
	return ret_text(c, s, ret);
}

static int fn_split(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err)
{
	struct str sep = args[0].string, rest = args[1].string;
	size_t n = 0, cap = 8;
	struct value *v = arena_new_array(c->arena, struct value, cap);
	bool more = sep.n || rest.n;

	while (more) {
		struct str one = rest;
		size_t skip = sep.n;

		if (!sep.n) { /* into code points */
			str_rune(rest, 0, &one.n);
			more = one.n < rest.n;
		} else {
			ptrdiff_t at = str_find(rest, sep);

			more = at >= 0;
			one.n = more ? (size_t)at : rest.n;
		}
		if (n == cap && arg_memory(c, 0, err) < 0)
			return -1;
		if (n == cap) {
			v = arena_grow(c->arena, v, cap * sizeof(*v), 2 * cap * sizeof(*v));
			cap *= 2;
		}
		ret_text(c, one, &v[n++]);
		if (more)
			rest = str_slice(rest, one.n + skip, rest.n);
	}
	*ret = value_list(c->arena, &type_string, v, n, c->span);
	return 0;
}

static int fn_join(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		   struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;
	bool first = true;

	if (nargs < 2)
		return err_set(err, ERR_INVALID,
			       "at least one list is needed behind the separator");
	for (size_t i = 1; i < nargs; i++) {
		for (size_t k = 0; k < args[i].seq->n; k++) {
			struct value v = args[i].seq->v[k];

			if (v.kind == VALUE_NULL)
				return arg_error(c, (int)i, err,
						 "element %zu is null, which cannot be joined", k);
			if (!first)
				buf_add_str(&b, args[0].string);
			buf_add_str(&b, v.string);
			first = false;
		}
	}
	return ret_buf(c, &b, ret, err);
}

static int fn_replace(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		      struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;
	struct str rest = args[0].string, what = args[1].string, by = args[2].string;

	if (!what.n) { /* between all code points, and at both ends */
		buf_add_str(&b, by);
		for (size_t i = 0, n; i < rest.n; i += n) {
			str_rune(rest, i, &n);
			buf_add(&b, rest.p + i, n);
			buf_add_str(&b, by);
		}
		return ret_buf(c, &b, ret, err);
	}
	for (ptrdiff_t at; (at = str_find(rest, what)) >= 0;) {
		buf_add(&b, rest.p, (size_t)at);
		buf_add_str(&b, by);
		rest = str_slice(rest, (size_t)at + what.n, rest.n);
	}
	buf_add_str(&b, rest);
	return ret_buf(c, &b, ret, err);
}

static const struct func_param one_text[] = { { "str", &type_string } };
static const struct func_param trim_params[] = { { "str", &type_string },
						 { "cutset", &type_string } };
static const struct func_param prefix_params[] = { { "str", &type_string },
						   { "prefix", &type_string } };
static const struct func_param suffix_params[] = { { "str", &type_string },
						   { "suffix", &type_string } };
static const struct func_param contains_params[] = { { "str", &type_string },
						     { "substr", &type_string } };
static const struct func_param indent_params[] = { { "spaces", &type_number },
						   { "str", &type_string } };
static const struct func_param substr_params[] = { { "str", &type_string },
						   { "offset", &type_number },
						   { "length", &type_number } };
static const struct func_param split_params[] = { { "separator", &type_string },
						  { "str", &type_string } };
static const struct func_param join_params[] = { { "separator", &type_string },
						 { "lists", &type_list_string } };
static const struct func_param replace_params[] = { { "str", &type_string },
						    { "substr", &type_string },
						    { "replace", &type_string } };

static const struct func_example upper_examples[] = {
	{ "upper(\"ami-Web\")", "\"AMI-WEB\"" },
	{ "upper(\"straße\")", "\"STRAßE\"" },
};
static const struct func_example lower_examples[] = {
	{ "lower(\"Ubuntu-22.04\")", "\"ubuntu-22.04\"" },
	{ "lower(\"ÀÉ\")", "\"àé\"" },
};
static const struct func_example title_examples[] = {
	{ "title(\"base image\")", "\"Base Image\"" },
	{ "title(\"it's\")", "\"It'S\"" },
};
static const struct func_example trim_examples[] = {
	{ "trim(\"--web--\", \"-\")", "\"web\"" },
	{ "trim(\"abcba\", \"ab\")", "\"c\"" },
};
static const struct func_example trimprefix_examples[] = {
	{ "trimprefix(\"v1.2.3\", \"v\")", "\"1.2.3\"" },
	{ "trimprefix(\"1.2.3\", \"v\")", "\"1.2.3\"" },
};
static const struct func_example trimsuffix_examples[] = {
	{ "trimsuffix(\"setup.sh\", \".sh\")", "\"setup\"" },
	{ "trimsuffix(\"setup\", \".sh\")", "\"setup\"" },
};
static const struct func_example trimspace_examples[] = {
	{ "trimspace(\"  key \\n\")", "\"key\"" },
	{ "trimspace(\"a b\")", "\"a b\"" },
};
static const struct func_example startswith_examples[] = {
	{ "startswith(\"ami-0abc\", \"ami-\")", "true" },
	{ "startswith(\"snap-1\", \"ami-\")", "false" },
};
static const struct func_example endswith_examples[] = {
	{ "endswith(\"disk.raw\", \".raw\")", "true" },
	{ "endswith(\"disk.raw\", \".vmdk\")", "false" },
};
static const struct func_example strcontains_examples[] = {
	{ "strcontains(\"ubuntu-jammy\", \"jammy\")", "true" },
	{ "strcontains(\"ubuntu-jammy\", \"Jammy\")", "false" },
};
static const struct func_example chomp_examples[] = {
	{ "chomp(\"1.4.2\\n\")", "\"1.4.2\"" },
	{ "chomp(\"a\\nb\\r\\n\\n\")", "\"a\\nb\"" },
};
static const struct func_example indent_examples[] = {
	{ "indent(2, \"users:\\n- core\")", "\"users:\\n  - core\"" },
	{ "indent(4, \"one line\")", "\"one line\"" },
};
static const struct func_example strrev_examples[] = {
	{ "strrev(\"abc\")", "\"cba\"" },
	{ "strrev(\"été\")", "\"été\"" },
};
static const struct func_example substr_examples[] = {
	{ "substr(\"ami-0123456789\", 4, 4)", "\"0123\"" },
	{ "substr(\"hello\", -3, -1)", "\"llo\"" },
};
static const struct func_example split_examples[] = {
	{ "split(\",\", \"a,b,c\")", "[\"a\",\"b\",\"c\"]" },
	{ "split(\",\", \"\")", "[\"\"]" },
};
static const struct func_example join_examples[] = {
	{ "join(\"-\", [\"web\", \"v1\"])", "\"web-v1\"" },
	{ "join(\",\", [\"a\"], [\"b\", \"c\"])", "\"a,b,c\"" },
};
static const struct func_example replace_examples[] = {
	{ "replace(\"22.04\", \".\", \"-\")", "\"22-04\"" },
	{ "replace(\"aaa\", \"aa\", \"b\")", "\"ba\"" },
};

static const struct func rows[] = {
	{ "chomp", one_text, 1, .returns = &type_string, .call = fn_chomp,
	  .doc = "Takes all line breaks (LF, CR LF, CR) off the end of a text.",
	  FUNC_EXAMPLES(chomp_examples) },
	{ "endswith", suffix_params, 2, .returns = &type_bool, .call = fn_endswith,
	  .doc = "Tells whether a text ends with the given one.",
	  FUNC_EXAMPLES(endswith_examples) },
	{ "indent", indent_params, 2, .returns = &type_string, .call = fn_indent,
	  .doc = "Puts that many spaces behind each line break: all lines but the first are "
		 "indented.",
	  FUNC_EXAMPLES(indent_examples) },
	{ "join", join_params, 2, FUNC_VARIADIC, .returns = &type_string, .call = fn_join,
	  .doc = "Joins the elements of one or more lists to one text, with a separator between "
		 "them.",
	  FUNC_EXAMPLES(join_examples) },
	{ "lower", one_text, 1, .returns = &type_string, .call = fn_lower,
	  .doc = "Turns all letters into small ones.", FUNC_EXAMPLES(lower_examples) },
	{ "replace", replace_params, 3, .returns = &type_string, .call = fn_replace,
	  .doc = "Replaces every occurrence of one text in another. The search text is taken "
		 "literally; see `regex_replace` for patterns.",
	  FUNC_EXAMPLES(replace_examples) },
	{ "split", split_params, 2, .returns = &type_list_string, .call = fn_split,
	  .doc = "Cuts a text at each separator into a list. An empty separator cuts it into code "
		 "points.",
	  FUNC_EXAMPLES(split_examples) },
	{ "startswith", prefix_params, 2, .returns = &type_bool, .call = fn_startswith,
	  .doc = "Tells whether a text begins with the given one.",
	  FUNC_EXAMPLES(startswith_examples) },
	{ "strcontains", contains_params, 2, .flags = FUNC_UNREFINED,
	  .returns = &type_bool, .call = fn_strcontains,
	  .doc = "Tells whether the second text occurs in the first.",
	  FUNC_EXAMPLES(strcontains_examples) },
	{ "strrev", one_text, 1, .returns = &type_string, .call = fn_strrev,
	  .doc = "Turns a text around, character by character (accents stay with their letters).",
	  FUNC_EXAMPLES(strrev_examples) },
	{ "substr", substr_params, 3, .returns = &type_string, .call = fn_substr,
	  .doc = "Cuts out a part: at most `length` characters from the place `offset` (0 is the "
		 "first; a negative one counts from the end). A negative length takes all the "
		 "rest.",
	  FUNC_EXAMPLES(substr_examples) },
	{ "title", one_text, 1, .returns = &type_string, .call = fn_title,
	  .doc = "Makes the first letter of each word a capital.", FUNC_EXAMPLES(title_examples) },
	{ "trim", trim_params, 2, .returns = &type_string, .call = fn_trim,
	  .doc = "Takes all characters that are in `cutset` off both ends.",
	  FUNC_EXAMPLES(trim_examples) },
	{ "trimprefix", prefix_params, 2, .returns = &type_string, .call = fn_trimprefix,
	  .doc = "Takes a prefix off, once, if the text begins with it.",
	  FUNC_EXAMPLES(trimprefix_examples) },
	{ "trimspace", one_text, 1, .returns = &type_string, .call = fn_trimspace,
	  .doc = "Takes white space of any kind off both ends.",
	  FUNC_EXAMPLES(trimspace_examples) },
	{ "trimsuffix", suffix_params, 2, .returns = &type_string, .call = fn_trimsuffix,
	  .doc = "Takes a suffix off, once, if the text ends with it.",
	  FUNC_EXAMPLES(trimsuffix_examples) },
	{ "upper", one_text, 1, .returns = &type_string, .call = fn_upper,
	  .doc = "Turns all letters into capitals.", FUNC_EXAMPLES(upper_examples) },
};
const struct func_group func_group_string = { "String", rows, ARRAY_LEN(rows) };
