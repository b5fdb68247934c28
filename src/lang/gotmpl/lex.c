/* Lexer: text up to "{{", then the items of the action up to "}}"; trim markers, comments. */
#include "lang/gotmpl/format.h"
#include "lang/gotmpl/tree.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

int gotmpl_error(struct err *err, uint32_t pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(err, ERR_INVALID, fmt, ap);
	va_end(ap);
	err->os = (int)pos;
	return -1;
}

static char peek(const struct lexer *l, size_t ahead)
{
	return l->pos + ahead < l->text.n ? l->text.p[l->pos + ahead] : 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Letters beyond ASCII count as letters: names may be of any script. */
static bool is_word(char c)
{
	return c == '_' || isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

static bool here(const struct lexer *l, const char *what)
{
	size_t n = strlen(what);

	return l->text.n - l->pos >= n && memcmp(l->text.p + l->pos, what, n) == 0;
}

/* "}}" or " -}}" (the space before the dash is skipped already by the caller). */
static bool at_right(const struct lexer *l, bool *ret_trim)
{
	*ret_trim = is_space(peek(l, 0)) && peek(l, 1) == '-' && peek(l, 2) == '}' &&
		    peek(l, 3) == '}';
	return *ret_trim || here(l, "}}");
}

static struct item item_make(struct lexer *l, enum item_kind kind, size_t from)
{
	return (struct item){ .kind = kind,
			      .pos = (uint32_t)from,
			      .text = str_slice(l->text, from, l->pos) };
}

/* The position is at "{{": steps over it, its trim marker, and a comment with its closing braces.
 * *ret_action: an action begins (it was no comment). */
static int enter_action(struct lexer *l, bool *ret_action, struct err *err)
{
	size_t from = l->pos;
	ptrdiff_t end;
	bool trim;

	l->pos += 2;
	if (peek(l, 0) == '-' && is_space(peek(l, 1)))
		l->pos += 2;
	if (!here(l, "/*")) {
		*ret_action = l->inside = true;
		l->parens = 0;
		return 0;
	}
	end = str_find(str_slice(l->text, l->pos + 2, l->text.n), STR("*/"));
	if (end < 0)
		return gotmpl_error(err, (uint32_t)from, "the comment is not closed");
	l->pos += (size_t)end + 4;
	if (!at_right(l, &trim))
		return gotmpl_error(err, (uint32_t)from,
				    "'}}' must follow the end of a comment at once");
	l->pos += trim ? 4 : 2;
	l->trim_left = trim;
	*ret_action = false;
	return 0;
}

static int lex_text(struct lexer *l, struct item *ret, struct err *err)
{
	size_t from = l->pos, to;
	ptrdiff_t at = str_find(str_slice(l->text, from, l->text.n), STR("{{"));

	to = at < 0 ? l->text.n : from + (size_t)at;
	l->pos = to;
	*ret = item_make(l, ITEM_TEXT, from);
	if (l->trim_left)
		while (ret->text.n && is_space(ret->text.p[0]))
			ret->text = str_slice(ret->text, 1, ret->text.n);
	l->trim_left = false;
	if (at >= 0) {
		bool action;

		if (peek(l, 2) == '-' && is_space(peek(l, 3)))
			while (ret->text.n && is_space(ret->text.p[ret->text.n - 1]))
				ret->text.n--;
		if (enter_action(l, &action, err) < 0)
			return -1;
	}
	return 0;
}

static int lex_raw(struct lexer *l, struct item *ret, struct err *err)
{
	size_t from = l->pos++;

	while (l->pos < l->text.n && l->text.p[l->pos] != '`')
		l->pos++;
	if (l->pos >= l->text.n)
		return gotmpl_error(err, (uint32_t)from,
				    "the text that began with ` is not closed");
	l->pos++;
	*ret = item_make(l, ITEM_STRING, from);
	ret->value = value_string(str_slice(l->text, from + 1, l->pos - 1), (struct span){ 0 });
	return 0;
}

static int hex_digits(struct lexer *l, size_t n, uint32_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < n; i++, l->pos++) {
		int digit = hex_value(peek(l, 0));

		if (digit < 0)
			return -1;
		*ret = *ret * 16 + (uint32_t)digit;
	}
	return 0;
}

/* One escape of Go's quoted text; the position is behind the backslash. */
static int unescape(struct lexer *l, char quote, struct buf *out)
{
	static const char from[] = "abfnrtv\\", to[] = "\a\b\f\n\r\t\v\\";
	char c = peek(l, 0);
	const char *hit = c ? strchr(from, c) : NULL;
	uint32_t v = 0;

	l->pos++;
	if (hit) {
		buf_addc(out, to[hit - from]);
		return 0;
	}
	if (c == quote) {
		buf_addc(out, c);
		return 0;
	}
	switch (c) {
	case 'x':
		if (hex_digits(l, 2, &v) < 0)
			return -1;
		buf_addc(out, (char)v);
		return 0;
	case 'u':
	case 'U':
		if (hex_digits(l, c == 'u' ? 4 : 8, &v) < 0 || v > 0x10ffff ||
		    (v >= 0xd800 && v < 0xe000))
			return -1;
		buf_add_utf8(out, v);
		return 0;
	case '0' ... '7':
		v = (uint32_t)(c - '0');
		for (int i = 0; i < 2; i++, l->pos++) {
			if (peek(l, 0) < '0' || peek(l, 0) > '7')
				return -1;
			v = v * 8 + (uint32_t)(peek(l, 0) - '0');
		}
		if (v > 255)
			return -1;
		buf_addc(out, (char)v);
		return 0;
	default:
		return -1;
	}
}

/* "text" or 'c'. */
static int lex_quoted(struct lexer *l, char quote, struct item *ret, struct err *err)
{
	size_t from = l->pos++;
	AUTO(buf) struct buf b = BUF_INIT;

	while (peek(l, 0) != quote) {
		char c = peek(l, 0);

		if (l->pos >= l->text.n || c == '\n')
			return gotmpl_error(err, (uint32_t)from,
					    "the text that began with %c is not closed", quote);
		l->pos++;
		if (c != '\\')
			buf_addc(&b, c);
		else if (unescape(l, quote, &b) < 0)
			return gotmpl_error(err, (uint32_t)l->pos - 1,
					    "no such escape after the backslash");
	}
	l->pos++;
	*ret = item_make(l, ITEM_STRING, from);
	ret->value = value_string(arena_str(l->arena, buf_str(&b)), (struct span){ 0 });
	return 0;
}

static int lex_char(struct lexer *l, struct item *ret, struct err *err)
{
	uint32_t cp, n;
	struct str s;

	if (lex_quoted(l, '\'', ret, err) < 0)
		return -1;
	s = ret->value.string;
	cp = s.n ? (uint8_t)s.p[0] : 0;
	n = cp < 0x80 ? 1 : cp < 0xe0 ? 2 : cp < 0xf0 ? 3 : 4;
	if (s.n != n || utf8_invalid_at(s) >= 0)
		return gotmpl_error(err, ret->pos,
				    "single quotes hold one character; text is written with \" or "
				    "`");
	if (n > 1)
		cp &= 0x7fu >> n;
	for (uint32_t i = 1; i < n; i++)
		cp = cp << 6 | ((uint8_t)s.p[i] & 0x3f);
	ret->kind = ITEM_CHAR;
	ret->value = value_i64(l->arena, cp, (struct span){ 0 });
	return 0;
}

static void accept_run(struct lexer *l, const char *chars)
{
	while (peek(l, 0) && strchr(chars, peek(l, 0)))
		l->pos++;
}

static bool accept(struct lexer *l, const char *chars)
{
	bool is = peek(l, 0) && strchr(chars, peek(l, 0));

	l->pos += is;
	return is;
}

static int lex_number(struct lexer *l, struct item *ret, struct err *err)
{
	static const char decimal[] = "0123456789_", hex[] = "0123456789abcdefABCDEF_";
	const char *digits = decimal;
	size_t from = l->pos;

	accept(l, "+-");
	if (accept(l, "0"))
		digits = accept(l, "xX")   ? hex
			 : accept(l, "oO") ? "01234567_"
			 : accept(l, "bB") ? "01_"
					   : decimal;
	accept_run(l, digits);
	if (accept(l, "."))
		accept_run(l, digits);
	if ((digits == decimal && accept(l, "eE")) || (digits == hex && accept(l, "pP"))) {
		accept(l, "+-");
		accept_run(l, decimal);
	}
	*ret = item_make(l, ITEM_NUMBER, from);
	if (is_word(peek(l, 0)) || !gotmpl_number(l->arena, ret->text, &ret->value)) {
		while (is_word(peek(l, 0)))
			l->pos++;
		*ret = item_make(l, ITEM_NUMBER, from);
		return gotmpl_error(err, ret->pos, "%.*s is no number, or too large",
				    (int)ret->text.n, ret->text.p);
	}
	return 0;
}

/* After a name only these may stand; anything else is a typing mistake such as {{.}'. */
static int check_terminator(struct lexer *l, struct err *err)
{
	char c = peek(l, 0);
	bool trim;

	if (!c || is_space(c) || strchr(".,|:=()", c) || at_right(l, &trim))
		return 0;
	return gotmpl_error(err, (uint32_t)l->pos, "'%c' cannot stand here", c);
}

static int lex_word(struct lexer *l, enum item_kind kind, struct item *ret, struct err *err)
{
	size_t from = l->pos;

	if (kind != ITEM_IDENT)
		l->pos++; /* the dot or the dollar */
	while (is_word(peek(l, 0)))
		l->pos++;
	if (kind == ITEM_FIELD && l->pos == from + 1)
		kind = ITEM_DOT;
	*ret = item_make(l, kind, from);
	return check_terminator(l, err);
}

static int lex_single(struct lexer *l, enum item_kind kind, size_t n, struct item *ret)
{
	size_t from = l->pos;

	l->pos += n;
	*ret = item_make(l, kind, from);
	return 0;
}

static int lex_action(struct lexer *l, struct item *ret, struct err *err)
{
	char c = peek(l, 0);
	bool trim;

	if (at_right(l, &trim)) {
		if (l->parens)
			return gotmpl_error(err, (uint32_t)l->pos, "a ')' is missing");
		l->inside = false;
		l->trim_left = trim;
		return lex_single(l, ITEM_RIGHT, trim ? 4 : 2, ret);
	}
	if (l->pos >= l->text.n)
		return gotmpl_error(err, (uint32_t)l->pos,
				    "the action is not closed: '}}' is missing");
	if (is_space(c)) {
		size_t from = l->pos;

		while (is_space(peek(l, 0)) && !at_right(l, &trim))
			l->pos++;
		*ret = item_make(l, ITEM_SPACE, from);
		return 0;
	}
	switch (c) {
	case '"':
		return lex_quoted(l, '"', ret, err);
	case '\'':
		return lex_char(l, ret, err);
	case '`':
		return lex_raw(l, ret, err);
	case '|':
		return lex_single(l, ITEM_PIPE, 1, ret);
	case ',':
		return lex_single(l, ITEM_COMMA, 1, ret);
	case '=':
		return lex_single(l, ITEM_ASSIGN, 1, ret);
	case '$':
		return lex_word(l, ITEM_VAR, ret, err);
	case '(':
		if (++l->parens > GOTMPL_DEPTH_MAX)
			return gotmpl_error(err, (uint32_t)l->pos,
					    "more than %d parentheses are open", GOTMPL_DEPTH_MAX);
		return lex_single(l, ITEM_OPEN, 1, ret);
	case ')':
		if (!l->parens)
			return gotmpl_error(err, (uint32_t)l->pos, "')' without its '('");
		l->parens--;
		return lex_single(l, ITEM_CLOSE, 1, ret);
	case '.':
		if (!isdigit((unsigned char)peek(l, 1)))
			return lex_word(l, ITEM_FIELD, ret, err);
		return lex_number(l, ret, err);
	case '+':
	case '-':
	case '0' ... '9':
		return lex_number(l, ret, err);
	case ':':
		if (peek(l, 1) == '=')
			return lex_single(l, ITEM_DECLARE, 2, ret);
		break;
	default:
		if (is_word(c))
			return lex_word(l, ITEM_IDENT, ret, err);
	}
	return gotmpl_error(err, (uint32_t)l->pos, "'%c' cannot stand here", c);
}

int lex_next(struct lexer *l, struct item *ret, struct err *err)
{
	if (l->inside)
		return lex_action(l, ret, err);
	if (l->pos >= l->text.n)
		return lex_single(l, ITEM_EOF, 0, ret);
	return lex_text(l, ret, err);
}
