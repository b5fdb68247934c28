/* Redaction. Each secret becomes a set of variants; variants are found by a hash of their first
 * three bytes, behind a bitmap that tells most positions of a text apart at the cost of one lookup.
 */
#include "engine/redact.h"

#include "base/vec.h"

enum { KEY_BITS = 16, KEYS = 1 << KEY_BITS, NONE = UINT32_MAX };

struct variant {
	char *p;
	size_t n;
	uint32_t next; /* of the same key; longer ones first */
};

struct redact {
	VEC(struct variant) variants;
	uint32_t *heads;	/* by key; made with the first secret */
	uint64_t *seen;		/* a bit for each key that has variants */
};

struct redact *redact_new(void)
{
	return xcalloc(1, sizeof(struct redact));
}

void redact_free(struct redact *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->variants.n; i++) {
		explicit_bzero(r->variants.v[i].p, r->variants.v[i].n);
		free(r->variants.v[i].p);
	}
	vec_release(&r->variants);
	free(r->heads);
	free(r->seen);
	free(r);
}

bool redact_any(const struct redact *r)
{
	return r->variants.n > 0;
}

static uint32_t key_of(const char *p)
{
	uint32_t x = (uint32_t)(unsigned char)p[0] | (uint32_t)(unsigned char)p[1] << 8 |
		     (uint32_t)(unsigned char)p[2] << 16;

	return x * 2654435761u >> (32 - KEY_BITS);
}

static void add_variant(struct redact *r, struct str s)
{
	uint32_t key, next, before = NONE;

	if (s.n < REDACT_MIN)
		return;
	key = key_of(s.p);
	for (next = r->heads[key]; next != NONE; next = r->variants.v[next].next) {
		const struct variant *v = &r->variants.v[next];

		if (v->n == s.n && memcmp(v->p, s.p, s.n) == 0)
			return;
		if (v->n < s.n)
			break;
		before = next;
	}
	vec_push(&r->variants, (struct variant){ xstrndup(s.p, s.n), s.n, next });
	if (before == NONE)
		r->heads[key] = (uint32_t)(r->variants.n - 1);
	else
		r->variants.v[before].next = (uint32_t)(r->variants.n - 1);
	r->seen[key / 64] |= (uint64_t)1 << key % 64;
}

/* Runs an encoder into a buffer that is wiped after. */
typedef void encoder(struct buf *out, struct str s);

static void add_encoded(struct redact *r, encoder *encode, struct str s)
{
	AUTO(buf) struct buf out = BUF_INIT;

	encode(&out, s);
	add_variant(r, buf_str(&out));
	explicit_bzero(out.p, out.n);
}

static void take_quotes_off(struct buf *out)
{
	buf_truncate(out, out->n - 1);
	buf_remove(out, 0, 1);
}

static void encode_json(struct buf *out, struct str s)
{
	buf_add_json_string(out, s);
	take_quotes_off(out);
}

/* As Go's encoder writes it: < > & escaped too. */
static void encode_go_json(struct buf *out, struct str s)
{
	buf_add_go_json_string(out, s);
	take_quotes_off(out);
}

/* Inside single quotes as ingot and Packer write them: ' is '"'"'. */
static void encode_shell(struct buf *out, struct str s)
{
	buf_add_shell_word(out, s);
	take_quotes_off(out);
}

/* Inside single quotes as `set -x` of most shells writes them: ' is '\''. */
static void encode_shell_trace(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, s.p[i]);
	}
}

/* Inside double quotes. */
static void encode_shell_double(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (strchr("\"$`\\", s.p[i]))
			buf_addc(out, '\\');
		buf_addc(out, s.p[i]);
	}
}

static void encode_uri(struct buf *out, struct str s)
{
	buf_add_uri(out, s, false);
}

static void encode_uri_path(struct buf *out, struct str s)
{
	buf_add_uri(out, s, true);
}

static void encode_form(struct buf *out, struct str s)
{
	AUTO(buf) struct buf uri = BUF_INIT;

	buf_add_uri(&uri, s, false);
	for (size_t i = 0; i < uri.n; i++) {
		if (i + 2 < uri.n && memcmp(uri.p + i, "%20", 3) == 0) {
			buf_addc(out, '+');
			i += 2;
		} else {
			buf_addc(out, uri.p[i]);
		}
	}
	explicit_bzero(uri.p, uri.n);
}

static void add_base64_text(struct redact *r, struct str s)
{
	AUTO(buf) struct buf url = BUF_INIT;

	add_variant(r, s);
	for (size_t i = 0; i < s.n; i++)
		buf_addc(&url, s.p[i] == '+' ? '-' : s.p[i] == '/' ? '_' : s.p[i]);
	add_variant(r, buf_str(&url));
	explicit_bzero(url.p, url.n);
}

/* Lines of a wrapped encoding, whose last one may be short. */
static void add_base64_wrapped(struct redact *r, struct str s, size_t width)
{
	enum { SHORT_LINE = 8 };

	for (size_t i = 0; s.n > width && i < s.n; i += width) {
		struct str line = str_slice(s, i, MIN(i + width, s.n));

		if (line.n >= SHORT_LINE)
			add_base64_text(r, line);
	}
}

static void add_base64(struct redact *r, struct str s)
{
	enum { CORE_MIN = 6, WRAP_MIME = 76, WRAP_PEM = 64 };

	/* The secret alone, then behind 0, 1 or 2 other bytes of a group: only the characters that
	 * it alone decides. */
	for (size_t before = 0; before < 3; before++) {
		AUTO(buf) struct buf plain = BUF_INIT, text = BUF_INIT;
		size_t from = (before * 8 + 5) / 6, to = (before + s.n) * 8 / 6;

		buf_add(&plain, "\0\0", before);
		buf_add_str(&plain, s);
		buf_add_base64(&text, plain.p, plain.n);
		if (before == 0) {
			add_base64_text(r, buf_str(&text));
			add_base64_wrapped(r, buf_str(&text), WRAP_MIME);
			add_base64_wrapped(r, buf_str(&text), WRAP_PEM);
		}
		if (to > from && to - from >= CORE_MIN)
			add_base64_text(r, str_slice(buf_str(&text), from, to));
		explicit_bzero(plain.p, plain.n);
		explicit_bzero(text.p, text.n);
	}
}

static void add_plain_encodings(struct redact *r, struct str s)
{
	static encoder *const encoders[] = { encode_json,	  encode_go_json,      encode_shell,
					     encode_shell_trace,  encode_shell_double, encode_uri,
					     encode_uri_path,	  encode_form };

	add_variant(r, s);
	for (size_t i = 0; i < ARRAY_LEN(encoders); i++)
		add_encoded(r, encoders[i], s);
}

/* A line of a secret is hidden by itself, since output comes line by line; but not what any secret
 * of its kind has (the armour of PEM) and not what is too short to be telling. */
static void add_lines(struct redact *r, struct str s)
{
	enum { LINE_MIN = 4 };
	struct str rest = s, line;

	if (!memchr(s.p, '\n', s.n))
		return;
	while (str_split(&rest, '\n', &line)) {
		line = str_trim(line);
		if (line.n >= LINE_MIN && !str_starts(line, "-----"))
			add_plain_encodings(r, line);
	}
}

void redact_add(struct redact *r, struct str secret)
{
	struct str trimmed = str_trim(secret);

	if (trimmed.n < REDACT_MIN)
		return;
	if (!r->heads) {
		r->heads = xmalloc(KEYS * sizeof(*r->heads));
		memset(r->heads, 0xff, KEYS * sizeof(*r->heads));
		r->seen = xcalloc(KEYS / 64, sizeof(*r->seen));
	}
	add_plain_encodings(r, secret);
	add_base64(r, secret);
	if (trimmed.n != secret.n) {
		add_plain_encodings(r, trimmed);
		add_base64(r, trimmed);
	}
	add_lines(r, secret);
}

/* The longest variant that stands at p; 0 if there is none. */
static size_t match_at(const struct redact *r, const char *p, size_t left)
{
	uint32_t key = key_of(p);

	if (!(r->seen[key / 64] >> key % 64 & 1))
		return 0;
	for (uint32_t i = r->heads[key]; i != NONE; i = r->variants.v[i].next) {
		const struct variant *v = &r->variants.v[i];

		if (v->n <= left && memcmp(v->p, p, v->n) == 0)
			return v->n;
	}
	return 0;
}

/* What has several lines keeps their number. */
static void add_mark(struct buf *out, struct str secret)
{
	struct str rest = secret, line;

	for (size_t i = 0; str_split(&rest, '\n', &line); i++) {
		if (i)
			buf_addc(out, '\n');
		if (line.n || !i)
			buf_adds(out, REDACT_MARK);
	}
}

void redact_text(const struct redact *r, struct str text, struct buf *out)
{
	size_t done = 0, i = 0;

	while (r->heads && i + REDACT_MIN <= text.n) {
		size_t n = match_at(r, text.p + i, text.n - i);

		if (!n) {
			i++;
			continue;
		}
		buf_add(out, text.p + done, i - done);
		add_mark(out, str_slice(text, i, i + n));
		i += n;
		done = i;
	}
	buf_add(out, text.p + done, text.n - done);
}
