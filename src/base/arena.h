/* Arena: memory for values that live as long as one template, build or request.
 * Nothing in it is freed alone. Not for sharing between threads.
 */
#ifndef INGOT_BASE_ARENA_H
#define INGOT_BASE_ARENA_H

#include "base/base.h"
#include "base/str.h"

#include <stdarg.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a); /* wipes nothing: secrets go through redact/xfree_secret */
DEFINE_AUTO_PTR(arena, struct arena *, arena_free);

void *arena_alloc(struct arena *a, size_t n) MUST_USE; /* zeroed, aligned for any type */
#define arena_new_obj(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_new_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))
char *arena_strdup(struct arena *a, const char *s);	       /* NULL gives NULL */
char *arena_strndup(struct arena *a, const char *s, size_t n); /* NUL-terminated copy */
struct str arena_str(struct arena *a, struct str s);	       /* copy; also NUL-terminated */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* A copy of n elements, which may be none: from may be NULL then. */
#define arena_copy_array(a, from, n) \
	((__typeof__(*(from)) *)arena_copy((a), (from), sizeof(*(from)) * (n)))
void *arena_copy(struct arena *a, const void *from, size_t n) MUST_USE; /* n bytes */
/* Grows an array in the arena (the old copy stays until the end). */
void *arena_grow(struct arena *a, const void *old, size_t old_n, size_t new_n);
/* Bytes taken from the system so far: what ceilings on memory look at. */
size_t arena_size(const struct arena *a);
/* What is taken after a mark can be given back at once, so that scratch memory serves again. */
struct arena_mark {
	void *chunk, *on_free;
	char *p, *end;
	size_t size; /* arena_size() then */
};
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark to);
/* fn(data) runs when the arena is freed or rewound, last registered first. */
void arena_on_free(struct arena *a, void (*fn)(void *), void *data);

#endif
