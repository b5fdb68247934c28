/* Grapheme clusters: what a reader takes for one character. Text is UTF-8; a byte that is none
 * counts as one.
 */
#ifndef INGOT_BASE_CLUSTER_H
#define INGOT_BASE_CLUSTER_H

#include "base/str.h"

/* Bytes of the cluster that begins at `at` < s.n. */
size_t str_cluster(struct str s, size_t at);

#endif
