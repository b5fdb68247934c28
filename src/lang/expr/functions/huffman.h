/* Length-limited Huffman codes for deflate. */
#ifndef INGOT_LANG_EXPR_FUNCTIONS_HUFFMAN_H
#define INGOT_LANG_EXPR_FUNCTIONS_HUFFMAN_H

#include "base/base.h"

#define HUFFMAN_SYMBOLS_MAX 286
#define HUFFMAN_BITS_MAX 15

struct huffman {
	uint16_t code[HUFFMAN_SYMBOLS_MAX]; /* lowest bit first, as deflate writes it */
	uint8_t len[HUFFMAN_SYMBOLS_MAX];   /* bits; 0: the symbol does not occur */
};

/* Codes of at most max_bits for n symbols that occur freq[i] times. Of several best codes it is the
 * one that the reference finds. */
void huffman_build(struct huffman *h, const uint32_t *freq, size_t n, unsigned max_bits);
/* Bits that all occurrences take. */
size_t huffman_cost(const struct huffman *h, const uint32_t *freq, size_t n);

#endif
