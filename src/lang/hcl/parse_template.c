/* Templates: quoted text, heredocs and bare text. The tokens first become parts in a row (literals
 * with escapes resolved and white space stripped as "~" and "<<-" ask for, values, and the words of
 * directives), then %{if} and %{for} with what they enclose become trees (template_tree.c).
 */
#include "lang/hcl/template.h"

#include "lang/expr/text.h"
#include "lang/hcl/space.h"

#include <unistr.h>

/* Sequences and escapes. */

/* What "\x" in quoted text stands for, added to `out`; returns the bytes taken, 0 for a mistake. */
static size_t escape(struct str s, struct buf *out, const char **ret_wrong)
{
	static const char from[] = "nrt\"\\", to[] = "\n\r\t\"\\";
	const char *hit = s.n > 1 ? memchr(from, s.p[1], sizeof(from) - 1) : NULL;
	size_t want;
	uint32_t cp = 0;

	if (hit) {
		buf_addc(out, to[hit - from]);
		return 2;
	}
	*ret_wrong = "HCL has \\n \\r \\t \\\" \\\\ \\uXXXX and \\UXXXXXXXX; a plain backslash is "
		     "written \\\\.";
	if (s.n < 2 || (s.p[1] != 'u' && s.p[1] != 'U'))
		return 0;
	want = s.p[1] == 'u' ? 4 : 8;
	*ret_wrong = want == 4 ? "Four hexadecimal digits belong after \\u."
			       : "Eight hexadecimal digits belong after \\U.";
	for (size_t i = 2; i < want + 2; i++) {
		int digit = i < s.n ? hex_value(s.p[i]) : -1;

		if (digit < 0)
			return 0;
		cp = cp << 4 | (uint32_t)digit;
	}
	*ret_wrong = "There is no character of that number.";
	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	buf_add_utf8(out, cp);
	return want + 2;
}

/* The text of a literal token; mistakes in it are reported, and the rest is read. */
static struct str literal_text(struct parser *p, size_t i)
{
	struct str s = parser_text(p, i);
	bool quoted = p->v[i].kind == HCL_T_QUOTED_LIT;
	AUTO(buf) struct buf out = BUF_INIT;
	const char *wrong;
	size_t k = 0, from = 0, n;

	while (k < s.n) {
		char c = s.p[k];

		if (c == '\\' && quoted) {
			buf_add(&out, s.p + from, k - from);
			n = escape(str_slice(s, k, s.n), &out, &wrong);
			if (!n) {
				uint32_t at = p->v[i].from + (uint32_t)k,
					 len = (uint32_t)MIN(s.n - k, (size_t)2);

				if ((uint8_t)s.p[k + len - 1] >= 0x80)
					len = 1;
				p->last_bad = SIZE_MAX; /* each one counts */
				parser_fail_at(p, parser_bytes(p, at, at + len), i,
					       arena_printf(p->arena, "'%.*s' is no escape",
							    (int)len, s.p + k),
					       wrong);
				n = len;
			}
			k += n;
			from = k;
		} else if ((c == '$' || c == '%') && k + 2 < s.n && s.p[k + 1] == c &&
			   s.p[k + 2] == '{') {
			buf_add(&out, s.p + from, k + 1 - from);
			k += 3;
			from = k - 1;
		} else {
			k++;
		}
	}
	if (!from)
		return parser_keep(p, s);
	buf_add(&out, s.p + from, s.n - from);
	return arena_str(p->arena, buf_str(&out));
}

/* Reading the parts. */

struct reading {
	size_t open; /* the token that began it all */
	size_t base; /* of the parts */
	enum hcl_token_kind end;
	bool strip;    /* the sequence before ended with ~} */
	bool unpaired; /* a directive could not be read: which belong together is not known */
};

static void add_part(struct parser *p, struct template_part part)
{
	vec_push(&p->parts, part);
}

/* "~" after the opening braces: white space at the end of the literal directly before goes. */
static void strip_before(struct parser *p, const struct reading *r, size_t i)
{
	struct template_part *last;

	if (p->v[i].to - p->v[i].from < 3 || p->parts.n == r->base)
		return;
	last = &p->parts.v[p->parts.n - 1];
	if (last->kind == PART_TEXT)
		last->text = space_trim_end(last->text);
}

/* The end of a sequence whose opening is token `open`; reading goes on after it also when something
 * else stands there, if it is closed at all. */
static bool end_sequence(struct parser *p, struct reading *r, size_t open, bool ok,
			 const char *what)
{
	size_t i = parser_next(p), match;

	if (ok && p->v[i].kind == HCL_T_TEMPLATE_END) {
		parser_take(p);
		r->strip = p->v[i].to - p->v[i].from == 2;
		return true;
	}
	match = parser_match(p, open);
	if (ok && !match)
		parser_fail(p, open,
			    arena_printf(p->arena, "The %s that begins here is not closed", what),
			    "A closing brace belongs behind it. If it is meant for another "
			    "language, write the sign twice: $${ or %%{.");
	else if (ok)
		parser_unexpected(
		    p, i, "'}' at the end of the sequence",
		    "If it is meant for another language, write the sign twice: $${ or %%{.");
	if (!match)
		return false;
	return parser_resume(p, match + 1);
}

static bool read_value(struct parser *p, struct reading *r, size_t open)
{
	struct hcl_expr *x = parse_expr(p);
	bool closed = end_sequence(p, r, open, x, "value");

	if (!closed)
		return false;
	if (!x)
		x = expr_unknown(p, parser_span(p, open, open));
	add_part(p, (struct template_part){ .kind = PART_VALUE,
					    .expr = x,
					    .token = open,
					    .span = parser_span(p, open, p->pos - 1) });
	return true;
}

static const struct {
	const char *word;
	enum part_kind kind;
} directives[] = {
	{ "if", PART_IF },   { "else", PART_ELSE },	{ "endif", PART_ENDIF },
	{ "for", PART_FOR }, { "endfor", PART_ENDFOR },
};

static bool unknown_directive(struct parser *p, size_t i)
{
	const char *words[ARRAY_LEN(directives)], *near;

	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		words[k] = directives[k].word;
	if (p->v[i].kind != HCL_T_IDENT)
		return parser_unexpected(p, i, "if, else, endif, for or endfor after \"%{\"",
					 "A literal \"%{\" is written %%{.");
	near = str_nearest(arena_str(p->arena, parser_text(p, i)).p, words, ARRAY_LEN(words));
	return parser_fail(
	    p, i,
	    arena_printf(p->arena, "There is no directive \"" STR_FMT "\"",
			 STR_ARG(parser_text(p, i))),
	    near ? arena_printf(p->arena, "Did you mean \"%s\"?", near)
		 : "There are if, else, endif, for and endfor. A literal \"%{\" is written %%{.");
}

static bool read_directive(struct parser *p, struct reading *r, size_t open)
{
	size_t i = parser_next(p), k;
	struct template_part part = { .token = open };
	bool ok = true;

	for (k = 0; k < ARRAY_LEN(directives) && !parser_is_word(p, i, directives[k].word);)
		k++;
	if (k < ARRAY_LEN(directives)) {
		parser_take(p);
		part.kind = directives[k].kind;
		if (part.kind == PART_IF) {
			part.expr = parse_expr(p);
			ok = part.expr;
		} else if (part.kind == PART_FOR) {
			part.expr = expr_new(p, HCL_FOR, parser_span(p, open, i));
			ok = parse_for_head(p, part.expr);
		}
	} else {
		ok = unknown_directive(p, i);
	}
	if (!end_sequence(p, r, open, ok, "directive"))
		return false;
	part.span = parser_span(p, open, p->pos - 1);
	if (k == ARRAY_LEN(directives)) {
		r->unpaired = true;
		return true;
	}
	if (part.kind == PART_IF && !part.expr)
		part.expr = expr_unknown(p, part.span);
	if (part.kind == PART_FOR && !part.expr->loop.coll)
		part.expr->loop.coll = expr_unknown(p, part.span);
	add_part(p, part);
	return true;
}

/* Of the opening token: <<MARKER or <<-MARKER and the line's end. */
static struct str heredoc_marker(struct str opening)
{
	return str_trim(str_slice(opening, opening.p[2] == '-' ? 3 : 2, opening.n));
}

static bool never_ends(struct parser *p, const struct reading *r)
{
	struct str marker;

	if (r->end == HCL_T_CQUOTE)
		return parser_fail(p, r->open, "The string that begins here is never closed",
				   "Close it with a quote.");
	marker = heredoc_marker(parser_text(p, r->open));
	return parser_fail_at(
	    p, parser_span(p, p->n - 1, p->n - 1), p->n - 1,
	    arena_printf(p->arena, "The heredoc that begins on line %u is never closed",
			 source_position(p->src, parser_span(p, r->open, r->open).from).line),
	    arena_printf(p->arena,
			 "A line with nothing but " STR_FMT " ends it, the line's end included.",
			 STR_ARG(marker)));
}

static bool read_invalid(struct parser *p, const struct reading *r, size_t i)
{
	struct str s = parser_text(p, i);

	if (!s.n)
		return parser_fail(p, r->open,
				   "The string that begins here is not closed on its line",
				   "Close it with a quote. For several lines, write \\n or use a "
				   "heredoc (<<EOT).");
	if (s.p[0] == '\n' || s.p[0] == '\r')
		parser_fail_at(p, parser_span(p, r->open, i), i,
			       "Quoted text cannot go on in the next line",
			       "Write the line break as \\n, or the text as a heredoc (<<EOT).");
	else if (s.p[0] == '\\')
		parser_fail(p, i, "A backslash cannot stand at the end of the line",
			    "A plain backslash is written \\\\.");
	else
		parser_unexpected(p, i, "text", NULL);
	return true;
}

static bool read_part(struct parser *p, struct reading *r)
{
	size_t i = p->pos;
	bool strip = r->strip, newlines = p->newlines, ok;

	r->strip = false;
	p->pos++;
	switch (p->v[i].kind) {
	case HCL_T_QUOTED_LIT:
	case HCL_T_STRING_LIT: {
		struct str s = literal_text(p, i);
		size_t ignored;

		if (strip)
			s = str_slice(s, space_leading(s, &ignored), s.n);
		add_part(p, (struct template_part){ .kind = PART_TEXT,
						    .text = s,
						    .span = parser_span(p, i, i),
						    .token = i });
		return true;
	}
	case HCL_T_TEMPLATE_INTERP:
	case HCL_T_TEMPLATE_CONTROL:
		strip_before(p, r, i);
		p->newlines = false;
		ok = p->v[i].kind == HCL_T_TEMPLATE_INTERP ? read_value(p, r, i)
							   : read_directive(p, r, i);
		p->newlines = newlines;
		return ok;
	case HCL_T_INVALID:
		return read_invalid(p, r, i);
	default:
		p->pos = i;
		if (p->v[i].kind != HCL_T_EOF)
			return parser_unexpected(p, i, "text", NULL);
		return never_ends(p, r);
	}
}

static struct str skip_chars(struct str s, size_t n)
{
	for (; n; n--) {
		int len = u8_mblen((const uint8_t *)s.p, s.n);

		s = str_slice(s, (size_t)MAX(len, 1), s.n);
	}
	return s;
}

/* <<- : the smallest indentation of all lines that are not blank goes from the front of each. The
 * first pass finds it, the second takes it off. */
static void unindent(struct template_part *v, size_t n)
{
	size_t least = SIZE_MAX;

	for (int pass = 0; pass < 2; pass++) {
		bool line_start = true;

		for (size_t i = 0; i < n; i++) {
			struct str s = v[i].kind == PART_TEXT ? v[i].text : STR("");
			bool ends = s.n && s.p[s.n - 1] == '\n';
			size_t chars, space = space_leading(s, &chars);
			bool blank = ends && space == s.n;

			if (line_start && !blank && pass == 0)
				least = MIN(least, chars);
			else if (line_start && !blank && v[i].kind == PART_TEXT)
				v[i].text = skip_chars(s, least);
			line_start = ends;
		}
	}
}

/* Literals in a row become one. Returns how many parts are left. */
static size_t join_texts(struct parser *p, struct template_part *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n;) {
		size_t to = i + 1, len = v[i].text.n;
		struct template_part part = v[i];
		char *text;

		if (part.kind == PART_TEXT) {
			for (; to < n && v[to].kind == PART_TEXT; to++)
				len += v[to].text.n;
			if (to > i + 1) {
				part.text.p = text = arena_alloc(p->arena, len + 1);
				part.text.n = len;
				part.span = span_join(part.span, v[to - 1].span);
				for (size_t k = i; k < to; k++) {
					if (v[k].text.n)
						memcpy(text, v[k].text.p, v[k].text.n);
					text += v[k].text.n;
				}
			}
			part.text = text_nfc(p->arena, part.text);
		}
		v[kept++] = part;
		i = to;
	}
	return kept;
}

static struct hcl_expr *finish(struct parser *p, struct reading *r, struct span span, bool flush)
{
	struct template_part *v;
	struct hcl_expr *x;
	size_t n;

	if (p->parts.n == r->base)
		add_part(p, (struct template_part){ .kind = PART_TEXT,
						    .text = { "", 0 },
						    .token = r->open,
						    .span = { span.src, span.to, span.to } });
	v = p->parts.v + r->base;
	n = p->parts.n - r->base;
	if (flush)
		unindent(v, n);
	p->parts.n = r->base + join_texts(p, v, n);
	x = r->unpaired ? NULL : template_tree(p, r->base, r->end != HCL_T_CHEREDOC, span);
	p->parts.n = r->base;
	return x;
}

struct hcl_expr *parse_quoted(struct parser *p)
{
	struct reading r = { .open = parser_take(p), .base = p->parts.n };
	struct str opening = parser_text(p, r.open), marker = { 0 };
	bool heredoc = p->v[r.open].kind == HCL_T_OHEREDOC;
	struct hcl_expr *x;
	struct span span;

	r.end = heredoc ? HCL_T_CHEREDOC : HCL_T_CQUOTE;
	while (p->v[p->pos].kind != r.end)
		if (!read_part(p, &r)) {
			p->parts.n = r.base;
			return NULL;
		}
	span = parser_span(p, r.open, p->pos);
	p->pos++;
	if (heredoc)
		marker = heredoc_marker(opening);
	x = finish(p, &r, span, heredoc && opening.p[2] == '-');
	if (x && x->kind == HCL_TEMPLATE)
		x->tmpl.heredoc = parser_keep(p, marker);
	return x;
}

struct hcl_expr *parse_bare_template(struct parser *p)
{
	struct reading r = { .base = p->parts.n, .end = HCL_T_EOF };

	while (p->v[p->pos].kind != HCL_T_EOF)
		if (!read_part(p, &r)) {
			p->parts.n = r.base;
			return NULL;
		}
	return finish(p, &r, parser_span(p, 0, p->n - 1), false);
}

bool parse_plain_text(struct parser *p, struct str *ret)
{
	size_t open = parser_next(p);
	struct hcl_expr *x = parse_quoted(p);

	if (!x)
		return false;
	if (x->kind != HCL_LITERAL)
		return parser_fail_at(p, x->span, open,
				      "A template cannot stand here: only plain text",
				      "A literal \"${\" is written $${.");
	*ret = x->value.string;
	return true;
}
