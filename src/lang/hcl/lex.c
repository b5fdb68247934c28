/* HCL's lexer: one pass over the text with a stack of modes (code, quoted text, heredoc, bare
 * template), since templates nest in code and code in templates. The class of a byte decides; bytes
 * above ASCII are decoded.
 *
 * Where a quoted text is not closed before its line ends, it ends there by force, together with
 * what stands around it on the line: each forced end is an empty HCL_T_INVALID, and the next line
 * is read as usual. So one lost quote costs one line. If the next line has the missing quote (text
 * over two lines), the line break itself is the HCL_T_INVALID, and the text goes on.
 */
#include "lang/hcl/token.h"

#include "base/vec.h"
#include "lang/hcl/space.h"

#include <unictype.h>

enum class {
	C_OTHER, /* stands nowhere */
	C_SPACE,
	C_NEWLINE,
	C_RETURN,
	C_IDENT,
	C_DIGIT,
	C_QUOTE,
	C_OBRACE,
	C_CBRACE,
	C_SINGLE, /* a token whatever follows */
	C_DOUBLE, /* the next byte decides */
	C_HASH,
	C_SLASH,
	C_DOT,
	C_LESS,
	C_HIGH, /* beyond ASCII */
};

static const uint8_t classes[256] = {
	[' '] = C_SPACE,   ['\t'] = C_SPACE,	    ['\n'] = C_NEWLINE,
	['\r'] = C_RETURN, ['a' ... 'z'] = C_IDENT, ['A' ... 'Z'] = C_IDENT,
	['_'] = C_IDENT,   ['0' ... '9'] = C_DIGIT, ['"'] = C_QUOTE,
	['{'] = C_OBRACE,  ['}'] = C_CBRACE,	    ['['] = C_SINGLE,
	[']'] = C_SINGLE,  ['('] = C_SINGLE,	    [')'] = C_SINGLE,
	[','] = C_SINGLE,  ['?'] = C_SINGLE,	    ['+'] = C_SINGLE,
	['-'] = C_SINGLE,  ['*'] = C_SINGLE,	    ['%'] = C_SINGLE,
	['='] = C_DOUBLE,  ['!'] = C_DOUBLE,	    ['>'] = C_DOUBLE,
	['&'] = C_DOUBLE,  ['|'] = C_DOUBLE,	    [':'] = C_DOUBLE,
	['~'] = C_DOUBLE,  ['#'] = C_HASH,	    ['/'] = C_SLASH,
	['.'] = C_DOT,	   ['<'] = C_LESS,	    [0x80 ... 0xff] = C_HIGH,
};

static const uint8_t single_kinds[128] = {
	['['] = HCL_T_OBRACK,  [']'] = HCL_T_CBRACK,   ['('] = HCL_T_OPAREN, [')'] = HCL_T_CPAREN,
	[','] = HCL_T_COMMA,   ['?'] = HCL_T_QUESTION, ['+'] = HCL_T_PLUS,   ['-'] = HCL_T_MINUS,
	['*'] = HCL_T_STAR,    ['%'] = HCL_T_PERCENT,  ['='] = HCL_T_EQUAL,  ['!'] = HCL_T_BANG,
	['<'] = HCL_T_LT,      ['>'] = HCL_T_GT,       [':'] = HCL_T_COLON,  ['&'] = HCL_T_INVALID,
	['|'] = HCL_T_INVALID, ['~'] = HCL_T_INVALID,
};

/* Where the inner loop over literal text has to look up. */
static const bool literal_stops[256] = {
	['"'] = true,  ['\\'] = true, ['$'] = true,	      ['%'] = true,
	['\n'] = true, ['\r'] = true, [0x80 ... 0xff] = true,
};

/* Bytes of identifiers after the first. */
static const bool ident_bytes[256] = {
	['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
	['_'] = true,	      ['-'] = true,
};

enum mode { MODE_CODE, MODE_QUOTED, MODE_HEREDOC, MODE_BARE };

struct frame {
	enum mode mode;
	bool line_start;   /* heredoc: the closing marker may come now */
	uint32_t braces;   /* code: open ones */
	uint32_t at;	   /* where it began */
	struct str marker; /* heredoc */
};

struct lexer {
	const uint8_t *p;
	size_t n, i;
	struct hcl_token *tokens;
	size_t ntokens, cap;
	VEC(struct frame) frames;
	/* A search for the end of a block comment has failed: so would any later one. */
	bool no_comment_end;
};

static inline void emit(struct lexer *l, enum hcl_token_kind kind, size_t from, size_t to)
{
	if (l->ntokens == l->cap) {
		l->cap *= 2;
		l->tokens = xrealloc(l->tokens, l->cap * sizeof(*l->tokens));
	}
	l->tokens[l->ntokens++] = (struct hcl_token){ kind, (uint32_t)from, (uint32_t)to };
}

static inline int at(const struct lexer *l, size_t i)
{
	return i < l->n ? l->p[i] : -1;
}

static void push(struct lexer *l, struct frame frame)
{
	vec_push(&l->frames, frame);
}

static struct frame *top(struct lexer *l)
{
	return &l->frames.v[l->frames.n - 1];
}

/* Length of the UTF-8 sequence at i with its code point, or 0. */
static size_t decode(const struct lexer *l, size_t i, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t c = l->p[i];
	size_t n = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
	uint32_t cp = n ? c & (0xff >> (n + 1)) : 0;

	if (!n || i + n > l->n)
		return 0;
	for (size_t k = 1; k < n; k++) {
		if ((l->p[i + k] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (l->p[i + k] & 0x3f);
	}
	if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret = cp;
	return n;
}

/* The end of an identifier that goes on at i. */
static size_t ident_end(const struct lexer *l, size_t i)
{
	uint32_t cp;
	size_t n;

	for (;;) {
		while (i < l->n && ident_bytes[l->p[i]])
			i++;
		if (i >= l->n || l->p[i] < 0x80)
			return i;
		n = decode(l, i, &cp);
		if (!n || !uc_is_property_id_continue(cp))
			return i;
		i += n;
	}
}

/* The length of the identifier's first character at i, or 0. */
static size_t ident_start(const struct lexer *l, size_t i)
{
	uint32_t cp;
	size_t n;

	if (i >= l->n)
		return 0;
	if (l->p[i] < 0x80)
		return classes[l->p[i]] == C_IDENT;
	n = decode(l, i, &cp);
	return n && uc_is_property_id_start(cp) ? n : 0;
}

/* Digits, points and exponents in any order, as the reference takes them; the last byte is no
 * point. */
static size_t number_end(const struct lexer *l, size_t i)
{
	size_t end = i;

	while (i < l->n) {
		int c = l->p[i];

		if (c >= '0' && c <= '9') {
			end = ++i;
		} else if (c == '.') {
			i++;
		} else if (c == 'e' || c == 'E') {
			size_t k = i + 1 + (at(l, i + 1) == '+' || at(l, i + 1) == '-');

			if (at(l, k) < '0' || at(l, k) > '9')
				break;
			end = i = k + 1;
		} else {
			break;
		}
	}
	return end;
}

static void line_comment(struct lexer *l, size_t from)
{
	const uint8_t *nl = memchr(l->p + from, '\n', l->n - from);

	l->i = nl ? (size_t)(nl - l->p) + 1 : l->n;
	emit(l, HCL_T_COMMENT, from, l->i);
}

static void slash(struct lexer *l)
{
	size_t from = l->i;
	const uint8_t *end;

	if (at(l, from + 1) == '/') {
		line_comment(l, from);
		return;
	}
	if (at(l, from + 1) == '*' && !l->no_comment_end) {
		end = memmem(l->p + from + 2, l->n - from - 2, "*/", 2);
		if (end) {
			l->i = (size_t)(end - l->p) + 2;
			emit(l, HCL_T_COMMENT, from, l->i);
			return;
		}
		l->no_comment_end = true;
	}
	emit(l, HCL_T_SLASH, from, ++l->i);
}

/* <<MARKER or <<-MARKER and the end of the line; false if that is not what stands here. */
static bool heredoc(struct lexer *l)
{
	size_t from = l->i, i = from + 2, start, n, end;

	if (at(l, from + 1) != '<')
		return false;
	i += at(l, i) == '-';
	start = i;
	n = ident_start(l, i);
	if (!n)
		return false;
	end = i = ident_end(l, i + n);
	i += at(l, i) == '\r';
	if (at(l, i) != '\n')
		return false;
	l->i = i + 1;
	emit(l, HCL_T_OHEREDOC, from, l->i);
	push(l, (struct frame){ .mode = MODE_HEREDOC,
				.line_start = true,
				.at = (uint32_t)from,
				.marker = { (const char *)l->p + start, end - start } });
	return true;
}

static void two(struct lexer *l, enum hcl_token_kind kind)
{
	emit(l, kind, l->i, l->i + 2);
	l->i += 2;
}

/* The one frame around is code's outermost or a template's: in the latter "}" ends the sequence. */
static bool ends_sequence(struct lexer *l)
{
	return l->frames.n > 1 && !top(l)->braces;
}

static void doubled(struct lexer *l)
{
	static const struct {
		char a, b;
		uint8_t kind;
	} pairs[] = {
		{ '=', '=', HCL_T_EQ },		  { '=', '>', HCL_T_FAT_ARROW },
		{ '!', '=', HCL_T_NE },		  { '>', '=', HCL_T_GE },
		{ '&', '&', HCL_T_AND },	  { '|', '|', HCL_T_OR },
		{ ':', ':', HCL_T_DOUBLE_COLON },
	};
	int c = l->p[l->i], next = at(l, l->i + 1);

	for (size_t k = 0; k < ARRAY_LEN(pairs); k++)
		if (pairs[k].a == c && pairs[k].b == next) {
			two(l, pairs[k].kind);
			return;
		}
	if (c == '~' && next == '}' && ends_sequence(l)) {
		two(l, HCL_T_TEMPLATE_END);
		l->frames.n--;
		return;
	}
	emit(l, single_kinds[c], l->i, l->i + 1);
	l->i++;
}

static void close_brace(struct lexer *l)
{
	if (ends_sequence(l)) {
		emit(l, HCL_T_TEMPLATE_END, l->i, l->i + 1);
		l->frames.n--;
	} else {
		emit(l, HCL_T_CBRACE, l->i, l->i + 1);
		if (top(l)->braces)
			top(l)->braces--;
	}
	l->i++;
}

static void high(struct lexer *l)
{
	size_t from = l->i, n = ident_start(l, from);
	uint32_t cp;

	if (n) {
		l->i = ident_end(l, from + n);
		emit(l, HCL_T_IDENT, from, l->i);
		return;
	}
	n = decode(l, from, &cp);
	l->i += n ? n : 1;
	emit(l, HCL_T_INVALID, from, l->i);
}

static void dot(struct lexer *l)
{
	if (at(l, l->i + 1) == '.' && at(l, l->i + 2) == '.') {
		emit(l, HCL_T_ELLIPSIS, l->i, l->i + 3);
		l->i += 3;
		return;
	}
	emit(l, HCL_T_DOT, l->i, l->i + 1);
	l->i++;
}

/* One token of code, or white space. The loop stays here while the mode does. */
static void code(struct lexer *l)
{
	size_t depth = l->frames.n, from;

	while (l->i < l->n && l->frames.n == depth) {
		uint8_t c = l->p[l->i];

		from = l->i;
		switch ((enum class)classes[c]) {
		case C_SPACE:
			while (at(l, ++l->i) == ' ')
				;
			break;
		case C_IDENT:
			l->i = ident_end(l, from + 1);
			emit(l, HCL_T_IDENT, from, l->i);
			break;
		case C_DIGIT:
			l->i = number_end(l, from);
			emit(l, HCL_T_NUMBER, from, l->i);
			break;
		case C_NEWLINE:
			emit(l, HCL_T_NEWLINE, from, ++l->i);
			break;
		case C_RETURN:
			l->i += 1 + (at(l, from + 1) == '\n');
			emit(l, l->i - from == 2 ? HCL_T_NEWLINE : HCL_T_INVALID, from, l->i);
			break;
		case C_QUOTE:
			emit(l, HCL_T_OQUOTE, from, ++l->i);
			push(l, (struct frame){ .mode = MODE_QUOTED, .at = (uint32_t)from });
			break;
		case C_OBRACE:
			emit(l, HCL_T_OBRACE, from, ++l->i);
			top(l)->braces++;
			break;
		case C_CBRACE:
			close_brace(l);
			break;
		case C_SINGLE:
			emit(l, single_kinds[c], from, ++l->i);
			break;
		case C_DOUBLE:
			doubled(l);
			break;
		case C_HASH:
			line_comment(l, from);
			break;
		case C_SLASH:
			slash(l);
			break;
		case C_DOT:
			dot(l);
			break;
		case C_LESS:
			if (at(l, from + 1) == '=')
				two(l, HCL_T_LE);
			else if (!heredoc(l))
				emit(l, HCL_T_LT, from, ++l->i);
			break;
		case C_HIGH:
			high(l);
			break;
		case C_OTHER:
			emit(l, HCL_T_INVALID, from, ++l->i);
			break;
		}
	}
}

/* "${" or "%{" at i, with "~": emitted, and code begins. */
static bool begin_sequence(struct lexer *l)
{
	size_t from = l->i;
	int c = at(l, from);

	if ((c != '$' && c != '%') || at(l, from + 1) != '{')
		return false;
	l->i += 2 + (at(l, from + 2) == '~');
	emit(l, c == '$' ? HCL_T_TEMPLATE_INTERP : HCL_T_TEMPLATE_CONTROL, from, l->i);
	top(l)->line_start = false;
	push(l, (struct frame){ .mode = MODE_CODE, .at = (uint32_t)from });
	return true;
}

/* Runs over literal text from i on, to a byte that ends it: a quote, a line break, the start of a
 * sequence, a byte that is no UTF-8, or the end. */
static size_t literal_end(const struct lexer *l, size_t i, bool quoted)
{
	uint32_t cp;
	size_t n;

	for (;;) {
		while (i < l->n && !literal_stops[l->p[i]])
			i++;
		if (i >= l->n)
			return l->n;
		switch (l->p[i]) {
		case '"':
			if (quoted)
				return i;
			i++;
			break;
		case '\\':
			if (quoted &&
			    (at(l, i + 1) == '\n' || at(l, i + 1) == '\r' || at(l, i + 1) < 0))
				return i;
			/* What follows is text whatever it is, if it is a whole character. */
			i += 1 + (quoted && at(l, i + 1) < 0x80);
			break;
		case '\n':
		case '\r':
			return i;
		case '$':
		case '%':
			if (at(l, i + 1) == '{')
				return i;
			i += at(l, i + 1) == l->p[i] && at(l, i + 2) == '{' ? 3 : 1;
			break;
		default:
			n = decode(l, i, &cp);
			if (!n)
				return i;
			i += n;
		}
	}
}

/* Ends the quoted text and every mode around it that began on the same line. */
static void force_end(struct lexer *l)
{
	uint32_t here = (uint32_t)l->i;
	const uint8_t *nl = memrchr(l->p, '\n', here);
	uint32_t line = nl ? (uint32_t)(nl - l->p) + 1 : 0;

	emit(l, HCL_T_INVALID, here, here);
	l->frames.n--;
	while (l->frames.n > 1 && top(l)->at >= line) {
		if (top(l)->mode == MODE_QUOTED)
			emit(l, HCL_T_INVALID, here, here);
		l->frames.n--;
	}
}

/* A line break in quoted text: see above. */
static void broken_line(struct lexer *l)
{
	size_t from = l->i, i = from, quotes = 0;

	while (at(l, i) == '\r' || at(l, i) == '\n')
		i++;
	for (size_t k = i; k < l->n && l->p[k] != '\n'; k++) {
		if (l->p[k] == '\\' && at(l, k + 1) != '\n')
			k++;
		else
			quotes += l->p[k] == '"';
	}
	if (i < l->n && quotes % 2) {
		emit(l, HCL_T_INVALID, from, i);
		l->i = i;
	} else {
		force_end(l);
	}
}

static void quoted(struct lexer *l)
{
	size_t from = l->i;

	l->i = literal_end(l, from, true);
	if (l->i > from)
		emit(l, HCL_T_QUOTED_LIT, from, l->i);
	switch (at(l, l->i)) {
	case -1:
		break;
	case '"':
		emit(l, HCL_T_CQUOTE, l->i, l->i + 1);
		l->i++;
		l->frames.n--;
		break;
	case '\r':
	case '\n':
		broken_line(l);
		break;
	default:
		if (!begin_sequence(l)) {
			emit(l, HCL_T_INVALID, l->i, l->i + 1);
			l->i++;
		}
	}
}

/* The text of a line without white space at its ends is the marker. */
static bool is_marker(const struct lexer *l, size_t from, size_t to, struct str marker)
{
	struct str s = { (const char *)l->p + from, to - from };
	size_t i = from, chars;

	while (i < to && (l->p[i] == ' ' || l->p[i] == '\t'))
		i++;
	if (i < to && l->p[i] > ' ' && l->p[i] < 0x80 && l->p[i] != (uint8_t)marker.p[0])
		return false; /* nearly every line */
	s = str_slice(s, space_leading(s, &chars), s.n);
	return s.n >= marker.n && str_eq(space_trim_end(s), marker);
}

/* "$ " or "% " before the line's end is a token of its own in the reference; what "~" strips
 * depends on it. */
static bool splits_line(const struct lexer *l, size_t from, size_t to)
{
	return to - from >= 2 && (l->p[to - 1] == ' ' || l->p[to - 1] == '\t') &&
	       (l->p[to - 2] == '$' || l->p[to - 2] == '%');
}

static void heredoc_text(struct lexer *l)
{
	size_t from = l->i, to, line;

	to = literal_end(l, from, false);
	line = to + (at(l, to) == '\r');
	if (at(l, line) == '\n') {
		l->i = line + 1;
		if (top(l)->line_start && is_marker(l, from, to, top(l)->marker)) {
			emit(l, HCL_T_CHEREDOC, from, to);
			emit(l, HCL_T_NEWLINE, to, l->i);
			l->frames.n--;
			return;
		}
		top(l)->line_start = true;
		if (splits_line(l, from, to)) {
			emit(l, HCL_T_STRING_LIT, from, to);
			from = to;
		}
		emit(l, HCL_T_STRING_LIT, from, l->i);
		return;
	}
	l->i = to;
	if (to > from) {
		top(l)->line_start = false;
		emit(l, HCL_T_STRING_LIT, from, to);
	}
	if (to < l->n && !begin_sequence(l)) {
		emit(l, HCL_T_INVALID, to, to + 1);
		l->i++;
	}
}

static void bare(struct lexer *l)
{
	size_t from = l->i, to = literal_end(l, from, false);

	while (at(l, to) == '\r' && at(l, to + 1) != '\n') /* text like any other here */
		to = literal_end(l, to + 1, false);
	if (splits_line(l, from, to) && (at(l, to) == '\r' || at(l, to) == '\n')) {
		emit(l, HCL_T_STRING_LIT, from, to);
		from = to;
	}
	to += at(l, to) == '\r';
	to += at(l, to) == '\n';
	l->i = to;
	if (to > from)
		emit(l, HCL_T_STRING_LIT, from, to);
	else if (to < l->n && !begin_sequence(l))
		emit(l, HCL_T_INVALID, to, ++l->i);
}

struct hcl_tokens hcl_lex(struct arena *a, struct str text, enum hcl_lex_mode mode)
{
	static void (*const modes[])(struct lexer *) = {
		[MODE_CODE] = code,
		[MODE_QUOTED] = quoted,
		[MODE_HEREDOC] = heredoc_text,
		[MODE_BARE] = bare,
	};
	struct lexer l = { .p = (const uint8_t *)text.p, .n = text.n };

	l.cap = text.n / 6 + 16;
	l.tokens = xmalloc(l.cap * sizeof(*l.tokens));
	if (str_starts(text, "\xef\xbb\xbf")) /* a byte order mark */
		l.i = 3;
	push(&l, (struct frame){ .mode = mode == HCL_LEX_TEMPLATE ? MODE_BARE : MODE_CODE });
	while (l.i < l.n)
		modes[top(&l)->mode](&l);
	emit(&l, HCL_T_EOF, l.n, l.n);
	vec_release(&l.frames);
	arena_on_free(a, free, l.tokens);
	return (struct hcl_tokens){ l.tokens, l.ntokens };
}
