/* Recursive-descent reader of JSON. Elements of open arrays and objects wait on two stacks and are
 * copied out when their bracket closes, so that each value is one block in the arena. */
#include "lang/jsontext/jsontext.h"

#include "base/map.h"
#include "base/vec.h"

#include <stdio.h>

#define LINEAR_KEYS_MAX 24 /* objects up to here are searched for duplicates key by key */

struct parser {
	struct arena *arena;
	struct source *src;
	struct diags *diags;
	struct str text;
	size_t pos;
	unsigned depth;
	bool comments, commented; /* allowed; one has been seen */
	bool later_wins;
	bool duplicates;
	VEC(struct value) items;
	VEC(struct value_attr) attrs;
};

static int parse_value(struct parser *p, struct value *ret);

static struct span span_at(const struct parser *p, size_t from, size_t to)
{
	return (struct span){ p->src, (uint32_t)from, (uint32_t)to };
}

/* Line and column as the reference gives them: it counts the bytes its decoder has taken, the bad
 * one included, and starts at 1 after a line feed but at 0 in the first line. */
static struct position reference_position(struct str text, size_t taken)
{
	struct position at = { .line = 1 };

	for (size_t i = 0; i < taken && i < text.n; i++) {
		if (text.p[i] == '\n') {
			at.line++;
			at.column = 1;
		} else {
			at.column++;
		}
	}
	at.column_chars = at.column;
	return at;
}

/* Names the byte at the position, at the beginning of a message. */
static const char *name_here(struct parser *p)
{
	uint8_t c;
	size_t n = 1;

	if (p->pos >= p->text.n)
		return "The end of the file";
	c = (uint8_t)p->text.p[p->pos];
	if (c == '\n')
		return "A line break";
	if (c == '\t')
		return "A tab";
	if (c < 0x20 || c == 0x7f)
		return arena_printf(p->arena, "The control byte 0x%02x", c);
	while (c >= 0xc0 && n < 4 && p->pos + n < p->text.n &&
	       ((uint8_t)p->text.p[p->pos + n] & 0xc0) == 0x80)
		n++;
	if (c >= 0x80 && n == 1)
		return arena_printf(p->arena, "The byte 0x%02x", c);
	return arena_printf(p->arena, c == '\'' ? "\"%.*s\"" : "'%.*s'", (int)n,
			    p->text.p + p->pos);
}

/* The line before the position's: a missing comma is missing there. */
static struct span line_before(const struct parser *p)
{
	size_t i = MIN(p->pos, p->text.n), end;

	while (i && p->text.p[i - 1] != '\n')
		i--;
	if (!i)
		return (struct span){ 0 };
	for (end = --i; i && p->text.p[i - 1] != '\n';)
		i--;
	return span_at(p, i, end);
}

/* The byte at the position cannot stand there. Always -1. */
static int unexpected(struct parser *p, const char *where, const char *detail)
{
	struct diag *g = diag_error(p->diags, span_at(p, p->pos, MIN(p->pos + 1, p->text.n)),
				    "%s cannot stand %s", name_here(p), where);

	g->at = reference_position(p->text, MIN(p->pos + 1, p->text.n));
	g->context = line_before(p);
	g->detail = detail;
	return -1;
}

static void note_comment(struct parser *p, size_t from)
{
	struct diag *g;

	if (p->commented)
		return;
	p->commented = true;
	g = diag_warning(p->diags, span_at(p, from, p->pos),
			 "JSON has no comments; this one, and any after it, is skipped");
	g->lenient = true;
	diag_detail(p->diags, g,
		    "Packer refuses it. A root key that starts with an underscore (\"_comment\") "
		    "is read by both.");
}

static void skip_space(struct parser *p)
{
	while (p->pos < p->text.n) {
		char c = p->text.p[p->pos];

		if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			p->pos++;
		} else if (c == '/' && p->comments && p->pos + 1 < p->text.n &&
			   p->text.p[p->pos + 1] == '/') {
			size_t from = p->pos;

			while (p->pos < p->text.n && p->text.p[p->pos] != '\n')
				p->pos++;
			note_comment(p, from);
		} else {
			return;
		}
	}
}

static bool next_is(const struct parser *p, char c)
{
	return p->pos < p->text.n && p->text.p[p->pos] == c;
}

/* Four hex digits of \uXXXX at `at`; -1 if one is none, with its place in *ret_bad. */
static int32_t hex4(struct str text, size_t at, size_t *ret_bad)
{
	int32_t v = 0;

	for (size_t i = at; i < at + 4; i++) {
		int digit = i < text.n ? hex_value(text.p[i]) : -1;

		if (digit < 0) {
			*ret_bad = i;
			return -1;
		}
		v = v * 16 + digit;
	}
	return v;
}

/* The code point of the \u escape whose 'u' is at `at`; *ret_n is what was taken after the u. A
 * lone surrogate is U+FFFD. */
static int32_t unicode_escape(struct str text, size_t at, size_t *ret_n, size_t *ret_bad)
{
	int32_t high = hex4(text, at + 1, ret_bad), low;
	size_t ignored;

	*ret_n = 4;
	if (high < 0xd800 || high > 0xdfff)
		return high;
	if (high < 0xdc00 && at + 6 < text.n && text.p[at + 5] == '\\' && text.p[at + 6] == 'u') {
		low = hex4(text, at + 7, &ignored);
		if (low >= 0xdc00 && low <= 0xdfff) {
			*ret_n = 10;
			return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	return 0xfffd;
}

static int add_escape(struct parser *p, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *hit;
	size_t n, bad;
	int32_t cp;

	p->pos++; /* the backslash */
	if (p->pos >= p->text.n)
		return unexpected(p, "inside a string", "The string's closing quote is missing.");
	if (p->text.p[p->pos] == 'u') {
		cp = unicode_escape(p->text, p->pos, &n, &bad);
		if (cp < 0) {
			p->pos = MIN(bad, p->text.n);
			return unexpected(p, "in a \\u escape",
					  "Four hexadecimal digits belong after \\u.");
		}
		buf_add_utf8(out, (uint32_t)cp);
		p->pos += n + 1;
		return 0;
	}
	hit = p->text.p[p->pos] ? strchr(from, p->text.p[p->pos]) : NULL;
	if (!hit)
		return unexpected(p, "after a backslash in a string",
				  "JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX; a plain "
				  "backslash is written \\\\.");
	buf_addc(out, to[hit - from]);
	p->pos++;
	return 0;
}

/* Adds raw bytes, with U+FFFD for each byte that is no UTF-8. */
static void add_raw(struct buf *out, struct str raw)
{
	for (;;) {
		ptrdiff_t bad = utf8_invalid_at(raw);

		if (bad < 0)
			break;
		buf_add(out, raw.p, (size_t)bad);
		buf_add_utf8(out, 0xfffd);
		raw = str_slice(raw, (size_t)bad + 1, raw.n);
	}
	buf_add_str(out, raw);
}

static int parse_string(struct parser *p, struct str *ret, struct span *ret_span)
{
	size_t start = p->pos, from = ++p->pos;
	AUTO(buf) struct buf out = BUF_INIT;

	while (p->pos < p->text.n && p->text.p[p->pos] != '"') {
		uint8_t c = (uint8_t)p->text.p[p->pos];

		if (c < 0x20)
			return unexpected(p, "inside a string",
					  c == '\n' ? "The closing quote is missing, or write the "
						      "line break as \\n."
						    : "Control characters are written as escapes: "
						      "\\t, \\u001b.");
		if (c != '\\') {
			p->pos++;
			continue;
		}
		add_raw(&out, str_slice(p->text, from, p->pos));
		if (add_escape(p, &out) < 0)
			return -1;
		from = p->pos;
	}
	if (p->pos >= p->text.n)
		return unexpected(p, "inside a string", "The string's closing quote is missing.");
	add_raw(&out, str_slice(p->text, from, p->pos));
	p->pos++;
	*ret = arena_str(p->arena, buf_str(&out));
	*ret_span = span_at(p, start, p->pos);
	return 0;
}

static bool digit_here(const struct parser *p)
{
	return p->pos < p->text.n && p->text.p[p->pos] >= '0' && p->text.p[p->pos] <= '9';
}

static int digits(struct parser *p)
{
	if (!digit_here(p))
		return unexpected(p, "in a number", "A digit belongs here.");
	while (digit_here(p))
		p->pos++;
	return 0;
}

static int parse_number(struct parser *p, struct value *ret)
{
	size_t from = p->pos;
	struct span span;

	if (next_is(p, '-'))
		p->pos++;
	if (next_is(p, '0'))
		p->pos++;
	else if (digits(p) < 0)
		return -1;
	if (next_is(p, '.')) {
		p->pos++;
		if (digits(p) < 0)
			return -1;
	}
	if (next_is(p, 'e') || next_is(p, 'E')) {
		p->pos++;
		if (next_is(p, '+') || next_is(p, '-'))
			p->pos++;
		if (digits(p) < 0)
			return -1;
	}
	span = span_at(p, from, p->pos);
	if (!value_number_parse(p->arena, str_slice(p->text, from, p->pos), span, ret)) {
		diag_error(p->diags, span, "Number out of range");
		return -1;
	}
	return 0;
}

static int parse_word(struct parser *p, const char *word, struct value v, struct value *ret)
{
	size_t from = p->pos;

	for (const char *w = word; *w; w++, p->pos++)
		if (!next_is(p, *w))
			return unexpected(p, arena_printf(p->arena, "in what began like %s", word),
					  "Text is written in double quotes.");
	v.span = span_at(p, from, p->pos);
	*ret = v;
	return 0;
}

static int parse_array(struct parser *p, struct value *ret)
{
	size_t start = p->pos++, base = p->items.n;
	struct value v;

	skip_space(p);
	if (next_is(p, ']')) {
		p->pos++;
		*ret = value_seq_make(p->arena, VALUE_TUPLE, NULL, 0, span_at(p, start, p->pos));
		return 0;
	}
	for (;;) {
		if (parse_value(p, &v) < 0)
			return -1;
		vec_push(&p->items, v);
		skip_space(p);
		if (next_is(p, ']'))
			break;
		if (!next_is(p, ','))
			return unexpected(p, "after an element of an array",
					  "A comma or ']' belongs between elements.");
		p->pos++;
		skip_space(p);
		if (next_is(p, ']'))
			return unexpected(p, "after a comma",
					  "JSON allows no comma before the closing bracket.");
	}
	p->pos++;
	*ret = value_seq_make(p->arena, VALUE_TUPLE, p->items.v + base, p->items.n - base,
			      span_at(p, start, p->pos));
	p->items.n = base;
	return 0;
}

static void duplicate_key(const struct value_attr *first, const struct value_attr *second,
			  struct diags *d)
{
	struct diag *g = diag_error(d, second->key_span,
				    "The key \"" STR_FMT "\" stands twice in this object",
				    STR_ARG(second->key));

	diag_detail(d, g, "It was given before on line %u. Remove one of the two.",
		    source_position(first->key_span.src, first->key_span.from).line);
}

bool jsontext_check_keys(const struct value_attr *v, size_t n, struct diags *d)
{
	AUTO(map) struct map seen = MAP_INIT;
	bool good = true;

	for (size_t i = 0; i < n; i++) {
		const struct value_attr *first = NULL;

		if (n > LINEAR_KEYS_MAX) {
			first = map_get(&seen, v[i].key);
			if (!first)
				map_set(&seen, v[i].key, (void *)&v[i]);
		} else {
			for (size_t j = 0; j < i && !first; j++)
				if (str_eq(v[j].key, v[i].key))
					first = &v[j];
		}
		if (first)
			duplicate_key(first, &v[i], d);
		good &= !first;
	}
	return good;
}

static int parse_attr(struct parser *p, struct value_attr *ret)
{
	skip_space(p);
	if (!next_is(p, '"'))
		return unexpected(p, "where the name of a key belongs",
				  next_is(p, '}') ? "JSON allows no comma before the closing brace."
						  : "Keys are written in double quotes.");
	if (parse_string(p, &ret->key, &ret->key_span) < 0)
		return -1;
	skip_space(p);
	if (!next_is(p, ':'))
		return unexpected(p, "after a key", "A colon belongs between a key and its value.");
	p->pos++;
	return parse_value(p, &ret->value);
}

static int parse_object(struct parser *p, struct value *ret)
{
	size_t start = p->pos++, base = p->attrs.n;
	struct value_attr attr = { 0 };

	skip_space(p);
	vec_reserve(&p->attrs, base + 1); /* never NULL below */
	if (!next_is(p, '}')) {
		for (;;) {
			if (parse_attr(p, &attr) < 0)
				return -1;
			vec_push(&p->attrs, attr);
			skip_space(p);
			if (next_is(p, '}'))
				break;
			if (!next_is(p, ','))
				return unexpected(p, "after a key and its value",
						  "A comma is missing before it, or a closing "
						  "brace.");
			p->pos++;
		}
	}
	p->pos++;
	if (!p->later_wins)
		p->duplicates |= !jsontext_check_keys(p->attrs.v + base, p->attrs.n - base,
						      p->diags);
	*ret = value_attrs_make(p->arena, VALUE_OBJECT, p->attrs.v + base, p->attrs.n - base,
				span_at(p, start, p->pos));
	p->attrs.n = base;
	return 0;
}

static int parse_nested(struct parser *p, struct value *ret)
{
	int r;

	if (p->depth == JSONTEXT_DEPTH_MAX) {
		diag_error(p->diags, span_at(p, p->pos, p->pos + 1), "Nested deeper than %d levels",
			   JSONTEXT_DEPTH_MAX);
		return -1;
	}
	p->depth++;
	r = p->text.p[p->pos] == '{' ? parse_object(p, ret) : parse_array(p, ret);
	p->depth--;
	return r;
}

/* What to do about a file that does not even begin as JSON does. */
static const char *no_json(const struct parser *p)
{
	struct str t = p->text;
	const char *dot = strrchr(p->src->name, '.');

	if (p->pos && str_trim(str_slice(t, 0, p->pos)).n)
		return NULL;
	if (p->pos >= t.n)
		return "The file is empty.";
	if (str_starts(t, "\xef\xbb\xbf"))
		return "The file starts with a byte order mark: save it as UTF-8 without one.";
	if (str_starts(t, "\xff\xfe") || str_starts(t, "\xfe\xff"))
		return "The file is in UTF-16: save it as UTF-8.";
	if (!dot || !streq(dot, ".json"))
		return "The names of HCL2 templates end in .pkr.hcl or .pkr.json; any other file "
		       "is read as JSON.";
	return NULL;
}

static int parse_value(struct parser *p, struct value *ret)
{
	struct str s;
	struct span span;

	skip_space(p);
	switch (p->pos < p->text.n ? p->text.p[p->pos] : 0) {
	case '{':
	case '[':
		return parse_nested(p, ret);
	case '"':
		if (parse_string(p, &s, &span) < 0)
			return -1;
		*ret = value_string(s, span);
		return 0;
	case 't':
		return parse_word(p, "true", value_bool(true, (struct span){ 0 }), ret);
	case 'f':
		return parse_word(p, "false", value_bool(false, (struct span){ 0 }), ret);
	case 'n':
		return parse_word(p, "null", value_null((struct span){ 0 }), ret);
	case '-':
	case '0' ... '9':
		return parse_number(p, ret);
	default:
		return unexpected(p, "where a value belongs", no_json(p));
	}
}

int jsontext_parse(struct arena *a, struct source *src, unsigned flags, struct diags *d,
		   struct value *ret)
{
	struct parser p = { .arena = a,
			    .src = src,
			    .diags = d,
			    .text = src->text,
			    .comments = flags & JSONTEXT_COMMENTS,
			    .later_wins = flags & JSONTEXT_LATER_WINS };
	int r;

	if (p.text.n > JSONTEXT_SIZE_MAX) {
		diag_error(d, (struct span){ 0 }, "%s is larger than %zu MiB", src->name,
			   JSONTEXT_SIZE_MAX >> 20);
		return -1;
	}
	r = parse_value(&p, ret);
	if (r == 0) {
		skip_space(&p);
		if (p.pos < p.text.n)
			r = unexpected(&p, "after the end of the JSON text", NULL);
	}
	vec_release(&p.items);
	vec_release(&p.attrs);
	return r < 0 || p.duplicates ? -1 : 0;
}

/* The bytes that the source's next character of a string takes (*ret_source) and stands for. */
static size_t string_step(struct str text, size_t i, size_t *ret_source)
{
	size_t n, bad;
	int32_t cp;

	*ret_source = 1;
	if (text.p[i] != '\\')
		return 1;
	*ret_source = 2;
	if (text.p[i + 1] != 'u' || (cp = unicode_escape(text, i + 1, &n, &bad)) < 0)
		return 1;
	*ret_source = n + 2;
	return cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
}

uint32_t jsontext_string_offset(struct span span, size_t offset)
{
	struct str text = str_slice(span.src->text, 0, span.to);
	size_t i = span.from + 1, done = 0, taken;

	while (i + 1 < text.n && done < offset) {
		done += string_step(text, i, &taken);
		i += taken;
	}
	return (uint32_t)MIN(i, text.n - 1);
}

void jsontext_string_places(struct span span, uint32_t *ret, size_t n)
{
	struct str text = str_slice(span.src->text, 0, span.to);
	size_t i = span.from + 1, done = 0, taken;

	while (done < n) {
		size_t stands = 1;

		taken = 0;
		if (i + 1 < text.n)
			stands = string_step(text, i, &taken);
		for (size_t k = 0; k < stands && done < n; k++)
			ret[done++] = (uint32_t)MIN(i, text.n - 1);
		i += taken;
	}
}
