/* Functions that write text in other encodings, and read it back: base64, character sets, URLs. */
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/charset.h"
#include "lang/expr/functions/deflate.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/text.h"

#include "base/buf.h"

#include <errno.h>

static int fn_base64encode(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			   struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;

	buf_add_base64(&b, args[0].string.p, args[0].string.n);
	return ret_buf(c, &b, ret, err);
}

static int fn_base64decode(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			   struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;
	size_t bad;

	if (buf_add_unbase64_at(&b, args[0].string, &bad) < 0)
		return err_set(err, ERR_INVALID,
			       "'" STR_FMT "' is not base64: byte %zu does not belong there",
			       STR_ARG(str_slice(args[0].string, 0, MIN(args[0].string.n, 200))),
			       bad);
	if (utf8_invalid_at(buf_str(&b)) >= 0)
		return err_set(err, ERR_INVALID,
			       "the decoded bytes are not UTF-8 text, which is all that a string "
			       "can hold; textdecodebase64 reads other character sets");
	return ret_buf(c, &b, ret, err);
}

static int fn_base64gzip(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err)
{
	AUTO(buf) struct buf packed = BUF_INIT, b = BUF_INIT;

	deflate_gzip(args[0].string, &packed);
	buf_add_base64(&b, packed.p, packed.n);
	return ret_buf(c, &b, ret, err);
}

static const struct charset *find_charset(struct func_call *c, struct str name, struct err *err)
{
	const struct charset *cs = charset_find(name);

	if (!cs)
		arg_error(c, 1, err,
			  "\"" STR_FMT
			  "\" is not the IANA name or alias of a character set that is "
			  "supported here, such as UTF-16LE or ISO-8859-1",
			  STR_ARG(name));
	return cs;
}

static int fn_textencodebase64(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			       struct value *ret, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT, b = BUF_INIT;
	const struct charset *cs = find_charset(c, args[1].string, err);

	if (!cs)
		return -1;
	if (charset_encode(cs, args[0].string, &bytes) < 0) {
		if (errno != EILSEQ)
			return err_errno(err, errno, "converting to %s", charset_name(cs));
		return arg_error(c, 0, err, "the text has characters that cannot be written in %s",
				 charset_name(cs));
	}
	buf_add_base64(&b, bytes.p, bytes.n);
	return ret_buf(c, &b, ret, err);
}

static int fn_textdecodebase64(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			       struct value *ret, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT, b = BUF_INIT;
	const struct charset *cs = find_charset(c, args[1].string, err);
	size_t bad;

	if (!cs)
		return -1;
	if (buf_add_unbase64_at(&bytes, args[0].string, &bad) < 0)
		return arg_error(
			c, 0, err,
			"this is not base64: the symbol at offset %zu does not belong there", bad);
	if (charset_decode(cs, buf_str(&bytes), &b) < 0 ||
	    str_find(buf_str(&b), STR("\xef\xbf\xbd")) >= 0)
		return arg_error(c, 0, err, "the bytes are not text in %s", charset_name(cs));
	return ret_buf(c, &b, ret, err);
}

static int fn_urlencode(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;
	struct str rest = args[0].string, word;

	for (bool first = true; str_split(&rest, ' ', &word); first = false) {
		if (!first)
			buf_addc(&b, '+');
		buf_add_uri(&b, word, false);
	}
	return ret_buf(c, &b, ret, err);
}

static const struct func_param one_text[] = { { "str", &type_string } };
static const struct func_param encode_params[] = { { "string", &type_string },
						   { "encoding", &type_string } };
static const struct func_param decode_params[] = { { "source", &type_string },
						   { "encoding", &type_string } };

static const struct func_example base64encode_examples[] = {
	{ "base64encode(\"hello\")", "\"aGVsbG8=\"" },
	{ "base64encode(\"\")", "\"\"" },
};
static const struct func_example base64decode_examples[] = {
	{ "base64decode(\"aGVsbG8=\")", "\"hello\"" },
	{ "base64decode(base64encode(\"é\"))", "\"é\"" },
};
static const struct func_example base64gzip_examples[] = {
	{ "base64gzip(\"\")", "\"H4sIAAAAAAAA/wAAAP//AQAA//8AAAAAAAAAAA==\"" },
	{ "base64gzip(\"a\")", "\"H4sIAAAAAAAA/0oEAAAA//8BAAD//0O+t+gBAAAA\"" },
};
static const struct func_example textencode_examples[] = {
	{ "textencodebase64(\"Set-Item\", \"UTF-16LE\")", "\"UwBlAHQALQBJAHQAZQBtAA==\"" },
	{ "textencodebase64(\"€\", \"windows-1252\")", "\"gA==\"" },
};
static const struct func_example textdecode_examples[] = {
	{ "textdecodebase64(\"aABpAA==\", \"UTF-16LE\")", "\"hi\"" },
	{ "textdecodebase64(\"6Q==\", \"latin1\")", "\"é\"" },
};
static const struct func_example urlencode_examples[] = {
	{ "urlencode(\"a b&c=d\")", "\"a+b%26c%3Dd\"" },
	{ "urlencode(\"https://example.com/\")", "\"https%3A%2F%2Fexample.com%2F\"" },
};

static const struct func rows[] = {
	{ "base64decode", one_text, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_base64decode,
	  .doc = "Reads base64. The bytes must be UTF-8 text.",
	  FUNC_EXAMPLES(base64decode_examples) },
	{ "base64encode", one_text, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_base64encode,
	  .doc = "Writes the UTF-8 bytes of a text in base64.",
	  FUNC_EXAMPLES(base64encode_examples) },
	{ "base64gzip", one_text, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_base64gzip,
	  .doc = "Compresses the UTF-8 bytes of a text with gzip and writes that in base64, as "
		 "user data for instances may come.",
	  FUNC_EXAMPLES(base64gzip_examples) },
	{ "textdecodebase64", decode_params, 2, .returns = &type_string,
	  .call = fn_textdecodebase64,
	  .doc = "Reads base64 whose bytes are text in the character set `encoding`, an IANA name.",
	  FUNC_EXAMPLES(textdecode_examples) },
	{ "textencodebase64", encode_params, 2, .returns = &type_string,
	  .call = fn_textencodebase64,
	  .doc = "Writes a text in the character set `encoding`, an IANA name, and that in base64. "
		 "PowerShell's -EncodedCommand wants UTF-16LE.",
	  FUNC_EXAMPLES(textencode_examples) },
	{ "urlencode", one_text, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_urlencode,
	  .doc = "Escapes a text for the query part of a URL; a space becomes `+`.",
	  FUNC_EXAMPLES(urlencode_examples) },
};
const struct func_group func_group_encoding = { "Encoding", rows, ARRAY_LEN(rows) };
