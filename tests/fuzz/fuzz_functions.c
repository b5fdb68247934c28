/* Functions that read text: the first byte chooses one, the rest are its arguments with a record
 * separator between two (texts, or numbers where they look so). What jsondecode and yamldecode make
 * must come back the same after it was written again. */
#include "lang/expr/func.h"
#include "lang/expr/number.h"

#include <unictype.h>
#include <unistr.h>

#define ARGS_MAX 6
#define RESULT_MAX 100000 /* bytes of text that are read again */

static const char *const names[] = {
	"jsondecode",	    "yamldecode",
	"csvdecode",	    "regex",
	"regexall",	    "regex_replace",
	"format",	    "formatlist",
	"base64decode",	    "textdecodebase64",
	"textencodebase64", "base64gzip",
	"urlencode",	    "substr",
	"strrev",	    "split",
	"replace",	    "title",
	"indent",	    "uuidv5",
	"rsadecrypt",	    "yamlencode",
	"jsonencode",	    "cidrhost",
	"cidrnetmask",	    "cidrsubnet",
	"cidrsubnets",	    "formatdate",
	"timeadd",	    "rfc3339_parse",
	"unix_timestamp_parse", "legacy_isotime",
	"legacy_strftime",  "parseint",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int call(struct arena *a, const char *name, const struct value *args, size_t nargs,
		struct value *ret)
{
	struct func_call c = { .arena = a,
			       .func = func_find(func_groups, str_from(name)),
			       .bad_arg = -1 };
	AUTO(err) struct err err = ERR_INIT;
	struct value plain[ARGS_MAX];
	int rc;

	if (nargs < c.func->nparams - (c.func->flags & FUNC_VARIADIC ? 1 : 0) ||
	    (nargs > c.func->nparams && !(c.func->flags & FUNC_VARIADIC)))
		return -1;
	for (size_t i = 0; i < nargs; i++)
		if (value_convert(a, args[i], c.func->params[MIN(i, c.func->nparams - 1)].type,
				  &plain[i], &err) < 0)
			return -1;
	rc = c.func->call(&c, plain, nargs, ret, &err);
	if (rc == 0 ? err_any(&err) : !err_any(&err) || c.bad_arg >= (int)nargs)
		abort(); /* an error says what it is, and success has none */
	return rc;
}

/* An accent joins the letter before it when the written text gets its normal form, also the n of an
 * escaped line break: so it is in the reference. */
static bool has_accent(struct str s)
{
	ucs4_t c;

	for (size_t i = 0; i < s.n;) {
		i += (size_t)u8_mbtouc(&c, (const uint8_t *)s.p + i, s.n - i);
		if (uc_combining_class(c))
			return true;
	}
	return false;
}

/* Text of several lines is written without quotes, and read as a number that it is not. */
static bool is_like_binary(struct str s)
{
	if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
		s = str_slice(s, 1, s.n);
	return str_starts(s, "0b") && memchr(s.p, '\n', s.n);
}

/* What does not come back the same, as in the reference: accents (the digits of \u003c are letters,
 * too); in YAML also 0b… of several lines, and a name <<, which merges though it is quoted. */
static bool is_special_text(struct str s, bool yaml)
{
	return has_accent(s) || (yaml && is_like_binary(s));
}

static bool is_special(struct value v, bool yaml)
{
	if (v.kind == VALUE_STRING)
		return is_special_text(v.string, yaml);
	if (value_is_seq(v))
		for (size_t i = 0; i < v.seq->n; i++)
			if (is_special(v.seq->v[i], yaml))
				return true;
	if (value_is_attrs(v))
		for (size_t i = 0; i < v.attrs->n; i++)
			if ((yaml && str_eqs(v.attrs->v[i].key, "<<")) ||
			    is_special_text(v.attrs->v[i].key, yaml) ||
			    is_special(v.attrs->v[i].value, yaml))
				return true;
	return false;
}

static void round_trip(struct arena *a, struct value v, const char *encode, const char *decode)
{
	struct value text, back;

	if (v.kind == VALUE_UNKNOWN || call(a, encode, &v, 1, &text) < 0 ||
	    text.string.n > RESULT_MAX)
		return; /* infinity */
	if (call(a, decode, &text, 1, &back) < 0 ||
	    (back.kind != VALUE_UNKNOWN && !value_equal(v, back)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(arena) struct arena *a = arena_new();
	struct str rest = { (const char *)data, n }, one;
	struct value args[ARGS_MAX], v;
	const char *name;
	size_t nargs = 0;

	if (!n || utf8_invalid_at(rest) >= 0)
		return 0; /* texts are UTF-8: the parsers see to it */
	name = names[data[0] % ARRAY_LEN(names)];
	rest = str_slice(rest, 1, n);
	while (nargs < ARGS_MAX && str_split(&rest, '\x1e', &one)) {
		if (!value_number_parse(a, one, (struct span){ 0 }, &args[nargs]))
			args[nargs] = value_string(arena_str(a, one), (struct span){ 0 });
		nargs++;
	}
	if (call(a, name, args, nargs, &v) < 0)
		return 0;
	if (streq(name, "jsondecode") && !is_special(v, false))
		round_trip(a, v, "jsonencode", "jsondecode");
	else if (streq(name, "yamldecode") && !is_special(v, true))
		round_trip(a, v, "yamlencode", "yamldecode");
	return 0;
}
