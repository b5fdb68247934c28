/* YAML writer.
 *
 * The layout is that of an old libyaml (the newer ones do not end a lone plain scalar with "..."):
 * blocks indented by two, lists within mappings not at all; texts in double quotes, those with line
 * breaks as literal blocks where YAML can hold them so; lines of quoted texts are folded at the
 * first space behind column 80.
 */
#include "lang/expr/functions/yaml_write.h"

#include "lang/expr/number.h"
#include "lang/expr/text.h"

#include "base/cluster.h"

#define INDENT 2
#define WIDTH 80
#define SIMPLE_KEY_MAX 128 /* bytes; longer keys are written behind "?" */

struct writer {
	struct buf *out;
	int indent; /* of the block that is open; -1: none yet */
	int column;
	bool whitespace; /* the last thing written was space */
	bool indention;	 /* only space and indicators such as "-" stand on the line */
	bool open_ended; /* the document is a plain scalar, which only "..." ends */
};

/* Where a node stands. */
enum place { ROOT, IN_LIST, VALUE, SIMPLE_KEY, KEY };

static void put(struct writer *w, const char *s, size_t n)
{
	buf_add(w->out, s, n);
	w->column++;
}

static void put_break(struct writer *w)
{
	buf_addc(w->out, '\n');
	w->column = 0;
}

static void put_indent(struct writer *w)
{
	int indent = MAX(w->indent, 0);

	if (!w->indention || w->column > indent || (w->column == indent && !w->whitespace))
		put_break(w);
	while (w->column < indent)
		put(w, " ", 1);
	w->whitespace = w->indention = true;
}

static void put_indicator(struct writer *w, const char *s, bool need_space, bool is_space,
			  bool is_indention)
{
	if (need_space && !w->whitespace)
		put(w, " ", 1);
	for (; *s; s++)
		put(w, s, 1);
	w->whitespace = is_space;
	w->indention &= is_indention;
	w->open_ended = false;
}

static void put_plain(struct writer *w, struct str s, enum place place)
{
	if (!w->whitespace)
		put(w, " ", 1);
	for (size_t i = 0; i < s.n; i++)
		put(w, s.p + i, 1);
	w->whitespace = w->indention = false;
	w->open_ended |= place == ROOT;
}

static bool is_break(ucs4_t c)
{
	return c == '\r' || c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* Tabs, and all beyond the first plane, are no printable characters here. */
static bool is_printable(ucs4_t c)
{
	return c == '\n' || (c >= 0x20 && c <= 0x7e) ||
	       (c >= 0xa0 && c <= 0xffff && c != 0xfeff && c < 0xfffe);
}

/* What decides about the style of a text. */
struct shape {
	bool multiline;
	bool literal_allowed;
};

static struct shape shape_of(struct str s)
{
	struct shape shape = { .literal_allowed = s.n > 0 };
	bool space_before = false;

	for (size_t i = 0, n; i < s.n; i += n) {
		ucs4_t c = str_rune(s, i, &n);

		if (!is_printable(c) || (c == ' ' && i + 1 == s.n) || (is_break(c) && space_before))
			shape.literal_allowed = false;
		shape.multiline |= is_break(c);
		space_before = c == ' ';
	}
	return shape;
}

static void put_escaped(struct writer *w, ucs4_t c)
{
	static const char from[] = "\0\a\b\t\n\v\f\r\x1b\"\\", to[] = "0abtnvfre\"\\";
	const char *at = c < 0x80 ? memchr(from, (int)c, sizeof(from) - 1) : NULL;
	char text[16];
	int n;

	if (at)
		n = snprintf(text, sizeof(text), "\\%c", to[at - from]);
	else if (c == 0x85 || c == 0xa0 || c == 0x2028 || c == 0x2029)
		n = snprintf(text, sizeof(text), "\\%c",
			     c == 0x85	 ? 'N' :
			     c == 0xa0	 ? '_' :
			     c == 0x2028 ? 'L' :
					   'P');
	else if (c <= 0xff)
		n = snprintf(text, sizeof(text), "\\x%02X", c);
	else
		n = snprintf(text, sizeof(text), c <= 0xffff ? "\\u%04X" : "\\U%08X", c);
	for (int i = 0; i < n; i++)
		put(w, text + i, 1);
}

static void put_quoted(struct writer *w, struct str s, bool fold)
{
	bool space = false; /* the last character was one */

	put_indicator(w, "\"", true, false, false);
	for (size_t i = 0, n; i < s.n; i += n) {
		ucs4_t c = str_rune(s, i, &n);

		if (c == ' ' && fold && !space && w->column > WIDTH && i > 0 && i + 1 < s.n) {
			put_indent(w);
			if (s.p[i + 1] == ' ')
				put(w, "\\", 1);
		} else if (!is_printable(c) || is_break(c) || c == '"' || c == '\\') {
			put_escaped(w, c);
		} else {
			put(w, s.p + i, n);
		}
		space = c == ' ';
	}
	put_indicator(w, "\"", false, false, false);
	w->whitespace = w->indention = false;
}

/* Whether a break ends at `end` of s; *ret_start is where it begins. */
static bool break_before(struct str s, size_t end, size_t *ret_start)
{
	size_t n;

	for (*ret_start = end; *ret_start;)
		if (((uint8_t)s.p[--*ret_start] & 0xc0) != 0x80)
			return is_break(str_rune(s, *ret_start, &n));
	return false;
}

/* "-": the text has no line break at its end; "+": it has several, or nothing else. */
static void put_chomping(struct writer *w, struct str s)
{
	size_t last, before;

	if (!break_before(s, s.n, &last))
		put_indicator(w, "-", false, false, false);
	else if (!last || break_before(s, last, &before))
		put_indicator(w, "+", false, false, false);
}

/* Breaks other than line feeds stand as they are, without one. */
static void put_literal(struct writer *w, struct str s)
{
	bool at_start = true;
	size_t n;

	put_indicator(w, "|", true, false, false);
	if (s.p[0] == ' ' || is_break(str_rune(s, 0, &n)))
		put_indicator(w, "2", false, false, false);
	put_chomping(w, s);
	put_break(w);
	w->indention = w->whitespace = true;
	for (size_t i = 0; i < s.n; i += n) {
		if (is_break(str_rune(s, i, &n))) {
			buf_add(w->out, s.p + i, n);
			w->column = 0;
			w->indention = at_start = true;
			continue;
		}
		if (at_start)
			put_indent(w);
		put(w, s.p + i, n);
		w->indention = at_start = false;
	}
}

static void put_string(struct writer *w, struct str s, enum place place)
{
	bool literal =
		s.n && memchr(s.p, '\n', s.n) && place != SIMPLE_KEY && shape_of(s).literal_allowed;
	int outer = w->indent;

	w->indent = outer < 0 ? INDENT : outer + INDENT;
	if (literal)
		put_literal(w, s);
	else
		put_quoted(w, s, place != SIMPLE_KEY);
	w->indent = outer;
}

static void put_node(struct writer *w, struct value v, enum place place);

static void put_list(struct writer *w, struct value v, enum place place)
{
	int outer = w->indent;

	if (!v.seq->n) {
		put_indicator(w, "[", true, true, false);
		put_indicator(w, "]", false, false, false);
		return;
	}
	if (outer < 0)
		w->indent = 0;
	else if (place != VALUE || w->indention)
		w->indent += INDENT;
	for (size_t i = 0; i < v.seq->n; i++) {
		put_indent(w);
		put_indicator(w, "-", true, false, true);
		put_node(w, v.seq->v[i], IN_LIST);
	}
	w->indent = outer;
}

static void put_attr(struct writer *w, const struct value_attr *attr)
{
	put_indent(w);
	if (attr->key.n <= SIMPLE_KEY_MAX && !shape_of(attr->key).multiline) {
		put_string(w, attr->key, SIMPLE_KEY);
		put_indicator(w, ":", false, false, false);
	} else {
		put_indicator(w, "?", true, false, true);
		put_string(w, attr->key, KEY);
		put_indent(w);
		put_indicator(w, ":", true, false, true);
	}
	put_node(w, attr->value, VALUE);
}

static void put_mapping(struct writer *w, struct value v)
{
	int outer = w->indent;

	if (!v.attrs->n) {
		put_indicator(w, "{", true, true, false);
		put_indicator(w, "}", false, false, false);
		return;
	}
	w->indent = outer < 0 ? 0 : outer + INDENT;
	for (size_t i = 0; i < v.attrs->n; i++)
		put_attr(w, &v.attrs->v[i]);
	w->indent = outer;
}

static void put_node(struct writer *w, struct value v, enum place place)
{
	AUTO(arena) struct arena *scratch = NULL;

	switch (v.kind) {
	case VALUE_NULL:
	case VALUE_UNKNOWN:
		put_plain(w, STR("null"), place);
		break;
	case VALUE_BOOL:
		put_plain(w, v.boolean ? STR("true") : STR("false"), place);
		break;
	case VALUE_NUMBER:
		scratch = arena_new();
		put_plain(w, number_text(scratch, v.number), place);
		break;
	case VALUE_STRING:
		put_string(w, v.string, place);
		break;
	case VALUE_LIST:
	case VALUE_SET:
	case VALUE_TUPLE:
		put_list(w, v, place);
		break;
	case VALUE_MAP:
	case VALUE_OBJECT:
		put_mapping(w, v);
		break;
	}
}

void yaml_write(struct buf *out, struct value v)
{
	struct writer w = { .out = out, .indent = -1, .whitespace = true, .indention = true };

	put_node(&w, v, ROOT);
	put_indent(&w);
	if (w.open_ended) {
		put_indicator(&w, "...", true, false, false);
		put_indent(&w);
	}
}
