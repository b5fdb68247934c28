/* What is wrong with JSON that cannot be read: all mistakes, not the first alone. The reader goes
 * the reference's way: after a mistake in an object or array, which is given up, it goes on behind
 * the next closing brace or bracket, in what stands around it. No tree is made. */
#include "lang/hcl/json.h"

#include "lang/jsontext/jsontext.h"

#include <ctype.h>

enum { END = 0, TEXT = 'S', NUMBER = 'N', WORD = 'K', STRANGE = '?' }; /* others: themselves */

struct token {
	int kind;
	uint32_t from, to;
};

struct reader {
	struct arena *arena;
	struct source *src;
	struct diags *diags;
	struct token next;
	uint32_t pos;
	unsigned depth;
};

enum what { NOTHING, A_TEXT, ANOTHER };

static enum what read_value(struct reader *r);

/* The end of a text: behind its quote, or before the control character that it cannot have. */
static uint32_t text_end(struct str s, uint32_t i)
{
	for (i++; i < s.n && (uint8_t)s.p[i] >= 0x20; i++) {
		if (s.p[i] == '"')
			return i + 1;
		if (s.p[i] == '\\' && i + 1 < s.n && (uint8_t)s.p[i + 1] >= 0x20)
			i++;
	}
	return i;
}

static void scan(struct reader *r)
{
	struct str s = r->src->text;
	uint32_t i = r->pos;
	int c;

	while (i < s.n && strchr(" \t\r\n", s.p[i]) && s.p[i])
		i++;
	r->next = (struct token){END, i, i};
	if (i == s.n)
		return;
	c = (uint8_t)s.p[i];
	r->next.kind = c;
	r->next.to = i + 1;
	if (c == '"') {
		r->next.kind = TEXT;
		r->next.to = text_end(s, i);
	} else if (isalpha(c) && c < 0x80) {
		r->next.kind = WORD;
		while (r->next.to < s.n &&
		       (isalpha((uint8_t)s.p[r->next.to]) || s.p[r->next.to] == '_'))
			r->next.to++;
	} else if (isdigit(c) || (c && strchr("+-.", c))) {
		r->next.kind = NUMBER;
		while (r->next.to < s.n && s.p[r->next.to] &&
		       strchr("+-.eE0123456789", s.p[r->next.to]))
			r->next.to++;
	} else if (!c || !strchr("{}[],:=", c)) { /* nothing behind it can be made sense of */
		r->next.kind = STRANGE;
	}
	r->pos = r->next.kind == STRANGE ? (uint32_t)s.n : r->next.to;
}

static struct token take(struct reader *r)
{
	struct token t = r->next;

	scan(r);
	return t;
}

static struct str text_of(const struct reader *r, struct token t)
{
	return str_slice(r->src->text, t.from, t.to);
}

static const char *found(const struct reader *r, struct token t)
{
	struct str s = text_of(r, t);

	if (t.kind == END)
		return "the end of the file";
	if (s.n > 40 || (s.n == 1 && (uint8_t)s.p[0] >= 0x80))
		return t.kind == TEXT ? "a text" : "something else";
	return arena_printf(r->arena, t.kind == TEXT ? STR_FMT : "'" STR_FMT "'", STR_ARG(s));
}

/* An error at t. Where reading goes on in another line, that is told: what stands between is not
 * looked at. (Of what is never closed the end of the file says nothing new.) */
static void tell(struct reader *r, struct token t, const char *summary, const char *detail)
{
	struct span span = {r->src, t.from, MAX(t.to, t.from)};
	struct position at = source_position(r->src, t.from),
			on = source_position(r->src, r->next.from);
	struct diag *g = diag_error(r->diags, span, "%s", summary);

	diag_detail(r->diags, g, "%s", detail);
	if (on.line == at.line || r->next.from <= t.from || t.kind == END)
		return;
	diag_detail(r->diags, g,
		    r->next.kind == END
			? "%s Nothing behind it, up to the end at %s:%u:%u, is read."
			: "%s Reading goes on at %s:%u:%u.",
		    detail, r->src->name, on.line, on.column_chars);
}

static void expected(struct reader *r, struct token t, const char *what, const char *detail)
{
	tell(r, t, arena_printf(r->arena, "Expected %s, found %s", what, found(r, t)), detail);
}

/* Behind the next closing brace or bracket; of two that are nested, behind the inner one's. */
static void skip(struct reader *r, int open, int close)
{
	struct token t = take(r);
	int depth = 1;

	for (; t.kind != END && t.kind != STRANGE; t = take(r)) {
		depth += t.kind == open;
		if (t.kind == close && --depth <= 1)
			return;
	}
}

static bool good_number(struct str s)
{
	size_t i = s.n && s.p[0] == '-', from = i;

	while (i < s.n && isdigit((uint8_t)s.p[i]))
		i++;
	if (i == from || (s.p[from] == '0' && i > from + 1))
		return false;
	if (i < s.n && s.p[i] == '.')
		for (from = ++i; i < s.n && isdigit((uint8_t)s.p[i]);)
			i++;
	if (i == from)
		return false;
	if (i < s.n && (s.p[i] | 0x20) == 'e') {
		i++;
		i += i < s.n && (s.p[i] == '+' || s.p[i] == '-');
		for (from = i; i < s.n && isdigit((uint8_t)s.p[i]);)
			i++;
	}
	return i == s.n && i > from;
}

/* Checks the escapes and the end of a text. */
static enum what check_text(struct reader *r, struct token t)
{
	struct str s = text_of(r, t);

	for (size_t i = 1; i + 1 < s.n; i++) {
		size_t digits = 0;

		if (s.p[i] != '\\')
			continue;
		i++;
		if (s.p[i] == 'u')
			while (digits < 4 && i + 1 < s.n && isxdigit((uint8_t)s.p[i + 1]))
				i++, digits++;
		if (strchr("\"\\/bfnrt", s.p[i]) || digits == 4)
			continue;
		tell(r, (struct token){TEXT, t.from + (uint32_t)(i - digits) - 1, t.to},
		     "This is no escape sequence of JSON",
		     "There are \\\", \\\\, \\/, \\b, \\f, \\n, \\r, \\t and \\u with four "
		     "hexadecimal digits.");
		return NOTHING;
	}
	if (s.n > 1 && s.p[s.n - 1] == '"')
		return A_TEXT;
	tell(r, t, "The text that begins here is not closed on its line",
	     "A quote belongs at its end; a line break in it is written \\n.");
	return NOTHING;
}

static enum what check_word(struct reader *r, struct token t)
{
	struct str s = text_of(r, t);

	if (str_eqs(s, "true") || str_eqs(s, "false") || str_eqs(s, "null"))
		return ANOTHER;
	expected(r, t, "a value", "Of words there are true, false and null; text stands in double "
				  "quotes.");
	return NOTHING;
}

/* One key and its value; false: the object is given up. */
static bool read_pair(struct reader *r)
{
	struct token key = r->next, t;

	if (key.kind != TEXT) {
		if (key.kind == '{' || key.kind == '[')
			read_value(r);
		else if (key.kind == WORD || key.kind == NUMBER)
			take(r);
		expected(r, key, "the name of a key", "Keys are texts in double quotes.");
		return false;
	}
	if (read_value(r) != A_TEXT)
		return false;
	t = r->next;
	if (t.kind != ':') {
		skip(r, '{', '}');
		expected(r, t, "':' after the key",
			 "A key and its value are written \"key\": VALUE.");
		return false;
	}
	take(r);
	read_value(r);
	return true;
}

/* What follows an element: true if another one does, false at the end or where it is given up. */
static bool read_comma(struct reader *r, struct token open, int close, enum what *ret)
{
	bool object = close == '}';
	struct token t = r->next;

	*ret = NOTHING;
	if (t.kind == close) {
		take(r);
		*ret = ANOTHER;
		return false;
	}
	if (t.kind == ',') {
		take(r);
		if (r->next.kind != close)
			return true;
		tell(r, t, "There is a comma too many here",
		     object ? "JSON allows no comma before the closing brace."
			    : "JSON allows no comma before the closing bracket.");
		return false;
	}
	if (t.kind == END) {
		open.kind = END; /* whose place says all */
		tell(r, open, object ? "This object is never closed" : "This array is never closed",
		     object ? "A '}' belongs at its end." : "A ']' belongs at its end.");
		return false;
	}
	if (object && t.kind == ']')
		take(r);
	else
		skip(r, open.kind, close);
	expected(r, t, object ? "',' or '}' after the value" : "',' or ']' after the element",
		 object ? "A comma is missing before it, or a closing brace."
			: "A comma is missing before it, or a closing bracket.");
	return false;
}

static enum what read_container(struct reader *r)
{
	struct token open = r->next;
	int close = open.kind == '{' ? '}' : ']';
	enum what ret = ANOTHER;

	if (r->depth == JSONTEXT_DEPTH_MAX) {
		r->pos = (uint32_t)r->src->text.n;
		scan(r);
		tell(r, open, "This is nested too deep", "The reader gives up here.");
		return NOTHING;
	}
	r->depth++;
	take(r);
	if (r->next.kind == close)
		take(r);
	else
		do {
			if (open.kind == '[')
				read_value(r);
			else if (!read_pair(r)) {
				ret = NOTHING;
				break;
			}
		} while (read_comma(r, open, close, &ret));
	r->depth--;
	return ret;
}

static enum what read_value(struct reader *r)
{
	struct token t = r->next;

	switch (t.kind) {
	case '{':
	case '[':
		return read_container(r);
	case TEXT:
		take(r);
		return check_text(r, t);
	case NUMBER:
		take(r);
		if (good_number(text_of(r, t)))
			return ANOTHER;
		expected(r, t, "a number", "JSON writes numbers as 12, -0.5 or 1e6.");
		return NOTHING;
	case WORD:
		take(r);
		return check_word(r, t);
	default:
		expected(r, t, "a value",
			 "It is an object, an array, text in double quotes, a number, true, false "
			 "or null.");
		return NOTHING;
	}
}

void json_mistakes(struct arena *a, struct source *src, struct diags *d)
{
	struct reader r = {.arena = a, .src = src, .diags = d};
	size_t errors = d->errors, before = d->n;
	struct position at;
	struct token first;
	enum what root;

	scan(&r);
	first = r.next;
	root = read_value(&r);
	if (d->errors == errors && r.next.kind != END)
		expected(&r, r.next, "the end of the file",
			 "There is one object, or one array of objects, in a file.");
	at = source_position(src, first.from);
	if (root == NOTHING && d->n > before)
		diag_detail(d, &d->v[d->n - 1],
			    "%s So the value that begins at %s:%u:%u is not read.",
			    d->v[d->n - 1].detail, src->name, at.line, at.column_chars);
}
