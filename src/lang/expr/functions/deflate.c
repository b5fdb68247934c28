/* Deflate (RFC 1951) and gzip (RFC 1952) as the reference's library does it at its default level.
 *
 * zlib would do it in other bytes; these are what a template means (see the header), so they are
 * made here.
 *
 * Matches of 4 to 258 bytes are found by hash chains of at most 128 candidates; a match waits for
 * one byte, in case the next place has a longer one. Each 16384 symbols are a block, written in the
 * shortest of the three forms. All of these numbers show in the output, so none of them is free.
 */
#include "lang/expr/functions/deflate.h"

#include "lang/expr/functions/huffman.h"

#define MATCH_MIN 4
#define MATCH_MAX 258
#define LOOKAHEAD (MATCH_MIN + MATCH_MAX)
#define WINDOW 32768
#define HASH_BITS 17
#define CHAIN 128 /* candidates looked at */
#define NICE 128  /* a match of that length ends the search */
#define LAZY 16	  /* behind a match of that length no better one is looked for */
#define FAR 4096  /* a match of the least length is not worth a larger distance */
#define BLOCK_TOKENS 16384
#define STORED_MAX 65535
#define LITERALS 286
#define DISTANCES 30
#define LENGTHS 19
#define END_OF_BLOCK 256
#define CODE_MARK 255

/* A literal (distance 0) or a match. */
struct token {
	uint16_t distance, value;
};

struct deflate {
	const uint8_t *in;
	size_t n;
	struct buf *out;
	uint64_t bits;
	unsigned nbits;
	uint32_t *head; /* by hash: place + 1 of its latest string */
	uint32_t *prev; /* by place % WINDOW: place + 1 of the one before it */
	size_t base;	/* start of what the reference would still have in its buffer */
	size_t block_start;
	struct token tokens[BLOCK_TOKENS];
	size_t ntokens;
	uint32_t lit_freq[LITERALS], dist_freq[DISTANCES], len_freq[LENGTHS];
	struct huffman lit, dist, lens;
	uint8_t codegen[LITERALS + DISTANCES + 1]; /* lengths of both codes, run-length encoded */
};

static const uint16_t length_base[] = { 3,  4,	5,  6,	 7,   8,   9,	10,  11, 13,
					15, 17, 19, 23,	 27,  31,  35,	43,  51, 59,
					67, 83, 99, 115, 131, 163, 195, 227, 258 };
static const uint8_t length_extra[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
					2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
static const uint16_t dist_base[] = {
	1,   2,	  3,   4,   5,	 7,    9,    13,   17,	 25,   33,   49,   65,	  97,	 129,
	193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577
};
static const uint8_t dist_extra[] = { 0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
				      6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13 };
static const uint8_t lens_order[LENGTHS] = { 16, 17, 18, 0, 8,	7, 9,  6, 10, 5,
					     11, 4,  12, 3, 13, 2, 14, 1, 15 };

static unsigned slot_of(const uint16_t *base, size_t n, unsigned v)
{
	size_t i = n - 1;

	while (base[i] > v)
		i--;
	return (unsigned)i;
}

static void put_bits(struct deflate *d, uint32_t v, unsigned n)
{
	d->bits |= (uint64_t)v << d->nbits;
	for (d->nbits += n; d->nbits >= 8; d->nbits -= 8, d->bits >>= 8)
		buf_addc(d->out, (char)d->bits);
}

static void put_align(struct deflate *d)
{
	if (d->nbits)
		put_bits(d, 0, 8 - d->nbits);
}

static void put_symbol(struct deflate *d, const struct huffman *h, unsigned symbol)
{
	put_bits(d, h->code[symbol], h->len[symbol]);
}

static void put_stored(struct deflate *d, const uint8_t *p, size_t n, bool last)
{
	put_bits(d, last, 3);
	put_align(d);
	put_bits(d, (uint32_t)n, 16);
	put_bits(d, (uint32_t)~n & 0xffff, 16);
	buf_add(d->out, p, n);
}

/* Counts the block's symbols. */
static void count_tokens(struct deflate *d, size_t *ret_nlit, size_t *ret_ndist)
{
	memset(d->lit_freq, 0, sizeof(d->lit_freq));
	memset(d->dist_freq, 0, sizeof(d->dist_freq));
	for (size_t i = 0; i < d->ntokens; i++) {
		struct token t = d->tokens[i];

		if (!t.distance) {
			d->lit_freq[t.value]++;
			continue;
		}
		d->lit_freq[257 + slot_of(length_base, ARRAY_LEN(length_base), t.value)]++;
		d->dist_freq[slot_of(dist_base, DISTANCES, t.distance)]++;
	}
	d->lit_freq[END_OF_BLOCK]++;
	for (*ret_nlit = LITERALS; !d->lit_freq[*ret_nlit - 1];)
		--*ret_nlit;
	for (*ret_ndist = DISTANCES; *ret_ndist && !d->dist_freq[*ret_ndist - 1];)
		--*ret_ndist;
	if (!*ret_ndist) { /* a code for distances has to be there */
		d->dist_freq[0] = 1;
		*ret_ndist = 1;
	}
}

static void put_run(struct deflate *d, size_t *at, uint8_t symbol, size_t extra)
{
	d->codegen[(*at)++] = symbol;
	d->len_freq[symbol]++;
	if (symbol >= 16)
		d->codegen[(*at)++] = (uint8_t)extra;
}

/* `count` times the same length. */
static void encode_run(struct deflate *d, size_t *at, uint8_t len, size_t count)
{
	if (len) {
		put_run(d, at, len, 0);
		for (count--; count >= 3; count -= MIN(count, (size_t)6))
			put_run(d, at, 16, MIN(count, (size_t)6) - 3);
	} else {
		for (; count >= 11; count -= MIN(count, (size_t)138))
			put_run(d, at, 18, MIN(count, (size_t)138) - 11);
		if (count >= 3) {
			put_run(d, at, 17, count - 3);
			count = 0;
		}
	}
	for (; count; count--)
		put_run(d, at, len, 0);
}

static void encode_lengths(struct deflate *d, size_t nlit, size_t ndist)
{
	uint8_t all[LITERALS + DISTANCES];
	size_t at = 0, n = nlit + ndist;

	memcpy(all, d->lit.len, nlit);
	memcpy(all + nlit, d->dist.len, ndist);
	memset(d->len_freq, 0, sizeof(d->len_freq));
	for (size_t i = 0, run; i < n; i += run) {
		for (run = 1; i + run < n && all[i + run] == all[i];)
			run++;
		encode_run(d, &at, all[i], run);
	}
	d->codegen[at] = CODE_MARK;
	huffman_build(&d->lens, d->len_freq, LENGTHS, 7);
}

static size_t count_lens(const struct deflate *d)
{
	size_t n = LENGTHS;

	while (n > 4 && !d->len_freq[lens_order[n - 1]])
		n--;
	return n;
}

static size_t dynamic_cost(struct deflate *d)
{
	return 3 + 5 + 5 + 4 + 3 * count_lens(d) + huffman_cost(&d->lens, d->len_freq, LENGTHS) +
	       d->len_freq[16] * 2 + d->len_freq[17] * 3 + d->len_freq[18] * 7 +
	       huffman_cost(&d->lit, d->lit_freq, LITERALS) +
	       huffman_cost(&d->dist, d->dist_freq, DISTANCES);
}

static void put_dynamic_header(struct deflate *d, size_t nlit, size_t ndist)
{
	static const uint8_t extra[] = { [16] = 2, [17] = 3, [18] = 7 };
	size_t n = count_lens(d);

	put_bits(d, 4, 3);
	put_bits(d, (uint32_t)nlit - 257, 5);
	put_bits(d, (uint32_t)ndist - 1, 5);
	put_bits(d, (uint32_t)n - 4, 4);
	for (size_t i = 0; i < n; i++)
		put_bits(d, d->lens.len[lens_order[i]], 3);
	for (const uint8_t *p = d->codegen; *p != CODE_MARK; p++) {
		put_symbol(d, &d->lens, *p);
		if (*p >= 16) {
			put_bits(d, p[1], extra[*p]);
			p++;
		}
	}
}

static void fixed_codes(struct huffman *lit, struct huffman *dist)
{
	for (unsigned i = 0; i < LITERALS; i++) {
		unsigned code = i < 144	  ? 0x30 + i
				: i < 256 ? 0x190 + i - 144
				: i < 280 ? i - 256
					  : 0xc0 + i - 280;

		lit->len[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
		lit->code[i] = 0;
		for (unsigned b = 0; b < lit->len[i]; b++)
			lit->code[i] |= (uint16_t)((code >> b & 1) << (lit->len[i] - 1 - b));
	}
	for (unsigned i = 0; i < DISTANCES; i++) {
		dist->len[i] = 5;
		dist->code[i] = (uint16_t)((i & 1) << 4 | (i & 2) << 2 | (i & 4) | (i & 8) >> 2 |
					   (i & 16) >> 4);
	}
}

static void put_tokens(struct deflate *d, const struct huffman *lit, const struct huffman *dist)
{
	for (size_t i = 0; i < d->ntokens; i++) {
		struct token t = d->tokens[i];
		unsigned slot;

		if (!t.distance) {
			put_symbol(d, lit, t.value);
			continue;
		}
		slot = slot_of(length_base, ARRAY_LEN(length_base), t.value);
		put_symbol(d, lit, 257 + slot);
		put_bits(d, t.value - length_base[slot], length_extra[slot]);
		slot = slot_of(dist_base, DISTANCES, t.distance);
		put_symbol(d, dist, slot);
		put_bits(d, (uint32_t)t.distance - dist_base[slot], dist_extra[slot]);
	}
	put_symbol(d, lit, END_OF_BLOCK);
}

static size_t extra_cost(const struct deflate *d)
{
	size_t bits = 0;

	for (size_t i = 0; i < ARRAY_LEN(length_extra); i++)
		bits += (size_t)d->lit_freq[257 + i] * length_extra[i];
	for (size_t i = 0; i < DISTANCES; i++)
		bits += (size_t)d->dist_freq[i] * dist_extra[i];
	return bits;
}

/* Writes the tokens that stand for the input up to `end`. */
static void put_block(struct deflate *d, size_t end)
{
	struct huffman fixed_lit, fixed_dist;
	size_t nlit, ndist, size, dynamic, from = d->block_start;
	bool storable = from >= d->base && end - from <= STORED_MAX;

	count_tokens(d, &nlit, &ndist);
	huffman_build(&d->lit, d->lit_freq, LITERALS, 15);
	huffman_build(&d->dist, d->dist_freq, DISTANCES, 15);
	encode_lengths(d, nlit, ndist);
	fixed_codes(&fixed_lit, &fixed_dist);
	size = 3 + huffman_cost(&fixed_lit, d->lit_freq, LITERALS) +
	       huffman_cost(&fixed_dist, d->dist_freq, DISTANCES);
	dynamic = dynamic_cost(d);
	if (storable && (end - from + 5) * 8 < MIN(size, dynamic) + extra_cost(d)) {
		put_stored(d, d->in + from, end - from, false);
	} else if (dynamic < size) {
		put_dynamic_header(d, nlit, ndist);
		put_tokens(d, &d->lit, &d->dist);
	} else {
		put_bits(d, 2, 3);
		put_tokens(d, &fixed_lit, &fixed_dist);
	}
	d->block_start = end;
	d->ntokens = 0;
}

static void add_token(struct deflate *d, unsigned distance, unsigned value, size_t end)
{
	d->tokens[d->ntokens++] = (struct token){ (uint16_t)distance, (uint16_t)value };
	if (d->ntokens == BLOCK_TOKENS)
		put_block(d, end);
}

/* Enters the string at `at`; the place + 1 of the latest one of the same hash. */
static uint32_t enter(struct deflate *d, size_t at)
{
	const uint8_t *p = d->in + at;
	uint32_t four = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	uint32_t *head = &d->head[(four * 0x1e35a7bdu) >> (32 - HASH_BITS)], before = *head;

	d->prev[at % WINDOW] = before;
	*head = (uint32_t)at + 1;
	return before;
}

static size_t match_length(const uint8_t *a, const uint8_t *b, size_t max)
{
	size_t n = 0;

	while (n < max && a[n] == b[n])
		n++;
	return n;
}

/* The longest match for the string at `at` among the candidates from `cand` on; 0: none. */
static size_t find_match(const struct deflate *d, size_t at, size_t cand, size_t *ret_distance)
{
	size_t max = MIN(d->n - at, (size_t)MATCH_MAX), nice = MIN(max, (size_t)NICE),
	       best = MATCH_MIN - 1;
	size_t oldest = at >= WINDOW ? at - WINDOW : 0;
	const uint8_t *p = d->in + at;

	for (int tries = CHAIN; tries; tries--) {
		const uint8_t *q = d->in + cand;
		size_t n = q[best] == p[best] ? match_length(q, p, max) : 0;

		if (n > best && (n > MATCH_MIN || at - cand <= FAR)) {
			best = n;
			*ret_distance = at - cand;
			if (n >= nice)
				break;
		}
		if (at >= WINDOW && cand == oldest)
			break;
		if (!d->prev[cand % WINDOW] || d->prev[cand % WINDOW] - 1 < MAX(oldest, d->base))
			break;
		cand = d->prev[cand % WINDOW] - 1;
	}
	return best >= MATCH_MIN ? best : 0;
}

/* The reference reads through a buffer of two windows. What has been shifted out of it can be no
 * match. */
static void shift_buffer(struct deflate *d, size_t at)
{
	size_t end = MIN(d->n, d->base + 2 * WINDOW);

	if (end < d->n && end - at < LOOKAHEAD)
		d->base += WINDOW;
}

static void compress(struct deflate *d)
{
	size_t at = 0, length = 0, distance = 0;
	bool pending = false; /* the byte before `at` is not written yet */
	uint32_t cand = 0;

	while (at < d->n) {
		size_t before = length, before_distance = distance, left = d->n - at;

		shift_buffer(d, at);
		if (left >= MATCH_MIN)
			cand = enter(d, at);
		length = 0;
		if (cand && cand - 1 >= MAX(at >= WINDOW ? at - WINDOW : 0, d->base) &&
		    left > MAX(before, (size_t)MATCH_MIN - 1) && before < LAZY)
			length = find_match(d, at, cand - 1, &distance);
		if (before && length <= before) {
			size_t end = at + before - 1;

			while (++at < end)
				if (d->n - at >= MATCH_MIN)
					enter(d, at);
			pending = false;
			length = 0;
			add_token(d, (unsigned)before_distance, (unsigned)before, at);
			continue;
		}
		at++;
		if (pending)
			add_token(d, 0, d->in[at - 2], at - 1);
		pending = true;
	}
	if (pending)
		add_token(d, 0, d->in[at - 1], at);
	if (d->ntokens)
		put_block(d, at);
}

static uint32_t crc32_of(struct str s)
{
	uint32_t table[256], crc = UINT32_MAX;

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int k = 0; k < 8; k++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
	}
	for (size_t i = 0; i < s.n; i++)
		crc = crc >> 8 ^ table[(crc ^ (uint8_t)s.p[i]) & 0xff];
	return ~crc;
}

static void put_u32(struct buf *out, uint32_t v)
{
	for (int i = 0; i < 4; i++, v >>= 8)
		buf_addc(out, (char)v);
}

void deflate_gzip(struct str s, struct buf *out)
{
	static const uint8_t header[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff };
	struct deflate *d = xcalloc(1, sizeof(*d));

	d->in = (const uint8_t *)s.p;
	d->n = s.n;
	d->out = out;
	d->head = xcalloc((size_t)1 << HASH_BITS, sizeof(*d->head));
	d->prev = xcalloc(WINDOW, sizeof(*d->prev));
	buf_add(out, header, sizeof(header));
	compress(d);
	put_stored(d, d->in, 0, false);
	put_stored(d, d->in, 0, true);
	free(d->head);
	free(d->prev);
	free(d);
	put_u32(out, crc32_of(s));
	put_u32(out, (uint32_t)s.n);
}
