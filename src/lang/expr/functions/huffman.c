/* Length-limited Huffman codes.
 *
 * How many symbols get which length is found row by row (the "coin collector's" view of the
 * problem): row b has the symbols in order of frequency, merged with pairs of the row below; the
 * first 2n-2 items of the top row tell the lengths. Rows are made lazily, from the top down, so
 * that only counts have to be kept.
 */
#include "lang/expr/functions/huffman.h"

#define NEVER UINT32_MAX

struct symbol {
	uint32_t freq;
	uint16_t id;
};

struct row {
	uint32_t last;	    /* weight of the newest item */
	uint32_t next_leaf; /* weight of the next symbol */
	uint32_t next_pair; /* weight of the next pair of the row below; NEVER: there is none yet */
	size_t needed;	    /* items still to be made */
	/* Symbols left of the newest item's ancestor in each row. */
	size_t leaves[HUFFMAN_BITS_MAX + 1];
};

static int by_freq(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->freq != y->freq)
		return x->freq < y->freq ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static int by_id(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Makes one item of row b: the lighter one of the next symbol and the next pair. */
static void make_item(struct row *rows, unsigned b, const struct symbol *s)
{
	struct row *r = &rows[b];

	if (r->next_leaf < r->next_pair) {
		r->last = r->next_leaf;
		r->next_leaf = s[++r->leaves[b]].freq;
		return;
	}
	r->last = r->next_pair;
	memcpy(r->leaves, rows[b - 1].leaves, b * sizeof(r->leaves[0]));
	rows[b - 1].needed = 2;
}

/* ret[b]: how many of the n >= 3 sorted symbols get b bits; s[n] is a sentinel of weight NEVER. */
static void count_lengths(const struct symbol *s, size_t n, unsigned bits, size_t *ret)
{
	struct row rows[HUFFMAN_BITS_MAX + 2] = { 0 };
	unsigned b = bits;

	for (unsigned i = 1; i <= bits; i++) {
		rows[i].last = s[1].freq;
		rows[i].next_leaf = s[2].freq;
		rows[i].next_pair = i == 1 ? NEVER : s[0].freq + s[1].freq;
		rows[i].leaves[i] = 2;
	}
	rows[bits].needed = 2 * n - 4;
	for (;;) {
		struct row *r = &rows[b];
		uint32_t before = r->last;

		if (r->next_pair == NEVER && r->next_leaf == NEVER) { /* this row is exhausted */
			r->needed = 0;
			rows[++b].next_pair = NEVER;
			continue;
		}
		make_item(rows, b, s);
		if (--r->needed) {
			while (rows[b - 1].needed)
				b--;
			continue;
		}
		if (b == bits)
			break;
		rows[++b].next_pair = before + r->last;
	}
	for (unsigned i = bits; i > 0; i--)
		ret[bits - i + 1] = rows[bits].leaves[i] - rows[bits].leaves[i - 1];
}

static uint16_t reversed(uint16_t code, unsigned bits)
{
	uint16_t r = 0;

	for (; bits; bits--, code >>= 1)
		r = (uint16_t)(r << 1 | (code & 1));
	return r;
}

void huffman_build(struct huffman *h, const uint32_t *freq, size_t n, unsigned max_bits)
{
	struct symbol s[HUFFMAN_SYMBOLS_MAX + 1];
	size_t counts[HUFFMAN_BITS_MAX + 1] = { 0 }, used = 0;
	uint16_t code = 0;

	for (size_t i = 0; i < n; i++) {
		h->len[i] = 0;
		if (freq[i])
			s[used++] = (struct symbol){ freq[i], (uint16_t)i };
	}
	if (used <= 2) {
		for (size_t i = 0; i < used; i++) {
			h->code[s[i].id] = (uint16_t)i;
			h->len[s[i].id] = 1;
		}
		return;
	}
	qsort(s, used, sizeof(*s), by_freq);
	s[used] = (struct symbol){ NEVER, UINT16_MAX };
	max_bits = (unsigned)MIN((size_t)max_bits, used - 1);
	count_lengths(s, used, max_bits, counts);
	for (unsigned b = 1; b <= max_bits; b++) {
		code = (uint16_t)(code << 1);
		used -= counts[b]; /* the most frequent ones left */
		qsort(s + used, counts[b], sizeof(*s), by_id);
		for (size_t i = used; i < used + counts[b]; i++) {
			h->code[s[i].id] = reversed(code++, b);
			h->len[s[i].id] = (uint8_t)b;
		}
	}
}

size_t huffman_cost(const struct huffman *h, const uint32_t *freq, size_t n)
{
	size_t bits = 0;

	for (size_t i = 0; i < n; i++)
		bits += (size_t)freq[i] * h->len[i];
	return bits;
}
