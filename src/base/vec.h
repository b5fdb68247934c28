/* Growing array of any element type, on the heap.
 *
 *	VEC(struct span) spans = VEC_INIT;
 *	vec_push(&spans, s);
 *	for (size_t i = 0; i < spans.n; i++) use(spans.v[i]);
 *	vec_release(&spans);
 */
#ifndef INGOT_BASE_VEC_H
#define INGOT_BASE_VEC_H

#include "base/base.h"

#include <string.h>

#define VEC(type) \
	struct { \
		type *v; \
		size_t n, cap; \
	}
#define VEC_INIT { 0 }

void *vec_grow_(void *v, size_t *cap, size_t want, size_t size);

#define vec_reserve(vec, want) \
	((vec)->v = vec_grow_((vec)->v, &(vec)->cap, (want), sizeof(*(vec)->v)))
#define vec_push(vec, ...) \
	do { \
		vec_reserve((vec), (vec)->n + 1); \
		(vec)->v[(vec)->n++] = (__VA_ARGS__); \
	} while (0)
#define vec_pop(vec) ((vec)->v[--(vec)->n])
#define vec_remove(vec, i) \
	do { \
		size_t i_ = (i); \
		memmove(&(vec)->v[i_], &(vec)->v[i_ + 1], (--(vec)->n - i_) * sizeof(*(vec)->v)); \
	} while (0)
#define vec_release(vec) \
	do { \
		free((vec)->v); \
		(vec)->v = NULL; \
		(vec)->n = (vec)->cap = 0; \
	} while (0)

/* Sorts C strings bytewise. */
void sort_strings(const char **v, size_t n);

#endif
