/* Code points and grapheme clusters (what a reader takes for one character) of UTF-8 text. A byte
 * that is none counts as one. Apart from str.h, as it needs libunistring.
 */
#ifndef INGOT_BASE_CLUSTER_H
#define INGOT_BASE_CLUSTER_H

#include "base/str.h"

/* The code point at `at` < s.n, and how many bytes it takes: U+FFFD and 1 where it is no UTF-8. */
uint32_t str_rune(struct str s, size_t at, size_t *ret_n);
/* Bytes of the cluster that begins at `at` < s.n. */
size_t str_cluster(struct str s, size_t at);

#endif
